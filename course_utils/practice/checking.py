"""Running a learner's answer safely, and comparing it with what is right.

An answer may loop for ever, raise, return anything and change what it was given. Here each of these becomes a value
that a check can speak about in one sentence.
"""

import contextlib
import math
import signal
import threading
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from course_utils.practice.page import markup

CORRECT, NOT_YET, NOT_ATTEMPTED = "correct", "not yet", "not attempted"


@dataclass(frozen=True, repr=False)
class Result:
    """What a check found: ``status`` is "correct", "not yet" or "not attempted"; true only when correct.

    >>> Result(NOT_ATTEMPTED, "replace the dots by two numbers.")
    Not attempted yet: replace the dots by two numbers.
    """

    status: str
    message: str = ""

    def __bool__(self) -> bool:
        return self.status == CORRECT

    @property
    def _heading(self) -> str:
        return {CORRECT: "Correct.", NOT_YET: "Not yet:", NOT_ATTEMPTED: "Not attempted yet:"}[self.status]

    def __repr__(self) -> str:
        return f"{self._heading} {self.message}".strip()

    def _repr_html_(self) -> str:
        sign, colour = {CORRECT: ("✓", "#1f6fb4"), NOT_YET: ("→", "#b35900"), NOT_ATTEMPTED: ("…", "#777777")}[
            self.status
        ]
        style = f"border-left: 4px solid {colour}; padding: 4px 10px"
        return f'<div role="status" style="{style}">{sign} <b>{self._heading}</b> {markup(self.message)}</div>'


class TooLong(BaseException):
    """An answer ran past its time; not an ``Exception``, so that an answer's own ``except`` does not hold it up."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise ``TooLong`` in the body after ``seconds``.

    Works where the system has SIGALRM (not Windows) and in the main thread, where Jupyter runs cells. Elsewhere there
    is no limit and the interrupt button ends the cell. The handler and timer that were there before are put back.

    >>> try:
    ...     with time_limit(0.05):
    ...         while True: pass
    ... except TooLong:
    ...     print("stopped")
    stopped
    """
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return
    running = True

    def ring(_signal: int, _frame: types.FrameType | None) -> None:
        if running:
            raise TooLong

    started = time.monotonic()
    handler = signal.signal(signal.SIGALRM, ring)
    # It rings again every half second: an answer that swallows the first one with a bare `except` meets the next.
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        try:
            yield
        finally:
            running = False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if handler is None else handler)
        if remaining:
            left = max(remaining - (time.monotonic() - started), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, left, interval)


@dataclass(frozen=True)
class Raised:
    """An answer ended in an error; two are alike if the error's name is."""

    name: str
    text: str


