"""The plain network equals its formula."""

import pytest
import torch

from course_utils.models.mlp import ACTIVATIONS, MLP, MLPConfig


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_forward_equals_the_formula(activation: str):
    network = MLP(MLPConfig((6, 5, 4, 3), activation), seed=2)
    inputs = torch.randn(7, 2, 3, generator=torch.Generator().manual_seed(0))
    values, expected = inputs.reshape(7, 6), [inputs.reshape(7, 6)]
    for place, layer in enumerate(network.layers):
        values = values @ layer.weight.T + layer.bias
        values = values if place == 2 else ACTIVATIONS[activation](values)
        expected.append(values)
    answers = network.activations(inputs)
    assert len(answers) == 4
    for ours, reference in zip(answers, expected, strict=True):
        torch.testing.assert_close(ours, reference)
    assert torch.equal(network(inputs), answers[-1])


def test_a_linear_stack_is_one_line():
    network = MLP(MLPConfig((3, 8, 8, 1), "linear"))
    inputs = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    one = network.layers[2].weight @ network.layers[1].weight @ network.layers[0].weight
    torch.testing.assert_close(network(inputs), inputs @ one.T)


def test_the_seed_alone_decides_the_weights():
    before = torch.get_rng_state()
    first, again, other = (MLP(MLPConfig((50, 400, 10)), seed).layers[0].weight for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)
    assert first.var().item() == pytest.approx(2 / 50, rel=0.05)


def test_bad_settings_get_a_sentence():
    with pytest.raises(ValueError, match="activation='swoosh' is not known; choose one of: relu"):
        MLPConfig((2, 2), "swoosh")
    with pytest.raises(ValueError, match="must hold at least inputs and outputs"):
        MLPConfig((2,))
    with pytest.raises(ValueError, match="each 1 or more"):
        MLPConfig((2, 0, 1))
