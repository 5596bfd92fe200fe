"""Exercises that a learner checks for themselves.

One module per notebook holds that notebook's exercises: ``lesson_09.py`` has a tuple ``EXERCISES``, and
``exercise("09.2")`` finds it there. An exercise declares its stub, its answer and its known wrong answers as source
text, so that the page can show them and a test can run them.
"""

import ast
import copy
import difflib
import dis
import functools
import importlib
import inspect
import io
import itertools
import pkgutil
import random
import re
import time
import types
from collections.abc import Callable
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
    within,
)
from course_utils.practice.page import counted, dots

CASES = 12  # fresh inputs per check of a function, or a multiple of it where chance leaves two answers alike
UNSTOPPABLE = (
    "One long step inside Python itself, such as `sum(range(10**9))`, cannot be stopped. If a box stays busy, choose "
    "**Restart Kernel** in the menu **Kernel**; your progress is kept."
)


@dataclass(frozen=True)
class Wrong:
    """A wrong answer that learners give, written as the change that makes it of the right one, and what to tell them.

    A learner's answer counts as this one if it behaves as the changed answer does; or, where many answers are wrong in
    the same way, if ``when(*answers)`` is true. The changed answer is then one example of them.
    """

    message: str
    pattern: str  # this piece of the right answer's source
    replacement: str
    when: Callable[..., bool] | None = None

    def source(self, answer: str) -> str:
        """The wrong answer's whole source text."""
        return answer.replace(self.pattern, self.replacement)


