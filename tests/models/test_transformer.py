"""The transformer does what its settings say."""

import dataclasses
import threading

import pytest
import torch
from torch import nn
from torch.nn import functional

from course_utils.models.cache import KeyValueCache
from course_utils.models.positions import rotary_angles, rotate, sinusoidal
from course_utils.models.transformer import (
    Attention,
    Transformer,
    TransformerConfig,
    attention,
    attention_weights,
    causal_mask,
    count_parameters,
    fused_attention,
    padding_mask,
)


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
    turned_query, turned_key = (rotate(x.expand(40, 16), rotary_angles(40, 16)) for x in (query, key))
    products = turned_query.double() @ turned_key.double().T
    for distance in (0, 3, 20):
        torch.testing.assert_close(
            products.diagonal(distance), products[0, distance].expand(40 - distance), atol=1e-4, rtol=0
        )
    assert not torch.allclose(products[0, 3], products[0, 4], atol=1e-2)


def test_rotation_keeps_precision_and_dtype_in_bfloat16():
    vectors = draw(64, 16)
    turned = rotate(vectors.bfloat16(), rotary_angles(64, 16))
    assert turned.dtype == torch.bfloat16
    torch.testing.assert_close(turned.float(), rotate(vectors, rotary_angles(64, 16)), atol=0.03, rtol=0.02)


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
        same = torch.allclose(model.hidden_states(ids)[:, :-1], model.hidden_states(changed)[:, :-1], atol=1e-6)
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
    assert torch.equal(one.token_embedding.weight, same.token_embedding.weight)
    assert not torch.equal(one.token_embedding.weight, other.token_embedding.weight)


def test_a_full_cache_and_a_text_past_the_context_are_refused_in_a_sentence():
    model = Transformer(TransformerConfig.preset("tiny", context=8))
    with pytest.raises(ValueError, match="9 tokens do not fit into this model's context of 8"):
        model(torch.zeros(1, 9, dtype=torch.int64))
    layer = KeyValueCache(1, 1, 1, 4, 2, torch.float32).layers[0]
    with pytest.raises(ValueError, match="holds 4 tokens and 5 were given"):
        layer.extend(torch.zeros(1, 1, 5, 2), torch.zeros(1, 1, 5, 2))
    with pytest.raises(ValueError, match="for batch=1 and 2 texts were given"):
        layer.extend(torch.zeros(2, 1, 3, 2), torch.zeros(2, 1, 3, 2))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (dict(width=128, heads=5), "heads=5 must divide width=128; try 4 or 8"),
        (dict(width=96, heads=6, key_value_heads=4), "key_value_heads=4 must divide heads=6; try 3 or 6"),
        (dict(layers=0), "layers=0 must be a whole number of at least 1"),
        (dict(key_value_heads=0), "key_value_heads=0 must be a whole number of at least 1"),
        (dict(mlp_width=0), "mlp_width=0 must be a whole number of at least 1"),
        (dict(width=64.0), "width=64.0 must be a whole number"),
        (dict(width=36, heads=4, positions="rotary"), "36 / 4 = 9 must be even, .* try width=40"),
        (dict(width=33, heads=3, positions="sinusoidal"), "width=33 must be even"),
        (dict(positions="wavy"), "positions='wavy' is unknown; choose one of learned"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_a_cure(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        TransformerConfig(**settings)
    with pytest.raises(ValueError, match="no preset 'gpt5'"):
        TransformerConfig.preset("gpt5")


ENCODER = TransformerConfig.preset("minilm", vocabulary=90, context=40, width=48, layers=2, heads=4, mlp_width=96)


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "none"])
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("side", ["left", "right"])
def test_texts_of_unequal_lengths_side_by_side_equal_each_by_itself(positions, fused, side):
    lengths = (7, 12, 3)
    for config in (
        TransformerConfig.preset("tiny", positions=positions),
        dataclasses.replace(ENCODER, positions=positions),
    ):
        model = Transformer(dataclasses.replace(config, fused=fused), seed=3)
        texts = [torch.randint(90, (length,), generator=torch.Generator().manual_seed(length)) for length in lengths]
        ids = nn.utils.rnn.pad_sequence(texts, batch_first=True, padding_value=5, padding_side=side)
        mask = nn.utils.rnn.pad_sequence(
            [torch.ones_like(text, dtype=torch.bool) for text in texts], batch_first=True, padding_side=side
        )
        together = model.hidden_states(ids, mask=mask)
        assert together.isfinite().all()
        for text, real, states in zip(texts, mask, together, strict=True):
            torch.testing.assert_close(states[real], model.hidden_states(text[None])[0], atol=2e-5, rtol=1e-4)
        blind = model.hidden_states(ids)
        assert (blind[2][mask[2]] - together[2][mask[2]]).abs().max() > 1e-3 or (
            side == "right" and config.causal  # then nobody looks at the padding anyway
        )


