"""Exercises that a learner checks for themselves.

One module per notebook holds that notebook's exercises: ``lesson_09.py`` has a tuple ``EXERCISES``, and
``exercise("09.2")`` finds it there. An exercise declares its stub, its answer and its known wrong answers as source
text, so that the page can show them and a test can run them.
"""

import ast
import copy
import difflib
import functools
import importlib
import inspect
import io
import itertools
import pkgutil
import random
import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from typing import Any

from course_utils.practice import progress
from course_utils.practice.checking import (
    CORRECT,
    NOT_ATTEMPTED,
    NOT_YET,
    Raised,
    Result,
    TooLong,
    agree,
    has_dots,
    kind,
    mismatch,
    outcome,
    plain,
    shown,
    time_limit,
)
from course_utils.practice.page import counted, dots

CASES = 12  # fresh inputs per check of a function, or a multiple of it where chance leaves two answers alike


@dataclass(frozen=True)
class Wrong:
    """A wrong answer that learners give, written as the change that makes it of the right one, and what to tell them.

    A learner's answer counts as this one if it behaves as the changed answer does; or, where many answers are wrong in
    the same way, if ``when(*answers)`` is true. The changed answer is then one example of them.
    """

    message: str
    instead_of: str  # this piece of the right answer's source
    stands: str
    when: Callable[..., bool] | None = None

    def source(self, answer: str) -> str:
        """The wrong answer's whole source text."""
        return answer.replace(self.instead_of, self.stands)


