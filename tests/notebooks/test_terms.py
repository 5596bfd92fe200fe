"""Every term of the glossary is linked, or explained, where a lesson first uses it."""

import re
from pathlib import Path

import nbformat
import pytest

from course_utils import assets

PROJECT = assets.project_folder()
FILES = sorted((PROJECT / "notebooks").glob("*.ipynb"))
ROW = re.compile(
    r'^\| (?:<a id="(?P<anchor>[^"]+)"></a>)?(?P<term>[^|]+?) \| (?P<meaning>[^|]+?) \| (?P<lesson>\d\d) \|$'
)
CODE = re.compile(
    r"^#[^\n]*$|```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$", re.MULTILINE | re.DOTALL
)  # headings, formulas too
# Where a word is no mention either: tags, addresses, and phrases of everyday English.
SKIPPED = re.compile(r"<[^>]+>|(?<=\])\([^)]*\)|\ba (?:little )?bit\b(?! of information)|\bbit by bit\b|\bin context\b")
MARKED = re.compile(r"\*\*[^*]+\*\*|(?<!\*)\*[^*]+\*(?!\*)|\[[^\]]+\]\([^)]*\)")


def glossary() -> dict[str, tuple[str, int]]:
    """For each way to write a term: the anchor of its row, and the number of the lesson that explains it."""
    found = {}
    for line in (PROJECT / "docs" / "glossary.md").read_text("utf-8").splitlines():
        row = ROW.match(line)
        if row:
            whole = row["term"]
            names = [*re.sub(r" \([A-Z]+\)", "", whole).split(", "), *re.findall(r"\(([A-Z]+)\)", whole)]
            for name in names:  # exclusive or (XOR): two names; error (of a neuron): one of three words
                found[re.sub("[()]", "", name)] = (row["anchor"] or "", int(row["lesson"]))
    return found


def slug(term: str) -> str:
    """The anchor of a term.

    >>> slug("error (of a neuron)"), slug("Huber's loss"), slug("95 % interval")
    ('error-of-a-neuron', 'hubers-loss', '95-interval')
    """
    return re.sub(r"[^a-z0-9]+", "-", term.lower().replace("'", "")).strip("-")


def blank(pattern: re.Pattern[str], text: str) -> str:
    """The text with spaces in place of what the pattern finds, so that all else keeps its place."""
    return pattern.sub(lambda match: " " * len(match[0]), text)


def first_mentions(text: str, terms: list[str]) -> dict[str, tuple[int, int]]:
    """Where each term first stands in a text: the longest term wins, and an ``s`` at its end may be there or not."""
    hidden = blank(SKIPPED, blank(CODE, text))
    ordered = sorted(terms, key=len, reverse=True)
    names = "|".join(re.escape(term).replace(r"\ ", r"\s+") for term in ordered)
    pattern = re.compile(rf"(?<![\w-])(?:{names})(?=s?(?![\w-]))", re.IGNORECASE)
    by_name = {term.lower(): term for term in terms}
    found: dict[str, tuple[int, int]] = {}
    for match in pattern.finditer(hidden):
        term = by_name[re.sub(r"\s+", " ", match[0]).lower()]
        found.setdefault(term, match.span())
    return found


def prose(path: Path) -> str:
    """All markdown of a notebook, one cell after the other."""
    notebook = nbformat.read(path, as_version=4)
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def unexplained(text: str) -> list[str]:
    """Terms whose first mention is neither a link nor set in bold or italics, which marks an explanation."""
    marked = [match.span() for match in MARKED.finditer(blank(CODE, text))]
    return [
        f"{term}: …{text[max(0, begin - 40) : end + 20]!r}…"
        for term, (begin, end) in first_mentions(text, list(glossary())).items()
        if not any(left <= begin and end <= right for left, right in marked)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_first_mention_of_a_term_is_linked_or_explained(path):
    assert unexplained(prose(path)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_links_to_the_glossary_lead_to_a_row(path):
    anchors = {anchor for anchor, _ in glossary().values()}
    assert set(re.findall(r"docs/glossary\.md#([^)\s]+)", prose(path))) <= anchors


def test_each_row_has_its_anchor_and_stands_in_order():
    rows = [row for row in map(ROW.match, (PROJECT / "docs" / "glossary.md").read_text("utf-8").splitlines()) if row]
    assert len(rows) > 100
    assert [row["anchor"] for row in rows] == [slug(row["term"]) for row in rows]
    assert [row["term"] for row in rows] == sorted((row["term"] for row in rows), key=str.casefold)


def test_a_planted_stranger_is_found():
    assert unexplained("The gradient is here, and [the loss](../docs/glossary.md#loss); the loss again.") != []
    assert unexplained("The [gradient](../docs/glossary.md#gradient) is a **loss**; `bias` is code.") == []
