"""The training loop: it learns, stops, continues, resumes and repeats itself exactly."""

import json
import math
import os
import signal
import subprocess
import sys
from functools import partial
from itertools import islice
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from torch import nn

from course_utils import files, training
from course_utils.models.mlp import MLP, MLPConfig
from course_utils.models.regularisers import Dropout
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.training import Recipe, Trainer, cross_entropy_loss, supervised


def problem(examples: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    """Points of three overlapping clouds."""
    generator = torch.Generator().manual_seed(7)
    labels = torch.arange(examples) % 3
    points = torch.randn(examples, 2, generator=generator) + torch.tensor([[0.0, 2.0], [2.0, 0.0], [-2.0, 0.0]])[labels]
    return points, labels


def model(seed: int = 0) -> MLP:
    return MLP(MLPConfig((2, 8, 3), "tanh"), seed)


def dropping(seed: int = 0) -> nn.Sequential:
    """A model with random numbers of its own."""
    return nn.Sequential(model(seed).layers[0], Dropout(0.3, seed=5), model(seed).layers[1])


def batches(seed: int = 0):
    return training.shuffled_batches(*problem(), batch_size=16, seed=seed)


def weights(network: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def fit(network: nn.Module | Trainer, source=None, **settings) -> training.History:
    own = {} if isinstance(network, Trainer) else {"steps": 40}
    return training.fit(network, source or batches(), **{**own, "progress": False, **settings})


def held_out(network: nn.Module) -> float:
    return training.mean_loss(network, [problem()])


# ---- batches


def shaken(inputs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return inputs + torch.rand(inputs.shape, generator=generator)


@pytest.mark.parametrize("augment", [None, shaken])
def test_a_batch_is_a_function_of_its_step_alone(augment):
    def make(seed=3):
        return training.shuffled_batches(*problem(), batch_size=16, seed=seed, augment=augment)

    before = torch.get_rng_state()
    in_order = list(islice(make(), 13))
    source = make()
    for step in (12, 0, 5, 4, 12, 7, 3, 0):
        for ours, theirs in zip(source[step], in_order[step], strict=True):
            assert torch.equal(ours, theirs), step
    assert not torch.equal(make(4)[0][0], in_order[0][0])
    assert torch.equal(torch.get_rng_state(), before)
    with pytest.raises(ValueError, match="step=-1 must be 0 or more"):
        source[-1]


def test_every_epoch_has_each_example_once():
    numbers = torch.arange(10)
    source = training.shuffled_batches(numbers, numbers, batch_size=4, seed=3)
    assert source.steps_per_epoch == 3
    epochs = [torch.cat([source[3 * epoch + place][0] for place in range(3)]) for epoch in range(4)]
    assert all(epoch.sort().values.equal(numbers) for epoch in epochs)
    assert len({tuple(epoch.tolist()) for epoch in epochs}) == 4


def test_batches_of_text_are_windows_and_the_same_one_token_further_on():
    ids = torch.randperm(50, generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    source = training.text_batches(ids, batch_size=8, context=6, seed=2)
    text, starts = ids.tolist(), set()
    for step in (3, 0, *range(200)):
        inputs, targets = source[step]
        assert inputs.shape == targets.shape == (8, 6) and inputs.dtype == targets.dtype == torch.int64
        for row, following in zip(inputs.tolist(), targets.tolist(), strict=True):
            start = text.index(row[0])
            assert row == text[start : start + 6] and following == text[start + 1 : start + 7]
            starts.add(start)
        assert torch.equal(source[step][0], inputs)
    assert starts == set(range(44)), "every window comes, the last one too"
    assert not torch.equal(source[0][0], source[1][0])
    assert not torch.equal(source[1][0], training.text_batches(ids, 8, 6, seed=3)[0][0]), "seeds do not overlap"


def test_batches_that_cannot_be_get_a_sentence():
    with pytest.raises(ValueError, match="batch_size=0"):
        training.shuffled_batches(*problem(), batch_size=0)
    with pytest.raises(ValueError, match="0 inputs and 3 targets"):
        training.shuffled_batches(torch.zeros(0, 2), torch.zeros(3), batch_size=4)
    with pytest.raises(ValueError, match=r"shape \(6,\) are too few for windows of 6 tokens and the one after"):
        training.text_batches(torch.arange(6), 2, context=6)
    with pytest.raises(ValueError, match="batch_size=2 and context=0"):
        training.text_batches(torch.arange(6), 2, context=0)
    with pytest.raises(ValueError, match=r"must answer batches\[step\]"):
        fit(model(), (problem() for _ in range(3)))


# ---- objectives


def test_masked_targets_are_neither_summed_nor_counted():
    logits = torch.randn(2, 5, 7, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[1, 2, 3, -100, -100], [0, 6, 5, 4, -100]])
    loss, counted = cross_entropy_loss(nn.Identity(), (logits, targets))
    assert counted == 7
    assert loss.item() / 7 == pytest.approx(nn.functional.cross_entropy(logits.mT, targets).item(), rel=1e-6)
    texts = [(torch.randint(0, 9, (2, 4)), torch.tensor([[1, 2, -100, 3], [-100, 0, 1, 2]]))] * 3
    assert fit(nn.Embedding(9, 4), texts, steps=3).tokens == 18, "the history counts what counts"
    with pytest.raises(ValueError, match="No target counts in the batch of step 0"):
        fit(nn.Embedding(9, 4), [(torch.zeros(1, 2, dtype=torch.long), torch.full((1, 2), -100))])


def test_a_mean_over_batches_weighs_each_target_alike():
    points, labels = problem()
    parts = [(points[:7], labels[:7]), (points[7:], labels[7:])]
    network = dropping()
    assert training.mean_loss(network, parts) == pytest.approx(training.mean_loss(network, [problem()]), rel=1e-6)
    assert network.training, "put back into the mode it was in"
    with pytest.raises(ValueError, match="no mean"):
        training.mean_loss(network, [])


@pytest.mark.parametrize("masked", [0, 5, 9])
@pytest.mark.parametrize("clip", [None, 0.05])
def test_a_batch_in_unequal_pieces_is_the_same_step(masked, clip):
    points, labels = problem(14)
    labels = labels.clone()
    labels[:masked] = -100  # with 5 masked, none of the first piece counts; with 9, none of the first two do
    networks = [model(), model()]
    for network, pieces in zip(networks, (1, 3), strict=True):
        recipe = Recipe(0.5, optimiser="SGD", clip=clip, accumulation=pieces)
        history = fit(network, [(points, labels)] * 20, steps=20, recipe=recipe)
        assert history.tokens == 20 * (14 - masked)
    torch.testing.assert_close(*map(weights, networks), rtol=1e-4, atol=1e-5)
    assert (weights(networks[0]) - weights(model())).abs().max() > 0.1


def test_clipping_shortens_a_gradient_and_leaves_a_shorter_one():
    moved = []
    for clip in (None, 1e6, 1e-3):
        network = model()
        fit(network, steps=1, recipe=Recipe(1.0, optimiser="SGD", momentum=0, weight_decay=0, clip=clip))
        moved.append(weights(network) - weights(model()))
    assert torch.equal(moved[0], moved[1]) and moved[0].norm() > 0.1
    torch.testing.assert_close(moved[2], moved[0] * 1e-3 / moved[0].norm(), rtol=1e-2, atol=1e-6)


# ---- recipes


def test_a_recipe_survives_json_and_names_what_it_does_not_know():
    recipe = Recipe(6e-4, optimiser="SGD", schedule="cosine", warmup=0.1, final=0.1, clip=1.0, accumulation=4, hold=2)
    assert Recipe.from_json(recipe.to_json()) == recipe and json.loads(recipe.to_json())["clip"] == 1.0
    assert Recipe.from_json("{}") == Recipe()
    for text, says in (
        ("{", "not JSON"),
        ("[1]", r"no \[1\]"),
        ('{"betas": 1}', "no betas; it has: learning_rate, optimiser"),
    ):
        with pytest.raises(ValueError, match=says):
            Recipe.from_json(text)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"optimiser": "Adam"}, "optimiser='Adam' is not known; choose one of: AdamW, Muon, SGD"),
        ({"schedule": "up"}, "schedule='up' is not known; choose one of: constant, linear"),
        ({"learning_rate": -1}, "learning_rate=-1 must be a number 0 or more; the usual is 0.001"),
        ({"learning_rate": math.nan}, "learning_rate=nan"),
        ({"learning_rate": math.inf}, "learning_rate=inf"),
        ({"learning_rate": "0.1"}, "learning_rate='0.1' must be a number"),
        ({"weight_decay": True}, "weight_decay=True"),
        ({"momentum": 1.0}, "momentum=1.0 must be a number from 0 to just below 1"),
        ({"smoothing": -0.1}, "smoothing=-0.1"),
        ({"warmup": 1.5}, "warmup=1.5 must be a number from 0 to 1"),
        ({"final": 2}, "final=2 must be"),
        ({"schedule": "exponential"}, "never reaches final=0"),
        ({"clip": 0}, "clip=0 must be a number above 0, or None"),
        ({"hold": 0}, "hold=0 must be a whole number from 1"),
        ({"accumulation": 2.0}, "accumulation=2.0 must be a whole number"),
        ({"precision": "float16"}, "precision='float16' is not known; choose one of: float32, bfloat16, auto"),
        ({"cooldown": 2}, "cooldown=2 must be a number from 0 to 1"),
        ({"beside": -1}, "beside=-1 must be a number 0 or more"),
    ],
)
def test_a_recipe_refuses_nonsense_in_a_sentence(settings, says):
    with pytest.raises(ValueError, match=says) as raised:
        Recipe(**settings)
    assert str(raised.value).endswith(".") and "\n" not in str(raised.value)


