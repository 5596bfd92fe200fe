"""Every published size and every claim names its source, and what a computation can decide is computed again."""

import csv
import math
import re

import pytest
import torch

from course_utils import data, scaling
from course_utils.data.published import UNKNOWN
from course_utils.experiments import sizes
from course_utils.models.encoder_decoder import EncoderDecoder
from course_utils.models.transformer import Transformer, TransformerConfig, count_parameters

SIZES, CLAIMS = data.llm_sizes(), data.claims()
COUNTED = [size for size in SIZES if size.confidence == "counted"]
RELEASED_MORE = {  # what the released weights hold beside; known counts of the released weights
    "BERT base": 109_482_240, "BERT large": 335_141_888, "T5 base": 222_903_552, "MiniLM L6": 22_713_216,
    "BART large": 406_291_456, "LLaMA 7B": 6_738_415_616, "LLaMA 13B": 13_015_864_320, "Llama 3.1 8B": 8_030_261_248,
}  # fmt: skip


@pytest.mark.parametrize("name", ["llm_sizes", "claims"])
def test_every_row_is_whole_and_names_source_year_and_confidence(name, project) -> None:
    with (project / "datasets" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        assert re.search(r"\b(19|20)\d\d\b", row["source"]), row
        assert re.fullmatch(r"(19|20)\d\d-(0[1-9]|1[0-2])", row["date"]), row
        assert row["corpus"] and row["confidence"] and None not in row and None not in row.values(), row
        empty = {column for column, text in row.items() if not text}
        assert empty <= {"counted", "layout", "note"}, row


def test_the_models_of_the_family_tree_are_there_in_order_of_time() -> None:
    names = " ".join(size.model for size in SIZES)
    for model in ("BERT", "LUKE", "BART", "T5", "UL2", "GPT-1", "GPT-2", "GPT-3", "GPT-4", "LLaMA"):
        assert model in names
    assert [size.date for size in SIZES] == sorted(size.date for size in SIZES)
    assert {size.family for size in SIZES} == {"encoder-only", "decoder-only", "encoder-decoder"}
    assert len({size.model for size in SIZES}) == len(SIZES)


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    for size in SIZES:
        assert size.confidence in {"counted", "published", "unknown"}
        assert (size.confidence == "counted") == (size.counted is not None) == bool(size.layout)
        if size.confidence == "unknown":
            assert size.published is None and size.layers is None and size.read == UNKNOWN
    assert {size.model for size in SIZES if size.confidence == "unknown"} >= {"GPT-3.5 (ChatGPT)", "GPT-4"}


@pytest.mark.parametrize("size", COUNTED, ids=lambda size: size.model)
def test_counts_are_computed_again_and_are_those_of_the_built_model(size: data.ModelSize) -> None:
    assert sizes.count(size) == size.counted
    config = sizes.settings(size)
    assert config is not None
    with torch.device("meta"):
        model = EncoderDecoder(config) if size.family == "encoder-decoder" else Transformer(config)
    assert count_parameters(model) == size.counted
    if size.published:
        assert size.counted == pytest.approx(size.published, rel=0.07)  # GPT-2 small was published 6 % too small


def test_counts_that_differ_from_the_released_weights_say_by_how_much() -> None:
    for size in SIZES:
        if size.model in RELEASED_MORE:
            assert size.counted is not None
            beside = RELEASED_MORE[size.model] - size.counted
            assert beside == 0 or f"{beside:,}" in size.note, size.model


def test_presets_and_the_table_say_the_same() -> None:
    table = {size.model: sizes.settings(size) for size in SIZES}
    presets = {
        "gpt1": "GPT-1", "gpt2": "GPT-2 small", "gpt2-medium": "GPT-2 medium", "gpt2-large": "GPT-2 large",
        "gpt2-xl": "GPT-2 XL", "gpt3": "GPT-3", "smollm2": "SmolLM2 135M", "minilm": "MiniLM L6",
    }  # fmt: skip
    for preset, model in presets.items():
        config = TransformerConfig.preset(preset)
        assert scaling.matrices(config) == scaling.matrices(table[model])
        assert (config.heads, config.causal) == (table[model].heads, table[model].causal)


def test_every_claim_has_a_verdict_and_what_a_computation_decides_is_computed() -> None:
    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS) == 25
    assert {claim.verdict for claim in CLAIMS} == {"true", "false", "partly true", "unknown"}
    assert {claim.confidence for claim in CLAIMS} <= {"certain", "high", "medium", "none"}
    assert {claim.name for claim in CLAIMS if claim.check == "computed"} == set(sizes.CHECKS)
    for claim in CLAIMS:
        assert claim.check in {"computed", "source"} or re.fullmatch(r"lesson \d\d", claim.check)
        assert claim.lessons and set(claim.lessons.split()) <= {f"{lesson:02}" for lesson in range(23)}
    with pytest.raises(ValueError, match="claim='sparks' is not computed here; choose one of: gpt-4 170 trillion"):
        sizes.check("sparks")


