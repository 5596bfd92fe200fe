"""Running a learner's answer safely, and comparing it with what is right.

An answer may loop for ever, raise, return anything and change what it was given. Here each of these becomes a *plain*
value, made of Python's own numbers, texts, lists and dictionaries, that a check can speak about in one sentence.
"""

import math
import signal
import threading
import time
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from course_utils.practice.page import markup

T = TypeVar("T")

CORRECT, NOT_YET, NOT_ATTEMPTED = "correct", "not yet", "not attempted"
DEEPEST, LARGEST = 50, 10_000  # lists inside lists, and items in all, that an answer may hold


@dataclass(frozen=True, repr=False)
class Result:
    """What a check found: ``status`` is "correct", "not yet" or "not attempted"; true only when correct.

    >>> Result(NOT_ATTEMPTED, "replace the dots with two numbers.")
    Not attempted yet: replace the dots with two numbers.
    """

    status: str
    message: str = ""
    score: float | None = None  # of an open challenge

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


# ---------------------------------------------------------------- running


class TooLong(BaseException):
    """An answer ran past its time; not an ``Exception``, so that an answer's own ``except`` does not hold it up."""


def within(seconds: float, action: Callable[[], T]) -> T:
    """Run ``action`` and return what it returns; raise ``TooLong`` in it after ``seconds``.

    Works where the system has SIGALRM (not Windows) and in the main thread, where Jupyter runs cells. Elsewhere there
    is no limit and the interrupt button ends the cell. A single step inside Python's own C code, such as
    ``sum(range(10**9))``, is never interrupted: the alarm waits until it ends. The handler that was there before is put
    back, and so is its timer.

    >>> def endless():
    ...     while True: pass
    >>> try:
    ...     within(0.05, endless)
    ... except TooLong:
    ...     print("stopped")
    stopped
    """
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        return action()
    rings = 0

    def guarded() -> T:
        return action()

    def ring(_signal: int, frame: types.FrameType | None) -> None:
        nonlocal rings
        while frame is not None and frame.f_code is not guarded.__code__:
            frame = frame.f_back
        if frame is None:  # the action has ended; an exception now would hit the lines that put the alarm back
            return
        rings += 1
        if rings == 4:  # it catches even this: ring so often that one falls between its `except` and its next `try`
            signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
        raise TooLong

    started = time.monotonic()
    handler = signal.signal(signal.SIGALRM, ring)
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        return guarded()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)  # throws away a ring still on its way: it is not for `handler`
        signal.signal(signal.SIGALRM, signal.SIG_DFL if handler is None else handler)
        if remaining:
            signal.setitimer(signal.ITIMER_REAL, max(remaining - (time.monotonic() - started), 1e-3), interval)


@dataclass(frozen=True)
class Raised:
    """An answer ended in an error; two are alike if the error's name is."""

    name: str
    text: str


def outcome(function: Callable[..., Any], arguments: tuple[Any, ...] = ()) -> Any:
    """What a function gives, as a plain value, or how it failed.

    Whatever it raises is caught, except KeyboardInterrupt (the learner pressed stop) and the end of its time.

    >>> outcome(lambda x: 1 / x, (0,))
    Raised(name='ZeroDivisionError', text='division by zero')
    """
    try:
        return plain(function(*arguments))
    except (KeyboardInterrupt, TooLong):
        raise
    except BaseException as error:  # SystemExit, GeneratorExit and an answer's own kinds, too
        return Raised(_type_name(error), _text_of(error))


def _text_of(error: BaseException) -> str:
    try:
        return _clean(str.__str__(str(error)))
    except (KeyboardInterrupt, TooLong):
        raise
    except BaseException:  # an error that cannot even say what it is
        return ""


def _type_name(value: Any) -> str:
    name = vars(type)["__name__"].__get__(type(value))  # a metaclass cannot put another name in front of this one
    return _clean(str.__str__(name))[:60]


def _clean(text: str) -> str:
    """One short line that any page can show: half a surrogate pair would break the message to the browser."""
    return " ".join(text[:2000].encode("utf-8", "replace").decode("utf-8").split())[:160]


# ---------------------------------------------------------------- plain values


@dataclass(frozen=True)
class Other:
    """Stands for anything that is no number, text, list or dictionary."""

    type: str  # its type's name; a function's own name
    callable: bool = False


