"""LoRA: starts as the model was, trains, merges and unmerges exactly, is saved and loaded, and is obeyed everywhere."""

import copy

import pytest
import torch
from torch import nn

from course_utils import sampling
from course_utils.models.lora import (
    LoraLinear,
    add_lora,
    load_lora,
    lora_layers,
    merge,
    remove_lora,
    save_lora,
    unmerge,
)
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.tokenizers.words import CharacterTokenizer
from course_utils.training import Recipe, fit, text_batches

IDS = torch.tensor([[5, 2, 7, 1]])


def model() -> Transformer:
    return Transformer(
        TransformerConfig.preset("smollm2", vocabulary=40, width=36, layers=2, mlp_width=48), seed=1
    ).eval()


def disturbed(rank: int = 4, **settings) -> Transformer:
    found = model()
    generator = torch.Generator().manual_seed(3)
    for layer in add_lora(found, rank=rank, **settings).values():
        layer.up.data.normal_(0, 0.5, generator=generator)
    return found


def test_a_layer_worked_out_by_hand():
    linear = nn.Linear(2, 2, bias=False)
    linear.weight.data = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    layer = LoraLinear(linear, 1, alpha=3.0, generator=torch.Generator())
    layer.down.data, layer.up.data = torch.tensor([[1.0, 1.0]]), torch.tensor([[10.0], [20.0]])
    # down: 4 + 5 = 9; up: 90, 180; times 3; beside 4, 10
    assert layer(torch.tensor([4.0, 5.0])).tolist() == [4 + 270, 10 + 540]
    assert layer.change().tolist() == [[30, 30], [60, 60]]


def test_it_starts_as_the_model_was_and_learns_without_touching_the_matrices():
    plain, tuned = model(), model()
    before = copy.deepcopy(tuned.state_dict())
    layers = add_lora(tuned, rank=2, where=("query_key_value", "up"))
    assert len(layers) == 4
    assert torch.equal(plain(IDS), tuned(IDS))
    fit(tuned, text_batches(torch.arange(400) % 40, 4, 12), steps=20, recipe=Recipe(1e-2), progress=False)
    assert not torch.allclose(plain(IDS), tuned(IDS), atol=1e-2)
    remove_lora(tuned)
    assert all(torch.equal(weight, before[name]) for name, weight in tuned.state_dict().items())
    assert torch.equal(plain(IDS), tuned(IDS))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_merged_gives_the_same_logits_and_unmerging_restores_every_bit(dtype):
    tuned = disturbed().to(dtype)
    for layer in lora_layers(tuned).values():
        layer.down.data, layer.up.data = layer.down.float(), layer.up.float()
    logits, state = tuned(IDS), copy.deepcopy(tuned.state_dict())
    adapted = merge(tuned)
    assert not lora_layers(tuned) and {type(part) for part in tuned.modules()} == {
        type(part) for part in model().modules()
    }
    size = logits.abs().max()
    assert (tuned(IDS) - logits).abs().max() < (1e-5 if dtype == torch.float32 else 0.1) * size
    unmerge(tuned, adapted)
    assert torch.equal(tuned(IDS), logits)
    assert all(torch.equal(weight, state[name]) for name, weight in tuned.state_dict().items())


def test_every_way_to_write_obeys_it():
    tokenizer = CharacterTokenizer.train("".join(chr(97 + place) for place in range(26)) + "ABCDEFGHIJKLM")
    plain, tuned = model(), disturbed(where=("query_key_value", "output", "up", "down"))
    how = {"max_new_tokens": 12, "temperature": 0.0}
    expected = []
    ids = tokenizer.encode("abc")
    for _ in range(12):
        ids.append(int(tuned(torch.tensor([ids]))[0, -1].argmax()))
    expected = tokenizer.decode(ids[3:])
    written = sampling.generate(tuned, tokenizer, "abc", **how)
    assert written == expected != sampling.generate(plain, tokenizer, "abc", **how)
    assert "".join(sampling.stream(tuned, tokenizer, "abc", **how)) == written
    merge(tuned)
    assert sampling.generate(tuned, tokenizer, "abc", **how) == written


def test_saved_and_loaded_it_gives_the_same(tmp_path):
    tuned, other = disturbed(alpha=5.0), model()
    path = save_lora(tmp_path / "mine.safetensors", tuned)
    load_lora(path, other)
    assert torch.equal(tuned(IDS), other(IDS))
    assert [name for name, weight in other.named_parameters() if weight.requires_grad] == [
        name for name, weight in tuned.named_parameters() if weight.requires_grad
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rank": 0}, "between 1 and 36"),
        ({"rank": 37}, "between 1 and 36"),
        ({"where": ("query",)}, "its matrices are: down, output, query_key_value, up"),
    ],
)
def test_a_wrong_setting_is_refused_and_the_model_left_alone(settings, said):
    plain = model()
    with pytest.raises(ValueError, match=said):
        add_lora(plain, **settings)
    assert not lora_layers(plain)
    add_lora(plain)
    with pytest.raises(ValueError, match="adapted already"):
        add_lora(plain)


def test_a_wrong_file_is_refused_and_the_model_left_alone(tmp_path):
    wide = Transformer(TransformerConfig(width=64, layers=2))
    add_lora(wide)
    path = save_lora(tmp_path / "wide.safetensors", wide)
    plain = model()
    with pytest.raises(ValueError, match="for another model"):
        load_lora(path, plain)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match="damaged"):
        load_lora(damaged, plain)
    with pytest.raises(ValueError, match="no adapter file"):
        load_lora(tmp_path / "none", plain)
    with pytest.raises(ValueError, match="nothing to save"):
        save_lora(tmp_path / "empty", plain)
    assert not lora_layers(plain) and all(weight.requires_grad for weight in plain.parameters())
