"""Files are written whole or not at all, whoever fails, is killed or writes at the same time."""

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from course_utils import files

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has neither modes nor locks of this kind")

WRITER = """
import sys, time
from pathlib import Path
from course_utils import files
with files.whole(Path(sys.argv[1])) as unfinished:
    unfinished.write_text("half")
    print(unfinished, flush=True)
    sys.stdin.read()
    unfinished.write_text("the other's")
"""


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture
def other(tmp_path):
    """Another process in the middle of writing ``file.txt``, and its unfinished file."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "file.txt")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    unfinished = Path(process.stdout.readline().strip())
    assert unfinished.read_text() == "half"
    yield process, unfinished
    process.kill()
    process.communicate()


def test_the_file_appears_in_one_step_and_its_folder_is_made(tmp_path):
    target = tmp_path / "new" / "file.txt"
    with files.whole(target) as unfinished:
        assert unfinished.parent.parent == target.parent and unfinished.name == "file.txt"
        unfinished.write_text("first")
        assert not target.exists()
    with files.whole(str(target)) as unfinished:
        unfinished.write_text("second")
        assert target.read_text() == "first"
    assert target.read_text() == "second" and names(target.parent) == ["file.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_after_an_exception_the_old_file_stands_and_nothing_else(tmp_path, error):
    (tmp_path / "file.txt").write_text("old")
    with pytest.raises(error), files.whole(tmp_path / "file.txt") as unfinished:
        unfinished.write_text("half")
        raise error
    assert (tmp_path / "file.txt").read_text() == "old" and names(tmp_path) == ["file.txt"]


@posix
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_decides_who_may_read(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with files.whole(tmp_path / "file.txt") as unfinished:
            unfinished.write_text("shared")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file.txt").stat().st_mode) == mode


@posix
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "file.txt").write_text("old")
    (tmp_path / "file.txt").symlink_to(tmp_path / "far" / "file.txt")
    with files.whole(tmp_path / "file.txt") as unfinished:
        unfinished.write_text("new")
    assert (tmp_path / "file.txt").is_symlink() and (tmp_path / "far" / "file.txt").read_text() == "new"


@posix
def test_what_a_killed_writer_left_goes_with_the_next_write_in_the_folder(tmp_path, other):
    process, unfinished = other
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    assert unfinished.exists()
    with files.whole(tmp_path / "another.txt") as mine:
        assert not unfinished.parent.exists()
        mine.write_text("mine")
    assert names(tmp_path) == ["another.txt"]


@posix
def test_what_a_living_writer_writes_stays_however_old(tmp_path, other):
    process, unfinished = other
    for entry in (unfinished, unfinished.parent):
        os.utime(entry, (0, 0))
    with files.whole(tmp_path / "file.txt") as mine:
        mine.write_text("mine")
    assert unfinished.read_text() == "half"
    process.communicate("go on")
    assert process.returncode == 0
    assert (tmp_path / "file.txt").read_text() == "the other's" and names(tmp_path) == ["file.txt"]


@pytest.mark.parametrize("lock", ["of another machine", "unknown here"])
@pytest.mark.parametrize(("age", "left"), [(23 * 3600, True), (25 * 3600, False)])
def test_where_locks_say_nothing_a_day_of_the_disks_clock_decides(tmp_path, monkeypatch, lock, age, left):
    machine = "otherone" if lock == "of another machine" else files._machine()
    if lock == "unknown here":
        monkeypatch.setattr(files, "fcntl", None)
    unfinished = tmp_path / f"{files.UNFINISHED}{machine}-1234" / "file.txt"
    unfinished.parent.mkdir()
    unfinished.write_text("half")
    changed = time.time() - age
    os.utime(unfinished, (changed, changed))
    os.utime(unfinished.parent, (0, 0))  # a long write changes the file and not its folder
    monkeypatch.setattr(time, "time", lambda: 0.0)  # this machine's own clock is wrong
    with files.whole(tmp_path / "file.txt") as mine:
        assert unfinished.exists() is left
        mine.write_text("mine")


@posix
def test_a_scratch_folder_swept_before_its_lock_was_taken_is_begun_again(tmp_path, monkeypatch):
    taken, swept = files._locked, []

    def late(handle):
        if not swept:
            swept.extend(tmp_path.iterdir())
            swept[0].rmdir()
        return taken(handle)

    monkeypatch.setattr(files, "_locked", late)
    with files.whole(tmp_path / "file.txt") as unfinished:
        assert unfinished.parent != swept[0]
        unfinished.write_text("written")
    assert (tmp_path / "file.txt").read_text() == "written" and names(tmp_path) == ["file.txt"]


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("where", ["while writing", "while it goes to the disk", "when it takes its place"])
def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(tmp_path, monkeypatch, where):
    target = tmp_path / "file.txt"
    target.write_text("old")
    if where == "while it goes to the disk":
        monkeypatch.setattr(os, "fsync", full)
    elif where == "when it takes its place":
        monkeypatch.setattr(os, "replace", full)
    with pytest.raises(files.WriteError) as problem, files.whole(target) as unfinished:
        unfinished.write_text("half")
        if where == "while writing":
            full()
    assert str(problem.value) == (
        f"The file {target} was not written: the disk is full; free some space or choose another folder."
    )
    assert problem.value.errno == errno.ENOSPC
    assert target.read_text() == "old" and names(tmp_path) == ["file.txt"]


def test_a_quota_and_a_refusal_are_sentences_too():
    for number, words in [
        (errno.EDQUOT, "your share of the disk is used up; free some space"),
        (errno.EACCES, "Permission denied; choose a folder of yours."),
        (errno.EROFS, "Read-only file system; choose a folder of yours."),
        (errno.EIO, "Input/output error; check the disk"),
    ]:
        assert words in str(files.WriteError(number, os.strerror(number), "file.txt"))


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(files.WriteError, match=r"was not written: .*; c.* another folder"):
        with files.whole(tmp_path / "folder" / "file.txt"):
            pass


def test_what_a_library_in_rust_reports_is_the_same_sentence(tmp_path):
    with pytest.raises(files.WriteError, match="the disk is full; free some space") as problem:
        with files.whole(tmp_path / "weights.safetensors"):
            raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
    assert problem.value.errno == errno.ENOSPC and names(tmp_path) == []
    with pytest.raises(SafetensorError, match="too long"), files.whole(tmp_path / "weights.safetensors"):
        raise SafetensorError("the header is too long")
    assert names(tmp_path) == []


@posix
def test_a_library_that_makes_private_files_and_leaves_its_own_scratch_is_tidied(tmp_path):
    with files.whole(tmp_path / "weights.safetensors") as unfinished:
        save_file({"weight": torch.zeros(3)}, unfinished)
        (unfinished.parent / ".tmpabcdef").write_text("left by the library")
        unfinished.chmod(0o600)
    assert names(tmp_path) == ["weights.safetensors"]
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "weights.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_error_about_another_file_passes_unchanged(tmp_path):
    with pytest.raises(FileNotFoundError), files.whole(tmp_path / "copy.txt") as unfinished:
        unfinished.write_bytes((tmp_path / "elsewhere" / "missing.txt").read_bytes())
    assert names(tmp_path) == []


@posix
@pytest.mark.slow
def test_a_dozen_killed_writers_lose_nothing_and_the_next_start_tidies_up(project):
    """A sample of ``benchmarks/kills.py``."""
    command = [sys.executable, str(project / "benchmarks" / "kills.py"), "--kills", "12"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=project)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()[2:]]
    assert sum(int(kills) for _, _, kills, _, _, _ in rows) >= 12, done.stderr
    assert [row[-2:] for row in rows] == [["0", "0"]] * 5, done.stderr
    assert done.returncode == 0
