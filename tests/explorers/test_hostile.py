"""A sample of ``benchmarks/hostile.py``: some hundred hostile actions on every explorer."""

import importlib
from pathlib import Path

import pytest

from . import hostile, sweep

for path in sorted(Path(__file__).parent.glob("sweep_*.py")):
    importlib.import_module(f".{path.stem}", __package__)


@pytest.mark.parametrize("kind", sweep.FACTORIES, ids=lambda kind: kind.__name__)
def test_hostile_hands_find_nothing(kind: type) -> None:
    done = hostile.hammer(sweep.FACTORIES[kind](), 40)
    assert done["move"] > 5 and done["refused"] > 0
