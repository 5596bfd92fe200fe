"""LoRA gives the numbers of Hugging Face's ``peft``: the same logits, gradients and merged matrices."""

import copy

import torch
from peft import LoraConfig, get_peft_model

from course_utils.models.lora import add_lora, merge
from course_utils.models.transformer import Transformer, TransformerConfig

IDS = torch.tensor([[5, 2, 7, 1], [3, 3, 9, 0]])


def test_logits_gradients_and_merged_matrices_are_those_of_peft():
    ours = Transformer(TransformerConfig.preset("smollm2", vocabulary=40, width=36, layers=2, mlp_width=48), seed=1)
    theirs = get_peft_model(
        copy.deepcopy(ours), LoraConfig(r=4, lora_alpha=10, target_modules=["query_key_value", "down"])
    )
    layers = add_lora(ours, rank=4, alpha=10, where=("query_key_value", "down"))
    generator = torch.Generator().manual_seed(0)
    reference = {}
    for name, layer in layers.items():
        layer.up.data.normal_(0, 0.5, generator=generator)
        reference[name] = other = theirs.base_model.model.get_submodule(name)
        other.lora_A["default"].weight.data.copy_(layer.down)
        other.lora_B["default"].weight.data.copy_(layer.up)
    trainable = [sum(weight.numel() for weight in each.parameters() if weight.requires_grad) for each in (ours, theirs)]
    assert trainable[0] == trainable[1] == 2 * (4 * (36 + 60) + 4 * (48 + 36))

    expected = theirs.base_model.model(IDS)
    torch.testing.assert_close(ours(IDS), expected, rtol=1e-4, atol=1e-4)
    weights = torch.randn(expected.shape, generator=generator)
    (ours(IDS) * weights).sum().backward()
    (theirs.base_model.model(IDS) * weights).sum().backward()
    for name, layer in layers.items():
        for gradient, part in ((layer.down.grad, "lora_A"), (layer.up.grad, "lora_B")):
            wanted = getattr(reference[name], part)["default"].weight.grad
            torch.testing.assert_close(gradient, wanted, rtol=1e-3, atol=1e-3 * wanted.abs().max().item())

    merge(ours)
    plain = theirs.merge_and_unload()
    for name in layers:
        torch.testing.assert_close(
            ours.get_submodule(name).weight, plain.get_submodule(name).weight, rtol=1e-5, atol=1e-5
        )
