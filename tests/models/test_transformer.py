"""The transformer does what its settings say."""

import pytest
import torch
from torch.nn import functional

from course_utils.models.attention import KeyValueCache, attention, fused_attention
from course_utils.models.positions import rotary_turns, rotate, sinusoidal
from course_utils.models.transformer import Transformer, TransformerConfig, count_parameters


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("attend", [attention, fused_attention])
def test_attention_equals_torch(attend, causal):
    query, key, value = draw(2, 6, 9, 8), draw(2, 3, 9, 8, seed=1), draw(2, 3, 9, 8, seed=2)
    expected = functional.scaled_dot_product_attention(query, key, value, is_causal=causal, enable_gqa=True)
    torch.testing.assert_close(attend(query, key, value, causal=causal), expected)


@pytest.mark.parametrize("queries", [1, 2, 5])
def test_both_attentions_agree_when_the_queries_are_the_last_tokens(queries):
    query, key, value = draw(2, 6, queries, 8), draw(2, 3, 9, 8, seed=1), draw(2, 3, 9, 8, seed=2)
    whole = attention(draw(2, 6, 9, 8).index_copy(2, torch.arange(9 - queries, 9), query), key, value)
    torch.testing.assert_close(attention(query, key, value), whole[:, :, -queries:])
    torch.testing.assert_close(fused_attention(query, key, value), whole[:, :, -queries:])


def test_rotated_products_depend_on_distance_alone():
    query, key = draw(1, 16), draw(1, 16, seed=1)
    turned_query, turned_key = (rotate(x.expand(40, 16), rotary_turns(40, 16)) for x in (query, key))
    products = turned_query.double() @ turned_key.double().T
    for distance in (0, 3, 20):
        torch.testing.assert_close(
            products.diagonal(distance), products[0, distance].expand(40 - distance), atol=1e-4, rtol=0
        )
    assert not torch.allclose(products[0, 3], products[0, 4], atol=1e-2)


def test_rotation_keeps_precision_and_dtype_in_bfloat16():
    vectors = draw(64, 16)
    turned = rotate(vectors.bfloat16(), rotary_turns(64, 16))
    assert turned.dtype == torch.bfloat16
    torch.testing.assert_close(turned.float(), rotate(vectors, rotary_turns(64, 16)), atol=0.03, rtol=0.02)


def test_sinusoidal_positions_equal_the_formula():
    table = sinusoidal(50, 12)
    for place in (0, 7, 49):
        for column in range(12):
            angle = torch.tensor(place / 10_000 ** (2 * (column // 2) / 12), dtype=torch.float64)
            expected = angle.sin() if column % 2 == 0 else angle.cos()
            assert abs(table[place, column].item() - expected.item()) < 1e-6


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "none"])
@pytest.mark.parametrize("fused", [True, False])
def test_cache_gives_the_same_logits(positions, fused):
    config = TransformerConfig.preset("tiny", heads=4, key_value_heads=2, positions=positions, fused=fused)
    model = Transformer(config, seed=3)
    ids = torch.randint(128, (2, 20), generator=torch.Generator().manual_seed(0))
    cache = model.new_cache(20, batch=2)
    pieces = [model(ids[:, a:b], cache) for a, b in ((0, 7), (7, 8), (8, 12), (12, 20))]
    torch.testing.assert_close(torch.cat(pieces, 1), model(ids), atol=1e-5, rtol=0)


def test_without_positions_order_does_not_matter_and_with_them_it_does():
    ids = torch.randint(128, (1, 12), generator=torch.Generator().manual_seed(0))
    shuffled = ids[:, [*torch.randperm(11, generator=torch.Generator().manual_seed(1)).tolist(), 11]]
    assert not torch.equal(ids, shuffled)
    without = Transformer(TransformerConfig.preset("tiny", positions="none", layers=1))
    torch.testing.assert_close(without(ids)[:, -1], without(shuffled)[:, -1])
    with_positions = Transformer(TransformerConfig.preset("tiny", positions="learned", layers=1))
    assert not torch.allclose(with_positions(ids)[:, -1], with_positions(shuffled)[:, -1], atol=1e-4)


def test_a_causal_model_does_not_look_ahead_and_an_encoder_does():
    ids = torch.randint(128, (1, 12), generator=torch.Generator().manual_seed(0))
    changed = ids.clone()
    changed[0, -1] = (ids[0, -1] + 1) % 128
    for causal in (True, False):
        model = Transformer(TransformerConfig.preset("tiny", causal=causal))
        same = torch.allclose(model(ids)[:, :-1], model(changed)[:, :-1], atol=1e-6)
        assert same == causal


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh", "swiglu", "relu_squared"])
@pytest.mark.parametrize("norm", ["layer", "rms"])
def test_every_weight_learns(activation, norm):
    model = Transformer(
        TransformerConfig.preset("tiny", activation=activation, norm=norm, bias=True, tied_output=False)
    )
    ids = torch.randint(128, (2, 12), generator=torch.Generator().manual_seed(0))
    functional.cross_entropy(model(ids)[:, :-1].flatten(0, 1), ids[:, 1:].flatten()).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in model.parameters())


def test_parameter_counts_are_those_of_the_released_weights():
    with torch.device("meta"):
        counts = {name: count_parameters(Transformer(TransformerConfig.preset(name))) for name in ("gpt2", "smollm2")}
    assert counts == {"gpt2": 124_439_808, "smollm2": 134_515_008}


def test_the_seed_decides_the_weights_and_torchs_own_random_state_is_left_alone():
    before = torch.get_rng_state()
    one, same, other = (Transformer(TransformerConfig.preset("tiny"), seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one.tokens.weight, same.tokens.weight)
    assert not torch.equal(one.tokens.weight, other.tokens.weight)


def test_a_full_cache_and_a_text_past_the_context_are_refused_in_a_sentence():
    model = Transformer(TransformerConfig.preset("tiny", context=8))
    with pytest.raises(ValueError, match="9 tokens do not fit into this model's context of 8"):
        model(torch.zeros(1, 9, dtype=torch.int64))
    cache = KeyValueCache(1, 1, 4, 2, torch.float32)
    with pytest.raises(ValueError, match="holds 4 tokens and 5 were given"):
        cache.extend(torch.zeros(1, 1, 5, 2), torch.zeros(1, 1, 5, 2))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (dict(width=128, heads=5), "heads=5 must divide width=128; try 4 or 8"),
        (dict(width=96, heads=6, key_value_heads=4), "key_value_heads=4 must divide heads=6; try 3 or 6"),
        (dict(layers=0), "layers=0 must be at least 1"),
        (dict(positions="wavy"), "positions='wavy' is unknown; choose one of learned"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_a_cure(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        TransformerConfig(**settings)
    with pytest.raises(ValueError, match="no preset 'gpt5'"):
        TransformerConfig.preset("gpt5")
