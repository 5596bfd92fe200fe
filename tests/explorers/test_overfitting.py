"""OverfittingLab: its curves against a loop written out, each regulariser at work, Stop, and bad input."""

import time
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn.functional import cross_entropy

from course_utils import data, training
from course_utils.experiments.overfitting import (
    MOST,
    RunConfig,
    TrainingRun,
    cross_validate,
    mean_and_margin,
    momentum,
    network,
)
from course_utils.explorers.overfitting import OverfittingLab
from course_utils.models.regularisers import noisy_labels
from course_utils.plots.overfitting import CURVE_TOP

from .sweep import refuses

BOTH = ("training", "validation")


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
    assert f"{lab.result.wrong_in_all} wrong labels" in lab.says and lab.result.wrong_in_all == 30
    last = trial.curve[-1]
    assert f"Epoch 20: {last[3]:.0%} right in training, {last[4]:.0%} in validation" in lab.says
    best = trial.curve[:, 2].argmin()
    assert f"Lowest validation loss: epoch {best} ({trial.curve[best, 4]:.0%} right)" in lab.says
    drawn = [lab.panels[name].lines[which].get_ydata() for name in ("loss", "accuracy") for which in BOTH]
    for line, column in zip(drawn, range(1, 5), strict=True):
        assert line == pytest.approx(trial.curve[:, column].clip(0, CURVE_TOP))
    assert lab.panels["loss"].lines["best"].get_data() == ([best], [trial.curve[best, 2]])
    before = lab.png
    lab.set(weight_decay=0.05)
    assert "Press Train. The curves belong to earlier settings." in lab.says and lab.png == before
    lab.set(weight_decay=0.0)
    assert "Epoch 20" in lab.says, "a run is shown again where its settings are"


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
    assert 4 <= len(kept) < 401 and np.isfinite(kept).all() and lab.result.stopped == "stopped by on_step"
    assert lab.result.of[0].noise == 0.2 and "The curves belong to earlier settings." in lab.says
    lab.set(noise=20)
    assert f"Epoch {len(kept) - 1} (stopped)" in lab.says and np.array_equal(lab.result.curve, kept)
    lab.set(epochs=10)
    lab.start()
    assert lab.wait(60) and len(lab.result.curve) == 11 and lab.problem == ""
    assert lab.result.curve[:4] == pytest.approx(kept[:4])


def test_reset_forgets_the_curves_even_while_it_trains() -> None:
    lab = OverfittingLab(epochs=400, examples=1000, width=8)
    lab.start()
    lab.reset()
    assert lab.wait(60)
    assert lab.result.of is None and not len(lab.result.curve) and "Press Train" in lab.says


def test_bad_input_is_one_sentence_and_the_lab_lives() -> None:
    lab = OverfittingLab(epochs=10, width=32)
    before = lab.png
    lab.inputs["examples"].value = 0
    assert "There is nothing to learn from" in lab.problem and lab.png == before
    assert "There is nothing to learn from" in refuses(lambda: OverfittingLab(examples=0))
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
    ghosts = [lab.panels[name].ghosts["validation"] for name in ("loss", "accuracy")]
    assert ghosts[0].get_ydata() == pytest.approx(first) and len(ghosts[1].get_ydata()) == 11
    lab.set(epochs=60)
    lab.train()
    assert lab.panels["loss"].axes.get_xlim() == (0, 100), "the longer of both runs"
    assert lab.panels["loss"].ghosts["validation"].get_ydata() == pytest.approx(first)


def test_a_run_that_stops_early_looks_shorter_than_the_full_one() -> None:
    lab = OverfittingLab(early_stopping=5).trained()
    assert len(lab.result.curve) < 150 and lab.panels["loss"].axes.get_xlim() == (0, 200)


def test_the_copied_line_trains_as_this_lab_did() -> None:
    def copy(lab: OverfittingLab) -> OverfittingLab:
        return eval(lab.as_python(), {"OverfittingLab": OverfittingLab})

    lab = OverfittingLab(part="data", width=8, seed=3)
    assert copy(lab).png == lab.png and "trained" not in lab.as_python()
    lab.train()
    assert lab.as_python() == "OverfittingLab(part='data', width=8, seed=3).trained()"
    assert copy(lab).png == lab.png and copy(lab).says == lab.says
    lab.set(width=32)
    assert lab.as_python().endswith("  # without the curves of older settings: press Train")
    assert "Press Train" in copy(lab).says

    stopped = OverfittingLab(width=8).trained(epochs=12)
    assert stopped.as_python() == "OverfittingLab(width=8).trained(epochs=12)"
    assert "Epoch 12 (stopped)" in stopped.says and copy(stopped).says == stopped.says


