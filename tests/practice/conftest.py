import pytest

from course_utils.practice import progress


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    """Every test begins with no progress, in a file of its own."""
    file = tmp_path / "progress" / "progress.json"
    monkeypatch.setenv("COURSE_PROGRESS", str(file))
    monkeypatch.setattr(progress, "_unsaved", {})
    monkeypatch.setattr(progress, "_notices", [])
    monkeypatch.setattr(progress, "_told", set())
    return file
