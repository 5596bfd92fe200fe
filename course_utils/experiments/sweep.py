"""Many training runs side by side, each kept as soon as it has ended, so that a sweep can be stopped and continued.

joblib does the work: processes on this machine, or a Dask cluster, by one word. Every run that has ended lies in a file
of its own, written whole or not at all; a second call makes what is missing and nothing twice.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from joblib import Parallel, delayed, parallel_config

from course_utils import files

BACKENDS = ("loky", "dask")


if TYPE_CHECKING:
    from _typeshed import DataclassInstance as Run  # the settings of one run: a frozen dataclass of plain values


def name_of(run: Run) -> str:
    """A file's name that says every setting of a run.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Setting:
    ...     width: int
    ...     rate: float
    >>> name_of(Setting(20, 0.02))
    'width=20,rate=0.02'
    """
    return ",".join(f"{key}={value}" for key, value in asdict(run).items())


def sweep(
    runs: Sequence[Run],
    measure: Callable[[Any], dict[str, Any]],
    folder: str | Path,
    *,
    workers: int = 2,
    backend: str = "loky",
    scheduler: str | None = None,
) -> list[dict[str, Any]]:
    """Measure every run that is not in the folder yet, and return the rows of all, in order.

    Args:
        runs: the settings, most wanted first.
        measure: takes a setting and returns its row; a function of a module, so that another process can import it.
            It must not depend on anything but the setting.
        folder: where ended runs are kept; on a cluster of several machines, one that all of them see.
        workers: processes side by side on this machine, one thread each.
        backend: ``"loky"``, processes of joblib's; or ``"dask"``, a Dask cluster.
        scheduler: the address of a running Dask cluster; None starts one on this machine.

    Raises:
        ValueError: if the backend is not known, or its package is not installed.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend={backend!r} is not known; choose one of: {', '.join(BACKENDS)}.")
    if workers < 1:
        raise ValueError(f"workers={workers} must be 1 or more.")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    missing = [run for run in runs if kept(folder, run) is None]
    print(f"{len(runs)} runs: {len(runs) - len(missing)} are there, {len(missing)} to do.", flush=True)
    with _cluster(workers, scheduler) if backend == "dask" else contextlib.nullcontext():
        with parallel_config(backend=backend):
            Parallel(n_jobs=workers, batch_size=1, pre_dispatch="all")(
                delayed(_finish)(measure, run, folder) for run in missing
            )
    rows = [kept(folder, run) for run in runs]
    return [row for row in rows if row is not None]


def kept(folder: Path, run: Run) -> dict[str, Any] | None:
    """The row of a run that has ended; None if it has not, or if its file is damaged: then it is measured again."""
    try:
        row = json.loads((folder / f"{name_of(run)}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return row if isinstance(row, dict) else None


def _finish(measure: Callable[[Any], dict[str, Any]], run: Run, folder: Path) -> None:
    """One run, on one thread, to its file."""
    torch.set_num_threads(1)
    row = measure(run)
    with files.whole(folder / f"{name_of(run)}.json") as unfinished:
        unfinished.write_text(json.dumps(row), encoding="utf-8")
    print(*row.values(), flush=True)


@contextlib.contextmanager
def _cluster(workers: int, scheduler: str | None) -> Iterator[None]:
    """A client of a Dask cluster; joblib finds it by itself."""
    try:
        from distributed import Client
    except ImportError as error:
        raise ValueError("Dask is not installed; run: pip install distributed") from error
    own = {"n_workers": workers, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with Client(scheduler) if scheduler else Client(**own):
        yield
