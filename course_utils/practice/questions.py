"""Quizzes that explain every option, and predictions asked before a picture may be moved.

Their texts and answers stand in ``lesson_NN.py`` beside the exercises, as tuples ``QUIZZES`` and ``PREDICTIONS``; a
page holds only ``quiz("02.b")`` and ``predict("02.a", explorer)``. Both are plain ipywidgets buttons: reachable with
Tab, pressed with Enter or Space. Where no kernel runs, a page of plain HTML with the answers folded away stands in
their place.
"""

import difflib
import html
import importlib
from dataclasses import dataclass
from typing import Any

import ipywidgets

from course_utils.practice import progress
from course_utils.practice.exercises import lessons
from course_utils.practice.page import markup

WIDGET = "application/vnd.jupyter.widget-view+json"
BUTTON_STYLE = (  # long options break into lines instead of being cut off
    "<style>.course-option.jupyter-button, .course-option.widget-button "
    "{ white-space: normal; height: auto; min-height: 2.2em; line-height: 1.4; text-align: left; padding: 4px 12px }"
    "</style>"
)


@dataclass(frozen=True)
class Option:
    """One thing to choose, and what to say about it: why it is right, or what speaks against it."""

    text: str
    explanation: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A question with two or more options, one of them right. Written in ``lesson_NN.py``.

    `code` and **bold** are shown as such, everything else as typed.

    Raises:
        ValueError: fewer than two options, two alike, one without an explanation, or not exactly one that is right.
    """

    id: str  # "02.b"
    text: str
    options: tuple[Option, ...]

    def __post_init__(self) -> None:
        texts = [option.text for option in self.options]
        if len(texts) < 2 or len(set(texts)) < len(texts):
            raise ValueError(f"question {self.id} has options {texts}; give two or more, all different")
        if not all(option.explanation for option in self.options):
            raise ValueError(f"question {self.id} has an option without an explanation; give one for each")
        if sum(option.right for option in self.options) != 1:
            raise ValueError(f"question {self.id} has {sum(o.right for o in self.options)} right options; mark one")

    @property
    def answer(self) -> Option:
        """The option that is right."""
        return next(option for option in self.options if option.right)


class Asked:
    """A question on a page. The part that quizzes and predictions share."""

    kind = ""  # where progress keeps the choice
    heading = ""

    def __init__(self, question: Question):
        self.question = question
        self.said = [ipywidgets.HTML() for _ in question.options]
        self.buttons = [self._button(option.text) for option in question.options]
        for button, option in zip(self.buttons, question.options, strict=True):
            button.on_click(lambda _button, option=option: self.choose(option.text))

    def choose(self, choice: str | int) -> None:
        """Do what a click on an option does; an option is given by its text or its number, from 0.

        Raises:
            ValueError: there is no such option.
        """
        texts = [option.text for option in self.question.options]
        place = choice if isinstance(choice, int) else texts.index(choice) if choice in texts else -1
        if not 0 <= place < len(texts):
            raise ValueError(f"{choice!r} is none of the options of {self.question.id}: {', '.join(texts)}")
        self._chosen(self.question.options[place])

    def _chosen(self, option: Option) -> None:
        raise NotImplementedError

    def _record(self, option: Option) -> None:
        progress.record(self.kind, self.question.id, choice=option.text, right=option.right)

    def _recorded(self) -> Option | None:
        """The option that was recorded, now or in an earlier session; None if its text is no longer offered."""
        choice = (progress.found(self.kind, self.question.id) or {}).get("choice")
        return next((option for option in self.question.options if option.text == choice), None)

    def _explain(self, *options: Option) -> None:
        """Show what there is to say about these options; what was shown before stays."""
        for option, said in zip(self.question.options, self.said, strict=True):
            if option in options:
                said.value = _spoken(self._explained(option))

    def _explained(self, option: Option) -> str:
        raise NotImplementedError

    def _button(self, text: str) -> ipywidgets.Button:
        button = ipywidgets.Button(description=text, layout=ipywidgets.Layout(width="auto", max_width="44em"))
        button.add_class("course-option")
        return button

    def _title(self) -> str:
        return f"<p><b>{self.heading}.</b> {markup(self.question.text)}</p>"

    def _view(self, *below: ipywidgets.Widget) -> ipywidgets.Widget:
        pairs = [widget for pair in zip(self.buttons, self.said, strict=True) for widget in pair]
        return ipywidgets.VBox([ipywidgets.HTML(BUTTON_STYLE + self._title()), *pairs, *below])

    def _still(self) -> str:
        options = "".join(f"<li>{html.escape(option.text)}</li>" for option in self.question.options)
        explained = "".join(
            f"<li><b>{html.escape(option.text)}</b>: {self._explained(option)}</li>" for option in self.question.options
        )
        return (
            f"<div>{self._title()}<ul>{options}</ul>"
            f"<details><summary>The answer</summary><ul>{explained}</ul></details></div>"
        )

    def __repr__(self) -> str:
        options = (f"  ( ) {option.text}" for option in self.question.options)
        return "\n".join([f"{self.heading} {self.question.id}: {self.question.text}", *options])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        still = {"text/plain": repr(self), "text/html": self._still()}
        view = self._view()._repr_mimebundle_()
        return {**still, WIDGET: view[WIDGET]} if WIDGET in view else still


def _spoken(text: str) -> str:
    """HTML that a screen reader speaks when it changes."""
    return f'<div role="status" aria-live="polite" style="padding: 0 12px 6px">{text}</div>'


class Quiz(Asked):
    """See ``quiz``."""

    kind, heading = "quizzes", "Quiz"

    def __init__(self, question: Question):
        super().__init__(question)
        if before := self._recorded():
            self._reveal(before)

    def _chosen(self, option: Option) -> None:
        self._reveal(option)
        self._record(option)

    def _reveal(self, option: Option) -> None:
        """Explain the option chosen; once it is the right one, all of them."""
        self._explain(*(self.question.options if option.right else (option,)))

    def _explained(self, option: Option) -> str:
        return ("✓ <b>Right.</b> " if option.right else "✗ <b>Not this one.</b> ") + markup(option.explanation)


class Prediction(Asked):
    """See ``predict``."""

    kind, heading = "predictions", "Before you go on"

    def __init__(self, question: Question, explorer: Any):
        if explorer is not None and not (hasattr(explorer, "enable") and hasattr(explorer, "disable")):
            raise ValueError(f"explorer={type(explorer).__name__} cannot be locked; it needs .enable() and .disable()")
        super().__init__(question)
        self.explorer = explorer
        self.open = False  # the answer has been shown
        self.guess = self._recorded()
        self.told = ipywidgets.HTML()
        self.show_me = self._button("Show me, without a guess")
        self.show_me.on_click(lambda _button: self.show())
        if self.guess:
            self._open(self.guess)
        elif explorer is not None:
            explorer.disable()

    def show(self) -> None:
        """Unlock the picture and tell the answer, without a guess. Nothing is recorded, now or by later clicks."""
        self._open(self.question.answer)

    def _chosen(self, option: Option) -> None:
        """The first click is the guess, and is kept; after it, a click explains an option and changes nothing."""
        if self.open:
            self._explain(option)
        else:
            self.guess = option
            self._open(option)
            self._record(option)

    def _open(self, option: Option) -> None:
        self.open, self.show_me.disabled = True, True
        self._explain(option, self.question.answer)
        words = []
        if self.guess:
            words.append(f"Your guess: <b>{html.escape(self.guess.text)}</b>.")
        if self.explorer is not None:
            words.append("The controls are unlocked.")
        self.told.value = _spoken(" ".join([*words, "Click the other options to read about them."]))
        if self.explorer is not None:
            self.explorer.enable()

    def _explained(self, option: Option) -> str:
        sign = "✓ <b>This is what happens.</b> " if option.right else "✗ <b>This is not what happens.</b> "
        return sign + markup(option.explanation)

    def _view(self, *below: ipywidgets.Widget) -> ipywidgets.Widget:
        return super()._view(self.show_me, self.told, *below)


def quiz(identifier: str) -> Quiz:
    """A question whose every option, right or wrong, is explained when chosen; choose as often as you like.

    Args:
        identifier: such as ``"02.a"``; progress keeps the newest choice under it.

    Raises:
        LookupError: there is no such quiz; the sentence names the closest.

    >>> quiz("02.d")
    Quiz 02.d: A network decides on loans and was right in 97 of 100 past cases. What does this number tell you?
      ( ) it will be right in 97 of 100 new cases
      ( ) it was mostly right, on people like those
      ( ) it decides for good reasons
    """
    return Quiz(_find(Quiz, identifier))


def predict(identifier: str, explorer: Any = None) -> Prediction:
    """Ask for a guess before the picture may be moved; a button shows the answer without one.

    The first click is the guess, and progress keeps it. After it every option may be clicked to read what speaks for or
    against it. Only the explorer's controls are locked. Its first picture stays, its ``set`` works from code, and "Run
    All" goes on: nothing waits for the guess. A guess made in an earlier session leaves the picture unlocked.

    Args:
        identifier: such as ``"03.a"``; progress keeps the guess under it.
        explorer: anything with ``enable()`` and ``disable()``.

    Raises:
        LookupError: there is no such prediction; the sentence names the closest.
        ValueError: an explorer that cannot be locked.

    >>> predict("05.b").question.answer.text
    'all 30'
    """
    return Prediction(_find(Prediction, identifier), explorer)


def lesson_questions(number: str) -> dict[str, tuple[Question, ...]]:
    """The quizzes and the predictions of one notebook: ``lesson_questions("02")["quizzes"]``."""
    lesson = importlib.import_module(f"course_utils.practice.lesson_{number}")
    return {Quiz.kind: lesson.QUIZZES, Prediction.kind: lesson.PREDICTIONS}


def _find(asked: type[Asked], identifier: str) -> Question:
    identifier = str(identifier)
    found = {question.id: question for number in lessons() for question in lesson_questions(number)[asked.kind]}
    if identifier not in found:
        closest = max(found, key=lambda known: difflib.SequenceMatcher(None, identifier[:40], known).ratio())
        name = asked.__name__.lower()
        raise LookupError(f"there is no {name} {identifier[:40]!r}; the closest is {closest!r}")
    return found[identifier]