def plain(value: Any) -> Any:
    """Numbers, texts, lists and dictionaries of Python's own types; tensors, arrays and tuples become lists.

    Only the real type of a value counts, never what the value says about itself, so a number whose class redefines
    ``==`` or a list that redefines ``len`` comes out as an ordinary number or list. All else becomes an ``Other``.

    Raises:
        ValueError: lists inside lists without end, or more items than any answer needs.

    >>> import numpy as np
    >>> plain((np.float64(0.5), np.eye(2, dtype=int)))
    [0.5, [[1, 0], [0, 1]]]
    >>> plain({("a", "b"): (1, 2)})
    {('a', 'b'): [1, 2]}
    >>> plain(1 + 2j)
    Other(type='complex', callable=False)
    """
    return _plain(value, DEEPEST, [LARGEST])


def _plain(value: Any, depth: int, room: list[int]) -> Any:
    room[0] -= 1
    if room[0] < 0:
        raise ValueError(f"it holds more than {LARGEST:,} items")
    if depth < 0:
        raise ValueError("it holds lists inside lists without end")
    own = type(value)
    # `is`, because the class of a class may redefine `==`
    if own is float or own is int or own is str or own is bool or value is None or value is ...:
        return value
    if own is Raised or own is Other:
        return value
    for number in (int, float):
        if issubclass(own, number):
            return number.__pos__(value)
    if issubclass(own, str):
        return str.__str__(value)
    for sequence in (list, tuple):
        if issubclass(own, sequence):
            return [_plain(item, depth - 1, room) for item in sequence.__iter__(value)]
    if issubclass(own, dict):
        return {_key(key): _plain(item, depth - 1, room) for key, item in dict.items(value)}
    if hasattr(own, "tolist"):  # tensors and arrays, without importing torch
        return _plain(value.tolist(), depth - 1, room)
    if own is types.FunctionType:
        return Other(_clean(str.__str__(value.__name__)), callable=True)
    return Other(_type_name(value), callable(value))


def _key(key: Any) -> Any:
    return _hashable(plain(key))


def _hashable(found: Any) -> Any:
    """A plain value as the key of a dictionary: what was a tuple is one again."""
    if type(found) is list:
        return tuple(_hashable(item) for item in found)
    return Other("dict") if type(found) is dict else found


def has_dots(value: Any) -> bool:
    """Whether a plain value still holds the stub's dots somewhere.

    >>> has_dots(...), has_dots([1, [2, ...]]), has_dots([1, 2])
    (True, True, False)
    """
    if isinstance(value, dict):
        return any(has_dots(item) for item in value.values())
    return any(has_dots(item) for item in value) if isinstance(value, list) else value is ...


def kind(value: Any) -> str:
    """What a plain value is, in a learner's words.

    >>> kind(1.5), kind([1]), kind("a"), kind(None), kind(plain(len)), kind(True)
    ('a number', 'a list', 'a text', 'nothing (None)', 'a function', 'True or False')
    """
    if value is None:
        return "nothing (None)"
    for types_, name in (
        (bool, "True or False"),
        ((int, float), "a number"),
        (str, "a text"),
        (list, "a list"),
        (dict, "a dictionary"),
    ):
        if isinstance(value, types_):
            return name
    if isinstance(value, Other):
        return "a function" if value.callable else f"an object of type {value.type}"
    return "still the dots" if value is ... else "an error"


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
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
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
    return type(first) is type(second) and bool(first == second)


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
    >>> shown(10**5000)
    'a whole number of about 5,001 digits'
    """
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        text = "[" + ", ".join(shown(item, width) for item in value[:40]) + (", ..." if len(value) > 40 else "") + "]"
    elif isinstance(value, dict):
        items = list(value.items())[:40]
        text = "{" + ", ".join(f"{shown(key, width)}: {shown(item, width)}" for key, item in items) + "}"
    elif isinstance(value, int) and value.bit_length() > 1000:  # Python refuses to write out more than 4,300 digits
        text = f"a whole number of about {round(value.bit_length() * math.log10(2)) + 1:,} digits"
    elif isinstance(value, str):
        text = repr(_clean(value) if len(value) > width else value.encode("utf-8", "replace").decode("utf-8"))
    elif isinstance(value, Other):
        text = value.type
    else:
        text = value.name if isinstance(value, Raised) else repr(value)
    return text if len(text) <= width else text[: width - 4] + " ..."
