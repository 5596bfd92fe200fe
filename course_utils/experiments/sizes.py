"""Published sizes counted again, and widely repeated claims put to the test where a computation can decide.

The tables are `course_utils.data.llm_sizes` and `course_utils.data.claims`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from course_utils import scaling
from course_utils.data.published import Claim, ModelSize, claims, llm_sizes
from course_utils.models import pretrained
from course_utils.models.transformer import Transformer, TransformerConfig

# For each layout the preset that is built alike, and what differs. BART's position table has two rows to spare.
LAYOUTS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt1": ("gpt1", {}),
    "gpt2": ("gpt2", {}),
    "bert": ("minilm", {}),
    "bart": ("minilm", {}),
    "t5": ("gpt2", {"norm": "rms", "bias": False, "positions": "none", "activation": "gelu"}),
    "llama": ("smollm2", {"tied_output": False}),
    "smollm2": ("smollm2", {}),
}


def settings(size: ModelSize) -> TransformerConfig | None:
    """The settings of a published model, or None where they are not published or the course's class lacks a part.

    >>> settings(llm_sizes()[2]).heads
    12
    """
    if not size.layout:
        return None
    preset, differing = LAYOUTS[size.layout]
    names = ("layers", "width", "heads", "key_value_heads", "mlp_width", "vocabulary", "context")
    values: dict[str, Any] = {name: getattr(size, name) for name in names}
    if size.layout == "bart":
        values["context"] += 2
    return TransformerConfig.preset(preset, **differing, **values)


def count(size: ModelSize) -> int | None:
    """The parameters that published settings give, matrix by matrix; None where `settings` is None.

    >>> count(next(size for size in llm_sizes() if size.model == "LLaMA 7B"))
    6738415616
    """
    config = settings(size)
    if config is None:
        return None
    counted = scaling.encoder_decoder_parameters if size.family == "encoder-decoder" else scaling.parameters
    return counted(config)


@dataclass(frozen=True)
class Finding:
    """What a computation says about a claim."""

    claim: Claim
    sentence: str  # with its numbers
    figures: dict[str, float]  # the numbers


def check(name: str) -> Finding:
    """Put a claim to the test that a computation can decide.

    Args:
        name: of a claim, one of `CHECKS`.

    Raises:
        ValueError: if no computation here decides it.

    >>> check("gpt-2 size").sentence
    'The settings of the largest GPT-2 give 1,557,611,200 parameters: 1.56 billion, not 15 billion.'
    """
    if name not in CHECKS:
        raise ValueError(f"claim={name!r} is not computed here; choose one of: {'; '.join(CHECKS)}.")
    claim = next(claim for claim in claims() if claim.name == name)
    figures = CHECKS[name]()
    return Finding(claim, _SENTENCES[name].format(**figures), figures)


def _counted(model: str) -> int:
    size = next(size for size in llm_sizes() if size.model == model)
    counted = count(size)
    assert counted is not None
    return counted


def _gpt1() -> dict[str, float]:
    return {"counted": _counted("GPT-1")}


def _gpt2() -> dict[str, float]:
    counted = _counted("GPT-2 XL")
    return {"counted": counted, "billions": counted / 1e9}


def _gpt2_sizes() -> dict[str, float]:
    return {"small": _counted("GPT-2 small"), "medium": _counted("GPT-2 medium")}


def _gpt3() -> dict[str, float]:
    config = TransformerConfig.preset("gpt3")
    counted = scaling.parameters(config)
    return {"counted": counted, "billions": counted / 1e9, "layers": config.layers}


GPT3_FLOPS = 3.14e23  # Brown et al. 2020, table D.1
CARD_BYTES = 80e9  # memory of an accelerator card of 2023, such as NVIDIA's H100
V100_FLOPS = 28e12  # a second, in 16 bits, as the estimate of Lambda (2020) assumes


def _gpt4_memory() -> dict[str, float]:
    """Memory in 16 bits, and arithmetic with 20 tokens for each parameter (Hoffmann et al. 2022)."""
    parameters = 170e12
    held = scaling.memory(parameters, "bfloat16")
    flops = scaling.training_flops(parameters, 20 * parameters)
    return {
        "terabytes": held / 1e12, "cards": held / CARD_BYTES, "flops": flops,
        "times_gpt3": flops / GPT3_FLOPS, "millions": flops / GPT3_FLOPS / 1e6, "tokens": 20 * parameters,
    }  # fmt: skip


def _gpt35() -> dict[str, float]:
    return {"years": GPT3_FLOPS / V100_FLOPS / (365.25 * 24 * 3600)}


GPT3_TOKENS = {  # billions in the corpus, and the share of what was read; Brown et al. 2020, table 2.2
    "Common Crawl (filtered)": (410, 0.60), "WebText2": (19, 0.22), "Books1": (12, 0.08), "Books2": (55, 0.08),
    "Wikipedia": (3, 0.03),
}  # fmt: skip


def _gpt3_corpus() -> dict[str, float]:
    total = sum(tokens for tokens, _ in GPT3_TOKENS.values())
    (webtext2, webtext2_read), (crawl, crawl_read) = GPT3_TOKENS["WebText2"], GPT3_TOKENS["Common Crawl (filtered)"]
    return {
        "webtext2": webtext2 / total, "webtext2_read": webtext2_read,
        "crawl": crawl / total, "crawl_read": crawl_read,
    }  # fmt: skip


# Exponents of parameters and tokens; Hoffmann et al. 2022, table 2, with those of their three methods.
KAPLAN, HOFFMANN = (0.73, 0.27), ((0.50, 0.50), (0.49, 0.51), (0.46, 0.54))


def _kaplan() -> dict[str, float]:
    """How much larger model and data become when ten times the arithmetic can be spent, by each paper's exponents."""
    parameters, tokens = zip(*HOFFMANN, strict=True)
    return {
        "ratio": KAPLAN[0] / KAPLAN[1],
        "kaplan_parameters": 10 ** KAPLAN[0], "kaplan_tokens": 10 ** KAPLAN[1],
        "least_parameters": 10 ** min(parameters), "most_parameters": 10 ** max(parameters),
        "least_tokens": 10 ** min(tokens), "most_tokens": 10 ** max(tokens),
    }  # fmt: skip


