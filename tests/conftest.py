"""What every test shares: the markers, a home of its own, and which tests belong to which notebook."""

import os
import re
from pathlib import Path

import hypothesis
import pytest

# Before numpy or torch is imported anywhere: waiting threads sleep, for the tests' processes share two cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

PROJECT = Path(__file__).resolve().parents[1]

hypothesis.settings.register_profile("course", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("course")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "slow: takes four seconds or more with all its cases; 'make check' leaves it out"
    )


def notebook_of(file: str, case: str = "") -> str | None:
    """The number of the notebook that a test belongs to, or None for a test of the whole course.

    Args:
        file: the name of the test's file; ``test_lesson_09.py`` and ``test_09_attention.py`` belong to notebook 09.
        case: the identity of a parametrised case; ``09_attention`` and ``09.2`` belong to notebook 09.
    """
    found = re.match(r"test_(?:lesson_)?(\d\d)[._]", file) or re.match(r"(\d\d)[._]", case)
    return found[1] if found else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """``NOTEBOOKS=09`` in the environment keeps what belongs to notebook 09 and nothing else."""
    from course_utils.commands.test import wanted_notebooks

    if os.environ.get("NOTEBOOKS"):
        wanted = {path.stem[:2] for path in wanted_notebooks(PROJECT, os.environ)}
        belonging = {
            item: notebook_of(item.path.name, item.callspec.id if hasattr(item, "callspec") else "") for item in items
        }
        config.hook.pytest_deselected(items=[item for item in items if belonging[item] not in wanted])
        items[:] = [item for item in items if belonging[item] in wanted]


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout."""
    return PROJECT
