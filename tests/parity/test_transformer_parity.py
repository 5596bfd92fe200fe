"""The one transformer equals the reference library's GPT-2, Llama and BERT, on small random models of each."""

import math

import pytest
import torch
import transformers

from course_utils.models import pretrained, transformer
from course_utils.models.positions import rotate
from course_utils.models.transformer import Transformer, TransformerConfig, attention_weights
from tests.parity.spreading import spread

ROUNDING = (
    3e-5  # of the largest value; measured with AVX2 and AVX-512: at most 4e-6. Planted faults change 1e-2 and more.
)


def assert_equal(ours: torch.Tensor, reference: torch.Tensor) -> None:
    torch.testing.assert_close(ours, reference, atol=ROUNDING * float(reference.detach().abs().max()), rtol=0)


def ids(vocabulary: int, tokens: int = 17) -> torch.Tensor:
    return torch.randint(vocabulary, (3, tokens), generator=torch.Generator().manual_seed(1))


def gpt2(heads: int, layers: int) -> tuple[torch.nn.Module, Transformer]:
    width = 16 * heads
    reference = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=101, n_positions=32, n_embd=width, n_layer=layers, n_head=heads)
    ).eval()
    spread(reference, heads)
    config = TransformerConfig.preset("gpt2", vocabulary=101, context=32, width=width, layers=layers, heads=heads)
    return reference, pretrained.build(config, pretrained.from_gpt2(reference.state_dict(), config))


def llama(heads: int, key_value_heads: int, tied: bool) -> tuple[torch.nn.Module, Transformer]:
    width = 16 * heads
    reference = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=101, hidden_size=width, intermediate_size=3 * width, num_hidden_layers=3,
            num_attention_heads=heads, num_key_value_heads=key_value_heads, max_position_embeddings=64,
            rms_norm_eps=1e-5, rope_parameters={"rope_type": "default", "rope_theta": 100_000.0},
            tie_word_embeddings=tied,
        )
    ).eval()  # fmt: skip
    spread(reference, heads)
    config = TransformerConfig.preset(
        "smollm2", vocabulary=101, context=64, width=width, layers=3, heads=heads,
        key_value_heads=key_value_heads, mlp_width=3 * width, tied_output=tied,
    )  # fmt: skip
    return reference, pretrained.build(config, pretrained.from_llama(reference.state_dict(), config))


@pytest.mark.parametrize(("heads", "layers"), [(1, 1), (2, 3), (4, 2)])
@pytest.mark.parametrize("fused", [True, False])
def test_gpt2_logits_equal_the_reference(heads, layers, fused):
    reference, model = gpt2(heads, layers)
    use(model, fused)
    assert_equal(model(ids(101)), reference(ids(101)).logits)


@pytest.mark.parametrize(
    ("heads", "key_value_heads", "tied"), [(1, 1, True), (4, 2, True), (6, 2, False), (4, 1, False)]
)
@pytest.mark.parametrize("fused", [True, False])
def test_llama_logits_equal_the_reference(heads, key_value_heads, tied, fused):
    reference, model = llama(heads, key_value_heads, tied)
    use(model, fused)
    assert_equal(model(ids(101, 50)), reference(ids(101, 50)).logits)


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("fused", [True, False])
def test_bert_states_equal_the_reference(heads, fused):
    width = 16 * heads
    reference = transformers.BertModel(
        transformers.BertConfig(
            vocab_size=101, hidden_size=width, num_hidden_layers=2, num_attention_heads=heads,
            intermediate_size=2 * width, max_position_embeddings=40,
        ),
        add_pooling_layer=False,
    ).eval()  # fmt: skip
    spread(reference, heads)
    config = TransformerConfig.preset(
        "minilm", vocabulary=101, context=40, width=width, layers=2, heads=heads, mlp_width=2 * width
    )
    model = pretrained.build(config, pretrained.from_bert(reference.state_dict(), config))
    use(model, fused)
    assert_equal(model.hidden_states(ids(101)), reference(ids(101)).last_hidden_state)
    mask = torch.arange(17) < torch.tensor([[17], [9], [4]])  # texts of unequal lengths
    states = reference(ids(101), attention_mask=mask.long()).last_hidden_state
    assert_equal(model.hidden_states(ids(101), mask=mask)[mask], states[mask])


def see_the_next_one(queries, tokens, **_):
    return torch.ones(queries, tokens, dtype=torch.bool).tril(tokens - queries + 1)


def see_all_but_oneself(queries, tokens, **_):
    earlier = torch.ones(queries, tokens, dtype=torch.bool).tril(tokens - queries - 1)
    return earlier | (torch.arange(tokens) == 0)  # a softmax over nothing would be NaN


def rotate_the_other_way(vectors, rotary):
    return rotate(vectors, rotary.conj())


def rotate_swapped_pairs(vectors, rotary):
    return (
        rotate(vectors.unflatten(-1, (-1, 2)).flip(-1).flatten(-2), rotary).unflatten(-1, (-1, 2)).flip(-1).flatten(-2)
    )


def rotate_halves(vectors, rotary):
    return rotate(vectors.unflatten(-1, (2, -1)).mT.flatten(-2), rotary).unflatten(-1, (-1, 2)).mT.flatten(-2)


def rotate_keys_one_too_far(vectors, rotary):
    is_key = vectors.size(1) == 2
    return rotate(vectors, rotary * rotary[..., 1:2, :] if is_key else rotary)


def lose_the_scale(query, key, **rest):
    return attention_weights(query * math.sqrt(query.size(-1)), key, **rest)


def scale_by_the_whole_width(query, key, **rest):
    return attention_weights(query / math.sqrt(query.size(1)), key, **rest)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("causal_mask", see_the_next_one),
        ("causal_mask", see_all_but_oneself),
        ("rotate", rotate_the_other_way),
        ("rotate", rotate_swapped_pairs),
        ("rotate", rotate_halves),
        ("rotate", rotate_keys_one_too_far),
        ("attention_weights", lose_the_scale),
        ("attention_weights", scale_by_the_whole_width),
    ],
)
def test_a_planted_fault_is_found(name, fault, monkeypatch):
    reference, model = llama(4, 2, True)
    use(model, fused=False)
    expected = reference(ids(101, 50)).logits
    assert_equal(model(ids(101, 50)), expected)
    monkeypatch.setattr(transformer, name, fault)
    wrong = model(ids(101, 50))
    with pytest.raises(AssertionError, match="not close"):
        assert_equal(wrong, expected)
    assert (wrong - expected).abs().max() > 100 * ROUNDING * expected.abs().max()  # with room to spare


def use(model: Transformer, fused: bool) -> None:
    for block in model.blocks:
        block.attention.attend.fused = fused