def test_schedules_equal_their_formulas():
    warm = {"learning_rate": 1.0, "warmup": 0.2}
    for step in range(100):
        wave = 0.5 + 0.5 * math.cos(math.pi * step / 100)
        rates = {
            "constant": (Recipe(1.0), 1.0),
            "cosine": (Recipe(1.0, schedule="cosine"), wave),
            "cosine to a tenth": (Recipe(1.0, schedule="cosine", final=0.1), 0.1 + 0.9 * wave),
            "warm, linear": (Recipe(schedule="linear", **warm), (step + 1) / 20 if step < 20 else (100 - step) / 80),
            "exponential": (Recipe(2.0, schedule="exponential", final=0.01), 2 * 0.01 ** (step / 100)),
            "cool-down": (Recipe(1.0, schedule="linear", cooldown=0.2), 1.0 if step < 80 else (100 - step) / 20),
            "in epochs": (Recipe(schedule="linear", learning_rate=1.0, hold=10), 1 - step // 10 / 10),
        }
        for name, (recipe, expected) in rates.items():
            assert recipe.learning_rate_at(step, 100) == pytest.approx(expected), name
    assert all(0 < Recipe(schedule="linear", warmup=share).learning_rate_at(step, 7) <= 1e-3
               for share in (0, 0.5, 1) for step in range(7))  # fmt: skip


# ---- the loop


def test_history_has_one_entry_a_step_and_the_loss_falls():
    history = fit(model(), steps=200, recipe=Recipe(0.02), evaluate=held_out, every=50)
    assert len(history.losses) == len(history.seconds) == history.steps == 200
    assert history.seconds == sorted(history.seconds)
    assert history.tokens == sum(len(labels) for _, labels in islice(batches(), 200))
    assert [step for step, _ in history.held_out] == [0, 50, 100, 150, 200]
    assert history.held_out[-1][1] < 0.5 * history.held_out[0][1]
    assert history.stopped == "finished"


HAND = {
    "AdamW": ({"weight_decay": 0.1}, partial(torch.optim.AdamW, weight_decay=0.1, fused=True)),
    "betas": (
        {"momentum": 0.8, "smoothing": 0.95, "weight_decay": 0},
        partial(torch.optim.AdamW, betas=(0.8, 0.95), weight_decay=0, fused=True),
    ),
    "SGD": (
        {"optimiser": "SGD", "weight_decay": 0.02, "momentum": 0.8},
        partial(torch.optim.SGD, weight_decay=0.02, momentum=0.8),
    ),
}


@pytest.mark.parametrize("name", HAND)
def test_the_loop_equals_one_written_by_hand(name):
    settings, make = HAND[name]
    ours, by_hand = model(), model()
    fit(ours, steps=30, recipe=Recipe(0.01, schedule="cosine", **settings))
    optimiser = make(by_hand.parameters(), lr=0.01)
    for step, (points, labels) in zip(range(30), batches(), strict=False):
        optimiser.param_groups[0]["lr"] = 0.01 * (1 + math.cos(math.pi * step / 30)) / 2
        optimiser.zero_grad()
        nn.functional.cross_entropy(by_hand(points), labels).backward()
        optimiser.step()
    torch.testing.assert_close(weights(ours), weights(by_hand), rtol=1e-5, atol=1e-6)
    assert (weights(ours) - weights(model())).abs().max() > 0.01


def test_the_same_seeds_give_the_same_numbers_and_the_global_state_stays():
    before = torch.get_rng_state()
    first, second, other = model(), model(), model(seed=1)
    assert fit(first).losses == fit(second).losses
    assert torch.equal(weights(first), weights(second))
    assert fit(other, batches(seed=1)).losses != fit(model()).losses
    assert torch.equal(torch.get_rng_state(), before)


def test_frozen_parameters_stay():
    network = model()
    network.layers[0].requires_grad_(False)
    fit(network)
    assert torch.equal(network.layers[0].weight, model().layers[0].weight)
    assert not torch.equal(network.layers[1].weight, model().layers[1].weight)
    with pytest.raises(ValueError, match="nothing to learn"):
        Trainer(network.requires_grad_(False), steps=1)


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


def test_an_interrupt_inside_a_step_is_caught_too_and_the_run_goes_on_from_there():
    def objective(network, batch):
        if next(calls) == 5:
            raise KeyboardInterrupt
        return cross_entropy_loss(network, batch)

    calls, whole = iter(range(100)), model()
    trainer = Trainer(model(), steps=40, objective=objective)
    history = fit(trainer)
    assert (history.stopped, history.steps) == ("interrupted", 5)
    assert fit(trainer).losses == fit(whole).losses and history.stopped == "finished"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_no_number_stops_before_it_spoils_the_weights(value):
    network = model()
    history = fit(network, objective=supervised(lambda predictions, _: predictions.sum() * value))
    assert history.steps == 0 and history.stopped.startswith("not finite at step 0: the loss became")
    assert torch.equal(weights(network), weights(model()))
    line = nn.Linear(1, 1)
    column = torch.ones(4, 1)
    source = training.shuffled_batches(column, column, batch_size=4)
    recipe = Recipe(1e6, optimiser="SGD", momentum=0)
    history = fit(line, source, steps=500, objective=supervised(nn.functional.mse_loss), recipe=recipe)
    assert history.stopped.startswith(f"not finite at step {history.steps}: the loss became")
    assert 0 < history.steps < 500 and all(map(math.isfinite, history.losses)) and weights(line).isfinite().all()


def test_a_gradient_that_is_no_number_stops_a_clipped_run_before_it_spoils_the_weights():
    network = model()
    objective = supervised(lambda predictions, _: (predictions * 0).sum().sqrt())  # the root's slope at 0
    history = fit(network, objective=objective, recipe=Recipe(clip=1.0))
    assert history.steps == 0 and history.stopped.startswith("not finite at step 0: the gradient became")
    assert torch.equal(weights(network), weights(model()))


def test_a_run_that_diverges_names_the_layer_where_it_began():
    network = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3))
    with torch.no_grad():
        network[2].weight[3, 3] = math.nan
    history = fit(network)
    assert history.stopped.startswith("not finite at step 0: the loss became nan, first in 2; try a smaller")

    class Root(nn.Module):
        def forward(self, inputs):
            return (inputs * 0).sum(-1, keepdim=True).sqrt() + inputs  # its slope at 0 is infinite

    network = nn.Sequential(nn.Linear(2, 8), Root(), nn.Linear(8, 3))
    history = fit(network, recipe=Recipe(clip=1.0))
    assert "the gradient became nan, first in 0; try" in history.stopped, "the last one behind the root's slope"


