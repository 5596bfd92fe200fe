"""The progress bar of everything that takes a while."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm


def progress_bar(items: Iterable[Any] | None = None, **options: Any) -> "tqdm":
    """A bar of ``tqdm``; TQDM_DISABLE=1 in the environment hides it.

    In a notebook it goes to stdout: JupyterLab paints everything on stderr, where tqdm writes by itself, as an error.

    Args:
        items: what to go through; without them, call the bar's ``update``.
        options: as for ``tqdm``, such as ``total``, ``desc`` and ``unit``.

    >>> list(progress_bar([3, 1], disable=True))
    [3, 1]
    """
    from tqdm import tqdm  # here, because most callers find the asset in the cache and need no bar

    return tqdm(iterable=items, file=sys.stdout if "ipykernel" in sys.modules else sys.stderr, **options)
