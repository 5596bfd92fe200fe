"""Counts are those of the built models and of the published weights."""

import dataclasses
import math

import pytest
import torch

from course_utils import scaling
from course_utils.models.transformer import Transformer, TransformerConfig, count_parameters

PUBLISHED = {
    "gpt1": 116_534_784,
    "gpt2": 124_439_808,
    "gpt2-medium": 354_823_168,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
    "gpt3": 174_604_259_328,
    "smollm2": 134_515_008,
}
OTHERS = {
    "minilm": TransformerConfig.preset("minilm"),
    "tiny": TransformerConfig.preset("tiny"),
    "untied": TransformerConfig(tied_output=False, bias=False, key_value_heads=1),
    "gated": TransformerConfig(activation="swiglu", positions="sinusoidal", mlp_width=100, norm="rms", bias=True),
}


def built(config: TransformerConfig) -> Transformer:
    with torch.device("meta"):  # shapes without memory
        return Transformer(config)


@pytest.mark.parametrize("name", PUBLISHED)
def test_counts_are_those_of_the_published_weights_and_of_the_built_model(name: str) -> None:
    config = TransformerConfig.preset(name)
    assert scaling.parameters(config) == PUBLISHED[name] == count_parameters(built(config))


@pytest.mark.parametrize("config", [*map(TransformerConfig.preset, PUBLISHED), *OTHERS.values()])
def test_every_matrix_of_the_built_model_is_listed_with_its_shape_and_no_other(config: TransformerConfig) -> None:
    listed = {
        matrix.name.replace("*", str(block)): matrix.shape
        for matrix in scaling.matrices(config)
        for block in range(matrix.copies)
    }
    assert list(listed.items()) != [] and listed == {
        name: tuple(weight.shape) for name, weight in built(config).named_parameters()
    }
    assert scaling.parameters(config) == sum(scaling.by_kind(config).values())
    assert tuple(scaling.by_kind(config)) == scaling.KINDS
    assert {matrix.kind for matrix in scaling.matrices(config)} <= set(scaling.KINDS)


def test_heads_change_no_count_and_rotary_positions_learn_nothing() -> None:
    config = TransformerConfig.preset("gpt2")
    assert scaling.parameters(dataclasses.replace(config, heads=6)) == scaling.parameters(config)
    rotary = dataclasses.replace(config, positions="rotary")
    assert scaling.parameters(config) - scaling.parameters(rotary) == config.context * config.width


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_memory_is_that_of_torchs_numbers(precision: str) -> None:
    assert scaling.memory(10, precision) == torch.zeros(10, dtype=getattr(torch, precision)).nbytes
    with pytest.raises(ValueError, match="precision='int3' is not known; choose one of: float32, bfloat16"):
        scaling.memory(10, "int3")


def test_training_memory_is_that_of_the_optimiser() -> None:
    model = Transformer(TransformerConfig.preset("tiny"))
    optimiser = torch.optim.AdamW(model.parameters())
    model(torch.zeros(1, 3, dtype=torch.int64)).sum().backward()
    optimiser.step()
    held = [weight for weight in model.parameters()]
    held += [weight.grad for weight in model.parameters()]
    held += [value for state in optimiser.state.values() for name, value in state.items() if name != "step"]
    assert sum(tensor.nbytes for tensor in held) == scaling.training_memory(count_parameters(model))


def test_training_flops_are_about_those_that_torch_counts() -> None:
    """Torch counts every matrix product of a step."""
    from torch.utils.flop_counter import FlopCounterMode

    config = TransformerConfig(vocabulary=64, width=256, layers=4, heads=4, context=32, fused=False, positions="rotary")
    model, ids = Transformer(config), torch.zeros(2, 32, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        model(ids).sum().backward()
    estimate = scaling.training_flops(count_parameters(model), ids.numel())
    assert math.isclose(counter.get_total_flops(), estimate, rel_tol=0.05)
