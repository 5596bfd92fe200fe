"""Every explorer of the package goes through the sweep; one without a factory fails here."""

import importlib
from pathlib import Path

import pytest

from course_utils.explorers.base import TextExplorer

from . import sweep

for path in sorted(Path(__file__).parent.glob("sweep_*.py")):
    importlib.import_module(f".{path.stem}", __package__)


def test_every_explorer_has_a_factory() -> None:
    assert sweep.explorers(), "the package has no explorer at all"
    missing = {kind.__name__ for kind in sweep.explorers() - set(sweep.FACTORIES)}
    assert not missing, f"give these a factory in tests/explorers/sweep_<topic>.py: {missing}"


@pytest.mark.parametrize("kind", sweep.FACTORIES, ids=lambda kind: kind.__name__)
def test_sweep(kind: type) -> None:
    sweep.sweep(sweep.FACTORIES[kind]())


@pytest.mark.parametrize("kind", sweep.FACTORIES, ids=lambda kind: kind.__name__)
def test_it_fits_beside_jupyterlabs_list_of_files(kind) -> None:
    if issubclass(kind, TextExplorer):
        return  # a text breaks its lines where the column ends
    assert kind.size[0] <= 8.4, "a window of 1280 pixels leaves about 848 to an output"
