"""Is everything there? The answer in words, for someone who has never installed anything."""

import html
import importlib
import platform
import shutil
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from course_utils import assets

NEEDED = {"torch": "does the arithmetic", "jupyterlab": "shows this page", "ipywidgets": "makes the sliders"}
ROOM = 2_000_000_000  # bytes: the models once more, unpacked for speed, and some to spare


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    good: bool | None  # None: not known yet
    what: str
    words: str


def check_installation() -> "Installation":
    """Look at Python, the packages, the disk and the real data; shown as a table with one sentence a row.

    >>> check_installation().findings[0].what
    'Python'
    """
    return Installation((_python(), *map(_package, NEEDED), _disk(), *map(_asset, assets.manifest())))


@dataclass(frozen=True, repr=False)
class Installation:
    """What `check_installation` found."""

    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """Nothing is missing."""
        return all(finding.good for finding in self.findings)

    def __repr__(self) -> str:
        missing = [finding for finding in self.findings if not finding.good]
        if not missing:
            return _HERE
        return "\n".join(f"{finding.what}: {finding.words}" for finding in missing)

    def _repr_html_(self) -> str:
        return f"{_table(self.findings)}<p>{html.escape(_HERE) if self.good else _TO_DO}</p>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """The table, with a last row that only a page with working widgets can show."""
        import ipywidgets as widgets

        live = widgets.HTML(_table((*self.findings, _LIVE)) + self._repr_html_().partition("</table>")[2])
        still = _table((*self.findings, _STILL)) + self._repr_html_().partition("</table>")[2]
        return {**live._repr_mimebundle_(), "text/html": still, "text/plain": repr(self)}


_SIGNS = {True: "✓", False: "✗", None: "…"}
_HERE = (
    "Everything the course needs is here. If a box has said NameError, run the boxes above it, from the top of the "
    "page, and then that box again."
)
_TO_DO = "Mend the rows marked ✗ first; each says how."
_LIVE = Finding(True, "interactive pictures", "they work: this row is one")
_STILL = Finding(
    None,
    "interactive pictures",
    "not tried yet: click into the box above and press Shift and Enter. If this row stays, "
    "close the page and start the course anew with the command make lab",
)


def _python() -> Finding:
    return Finding(True, "Python", f"version {platform.python_version()}, the language of this course")


def _package(name: str) -> Finding:
    try:
        version = metadata.version(name)
        importlib.import_module(name)
    except metadata.PackageNotFoundError:
        return Finding(False, name, f"not installed, and it {NEEDED[name]}: run make lab again")
    except (ImportError, OSError) as problem:  # half of it is there, or it was made for another machine
        return Finding(False, name, f"version {version}, but it does not start ({problem}): run make lab again")
    return Finding(True, name, f"version {version}; it {NEEDED[name]}")


def _disk() -> Finding:
    folder = assets.cache_folder()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    words = f"{free / 1e9:,.0f} GB free"
    if free < ROOM:
        return Finding(False, "disk", f"{words}, and the course wants {ROOM / 1e9:.0f} GB: make some room")
    return Finding(True, "disk", f"{words}, enough")


def _asset(name: str) -> Finding:
    fault, asset = assets.fault(name), assets.find(name)
    if fault is None:
        return Finding(True, name, f"here: {asset.inside}")
    return Finding(False, name, f"not here yet; in a terminal, run {asset.command}")


def _table(findings: tuple[Finding, ...]) -> str:
    rows = "".join(
        f'<tr><td>{_SIGNS[finding.good]}</td><td style="text-align: left">{html.escape(finding.what)}</td>'
        f'<td style="text-align: left">{html.escape(finding.words)}</td></tr>'
        for finding in findings
    )
    return f"<table>{rows}</table>"
