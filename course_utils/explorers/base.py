"""The base of every interactive picture and text: a new explorer declares its controls, computes, shows, and says.

>>> from course_utils.explorers.base import FigureExplorer, Slider
>>> from course_utils.plots.panels import Curves
>>> from course_utils.plots.style import BLUE
>>> class Powers(FigureExplorer):
...     '''How a power grows.'''
...
...     power = Slider(1, 4, 2)
...     tour = [({"power": 1}, "A line."), ({"power": 4}, lambda result: f"It reaches {result[-1]}.")]
...
...     def compute(self, prepared, power):
...         return [x**power for x in range(5)]                  # plain data, testable without a screen
...
...     def make_panels(self, figure, result):                   # once, into an empty figure
...         axes = figure.add_axes((0.1, 0.15, 0.85, 0.8), xlim=(0, 4), ylim=(0, 260))
...         return {"curve": Curves(axes, {"power": {"color": BLUE}}, ghosts=["power"])}
...
...     def contents(self, result):                              # at every move, and once more for the pinned state
...         return {"curve": {"power": (range(5), result)}}
...
...     def caption(self, result):
...         return f"The curve ends at {result[-1]}."
>>> explorer = Powers(power=3)
>>> explorer
Powers: interactive picture
>>> explorer.power = 4                                         # what the slider does
>>> explorer.says
'The curve ends at 256.'

A text needs no panels: ``TextExplorer`` has ``render`` instead, which returns elements made by `tag`.

What a subclass may define
- Controls as class attributes: ``Slider, Choice, Toggle, Text, Button``. Those marked ``slow`` go to ``prepare``.
- ``tour``: stops, each a pair of values of controls (the others stand at their first values) and a sentence, or a
  function from the result to a sentence with computed numbers. A button among the values is pressed that many times.
- ``__init__(self, model, ..., **start)``: store what you need, then ``super().__init__(**start)``, which draws. A range
  that depends on the model: ``self.layer = Slider(0, layers - 1, 0)`` before that call.
- ``restart(self)``: forget what buttons did. Called before the first draw, by Reset and by stops of a tour that press
  buttons; set up such state here.
- ``remember(self)`` and ``recall(self, remembered)``: what buttons did, and its way back when such a tour is left or
  Reset undone.
- ``prepare(self, **slow)``: the costly part. Results of the last few settings are kept; ``forget()`` drops them.
- ``dependent_controls(self, prepared)``: name to ``Slider`` or ``Choice`` for controls whose range or options depend on
  what was prepared. ``show_controls(names)`` in it shows these controls and hides the others.
- ``dependent_values(self, name, value)``: what other controls are set to when this one gets a new value, such as the
  start that belongs to a surface; a value that is set at the same time wins.
- ``compute(self, prepared, **fast)``: the result. By default ``prepared`` is ``None``.
- ``make_panels(self, figure, result)`` and ``contents(self, result)``: panels by name (`plots.panels`), and what each
  of them shows. Ghosts of a pinned state are the panels' work; ``comparable(pinned, result)`` says when there is none.
- ``layout_key(self, result)``: anything; where it changes, the figure is emptied and the panels are made anew.
- ``caption(self, result)``: one sentence with the numbers; by default the result's own, ``result.described()``.
  ``details(self, result)``: HTML made by `tag`, under the caption, if ``details_height`` (pixels) is set.
- ``size`` (inches), ``height`` (of a text, pixels), ``caption_lines``: the space that is kept, so that nothing jumps.
- ``draw(self, figure, result)`` instead of panels, for a picture that fits none: artists go into ``self.artists``,
  which is empty when the figure is (``clear()`` empties both); ever after new data go into the same artists. No pyplot,
  no tight or constrained layout (slow). ``self.pinned`` is the pinned result or None.

What a subclass may call: ``hear_pointer`` for presses on its picture; ``add_widget`` and ``listen`` for widgets of its
own; ``lay_out`` for the widths of its controls; ``set`` to move controls; ``refresh`` to compute and draw again;
``working``, the name of the button whose worker runs, or ""; ``refused``, why there is no picture of the controls'
values, or ""; ``made_with``, the arguments it was made with. ``as_python`` may be extended by the calls that bring back
what buttons did, such as ``.drawn(3)``; ``python_without(name)`` leaves a control to these calls.

``raise ValueError("one plain sentence")`` for a bad value: the sentence is shown and the last good picture stays. No
error of a control ever reaches the kernel; from a cell (the constructor, ``set``) a broken explorer fails the cell.

Threads: a callback runs in another thread while a cell runs. ``self.lock`` is held around prepare, compute and draw.
The method of ``Button(..., worker=True)`` runs without it: take it for each step that changes what ``compute`` reads,
look at ``self.cancel.is_set()``, call ``self.refresh()`` for a new picture and ``self.progress(done, total)``.
"""

