"""What a learner can move: controls declared as class attributes of an explorer.

Reading the attribute on an explorer gives the value; assigning moves the control as the learner would. Assigning
another control of the same kind replaces its range or options, for one explorer only, before or after it is drawn.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from course_utils.explorers.slider import NumberSlider

STYLE = {"description_width": "initial"}


class Control:
    """One value of an explorer, with the widget that moves it.

    Args:
        start: the value at first.
        label: the words beside the control; the attribute's name if empty.
        slow: a change runs ``prepare`` again, not only ``compute``.
    """

    def __init__(self, start: Any, *, label: str = "", slow: bool = False):
        self.start, self.label, self.slow, self.name = start, label, slow, ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.label = self.label or name.replace("_", " ")

    def __get__(self, explorer: Any, owner: type | None = None) -> Any:
        return self if explorer is None else explorer.values[self.name]

    def __set__(self, explorer: Any, value: Any) -> None:
        if isinstance(value, Control):
            value.__set_name__(type(explorer), self.name)
            explorer.replace(self.name, value)
        else:
            explorer.set(**{self.name: value})

    def check(self, value: Any) -> Any:
        """Return the value as the explorer uses it, or raise a ValueError of one sentence."""
        return value

    def widget(self) -> widgets.Widget:
        """Return a new widget for this control."""
        raise NotImplementedError

    def traits(self) -> dict[str, Any]:
        """Return the widget's range or options, for a control that replaces another."""
        return {}


class Slider(Control):
    """A number from ``low`` to ``high``, whole if all of low, high, start and step are; ``log`` spaces it by powers.

    Dragging moves in steps; a number typed beside the slider, or set by code, is kept exactly.
    """

    def __init__(
        self,
        low: float,
        high: float,
        start: float,
        *,
        step: float | None = None,
        label: str = "",
        slow: bool = False,
        log: bool = False,
    ):
        super().__init__(start, label=label, slow=slow)
        self.low, self.high, self.log = low, high, log
        self.whole = not log and all(isinstance(number, int) for number in (low, high, start, step or 1))
        self.step = step or (1 if self.whole else 0.05 if log else (high - low) / 100)
        if not low <= start <= high or low >= high or (log and low <= 0):
            raise ValueError(f"a slider from {low} to {high} cannot start at {start}")

    def check(self, value: Any) -> float:
        """Return the number, or raise a ValueError that names the limits."""
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(
                f"{self.label} must be a number from {self.low} to {self.high}, not {value!r:.60}"
            ) from None
        if not math.isfinite(number) or not self.low <= number <= self.high:
            raise ValueError(f"{self.label} = {value!r:.60} is outside {self.low} to {self.high}")
        if self.whole and number != int(number):
            raise ValueError(f"{self.label} = {value!r:.60} must be a whole number from {self.low} to {self.high}")
        return int(number) if self.whole else number

    def traits(self) -> dict[str, Any]:
        """Return the slider's range and step."""
        return {"min": self.low, "max": self.high, "step": self.step, "log": self.log, "whole": self.whole}

    def widget(self) -> widgets.Widget:
        """Return a slider with a field to type in."""
        return NumberSlider(
            **self.traits(),
            value=self.start,
            description=self.label,
            continuous_update=not self.slow,
            layout=widgets.Layout(width="auto", min_width="300px"),
        )