def test_counts_decide_the_claims_about_sizes() -> None:
    assert sizes.check("gpt-1 size").figures == {"counted": 116_534_784}
    assert sizes.check("gpt-2 size").figures["counted"] == 1_557_611_200
    assert sizes.check("gpt-3 size").figures == {"counted": 174_604_259_328, "billions": 174.604259328, "layers": 96}
    assert sizes.check("gpt-2 small sizes").figures == {"small": 124_439_808, "medium": 354_823_168}
    assert "124,439,808 and 354,823,168" in sizes.check("gpt-2 small sizes").claim.evidence


def test_170_trillion_parameters_would_fill_thousands_of_cards() -> None:
    figures = sizes.check("gpt-4 170 trillion").figures
    assert figures["terabytes"] == 340 and figures["cards"] == 4250
    assert figures["times_gpt3"] == pytest.approx(6 * 170e12 * 20 * 170e12 / 3.14e23)


def test_a_size_that_nobody_has_published_has_no_verdict() -> None:
    unpublished = ("gpt-4 170 trillion", "gpt-4 one trillion", "gpt-3.5 size")
    verdicts = [(claim.verdict, claim.confidence) for claim in CLAIMS if claim.name in unpublished]
    assert verdicts == [("unknown", "none")] * 3
    assert sizes.check("gpt-4 170 trillion").sentence.startswith("OpenAI has published no size.")


def test_355_is_also_the_years_of_one_card() -> None:
    assert round(sizes.check("gpt-3.5 size").figures["years"]) == 355


def test_webtext2_was_a_small_part() -> None:
    figures = sizes.check("gpt-3 corpus").figures
    assert figures["webtext2"] < 0.04 and figures["crawl"] > 0.8
    assert sum(share for _, share in sizes.GPT3_TOKENS.values()) == pytest.approx(1, abs=0.02)  # as printed


def test_exponents_stand_three_to_one_in_one_paper_and_one_to_one_in_the_next() -> None:
    figures = sizes.check("parameters over data").figures
    assert 2.5 < figures["ratio"] < 3
    assert figures["kaplan_parameters"] * figures["kaplan_tokens"] == pytest.approx(10)
    assert figures["least_parameters"] * figures["most_tokens"] == pytest.approx(10)  # one and the same method
    assert figures["most_parameters"] == figures["least_tokens"] == pytest.approx(10**0.5)  # equal shares
    assert figures["most_tokens"] / figures["least_parameters"] < 1.3 < figures["ratio"]
    assert "about equally" in sizes.check("parameters over data").sentence


def test_heads_fixed_in_training_cannot_be_tuned_afterwards() -> None:
    figures = sizes.check("tunable heads").figures
    assert figures["parameters"] == 0  # everything fits, and nothing works
    assert figures["other_perplexity"] > 10 * figures["perplexity"]


def test_ids_are_row_numbers_and_nothing_else() -> None:
    figures = sizes.check("token ids").figures
    assert figures["change"] < 1e-5 and figures["renamed"] > 100


def test_the_right_shares_cost_least() -> None:
    figures = sizes.check("always store").figures
    assert figures["right"] < figures["even"] < figures["always"]


def test_the_fit_of_2022_has_a_floor() -> None:
    figures = sizes.check("scaling without end").figures
    assert 1.69 == figures["floor"] < figures["ten_times"] < figures["now"] < 2
    assert sizes.chinchilla_loss(1e9, math.inf) > sizes.chinchilla_loss(1e12, math.inf)


def test_every_finding_is_a_sentence() -> None:
    for name in sizes.CHECKS:
        if name != "tunable heads":
            sentence = sizes.check(name).sentence
            assert sentence.endswith(".") and "{" not in sentence


def test_no_library_has_a_class_for_gpt4() -> None:
    transformers = pytest.importorskip("transformers")
    assert hasattr(transformers, "GPT2LMHeadModel") and not hasattr(transformers, "GPT4LMHeadModel")