@dataclass(frozen=True, repr=False)
class Exercise:
    """A task with its check, hints and solution. Written in ``lesson_NN.py``, found by ``exercise("NN.n")``.

    There are four kinds:

    - a function, checked on fresh ``inputs`` against the function in ``answer``;
    - pencil and paper: one or more values, compared with those in ``answer``, or with ``passes(*values)`` where many
      values are right;
    - a question to a picture: the values are those of the controls of the explorer that the page calls ``picture``;
      ``stub`` then holds the values with which the page shows it;
    - an open challenge: ``score(*values)`` must reach ``mark``. The best score is kept and can be beaten again.
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
    page: str = ""  # source text that the page has run before, where stub and answer use what it defines
    passes: Callable[..., bool] | None = None
    picture: str = ""
    score: Callable[..., float] | None = None  # the higher the better
    mark: float = 0.0
    explanation: str = ""  # what a right answer shows
    tolerance: float = 1e-4
    seconds: float = 2.0  # an answer may run this long

    @property
    def names(self) -> list[str]:
        """The names that the learner fills in or the controls that they move, in the stub's order."""
        return _names(self.stub, filled=bool(self.picture))

    @property
    def cell(self) -> str:
        """The notebook cell of this exercise, to the letter: the stub and the line that checks it."""
        if self.picture:
            return f'exercise("{self.id}").check({self.picture})'
        gap = "\n\n\n" if self.inputs else "\n"  # as the formatter wants it after a function
        return f'{self.stub}{gap}exercise("{self.id}").check({", ".join(self.names)})'

    def check(self, *answers: Any) -> Result:
        """Correct, not yet (and what went wrong), or not attempted. Never raises over an answer.

        An answer that runs too long is stopped, but not within one long step inside Python's own C code.

        >>> exercise("01.2").check(...)
        Not attempted yet: replace the dots with your own code.
        """
        started = time.monotonic()
        try:
            found = within(self.seconds, lambda: self._judge(answers))
        except TooLong:
            took = max(self.seconds, round(time.monotonic() - started))
            why = f"it was stopped after {took:g} seconds. Is there a loop that never ends? {UNSTOPPABLE}"
            return Result(NOT_YET, why)
        except (RecursionError, MemoryError):
            return Result(NOT_YET, "it needs more memory than there is. A few numbers are enough.")
        return self._recorded(found) if found else found

    def hint(self, number: int = 1) -> "Markdown":
        """The first, second, ... hint.

        Raises:
            ValueError: there is no hint of that number.
        """
        if not isinstance(number, int) or not 1 <= number <= len(self.hints):
            raise ValueError(f"exercise {self.id} has no hint({number!r}); its hints are 1 to {len(self.hints)}")
        more = f" `.hint({number + 1})` says more." if number < len(self.hints) else " `.solution()` shows one answer."
        return Markdown(f"**Hint {number} of {len(self.hints)}.** {self.hints[number - 1]}{more}")

    def solution(self) -> "Markdown":
        """An answer that passes, as highlighted source, and what it shows."""
        source = self.answer
        if self.picture:
            first, right = _run(self.stub), _run(self.answer)
            changed = (f"{name}={right[name]!r}" for name in self.names if right[name] != first[name])
            source = f"{self.picture}.set({', '.join(changed)})"
        return Markdown(f"**A solution of {self.id}**\n\n```python\n{source}\n```\n\n{self.explanation}".rstrip())

    def solved(self) -> bool:
        """Whether a check of this exercise has found its answer correct, in this or an earlier session."""
        return progress.found("exercises", self.id) is not None

    def best(self) -> float | None:
        """The best score of an open challenge so far, or None."""
        score = (progress.found("exercises", self.id) or {}).get("best")
        return float(score) if isinstance(score, (int, float)) else None

    def __repr__(self) -> str:
        return f"{self._heading}\n{self.task}"

    def _repr_markdown_(self) -> str:
        return (
            f"**{self._heading}**\n\n{self.task}\n\n"
            f'*Stuck?* `exercise("{self.id}").hint()` gives a nudge, `.hint({len(self.hints)})` nearly everything, '
            "`.solution()` the answer."
        )

    @property
    def _heading(self) -> str:
        best = self.best()
        return (
            f"Exercise {self.id} · {self.title} · difficulty {dots(self.difficulty)} · importance "
            f"{dots(self.importance)} · about {counted(self.minutes, 'minute')}"
            + (" · solved ✓" if self.solved() else "")
            + (f" · best score {best:.3f}" if best is not None else "")
        )

    def _recorded(self, found: Result) -> Result:
        """Keep that the exercise is solved, and a score that beats the best so far; say so."""
        best, words = self.best(), found.message
        if found.score is None:
            if not self.solved():
                progress.record("exercises", self.id)
        elif best is None or found.score > best:
            progress.record("exercises", self.id, best=found.score)
            words = f"{words} Your best so far." if best is None else f"{words} A new best; it was {best:.3f}."
        else:
            words = f"{words} Your best is {best:.3f}: can you beat it?"
        return Result(CORRECT, " ".join(filter(None, (words, progress.take_notices()))), found.score)

    def _defined(self, source: str) -> dict[str, Any]:
        """The names that a stub or an answer defines on its page."""
        return _run(f"{self.page}\n\n\n{source}")

    def _judge(self, answers: tuple[Any, ...]) -> Result:
        names, reference = self.names, self._defined(self.answer)
        if not answers or any(answer is ... for answer in answers):
            return self._dots()
        takes = 1 if self.picture else len(names)
        if len(answers) != takes:
            listed = self.picture or ", ".join(names)
            return Result(
                NOT_YET,
                f"check takes {counted(takes, 'answer')} ({listed}), and was given {counted(len(answers), 'answer')}.",
            )
        if self.inputs:
            return self._judge_function(answers[0], reference[names[0]])
        right = [plain(reference[name]) for name in names]
        if not self.picture:
            return self._judge_values([outcome(lambda answer=answer: answer) for answer in answers], right)
        moved = outcome(lambda: answers[0].values)
        if not isinstance(moved, dict) or not moved.keys() >= set(names):
            return Result(NOT_YET, f"hand over the picture itself: write `{self.picture}` between the brackets.")
        given = [moved[name] for name in names]
        first = [plain(_run(self.stub)[name]) for name in names]
        return self._dots() if agree(given, first, 0) else self._judge_values(given, right)

    def _judge_function(self, function: Any, reference: Callable[..., Any]) -> Result:
        name, wanted = self.names[0], list(inspect.signature(reference).parameters)
        given = outcome(lambda: function)
        if has_dots(given):
            return self._dots()
        if not callable(function):
            found = given.text if isinstance(given, Raised) else f"this is {kind(given)}"
            return Result(NOT_YET, f"hand over the function itself, `{name}` without brackets; {found}.")
        cases, right, examples = self._fresh(name, reference)
        fits = outcome(lambda: bool(inspect.signature(function).bind(*cases[0])))
        if isinstance(fits, Raised) and fits.name == "TypeError":  # a built-in may tell no signature: a ValueError
            return Result(NOT_YET, f"`{name}` must take {counted(len(wanted), 'argument')}: {', '.join(wanted)}.")
        handed = copy.deepcopy(cases)
        results: list[Any] = []
        for number, arguments in enumerate(handed):
            # What an answer prints is shown once, not for each of the fresh inputs.
            with redirect_stdout(io.StringIO()) if number else nullcontext():
                results.append(outcome(function, arguments))
        if has_dots(results[0]) or _unwritten(function, results[0]):
            return self._dots()
        if not agree([plain(case) for case in cases], [outcome(lambda case=case: case) for case in handed], 0):
            return Result(
                NOT_YET, f"`{name}` changes what it was given. Work on a copy and leave its inputs as they were."
            )
        alike = functools.partial(agree, tolerance=self.tolerance)
        if all(map(alike, results, right)):
            return Result(CORRECT, self.explanation)
        for known, example in zip(self.wrong, examples, strict=True):
            if all(map(alike, results, example)):
                return Result(NOT_YET, known.message)
        case, result, expected = next(
            (case, got, want) for case, got, want in zip(cases, results, right, strict=True) if not alike(got, want)
        )
        call = f"{name}({', '.join(shown(plain(value), 60) for value in case)})"
        return Result(NOT_YET, _difference(call, result, expected))

    def _fresh(self, name: str, reference: Callable[..., Any]) -> tuple[list[Any], list[Any], list[list[Any]]]:
        """Fresh inputs, the right results, and those of each known wrong answer; drawn until no two of them agree."""
        assert self.inputs is not None
        functions = [reference, *(self._defined(known.source(self.answer))[name] for known in self.wrong)]
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

    def _judge_values(self, given: list[Any], right: list[Any]) -> Result:
        if has_dots(given):
            return self._dots()
        if unknown := next(filter(None, map(self._unknown_word, self.names, given)), ""):
            return Result(NOT_YET, unknown)
        problem = next(filter(None, map(self._problem, self.names, given, right)), "")
        judged = outcome(self._passes, (given, right)) if not problem else False
        if judged is True:
            return self._scored(given) if self.score else Result(CORRECT, self.explanation)
        for known in self.wrong:
            source = _run(known.source(self.answer))
            example = [plain(source[name]) for name in self.names]
            if outcome(known.when, tuple(given)) is True if known.when else agree(given, example, self.tolerance):
                return Result(NOT_YET, known.message)
        if problem:
            return Result(NOT_YET, problem)
        if isinstance(judged, Raised):
            return Result(NOT_YET, f"this answer cannot be used: {judged.text}. Are its numbers finite?")
        if self.passes is None:
            name, value, expected = next(
                row for row in zip(self.names, given, right, strict=True) if not agree(row[1], row[2], self.tolerance)
            )
            size = ""
            if kind(value) == "a number":
                size = "too large" if value > expected else "too small" if value < expected else "not a number"
            return Result(NOT_YET, f"`{name}` = {shown(value)} is {size or 'not right'}. `.hint()` gives a nudge.")
        values = ", ".join(f"`{name}` = {shown(value)}" for name, value in zip(self.names, given, strict=True))
        return Result(NOT_YET, f"{values} does not do what the task asks. `.hint()` gives a nudge.")

    def _scored(self, given: list[Any]) -> Result:
        assert self.score is not None
        score = outcome(self.score, tuple(given))
        if not isinstance(score, float):
            reason = score.text if isinstance(score, Raised) else f"its score is {shown(score)}"
            return Result(NOT_YET, f"this answer cannot be scored: {reason}.")
        words = f"Score {score:.3f}; the mark to reach is {self.mark:g}."
        if not score >= self.mark:  # not a number is below every mark
            return Result(NOT_YET, f"{words} Change one thing at a time.", score)
        return Result(CORRECT, f"{words} {self.explanation}", score)

    def _problem(self, name: str, value: Any, expected: Any) -> str:
        if isinstance(value, Raised):
            return f"`{name}` cannot be read: {value.text or value.name}."
        return f"`{name}` is {problem}." if (problem := mismatch(value, expected)) else ""

    def _unknown_word(self, name: str, value: Any) -> str:
        words = list(dict.fromkeys(re.findall(r'`"([^"`]+)"`', self.task)))  # the task says which words are wanted
        if not isinstance(value, str) or not words or value.strip().casefold() in words:
            return ""
        *others, last = (f'"{word}"' for word in words)
        return f"`{name}` = {shown(value)} is not one of the words asked for: write {', '.join(others)} or {last}."

    def _passes(self, given: list[Any], right: list[Any]) -> bool:
        return bool(self.passes(*given)) if self.passes else agree(given, right, self.tolerance)

    def _dots(self) -> Result:
        """Not attempted, with what is still to be done."""
        if self.picture:
            return Result(NOT_ATTEMPTED, f"change the picture (`{self.picture}`), then run this box again.")
        if self.inputs:
            return Result(NOT_ATTEMPTED, "replace the dots with your own code.")
        reference = _run(self.answer)
        wanted = [plain(reference[name]) for name in self.names]
        words = [isinstance(value, list) and isinstance(value[0], str) for value in wanted]  # one of these is asked for
        words = [found and f"{name} = [" not in self.stub for found, name in zip(words, self.names, strict=True)]
        wanted = [value[0] if one else value for value, one in zip(wanted, words, strict=True)]
        kinds = {kind(value).split()[-1] for value in wanted}
        return Result(NOT_ATTEMPTED, f"replace the dots with {_article(len(self.names), kinds)}.")


