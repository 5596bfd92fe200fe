"""The training loop: it learns, stops, continues and repeats itself exactly."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from torch import nn

from course_utils import training
from course_utils.models.mlp import MLP, MLPConfig


def problem(examples: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    """Points of three overlapping clouds."""
    generator = torch.Generator().manual_seed(7)
    labels = torch.arange(examples) % 3
    points = torch.randn(examples, 2, generator=generator) + torch.tensor([[0.0, 2.0], [2.0, 0.0], [-2.0, 0.0]])[labels]
    return points, labels


def model(seed: int = 0) -> MLP:
    return MLP(MLPConfig((2, 8, 3), "tanh"), seed)


def batches(seed: int = 0):
    return training.shuffled_batches(*problem(), batch_size=16, seed=seed)


def weights(network: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def fit(network: nn.Module, source=None, **settings) -> training.History:
    return training.fit(network, source or batches(), **{"steps": 40, "progress": False, **settings})


def held_out(network: nn.Module) -> float:
    return training.classification_loss(network(problem()[0]), problem()[1]).item()


def test_history_has_one_entry_a_step_and_the_loss_falls():
    history = fit(model(), steps=200, learning_rate=0.02, evaluate=held_out, every=50)
    assert len(history.losses) == len(history.seconds) == history.steps == 200
    assert history.seconds == sorted(history.seconds)
    assert history.tokens == sum(len(labels) for (_, labels), _ in zip(batches(), range(200), strict=False))
    assert [step for step, _ in history.held_out] == [0, 50, 100, 150, 200]
    assert history.held_out[-1][1] < 0.5 * history.held_out[0][1]
    assert history.stopped == "finished"


def test_the_loop_equals_one_written_by_hand():
    ours, by_hand = model(), model()
    fit(ours, steps=30, learning_rate=0.01, weight_decay=0.1, schedule=training.cosine)
    optimiser = torch.optim.AdamW(by_hand.parameters(), lr=0.01, weight_decay=0.1, fused=True)
    for step, (points, labels) in zip(range(30), batches(), strict=False):
        optimiser.param_groups[0]["lr"] = 0.01 * (1 + math.cos(math.pi * step / 30)) / 2
        optimiser.zero_grad()
        nn.functional.cross_entropy(by_hand(points), labels).backward()
        optimiser.step()
    assert torch.equal(weights(ours), weights(by_hand))
    assert not torch.equal(weights(ours), weights(model()))


def test_the_same_seeds_give_the_same_numbers_and_the_global_state_stays():
    before = torch.get_rng_state()
    first, second, other = model(), model(), model(seed=1)
    assert fit(first).losses == fit(second).losses
    assert torch.equal(weights(first), weights(second))
    assert fit(other, batches(seed=1)).losses != fit(model()).losses
    assert torch.equal(torch.get_rng_state(), before)


def test_a_stopped_run_continued_equals_one_without_a_stop():
    whole, parts, source = model(), model(), batches()
    fit(whole, steps=40)
    optimiser = torch.optim.AdamW(parts.parameters(), lr=1e-3, weight_decay=0.01, fused=True)
    stopped = fit(parts, source, steps=40, optimiser=optimiser, on_step=lambda step, history: step == 14)
    assert (stopped.steps, stopped.stopped) == (15, "stopped by on_step")
    assert fit(parts, source, steps=25, optimiser=optimiser).steps == 25
    assert torch.equal(weights(whole), weights(parts))


def test_a_schedule_leaves_the_optimiser_with_its_own_learning_rate():
    network = model()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.5)
    fit(network, optimiser=optimiser, schedule=training.cosine)
    assert optimiser.param_groups[0]["lr"] == 0.5


def test_an_interrupt_keeps_what_was_learned():
    network, reference, told = model(), model(), []

    def press_stop(step: int, history: training.History) -> None:
        told.append((step, history.steps))
        if step == 9:
            raise KeyboardInterrupt

    history = fit(network, on_step=press_stop)
    assert (history.stopped, history.steps) == ("interrupted", 10)
    assert told == [(step, step + 1) for step in range(10)]
    fit(reference, steps=10)
    assert torch.equal(weights(network), weights(reference))


def test_an_interrupt_inside_a_step_is_caught_too():
    def loss(predictions, targets):
        if next(calls) == 5:
            raise KeyboardInterrupt
        return nn.functional.cross_entropy(predictions, targets)

    calls = iter(range(100))
    history = fit(model(), loss=loss)
    assert (history.stopped, history.steps) == ("interrupted", 5)


def test_a_loss_that_is_no_number_stops_before_it_spoils_the_weights():
    network = model()
    history = fit(network, loss=lambda predictions, _: predictions.sum() * float("nan"))
    assert history.steps == 0 and history.stopped.startswith("not finite at step 0")
    assert torch.equal(weights(network), weights(model()))
    line = nn.Linear(1, 1)
    column = torch.ones(4, 1)
    source = training.shuffled_batches(column, column, batch_size=4)
    optimiser = torch.optim.SGD(line.parameters(), lr=1e6)
    history = fit(line, source, steps=500, loss=nn.functional.mse_loss, optimiser=optimiser)
    assert history.stopped.startswith(f"not finite at step {history.steps}: the loss became")
    assert 0 < history.steps < 500 and all(map(math.isfinite, history.losses))


def test_early_stopping_puts_the_best_weights_back():
    network, seen = model(), []
    script = iter([5.0, 3.0, 1.0, 2.0, 2.5, 0.5])

    def evaluate(current: nn.Module) -> float:
        assert not current.training and not torch.is_grad_enabled()
        seen.append(weights(current))
        return next(script)

    history = fit(network, steps=100, evaluate=evaluate, every=10, patience=2)
    assert history.held_out == [(0, 5.0), (10, 3.0), (20, 1.0), (30, 2.0), (40, 2.5)]
    assert history.stopped == "no better for 2 measurements"
    assert torch.equal(weights(network), seen[2]) and not torch.equal(seen[2], seen[4])
    assert network.training


def test_time_and_batches_run_out():
    history = fit(model(), steps=10**6, max_seconds=0.2)
    assert history.stopped == "out of time after 0.2 seconds" and 0 < history.steps < 10**6
    history = fit(model(), [problem()] * 3, steps=10)
    assert (history.stopped, history.steps) == ("out of batches", 3)


BAR = """
import torch
from safetensors import SafetensorError
from course_utils import training
batches = ((torch.ones(2, 3), torch.tensor([0, 1])) for _ in range(9))
training.fit(torch.nn.Linear(3, 2), batches, steps=5, progress={})
"""


@pytest.mark.slow
@pytest.mark.parametrize(("progress", "disable", "shown"), [(True, "", True), (False, "", False), (True, "1", False)])
def test_the_bar_shows_unless_it_is_not_wanted(progress, disable, shown):
    environment = {**os.environ, "TQDM_DISABLE": disable}
    code = BAR.format(progress)
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ("5/5" in ran.stderr) == shown and ran.stdout == ""
    assert shown or ran.stderr == "", "where no bar is wanted, nothing is printed at all"


def test_schedules_equal_their_formulas():
    for step in range(100):
        assert training.cosine(step, 100) == pytest.approx(0.5 + 0.5 * math.cos(math.pi * step / 100))
        expected = (step + 1) / 20 if step < 20 else (100 - step) / 80
        assert training.warmup_then_linear(0.2)(step, 100) == pytest.approx(expected)
    assert all(0 < training.warmup_then_linear(share)(step, 7) <= 1 for share in (0, 0.5, 1) for step in range(7))


def test_every_epoch_has_each_example_once():
    numbers = torch.arange(10)
    source = training.shuffled_batches(numbers, numbers, batch_size=4, seed=3)
    epochs = [torch.cat([next(source)[0] for _ in range(3)]) for _ in range(4)]
    assert all(epoch.sort().values.equal(numbers) for epoch in epochs)
    assert len({tuple(epoch.tolist()) for epoch in epochs}) == 4


def test_classification_loss_takes_texts():
    logits = torch.randn(2, 5, 7, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[1, 2, 3, -100, -100], [0, 6, 5, 4, -100]])
    expected = nn.functional.cross_entropy(logits.mT, targets)
    assert training.classification_loss(logits, targets).item() == pytest.approx(expected.item(), rel=1e-6)


def test_weights_survive_the_disk(tmp_path):
    network, path = model(seed=3), tmp_path / "new" / "model.safetensors"
    training.save(network, path)
    assert torch.equal(weights(training.load(model(), path)), weights(network))
    assert [file.name for file in path.parent.iterdir()] == ["model.safetensors"]
    with pytest.raises(ValueError, match="do not fit this model"):
        training.load(MLP(MLPConfig((2, 9, 3))), path)
    with pytest.raises(ValueError, match="no weights at"):
        training.load(model(), tmp_path / "missing.safetensors")


def test_a_full_disk_is_a_sentence_and_the_old_weights_stand(tmp_path, monkeypatch):
    path, old = tmp_path / "model.safetensors", model(seed=3)
    training.save(old, path)

    def full(_, file):
        Path(file).write_bytes(b"half")
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_model", full)
    with pytest.raises(OSError, match=r"model\.safetensors was not written: the disk is full; free some space"):
        training.save(model(seed=4), path)
    assert torch.equal(weights(training.load(model(), path)), weights(old))
    assert list(tmp_path.iterdir()) == [path]


def test_bad_values_get_a_sentence():
    with pytest.raises(ValueError, match="steps=-1"):
        fit(model(), steps=-1)
    with pytest.raises(ValueError, match="patience needs evaluate"):
        fit(model(), patience=2)
    with pytest.raises(ValueError, match="batch_size=0"):
        training.shuffled_batches(*problem(), batch_size=0)
    with pytest.raises(ValueError, match="0 inputs and 3 targets"):
        training.shuffled_batches(torch.zeros(0, 2), torch.zeros(3), batch_size=4)
    with pytest.raises(ValueError, match=r"share=1\.5"):
        training.warmup_then_linear(1.5)