def test_a_lab_may_show_the_data_or_the_cures_only() -> None:
    def shown(lab: OverfittingLab) -> list[str]:
        return [name for name, widget in lab.inputs.items() if widget.layout.display != "none"]

    assert shown(OverfittingLab(part="data")) == ["examples", "noise", "width", "seed"]
    cures = shown(OverfittingLab(part="cures"))
    assert {"dropout", "weight_decay", "early_stopping"} < set(cures) and not {"examples", "noise", "seed"} & set(cures)
    assert len(shown(OverfittingLab())) == 11
    assert "choose" in refuses(lambda: OverfittingLab(part="both"))


@pytest.mark.slow
def test_the_tour_shows_what_it_says() -> None:
    lab = OverfittingLab(part="cures", early_stopping=5, dropout=0.2)
    ends = []
    for stop in range(len(lab.tour)):
        lab.visit(stop)
        ends.append(lab.result.curve[-1, 3:])
    (plain, spoilt), clean, more, few, slow, early, decayed, both = ends
    assert plain > 0.99 and 0.7 < spoilt < 0.85, "overfitting"
    assert clean[0] > 0.99 and clean[1] > spoilt + 0.05, "without wrong labels"
    assert more[1] > 0.88 and 950 < 34 * len(lab.runs.kept[lab.setting(**lab.tour[2][0]), 0].rows) < 1100
    assert few[0] < 0.8 and few[1] < spoilt, "four neurons"
    assert all(cure[1] > spoilt + 0.03 for cure in (slow, early, decayed)), "three cures"
    assert both[1] < min(slow[1], decayed[1]) - 0.15, "too much"
    lab.visit(None)
    assert lab.early_stopping == 5 and "Press Train" in lab.says
    assert len(OverfittingLab(part="data").tour) == 4


def test_cross_validation_trains_on_the_other_folds_and_judges_on_each_example_once() -> None:
    run = TrainingRun(RunConfig(examples=60), seed=0)
    images, labels = run.images, run.noisy_labels
    scores = cross_validate(images, labels, 0.03, folds=3, epochs=20)
    by_hand = []
    for first in (0, 20, 40):
        held_out = torch.arange(60)[first : first + 20]
        rest = torch.tensor([place for place in range(60) if place not in held_out.tolist()])
        model = network(RunConfig(), seed=0)
        batches = training.shuffled_batches(images[rest], labels[rest], batch_size=30, seed=0)
        training.fit(
            model, batches, steps=40, objective=training.cross_entropy_loss, recipe=momentum(0.03), progress=False
        )
        by_hand.append((model(images[held_out]).argmax(1) == labels[held_out]).float().mean().item())
    assert scores == pytest.approx(by_hand) and len(set(scores)) > 1 and max(scores) > 0.3


def test_a_margin_is_students() -> None:
    runs = [0.80, 0.82, 0.85, 0.81, 0.87]
    low, high = stats.t.interval(0.95, len(runs) - 1, loc=np.mean(runs), scale=stats.sem(runs))
    average, margin = mean_and_margin(runs)
    assert (average - margin, average + margin) == pytest.approx((low, high))
    assert mean_and_margin(runs * 2)[1] < margin


def test_what_the_lesson_says_of_the_record_is_in_the_record() -> None:
    def mean(name: str, strength: float) -> float:
        rows = data.recorded("regularisers").rows
        runs = [row for row in rows if (row["setting"], row["strength"]) == (name, strength)]
        runs = runs if name == "none" else [row for row in runs if row["learning_rate"] == 0.03]
        assert len(runs) == 10
        return sum(row["test_accuracy"] for row in runs) / 10

    chosen = [("dropout", 0.8), ("weight_decay", 0.03), ("learning_rate_decay", 0.001), ("early_stopping", 5)]
    cures = [mean(*pair) for pair in (*chosen, ("augmentation", 1))]
    nothing = mean("none", 0.03)
    assert all(0.085 < cure - nothing < 0.125 for cure in cures), "nine to twelve percentage points"
    assert mean("none", 0.003) > max(cures), "a smaller learning rate is as good as any"
    assert nothing - mean("weight_decay", 0.1) > 0.16 and mean("augmentation", 2) < mean("augmentation", 1)
    assert [len(data.recorded(name).rows) for name in ("regularisers", "architectures")] == [360, 75]