import inspect
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Self

import anywidget
import ipywidgets as widgets
import traitlets
from matplotlib.figure import Figure

from course_utils.explorers.board import Board
from course_utils.explorers.controls import Button, Choice, Control, Slider, Text, Toggle
from course_utils.explorers.display import Display, FigureDisplay, Html, TextDisplay, tag
from course_utils.explorers.pointer import Pointer
from course_utils.explorers.tour import TourBar
from course_utils.plots.panels import Panel

__all__ = [
    "Button", "Choice", "Control", "Explorer", "FigureExplorer", "Html", "Slider", "Stop", "Text", "TextExplorer",
    "Toggle", "tag",
]  # fmt: skip

Stop = tuple[Mapping[str, Any], str | Callable[[Any], str]]  # of a tour: values, presses, and what to see there


class _Helper(anywidget.AnyWidget):
    """What ipywidgets leaves out: captions and sentences that are read aloud, the clipboard, a word of a lost kernel.

    A kernel that was restarted knows no explorer: the page itself says what to do.
    """

    copy = traitlets.Unicode("").tag(sync=True)
    # One sentence says more than the broken chains that ipywidgets paints on each part of a widget without a kernel.
    _css = ".course-explorer.jupyter-widgets-disconnected::before { display: none; }\n"
    _css += ".course-explorer .jupyter-widgets-disconnected::before { display: none; }"
    _esm = """
    export default { render({ model, el }) {
      const name = () => {
        const root = el.closest(".course-explorer");
        for (const [part, how] of [["caption", "polite"], ["tour", "polite"], ["status", "assertive"]])
          root?.querySelector(".course-" + part)?.setAttribute("aria-live", how);
      };
      const timers = [0, 200, 1000].map((wait) => setTimeout(name, wait));  // siblings may be drawn after this one
      const asleep = () => {
        const root = el.closest(".course-explorer"), line = root?.querySelector(".course-status .widget-html-content");
        if (!root?.classList.contains("jupyter-widgets-disconnected") || !line) return;
        line.innerHTML = '<div role="alert" class="course-asleep"></div>';
        line.firstChild.style.cssText = "line-height:1.4;color:var(--jp-error-color1,#b00020)";
        line.firstChild.textContent =
          "The kernel that drew this is gone. Run the boxes above, then this box, to make it live.";
      };
      model.on("comm_live_update", () => setTimeout(asleep, 0));  // after the widgets have marked themselves
      model.on("change:copy", () => navigator.clipboard?.writeText(model.get("copy").trimEnd()).catch(() => {}));
      return () => timers.forEach(clearTimeout);
    } };
    """


def _button(words: str, tip: str = "", width: str = "auto") -> widgets.Button:
    return widgets.Button(description=words, tooltip=tip, layout=widgets.Layout(width=width))