def test_losses_at_the_edge_of_the_numbers_are_no_trouble():
    network = nn.Linear(1, 1).double()
    huge = [(torch.ones(1, 1).double(), torch.full((1, 1), sign * 1.0).double()) for sign in (1, -1, 1)]
    objective = supervised(lambda predictions, targets: (predictions * 0 + targets * 1.7e308).mean())
    history = fit(network, huge, steps=3, objective=objective, progress=True)
    assert history.losses == [1.7e308, -1.7e308, 1.7e308] and history.stopped == "finished"


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


def test_a_run_that_goes_on_after_early_stopping_measures_the_weights_it_goes_on_with():
    script = iter([5.0, 1.0, 2.0, 1.0, 3.0])
    trainer, settings = Trainer(model(), steps=100), {"evaluate": lambda _: next(script), "every": 10, "patience": 1}
    assert fit(trainer, **settings).held_out == [(0, 5.0), (10, 1.0), (20, 2.0)]
    best = weights(trainer.model)
    assert fit(trainer, **settings).held_out == [(0, 5.0), (10, 1.0), (20, 1.0), (30, 3.0)]
    assert torch.equal(weights(trainer.model), best)


def test_time_and_batches_run_out():
    history = fit(model(), steps=10**6, max_seconds=0.2)
    assert history.stopped == "out of time after 0.2 seconds" and 0 < history.steps < 10**6
    history = fit(model(), [problem()] * 3, steps=10)
    assert (history.stopped, history.steps) == ("out of batches", 3)