class Choice(Control):
    """One of several options.

    Args:
        options: the values to choose from.
        start: the value at first; the first option if left out.
        words: what the list shows for each option; the options' own texts if left out.
    """

    def __init__(
        self,
        options: Sequence[Any],
        start: Any = None,
        *,
        words: Sequence[str] | None = None,
        label: str = "",
        slow: bool = False,
    ):
        self.options = list(options)
        self.words = [str(option) for option in self.options] if words is None else list(words)
        super().__init__(self.options[0] if start is None else start, label=label, slow=slow)
        self.check(self.start)

    def check(self, value: Any) -> Any:
        """Return the option, or raise a ValueError that lists them."""
        if value not in self.options:
            listed = ", ".join(repr(option) for option in self.options)
            raise ValueError(f"{self.label} must be one of {listed:.300}, not {value!r:.60}")
        return self.options[self.options.index(value)]

    def traits(self) -> dict[str, Any]:
        """Return the options with their words."""
        return {"options": tuple(zip(self.words, self.options, strict=True))}

    def widget(self) -> widgets.Widget:
        """Return a drop-down list."""
        return widgets.Dropdown(
            value=self.start, description=self.label, style=STYLE, layout=widgets.Layout(width="auto"), **self.traits()
        )


class Toggle(Control):
    """On or off."""

    def __init__(self, start: bool = False, *, label: str = "", slow: bool = False):
        super().__init__(bool(start), label=label, slow=slow)

    def check(self, value: Any) -> bool:
        """Return the truth value, or raise a ValueError."""
        if not isinstance(value, bool | int | float) or value not in (True, False):
            raise ValueError(f"{self.label} must be True or False, not {value!r:.60}")
        return bool(value)

    def widget(self) -> widgets.Widget:
        """Return a labelled check box."""
        box = widgets.Checkbox(value=self.start, description=self.label, indent=False)
        box.layout = widgets.Layout(width="auto", margin="2px 12px 2px 2px")  # nearer to its own label than to the next
        return box


class Text(Control):
    """The learner's own words; slow unless said otherwise, so that a model runs after Enter and not at every key."""

    def __init__(
        self,
        start: str = "",
        *,
        label: str = "",
        slow: bool = True,
        rows: int = 1,
        placeholder: str = "",
        maximum: int = 2000,
    ):
        super().__init__(start, label=label, slow=slow)
        self.rows, self.placeholder, self.maximum = rows, placeholder, maximum

    def check(self, value: Any) -> str:
        """Return the text, or raise a ValueError if it is none or too long."""
        if not isinstance(value, str):
            raise ValueError(f"{self.label} must be text, not {value!r:.60}")
        if len(value) > self.maximum:
            raise ValueError(
                f"{self.label} has {len(value):,} characters and may have {self.maximum:,}: please shorten it"
            )
        if half := next((sign for sign in value if 0xD800 <= ord(sign) <= 0xDFFF), ""):
            raise ValueError(
                f"{self.label} holds U+{ord(half):04X}, which is half of a sign: delete it and type it again"
            )
        return value

    def widget(self) -> widgets.Widget:
        """Return a text field, of several rows if asked."""
        kind = widgets.Text if self.rows == 1 else widgets.Textarea
        more = {} if self.rows == 1 else {"rows": self.rows}
        return kind(
            value=self.start,
            description=self.label,
            placeholder=self.placeholder,
            continuous_update=not self.slow,
            style=STYLE,
            layout=widgets.Layout(width="98%"),
            **more,
        )


class Button:
    """A button that does something to the explorer and then draws again.

    Reading the attribute on an explorer gives a function that presses the button.

    Args:
        label: the words on the button.
        method: the name of the method it runs, or a function of the explorer.
        worker: run it in the explorer's one worker thread: the button reads Stop meanwhile and sets ``self.cancel``.
    """

    def __init__(self, label: str, method: str | Callable[[Any], Any], *, worker: bool = False):
        self.label, self.method, self.worker, self.name = label, method, worker, ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, explorer: Any, owner: type | None = None) -> Any:
        return self if explorer is None else lambda: explorer.press(self.name)

    def run(self, explorer: Any) -> None:
        """Do what the button stands for."""
        if callable(self.method):
            self.method(explorer)
        else:
            getattr(explorer, self.method)()

    def widget(self) -> widgets.Widget:
        """Return the button."""
        return widgets.Button(description=self.label, layout=widgets.Layout(width="auto"))
