"""The kept Shakespeare GPT, its snapshots, and how long a run may be."""

from dataclasses import replace

import pytest
import torch

from course_utils.experiments import pretraining as lesson
from course_utils.models.checkpoints import checkpoints_folder
from course_utils.training.pretraining import Pretraining, pretrain

SMALL = replace(
    lesson.SHAKESPEARE, model={**lesson.MODEL, "width": 16, "layers": 1, "heads": 2, "context": 32}, steps=30
)


def test_the_kept_model_scores_what_its_file_says_and_its_snapshots_get_better():
    kept = lesson.snapshots()
    assert [snapshot.step for snapshot in kept[:-1]] == list(lesson.SNAPSHOTS) and kept[-1].step > kept[-2].step
    scores = [lesson.held_out_bits(snapshot.model, "validation", 20_000) for snapshot in kept]
    assert scores == sorted(scores, reverse=True)
    for snapshot, score in zip(kept, scores, strict=True):
        assert score == pytest.approx(snapshot.validation_bits, abs=0.1), "20,000 characters instead of 50,000"
    assert lesson.held_out_bits(kept[-1].model, "test", 20_000) == pytest.approx(kept[-1].made["test_bits"], abs=0.1)
    with pytest.raises(ValueError, match="step=7 was not kept; choose one of 0, 30, 100, 400, or None"):
        lesson.shakespeare(7)


def test_the_recipe_beside_the_kept_model_is_the_one_in_its_header():
    setting = Pretraining.from_json((checkpoints_folder() / "shakespeare.json").read_text(encoding="utf-8"))
    assert setting == Pretraining(**{**vars(setting), "model": lesson.MODEL, "recipe": lesson.FAST})
    assert lesson.shakespeare().made["setting"]["steps"] == setting.steps
    assert sum(file.stat().st_size for file in checkpoints_folder().glob("shakespeare*.safetensors")) < 8e6


def test_a_run_has_as_many_steps_as_the_time_allows():
    few, more = lesson.steps_within(0.02, SMALL), lesson.steps_within(1000.0, SMALL)
    assert 1 <= few < more == SMALL.steps
    model, tokenizer, history = pretrain(
        SMALL, evaluate=lambda model: lesson.held_out_bits(model, "validation", 20_000), every=10, progress=False
    )
    assert history.stopped == "finished" and [step for step, _ in history.held_out] == [0, 10, 20, 30]
    assert history.held_out[-1][1] < history.held_out[0][1] and len(tokenizer) == model.config.vocabulary
    assert model(torch.tensor([tokenizer.encode("ROMEO")])).isfinite().all()