BAR = """
import torch
from course_utils import training
inputs, targets = torch.ones(2, 3), torch.tensor([0, 1])
history = training.fit(torch.nn.Linear(3, 2), [(inputs, targets)] * 9, steps=5, progress={})
"""


@pytest.mark.slow
@pytest.mark.parametrize(("progress", "disable", "shown"), [(True, "", True), (False, "", False), (True, "1", False)])
def test_the_bar_shows_the_loss_unless_it_is_not_wanted(progress, disable, shown):
    environment = {**os.environ, "TQDM_DISABLE": disable}
    code = BAR.format(progress) + "assert 0.1 < history.losses[-1] < 3\n"
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ("5/5" in ran.stderr) == shown and ran.stdout == ""
    assert ("loss=" in ran.stderr) == shown
    assert shown or ran.stderr == "", "where no bar is wanted, nothing is printed at all"


def test_bad_values_get_a_sentence():
    with pytest.raises(ValueError, match="steps=-1"):
        fit(model(), steps=-1)
    with pytest.raises(ValueError, match="How many steps"):
        fit(model(), steps=None)
    with pytest.raises(ValueError, match="patience needs evaluate"):
        fit(model(), patience=2)
    with pytest.raises(ValueError, match="A Trainer has its own steps"):
        fit(Trainer(model(), steps=3), recipe=Recipe())
    trainer = Trainer(model(), steps=1)
    trainer.advance(problem())
    with pytest.raises(ValueError, match="over after its 1 steps"):
        trainer.advance(problem())


