"""Files that are written whole or not at all: the one place of the package that replaces a file on disk.

``whole(path)`` hands out a path in a scratch folder beside the file. What is written there takes the file's place in
one step when the block ends; after an exception, a full disk or a killed process the old file stands as it was. What
killed writers left is removed by the next writer in the same folder.
"""

import contextlib
import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

UNFINISHED = ".unfinished-"  # how the names of scratch folders begin
_PAGE = 512  # numbers of eight bytes: 4 KiB
_DAY = 24 * 60 * 60  # seconds
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
_FOREIGN = re.compile(r"\(os error (\d+)\)")  # how libraries written in Rust, such as safetensors, report the system


class WriteError(OSError):
    """A file cannot be written; the message is one sentence with the reason and the cure.

    >>> print(WriteError(errno.ENOSPC, "No space left on device", "model.safetensors"))
    The file model.safetensors was not written: the disk is full; free some space or choose another folder.
    """

    def __str__(self) -> str:
        reason, cure = self.strerror, "check the disk or choose another folder"
        if self.errno in FULL:
            reason, cure = "the disk is full", "free some space or choose another folder"
            if self.errno != errno.ENOSPC:
                reason = "your share of the disk is used up"
        elif self.errno in _REFUSED:
            cure = "choose a folder of yours"
        return f"The file {self.filename} was not written: {reason}; {cure}."


@contextlib.contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file whole or not at all, in a ``with`` block.

    The folder is made if need be. The file gets the mode that any file of this user gets (the umask decides), and
    stands on the disk before it takes its place, so that even a power cut leaves the old content or the new. Where the
    path is a link, the file that it points to is replaced. A file that was replaced while a reader had it open or
    mapped into memory keeps its old content for that reader.

    Args:
        path: the file.

    Yields:
        where to write instead: a path with the same name in a scratch folder beside the file.

    Raises:
        WriteError: if the disk is full or the folder cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "notes.txt"
    ...     with whole(file) as unfinished:
    ...         count = unfinished.write_text("all of it")
    ...     file.read_text(), os.listdir(folder)
    ('all of it', ['notes.txt'])
    """
    target = Path(os.path.realpath(path))
    with _explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch, handle = _begin(target.parent)
        try:
            sweep(target.parent, now=scratch.stat().st_mtime)
            unfinished = scratch / target.name
            yield unfinished
            unfinished.chmod(scratch.stat().st_mode & 0o666)  # some libraries make files that only the user may read
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(unfinished, target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            if handle is not None:
                os.close(handle)  # only now: until here its lock says that this writer lives


def checksum(path: Path) -> str:
    """A short text that changes when the file's content does: flipped bits, a cut end, swapped or emptied pages.

    It is the SHA-256 of the sums of every 512 numbers of eight bytes (4 KiB, a page), so that half a gigabyte takes
    a twentieth of a second. It finds damage; it is no protection against a forger.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "numbers"
    ...     count = file.write_bytes(bytes(5000))
    ...     before = checksum(file)
    ...     count = file.write_bytes(bytes(4999) + b"1")
    ...     before == checksum(file)
    False
    """
    import numpy as np  # here, because most callers of this module write text

    found = hashlib.sha256()
    block = np.empty(_PAGE * 512, dtype=np.int64)  # 2 MiB
    with path.open("rb") as file:  # buffered: it fills the block unless the file ends
        while count := file.readinto(block.data):
            pages, rest = divmod(count, 8 * _PAGE)
            found.update(block[: pages * _PAGE].reshape(-1, _PAGE).sum(1).tobytes())  # (pages,): overflow is welcome
            found.update(block.view(np.uint8)[count - rest : count].tobytes())
    return found.hexdigest()


def sweep(folder: Path, now: float = 0.0) -> None:
    """Remove scratch folders in ``folder`` whose writers were killed; those of living writers stay.

    A writer holds a lock on its scratch folder, and the system lets go of the lock when the writer dies. Locks may not
    reach from one machine to another, and Windows has none of this kind: a folder from elsewhere, or one whose lock
    cannot be asked for, counts as left over when nothing in it has changed for a day.

    Args:
        folder: where to look; scratch folders of deeper folders stay.
        now: the present time by the clock of the disk, which may be another machine's; 0 if unknown.
    """
    for leftover in folder.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(OSError):  # gone meanwhile, or another user's
            changed = max(entry.stat().st_mtime for entry in (leftover, *leftover.iterdir()))
            handle = None if fcntl is None else os.open(leftover, os.O_RDONLY)
            try:
                locked = None if handle is None else _locked(handle)
                from_here = leftover.name.startswith(f"{UNFINISHED}{_machine()}-")
                if locked is not False and (now - changed > _DAY or (locked and from_here)):
                    shutil.rmtree(leftover, ignore_errors=True)
            finally:
                if handle is not None:
                    os.close(handle)


def _begin(folder: Path) -> tuple[Path, int | None]:
    """A new scratch folder in ``folder``, and the open handle that holds its lock where there are locks."""
    while True:
        scratch = folder / f"{UNFINISHED}{_machine()}-{secrets.token_hex(4)}"
        scratch.mkdir()
        if fcntl is None:
            return scratch, None
        with contextlib.suppress(FileNotFoundError):  # another process swept it before the lock was taken
            handle = os.open(scratch, os.O_RDONLY)
            if _locked(handle) is not False and scratch.exists():
                return scratch, handle
            os.close(handle)


def _locked(handle: int) -> bool | None:
    """Take the lock of an open file, without waiting: True if taken, False if another holds it, None if unknown."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a network disk without locks
        return None
    return True


def _machine() -> str:
    """Tells this machine from others that share the disk."""
    return f"{zlib.crc32(platform.node().encode()):08x}"


@contextlib.contextmanager
def _explained(target: Path) -> Iterator[None]:
    """Turn what goes wrong while ``target`` is written into a `WriteError`; other errors pass."""
    try:
        yield
    except WriteError:
        raise
    except OSError as problem:
        named = str(problem.filename or target)
        if UNFINISHED in named or Path(named) in (target, *target.parents):
            raise WriteError(problem.errno, problem.strerror or str(problem), str(target)) from problem
        raise
    except Exception as problem:
        found = _FOREIGN.search(str(problem))
        if found is None:
            raise
        number = int(found[1])
        raise WriteError(number, os.strerror(number), str(target), number) from problem  # last: Windows' numbers
