"""The real code of a function or class, highlighted in the notebook."""

import html
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer


class Source:
    """Source text that a notebook shows highlighted and a terminal shows plain."""

    def __init__(self, text: str, title: str):
        self.text, self.title = text, title

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        # Inline colours on a white ground: a dark theme, a printed page and an untrusted notebook show the same.
        code = highlight(self.text, PythonLexer(), HtmlFormatter(noclasses=True, nowrap=True, style="friendly"))
        return (
            f'<figure style="margin:0"><figcaption style="font-size:90%">{html.escape(self.title)}</figcaption>'
            f'<pre tabindex="0" style="background:#fff;color:#1a1a1a;border:1px solid #ccc;padding:.6em;overflow:auto;'
            f'line-height:1.35">{code}</pre></figure>'
        )


def show(thing: Callable[..., Any] | type) -> Source:
    """Show the source code of a function, method or class, as it runs.

    Args:
        thing: a function, method, class or module written in Python.

    Raises:
        TypeError: the thing has no Python source.

    >>> print(show(show).text.splitlines()[0])
    def show(thing: Callable[..., Any] | type) -> Source:
    """
    thing = inspect.unwrap(thing)
    name = getattr(thing, "__qualname__", getattr(thing, "__name__", type(thing).__name__))
    try:
        text = textwrap.dedent(inspect.getsource(thing))
    except (OSError, TypeError):
        raise TypeError(f"{name} has no Python source to show; give a function or class of course_utils") from None
    return Source(text.rstrip("\n"), f"{getattr(thing, '__module__', '')}.{name}".lstrip("."))
