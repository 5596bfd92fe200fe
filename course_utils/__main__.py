"""The course's commands: ``python -m course_utils lab`` opens it, ``python -m course_utils test`` checks all of it.

``make lab`` and ``make test`` call these, so that conda and Windows users get the same.
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path

from course_utils import assets, files, notebooks

# JupyterLab's defaults for a learner: no question about news, no request for updates. They go into a folder of their
# own, below the learner's own settings, which are neither read nor written here.
LAB_SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}

NOTEBOOK_SECONDS = 60  # the goal for one notebook on two cores; a run fails only beyond three times that
LONGER_NOTEBOOKS = {"11": 120, "15": 120}  # the two that train the longest

NOTHING_SELECTED = 5  # pytest's exit status when options such as -k leave no test
FAST = ("tests", "course_utils", "--ignore=tests/browser", "--ignore=tests/parity")
BROWSER_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)
MAP_START, MAP_END = "<!-- map: made by 'python -m course_utils map' -->", "<!-- end of map -->"


class CommandError(Exception):
    """Something the person at the keyboard can mend; its message is one sentence."""


# ---------------------------------------------------------------- the course's list of notebooks


def syllabus(project: Path) -> list[dict]:
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


def write_map() -> int:
    """Rewrites the map of the course in ``README.md``."""
    project = assets.project_folder()
    readme = project / "README.md"
    text = with_map(readme.read_text(encoding="utf-8"), course_map(project))
    with files.whole(readme) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    return 0


def wanted_notebooks(project: Path, environment: Mapping[str, str]) -> list[Path]:
    """The notebooks that ``NOTEBOOKS`` in the environment names, such as ``09`` or ``00 12``; without it, all."""
    return notebooks.chosen(project / "notebooks", environment.get("NOTEBOOKS", "").replace(",", " ").split())


# ---------------------------------------------------------------- lab


def lab_options(folder: Path, settings: Path, extra: Sequence[str]) -> list[str]:
    """The options JupyterLab is started with; any that ``extra`` sets as well is left to ``extra``.

    >>> lab_options(Path("notebooks"), Path("settings"), ["--ServerApp.root_dir=elsewhere", "--no-browser"])[-2:]
    ['--ServerApp.root_dir=elsewhere', '--no-browser']
    """
    options = {
        "--ServerApp.root_dir": str(folder),
        "--LabApp.default_url": "/lab/tree/00_start_here.ipynb",
        "--LabApp.app_settings_dir": str(settings),
        "--LabApp.extra_labextensions_path": str(Path(__file__).parent / "labextensions"),  # pictures with their text
        "--ContentsManager.pre_save_hook": "course_utils.notebooks.pre_save_hook",
        "--ServerApp.kernel_websocket_connection_class": "course_utils.server.PromptConnection",
    }
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options["--ServerApp.allow_root"] = "True"  # a container's only user; the server still asks for its token
    given = {option.partition("=")[0] for option in extra}
    return [f"{name}={value}" for name, value in options.items() if name not in given] + list(extra)


def lab(extra: Sequence[str]) -> int:
    """Fetches the real texts and models, then opens JupyterLab in ``notebooks/``; ``extra`` goes to JupyterLab."""
    project = assets.project_folder()
    need("jupyterlab", "pip install -c constraints.txt -e .")
    if os.environ.get("ASSETS") == "later":
        say("The real texts and models are fetched later, each by the first cell that needs it (ASSETS=later).")
    else:
        fetch_assets(required=False)
    quiet_threads(os.environ)
    from jupyterlab.labapp import LabApp  # imported late: the other commands do without

    with tempfile.TemporaryDirectory(prefix="course-lab-") as folder:
        settings = Path(folder) / "settings"
        settings.mkdir()
        (settings / "overrides.json").write_text(json.dumps(LAB_SETTINGS), encoding="utf-8")
        LabApp.launch_instance(lab_options(project / "notebooks", settings, extra))
    return 0


def fetch_assets(*, required: bool) -> None:
    """Fetches every asset that is not in the cache yet.

    Args:
        required: stop if something could not be fetched; otherwise the notebook that needs it will ask again.
    """
    say("Fetching the real texts and models (about 185 MB, once) ...")
    code = subprocess.call([sys.executable, "-m", "course_utils.assets", "fetch", "--all"])
    if code and required:
        raise CommandError("The real texts and models could not all be fetched, and the tests need them: see above.")
    if code:
        say("Some are missing, see above. The notebooks that need them will ask for them again.")


def quiet_threads(environment: MutableMapping[str, str]) -> None:
    """Lets waiting threads sleep: kernel, server and browser share two cores, and a spinning thread starves them."""
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")


# ---------------------------------------------------------------- finding a browser


def find_browser() -> str | None:
    """The path of a Chromium, Chrome or Edge on this machine, or None."""
    for name in BROWSER_NAMES:
        if found := shutil.which(name):
            return found
    places = [
        Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
        Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
        Path("/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge"),
    ]
    for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        if folder := os.environ.get(variable):
            places.append(Path(folder) / "Google" / "Chrome" / "Application" / "chrome.exe")
            places.append(Path(folder) / "Microsoft" / "Edge" / "Application" / "msedge.exe")
    if found := next((str(path) for path in places if path.exists()), None):
        return found
    from playwright.sync_api import sync_playwright  # asked last: starting playwright takes a second

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return str(own) if own.exists() else None


def provide_browser() -> str:
    """The path of a browser, installed now if there is none.

    Raises:
        CommandError: there is none and none could be installed.
    """
    if found := find_browser():
        return found
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        say("No Chromium, Chrome or Edge here: installing Debian's chromium with apt-get ...")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.call(["apt-get", "update", "-qq"], env=quiet)
        subprocess.call(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], env=quiet)
    if not find_browser():
        say("No Chromium, Chrome or Edge here: asking playwright for its Chromium ...")
        subprocess.call([sys.executable, "-m", "playwright", "install", "chromium"])
    if found := find_browser():
        return found
    raise CommandError("The browser tests need Chromium, Chrome or Edge, and none could be installed; install one.")


# ---------------------------------------------------------------- lint, check, test


def lint() -> int:
    """Ruff over code, tests and notebooks, then mypy over the package; the exit status."""
    need("ruff", "pip install -c constraints.txt -e '.[test]'")
    project = assets.project_folder()
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        say("$ " + " ".join(command))
        if code := subprocess.call([sys.executable, "-m", *command], cwd=project):
            return code
    return 0


def check(extra: Sequence[str]) -> int:
    """The developer's loop: lint, then every test that is quick, so no browser and no notebook."""
    if code := lint():
        return code
    environment = dict(os.environ)
    quiet_threads(environment)
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", *FAST, *extra]
    return subprocess.call(command, cwd=assets.project_folder(), env=environment)