class Explorer(Board):
    """What explorers of pictures and of texts share; the module's docstring is its contract."""

    tour: Sequence[Stop] = ()
    result: Any = None
    pinned: Any = None
    refused = ""
    working = ""
    locked = False
    tour_stop: int | None = None
    buttons: dict[str, widgets.Button]
    made_with: str

    def __init_subclass__(cls) -> None:
        ours = {kind.__module__ for kind in (Explorer, Board, Display)}
        bases = [parent for parent in cls.__mro__[1:] if parent.__module__ in ours]
        for name, got in vars(cls).items():
            if isinstance(got, Control | Button) and any(hasattr(parent, name) for parent in bases):
                raise TypeError(f"{cls.__name__}.{name}: every explorer has something else of this name; rename it")

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        """Note how the explorer was made, for ``as_python``."""
        explorer = super().__new__(cls)
        bound = inspect.signature(cls.__init__).bind_partial(explorer, *arguments, **named).arguments
        plain = (bool, int, float, str, type(None))
        given = [
            f"{name}={value!r}" if isinstance(value, plain) else name
            for name, value in list(bound.items())[1:]
            if not isinstance(value, dict) and name not in explorer._declared(Control)
        ]
        explorer.made_with = ", ".join(sorted(given, key=lambda text: "=" in text))
        return explorer

    def __init__(self, **start: Any):
        """Build the widget and show the first result.

        Args:
            start: first values of controls, by name.

        Raises:
            ValueError: a value that no control takes, or that ``prepare``, ``compute`` or ``draw`` refuses.
        """
        super().__init__()
        self.cancel = threading.Event()
        self._shown: Any = None
        self._worker: threading.Thread | None = None
        self._pressing = threading.Lock()
        self._before_reset: tuple[dict[str, Any], Any] | None = None
        self._before_tour: tuple[dict[str, Any], Any] = ({}, None)
        self._pinned_says = ""
        self.buttons = {name: button.widget() for name, button in self._declared(Button).items()}
        for name, widget in self.buttons.items():
            widget.on_click(lambda _, name=name: self._try(lambda: self.press(name)))
        self._arrange()
        self.restart()
        self._put(start)
        self._start = self.values
        self._update()

    def _arrange(self) -> None:
        self._pin = _button("Pin", "Keep this state as a ghost to compare with")
        self._unpin = _button("Unpin", "Remove the ghost")
        self._reset = _button("Reset", "Back to the first values", "104px")  # wide enough for Undo reset
        self._copy = _button("Copy as Python", "The line that makes this state")
        self._unpin.disabled = True
        self._line = widgets.Text(placeholder="the line of Python", layout=widgets.Layout(flex="1 1 200px"))
        self._helper = _Helper()
        for button, action in (
            (self._pin, self.pin),
            (self._unpin, self.unpin),
            (self._reset, lambda: self.reset() if self._before_reset is None else self.undo()),
            (self._copy, self._copy_line),
        ):
            button.on_click(lambda _, action=action: self._try(action))
        wrap = {"flex_flow": "row wrap", "align_items": "center"}
        below = [self._pin, self._unpin, self._reset, self._copy, self._line, self._helper]
        self.tour_bar = TourBar(len(self.tour), self.visit, self._try) if self.tour else None
        self._controls = widgets.HBox([*self.inputs.values(), *self.buttons.values()], layout=wrap)
        self._top = widgets.HBox([self._controls])
        self.widget.children = (
            self._top,
            self.status,  # beside the control that was refused
            *([self.tour_bar.widget] if self.tour_bar else []),
            self.body,
            self.caption_line,
            *([self.details_box] if self.details_height else []),
            widgets.HBox(below, layout=wrap),
        )
        self.widget.add_class("course-explorer")

    # What a subclass defines.

    def restart(self) -> None:
        """Forget what buttons did."""

    def remember(self) -> Any:
        """Return what buttons did, to be given to ``recall``."""
        return None

    def recall(self, remembered: Any) -> None:
        """Bring back what buttons did."""

    def compute(self, *prepared: Any, **fast: Any) -> Any:
        """Return the result to show, as plain data."""
        raise NotImplementedError

    def caption(self, result: Any) -> str:
        """Return one sentence with the numbers of the result; by default the result says it, ``described()``."""
        return result.described()

    def details(self, result: Any) -> str:
        """Return HTML made by `tag` to show under the caption; a plain text is escaped."""
        return ""

    def show_result(self, result: Any, caption: str) -> None:
        """Put the result into the body; `FigureExplorer` and `TextExplorer` say how."""
        raise NotImplementedError

    # What a subclass may call.

    def add_widget(self, widget: widgets.Widget, *, beside: bool = False) -> None:
        """Show a widget of the subclass left ``beside`` the controls, or after everything else."""
        if beside:
            self._top.children = (widget, *self._top.children)
            self._top.layout.flex_flow = "row wrap"
            self._controls.layout.flex = "1 1 200px"
            self._controls.layout.align_content = "flex-start"
        else:
            self.widget.children = (*self.widget.children, widget)

    def listen(self, widget: widgets.Widget, trait: str, action: Callable[[Any], Any]) -> None:
        """Call ``action`` with each new value of a widget's trait; its errors become sentences, like a control's.

        While the controls are locked, nothing is heard.
        """
        widget.observe(lambda change: self.locked or self._try(lambda: action(change["new"])), trait)

    def hear_pointer(self, box: Sequence[float], action: Callable[[Any], Any], *, drag: bool = True) -> None:
        """Call ``action`` with each place of the picture that is pressed, or dragged over: see `Pointer`."""
        self.pointer = Pointer(box, drag)
        self.add_widget(self.pointer)
        self.listen(self.pointer, "place", action)

    # What learners and cells call.

    def set(self, **values: Any) -> None:
        """Move controls, as the learner would.

        Raises:
            ValueError: no such control, or a value outside its limits; nothing moves then.
        """
        with self.lock:
            self._put(values)
            self._settle()

    def reset(self) -> None:
        """Put every control back to its first value; ``undo`` takes this back."""
        with self.lock:
            before = self.values, self.remember()
            self.restart()
            self._put(self._start, lenient=True)
            self._remember(before)
            self._shown = None
            self._settle()

    def undo(self) -> None:
        """Take back the last ``reset``."""
        with self.lock:
            if self._before_reset is not None:
                self._go_back(*self._before_reset)

    def pin(self) -> None:
        """Keep the present result as a ghost to compare with."""
        with self.lock:
            self._pin_result(self.result)

    def unpin(self) -> None:
        """Remove the ghost."""
        with self.lock:
            self._pin_result(None)

    def visit(self, stop: int | None) -> None:
        """Go to a stop of the tour, counted from 0; ``None`` leaves the tour and gives back what was set before."""
        with self.lock:
            if stop is None:
                if self.tour_stop is not None:
                    self._show_stop(None, "")
                    self._begin_anew()
                    self._go_back(*self._before_tour)
                return
            if not 0 <= stop < len(self.tour):
                raise ValueError(f"{type(self).__name__} has no stop {stop}; its tour has {len(self.tour)}")
            if self.tour_stop is None:
                self._before_tour = self.values, self.remember()
            state, sentence = self.tour[stop]
            presses = {name: times for name, times in state.items() if name in self.buttons}
            values = {name: value for name, value in state.items() if name not in presses}
            self._begin_anew()
            self._put({**self._start, **self._followers(values), **values}, lenient=True)
            self._update()
            for name, times in presses.items():
                for _ in range(times):
                    self._declared(Button)[name].run(self)
                self._shown = None
            self._update()
            self._show_stop(stop, sentence if isinstance(sentence, str) else sentence(self.result))

    def as_python(self) -> str:
        """Return the line of Python that makes an explorer in this state."""
        return self.python_without()

    def python_without(self, *left_out: str) -> str:
        """Return the line that makes an explorer in this state, but for some controls; for ``as_python`` to extend."""
        usual, values = {name: control.start for name, control in self.controls.items()}, self.values
        usual |= self._followers(usual | values)
        told = [name for name in values if values[name] != usual[name] and name not in left_out]
        changed = [f"{name}={values[name]!r}" for name in told]
        return f"{type(self).__name__}({', '.join(filter(None, [self.made_with, *changed]))})"

    def enable(self) -> None:
        """Let the learner move the controls."""
        self._lock_controls(False)

    def disable(self) -> None:
        """Hold the controls, until a prediction is made."""
        self._lock_controls(True)

    def refresh(self) -> None:
        """Compute and show again, though no control moved; the way for a worker to show what it has done."""
        with self.lock:
            self._shown = None
            self._try(self._update)

    def press(self, name: str) -> None:
        """Press a button: run its method and show, or start or stop its worker."""
        button = self._declared(Button)[name]
        if not button.worker:
            with self.lock:
                button.run(self)
                self._shown = None
                self._update()
            return
        with self._pressing:  # not self.lock: Stop must work while the worker draws
            if self.working == name:
                self.cancel.set()
            elif self.working:
                raise ValueError(f"{self._declared(Button)[self.working].label} is running: press Stop first")
            else:
                self.working, self.cancel = name, threading.Event()
                self.buttons[name].description = "Stop"
                self._worker = threading.Thread(target=self._work, args=(button,), daemon=True)
                self._worker.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the worker to end; return whether it has."""
        if self._worker is not None:
            self._worker.join(seconds)
        return not self.working

    # The machinery.

    def _work(self, button: Button) -> None:
        self.say("")
        failed = not self._try(lambda: button.run(self))
        self.buttons[button.name].description = button.label
        self.working = ""
        if not failed:
            self.refresh()

    def _begin_anew(self) -> None:
        """Forget what buttons did, if a tour presses any: a stop looks the same whatever the learner did before it."""
        if any(name in self.buttons for state, _ in self.tour for name in state):
            self.restart()
            self._shown = None

    def _go_back(self, values: Mapping[str, Any], remembered: Any) -> None:
        """Bring back an earlier state: what buttons did, then the controls, of which one may hold a refused text."""
        self.recall(remembered)
        self._shown = None
        self._put(values, lenient=True)
        self._settle()

    def _show_stop(self, stop: int | None, sentence: str) -> None:
        self.tour_stop = stop
        if self.tour_bar:
            self.tour_bar.show(stop, sentence)

    def _settle(self) -> None:
        """Show what a cell has set: a refusal is a sentence, a bug fails the cell."""
        try:
            self._update()
        except ValueError as error:
            self.say(str(error))
        except Exception as error:
            self._fail(error)
            raise

    def _update(self) -> None:
        """Compute and show what the controls say, unless that is what the body shows."""
        with self.lock:
            try:
                values = self._checked(self.values)
                if self._shown == values:
                    self.say("")
                    return
                self._shown = None
                prepared = self._prepare()
                values = self._checked(self.values)  # a range may have changed
                fast = {name: value for name, value in values.items() if not self.controls[name].slow}
                result = self.compute(prepared, **fast)
                caption = self.caption(result)
                if self.pinned is not None:
                    caption += f" Pinned: {self._pinned_says}"
                details = self.details(result)
                self.show_result(result, caption)
            except ValueError as error:
                self.refused = str(error)
                raise
            style = f"height:{self.details_height - 4}px;overflow:auto"
            self.details_box.value = tag("div", details, tabindex="0", style=style) if details else ""
            self.result, self._shown, self.refused = result, values, ""
            if not self.working:
                self.say("")

    def _pin_result(self, result: Any) -> None:
        self.pinned, self._pinned_says = result, self.says
        self._unpin.disabled = result is None
        self.clear()
        self.refresh()

    def _moved_since_reset(self) -> None:
        self._remember(None)

    def _remember(self, before: tuple[dict[str, Any], Any] | None) -> None:
        self._before_reset = before
        self._reset.description = "Reset" if before is None else "Undo reset"

    def _copy_line(self) -> None:
        self._line.value = self.as_python()
        # A blank at the end tells a second press of the button apart from the first.
        self._helper.copy = self._line.value + (" " if self._helper.copy == self._line.value else "")

    def _lock_controls(self, locked: bool) -> None:
        self.locked = locked
        tour = self.tour_bar.buttons if self.tour_bar else ()
        for widget in (*self.inputs.values(), *self.buttons.values(), self._pin, self._reset, *tour):
            widget.disabled = locked


class FigureExplorer(Explorer, FigureDisplay):
    """An explorer that draws: panels that are built once and updated in place."""

    def make_panels(self, figure: Figure, result: Any) -> Mapping[str, Panel]:
        """Return the panels by name, built in an empty figure."""
        raise NotImplementedError

    def contents(self, result: Any) -> Mapping[str, Any]:
        """Return what each panel shows of this result."""
        raise NotImplementedError

    def layout_key(self, result: Any) -> Hashable:
        """Return what decides the panels' shape; where it changes they are made anew."""
        return None

    def comparable(self, pinned: Any, result: Any) -> bool:
        """Return whether the pinned result can be shown beside this one."""
        return True

    def draw(self, figure: Figure, result: Any) -> None:
        """Put the result into the figure: by its panels, unless a subclass has its own way."""
        key = self.layout_key(result)
        if not self.panels or key != self.built_for:
            self.clear()
            self.panels, self.built_for = self.make_panels(figure, result), key
        pinned = self.pinned is not None and self.comparable(self.pinned, result)
        ghosts = self.contents(self.pinned) if pinned else {}
        for name, content in self.contents(result).items():
            self.panels[name].update(content, ghosts.get(name))

    def show_result(self, result: Any, caption: str) -> None:
        """Draw the result."""
        self.show_picture(lambda: self.draw(self.figure, result), caption)


class TextExplorer(Explorer, TextDisplay):
    """An explorer that writes: HTML made by `tag`; a pinned state stands beside the present one."""

    def render(self, result: Any) -> str:
        """Return the result as elements made by `tag`; a plain text is escaped."""
        raise NotImplementedError

    def show_result(self, result: Any, caption: str) -> None:
        """Write the result, and beside it the pinned one."""
        parts = [self.render(result)]
        if self.pinned is not None:
            parts.append(tag("", tag("b", "pinned"), "\n", self.render(self.pinned)))
        self.show_text(parts, caption)
