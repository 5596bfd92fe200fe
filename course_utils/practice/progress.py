"""What a learner has solved, answered and guessed: one JSON file on their own machine, and nowhere else.

The file lies in the user's data folder, or where the environment variable ``COURSE_PROGRESS`` says. Every change is
read, merged and replaced in one step under a lock, so two notebooks open at once do not lose each other's work. A file
that cannot be read is set aside, never deleted; where nothing can be written, progress is kept until the kernel stops.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import filelock
import platformdirs

from course_utils import files

KINDS = ("exercises", "quizzes", "predictions")

Data = dict[str, dict[str, dict[str, Any]]]  # kind -> id -> what is known about it

_unsaved: dict[Path, Data] = {}  # what could not be written, by file
_notices: list[str] = []  # sentences the learner has not seen yet
_told: set[str] = set()  # notices said once per kernel


def path() -> Path:
    """Where progress is kept: ``COURSE_PROGRESS``, or ``progress.json`` in the user's data folder."""
    named = os.environ.get("COURSE_PROGRESS")
    folder = Path(platformdirs.user_data_dir("course-utils", appauthor=False))
    return Path(named).expanduser().absolute() if named else folder / "progress.json"


def solved() -> list[str]:
    """Ids of the exercises solved so far, in order."""
    return sorted(load()["exercises"])


def found(kind: str, identifier: str) -> dict[str, Any] | None:
    """What was recorded under an id, or None. ``kind`` is "exercises", "quizzes" or "predictions"."""
    return load()[kind].get(identifier)


def load() -> Data:
    """All that was recorded: kind -> id -> details. An unreadable file counts as empty and is set aside."""
    file = path()
    saved: Data = {}
    if file.exists():
        try:
            with _lock(file):
                saved = _read(file)
        except (OSError, NotImplementedError):
            with contextlib.suppress(OSError, ValueError, RecursionError):  # a folder that only allows reading
                saved = _parse(file.read_bytes())
    return _merge(saved, _unsaved.get(file, {}))


def record(kind: str, identifier: str, **details: Any) -> None:
    """Remember that an exercise was solved, a quiz answered or a prediction made. Never raises over the disk.

    Args:
        kind: "exercises", "quizzes" or "predictions".
        identifier: such as ``"09.2"``.
        details: what to keep besides the time; must be JSON. The newest replaces what was recorded before.

    Raises:
        ValueError: ``kind`` is none of the three.
    """
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r} is unknown; use one of {', '.join(KINDS)}")
    entry = {"when": datetime.now(UTC).isoformat(timespec="seconds"), **details}
    _change(lambda data: _merge(data, {kind: {identifier: entry}}))


def reset() -> str:
    """Start again from nothing. What was there is kept beside the file; ``undo()`` brings it back."""
    file = path()
    try:
        with _lock(file):  # read in here, or an entry that another process records meanwhile would be in neither file
            before = _merge(_read(file), _unsaved.get(file, {}))
            count = sum(len(before[kind]) for kind in KINDS)
            if not count:
                return "There was no progress to set back."
            _write(_free_name(file, "backup"), before)
            file.unlink(missing_ok=True)
    except (OSError, NotImplementedError) as error:
        return f"Progress was not set back: {file} cannot be changed ({_reason(error)})."
    _unsaved.pop(file, None)
    return f"Progress is set back ({count} entries). progress.undo() brings it back."


def undo() -> str:
    """Bring back what the last ``reset()`` took away; what was done since is kept as well."""
    file = path()
    backups = sorted(file.parent.glob(f"{file.name}.backup-*"), key=lambda name: int(name.suffix.rsplit("-", 1)[-1]))
    if not backups:
        return "There is nothing to bring back."
    try:
        with _lock(file):
            _write(file, _merge(_parse(backups[-1].read_bytes()), _read(file)))
            backups[-1].unlink()
    except (OSError, NotImplementedError, ValueError) as error:
        return f"Progress was not brought back from {backups[-1]} ({_reason(error)})."
    return "Progress is back."


def take_notices() -> str:
    """Sentences about the file that the learner has not seen yet, each given once."""
    text = " ".join(_notices)
    _notices.clear()
    return text


def _change(step: Callable[[Data], Data]) -> None:
    """Read, change and replace the file under its lock; keep the change in memory if that fails."""
    file = path()
    try:
        with _lock(file):
            _write(file, step(_merge(_read(file), _unsaved.get(file, {}))))
        _unsaved.pop(file, None)
    except (OSError, NotImplementedError) as error:
        _unsaved[file] = step(_merge({}, _unsaved.get(file, {})))
        _tell(f"Your progress cannot be saved in {file} ({_reason(error)}); it is kept until the kernel stops.")


@contextlib.contextmanager
def _lock(file: Path) -> Iterator[None]:
    file.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(f"{file}.lock", timeout=5):  # its Timeout is an OSError
        yield


def _parse(text: bytes) -> Data:
    data = json.loads(text)
    if not isinstance(data, dict) or not all(isinstance(data.get(kind, {}), dict) for kind in KINDS):
        raise ValueError("not a progress file")
    if not all(isinstance(entry, dict) for kind in KINDS for entry in data.get(kind, {}).values()):
        raise ValueError("not a progress file")
    return data


def _read(file: Path) -> Data:
    """The file's content; called under the lock, so that setting a broken file aside happens once."""
    if not file.exists():
        return {}
    try:
        return _parse(file.read_bytes())
    except (ValueError, RecursionError):
        aside = _free_name(file, "broken")
        os.replace(file, aside)
        _tell(f"Your progress file could not be read; it is set aside as {aside.name} and a new one is begun.")
        return {}


def _write(file: Path, data: Data) -> None:
    with files.whole(file) as unfinished:
        unfinished.write_text(json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")


def _merge(older: Data, newer: Data) -> Data:
    """Both together, the newer winning where both know an id; keys of later versions of the file are kept."""
    merged = {**older, **newer}
    for kind in KINDS:
        merged[kind] = {**older.get(kind, {}), **newer.get(kind, {})}
    return merged


def _free_name(file: Path, word: str) -> Path:
    numbers = range(1, 1_000_000)
    return next(name for n in numbers if not (name := file.with_name(f"{file.name}.{word}-{n}")).exists())


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _tell(sentence: str) -> None:
    if sentence not in _told:
        _told.add(sentence)
        _notices.append(sentence)
