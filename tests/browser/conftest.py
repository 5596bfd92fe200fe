"""A JupyterLab and a browser for the tests in this folder.

What holds for every notebook stands in ``test_every_notebook.py``; what only one can do, in a module named after it:
``test_09_attention.py`` tests ``09_attention.ipynb``. Each notebook is run once; its tests, first those of every
notebook, share that window, and each uses an explorer of its own or a cell that it adds.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from course_utils.commands import notebooks
from course_utils.commands.browser import find_browser
from course_utils.commands.test import goal
from tests.browser.lab import VIEWPORT, Lab, chromium, server
from tests.conftest import PROJECT


def notebook_of(module: str) -> str:
    """The name of the notebook that a module of tests is named after."""
    return module.rpartition(".")[2].removeprefix("test_")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of a window that has run its notebook: in a numbered module that notebook, else each one there is."""
    if "ran" in metafunc.fixturenames:
        own = notebook_of(metafunc.module.__name__)
        names = [own] if own[:2].isdigit() else [path.stem for path in notebooks.chosen(PROJECT / "notebooks", [])]
        metafunc.parametrize("ran", names, indirect=True, scope="session")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """All tests of one notebook after each other, in one process, those of every notebook first: they find it fresh."""

    def order(item: pytest.Item) -> tuple[str, bool]:
        own = notebook_of(item.path.stem)
        ran = item.callspec.params.get("ran", own) if hasattr(item, "callspec") else own
        return ran, own[:2].isdigit()

    def here(item: pytest.Item) -> bool:
        return item.path.parent == Path(__file__).parent

    for item in filter(here, items):
        item.add_marker(pytest.mark.xdist_group(order(item)[0]))
    yield  # pytest and tests/conftest.py have their own orders
    items.sort(key=lambda item: order(item) if here(item) else ("", False))


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


@pytest.fixture(scope="session")
def ran(browser: Browser, address: str, project: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A notebook after Run All, run once for all its tests."""
    with window(browser, address, project) as lab:
        lab.open(f"{request.param}.ipynb")
        lab.run_all(goal(request.param) * 3)
        yield lab


@pytest.fixture
def lab(ran: Lab, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The notebook after Run All; cells that a test adds and errors it provokes go with it."""
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
    """A newcomer's first window, with nothing in it yet: a test with this fixture saves nothing."""
    with window(browser, untrusted_address, project) as lab:
        yield lab
        lab.screenshot(f"end-of-{request.node.name}")
