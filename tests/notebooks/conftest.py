"""What the tests of one lesson share."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def own_progress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A progress file for this module alone, so that no learner's own is read or written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_PROGRESS", str(tmp_path_factory.mktemp("progress") / "progress.json"))
        yield


@pytest.fixture(scope="module")
def names(request: pytest.FixtureRequest, own_progress: None) -> dict[str, Any]:
    """The names that the cells of the module's ``PAGE`` leave behind, and what the last line of each cell shows."""
    return request.module.PAGE.run()