class Stages:
    """Runs the stages of ``test`` one after the other and adds up what pytest counted."""

    def __init__(self, project: Path, extra: Sequence[str]) -> None:
        self.project, self.extra = project, list(extra)
        self.folder = tempfile.TemporaryDirectory(prefix="course-test-")
        self.environment = notebooks.kernel_environment(Path(self.folder.name) / "progress.json")
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.failures: list[str] = []
        self.started = time.monotonic()

    def pytest(self, name: str, arguments: Sequence[str], *, seconds: float | None = None) -> float:
        """One pytest session; a stage that takes longer than ``seconds`` is stopped and counts as failed."""
        say(f"--- {name}")
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.xml"
            command = [sys.executable, "-m", "pytest", "-q", *arguments, *self.extra, f"--junitxml={report}"]
            try:
                code = subprocess.run(command, cwd=self.project, env=self.environment, timeout=seconds).returncode
            except subprocess.TimeoutExpired:
                self.fail(f"{name} took longer than {seconds:.0f} s and was stopped")
                return time.monotonic() - began
            if report.exists():
                counted = read_counts(report.read_text(encoding="utf-8"))
                self.counts = {key: self.counts[key] + counted[key] for key in self.counts}
                if counted["failed"]:
                    self.failures.append(name)
                elif code and not (code == NOTHING_SELECTED and self.extra):
                    self.fail(name)
            else:
                self.fail(name)
        return time.monotonic() - began

    def fail(self, sentence: str) -> None:
        """Counts a failure that pytest itself could not report."""
        self.counts["failed"] += 1
        self.failures.append(sentence)

    def summary(self) -> str:
        """The closing lines, in pytest's own form."""
        lines = [f"FAILED {sentence}" for sentence in self.failures]
        numbers = ", ".join(f"{n} {word}" for word, n in sorted(self.counts.items()) if n or word == "passed")
        return "\n".join([*lines, f"===== {numbers} in {time.monotonic() - self.started:.2f}s ====="])


