"""Recorded runs: tables of measurements that take minutes to make, in ``datasets/runs``.

Lines that begin with ``#`` stand above the table and say what it is and how it was made.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils import assets, files


@dataclass(frozen=True)
class Recorded:
    """One table of recorded runs."""

    rows: list[dict[str, Any]]  # one a run; numbers are numbers
    header: str  # the lines above the table, without their ``#``

    @property
    def provenance(self) -> str:
        """How the runs were made, in two lines: the command; seeds, machine and date."""
        return "\n".join(line for line in self.header.splitlines() if line.startswith(("command:", "seed")))


def recorded(name: str) -> Recorded:
    """The recorded runs of ``datasets/runs/<name>.csv``.

    >>> runs = recorded("stuck_runs")
    >>> len(runs.rows), runs.rows[0]["neuron"], runs.rows[0]["parameters"]
    (600, 'tanh', 2)
    >>> print(runs.provenance)
    command: OMP_NUM_THREADS=1 python datasets/make/stuck_runs.py
    seed: 0   machine: 2 CPU cores, 1 used   date: 2026-11-22
    """
    path = _path(name)
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.csv")))
        raise ValueError(f"There are no recorded runs named {name!r}; choose one of: {known}.")
    lines = path.read_text(encoding="utf-8").splitlines()
    above = [line for line in lines if line.startswith("#")]
    table = csv.DictReader(line for line in lines if not line.startswith("#"))
    rows = [{column: _value(text) for column, text in row.items()} for row in table]
    return Recorded(rows, "".join(f"{line.removeprefix('#').removeprefix(' ')}\n" for line in above))


def shown(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Hand on the rows as they come, each printed: a table of long runs can be watched.

    >>> list(shown([{"seed": 0, "loss": 0.123456}]))
    0 0.1235
    [{'seed': 0, 'loss': 0.123456}]
    """
    for row in rows:
        print(*_rounded(row, 4).values(), flush=True)
        yield row


def record(name: str, header: str, rows: Iterable[dict[str, Any]], *, decimals: int = 4) -> Path:
    """Write ``datasets/runs/<name>.csv``, whole or not at all, as `recorded` reads it.

    Args:
        name: of the file.
        header: what the table is and how it was made; one of its lines begins with "command:", another with "seed".
        rows: all with the same columns.
        decimals: of every float.
    """
    table = [_rounded(row, decimals) for row in rows]
    with files.whole(_path(name)) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"# {line}\n" for line in header.splitlines())
        writer = csv.DictWriter(file, table[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    return _path(name)


def _rounded(row: dict[str, Any], decimals: int) -> dict[str, Any]:
    return {column: round(value, decimals) if isinstance(value, float) else value for column, value in row.items()}


def _path(name: str) -> Path:
    return assets.project_folder() / "datasets" / "runs" / f"{name}.csv"


def _value(text: str) -> int | float | str:
    """A number if the text is one.

    >>> _value("2"), _value("0.50"), _value("tanh")
    (2, 0.5, 'tanh')
    """
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text
