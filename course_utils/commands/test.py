"""``python -m course_utils test`` (``make test``): everything that CI runs.

Lint, unit tests, doctests, parity, every notebook against its recorded outputs, the browser. Each notebook is executed
twice in all: once to compare its outputs and once in the browser. Every processor core is kept busy, with one thread of
arithmetic in each process, because two processes with two threads each on two cores wait for each other.
"""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from course_utils import assets
from course_utils.commands import lint, need, notebooks, say
from course_utils.commands.browser import provide_browser
from course_utils.commands.lab import fetch_assets

NOTEBOOK_SECONDS = 60  # the goal for one notebook on two cores; a run fails only beyond three times that
LONGER_NOTEBOOKS = {"11": 120, "15": 120}  # the two that train the longest

WORKERS = min(os.cpu_count() or 1, 4)  # each may hold the chat model, 1.5 GB
# pytest-xdist: all tests of a file in one worker, for they share what they load; tests/conftest.py orders the files.
SIDE_BY_SIDE = ("-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder")
# In the browser, all tests of a notebook, of whatever file; tests/browser/conftest.py says which.
WINDOWS_SIDE_BY_SIDE = ("-n", str(WORKERS), "--dist", "loadgroup", "--no-loadscope-reorder")
NOTHING_COUNTED = {"passed": 0, "failed": 0, "skipped": 0, "xfailed": 0}
NOTHING_SELECTED = 5  # pytest's exit status when options such as -k leave no test


