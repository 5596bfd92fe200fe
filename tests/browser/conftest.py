"""A JupyterLab and a browser for the tests in this folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from course_utils.__main__ import find_browser
from tests.browser.lab import VIEWPORT, Lab, chromium, server


def copy_notebooks(project: Path, folder: Path) -> Path:
    """A copy of ``notebooks/`` to run and save in, so that the checkout stays as it is."""
    return Path(shutil.copytree(project / "notebooks", folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints")))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = find_browser()
    if executable is None:
        pytest.fail("The browser tests need Chromium, Chrome or Edge; 'make test' installs one where it can.")
    with chromium(executable) as found:
        yield found


@pytest.fixture(scope="session")
def address(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab on a copy of the notebooks."""
    home = tmp_path_factory.mktemp("lab")
    with server(copy_notebooks(project, home / "notebooks"), home) as running:
        yield running


@pytest.fixture
def untrusted_address(project: Path, tmp_path: Path) -> Iterator[str]:
    """JupyterLab that has never run, and so never trusted, any of the notebooks."""
    with server(copy_notebooks(project, tmp_path / "notebooks"), tmp_path) as running:
        yield running


@pytest.fixture
def new_lab(browser: Browser, project: Path, request: pytest.FixtureRequest):
    """Opens windows on a server; each is closed at the end, after a last picture of it."""
    windows: list[Lab] = []

    def opened(at: str) -> Lab:
        page = browser.new_context(viewport=VIEWPORT).new_page()
        windows.append(Lab(page, at, project / "artefacts"))
        return windows[-1]

    yield opened
    for number, lab in enumerate(windows):
        lab.screenshot(f"end-of-{request.node.name.strip(']').replace('[', '-')}{number or ''}")
        lab.shut_kernel()
        lab.page.context.close()


@pytest.fixture
def lab(new_lab, address: str) -> Lab:
    return new_lab(address)
