"""Two bodies of text, cleaned by fixed rules and split into training, validation and test parts for language models.

Plays are split by play and addresses by year, so that no sentence of a held-out text stands in the training part.
Train on ``"train"``, choose settings on ``"validation"``, and report the figure of ``"test"``, once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from course_utils import assets
from course_utils.data.texts import Speech, speeches

PARTS = ("train", "validation", "test")

# One play of each of the six folders is held out for each purpose, by its file's name.
VALIDATION_PLAYS = (
    "the-comedy-of-errors", "king-john", "all-s-well-that-ends-well", "titus-andronicus", "pericles", "timon-of-athens",
)  # fmt: skip
TEST_PLAYS = ("twelfth-night", "richard-ii", "measure-for-measure", "julius-caesar", "the-tempest", "macbeth")

# Addresses of the years that end in 5 test, those of the years that end in 0 choose settings; eight years in ten train.
# 1981 goes with 1980: the outgoing president's message repeats 43 paragraphs of the year before.
VALIDATION_YEARS = (*range(1790, 2030, 10), 1981)
TEST_YEARS = tuple(range(1795, 2030, 10))


@dataclass(frozen=True)
class Play:
    """One play of Shakespeare's, cleaned."""

    name: str  # its file's name without the ending: "the-tempest"
    folder: str  # comedies, histories, problems, roman, romances or tragedies
    text: str


def plays(part: str = "train") -> list[Play]:
    """The cleaned plays of one part: 26 to train, 6 to choose settings and 6 to test, one of each folder.

    Args:
        part: ``"train"``, ``"validation"`` (`VALIDATION_PLAYS`) or ``"test"`` (`TEST_PLAYS`).

    Raises:
        ValueError: if there is no such part.

    >>> [play.name for play in plays("test")][:3]
    ['twelfth-night', 'richard-ii', 'measure-for-measure']
    """
    _check(part)
    held_out = {**dict.fromkeys(VALIDATION_PLAYS, "validation"), **dict.fromkeys(TEST_PLAYS, "test")}
    return [play for play in _all_plays() if held_out.get(play.name, "train") == part]


def plays_text(part: str = "train") -> str:
    r"""The plays of one part as one text, a blank line between them: 3.6 million characters to train.

    >>> plays_text("test")[:52]
    "Twelfth Night\n\nACT I\n\nSCENE I. DUKE ORSINO's palace."
    """
    return "\n".join(play.text for play in plays(part))


def addresses(part: str = "train") -> list[Speech]:
    """The presidents' cleaned yearly addresses of one part, oldest first.

    Args:
        part: ``"train"``, ``"validation"`` (years that end in 0, and 1981) or ``"test"`` (years that end in 5).

    Raises:
        ValueError: if there is no such part.

    >>> [address.year for address in addresses("test")][-3:]
    [1995, 2005, 2015]
    """
    _check(part)
    held_out = {**dict.fromkeys(VALIDATION_YEARS, "validation"), **dict.fromkeys(TEST_YEARS, "test")}
    return [address for address in _all_addresses() if held_out.get(address.year, "train") == part]


def addresses_text(part: str = "train") -> str:
    """The addresses of one part as one text, a blank line between them: 9.5 million characters to train.

    >>> addresses_text("validation")[:49]
    'Fellow-Citizens of the Senate and House of Repres'
    """
    return "\n".join(address.text for address in addresses(part))


def clean_play(markdown: str) -> str:
    r"""A play without Markdown: plain lines, ``NAME:`` above a speech, stage directions in square brackets.

    The rules, in order: backslashes of Markdown go (``\[`` is a bracket); ``#`` marks of titles go; ``**NAME**``
    becomes ``NAME:``; what stands between underscores becomes ``[...]``, with one pair of brackets; a long dash becomes
    ``--``; doubled spaces and spaces at the end of a line go; never two blank lines in a row.

    >>> print(clean_play("### SCENE I.\n\n**ROSS**  \nSee—who  \n_Enter\nMACDUFF_\n"), end="")
    SCENE I.
    <BLANKLINE>
    ROSS:
    See--who
    [Enter
    MACDUFF]
    """
    text = re.sub(r"\\(.)", r"\1", markdown)
    text = re.sub(r"^#+ +", "", text, flags=re.MULTILINE)
    text = re.sub(r"\*\*([^*\n]+?):?\*\*", r"\1:", text)
    text = re.sub(r"_+([^_]+)_+", lambda direction: f"[{direction[1].strip('[] ')}]", text).replace("[]", "")
    return _tidy(text.replace("—", "--").replace("*", "").replace("_", ""))


def clean_address(text: str) -> str:
    r"""What the president said or wrote, in plain signs, without the archive's notes and without the audience.

    The rules, in order: notes of one line in square brackets go (``[Laughter]``, dates, references); paragraphs of the
    audience and the archive's links go; ``The President.`` at the start of a paragraph goes; typographic quotation
    marks, dashes and fraction bars become plain ones; signs that set lists and tables (``•``, ``|``, ``_``) go; spaces
    as in `clean_play`.

    >>> clean_address("The President. Thank you. [Applause]\nAudience members. Boo!\n“So” it—is.\n")
    'Thank you.\n"So" it--is.\n'
    """
    text = re.sub(r"\[[^\]\n]*\]", "", text)
    text = re.sub(r"^(?:Audience members?\.|Jump to).*\n?", "", text, flags=re.MULTILINE)
    text = re.sub(r"^The President\. ", "", text, flags=re.MULTILINE)
    return _tidy(text.translate(_PLAIN))


_PLAIN = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "Õ": "'", "Ô": "'", "—": "--", "–": "-", "⁄": "/"}
    | dict.fromkeys("•|_", " ")
)


def _tidy(text: str) -> str:
    """No space at the end of a line, no two in a row, no two blank lines in a row, one line break at the end."""
    text = re.sub(r" +", " ", text)
    text = re.sub(r" ?\n ?", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@lru_cache(maxsize=1)
def _all_plays() -> list[Play]:
    files = sorted(assets.path("shakespeare").rglob("plays/*/*.md"), key=lambda file: file.parts[-2:])
    return [Play(file.stem, file.parent.name, clean_play(file.read_text(encoding="utf-8"))) for file in files]


@lru_cache(maxsize=1)
def _all_addresses() -> list[Speech]:
    return [Speech(speech.president, speech.year, clean_address(speech.text)) for speech in speeches()]


def _check(part: str) -> None:
    if part not in PARTS:
        raise ValueError(f"part={part!r} is not known; choose one of: {', '.join(PARTS)}.")