@pytest.mark.parametrize("earlier_tokens", [0, 3])
def test_a_cache_remembers_which_tokens_were_padding(earlier_tokens):
    """In pieces, padded, cut and repeated, a text is scored as by itself; earlier tokens are those of the text."""
    plain = Transformer(TransformerConfig.preset("tiny"), seed=3).requires_grad_(False)
    model = looking_back(earlier_tokens, logit_cap=15.0) if earlier_tokens else plain
    texts = [torch.arange(3, 10), torch.tensor([90, 11])]
    ids, mask = torch.zeros(2, 7, dtype=torch.int64), torch.zeros(2, 7, dtype=torch.bool)
    for row, text in enumerate(texts):
        ids[row, -len(text) :], mask[row, -len(text) :] = text, True
    cache = model.new_cache(12, batch=2)
    model(ids, cache, mask)
    more = torch.tensor([[1, 2, 3], [4, 5, 6]])
    logits = torch.cat([model(more[:, :1], cache), model(more[:, 1:], cache)], dim=1)
    for row, text in enumerate(texts):
        alone = model(torch.cat((text, more[row]))[None])[0, len(text) :]
        torch.testing.assert_close(logits[row], alone, atol=1e-5, rtol=1e-4)
    cache.truncate(8)
    cache.repeat(2)
    assert cache.mask.shape == (4, 8) and cache.mask[2].equal(cache.mask[3])
    again = model(more[:, 1:].repeat_interleave(2, 0), cache)
    torch.testing.assert_close(again[1::2], logits[:, 1:], atol=1e-5, rtol=1e-4)


def test_repeating_lets_each_text_of_a_cache_go_on_in_several_ways():
    model = Transformer(TransformerConfig.preset("tiny"), seed=3).requires_grad_(False)
    cache = model.new_cache(10)
    model(torch.tensor([[1, 2, 3]]), cache)
    cache.repeat(2)
    cache.repeat(3)
    assert cache.layers[0].keys.size(0) == 6
    following = torch.arange(6)[:, None]
    logits = model(following, cache)
    for row in range(6):
        torch.testing.assert_close(logits[row, 0], model(torch.tensor([[1, 2, 3, row]]))[0, -1], atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match="holds 4 tokens and cannot be cut to 5"):
        cache.truncate(5)


def test_a_cache_is_sound_after_a_reading_that_was_interrupted():
    model = Transformer(TransformerConfig.preset("tiny"), seed=3).requires_grad_(False)
    cache, ids = model.new_cache(10), torch.tensor([[1, 2, 3, 4, 5]])
    model(ids[:, :2], cache)

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), model.blocks[1].mlp.register_forward_pre_hook(interrupt):
        model(ids[:, 2:], cache)
    assert cache.length == 2
    torch.testing.assert_close(model(ids[:, 2:], cache), model(ids)[:, 2:], atol=1e-5, rtol=1e-4)


def test_an_encoder_neither_predicts_nor_keeps_a_cache_and_says_so():
    model = Transformer(ENCODER)
    with pytest.raises(ValueError, match="call hidden_states"):
        model(torch.zeros(1, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="read the whole text without a cache"):
        model.new_cache(8)


def test_a_cache_under_autograd_gives_right_values_and_no_wrong_gradients():
    model, ids = Transformer(TransformerConfig.preset("tiny")), torch.tensor([[1, 2, 3, 4]])
    cache = model.new_cache(4)
    first = model(ids[:, :2], cache)
    second = model(ids[:, 2:], cache)
    torch.testing.assert_close(torch.cat((first, second), 1), model(ids), atol=1e-5, rtol=1e-4)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        (first.sum() + second.sum()).backward()


def test_the_seed_gives_the_same_weights_whatever_other_threads_draw():
    expected = Transformer(TransformerConfig.preset("tiny"), seed=7).state_dict()
    stop = threading.Event()

    def disturb() -> None:
        while not stop.is_set():
            torch.rand(100)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _ in range(5):
            weights = Transformer(TransformerConfig.preset("tiny"), seed=7).state_dict()
            assert all(weights[name].equal(weight) for name, weight in expected.items())
    finally:
        stop.set()
        thread.join()


def test_untrained_weights_are_as_small_as_gpt2s():
    config = TransformerConfig.preset("tiny", width=128, layers=8, bias=True, norm="layer", tied_output=False)
    for name, weight in Transformer(config).named_parameters():
        if weight.dim() == 2:
            small = name.endswith(("attention.output.weight", "mlp.down.weight"))
            assert weight.std().item() == pytest.approx(0.005 if small else 0.02, rel=0.05), name
        else:
            assert weight.unique().tolist() == [0.0 if name.endswith("bias") else 1.0], name


def test_a_hook_sees_the_attention_weights_and_can_put_others_in_their_place():
    ids = torch.randint(128, (2, 9), generator=torch.Generator().manual_seed(0))
    for fused in (True, False):
        model = Transformer(TransformerConfig.preset("tiny", key_value_heads=2, fused=fused), seed=2)
        seen = []

        def uniform(module: Attention, inputs, output):
            query, key, value, mask = inputs
            weights = attention_weights(query, key, causal=module.causal, mask=mask)
            seen.append(weights)  # noqa: B023
            torch.testing.assert_close(weights @ value.repeat_interleave(2, 1), output, atol=1e-5, rtol=1e-4)
            even = causal_mask(9, 9).float().softmax(-1)
            return even @ value.repeat_interleave(2, 1)

        untouched = model(ids)
        with model.blocks[1].attention.attend.register_forward_hook(uniform):
            changed = model(ids)
        (weights,) = seen
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 9))
        assert weights.triu(1).abs().max() == 0
        assert (changed - untouched).abs().max() > 1e-4 and model(ids).equal(untouched)


