"""What is published about language models, and what people say about them: two tables, each row with its source."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from course_utils import assets

UNKNOWN = "unknown"  # what a table says where nothing is published


@dataclass(frozen=True)
class ModelSize:
    """One published model. A number is None where nothing is published, or where it does not apply."""

    model: str
    date: str  # year and month of the paper or the announcement
    family: str  # encoder-only, decoder-only, encoder-decoder
    published: int | None  # parameters, as the source says
    counted: int | None  # parameters that the settings give, where the course's class can be built with them
    layout: str  # how `course_utils.experiments.sizes` counts it; empty where it cannot
    layers: int | None  # blocks; of an encoder-decoder, in each stack
    width: int | None
    heads: int | None
    key_value_heads: int | None
    mlp_width: int | None
    vocabulary: int | None
    context: int | None
    corpus: str  # what it was trained on
    read: str  # how much of it
    source: str  # paper or system card, year, table or section
    confidence: str  # counted, published, unknown
    note: str

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> ModelSize:
        """A line of the table; its numbers become numbers."""
        numbers = {field.name for field in fields(cls) if field.type == "int | None"}
        values: dict[str, Any] = {name: _number(text) if name in numbers else text for name, text in row.items()}
        return cls(**values)


@dataclass(frozen=True)
class Claim:
    """Something that is often said about language models, and what is known about it."""

    name: str  # one or two words, to ask for it
    claim: str  # as people repeat it
    verdict: str  # true, false, partly true, unknown
    evidence: str
    check: str  # "computed": `course_utils.experiments.sizes` computes it; "lesson NN" measures it; "source": no more
    lessons: str  # where the course uses it
    source: str  # paper or system card, year, table or section
    date: str  # of the source, year and month
    corpus: str  # the data that the evidence rests on
    confidence: str  # certain, high, medium, none


@lru_cache(maxsize=1)
def llm_sizes() -> list[ModelSize]:
    """Published sizes and settings of language models, the oldest first (``datasets/llm_sizes.csv``).

    >>> gpt3 = next(size for size in llm_sizes() if size.model == "GPT-3")
    >>> gpt3.layers, f"{gpt3.published:,}", f"{gpt3.counted:,}"
    (96, '175,000,000,000', '174,604,259,328')
    """
    return [ModelSize.from_row(row) for row in _rows("llm_sizes")]


@lru_cache(maxsize=1)
def claims() -> list[Claim]:
    """Widely repeated claims, each with a verdict and its evidence (``datasets/claims.csv``).

    >>> next(claim.verdict for claim in claims() if claim.name == "gpt-2 size")
    'false'
    """
    return [Claim(**row) for row in _rows("claims")]


def _rows(name: str) -> list[dict[str, str]]:
    with (assets.project_folder() / "datasets" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _number(text: str) -> int | None:
    """A whole number, or None.

    >>> _number("12"), _number("unknown"), _number("")
    (12, None, None)
    """
    return None if text in ("", UNKNOWN) else int(text)