def chinchilla_loss(parameters: float, tokens: float) -> float:
    """Loss in nats per token that Hoffmann et al. 2022 (equation 10) fitted to their own models and data.

    Besiroglu et al. 2024 found the published coefficients to be off, and 1.82 in place of 1.69.

    >>> round(chinchilla_loss(math.inf, math.inf), 2)
    1.69
    """
    return 1.69 + 406.4 / parameters**0.34 + 410.7 / tokens**0.28


def _without_end() -> dict[str, float]:
    return {
        "floor": chinchilla_loss(math.inf, math.inf),
        "now": chinchilla_loss(70e9, 1.4e12), "ten_times": chinchilla_loss(70e9 * 10**0.5, 1.4e12 * 10**0.5),
    }  # fmt: skip


@torch.inference_mode()
def _heads() -> dict[str, float]:
    """Perplexity of one sentence for SmolLM2 with its 9 heads, and with the same weights read as 18 heads."""
    model, tokenizer = pretrained.load("smollm2-135m-instruct")
    config = replace(model.config, heads=18, key_value_heads=6)
    other = pretrained.build(config, model.state_dict()).eval()
    ids = torch.tensor([tokenizer.encode("The capital of France is Paris, and the capital of Italy is Rome.")])

    def perplexity(of: Transformer) -> float:
        return torch.nn.functional.cross_entropy(of(ids)[0, :-1], ids[0, 1:]).exp().item()

    return {
        "heads": model.config.heads, "other_heads": config.heads,
        "parameters": scaling.parameters(config) - scaling.parameters(model.config),
        "perplexity": perplexity(model), "other_perplexity": perplexity(other),
    }  # fmt: skip