# ---- stop, continue, save, resume

RECIPES = {
    "AdamW": Recipe(0.02, schedule="cosine", warmup=0.1),
    "SGD": Recipe(0.05, optimiser="SGD", schedule="exponential", final=0.01, clip=0.5, accumulation=2),
    "plain": Recipe(0.05, optimiser="SGD", momentum=0, schedule="linear"),
    "Muon": Recipe(
        0.02, optimiser="Muon", beside=0.02, schedule="linear", cooldown=0.5, precision="bfloat16", clip=1.0
    ),
}


def trainer_of(name: str, steps: int = 40) -> Trainer:
    return Trainer(dropping(), steps=steps, recipe=RECIPES[name])


@pytest.mark.parametrize("name", RECIPES)
def test_a_run_that_stops_and_goes_on_equals_one_without_a_stop(name):
    whole, parts = trainer_of(name), trainer_of(name)
    expected = fit(whole, evaluate=held_out, every=10)
    stopped = fit(parts, evaluate=held_out, every=10, on_step=lambda step, _: step == 14)
    assert (stopped.steps, stopped.stopped) == (15, "stopped by on_step")
    steps = []
    history = fit(parts, batches(), evaluate=held_out, every=10, on_step=lambda step, _: steps.append(step))
    assert steps == list(range(15, 40)) and history.stopped == "finished"
    assert history.losses == expected.losses
    assert dict(expected.held_out).items() <= dict(history.held_out).items()
    assert torch.equal(weights(whole.model), weights(parts.model))
    assert fit(parts).losses == expected.losses, "a run that is over stays as it is"


