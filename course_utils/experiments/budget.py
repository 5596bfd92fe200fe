"""A small transformer made to a budget: so many parameters, spent as you like, and a short training on plays."""

from __future__ import annotations

import math
from functools import lru_cache

from course_utils.experiments.ablations import BATCH, CONTEXT, bits
from course_utils.experiments.language_models import characters, play_ids
from course_utils.models.initial import stretch
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.scaling import parameters
from course_utils.training import Recipe, fit, text_batches

BUDGET = 60_000  # parameters
STEPS = 150  # of training


def budget_config(layers: int, width: int, heads: int, neurons: int) -> TransformerConfig:
    """The settings of such a model: rotary positions, RMS norm, GELU, no biases; it reads characters of plays.

    Raises:
        ValueError: if the settings do not fit together.

    >>> parameters(budget_config(2, 40, 4, 160))
    41800
    """
    return TransformerConfig(
        vocabulary=len(characters()), context=CONTEXT, width=width, layers=layers, heads=heads, mlp_width=neurons,
        positions="rotary", norm="rms", bias=False,
    )  # fmt: skip


@lru_cache(maxsize=32)
def bits_saved(layers: int, width: int, heads: int, neurons: int, seed: int = 0) -> float:
    """Train it, and say how many bits a letter it saves on unseen plays against a blind guess among all characters.

    Args:
        layers: blocks.
        width: numbers in a token's vector.
        heads: of each block; must divide the width.
        neurons: in each small network.
        seed: of the first weights and of the text's windows.

    Raises:
        ValueError: if the settings do not fit together, or cost more than `BUDGET`.
    """
    config = budget_config(layers, width, heads, neurons)
    if (cost := parameters(config)) > BUDGET:
        raise ValueError(f"this model has {cost:,} parameters and may have {BUDGET:,}; make it smaller")
    model = Transformer(config, seed)
    stretch(model, width)
    recipe = Recipe(1e-2, schedule="linear", warmup=0.1, clip=1.0)
    fit(model, text_batches(play_ids("train"), BATCH, CONTEXT, seed), steps=STEPS, recipe=recipe, progress=False)
    return math.log2(config.vocabulary) - bits(model, "validation")
