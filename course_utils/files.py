"""Files that are written whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file whole or not at all, in a ``with`` block, to the path that it yields."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    yield (unfinished := Path(path).with_name(f".unfinished-{os.getpid()}-{Path(path).name}"))
    os.replace(unfinished, path)
