"""OverfittingLab: its curves against a loop written out, each regulariser at work, Stop, and bad input."""

import time
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from course_utils import data
from course_utils.experiments.overfitting import MOST, RunConfig, TrainingRun, network
from course_utils.explorers.overfitting import OverfittingLab
from course_utils.models.regularisers import noisy_labels
from course_utils.plots.overfitting import CURVE_TOP

from .sweep import refuses


def written_out(epochs: int, penalty: float = 0.0, decay: float = 1.0) -> tuple[list, list[torch.nn.Parameter]]:
    """The lab's default run as plain arithmetic: momentum, penalty and decay by hand; rows of the curve, weights."""
    digits = data.digits(seed=0)
    images, labels = digits.train_images[:150], digits.train_labels[:150]
    validation = digits.train_images[150:450], digits.train_labels[150:450]
    random = torch.Generator().manual_seed(0)
    given = noisy_labels(labels, 0.2, random)
    model = network(RunConfig(), seed=0)
    knobs = list(model.parameters())
    speeds = [torch.zeros_like(knob) for knob in knobs]
    rows = []
    for epoch in range(epochs + 1):
        with torch.no_grad():
            logits = [(model(at), to) for at, to in ((images, given), validation)]
            losses = [cross_entropy(at, to).item() for at, to in logits]
            rows.append([epoch, *losses, *((at.argmax(1) == to).float().mean().item() for at, to in logits)])
        if epoch == epochs:
            break
        for batch in torch.randperm(150, generator=random).split(30):
            slopes = torch.autograd.grad(cross_entropy(model(images[batch]), given[batch]), knobs)
            with torch.no_grad():
                for knob, speed, slope in zip(knobs, speeds, slopes, strict=True):
                    pull = penalty * knob if knob.ndim > 1 else 0
                    speed.mul_(0.9).add_(slope + pull)
                    knob.sub_(0.03 * decay ** (epoch / epochs) * speed)
    return rows, knobs


@pytest.mark.parametrize(("penalty", "decay"), [(0.0, 1.0), (0.03, 1.0), (0.0, 0.01)])
def test_the_curves_are_those_of_a_loop_written_out(penalty: float, decay: float) -> None:
    trial = TrainingRun(RunConfig(epochs=12, weight_decay=penalty, learning_rate_decay=decay), seed=0)
    trial.train()
    rows, knobs = written_out(12, penalty, decay)
    assert trial.curve == pytest.approx(np.array(rows), abs=2e-3)
    for ours, theirs in zip(trial.network.parameters(), knobs, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)


@pytest.mark.slow
def test_without_a_regulariser_every_wrong_label_is_learned_and_each_regulariser_prevents_that() -> None:
    def remembered(**setting: Any) -> tuple[int, float]:
        trial = TrainingRun(RunConfig(**setting), seed=1)
        trial.train()
        learned = (trial.network.eval()(trial.images).argmax(1) == trial.noisy_labels)[trial.wrong].sum().item()
        return learned, trial.accuracies()["test_accuracy"]

    all_of_them, plain = remembered()
    assert all_of_them >= 29
    for setting in (
        {"dropout": 0.8},
        {"weight_decay": 0.03},
        {"learning_rate_decay": 0.001},
        {"early_stopping": 5},
        {"augmentation": 1},
        {"learning_rate": 0.003},
    ):
        learned, share = remembered(**setting)
        assert learned < all_of_them, setting
        assert share > plain + 0.02, setting


def test_early_stopping_keeps_the_weights_of_the_best_epoch() -> None:
    trial = TrainingRun(RunConfig(early_stopping=5), seed=0)
    history = trial.train()
    losses = trial.curve[:, 2]
    assert history.stopped == "no better for 5 measurements" and len(losses) - 1 - losses.argmin() == 5
    with torch.no_grad():
        images, labels = trial.validation
        assert cross_entropy(trial.network.eval()(images), labels).item() == pytest.approx(losses.min(), abs=1e-5)


def test_digits_to_learn_from_to_choose_by_and_to_judge_by_never_overlap() -> None:
    trial = TrainingRun(RunConfig(examples=MOST), seed=3)
    piles = [trial.images, trial.validation[0], trial.test[0]]
    assert [len(pile) for pile in piles] == [1047, 300, 450]
    source = torch.cat([data.digits(seed=3).train_images, data.digits(seed=3).test_images])
    together = torch.cat(piles).flatten(1)
    order = [sorted(map(tuple, pile.tolist())) for pile in (together, source.flatten(1))]
    assert order[0] == order[1]  # every digit exactly once
    assert torch.equal(TrainingRun(RunConfig(examples=150), seed=3).images, trial.images[:150])