@dataclass(frozen=True, repr=False)
class Markdown:
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
    'A residual'
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
    """Fresh numbers to check an answer on, with two decimal places.

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
def _names(stub: str, filled: bool = False) -> list[str]:
    """The names that a stub leaves as dots, or, ``filled``, those to which it gives a value."""
    names = []
    for node in ast.parse(stub).body:
        wanted = filled or any(isinstance(part, ast.Constant) and part.value is ... for part in ast.walk(node))
        if wanted and isinstance(node, ast.FunctionDef):
            names.append(node.name)
        if wanted and isinstance(node, ast.Assign):
            names += [part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
    return names


def _unwritten(function: Any, result: Any) -> bool:
    """Whether a function is still a stub: it tripped over its own dots, or its body does nothing at all."""
    if isinstance(result, Raised):
        return result.name == "TypeError" and "ellipsis" in result.text
    if result is not None or type(function) is not types.FunctionType:
        return False
    return [step.opname for step in dis.get_instructions(function)] == [
        step.opname for step in dis.get_instructions(_empty)
    ]


def _empty() -> None:
    """What the instructions of an unwritten function look like."""


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
        return "numbers, in " + ("both lines" if count == 2 else f"all {counted(count, 'line')}")
    noun = kinds.pop() if len(kinds) == 1 else "answer"
    if count > 1:
        return counted(count, noun)
    return "your answer" if noun == "answer" else f"a {noun}"