@torch.inference_mode()
def _token_ids() -> dict[str, float]:
    """Give every token another id and move its row along: how much do the scores change?"""
    config = TransformerConfig.preset("tiny")
    model, other = Transformer(config, seed=1), Transformer(config, seed=1)
    generator = torch.Generator().manual_seed(0)
    renamed = torch.randperm(config.vocabulary, generator=generator)  # old id -> new id
    other.token_embedding.weight[renamed] = model.token_embedding.weight.clone()
    ids = torch.randint(config.vocabulary, (1, 20), generator=generator)
    change = (other(renamed[ids])[..., renamed] - model(ids)).abs().max().item()
    return {"change": change, "renamed": int((renamed != torch.arange(config.vocabulary)).sum())}


def _store() -> dict[str, float]:
    """Mean surprisal, in bits, where 7, 2 and 1 of 10 texts go on with three words: by what is predicted."""
    true = (0.7, 0.2, 0.1)

    def cost(predicted: tuple[float, ...]) -> float:
        return -sum(p * math.log2(q) for p, q in zip(true, predicted, strict=True))

    return {"right": cost(true), "always": cost((0.998, 0.001, 0.001)), "even": cost((1 / 3, 1 / 3, 1 / 3))}


CHECKS: dict[str, Callable[[], dict[str, float]]] = {
    "gpt-4 170 trillion": _gpt4_memory,
    "gpt-2 size": _gpt2,
    "gpt-1 size": _gpt1,
    "gpt-3 size": _gpt3,
    "gpt-3.5 size": _gpt35,
    "gpt-2 small sizes": _gpt2_sizes,
    "gpt-3 corpus": _gpt3_corpus,
    "parameters over data": _kaplan,
    "tunable heads": _heads,
    "token ids": _token_ids,
    "always store": _store,
    "scaling without end": _without_end,
}
_SENTENCES = {
    "gpt-4 170 trillion": (
        "OpenAI has published no size. 170 trillion would take {terabytes:,.0f} terabytes in 16 bits, {cards:,.0f} "
        "graphics cards of 80 GB to hold them alone, and with 20 tokens for each about {millions:,.0f} million times "
        "the arithmetic that trained GPT-3."
    ),
    "gpt-2 size": (
        "The settings of the largest GPT-2 give {counted:,} parameters: {billions:.2f} billion, not 15 billion."
    ),
    "gpt-1 size": "The settings of GPT-1 give {counted:,} parameters.",
    "gpt-3 size": "The settings of GPT-3, with {layers} layers, give {counted:,} parameters: {billions:.1f} billion.",
    "gpt-3.5 size": (
        "No source gives a size. A look-alike: one V100 card would have computed {years:.0f} years on GPT-3, as Lambda "
        "estimated in 2020."
    ),
    "gpt-2 small sizes": "The released weights count {small:,} and {medium:,}.",
    "gpt-3 corpus": (
        "WebText2 is {webtext2:.1%} of the tokens collected, and {webtext2_read:.0%} of those that training read, "
        "because it was read more often; filtered Common Crawl is {crawl:.0%} and {crawl_read:.0%}. The 570 GB are "
        "the size of that filtered crawl."
    ),
    "parameters over data": (
        "Kaplan's exponents stand {ratio:.1f} to 1: ten times the arithmetic means {kaplan_parameters:.1f} times the "
        "parameters and {kaplan_tokens:.1f} times the tokens. Hoffmann's three methods share about equally: "
        "{least_parameters:.1f} to {most_parameters:.1f} times the parameters, {least_tokens:.1f} to "
        "{most_tokens:.1f} times the tokens."
    ),
    "tunable heads": (
        "SmolLM2's weights read as {other_heads} heads in place of {heads} have the same number of parameters; the "
        "perplexity of one sentence goes from {perplexity:.1f} to {other_perplexity:,.0f}."
    ),
    "token ids": (
        "{renamed} of 128 tokens got another id and kept their rows: the largest change of a score is {change:.1g}."
    ),
    "always store": (
        "Predicting the right shares costs {right:.2f} bits a word, always the likeliest word {always:.2f}, all three "
        "alike {even:.2f}."
    ),
    "scaling without end": (
        "By the fit of 2022 Chinchilla stands at {now:.2f} nats a token, ten times the arithmetic gives "
        "{ten_times:.2f}, and no size and no data go below {floor:.2f}."
    ),
}
