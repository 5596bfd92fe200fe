"""Looking into a transformer and editing it: every way of reading obeys alike, and nothing is left behind."""

import threading

import numpy as np
import pytest
import torch
from torch import Tensor

from course_utils import interpret, sampling
from course_utils.models import transformer
from course_utils.models.one_token import is_plain, weights_in_order
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.tokenizers.words import WordTokenizer

LAYOUTS = {
    "smollm2": dict(vocabulary=60, context=40, width=48, layers=3, heads=6, key_value_heads=2, mlp_width=64),
    "gpt2": dict(vocabulary=60, context=40, width=48, layers=3, heads=6),
    "tiny": dict(vocabulary=60, context=40, width=48, layers=3, heads=6, fused=False),
    "minilm": dict(vocabulary=60, context=40, width=48, layers=3, heads=6, mlp_width=64),
}
WRITERS = ["smollm2", "gpt2", "tiny"]
PROMPTS = [[5, 6, 7, 8, 9], [10, 11, 12], [13, 14, 15, 16, 17, 18, 19]]
VECTOR = torch.linspace(-2, 2, 48)
EDITS = {
    "a head": dict(zero_heads=[(1, 4)]),
    "a layer's heads": dict(zero_heads=[(0, head) for head in range(6)]),
    "a weight of the prompt": dict(set_weights={(1, 3, 2, 1): 1.0}),
    "a weight, not shared": dict(set_weights={(1, 3, 2, 0): 0.0}, renormalise=False),
    "a weight of what is written": dict(set_weights={(0, 2, 8, 1): 0.9, (0, 2, 8, 8): 0.1, (2, 1, 9, 3): 0.7}),
    "the embedding": dict(replace={(0, 1): VECTOR}),
    "a vector between blocks": dict(replace={(2, 1): VECTOR}),
    "a vector of what is written": dict(replace={(1, 8): VECTOR}),
    "the vector above the last block": dict(replace={(3, 2): VECTOR}),
    "several": dict(zero_heads=[(2, 0)], set_weights={(1, 0, 2, 1): 0.8}, replace={(1, 1): VECTOR}),
}


def small(name: str, **changes) -> Transformer:
    model = Transformer(TransformerConfig.preset(name, **{**LAYOUTS[name], **changes}), seed=2).requires_grad_(False)
    for weight in model.parameters():
        if weight.dim() == 2:
            weight.mul_(8)  # opinions strong enough for a difference to show
    return model


def ids(texts: int = 2, tokens: int = 12) -> Tensor:
    return torch.randint(60, (texts, tokens), generator=torch.Generator().manual_seed(0))


