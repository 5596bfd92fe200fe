"""The one transformer equals the reference library's GPT-2, Llama and BERT, on small random models of each."""

import pytest
import torch
import transformers

from course_utils.models import pretrained
from course_utils.models.transformer import Transformer, TransformerConfig

ROUNDING = 1e-5  # of the largest value: fifteen times what one float32 product of these sizes rounds away, and a
# hundredth of what the smallest of the planted faults changes


def assert_equal(ours: torch.Tensor, reference: torch.Tensor) -> None:
    torch.testing.assert_close(ours, reference, atol=ROUNDING * float(reference.abs().max()), rtol=0)


def spread(model: torch.nn.Module, seed: int) -> None:
    """Weights large enough that a wrong sign, scale or place shows in the logits."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(1 + 0.3 * noise if weight.dim() == 1 and "bias" not in name else 0.3 * noise)


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


def use(model: Transformer, fused: bool) -> None:
    for block in model.blocks:
        block.attention.attend.fused = fused