@dataclass(frozen=True, repr=False)
class Exercise:
    """A task with its check, hints and solution. Written in ``lesson_NN.py``, found by ``exercise("NN.n")``.

    The answer is either one function, checked on fresh ``inputs`` against the function in ``answer``; or one or more
    values, compared with those in ``answer``, or with ``passes(*values)`` where many values are right.
    """

    id: str  # "09.2": notebook 09, second exercise
    title: str
    task: str  # markdown
    difficulty: int  # 1 to 5
    importance: int  # 1 to 5
    minutes: int
    stub: str  # source text; what stands as `...` is the learner's to fill in
    answer: str  # source text that defines the same names
    wrong: tuple[Wrong, ...]
    hints: tuple[str, ...]  # from a nudge to nearly all
    inputs: Callable[[random.Random], tuple[Any, ...]] | None = None  # fresh arguments for a function
    passes: Callable[..., bool] | None = None
    because: str = ""  # what a right answer shows
    tolerance: float = 1e-4
    seconds: float = 2.0  # an answer may run this long

    @property
    def names(self) -> list[str]:
        """The names that the learner fills in, in the stub's order."""
        return _blanks(self.stub)

    @property
    def cell(self) -> str:
        """The notebook cell of this exercise, to the letter: the stub and the line that checks it."""
        gap = "\n\n\n" if self.inputs else "\n"  # as the formatter wants it after a function
        return f'{self.stub}{gap}exercise("{self.id}").check({", ".join(self.names)})'

    def check(self, *answers: Any) -> Result:
        """Correct, not yet (and what went wrong), or not attempted. Never raises over an answer.

        >>> exercise("01.1").check(...)
        Not attempted yet: replace the dots by your own code.
        """
        found = self._judge(answers)
        if found:
            if progress.found("exercises", self.id) is None:
                progress.record("exercises", self.id)
            return Result(found.status, " ".join(filter(None, (found.message, progress.take_notices()))))
        return found

    def hint(self, number: int = 1) -> "Page":
        """The first, second, ... hint.

        Raises:
            ValueError: there is no hint of that number.
        """
        if not isinstance(number, int) or not 1 <= number <= len(self.hints):
            raise ValueError(f"hint({number!r}) is not there; exercise {self.id} has hints 1 to {len(self.hints)}")
        more = f" `.hint({number + 1})` says more." if number < len(self.hints) else " `.solution()` shows one answer."
        return Page(f"**Hint {number} of {len(self.hints)}.** {self.hints[number - 1]}{more}")

    def solution(self) -> "Page":
        """An answer that passes, as highlighted source, and what it shows."""
        return Page(f"**A solution of {self.id}**\n\n```python\n{self.answer}\n```\n\n{self.because}".rstrip())

    def solved(self) -> bool:
        """Whether a check of this exercise has found its answer correct, in this or an earlier session."""
        return progress.found("exercises", self.id) is not None

    def __repr__(self) -> str:
        return f"{self._heading}\n{self.task}"

    def _repr_markdown_(self) -> str:
        return (
            f"**{self._heading}**\n\n{self.task}\n\n"
            f'*Stuck?* `exercise("{self.id}").hint()` gives a nudge, `.hint({len(self.hints)})` nearly all, '
            "`.solution()` the answer."
        )

    @property
    def _heading(self) -> str:
        return (
            f"Exercise {self.id} · {self.title} · difficulty {dots(self.difficulty)} · importance "
            f"{dots(self.importance)} · about {counted(self.minutes, 'minute')}"
            + (" · solved ✓" if self.solved() else "")
        )

    def _judge(self, answers: tuple[Any, ...]) -> Result:
        names, reference = self.names, _run(self.answer)
        if not answers or any(answer is ... for answer in answers):
            return self._dots()
        if len(answers) != len(names):
            takes = f"check takes {counted(len(names), 'answer')} ({', '.join(names)})"
            return Result(NOT_YET, f"{takes}, and was given {counted(len(answers), 'answer')}.")
        try:
            if any(has_dots(answer) for answer in answers):
                return self._dots()
            if self.inputs:
                return self._judge_function(answers[0], reference[names[0]])
            return self._judge_values(answers, [plain(reference[name]) for name in names])
        except RecursionError:
            return Result(NOT_YET, "it gives lists inside lists without end; a few numbers are needed.")
        except TooLong:
            return Result(
                NOT_YET, f"it was stopped after {self.seconds:g} seconds. Does a loop in it never come to its end?"
            )

    def _judge_function(self, function: Any, reference: Callable[..., Any]) -> Result:
        assert self.inputs is not None
        name, wanted = self.names[0], list(inspect.signature(reference).parameters)
        if not callable(function):
            found = kind(outcome(lambda: function, ()))
            return Result(NOT_YET, f"hand over the function itself, `{name}` without brackets; this is {found}.")
        cases, right, examples = self._fresh(name, reference)
        try:
            inspect.signature(function).bind(*cases[0])
        except TypeError:
            return Result(NOT_YET, f"`{name}` must take {counted(len(wanted), 'argument')}: {', '.join(wanted)}.")
        except ValueError:  # a built-in function that does not tell its signature
            pass
        given = copy.deepcopy(cases)
        results: list[Any] = []
        with time_limit(self.seconds):
            for number, arguments in enumerate(given):
                # What an answer prints is shown once, not for each of the fresh inputs.
                with redirect_stdout(io.StringIO()) if number else nullcontext():
                    results.append(outcome(function, arguments))
        if has_dots(results[0]) or _unwritten(function, results[0]):
            return self._dots()
        after = [outcome(lambda case=case: case, ()) for case in given]
        if not agree(plain(cases), after, 0):
            return Result(
                NOT_YET, f"`{name}` changes what it was given. Work on a copy and leave its inputs as they were."
            )
        alike = functools.partial(agree, tolerance=self.tolerance)
        if all(map(alike, results, right)):
            return Result(CORRECT, self.because)
        for known, example in zip(self.wrong, examples, strict=True):
            if all(map(alike, results, example)):
                return Result(NOT_YET, known.message)
        case, result, expected = next(
            (case, got, want) for case, got, want in zip(cases, results, right, strict=True) if not alike(got, want)
        )
        return Result(
            NOT_YET, _difference(f"{name}({', '.join(shown(plain(value), 60) for value in case)})", result, expected)
        )

    def _fresh(self, name: str, reference: Callable[..., Any]) -> tuple[list[Any], list[Any], list[list[Any]]]:
        """Fresh inputs, the right results, and those of each known wrong answer; drawn until no two of them agree."""
        assert self.inputs is not None
        functions = [reference, *(_run(known.source(self.answer))[name] for known in self.wrong)]
        cases: list[Any] = []
        results: list[list[Any]] = [[] for _ in functions]
        for _ in range(20):
            drawn = [self.inputs(random.Random()) for _ in range(CASES)]
            cases += drawn
            for function, column in zip(functions, results, strict=True):
                column += [outcome(function, copy.deepcopy(case)) for case in drawn]
            if not any(agree(*pair, self.tolerance) for pair in itertools.combinations(results, 2)):
                break
        return cases, results[0], results[1:]

    def _judge_values(self, answers: Sequence[Any], right: list[Any]) -> Result:
        with time_limit(self.seconds):
            given = [outcome(lambda answer=answer: answer, ()) for answer in answers]
            problems = [self._problem(*row) for row in zip(self.names, given, right, strict=True)]
            problem = next(filter(None, problems), "")
            judged = outcome(self._passes, (given, right)) if not problem else False
            if judged is True:
                return Result(CORRECT, self.because)
            for known in self.wrong:
                source = _run(known.source(self.answer))
                example = [plain(source[name]) for name in self.names]
                if outcome(known.when, tuple(given)) is True if known.when else agree(given, example, self.tolerance):
                    return Result(NOT_YET, known.message)
        if problem:
            return Result(NOT_YET, problem)
        if isinstance(judged, Raised):
            return Result(NOT_YET, f"working with this answer fails: {judged.text}. Are its numbers finite?")
        if self.passes is None:
            name, value, expected = next(
                row for row in zip(self.names, given, right, strict=True) if not agree(row[1], row[2], self.tolerance)
            )
            size = ""
            if kind(value) == "a number":
                size = "too large" if value > expected else "too small" if value < expected else "no number"
            return Result(NOT_YET, f"`{name}` = {shown(value)} is {size or 'not it'}. `.hint()` gives a nudge.")
        values = ", ".join(f"`{name}` = {shown(value)}" for name, value in zip(self.names, given, strict=True))
        return Result(NOT_YET, f"{values} does not do what the task asks. `.hint()` gives a nudge.")

    def _problem(self, name: str, value: Any, expected: Any) -> str:
        if isinstance(value, Raised):
            return f"`{name}` cannot be read: {value.text}."
        return f"`{name}` is {problem}." if (problem := mismatch(value, expected)) else ""

    def _passes(self, given: list[Any], right: list[Any]) -> bool:
        return bool(self.passes(*given)) if self.passes else agree(given, right, self.tolerance)

    def _dots(self) -> Result:
        """Not attempted, with what should stand in place of the dots."""
        if self.inputs:
            return Result(NOT_ATTEMPTED, "replace the dots by your own code.")
        reference = _run(self.answer)
        kinds = {kind(plain(reference[name])).split()[-1] for name in self.names}
        return Result(NOT_ATTEMPTED, f"replace the dots by {_article(len(self.names), kinds)}.")


