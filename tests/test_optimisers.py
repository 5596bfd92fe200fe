"""The optimisers against torch's own, the surfaces against torch's gradients, and the walks."""

import math
import time

import numpy as np
import pytest
import torch

from course_utils import data
from course_utils.optimisers import (
    CURVES,
    INPUTS,
    OPTIMISERS,
    adam,
    descend,
    descend_from_many,
    gradient_descent,
    momentum,
    rmsprop,
)
from course_utils.surfaces import SURFACES, TWO_MINIMA, line_surface

LINE = line_surface([0, 1, 2, 5, 9], [0.3, 0.5, 0.9, 1.0, 1.4])
EVERY_SURFACE = [*SURFACES.values(), TWO_MINIMA, LINE]
TORCH = {
    gradient_descent: lambda parameters: torch.optim.SGD(parameters, lr=0.03),
    momentum: lambda parameters: torch.optim.SGD(parameters, lr=0.03, momentum=0.9),
    rmsprop: lambda parameters: torch.optim.RMSprop(parameters, lr=0.03),
    adam: lambda parameters: torch.optim.Adam(parameters, lr=0.03),
}


def network_loss(parameters, inputs, targets):
    first, second = parameters
    return ((torch.tanh(inputs @ first) @ second - targets) ** 2).mean()


@pytest.mark.parametrize("optimiser", TORCH, ids=lambda optimiser: optimiser.__name__)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_equal_to_torch_over_a_hundred_steps(optimiser, dtype):
    random = torch.Generator().manual_seed(0)
    inputs, targets, first, second = (
        torch.randn(shape, generator=random, dtype=dtype) for shape in [(20, 3), (20, 2), (3, 4), (4, 2)]
    )
    theirs = [first.clone().requires_grad_(), second.clone().requires_grad_()]
    reference = TORCH[optimiser](theirs)
    ours, memories = [first.clone(), second.clone()], [{}, {}]
    for _ in range(100):
        reference.zero_grad()
        network_loss(theirs, inputs, targets).backward()
        reference.step()
        here = [parameter.requires_grad_() for parameter in ours]
        gradients = torch.autograd.grad(network_loss(here, inputs, targets), here)
        ours = [
            optimiser(parameter.detach(), gradient, memory, 0.03)
            for parameter, gradient, memory in zip(here, gradients, memories, strict=True)
        ]
    tolerance = 1e-6 if dtype == torch.float64 else 1e-5  # two orders of float32 arithmetic part a little in 100 steps
    for our, their, begun in zip(ours, theirs, [first, second], strict=True):
        assert (their - begun).abs().max() > 0.1
        torch.testing.assert_close(our, their.detach(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("optimiser", TORCH, ids=lambda optimiser: optimiser.__name__)
def test_the_inputs_are_left_as_they_were(optimiser):
    parameter, gradient, memory = np.ones(3), np.full(3, 0.5), {}
    for _ in range(2):
        optimiser(parameter, gradient, memory, 0.1)
    assert parameter.tolist() == [1.0] * 3
    assert gradient.tolist() == [0.5] * 3


@pytest.mark.parametrize("surface", EVERY_SURFACE, ids=lambda surface: surface.name)
def test_the_suggested_learning_rate_arrives(surface):
    path = descend(surface, steps=3000)
    assert path.diverged is None
    assert path.positions.shape == (3001, len(surface.window))
    assert min(math.dist(path.positions[-1], minimum) for minimum in surface.minima) < 0.01


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_optimiser_reaches_a_valley_of_every_surface(name):
    for surface in EVERY_SURFACE:
        rate = {"gradient descent": surface.learning_rate, "momentum": surface.learning_rate / 10}.get(name, 0.05)
        path = descend(surface, optimiser=OPTIMISERS[name], learning_rate=rate, steps=1500)
        valleys = [surface.loss(*minimum) for minimum in surface.minima]
        fallen = path.losses[0] - path.losses[-1]
        assert min(abs(path.losses[-1] - valley) for valley in valleys) < 0.02 * fallen, surface.name


def test_a_path_is_the_losses_at_its_positions_and_each_step_is_the_optimisers():
    surface = SURFACES["ravine"]
    path = descend(surface, start=(-8, 1.5), learning_rate=0.1, steps=10, optimiser=momentum, momentum=0.5)
    assert path.losses.tolist() == [surface.loss(*position) for position in path.positions]
    here, memory = np.array([-8, 1.5]), {}
    for position in path.positions[1:]:
        here = momentum(here, np.array(surface.gradient(*here)), memory, 0.1, momentum=0.5)
        assert position.tolist() == here.tolist()


def test_the_step_that_rose_and_the_step_of_divergence_are_named():
    bowl = SURFACES["bowl"]
    calm = descend(bowl, start=(1, 0), learning_rate=0.1, steps=30)
    assert (calm.first_rise, calm.diverged, len(calm.losses)) == (None, None, 31)
    wild = descend(bowl, start=(1, 0), learning_rate=1.1, steps=30)  # each step is 1.2 times the last: 1.44**n > 180
    assert (wild.first_rise, wild.diverged) == (1, math.ceil(math.log(180) / math.log(1.44)))
    assert len(wild.losses) == wild.diverged + 1
    late = descend(bowl, start=(0, 1), learning_rate=0.2, steps=30, optimiser=momentum)
    assert late.first_rise is not None
    assert late.losses[late.first_rise] > late.losses[late.first_rise - 1]
    assert np.all(np.diff(late.losses[: late.first_rise]) <= 0)


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("surface", EVERY_SURFACE, ids=lambda surface: surface.name)
def test_learning_rates_of_nothing_and_of_far_too_much_are_walked(name, surface, recwarn):
    still = descend(surface, optimiser=OPTIMISERS[name], learning_rate=0, steps=5)
    assert np.all(still.positions == still.positions[0])
    assert (still.first_rise, still.diverged) == (None, None)
    for rate in (1e9, 1e300):
        gone = descend(surface, optimiser=OPTIMISERS[name], learning_rate=rate, steps=5)
        assert gone.diverged == gone.first_rise == 1
    assert not recwarn.list


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"start": (9.0, 0.0)}, "the start 9 lies outside the picture: choose from -3 to 3"),
        ({"start": (0.0, float("nan"))}, "outside the picture"),
        ({"start": (1.0,)}, "the start has 1 numbers, but bowl has 2"),
        ({"learning_rate": -0.1}, "it must be a number from 0 upwards"),
        ({"learning_rate": float("nan")}, "it must be a number from 0 upwards"),
        ({"learning_rate": float("inf")}, "it must be a number from 0 upwards"),
        ({"steps": -1}, "steps=-1 must be 0 or more"),
        ({"optimiser": momentum, "momentum": 1.0}, "momentum=1 must be at least 0 and below 1"),
    ],
)
def test_bad_settings_get_one_sentence(settings, says):
    with pytest.raises(ValueError, match=says):
        descend(SURFACES["bowl"], **settings)


