"""What every test shares: the markers, and a home of its own so that no test touches the learner's files."""

import os
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


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout."""
    return PROJECT
