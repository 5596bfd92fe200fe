"""ParameterCounter and PositionExplorer: their numbers against built models and plain arithmetic, their refusals."""

import dataclasses
import math

import pytest
import torch

from course_utils.experiments.counting import KINDS, PUBLISHED, Counted, resized, sizes
from course_utils.experiments.positions import FARTHEST, POSITIONS, REFERENCE, scored
from course_utils.explorers.transformer import ParameterCounter, PositionExplorer
from course_utils.models.positions import sinusoidal
from course_utils.models.transformer import Transformer, TransformerConfig, count_parameters

from .sweep import refuses
from .sweep_transformer import counter, positions

NOTHING = torch.zeros(POSITIONS, 8)


@pytest.mark.parametrize(("name", "preset"), PUBLISHED.items())
def test_a_published_model_is_counted_as_it_was_built(name: str, preset: str) -> None:
    explorer = ParameterCounter(model=name, **sizes(name))
    assert explorer.result.config == dataclasses.replace(
        TransformerConfig.preset(preset),
        key_value_heads=explorer.result.config.kv_heads,
        mlp_width=explorer.result.config.neurons,
    )
    with torch.device("meta"):
        assert count_parameters(Transformer(TransformerConfig.preset(preset))) == explorer.result.total
    assert (
        sum(explorer.result.kinds.values()) == explorer.result.total and f"{explorer.result.total:,}" in explorer.says
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_any_size_is_counted_as_it_would_be_built(name: str) -> None:
    for width, heads, layers in ((64, 1, 1), (640, 10, 3), (768, 24, 2)):
        counted = resized(name, layers, width, heads, 1000, 128)
        with torch.device("meta"):
            assert count_parameters(Transformer(counted.config)) == counted.total


def test_choosing_a_model_brings_its_sizes_and_a_width_brings_its_heads() -> None:
    explorer = counter()
    assert explorer.result.total == 134_515_008 and explorer.result.most == KINDS["MLP"]
    explorer.set(model="GPT-3 (2020)")
    assert explorer.result.total == 174_604_259_328 and explorer.values["heads"] == 96
    explorer.set(width=6400)
    assert explorer.values["heads"] == 100 and explorer.problem == ""
    explorer.set(model="GPT-2 small (2019)")
    before = explorer.result.total
    explorer.set(heads=6)
    assert explorer.result.total == before == 124_439_808


def test_heads_that_do_not_divide_the_width_get_a_sentence_and_the_picture_stays() -> None:
    explorer = counter()
    explorer.inputs["heads"].value = 7
    assert explorer.problem == "heads=7 must divide width=576; try 6 or 8"
    assert explorer.result.total == 134_515_008
    explorer.inputs["heads"].value = 8
    assert explorer.problem == ""
    assert "outside 64 to 16384" in refuses(lambda: ParameterCounter(width=10**9))
    assert "whole number" in refuses(lambda: ParameterCounter(layers=2.5))


def test_memory_and_shares_are_those_of_the_total() -> None:
    counted = Counted("GPT-2", TransformerConfig.preset("gpt2"))
    assert list(counted.bytes.values()) == [124_439_808 * each for each in (4, 2, 1, 0.5)]
    assert sum(map(counted.share, counted.kinds)) == pytest.approx(1)


def test_rotary_scores_depend_on_the_distance_alone_and_the_others_do_not() -> None:
    table = torch.randn(POSITIONS, 12, generator=torch.Generator().manual_seed(1))
    for dice in (1, 2, 3):
        for position in (FARTHEST, 130, POSITIONS - 1):
            assert scored("rotary", position, 3, dice, table).gap < 1e-4
        for kind in ("waves", "learned"):
            assert scored(kind, POSITIONS - 1, 3, dice, table).gap > 0.5
            assert scored(kind, REFERENCE, 3, dice, table).gap == 0


def test_a_wave_score_is_the_scaled_dot_product_of_query_and_key() -> None:
    now = scored("waves", 200, 7, 4, NOTHING)
    generator = torch.Generator().manual_seed(4)
    words, to_query, to_key = (torch.randn(*shape, generator=generator) for shape in ((2, 64), (64, 32), (64, 32)))
    table = sinusoidal(POSITIONS, 64)
    spread = table.std()
    query = (words[0] + table[200] / spread) @ to_query / 8
    key = (words[1] + table[193] / spread) @ to_key / 8
    assert now.here[7] == pytest.approx(float(query @ key) / math.sqrt(32), abs=1e-4)


def test_the_caption_says_both_scores_and_the_gap() -> None:
    explorer = positions()
    explorer.set(kind="waves", position=250, distance=1)
    now = explorer.result
    assert "the key 1 token before the query" in explorer.says and "at position 250" in explorer.says
    assert f"{now.here[1]:+.2f}".replace("-", "−") in explorer.says and f"{now.gap:.2f} at most" in explorer.says


def test_a_table_that_is_too_short_is_refused() -> None:
    assert "at least 256 rows" in refuses(lambda: PositionExplorer(torch.zeros(100, 8)))
    assert "at least 256 rows" in refuses(lambda: PositionExplorer(torch.zeros(300)))