def test_two_hundred_steps_are_quick():
    seconds = []
    for _ in range(5):
        begun = time.perf_counter()
        descend(SURFACES["four valleys"], optimiser=adam, learning_rate=0.05, steps=200)
        seconds.append(time.perf_counter() - begun)
    assert min(seconds) < 0.015  # measured 0.0023


def test_many_starts_walk_as_each_would_alone_under_torchs_optimiser():
    losses = descend_from_many("tanh", "step", parameters=4, learning_rate=0.3, starts=3, steps=50, seed=7)
    random = torch.Generator().manual_seed(7)
    slopes, offsets = (3 * torch.randn(3, 2, 1, generator=random) for _ in range(2))
    assert losses.shape == (51, 3)
    for start in range(3):
        parameters = [slopes[start].clone().requires_grad_(), offsets[start].clone().requires_grad_()]
        optimiser = torch.optim.SGD(parameters, lr=0.3)
        for step in range(51):
            first, second = torch.tanh(parameters[0] * INPUTS + parameters[1])
            loss = (((first - second) / 2**0.5 - CURVES["step"]) ** 2).mean() / CURVES["step"].var(unbiased=False)
            assert losses[step, start].item() == pytest.approx(loss.item(), rel=1e-4)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


@pytest.mark.parametrize(("neuron", "curve"), [("sine", "wave"), ("tanh", "wave")])
def test_the_record_of_stuck_runs_is_what_the_code_gives(neuron, curve):
    rows = data.recorded("stuck_runs").rows
    assert len(rows) == 2 * 2 * 3 * 50
    recorded = [row for row in rows if (row["neuron"], row["curve"], row["parameters"]) == (neuron, curve, 2)]
    final = descend_from_many(neuron, curve, 2, recorded[0]["learning_rate"])[-1]
    stuck = final > final.min() + 0.1
    assert sum(row["stuck"] for row in recorded) == pytest.approx(stuck.sum().item(), abs=2)  # other processors
    close = sum(abs(row["final_loss"] - loss.item()) < 1e-3 for row, loss in zip(recorded, final, strict=True))
    assert close >= 48