def outcome(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """What a function gives, as plain numbers, texts and lists, or how it failed.

    KeyboardInterrupt passes through: the learner pressed stop.

    >>> outcome(lambda x: 1 / x, (0,))
    Raised(name='ZeroDivisionError', text='division by zero')
    """
    try:
        return plain(function(*arguments))
    except (Exception, SystemExit) as error:
        return Raised(type(error).__name__, " ".join(str(error).split())[:160])


def plain(value: Any) -> Any:
    """Tensors, arrays and tuples as nested lists; their scalars as Python numbers; all else as it is.

    >>> import numpy as np
    >>> plain((np.float64(0.5), np.eye(2, dtype=int)))
    [0.5, [[1, 0], [0, 1]]]
    """
    if isinstance(value, (bool, int, float, str, type(None))) and not hasattr(value, "tolist"):
        return value
    if hasattr(value, "tolist") and not isinstance(value, type):  # tensors and arrays, without importing torch
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {plain(key) if not isinstance(key, tuple) else key: plain(item) for key, item in value.items()}
    return value


def has_dots(value: Any) -> bool:
    """Whether a value still holds the stub's dots somewhere.

    >>> has_dots(...), has_dots([1, (2, ...)]), has_dots([1, 2])
    (True, True, False)
    """
    if isinstance(value, (list, tuple)):
        return any(has_dots(item) for item in value)
    return value is ...


def kind(value: Any) -> str:
    """What a plain value is, in a learner's words.

    >>> kind(1.5), kind([1]), kind("a"), kind(None), kind(len)
    ('a number', 'a list', 'a text', 'nothing (None)', 'a function')
    """
    if value is None:
        return "nothing (None)"
    if isinstance(value, (int, float)):
        return "a number"
    for types_, name in ((str, "a text"), (list, "a list"), (dict, "a dictionary")):
        if isinstance(value, types_):
            return name
    if isinstance(value, type) or callable(value):
        return "a function"
    return f"an object of type {type(value).__name__}"


def shape(value: Any) -> tuple[int, ...] | None:
    """Lengths of nested plain lists from the outside in; None if rows differ in length or depth.

    >>> shape([[1, 2, 3], [4, 5, 6]]), shape(7), shape([[1], [2, 3]])
    ((2, 3), (), None)
    """
    if not isinstance(value, list):
        return ()
    inner = {shape(item) for item in value}
    if len(inner) > 1 or None in inner:
        return None
    return (len(value), *(inner.pop() if inner else ()))  # type: ignore[misc]


def agree(first: Any, second: Any, tolerance: float) -> bool:
    """Whether two plain values are alike: numbers within a tolerance, texts but for their case, all else equal.

    >>> agree([1.0, 2.0], [1.0, 2.0 + 1e-9], 1e-6), agree([1.0], 1.0, 1e-6), agree(float("nan"), float("nan"), 0)
    (True, False, True)
    """
    if isinstance(first, (int, float)) and isinstance(second, (int, float)):
        if first == second or (first != first and second != second):
            return True
        try:
            return math.isclose(first, second, rel_tol=tolerance, abs_tol=tolerance)
        except OverflowError:  # an integer too long to be a float
            return False
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(agree(a, b, tolerance) for a, b in zip(first, second, strict=True))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(agree(first[key], second[key], tolerance) for key in first)
    if isinstance(first, Raised) and isinstance(second, Raised):
        return first.name == second.name
    if isinstance(first, str) and isinstance(second, str):
        return first.strip().casefold() == second.strip().casefold()
    return first is second


def mismatch(got: Any, right: Any) -> str:
    """How the kind or shape of ``got`` differs from ``right``, as the end of a sentence; empty if it does not.

    >>> mismatch([1, 2], [[1, 2]])
    'a list of shape (2,), where shape (1, 2) is needed'
    >>> mismatch("0.5", 0.5)
    'a text, where a number is needed'
    """
    if kind(got) != kind(right):
        return f"{kind(got)}, where {kind(right)} is needed"
    if not isinstance(right, list):
        return ""
    needed = shape(right)
    if needed is not None and shape(got) != needed:
        found = "rows of different lengths" if shape(got) is None else f"a list of shape {shape(got)}"
        return f"{found}, where shape {needed} is needed"
    if len(got) != len(right):
        return f"a list of length {len(got)}, where length {len(right)} is needed"
    inner = (mismatch(*pair) for pair in zip(got, right, strict=True))
    return next((f"a list holding {problem}" for problem in inner if problem), "")


def shown(value: Any, width: int = 90) -> str:
    """A plain value in few characters, floats to four significant digits.

    >>> shown([0.123456789, 2, "a"])
    "[0.1235, 2, 'a']"
    """
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        text = "[" + ", ".join(shown(item, width) for item in value[:40]) + (", ..." if len(value) > 40 else "") + "]"
    elif isinstance(value, (int, str, type(None))):
        text = repr(value)
    elif isinstance(value, dict):
        text = "{" + ", ".join(f"{shown(k)}: {shown(v)}" for k, v in list(value.items())[:40]) + "}"
    else:
        text = str(getattr(value, "__name__", type(value).__name__))
    return text if len(text) <= width else text[: width - 4] + " ..."