@pytest.mark.parametrize("attend", [attention, fused_attention])
def test_a_mask_hides_tokens_from_chosen_queries_as_cross_attention_needs_it(attend):
    query, key, value = draw(2, 4, 5, 8), draw(2, 2, 9, 8, seed=1), draw(2, 2, 9, 8, seed=2)
    mask = torch.ones(2, 1, 1, 9, dtype=torch.bool)
    mask[1, ..., 6:] = False  # the second text has six tokens
    mixed = attend(query, key, value, causal=False, mask=mask)
    torch.testing.assert_close(mixed[0], attend(query[:1], key[:1], value[:1], causal=False)[0])
    torch.testing.assert_close(mixed[1], attend(query[1:], key[1:, :, :6], value[1:, :, :6], causal=False)[0])


def test_padding_sees_itself_and_nobody_sees_padding():
    mask = torch.tensor([[False, False, True, True]])
    seen = padding_mask(mask, 4)[0, 0] & causal_mask(4, 4)
    assert seen.int().tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]
    with pytest.raises(ValueError, match="mask has the shape"):
        Transformer(TransformerConfig.preset("tiny"))(torch.zeros(1, 3, dtype=torch.int64), mask=mask)


@pytest.mark.parametrize("attend", [attention, fused_attention])
@pytest.mark.parametrize(
    "shapes", [((1, 1, 8), (1, 4, 8)), ((3, 2), (3, 2)), ((1, 1, 3, 2), (1, 2, 3, 2)), ((1, 3, 3, 2), (1, 2, 3, 2))]
)
def test_attention_refuses_other_shapes_in_a_sentence(attend, shapes):
    query, key = (torch.ones(shape) for shape in shapes)
    with pytest.raises(ValueError, match=r"takes \(batch, heads, tokens, head_width\)"):
        attend(query, key, key)


def test_ids_without_a_batch_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match=r"must be \(batch, tokens\)"):
        Transformer(TransformerConfig.preset("tiny"))(torch.tensor([3, 1, 4]))


@pytest.mark.parametrize("seed", range(4))
def test_the_story_of_the_module_is_no_luck_of_a_seed(seed):
    ids = torch.tensor([list(b"to be, or not to be")])
    model = Transformer(TransformerConfig.preset("tiny"), seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.003)
    for _ in range(100):
        optimiser.zero_grad()
        functional.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten()).backward()
        optimiser.step()
    assert (model(ids[:, :-1]).argmax(-1)[:, 5:] == ids[:, 6:]).all()


