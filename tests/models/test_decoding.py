"""The quick way to read one token gives what the ordinary way gives."""

import pytest
import torch

from course_utils import sampling
from course_utils.models import decoding, transformer
from course_utils.models.one_token import read_token, weights_in_order
from course_utils.models.transformer import Transformer, TransformerConfig


def small(**changes) -> Transformer:
    sizes = dict(vocabulary=300, context=64, width=64, layers=3, heads=4, key_value_heads=2, mlp_width=96)
    config = TransformerConfig.preset("smollm2", **{**sizes, **changes})
    model = Transformer(config, seed=2).requires_grad_(False)
    for weight in model.parameters():
        weight.mul_(4)  # opinions strong enough for a difference to show
    return model


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("tied_output", [True, False])
def test_one_token_at_a_time_equals_all_at_once(fused, tied_output):
    model = small(fused=fused, tied_output=tied_output)
    ids = torch.randint(300, (1, 30), generator=torch.Generator().manual_seed(0))
    cache = model.new_cache(30)
    model.hidden_states(ids[:, :10], cache)
    read = torch.cat([read_token(model, weights_in_order(model), int(token), cache) for token in ids[0, 10:]])
    torch.testing.assert_close(read, model(ids)[0, 10:], atol=1e-3, rtol=1e-4)


def test_text_is_equal_token_for_token(monkeypatch):
    model, settings = small(), dict(continuations=1, max_new_tokens=50, seed=1)
    knobs = sampling.SamplingConfig(temperature=0.9)

    def write() -> list[int]:
        return [int(token) for token, _ in sampling.generate_tokens(model, [5, 6, 7], knobs, **settings)]

    quick = write()
    monkeypatch.setattr(decoding, "weights_in_order", lambda model: None)
    assert quick == write() and len(set(quick)) > 5


@pytest.mark.parametrize(
    "other", [dict(bias=True), dict(norm="layer"), dict(positions="none"), dict(activation="gelu"), dict(causal=False)]
)
def test_other_settings_take_the_ordinary_way(other):
    assert weights_in_order(small())
    assert weights_in_order(small(**other)) is None
    assert weights_in_order(torch.nn.Linear(2, 2)) is None


def test_bfloat16_stays_close_to_float32():
    model = small()
    ids = torch.randint(300, (1, 20), generator=torch.Generator().manual_seed(0))
    exact = model(ids)[0, -1]
    half = small().bfloat16()
    cache = half.new_cache(20)
    half.hidden_states(ids[:, :-1], cache)
    quick = read_token(half, weights_in_order(half), int(ids[0, -1]), cache)[0].float()
    ordinary = half(ids)[0, -1].float()
    assert (quick - exact).norm() <= 1.5 * (ordinary - exact).norm() + 1e-3


def test_a_full_context_or_cache_is_refused_and_an_interrupted_reading_is_forgotten():
    model = small(context=12)
    ids = torch.randint(300, (1, 12), generator=torch.Generator().manual_seed(0))
    weights, expected = weights_in_order(model), model(ids)
    short, cache = model.new_cache(4), model.new_cache(12)
    model(ids[:, :4], short)
    with pytest.raises(ValueError, match="the cache holds 4 tokens"):
        read_token(model, weights, 5, short)
    model(ids[:, :6], cache)
    for layer in cache.layers[:1]:  # as if stopped after the first layer
        layer.extend(*(torch.ones(1, layer.keys.size(1), 1, layer.keys.size(3)) for _ in range(2)))
    for place in range(6, 12):
        read = read_token(model, weights, int(ids[0, place]), cache)
        torch.testing.assert_close(read, expected[:, place], atol=1e-3, rtol=1e-4)
    with pytest.raises(ValueError, match="13 tokens do not fit into this model's context of 12"):
        read_token(model, weights, 5, cache)


@pytest.mark.parametrize("name", ["attention", "attention_weights", "fused_attention", "sharing", "rotate"])
def test_an_exchanged_function_is_obeyed_for_every_token(monkeypatch, name):
    model, calls = small(fused=name in ("fused_attention", "sharing", "rotate")), []
    own = getattr(transformer, name)

    def watched(*arguments, **settings):
        calls.append(name)
        return own(*arguments, **settings)

    monkeypatch.setattr(transformer, name, watched)
    tokens = list(sampling.generate_tokens(model, [5, 6, 7], sampling.SamplingConfig(temperature=0), max_new_tokens=6))
    assert len(tokens) == 6 and len(calls) >= 6 * model.config.layers


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [("blocks.0", "norm_first", False), ("blocks.0.attention", "heads", 2), ("blocks.0.attention.attend", "causal", 0)],
)
def test_a_part_that_goes_its_own_way_is_read_the_ordinary_way(part, name, value):
    model = small()
    setattr(model.get_submodule(part), name, value)
    assert weights_in_order(model) is None