@pytest.mark.parametrize("name", RECIPES)
def test_a_saved_run_resumes_to_the_same_numbers_bit_for_bit(name, tmp_path):
    whole, first = trainer_of(name), trainer_of(name)
    expected = fit(whole, evaluate=held_out, every=10)
    for stop in (14, 25):  # saved twice into the same folder, each time by another process, as it were
        fit(first, evaluate=held_out, every=10, on_step=lambda step, _, stop=stop: step == stop)
        first.save(tmp_path / "run")
        first = trainer_of(name).resume(tmp_path / "run")
        assert first.step == stop + 1
    history = fit(first, evaluate=held_out, every=10)
    assert history.losses == expected.losses and history.tokens == expected.tokens
    assert dict(expected.held_out).items() <= dict(history.held_out).items()
    assert torch.equal(weights(first.model), weights(whole.model))
    names = sorted(file.name for file in (tmp_path / "run").iterdir())
    assert names == ["step-00000026.safetensors", "trainer.json"], "older tensors do not pile up"


def test_the_random_numbers_of_dropout_are_part_of_a_saved_run(tmp_path):
    trainer = trainer_of("plain")
    fit(trainer, on_step=lambda step, _: step == 4)
    trainer.save(tmp_path)
    resumed = trainer_of("plain")
    resumed.model[1].generator.manual_seed(99)
    resumed.resume(tmp_path)
    assert torch.equal(resumed.model[1].generator.get_state(), trainer.model[1].generator.get_state())


def test_tied_weights_stay_tied_and_are_resumed(tmp_path):
    def tied() -> nn.Module:
        network = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5, bias=False))
        network[1].weight = network[0].weight
        with torch.no_grad():
            network[0].weight.copy_(torch.arange(20).view(5, 4) / 10)
        return network

    source = training.text_batches(torch.arange(40) % 5, batch_size=2, context=3)
    expected = fit(tied(), source, steps=10)
    trainer = Trainer(tied(), steps=10)
    fit(trainer, source, on_step=lambda step, _: step == 4)
    trainer.save(tmp_path)
    resumed = Trainer(tied(), steps=10).resume(tmp_path)
    assert resumed.model[0].weight is resumed.model[1].weight
    assert fit(resumed, source).losses == expected.losses


