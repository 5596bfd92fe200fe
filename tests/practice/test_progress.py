import contextlib
import json
import os
import subprocess
import sys

import pytest

from course_utils.practice import exercise, progress

WRITER = """
import sys
from course_utils.practice import progress
for number in range(40):
    progress.record("exercises", f"{sys.argv[1]}.{number}")
"""


def test_what_is_recorded_is_read_again(own_progress):
    assert progress.solved() == []
    assert not own_progress.exists()
    progress.record("exercises", "01.2")
    progress.record("quizzes", "01.a", choice="yes", right=True)
    assert progress.solved() == ["01.2"]
    assert progress.found("quizzes", "01.a")["choice"] == "yes"
    assert json.loads(own_progress.read_text())["quizzes"]["01.a"]["right"] is True


def test_the_place_is_the_users_data_folder_unless_named(monkeypatch, tmp_path):
    assert progress.path().is_relative_to(tmp_path)
    monkeypatch.delenv("COURSE_PROGRESS")
    assert progress.path().name == "progress.json" and "course-utils" in str(progress.path())


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="kind='exams' is unknown; use one of exercises"):
        progress.record("exams", "1")


def test_two_processes_at_once_lose_nothing():
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name]) for name in ("a", "b", "c")]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len(progress.solved()) == 120


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"exercises": [1]}', b"[]", b'{"quizzes": {"a": 1}}', b"\xff\xfe\x00", b"[" * 100_000]
)
def test_a_broken_file_is_set_aside_with_a_notice(own_progress, content):
    own_progress.parent.mkdir()
    own_progress.write_bytes(content)
    assert progress.solved() == []
    aside = own_progress.with_name("progress.json.broken-1")
    assert aside.read_bytes() == content
    progress.record("exercises", "01.1")
    assert progress.solved() == ["01.1"]
    notice = progress.take_notices()
    assert "could not be read; it is set aside as progress.json.broken-1" in notice
    assert progress.take_notices() == ""


def test_a_second_broken_file_does_not_replace_the_first(own_progress):
    own_progress.parent.mkdir()
    for content in ("first", "second"):
        own_progress.write_text(content)
        progress.load()
    assert own_progress.with_name("progress.json.broken-1").read_text() == "first"
    assert own_progress.with_name("progress.json.broken-2").read_text() == "second"


def test_a_crash_while_writing_leaves_the_old_file(own_progress, monkeypatch):
    progress.record("exercises", "01.1")
    before = own_progress.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    progress.record("exercises", "01.2")
    assert own_progress.read_bytes() == before
    assert progress.solved() == ["01.1", "01.2"]
    assert "No space left on device" in progress.take_notices()


def test_where_nothing_can_be_written_progress_is_kept_in_memory(tmp_path, monkeypatch):
    (tmp_path / "a_file").write_text("")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "a_file" / "progress.json"))
    result = exercise("00.2").check(1)
    assert result and "cannot be saved" in result.message and "until the kernel stops" in result.message
    assert exercise("00.2").solved()
    assert "cannot be saved" not in exercise("00.1").check("shrinks", "grows").message
    assert progress.solved() == ["00.1", "00.2"]
    assert (tmp_path / "a_file").read_text() == ""


def test_what_was_kept_in_memory_is_saved_once_that_is_possible(own_progress, monkeypatch):
    def denied(*names):
        raise PermissionError(13, "denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", denied)
        progress.record("exercises", "01.1")
    assert not own_progress.exists()
    progress.record("exercises", "01.2")
    assert json.loads(own_progress.read_text())["exercises"].keys() == {"01.1", "01.2"}


def test_reset_can_be_undone_and_keeps_what_came_after(own_progress):
    assert progress.reset() == "There was no progress to set back."
    progress.record("exercises", "01.1")
    assert "progress.undo() brings it back" in progress.reset()
    assert progress.solved() == []
    progress.record("exercises", "01.2")
    assert progress.undo() == "Progress is back."
    assert progress.solved() == ["01.1", "01.2"]
    assert progress.undo() == "There is nothing to bring back."


def test_keys_of_a_later_version_are_kept(own_progress):
    own_progress.parent.mkdir()
    own_progress.write_text('{"theme": {"dark": {}}, "exercises": {}}')
    progress.record("exercises", "01.1")
    assert json.loads(own_progress.read_text())["theme"] == {"dark": {}}


def test_reset_takes_with_it_what_another_process_records_meanwhile(own_progress, monkeypatch):
    progress.record("exercises", "01.1")
    wait, others = progress._lock, []

    @contextlib.contextmanager
    def late(file):  # whenever this process waits for the lock, another one comes first
        others.append(f"other{len(others)}")
        subprocess.run([sys.executable, "-c", WRITER, others[-1]], check=True)
        with wait(file):
            yield

    with monkeypatch.context() as patched:
        patched.setattr(progress, "_lock", late)
        progress.reset()
    assert others
    progress.undo()
    assert len(progress.solved()) == 1 + 40 * len(others)