def one_thread(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with one thread of arithmetic for each process, and waiting threads that sleep.

    >>> one_thread({"HOME": "here"})["OMP_NUM_THREADS"]
    '1'
    """
    return {**environment, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def goal(notebook: str) -> int:
    """The seconds that a notebook may take, by its name or number.

    >>> goal("09_attention"), goal("11_pretraining")
    (60, 120)
    """
    return LONGER_NOTEBOOKS.get(notebook[:2], NOTEBOOK_SECONDS)


def wanted_notebooks(project: Path, environment: Mapping[str, str]) -> list[Path]:
    """The notebooks that ``NOTEBOOKS`` in the environment names, such as ``09`` or ``00 12``; without it, all."""
    return notebooks.chosen(project / "notebooks", environment.get("NOTEBOOKS", "").replace(",", " ").split())


@dataclass(frozen=True)
class Session:
    """What one run of pytest came to."""

    name: str
    counts: Mapping[str, int]  # passed, failed, skipped, xfailed: see read_counts
    failure: str | None  # the line for the summary
    seconds: float
    output: str  # what it printed, where it did not print on the screen


class Stages:
    """Runs the stages of ``test`` one after the other and adds up what pytest counted."""

    def __init__(self, project: Path, extra: Sequence[str]) -> None:
        self.project, self.extra = project, list(extra)
        self.folder = tempfile.TemporaryDirectory(prefix="course-test-")
        progress = Path(self.folder.name) / "progress.json"
        self.environment = one_thread(notebooks.kernel_environment(progress))
        self.counts = dict(NOTHING_COUNTED)
        self.failures: list[str] = []
        self.started = time.monotonic()

    def run(self, name: str, arguments: Sequence[str]) -> None:
        """One pytest session that prints as it goes."""
        say(f"--- {name}")
        session = self._pytest(name, arguments)
        self._add(session)
        say(f"{name}: {session.seconds:.0f} s.")

    def run_side_by_side(self, stages: Sequence[tuple[str, Sequence[str], float]]) -> Iterator[Session]:
        """Several pytest sessions, as many at once as there are workers; each is printed as a whole when it is over.

        Args:
            stages: name, arguments and the seconds after which a session is stopped and counts as failed.
        """
        with ThreadPoolExecutor(WORKERS) as pool:
            for done in [pool.submit(self._pytest, *stage, quiet=True) for stage in stages]:
                session = done.result()
                say(f"--- {session.name}\n{session.output.rstrip()}")
                self._add(session)
                yield session

    def _pytest(
        self, name: str, arguments: Sequence[str], seconds: float | None = None, quiet: bool = False
    ) -> Session:
        began = time.monotonic()
        counts, failure = dict(NOTHING_COUNTED), None
        with tempfile.TemporaryDirectory() as folder, (Path(folder) / "output").open("w+", encoding="utf-8") as printed:
            report = Path(folder) / "report.xml"
            command = [sys.executable, "-m", "pytest", "-q", *arguments, *self.extra, f"--junitxml={report}"]
            out = printed if quiet else None  # a file, because a kernel left behind would hold a pipe open
            try:
                code = subprocess.run(
                    command, cwd=self.project, env=self.environment, timeout=seconds, stdout=out, stderr=out
                ).returncode
            except subprocess.TimeoutExpired:
                code, failure = 1, f"{name} took longer than {seconds:.0f} s and was stopped"
            else:
                if report.exists():
                    counts = read_counts(report.read_text(encoding="utf-8"))
                if counts["failed"] or (code and not (code == NOTHING_SELECTED and self.extra)):
                    failure = name
            if failure and not counts["failed"]:
                counts = {**counts, "failed": 1}  # one that pytest itself could not report
            printed.seek(0)
            output = printed.read()
        return Session(name, counts, failure, time.monotonic() - began, output)

    def _add(self, session: Session) -> None:
        self.counts = {key: self.counts[key] + session.counts[key] for key in self.counts}
        if session.failure:
            self.failures.append(session.failure)

    def fail(self, sentence: str) -> None:
        """Counts a failure of something that is no pytest session."""
        self.counts["failed"] += 1
        self.failures.append(sentence)

    def summary(self) -> str:
        """The closing lines, in pytest's own form."""
        lines = [f"FAILED {sentence}" for sentence in self.failures]
        numbers = ", ".join(f"{n} {word}" for word, n in sorted(self.counts.items()) if n or word == "passed")
        return "\n".join([*lines, f"===== {numbers} in {time.monotonic() - self.started:.2f}s ====="])


def read_counts(report: str) -> dict[str, int]:
    """What a junit report says: how many tests passed, failed (errors included), were skipped, failed as expected.

    >>> read_counts('<testsuites><testsuite tests="5" failures="1" errors="1" skipped="0"/></testsuites>')
    {'passed': 3, 'failed': 2, 'skipped': 0, 'xfailed': 0}
    """
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    root = ElementTree.fromstring(report)
    for suite in root.iter("testsuite"):
        for key in totals:
            totals[key] += int(suite.get(key, 0))
    failed = totals["failures"] + totals["errors"]
    expected = sum(case.get("type") == "pytest.xfail" for case in root.iter("skipped"))
    skipped, passed = totals["skipped"] - expected, totals["tests"] - failed - totals["skipped"]
    return {"passed": passed, "failed": failed, "skipped": skipped, "xfailed": expected}


def notebook_stage(project: Path, notebook: Path) -> tuple[str, list[str], float]:
    """The session that executes one notebook and compares its outputs: name, arguments, limit in seconds."""
    limit = goal(notebook.stem) * 3
    strict = ["--nbval", "--nbval-current-env", f"--nbval-cell-timeout={limit}", "-p", "no:cacheprovider"]
    return f"{notebook.stem} run again, outputs compared", [*strict, str(notebook.relative_to(project))], limit


def run(extra: Sequence[str]) -> int:
    """Everything; the exit status.

    ``NOTEBOOKS=09`` in the environment narrows the run to what belongs to those notebooks (``tests/conftest.py`` says
    what does); ``extra`` goes to pytest.
    """
    project = assets.project_folder()
    need("pytest", "pip install -c constraints.txt -e '.[test]'")
    chosen = wanted_notebooks(project, os.environ)
    fetch_assets(required=True)
    say(f"The browser for the tests: {provide_browser()}")

    stages = Stages(project, extra)
    say("--- lint")
    if lint.run():
        stages.fail("lint")
    if os.environ.get("NOTEBOOKS"):
        stages.run("rules, exercises and statements of these notebooks", ["tests/notebooks", "tests/practice"])
    else:
        stages.run(
            "unit tests, doctests and parity", [*SIDE_BY_SIDE, "tests", "course_utils", "--ignore=tests/browser"]
        )
    longest_first = sorted(chosen, key=lambda path: -goal(path.stem))
    sessions = stages.run_side_by_side([notebook_stage(project, path) for path in longest_first])
    for path, session in zip(longest_first, sessions, strict=True):
        share = notebooks.compared_share(notebooks.read(path))
        say(f"{path.stem}: {session.seconds:.0f} s, the goal is {goal(path.stem)} s; {share:.0%} of outputs compared.")
    stages.run("browser", [*(WINDOWS_SIDE_BY_SIDE if len(chosen) > 1 else ()), "tests/browser"])
    say(stages.summary())
    return 1 if stages.failures else 0