def test_a_refused_call_leaves_the_cache_as_it_was():
    model = Transformer(TransformerConfig.preset("tiny"))
    ids, mask = torch.tensor([[1, 2, 3], [4, 5, 6]]), torch.tensor([[True, True, True], [False, True, True]])
    cache = model.new_cache(8, batch=2)
    for wrong in ((ids[:1], cache, mask[:1]), (ids, cache, mask.long()), (ids, cache, mask[:, :2])):
        with pytest.raises(ValueError, match=r"make one for|mask\.bool|must have that of ids"):
            model(*wrong)
    expected = model(ids, None, mask)[:, -1]
    torch.testing.assert_close(model(ids, cache, mask)[:, -1], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
def test_a_model_that_wrote_first_can_still_be_trained(positions):
    model = Transformer(TransformerConfig.preset("tiny", positions=positions))
    ids = torch.tensor([[1, 2, 3]])
    with torch.inference_mode():
        model(ids)
    model(ids).sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


@pytest.mark.parametrize("width", [64, 256])
def test_waves_of_positions_do_not_drown_the_tokens(width):
    model = Transformer(TransformerConfig.preset("tiny", positions="sinusoidal", width=width))
    entered = []
    model.blocks[0].register_forward_pre_hook(lambda block, inputs: entered.append(inputs[0]))
    model(torch.arange(64)[None])
    waves = model.fixed_positions()[:64]
    assert (entered[0][0] - waves).norm() > waves.norm() / 10


def test_more_causal_queries_than_tokens_are_refused_in_a_sentence():
    for attend in (attention, fused_attention):
        with pytest.raises(ValueError, match="5 queries cannot be the last of 3 tokens"):
            attend(draw(1, 2, 5, 4), draw(1, 2, 3, 4), draw(1, 2, 3, 4))
        with pytest.raises(ValueError, match="as many values as keys"):
            attend(draw(1, 2, 3, 4), draw(1, 2, 3, 4), draw(1, 2, 2, 4))


def test_a_weight_that_nobody_draws_is_refused_and_gains_are_set_again():
    class WithMore(Transformer):
        def init_weights(self, generator: torch.Generator) -> None:
            self.extra = nn.Parameter(torch.ones(3))
            super().init_weights(generator)

    with pytest.raises(ValueError, match="does not know extra"):
        WithMore(TransformerConfig.preset("tiny"))
    model = Transformer(TransformerConfig.preset("tiny"))
    nn.init.constant_(model.final_norm.weight, 7.0)
    model.init_weights(torch.Generator().manual_seed(0))
    assert (model.final_norm.weight == 1).all()


# ---- what makes small models learn faster


def looking_back(tokens: int = 3, **changes) -> Transformer:
    """A model whose tables of earlier tokens hold something, as they do after training."""
    config = TransformerConfig.preset("tiny", earlier_tokens=tokens, **changes)
    model = Transformer(config, seed=3).requires_grad_(False)
    for place, table in enumerate(model.earlier_embeddings):
        table.weight.copy_(0.3 * draw(*table.weight.shape, seed=place))
    return model


def test_earlier_tokens_reach_as_far_as_they_say_and_never_ahead():
    config = TransformerConfig.preset("tiny", earlier_tokens=2, layers=1)
    model, ids = looking_back(2, layers=1), torch.tensor([[5, 6, 7, 8, 9]])
    stream = {}
    model.blocks[0].register_forward_pre_hook(lambda block, inputs: stream.update({len(stream): inputs[0]}))
    model(ids)
    first, second = (table.weight for table in model.earlier_embeddings)
    for place in range(5):
        expected = model.token_embedding.weight[ids[0, place]].clone()
        expected += first[ids[0, place - 1]] if place >= 1 else 0
        expected += second[ids[0, place - 2]] if place >= 2 else 0
        torch.testing.assert_close(stream[0][0, place], expected)
    plain = Transformer(TransformerConfig.preset("tiny", layers=1), seed=3)
    torch.testing.assert_close(Transformer(config, seed=3)(ids), plain(ids))  # before training they add nothing


def test_a_cap_bounds_the_logits_and_keeps_small_ones():
    capped, free = (Transformer(TransformerConfig.preset("tiny", logit_cap=cap), seed=3) for cap in (2.0, None))
    ids = torch.arange(20)[None]
    torch.testing.assert_close(capped(ids), 2 * torch.tanh(free(ids) / 2))
    with pytest.raises(ValueError, match="logit_cap=0 must be above 0, or None"):
        TransformerConfig(logit_cap=0)
    with pytest.raises(ValueError, match="earlier_tokens=-1 must be at least 0"):
        TransformerConfig(earlier_tokens=-1)


def test_blocks_with_zero_outputs_start_by_passing_the_stream_on():
    model = Transformer(TransformerConfig.preset("tiny", zero_outputs=True), seed=3)
    stream = draw(1, 5, 64)
    assert all(torch.equal(block(stream), stream) for block in model.blocks)
    ids = torch.arange(12)[None]
    for _ in range(2):  # the matrices before a zero one learn from the second step on
        model.zero_grad()
        functional.cross_entropy(model(ids)[:, :-1].flatten(0, 1), ids[:, 1:].flatten()).backward()
        with torch.no_grad():
            for weight in model.parameters():
                weight.sub_(0.1 * weight.grad)
    assert all(weight.grad.abs().sum() > 0 for weight in model.parameters())
