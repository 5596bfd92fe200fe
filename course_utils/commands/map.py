"""``python -m course_utils map`` (``make map``): the README's map, made from ``notebooks/syllabus.toml``."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from course_utils import assets, files
from course_utils.commands import CommandError

MAP_START, MAP_END = "<!-- map: made by 'python -m course_utils map' -->", "<!-- end of map -->"


def syllabus(project: Path) -> list[dict[str, Any]]:
    """Every notebook of the course in reading order, as ``notebooks/syllabus.toml`` lists it."""
    return tomllib.loads((project / "notebooks" / "syllabus.toml").read_text(encoding="utf-8"))["notebook"]


def course_map(project: Path) -> str:
    """The README's map of the course in Markdown: a table for each part; the notebooks that are there are links."""
    lines: list[str] = []
    part = None
    for notebook in syllabus(project):
        if notebook["part"] != part:
            part = notebook["part"]
            lines += ["", f"**{part}**", "", "| | notebook | minutes | the learner |", "|---|---|---|---|"]
        file = f"notebooks/{notebook['name']}.ipynb"
        present = (project / file).exists()
        number, promise = notebook["name"][:2], notebook["promise"]
        title = f"[{notebook['title']}]({file})" if present else f"{notebook['title']} *(to come)*"
        lines.append(f"| {number} | {title} | {notebook['minutes']} | {promise[0].lower()}{promise[1:]} |")
    return "\n".join(lines).strip()


def with_map(readme: str, table: str) -> str:
    r"""The README's text with the block between the two markers replaced by ``table``.

    >>> with_map(f"# Course\n{MAP_START}\nold\n{MAP_END}\nend", "new").splitlines()[2:-2]
    ['', 'new', '']
    """
    before, start, rest = readme.partition(MAP_START)
    _, end, after = rest.partition(MAP_END)
    if not (start and end):
        raise CommandError(f"README.md has lost the markers of the map; put back '{MAP_START}' and '{MAP_END}'.")
    return f"{before}{start}\n\n{table}\n\n{end}{after}"


def run(_: Sequence[str] = ()) -> int:
    """Rewrites the map of the course in ``README.md``; the exit status."""
    project = assets.project_folder()
    readme = project / "README.md"
    text = with_map(readme.read_text(encoding="utf-8"), course_map(project))
    with files.whole(readme) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    return 0