CHILD = """
import sys
import torch
torch.set_num_threads(1)
from tests.test_training import batches, trainer_of
from course_utils.training import fit
folder = sys.argv[1]
trainer = trainer_of("AdamW", steps=400)
try:
    trainer.resume(folder)
except ValueError:
    pass
def save(step, history):
    if step % 3 == 0:
        trainer.save(folder)
        print(step, flush=True)
fit(trainer, batches(), on_step=save, progress=False)
trainer.save(folder)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_run_that_is_killed_again_and_again_ends_at_the_same_numbers(tmp_path, project):
    expected = fit(trainer_of("AdamW", steps=400))
    command, environment = [sys.executable, "-c", CHILD, str(tmp_path)], {**os.environ, "OMP_NUM_THREADS": "1"}
    reached = []
    for lines in (5, 23, 41):
        child = subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.PIPE, text=True)
        reached += [int(child.stdout.readline()) for _ in range(lines)][-1:]
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert child.returncode == -signal.SIGKILL
    assert reached == sorted(reached) and 0 < reached[0] < reached[-1] < 400
    subprocess.run(command, cwd=project, env=environment, capture_output=True, check=True)
    resumed = trainer_of("AdamW", steps=400).resume(tmp_path)
    assert resumed.history.losses == expected.losses


def test_a_save_that_breaks_off_leaves_the_older_one_whole(tmp_path, monkeypatch):
    trainer = trainer_of("AdamW")
    fit(trainer, on_step=lambda step, _: step == 4)
    trainer.save(tmp_path)
    fit(trainer, on_step=lambda step, _: step == 9)
    whole = files.whole

    def breaks_at_json(path):
        if str(path).endswith(".json"):
            raise OSError("the power went out")
        return whole(path)

    monkeypatch.setattr(files, "whole", breaks_at_json)
    with pytest.raises(OSError, match="power"):
        trainer.save(tmp_path)
    monkeypatch.undo()
    assert trainer_of("AdamW").resume(tmp_path).step == 5
    trainer.save(tmp_path)
    assert trainer_of("AdamW").resume(tmp_path).step == 10
    assert len(list(tmp_path.glob("*.safetensors"))) == 1


def test_a_run_of_another_kind_is_refused_in_a_sentence_and_changes_nothing(tmp_path):
    trainer = trainer_of("AdamW")
    fit(trainer, on_step=lambda step, _: step == 4)
    trainer.save(tmp_path / "run")
    wider = nn.Sequential(nn.Linear(2, 9), Dropout(0.3), nn.Linear(9, 3))
    for other, says in (
        (Trainer(dropping(), steps=40, recipe=Recipe(0.02)), "another recipe, in schedule, warmup"),
        (Trainer(wider, steps=40, recipe=RECIPES["AdamW"]), "of another model"),
        (Trainer(model(), steps=40, recipe=RECIPES["AdamW"]), "of another model"),
        (trainer_of("AdamW", steps=3), "5 steps on; steps=3 must be at least that"),
    ):
        before = weights(other.model)
        with pytest.raises(ValueError, match=says):
            other.resume(tmp_path / "run")
        assert torch.equal(weights(other.model), before) and other.step == 0
    with pytest.raises(ValueError, match="no saved run in"):
        trainer_of("AdamW").resume(tmp_path / "nowhere")
    (tmp_path / "run" / "step-00000005.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(ValueError, match="is damaged"):
        trainer_of("AdamW").resume(tmp_path / "run")
    (tmp_path / "run" / "trainer.json").write_text('{"recipe": 3}')
    with pytest.raises(ValueError, match="is damaged"):
        trainer_of("AdamW").resume(tmp_path / "run")


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
    trainer = trainer_of("AdamW")
    fit(trainer, on_step=lambda step, _: step == 4)
    trainer.save(tmp_path / "run")
    fit(trainer, on_step=lambda step, _: step == 9)

    def full(_, file):
        Path(file).write_bytes(b"half")
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_model", full)
    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(OSError, match=r"model\.safetensors was not written: the disk is full; free some space"):
        training.save(model(seed=4), path)
    with pytest.raises(OSError, match=r"step-00000010\.safetensors was not written: the disk is full; free some space"):
        trainer.save(tmp_path / "run")
    assert torch.equal(weights(training.load(model(), path)), weights(old))
    assert trainer_of("AdamW").resume(tmp_path / "run").step == 5
    assert sorted(file.name for file in tmp_path.rglob("*.*")) == [
        "model.safetensors", "step-00000005.safetensors", "trainer.json"
    ]  # fmt: skip


# ---- Muon and bfloat16


def matrices() -> list[nn.Parameter]:
    """Lying, standing and square, some of one shape."""
    shapes = [(8, 24), (24, 8), (8, 8), (8, 24), (8, 8), (32, 8), (8, 32)]
    random = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(shape, generator=random)) for shape in shapes]


def test_muon_equals_torchs_own():
    ours, theirs = matrices(), matrices()
    settings = {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1}
    optimisers = [training.Muon(ours, **settings), torch.optim.Muon(theirs, **settings)]
    for step in range(5):
        for weights, optimiser in zip((ours, theirs), optimisers, strict=True):
            random = torch.Generator().manual_seed(step)
            for place, weight in enumerate(weights):
                gradient = torch.randn(weight.shape, generator=random)
                weight.grad = None if (place, step) == (2, 0) else gradient
            optimiser.step()
    for mine, other, start in zip(ours, theirs, matrices(), strict=True):
        moved = (other - start).abs().max()
        # Both round to bfloat16, in products of different routines: a percent of what was moved.
        torch.testing.assert_close(mine, other, atol=0.03 * moved.item(), rtol=0)
    with pytest.raises(ValueError, match=r"one parameter has the shape \(3,\); give it to AdamW"):
        training.Muon([nn.Parameter(torch.ones(3))])


def test_muon_moves_the_matrices_inside_and_adamw_the_rest():
    model = Transformer(TransformerConfig.preset("tiny", tied_output=False, bias=True, earlier_tokens=1))
    muon, adamw = Trainer(model, steps=1, recipe=RECIPES["Muon"]).optimisers
    name_of = {id(weight): name for name, weight in model.named_parameters()}
    moved = {name_of[id(weight)] for weight in muon.param_groups[0]["params"]}
    parts = ("attention.query_key_value", "attention.output", "mlp.up", "mlp.down")
    assert moved == {f"blocks.{layer}.{part}.weight" for layer in range(2) for part in parts}
    assert {name_of[id(weight)] for weight in adamw.param_groups[0]["params"]} == set(name_of.values()) - moved
    with pytest.raises(ValueError, match="has none; take AdamW"):
        Trainer(nn.Sequential(nn.Embedding(4, 4)), steps=1, recipe=RECIPES["Muon"])


def test_bfloat16_products_leave_the_weights_in_float32_and_are_nearly_as_good():
    networks, seen = [model(), model()], []
    networks[1].layers[0].register_forward_hook(lambda layer, inputs, result: seen.append(result.dtype))
    losses = [
        fit(network, steps=100, recipe=Recipe(0.02, precision=precision)).losses
        for network, precision in zip(networks, ("float32", "bfloat16"), strict=True)
    ]
    assert seen[0] == torch.bfloat16 and weights(networks[1]).dtype == torch.float32
    assert losses[0] != losses[1] and sum(losses[1][-10:]) == pytest.approx(sum(losses[0][-10:]), rel=0.1)


@pytest.mark.parametrize("gains", [True, False])
def test_the_processor_decides_where_the_recipe_leaves_it_open(gains, monkeypatch):
    monkeypatch.setattr("course_utils.training.trainer.bfloat16_gains", lambda device, threads: gains)
    for precision, expected in (("auto", gains), ("float32", False), ("bfloat16", True)):
        assert Trainer(model(), steps=1, recipe=Recipe(precision=precision)).bfloat16 == expected
