"""Attention weights and the stream, as captured, equal the reference library's, head by head."""

import pytest
import torch
import transformers

from course_utils import assets, interpret
from course_utils.models import pretrained, transformer
from course_utils.models.transformer import Transformer, TransformerConfig, attention_weights
from tests.parity.spreading import spread

ROUNDING = 1e-5  # of a weight, which lies between 0 and 1, in float32


def ids(texts: int = 3, tokens: int = 17) -> torch.Tensor:
    return torch.randint(101, (texts, tokens), generator=torch.Generator().manual_seed(1))


def assert_equal(seen: interpret.Seen, reference) -> None:
    """All layers' weights, and the stream before every block; the library's last entry is behind the final norm."""
    assert len(seen.attention) == len(reference.attentions) and len(seen.stream) == len(reference.hidden_states)
    for ours, theirs in zip(seen.attention, reference.attentions, strict=True):
        torch.testing.assert_close(ours, theirs, atol=ROUNDING, rtol=0)
    for ours, theirs in list(zip(seen.stream, reference.hidden_states, strict=True))[:-1]:
        torch.testing.assert_close(ours, theirs, atol=3e-5 * float(theirs.abs().max()), rtol=0)


@torch.inference_mode()
@pytest.mark.parametrize("fused", [True, False])
def test_a_random_gpt2(fused):
    reference = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=101, n_positions=32, n_embd=64, n_layer=3, n_head=4, attn_implementation="eager"
        )
    ).eval()
    spread(reference, 0)
    config = TransformerConfig.preset("gpt2", vocabulary=101, context=32, width=64, layers=3, heads=4, fused=fused)
    model = pretrained.build(config, pretrained.from_gpt2(reference.state_dict(), config))
    with interpret.capture(model) as seen:
        model(ids())
    assert_equal(seen, reference(ids(), output_attentions=True, output_hidden_states=True))
    assert float(seen.attention[1].amax(-1).mean()) > 0.4, "the heads choose, so a wrong head or place would show"


def bert() -> tuple[torch.nn.Module, Transformer]:
    reference = transformers.BertModel(
        transformers.BertConfig(
            vocab_size=101, hidden_size=48, num_hidden_layers=2, num_attention_heads=3, intermediate_size=96,
            max_position_embeddings=40, attn_implementation="eager",
        ),
        add_pooling_layer=False,
    ).eval()  # fmt: skip
    spread(reference, 0)
    config = TransformerConfig.preset("minilm", vocabulary=101, context=40, width=48, layers=2, heads=3, mlp_width=96)
    return reference, pretrained.build(config, pretrained.from_bert(reference.state_dict(), config))


@torch.inference_mode()
def test_a_random_bert_with_padding():
    reference, model = bert()
    mask = torch.arange(17) < torch.tensor([[17], [9], [4]])  # texts of unequal lengths
    with interpret.capture(model) as seen:
        model.hidden_states(ids(), mask=mask)
    expected = reference(ids(), attention_mask=mask.long(), output_attentions=True, output_hidden_states=True)
    for ours, theirs in zip(seen.attention, expected.attentions, strict=True):
        rows = mask[:, None].expand(-1, 3, -1)  # what padding looks at means nothing
        torch.testing.assert_close(ours[rows], theirs[rows], atol=ROUNDING, rtol=0)
    for ours, theirs in zip(seen.stream, expected.hidden_states, strict=True):
        torch.testing.assert_close(ours[mask], theirs[mask], atol=3e-5 * float(theirs.abs().max()), rtol=0)


@torch.inference_mode()
def test_smollm2_to_one_in_a_hundred_thousand():
    file = next(assets.path("smollm2-135m-instruct").rglob("*.gguf"))
    reference = transformers.AutoModelForCausalLM.from_pretrained(
        str(file.parent),
        gguf_file=file.name,
        dtype=torch.float32,
        local_files_only=True,
        attn_implementation="eager",
        quantization_config=transformers.GgufConfig(dequantize=True),
    ).eval()
    model, tokenizer = pretrained.load("smollm2-135m-instruct", dtype=torch.float32)
    for text in ("your cat is a lovely cat", "He swam to the river bank and sat down beside the water. 日本 👋"):
        tokens = torch.tensor([tokenizer.encode(text)])
        with interpret.capture(model) as seen:
            model(tokens)
        expected = reference(tokens, output_attentions=True, output_hidden_states=True)
        worst = max(
            float((ours - theirs).abs().max()) for ours, theirs in zip(seen.attention, expected.attentions, strict=True)
        )
        assert worst <= ROUNDING, f"{worst:.1e}"
        assert_equal(seen, expected)


@torch.inference_mode()
def test_a_planted_fault_is_found(monkeypatch):
    reference, model = bert()
    expected = reference(ids(), output_attentions=True, output_hidden_states=True)
    monkeypatch.setattr(
        transformer, "attention_weights", lambda query, *rest, **more: attention_weights(query.flip(1), *rest, **more)
    )
    with interpret.capture(model) as seen:
        model.hidden_states(ids())
    with pytest.raises(AssertionError, match="not close"):
        assert_equal(seen, expected)