def read(model: Transformer, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
    return model.hidden_states(tokens, mask=mask)


# ---- capture


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_is_captured_is_what_the_model_computes(name):
    model = small(name)
    with interpret.capture(model) as seen:
        states = read(model, ids())
    assert len(seen.attention) == 3 and len(seen.stream) == 4
    for layer, block in enumerate(model.blocks):
        weights = seen.attention[layer]
        assert weights.shape == (2, 6, 12, 12)
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 6, 12))
        # The weights give the block's attention: (weights @ values) through the output matrix.
        stream = seen.stream[layer]
        entering = block.attention_norm(stream) if model.config.norm_first else stream
        value = block.attention.query_key_value(entering).split(block.attention.widths, dim=-1)[2]
        value = value.unflatten(-1, (model.config.kv_heads, -1)).transpose(1, 2)
        value = value.repeat_interleave(6 // model.config.kv_heads, dim=1)
        added = block.attention.output((weights @ value).transpose(1, 2).flatten(2))
        if model.config.norm_first:
            stream = stream + added
            stream = stream + block.mlp(block.mlp_norm(stream))
        else:
            stream = block.attention_norm(stream + added)
            stream = block.mlp_norm(stream + block.mlp(stream))
        torch.testing.assert_close(seen.stream[layer + 1], stream, atol=1e-4, rtol=1e-4)
    last = model.final_norm(seen.stream[3]) if model.config.norm_first else seen.stream[3]
    assert torch.equal(last, states)


def test_the_stream_begins_with_the_embedding():
    model = small("gpt2")
    with interpret.capture(model) as seen:
        model(ids())
    expected = model.token_embedding(ids()) + model.position_embedding(torch.arange(12))
    assert torch.equal(seen.stream[0], expected)


def test_capturing_changes_no_number():
    model = small("smollm2")
    expected = model(ids())
    with interpret.capture(model):
        assert torch.equal(model(ids()), expected)


def test_the_latest_reading_is_kept_and_stays_after_the_block():
    model = small("tiny")
    with interpret.capture(model) as seen:
        model(ids())
        model(ids(1, 5))
    model(ids(1, 9))
    assert [weights.shape for weights in seen.attention] == [(1, 6, 5, 5)] * 3
    assert [stream.shape for stream in seen.stream] == [(1, 5, 48)] * 4


@pytest.mark.parametrize("name", WRITERS)
def test_with_a_cache_the_rows_are_those_of_the_newest_tokens(name):
    model = small(name)
    with interpret.capture(model) as whole:
        model(ids())
    cache = model.new_cache(12, batch=2)
    model(ids()[:, :8], cache)
    with interpret.capture(model) as seen:
        model(ids()[:, 8:], cache)
    for layer in range(3):
        torch.testing.assert_close(seen.attention[layer], whole.attention[layer][:, :, 8:], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(seen.stream[layer + 1], whole.stream[layer + 1][:, 8:], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", LAYOUTS)
def test_padding_takes_no_part(name):
    model, tokens = small(name), ids(2, 9)
    mask = torch.tensor([[True] * 9, [True] * 4 + [False] * 5])
    if name != "minilm":
        mask = mask.flip(1)
    with interpret.capture(model) as padded:
        read(model, tokens, mask)
    with interpret.capture(model) as alone:
        read(model, tokens[1:, mask[1]])
    for layer in range(3):
        part = padded.attention[layer][1][:, mask[1]]
        torch.testing.assert_close(part[..., mask[1]], alone.attention[layer][0], atol=1e-5, rtol=1e-4)
        assert not part[..., ~mask[1]].any()


def test_gradients_pass_through_an_edited_model():
    model = small("tiny").requires_grad_()
    with interpret.edit(model, **EDITS["several"]), interpret.capture(model) as seen:
        model(ids()).sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())
    assert not any(tensor.requires_grad for tensor in [*seen.attention, *seen.stream])


# ---- edits do what they say


def by_hand(model: Transformer, tokens: Tensor, layer: int, change) -> Tensor:
    """The states of a model whose layer has its heads' results changed by a function of (weights, value)."""

    def hook(module, inputs, mixed):
        query, key, value, mask = inputs
        weights = transformer.attention_weights(query, key, causal=module.causal, mask=mask)
        return change(weights, value.repeat_interleave(query.size(1) // value.size(1), dim=1), mixed.clone())

    with model.blocks[layer].attention.attend.register_forward_hook(hook):
        return model.hidden_states(tokens)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_silenced_head_adds_nothing(name):
    model = small(name)

    def silence(weights, value, mixed):
        mixed[:, 4] = 0
        return mixed

    expected = by_hand(model, ids(), 1, silence)
    with interpret.edit(model, zero_heads=[(1, 4)]), interpret.capture(model) as seen:
        assert torch.equal(read(model, ids()), expected)
    assert not torch.allclose(read(model, ids()), expected, atol=1e-3)
    assert seen.attention[1][:, 4].sum() > 0  # where it looks is still shown
    # The same by its columns of the output matrix.
    columns = slice(4 * 8, 5 * 8)
    model.blocks[1].attention.output.weight[:, columns] = 0
    torch.testing.assert_close(read(model, ids()), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_set_weight_leaves_the_others_their_proportions(name):
    model = small(name)
    with interpret.capture(model) as before:
        read(model, ids())
    cells = {(1, 3, 7, 2): 0.6, (1, 3, 7, 4): 0.1, (1, 5, 6, 0): 0.0}
    with interpret.edit(model, set_weights=cells), interpret.capture(model) as after:
        states = read(model, ids())
    assert torch.equal(after.attention[0], before.attention[0])
    was, now = before.attention[1], after.attention[1].clone()
    torch.testing.assert_close(now[:, 3, 7, [2, 4]], torch.tensor([0.6, 0.1]).expand(2, 2))
    rest = [token for token in range(12) if token not in (2, 4)]
    share = was[:, 3, 7, rest] / was[:, 3, 7, rest].sum(-1, keepdim=True)
    torch.testing.assert_close(now[:, 3, 7, rest], 0.3 * share, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(now.sum(-1), torch.ones(2, 6, 12))
    # A weight of 0 is what a mask gives.
    assert (now[:, 5, 6, 0] == 0).all()
    scores = was[:, 5, 6].log().index_fill(1, torch.tensor([0]), -torch.inf)
    torch.testing.assert_close(now[:, 5, 6], scores.softmax(-1), atol=1e-6, rtol=1e-4)
    now[:, 3, 7], now[:, 5, 6] = was[:, 3, 7], was[:, 5, 6]
    assert torch.equal(now, was), "only the rows of the cells change"

    def weigh(weights, value, mixed):
        mixed[:, [3, 5]] = (after.attention[1] @ value)[:, [3, 5]]
        return mixed

    torch.testing.assert_close(states, by_hand(model, ids(), 1, weigh), atol=1e-4, rtol=1e-4)


def test_without_renormalising_the_other_weights_stay():
    model = small("smollm2")
    with interpret.capture(model) as before:
        model(ids())
    with (
        interpret.edit(model, set_weights={(0, 3, 7, 2): 0.6}, renormalise=False),
        interpret.capture(model) as after,
    ):
        model(ids())
    expected = before.attention[0].clone()
    expected[:, 3, 7, 2] = 0.6
    assert torch.equal(after.attention[0], expected)


def test_a_weight_set_to_what_it_is_changes_nothing():
    model = small("gpt2")
    with interpret.capture(model) as seen:
        expected = model(ids(1))
    with interpret.edit(model, set_weights={(1, 3, 7, 2): seen.attention[1][0, 3, 7, 2].item()}):
        torch.testing.assert_close(model(ids(1)), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("layer", range(4))
def test_a_replaced_vector_stands_there_and_its_own_changes_nothing(name, layer):
    model = small(name)
    with interpret.capture(model) as before:
        expected = read(model, ids(1))
    with interpret.edit(model, replace={(layer, 5): VECTOR}), interpret.capture(model) as seen:
        changed = read(model, ids(1))
    assert torch.equal(seen.stream[layer][0, 5], VECTOR)
    others = [token for token in range(12) if token != 5]
    assert torch.equal(seen.stream[layer][:, others], before.stream[layer][:, others])
    assert not torch.allclose(changed[:, 5], expected[:, 5], atol=1e-3)
    with interpret.edit(model, replace={(layer, 5): before.stream[layer][0, 5]}):
        assert torch.equal(read(model, ids(1)), expected)


def test_only_the_last_vector_decides_the_next_token():
    model = small("smollm2")
    expected = model(ids(1))[:, -1]
    with interpret.edit(model, replace={(3, position): VECTOR for position in range(11)}):
        assert torch.equal(model(ids(1))[:, -1], expected)


# ---- all ways of reading obey alike


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("change", EDITS)
def test_a_cache_changes_nothing_under_an_edit(name, change):
    model, tokens = small(name), ids()
    with interpret.edit(model, **EDITS[change]):
        expected = model(tokens)
        cache = model.new_cache(12, batch=2)
        parts = [model(tokens[:, :4], cache)] + [model(tokens[:, place : place + 1], cache) for place in range(4, 12)]
    torch.testing.assert_close(torch.cat(parts, dim=1), expected, atol=1e-3, rtol=1e-4)
    assert not torch.allclose(model(tokens), expected, atol=1e-2), "the edit shows"


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("change", EDITS)
def test_what_is_written_obeys_with_and_without_a_cache(name, change):
    """Continuations of different prompts at once, each equal to that of its prompt alone, read anew for each token."""
    model, knobs = small(name), sampling.SamplingConfig(temperature=1.5)
    settings = dict(max_new_tokens=12, seed=3)
    plain = list(sampling.generate_tokens(model, PROMPTS, knobs, continuations=2, **settings))
    with interpret.edit(model, **EDITS[change]):
        together = list(sampling.generate_tokens(model, PROMPTS, knobs, continuations=2, **settings))
        alone = [
            list(sampling.generate_tokens(model, prompt, knobs, continuations=2, use_cache=False, **settings))
            for prompt in PROMPTS
        ]
    for place, (tokens, log_probabilities) in enumerate(together):
        assert tokens.tolist() == [token for texts in alone for token in texts[place][0].tolist()]
        expected = torch.cat([texts[place][1] for texts in alone])
        torch.testing.assert_close(log_probabilities, expected, atol=1e-3, rtol=1e-3)
    changes = [torch.allclose(one[1], other[1], atol=1e-3) for one, other in zip(plain, together, strict=True)]
    assert not all(changes), "the edit shows"


def test_a_stream_of_text_obeys():
    words = "the cat sat on a mat and looked at the dog who ran to the park with one red ball"
    tokenizer = WordTokenizer.train(words, vocabulary_size=60)
    model = small("smollm2", vocabulary=len(tokenizer), tied_output=False)
    settings = dict(max_new_tokens=12, temperature=0, stop_tokens=[])
    plain = sampling.generate(model, tokenizer, "the cat sat", **settings)
    with interpret.edit(model, zero_heads=[(layer, head) for layer in range(3) for head in range(3)]):
        expected = sampling.generate(model, tokenizer, "the cat sat", use_cache=False, **settings)
        assert "".join(sampling.stream(model, tokenizer, "the cat sat", **settings)) == expected != plain
    assert sampling.generate(model, tokenizer, "the cat sat", **settings) == plain


def test_a_reader_forgets_what_it_read_under_an_edit():
    model = small("smollm2")
    reader = sampling.Reader(model)
    plain = reader.logits([3, 1, 4, 1, 5])
    with interpret.edit(model, zero_heads=[(0, 1)]):
        edited = reader.logits([3, 1, 4, 1, 5])
        torch.testing.assert_close(edited, model(torch.tensor([[3, 1, 4, 1, 5]]))[0, -1], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(reader.logits([3, 1, 4, 1, 5]), plain, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(plain, edited, atol=1e-3)


def test_a_position_counts_within_its_own_text():
    model = small("minilm")
    tokens = ids(2, 9)
    mask = torch.tensor([[True] * 9, [True] * 4 + [False] * 5])
    change = dict(set_weights={(0, 1, 2, 3): 0.9}, replace={(1, 3): VECTOR})
    with interpret.edit(model, **change):
        together = model.hidden_states(tokens, mask=mask)
        torch.testing.assert_close(together[:1], model.hidden_states(tokens[:1]), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(together[1:, :4], model.hidden_states(tokens[1:, :4]), atol=1e-4, rtol=1e-4)


# ---- nothing is left behind


def insides(model: Transformer) -> list[tuple]:
    """All that the parts of a model remember, hooks included; tables of numbers by where they are and their version."""

    def plain(value):
        if isinstance(value, Tensor):
            return value.data_ptr(), value._version
        if isinstance(value, dict):
            return type(value), [(key, plain(entry)) for key, entry in value.items()]
        return value

    return [(name, plain(part.__dict__)) for name, part in model.named_modules()]


def test_leaving_restores_the_model():
    model = small("smollm2")
    expected, before = model(ids()), insides(model)
    with interpret.capture(model), interpret.edit(model, **EDITS["several"]):
        assert not is_plain(model) and weights_in_order(model) is None and insides(model) != before
        model(ids())
    assert insides(model) == before and weights_in_order(model)
    assert torch.equal(model(ids()), expected) and not interpret._WATCHES


@pytest.mark.parametrize("reason", [RuntimeError, KeyboardInterrupt])
def test_leaving_by_an_exception_restores_the_model_too(reason):
    model = small("tiny")
    model(ids())  # the table of positions is worked out
    before = insides(model)
    with pytest.raises(reason), interpret.edit(model, **EDITS["several"]), interpret.capture(model):
        model(ids())
        raise reason
    assert insides(model) == before and not interpret._WATCHES


def test_an_edit_that_is_refused_leaves_nothing():
    model = small("tiny")
    before = insides(model)
    with (
        pytest.raises(ValueError, match="there is no head 6; choose 0 to 5"),
        interpret.edit(model, zero_heads=[(0, 6)]),
    ):
        pass
    assert insides(model) == before and not interpret._WATCHES


def test_nested_blocks_add_up_and_the_last_opened_wins():
    model, other = small("gpt2"), VECTOR.flip(0)
    plain = model(ids())
    with interpret.edit(model, zero_heads=[(0, 1), (2, 5)], set_weights={(1, 2, 6, 3): 0.9}, replace={(1, 4): VECTOR}):
        outer = model(ids())
        inner_edit = dict(
            zero_heads=[(0, 3)], set_weights={(1, 2, 6, 3): 0.2, (0, 1, 5, 5): 0.5}, replace={(1, 4): other}
        )
        with interpret.capture(model) as seen, interpret.edit(model, **inner_edit):
            inner = model(ids())
        assert torch.equal(model(ids()), outer)
    assert torch.equal(model(ids()), plain)
    torch.testing.assert_close(seen.attention[1][:, 2, 6, 3], torch.full((2,), 0.2))
    assert torch.equal(seen.stream[1][0, 4], other)
    both = dict(
        zero_heads=[(0, 1), (2, 5), (0, 3)], set_weights={(1, 2, 6, 3): 0.2, (0, 1, 5, 5): 0.5}, replace={(1, 4): other}
    )
    with interpret.edit(model, **both):
        torch.testing.assert_close(model(ids()), inner, atol=1e-4, rtol=1e-4)


def test_the_order_in_which_capture_and_edit_open_does_not_matter():
    model = small("smollm2")
    with interpret.capture(model) as outside, interpret.edit(model, **EDITS["several"]):
        with interpret.capture(model) as inside:
            model(ids())
    pairs = zip([*outside.attention, *outside.stream], [*inside.attention, *inside.stream], strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_another_thread_reads_the_model_as_it_is():
    model, results = small("smollm2"), []
    expected = model(ids())
    with interpret.edit(model, **EDITS["several"]), interpret.capture(model) as seen:
        edited = model(ids(1, 7))
        thread = threading.Thread(target=lambda: results.append(model(ids())))
        thread.start()
        thread.join()
        assert torch.equal(model(ids(1, 7)), edited)
    assert torch.equal(results[0], expected) and seen.stream[0].shape == (1, 7, 48)


def test_a_reading_that_fails_leaves_no_mixture():
    model = small("tiny")
    with interpret.capture(model) as seen:
        model(ids())
        with pytest.raises(ValueError, match="41 tokens do not fit"):
            model(ids(1, 41))
        assert seen.stream[0].shape == (2, 12, 48) and len(seen.attention) == 3


# ---- what cannot be is said in a sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (dict(zero_heads=[(3, 0)]), "there is no layer 3; choose 0 to 2"),
        (dict(zero_heads=[(-1, 0)]), "there is no layer -1; choose 0 to 2"),
        (dict(zero_heads=[(0, True)]), "there is no head True; choose 0 to 5"),
        (dict(zero_heads=[(0, 1.0)]), "there is no head 1.0; choose 0 to 5"),
        (dict(set_weights={(0, 7, 1, 0): 0.5}), "there is no head 7; choose 0 to 5"),
        (dict(set_weights={(0, 0, 40, 0): 0.5}), "there is no position 40; choose 0 to 39"),
        (dict(set_weights={(0, 0, 3, -1): 0.5}), "there is no position -1; choose 0 to 39"),
        (
            dict(set_weights={(0, 0, 3, 4): 0.5}),
            "the token at position 3 cannot look at the later one at 4; choose 0 to 3",
        ),
        (dict(set_weights={(0, 0, 3, 1): 1.5}), "an attention weight of 1.5 cannot be set; choose 0 to 1"),
        (dict(set_weights={(0, 0, 3, 1): float("nan")}), "an attention weight of nan cannot be set; choose 0 to 1"),
        (
            dict(set_weights={(0, 0, 3, 1): 0.7, (0, 0, 3, 2): 0.7}),
            "layer 0, head 0, position 3 sum to 1.4, and the row",
        ),
        (dict(replace={(4, 0): VECTOR}), "there is no layer of the stream 4; choose 0 to 3"),
        (dict(replace={(0, 40): VECTOR}), "there is no position 40; choose 0 to 39"),
        (dict(replace={(0, 1): VECTOR[None]}), r"has the shape \(48,\) and \(1, 48\) was given"),
    ],
)
def test_what_is_not_there_is_refused(change, sentence):
    with pytest.raises(ValueError, match=sentence), interpret.edit(small("tiny"), **change):
        pytest.fail("the block was entered")


def test_a_row_that_cannot_sum_to_one_is_refused_when_it_is_read():
    model = small("tiny")
    sentence = "layer 0, head 1, position 0: there is no other weight that could take over the 0.7"
    with interpret.edit(model, set_weights={(0, 1, 0, 0): 0.3}), pytest.raises(ValueError, match=sentence):
        model(ids())
    with interpret.edit(model, set_weights={(0, 1, 0, 0): 0.3}, renormalise=False):
        assert model(ids()).isfinite().all()
    with interpret.edit(model, set_weights={(0, 1, 1, 0): 0.3, (0, 1, 1, 1): 0.7}):
        assert model(ids()).isfinite().all()


def test_a_position_that_no_text_reaches_is_said_at_the_end():
    model = small("tiny")
    sentence = "position 12 was to be changed and no text was so long: the longest had 12 tokens; choose 0 to 11"
    with pytest.raises(ValueError, match=sentence), interpret.edit(model, replace={(1, 12): VECTOR}):
        model(ids(1, 5))
        model(ids())
    with pytest.raises(KeyError), interpret.edit(model, replace={(1, 12): VECTOR}):  # not in place of another error
        model(ids())
        raise KeyError
    with interpret.edit(model, replace={(1, 12): VECTOR}):  # nothing was read at all
        pass
    assert is_plain(model)


def test_numbers_of_numpy_count_too():
    model = small("tiny")
    with interpret.edit(model, zero_heads=[(np.int64(1), np.int64(4))]):
        edited = model(ids())
    with interpret.edit(model, zero_heads=[(1, 4)]):
        assert torch.equal(model(ids()), edited)


def test_what_was_not_captured_is_said():
    with interpret.capture(small("tiny")) as seen:
        with pytest.raises(IndexError, match="nothing was read yet"):
            seen.attention[0]
    model = small("tiny")
    with interpret.capture(model) as seen:
        model(ids())
    with pytest.raises(IndexError, match="there is no layer 3 here; choose 0 to 2"):
        seen.attention[3]
    assert torch.equal(seen.attention[-1], seen.attention[2])
    with pytest.raises(ValueError, match="this is a Linear"), interpret.capture(torch.nn.Linear(2, 2)):
        pass