@dataclass(frozen=True, repr=False)
class Page:
    """A few lines of markdown that a notebook shows."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


def exercise(identifier: str) -> Exercise:
    """The exercise with this id; show it, then use ``.check(...)``, ``.hint()``, ``.hint(2)``, ``.solution()``.

    Args:
        identifier: such as ``"09.2"``, the second exercise of notebook 09.

    Raises:
        LookupError: there is none; the sentence names the closest.

    >>> exercise("01.1").title
    'Residuals'
    >>> exercise("1.1")
    Traceback (most recent call last):
    LookupError: there is no exercise '1.1'; the closest is '01.1'
    """
    lesson = re.match(r"\d\d", str(identifier))
    if lesson and lesson[0] in lessons():
        for candidate in lesson_exercises(lesson[0]):
            if candidate.id == identifier:
                return candidate
    ids = [each.id for each in all_exercises()]
    asked = re.fullmatch(r"\s*(\d{1,3})\.(\d{1,3})\s*", str(identifier))

    def distance(candidate: str) -> tuple[float, float]:
        if not asked:
            return 1 - difflib.SequenceMatcher(None, str(identifier)[:40], candidate).ratio(), 0
        notebook, number = candidate.split(".")
        return abs(int(notebook) - int(asked[1])), abs(int(number) - int(asked[2]))

    raise LookupError(f"there is no exercise {str(identifier)[:40]!r}; the closest is {min(ids, key=distance)!r}")


def numbers(generator: random.Random, count: int, low: float = -3.0, high: float = 3.0) -> list[float]:
    """Fresh numbers to check an answer on, with two digits after the point.

    >>> len(numbers(random.Random(0), 4))
    4
    """
    return [round(generator.uniform(low, high), 2) for _ in range(count)]


def lessons() -> list[str]:
    """Numbers of the notebooks that have exercises: ``["00", "01", ...]``."""
    folder = importlib.import_module("course_utils.practice").__path__
    return sorted(m.name.removeprefix("lesson_") for m in pkgutil.iter_modules(folder) if m.name.startswith("lesson_"))


def lesson_exercises(number: str) -> tuple[Exercise, ...]:
    """All exercises of one notebook, by its number: ``lesson_exercises("09")``."""
    return importlib.import_module(f"course_utils.practice.lesson_{number}").EXERCISES


def all_exercises() -> list[Exercise]:
    """Every exercise of the course, in order."""
    return [each for number in lessons() for each in lesson_exercises(number)]


@functools.cache
def _run(source: str) -> dict[str, Any]:
    """The names that a source text of this course defines."""
    namespace: dict[str, Any] = {"__name__": "exercise"}
    exec(compile(source, "<exercise>", "exec"), namespace)
    return namespace


@functools.cache
def _blanks(stub: str) -> list[str]:
    names = []
    for node in ast.parse(stub).body:
        empty = any(isinstance(part, ast.Constant) and part.value is ... for part in ast.walk(node))
        if empty and isinstance(node, ast.FunctionDef):
            names.append(node.name)
        if empty and isinstance(node, ast.Assign):
            names += [part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
    return names


def _unwritten(function: Any, result: Any) -> bool:
    """Whether a function is still a stub: its body is nothing but a constant, or it tripped over its own dots."""
    if isinstance(result, Raised):
        return result.name == "TypeError" and "ellipsis" in result.text
    code = getattr(function, "__code__", None)
    if result is not None or code is None:
        return False
    return not code.co_names and len(code.co_code) <= len(_empty.__code__.co_code)


def _empty() -> None:
    """What the code of an unwritten function looks like."""


def _difference(call: str, result: Any, expected: Any) -> str:
    """Why one result is not the expected one, in a sentence."""
    if isinstance(result, Raised):
        return f"`{call}` raises {result.name}: {result.text or 'no message'}."
    if result is None:
        return f"`{call}` gives nothing (None). Is there a `return`?"
    problem = mismatch(result, expected)
    if problem:
        return f"`{call}` gives {problem}."
    return f"`{call}` gives {shown(result)}; {shown(expected)} is right."


def _article(count: int, kinds: set[str]) -> str:
    if kinds == {"list", "number"}:  # the dots inside the lists count too
        return f"numbers, in all {counted(count, 'line')}"
    noun = kinds.pop() if len(kinds) == 1 else "answer"
    if count > 1:
        return counted(count, noun)
    return "your answer" if noun == "answer" else f"a {noun}"