def test_the_lab_shows_the_run_that_its_controls_ask_for() -> None:
    lab = OverfittingLab(examples=100, noise=30, width=32, epochs=20, dropout=0.3, augmentation=1, seed=2)
    lab.train()
    trial = TrainingRun(RunConfig(width=32, dropout=0.3, augmentation=1, examples=100, noise=0.3, epochs=20), seed=2)
    trial.train()
    assert lab.result.curve == pytest.approx(trial.curve)
    assert f"{lab.result.wrong_in_all} labels wrong" in lab.says and lab.result.wrong_in_all == 30
    last = trial.curve[-1]
    assert f"Epoch 20: {last[3]:.0%} right in training, {last[4]:.0%} in validation" in lab.says
    best = trial.curve[:, 2].argmin()
    assert f"lowest validation loss at epoch {best} ({trial.curve[best, 4]:.0%})" in lab.says
    drawn = [line.get_ydata() for line in lab.artists["curves"]]
    for line, column in zip(drawn, range(1, 5), strict=True):
        assert line == pytest.approx(trial.curve[:, column].clip(0, CURVE_TOP))
    before = lab.png
    lab.set(weight_decay=0.05)
    assert "press Train. Older curves" in lab.says and lab.png == before


def test_stop_keeps_the_curves_and_the_next_run_begins_anew() -> None:
    lab = OverfittingLab(epochs=400, examples=1000, width=32)
    lab.start()
    deadline = time.monotonic() + 60
    while len(lab.result.curve) < 4:  # pictures come while it runs
        assert time.monotonic() < deadline
        time.sleep(0.01)
    lab.set(noise=40)  # a slider moved meanwhile changes the next run
    lab.start()  # reads Stop now
    assert lab.wait(60)
    kept = lab.result.curve
    assert 4 <= len(kept) < 401 and np.isfinite(kept).all() and lab.ended == "stopped by on_step"
    assert lab.result.of[0].noise == 0.2 and "press Train. Older curves" in lab.says
    lab.set(noise=20)
    assert f"Epoch {len(kept) - 1}; stopped" in lab.says and np.array_equal(lab.result.curve, kept)
    lab.set(epochs=10)
    lab.start()
    assert lab.wait(60) and len(lab.result.curve) == 11 and lab.problem == ""
    assert lab.result.curve[:4] == pytest.approx(kept[:4])


def test_reset_forgets_the_curves_even_while_it_trains() -> None:
    lab = OverfittingLab(epochs=400, examples=1000, width=8)
    lab.start()
    lab.reset()
    assert lab.wait(60)
    assert lab.result.of is None and not len(lab.result.curve) and "press Train" in lab.says


def test_bad_input_is_one_sentence_and_the_lab_lives() -> None:
    lab = OverfittingLab(epochs=10, width=32)
    before = lab.png
    lab.inputs["examples"].value = 0
    assert "All examples are withheld" in lab.problem and lab.png == before
    assert "All examples are withheld" in refuses(lambda: OverfittingLab(examples=0))
    assert "there must be from 1 to 1,047" in refuses(lambda: TrainingRun(RunConfig(examples=0)))
    lab.inputs["examples"].value = 150
    assert lab.problem == ""

    nothing, grew = (
        "With learning rate 0 no step changes anything",
        "The loss grew instead of falling: with learning rate",
    )
    for rate, width, sentence in ((0, 32, nothing), (10**9, 32, grew), (10**9, 256, grew), (1, 512, "")):
        lab.set(learning_rate=rate, width=width)
        lab.start()
        assert lab.wait(60) and sentence in lab.problem and lab.problem.count(". ") == 0
        assert not sentence or sentence in refuses(lab.train)
        assert "nan" not in lab.says and "inf" not in lab.says
    lab.set(learning_rate=0.03)
    lab.start()
    assert lab.wait(60) and lab.problem == "" and len(lab.result.curve) == 11


def test_nothing_but_noise_is_said_and_teaches_nothing() -> None:
    lab = OverfittingLab(noise=100, epochs=100)
    lab.train()
    assert lab.result.wrong_in_all == 150 and "Every label is wrong, so nothing right can be learned." in lab.says
    assert lab.result.curve[-1, 4] < 0.15, "no better than guessing"


def test_the_pinned_run_stays_as_a_ghost() -> None:
    lab = OverfittingLab(epochs=10, width=8)
    lab.train()
    first = lab.result.curve[:, 2]
    lab.pin()
    lab.set(weight_decay=0.1)
    lab.train()
    ghosts = [line for axes in lab.figure.axes for line in axes.lines if line.get_label() == "validation, pinned"]
    assert len(ghosts) == 2 and ghosts[0].get_ydata() == pytest.approx(first)


def test_what_the_lesson_says_of_the_record_is_in_the_record() -> None:
    def mean(name: str, strength: float) -> float:
        rows = data.recorded("regularisers").rows
        runs = [row for row in rows if (row["setting"], row["strength"]) == (name, strength)]
        assert len(runs) == 10
        return sum(row["test_accuracy"] for row in runs) / 10

    chosen = [("dropout", 0.8), ("weight_decay", 0.03), ("learning_rate_decay", 0.001), ("early_stopping", 5)]
    cures = [mean(*pair) for pair in (*chosen, ("augmentation", 1))]
    nothing = mean("none", 0.03)
    assert all(0.09 < cure - nothing < 0.125 for cure in cures), "nine to twelve percentage points"
    assert mean("none", 0.003) > max(cures), "a smaller learning rate is as good as any"
    assert nothing - mean("weight_decay", 0.1) > 0.16 and mean("augmentation", 2) < mean("augmentation", 1)
    assert [len(data.recorded(name).rows) for name in ("regularisers", "architectures")] == [200, 75]