def read_counts(report: str) -> dict[str, int]:
    """What a junit report says: how many tests passed, failed (errors included) and were skipped.

    >>> read_counts('<testsuites><testsuite tests="5" failures="1" errors="1" skipped="0"/></testsuites>')
    {'passed': 3, 'failed': 2, 'skipped': 0}
    """
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in ElementTree.fromstring(report).iter("testsuite"):
        for key in totals:
            totals[key] += int(suite.get(key, 0))
    failed = totals["failures"] + totals["errors"]
    return {"passed": totals["tests"] - failed - totals["skipped"], "failed": failed, "skipped": totals["skipped"]}


def run_tests(extra: Sequence[str]) -> int:
    """Everything: lint, unit tests, doctests, parity, every notebook against its recorded outputs, the browser.

    ``NOTEBOOKS=09`` in the environment narrows the run to what concerns those notebooks; ``extra`` goes to pytest.
    """
    project = assets.project_folder()
    need("pytest", "pip install -c constraints.txt -e '.[test]'")
    chosen = wanted_notebooks(project, os.environ)
    fetch_assets(required=True)
    say(f"The browser for the tests: {provide_browser()}")

    stages = Stages(project, extra)
    say("--- lint")
    if lint():
        stages.fail("lint")
    if os.environ.get("NOTEBOOKS"):
        say("Unit tests and doctests are left out: NOTEBOOKS narrows the run to these notebooks.")
        stages.pytest("rules for notebooks", ["tests/notebooks"])
    else:
        stages.pytest("unit tests, doctests and parity", ["tests", "course_utils", "--ignore=tests/browser"])
    for path in chosen:
        goal = LONGER_NOTEBOOKS.get(path.stem[:2], NOTEBOOK_SECONDS)
        strict = ["--nbval", "--nbval-current-env", f"--nbval-cell-timeout={goal * 3}"]
        name = f"{path.relative_to(project).as_posix()} run again, outputs compared"
        seconds = stages.pytest(name, [*strict, str(path)], seconds=goal * 3)
        say(f"{path.stem}: {seconds:.0f} s, the goal is {goal} s.")
    stages.pytest("browser", ["tests/browser"])
    say(stages.summary())
    return 1 if stages.counts["failed"] or stages.failures else 0


# ---------------------------------------------------------------- the command line


def need(module: str, cure: str) -> None:
    """Stops with one sentence if a module is not installed.

    >>> need("no_such_module", "pip install it")
    Traceback (most recent call last):
    course_utils.__main__.CommandError: no_such_module is not installed here; run: pip install it
    """
    if not importlib.util.find_spec(module):
        raise CommandError(f"{module} is not installed here; run: {cure}")


def say(sentence: str) -> None:
    """Prints a line at once, so that it stands before what a child process prints."""
    print(sentence, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m course_utils", description=__doc__, allow_abbrev=False)
    parser.add_argument("command", choices=["lab", "test", "check", "lint", "map"])
    parsed, extra = parser.parse_known_args(arguments)
    try:
        match parsed.command:
            case "lab":
                return lab(extra)
            case "test":
                return run_tests(extra)
            case "check":
                return check(extra)
            case "lint":
                return lint()
            case _:
                return write_map()
    except (CommandError, assets.AssetError, notebooks.NotebookError) as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
