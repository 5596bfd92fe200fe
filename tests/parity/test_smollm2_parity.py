"""SmolLM2's real weights in our class against the reference library, which reads the same file by its own code."""

import dataclasses

import pytest
import torch
import transformers

from course_utils import assets, sampling
from course_utils.models import pretrained

PROMPTS = [
    "The capital of France is",
    "Once upon a time",
    "def fibonacci(n):",
    "Water boils at",
    "Dear Sir or Madam,",
    "1, 2, 3, 4,",
    "The three primary colours are",
    "To be, or not to be,",
    "日本の首都は",
    "My grandmother's recipe for bread begins with",
]


@pytest.fixture(scope="module")
def reference():
    file = next(assets.path("smollm2-135m-instruct").rglob("*.gguf"))
    return transformers.AutoModelForCausalLM.from_pretrained(
        str(file.parent),
        gguf_file=file.name,
        dtype=torch.float32,
        local_files_only=True,
        quantization_config=transformers.GgufConfig(dequantize=True),
    ).eval()


@pytest.fixture(scope="module")
def ours():
    return pretrained.load("smollm2-135m-instruct", dtype=torch.float32)


def assert_equal(ours, reference):
    """Within 2e-5 of the largest logit, which is about 40; rounding was 3e-6 on the processors tried."""
    torch.testing.assert_close(ours, reference, atol=2e-5 * float(reference.abs().max()), rtol=0)


@torch.inference_mode()
def test_logits_equal_the_reference_to_rounding(reference, ours):
    model, tokenizer = ours
    for prompt in PROMPTS:
        ids = torch.tensor([tokenizer.encode(prompt)])
        assert_equal(model(ids), reference(ids).logits)


@torch.inference_mode()
def test_attention_written_out_gives_the_same_logits(ours):
    model, tokenizer = ours
    written_out = pretrained.build(dataclasses.replace(model.config, fused=False), model.state_dict())
    for prompt in PROMPTS:
        ids = torch.tensor([tokenizer.encode(prompt)])
        assert_equal(written_out(ids), model(ids))


@torch.inference_mode()
def test_greedy_text_is_identical_over_sixty_four_tokens(reference, ours):
    model, tokenizer = ours
    prompts = [tokenizer.encode(prompt) for prompt in PROMPTS]
    longest = max(map(len, prompts))
    ids = torch.tensor(
        [[2] * (longest - len(prompt)) + prompt for prompt in prompts]
    )  # each weight is read once for all
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    settings = {"max_new_tokens": 64, "min_new_tokens": 64, "do_sample": False, "eos_token_id": [], "pad_token_id": 2}
    written = reference.generate(ids, attention_mask=mask, **settings)[:, longest:].tolist()
    for prompt, expected in zip(PROMPTS, written, strict=True):
        (answer,) = sampling.generate_many(
            model, tokenizer, prompt, 1, temperature=0, max_new_tokens=64, stop_tokens=[]
        )
        assert answer.ids == expected, prompt


@torch.inference_mode()
def test_different_prompts_at_once_get_what_each_gets_by_itself(ours):
    model, tokenizer = ours
    settings = dict(temperature=0, max_new_tokens=16, stop_tokens=[])
    together = sampling.generate_many(model, tokenizer, PROMPTS[:4], **settings)
    for prompt, answer in zip(PROMPTS, together, strict=False):
        (alone,) = sampling.generate_many(model, tokenizer, prompt, 1, **settings)
        assert answer.ids == alone.ids, prompt
        assert answer.log_probabilities == pytest.approx(alone.log_probabilities, abs=1e-3)
