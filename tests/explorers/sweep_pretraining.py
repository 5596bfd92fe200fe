"""How to make the explorers of pretraining for the sweep: tiny models, not trained or for a few steps."""

import functools

from course_utils.experiments.language_models import characters
from course_utils.experiments.pretraining import Snapshot
from course_utils.experiments.snapshots import Snapshots
from course_utils.explorers.pretraining import TimeMachine, TrainingTheatre
from course_utils.models.transformer import Transformer, TransformerConfig

from .sweep import factory


@functools.cache
def run() -> Snapshots:
    def model(seed: int) -> Transformer:
        config = TransformerConfig.preset(
            "tiny", vocabulary=len(characters()), width=16, layers=2, heads=2, context=128
        )
        return Transformer(config, seed)

    return Snapshots([Snapshot(100 * at, model(at), characters(), 6.0 - at, {}) for at in range(3)])


@factory(TimeMachine)
def machine() -> TimeMachine:
    return TimeMachine(run())


@factory(TrainingTheatre)
def theatre() -> TrainingTheatre:
    return TrainingTheatre(layers=1, width=16, steps=100)
