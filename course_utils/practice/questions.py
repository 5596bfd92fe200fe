"""Quizzes that explain every option, and predictions asked before a picture may be moved.

Both are plain ipywidgets buttons: reachable with Tab, pressed with Enter or Space. Where no kernel runs, a page of
plain HTML with the answers folded away stands in their place.
"""

import html
from collections.abc import Iterable, Mapping
from typing import Any

import ipywidgets

from course_utils.practice import progress
from course_utils.practice.page import markup

WIDGET = "application/vnd.jupyter.widget-view+json"
BUTTON_STYLE = (  # long options break into lines instead of being cut off
    "<style>.course-option.jupyter-button, .course-option.widget-button "
    "{ white-space: normal; height: auto; min-height: 2.2em; line-height: 1.4; text-align: left; padding: 4px 12px }"
    "</style>"
)


class Question:
    """A question with options, one of which is chosen. The part that quizzes and predictions share."""

    kind = ""  # where progress keeps the choice
    heading = ""

    def __init__(self, identifier: str, question: str, options: Iterable[str], answer: str | None):
        self.id, self.question, self.options = str(identifier), str(question), [str(each) for each in options]
        if len(set(self.options)) < 2 or len(set(self.options)) != len(self.options):
            raise ValueError(
                f"{self.heading.lower()} {self.id} has options {self.options}; give two or more, all different"
            )
        if answer is not None and answer not in self.options:
            raise ValueError(f"answer={answer!r} is none of the options of {self.id}: {', '.join(self.options)}")
        self.answer = answer
        self.chosen: str | None = None
        self.buttons = [self._button(option) for option in self.options]
        for button, option in zip(self.buttons, self.options, strict=True):
            button.on_click(lambda _button, option=option: self.choose(option))

    def choose(self, option: str | int) -> None:
        """Do what a click on an option does; an option is given by its text or its number, from 0.

        Raises:
            ValueError: there is no such option.
        """
        if isinstance(option, int) and 0 <= option < len(self.options):
            option = self.options[option]
        if option not in self.options:
            raise ValueError(f"{option!r} is none of the options of {self.id}: {', '.join(self.options)}")
        self._reveal(str(option))
        right = {} if self.answer is None else {"right": option == self.answer}
        progress.record(self.kind, self.id, choice=option, **right)

    def _reveal(self, option: str) -> None:
        raise NotImplementedError

    def _view(self) -> ipywidgets.Widget:
        raise NotImplementedError

    def _still(self) -> str:
        raise NotImplementedError

    def _button(self, text: str) -> ipywidgets.Button:
        button = ipywidgets.Button(description=text, layout=ipywidgets.Layout(width="auto", max_width="44em"))
        button.add_class("course-option")
        return button

    def _title(self) -> str:
        return f"<p><b>{self.heading}.</b> {markup(self.question)}</p>"

    def __repr__(self) -> str:
        lines = [f"{self.heading} {self.id}: {self.question}", *(f"  ( ) {option}" for option in self.options)]
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        still = {"text/plain": repr(self), "text/html": self._still()}
        view = self._view()._repr_mimebundle_()
        return {**still, WIDGET: view[WIDGET]} if WIDGET in view else still


def _said(text: str) -> str:
    """HTML that a screen reader speaks when it changes."""
    return f'<div role="status" aria-live="polite" style="padding: 0 12px 6px">{text}</div>' if text else ""


class Quiz(Question):
    """See ``quiz``."""

    kind, heading = "quizzes", "Quiz"

    def __init__(self, identifier: str, question: str, options: Mapping[str, str], answer: str):
        super().__init__(identifier, question, options, answer)
        self.explanations = [str(each) for each in options.values()]
        if not all(self.explanations):
            raise ValueError(f"quiz {self.id} has an option without an explanation; give one for each")
        self.said = [ipywidgets.HTML() for _ in self.options]
        before = progress.found(self.kind, self.id)
        if before and before.get("choice") in self.options:
            self._reveal(before["choice"])

    def _reveal(self, option: str) -> None:
        """Explain the option chosen; once it is the right one, all of them."""
        self.chosen = option
        for place, (each, said) in enumerate(zip(self.options, self.said, strict=True)):
            if each == option or option == self.answer:
                said.value = _said(self._explained(place))

    def _explained(self, place: int) -> str:
        right = self.options[place] == self.answer
        return ("✓ <b>Right.</b> " if right else "✗ <b>Not this one.</b> ") + markup(self.explanations[place])

    def _view(self) -> ipywidgets.Widget:
        pairs = [widget for pair in zip(self.buttons, self.said, strict=True) for widget in pair]
        return ipywidgets.VBox([ipywidgets.HTML(BUTTON_STYLE + self._title()), *pairs])

    def _still(self) -> str:
        options = "".join(f"<li>{html.escape(option)}</li>" for option in self.options)
        explained = "".join(
            f"<li><b>{html.escape(option)}</b>: {self._explained(place)}</li>"
            for place, option in enumerate(self.options)
        )
        return (
            f"<div>{self._title()}<ul>{options}</ul>"
            f"<details><summary>What each option means</summary><ul>{explained}</ul></details></div>"
        )


