"""A JupyterLab and a browser for the tests in this folder.

One module belongs to one notebook and is named after it: ``test_09_attention.py`` tests ``09_attention.ipynb``. Its
notebook is run once; all tests of the module use that window, each an explorer of its own or a cell that it adds.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from course_utils.commands.browser import find_browser
from course_utils.commands.test import goal
from tests.browser.lab import VIEWPORT, Lab, chromium, server


def copy_pages(project: Path, folder: Path) -> Path:
    """A copy of ``notebooks/`` and ``docs/`` in ``folder``, to run and save in: the checkout stays as it is."""
    for part in ("notebooks", "docs"):
        shutil.copytree(project / part, folder / part, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    return folder


@contextlib.contextmanager
def window(browser: Browser, address: str, project: Path) -> Iterator[Lab]:
    """A window on a server; at the end its kernel is ended and the window closed."""
    context = browser.new_context(viewport=VIEWPORT)
    lab = Lab(context.new_page(), address, project / "artefacts")
    try:
        yield lab
    finally:
        lab.shut_kernel()
        context.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = find_browser()
    if executable is None:
        pytest.fail("The browser tests need Chromium, Chrome or Edge; 'make test' installs one where it can.")
    with chromium(executable) as found:
        yield found


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the shared server keeps its settings in, beside its ``notebooks``."""
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def address(project: Path, home: Path) -> Iterator[str]:
    """JupyterLab on a copy of the notebooks."""
    with server(copy_pages(project, home), home) as running:
        yield running


@pytest.fixture(scope="module")
def ran(browser: Browser, address: str, project: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The module's notebook after Run All, run once for all tests of the module."""
    notebook = request.module.__name__.rpartition(".")[2].removeprefix("test_")
    with window(browser, address, project) as lab:
        lab.open(f"{notebook}.ipynb")
        lab.run_all(goal(notebook) * 3)
        yield lab


@pytest.fixture
def lab(ran: Lab, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The module's notebook after Run All; cells that a test adds and errors it provokes go with it."""
    ran.console.clear()
    cells = len(ran.cells())
    yield ran
    ran.screenshot(f"end-of-{request.node.name.strip(']').replace('[', '-')}")
    ran.remove_cells_from(cells)


@pytest.fixture(scope="module")
def untrusted_address(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab that has never run, and so never trusted, any of the notebooks."""
    newcomers = tmp_path_factory.mktemp("newcomer")
    with server(copy_pages(project, newcomers), newcomers) as running:
        yield running


@pytest.fixture
def untrusted(browser: Browser, untrusted_address: str, project: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A newcomer's first window, with nothing in it yet: a test with this fixture runs no cell."""
    with window(browser, untrusted_address, project) as lab:
        yield lab
        lab.screenshot(f"end-of-{request.node.name}")