class Prediction(Question):
    """See ``predict``."""

    kind, heading = "predictions", "Before you go on"

    def __init__(
        self, identifier: str, question: str, options: Iterable[str], answer: str | None, because: str, explorer: Any
    ):
        super().__init__(identifier, question, options, answer)
        if explorer is not None and not (hasattr(explorer, "enable") and hasattr(explorer, "disable")):
            raise ValueError(f"explorer={type(explorer).__name__} cannot be locked; it needs .enable() and .disable()")
        self.because, self.explorer = str(because), explorer
        self.said = ipywidgets.HTML()
        self.show_me = self._button("Show me, without a guess")
        self.show_me.on_click(lambda _button: self.show())
        before = progress.found(self.kind, self.id)
        if before and before.get("choice") in self.options:
            self._reveal(before["choice"])
        elif explorer is not None:
            explorer.disable()

    def show(self) -> None:
        """Unlock the picture and tell the answer, without a guess; nothing is recorded."""
        self._open("")

    def _reveal(self, option: str) -> None:
        self.chosen = option
        guess = f"You said: <b>{html.escape(option)}</b>. "
        if self.answer is not None:
            guess += "✓ That is what happens. " if option == self.answer else "✗ It comes out otherwise. "
        self._open(guess, told=option == self.answer)

    def _open(self, guess: str, told: bool = False) -> None:
        """Unlock, and say what is right; a guess is made once, so the buttons rest."""
        for button in [*self.buttons, self.show_me]:
            button.disabled = True
        words = markup(self.because) if told else self._told()
        self.said.value = _said(guess + words + (" The controls are unlocked." if self.explorer is not None else ""))
        if self.explorer is not None:
            self.explorer.enable()

    def _told(self) -> str:
        right = "" if self.answer is None else f"Right is: <b>{html.escape(self.answer)}</b>. "
        return (right + markup(self.because)).strip() or "Look at what comes next: were you right?"

    def _view(self) -> ipywidgets.Widget:
        head = ipywidgets.HTML(BUTTON_STYLE + self._title())
        return ipywidgets.VBox([head, *self.buttons, self.show_me, self.said])

    def _still(self) -> str:
        options = "".join(f"<li>{html.escape(option)}</li>" for option in self.options)
        return (
            f"<div>{self._title()}<ul>{options}</ul>"
            f"<details><summary>What happens</summary><p>{self._told()}</p></details></div>"
        )


def quiz(identifier: str, question: str, options: Mapping[str, str] | Iterable[tuple[str, str]], answer: str) -> Quiz:
    """A question whose every option, right or wrong, is explained when chosen.

    Args:
        identifier: such as ``"02.a"``; progress keeps the choice under it.
        question: one or two sentences; `code` and **bold** are shown as such, all else as typed.
        options: the text of each option and why it is right or wrong.
        answer: the text of the right option.

    Raises:
        ValueError: fewer than two options, an option without an explanation, or an answer that is no option.

    >>> quiz("02.a", "What is 1 + 1?", {"2": "Counting.", "11": "That glues the digits."}, answer="2")
    Quiz 02.a: What is 1 + 1?
      ( ) 2
      ( ) 11
    """
    return Quiz(identifier, question, dict(options), answer)


def predict(
    identifier: str,
    question: str,
    options: Iterable[str],
    *,
    answer: str | None = None,
    because: str = "",
    explorer: Any = None,
) -> Prediction:
    """Ask for a guess before the picture may be moved; a button shows the answer without one.

    Only the explorer's controls are locked. Its first picture stands, its ``set`` works from code, and "Run All" goes
    on: nothing waits for the guess. A guess made in an earlier session leaves the picture unlocked.

    Args:
        identifier: such as ``"03.a"``; progress keeps the guess under it.
        question: what will happen?
        options: two or more possible outcomes.
        answer: the option that comes true, or None where the picture itself tells.
        because: why, told after the guess.
        explorer: anything with ``enable()`` and ``disable()``.

    Raises:
        ValueError: fewer than two options, an answer that is no option, an explorer that cannot be locked.

    >>> predict("03.a", "With steps five times the gradient, the path", ["arrives", "leaves the picture"])
    Before you go on 03.a: With steps five times the gradient, the path
      ( ) arrives
      ( ) leaves the picture
    """
    return Prediction(identifier, question, options, answer, because, explorer)
