"""The one base class of the course's interactive pictures.

An explorer declares its controls, computes, draws, and says in one sentence what it shows:

>>> from course_utils.explorers.base import Explorer, Slider
>>> class Parabola(Explorer):
...     power = Slider(1, 4, 2)
...
...     def compute(self, prepared, power):
...         return [x**power for x in range(5)]
...
...     def draw(self, figure, result):
...         if not self.artists:                       # the first time: axes and artists
...             axes = figure.add_axes((0.1, 0.15, 0.85, 0.8), ylim=(0, 260))
...             self.artists["curve"], = axes.plot(result)
...         self.artists["curve"].set_ydata(result)    # ever after: new data into the same artists
...
...     def caption(self, result):
...         return f"The curve ends at {result[-1]}."
>>> explorer = Parabola(power=3)
>>> explorer
Parabola: interactive picture
>>> explorer.power = 4                                 # what the slider does
>>> explorer.says
'The curve ends at 256.'

What a subclass may define
- Controls as class attributes: ``Slider, Choice, Toggle, Text, Button``. Those marked ``slow`` go to ``prepare``.
- ``__init__(self, model, ..., **start)``: store what you need, then ``super().__init__(**start)``, which draws. A range
  that depends on the model: ``self.layer = Slider(0, layers - 1, 0)`` before that call (or in ``prepare``).
- ``restart(self)``: forget what buttons did. Called before the first draw and by Reset; set up such state here.
- ``prepare(self, **slow)``: the costly part. Results of the last few settings are kept; ``forget()`` drops them.
- ``compute(self, prepared, **fast)``: plain data, testable without a screen. By default ``prepared`` is ``None``.
- ``draw(self, figure, result)``: ``self.artists`` is empty when the figure is; ``clear()`` empties both, for a picture
  whose shape changed. ``self.pinned`` is the pinned result or None: draw it as a ghost, once, with the other new
  artists, for pinning clears the figure. No pyplot, no tight or constrained layout (slow). ``self.values`` is readable.
- ``caption(self, result)``: one sentence with the numbers. ``panel(self, result)``: HTML under the picture, or "";
  escape every text with ``html.escape``.
- ``size`` (inches), ``caption_lines``, ``panel_height`` (pixels): the space that is kept, so that no height changes.

``raise ValueError("one plain sentence")`` for a bad value: the sentence is shown and the last good picture stays. No
error of a control ever reaches the kernel; from a cell (the constructor, ``set``) a broken explorer fails the cell.

Threads: a callback runs in another thread while a cell runs. ``self.lock`` is held around prepare, compute and draw.
The method of ``Button(..., worker=True)`` runs without it: take it for each step that changes what ``compute`` reads,
look at ``self.cancel.is_set()``, call ``self.refresh()`` for a new picture and ``self.progress(done, total)``.
"""

import html
import inspect
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets
from matplotlib.figure import Figure

from course_utils.explorers.controls import Button, Choice, Control, Slider, Text, Toggle
from course_utils.plots import picture
from course_utils.plots.style import DRAWING

__all__ = ["Button", "Choice", "Control", "Explorer", "Shown", "Slider", "Text", "Toggle"]

KEPT = 8  # results of prepare: enough to go back and forth between a few prompts


def one_line(text: str, longest: int) -> str:
    """Return text without control signs or line breaks, cut at ``longest``."""
    text = "".join(sign if sign.isprintable() else "·" for sign in " ".join(text.split()))
    return text if len(text) <= longest else text[: longest - 1] + "…"


class _Helper(anywidget.AnyWidget):
    """What ipywidgets leaves out: names on the sliders' handles, a caption that is read aloud, the clipboard."""

    copy = traitlets.Unicode("").tag(sync=True)
    _esm = """
    export default { render({ model, el }) {
      const name = () => {
        const root = el.closest(".course-explorer");
        if (!root) return;
        root.querySelector(".course-caption")?.setAttribute("aria-live", "polite");
        root.querySelector(".course-status")?.setAttribute("aria-live", "assertive");
        for (const slider of root.querySelectorAll(".widget-slider")) {
          const label = slider.querySelector(".widget-label")?.textContent ?? "";
          slider.querySelector(".noUi-handle")?.setAttribute("aria-label", label);
          slider.querySelector(".widget-readout")?.setAttribute("aria-label", label + ", type a value");
        }
      };
      const timers = [0, 200, 1000].map((wait) => setTimeout(name, wait));  // siblings may be drawn after this one
      model.on("change:copy", () => navigator.clipboard?.writeText(model.get("copy").trimEnd()).catch(() => {}));
      return () => timers.forEach(clearTimeout);
    } };
    """


def answer_during_cells(widget: widgets.Widget) -> None:
    """Have a widget and all inside it answered while a cell runs, in the thread that the browser asks for.

    ipykernel 7.4 gives a message to the thread that last wrote to the widget instead, which is often the one that is
    busy with the cell; a channel without this method is left alone (``Kernel.shell_channel_thread_main``).
    """
    if widget.comm is not None:
        widget.comm._reply_subshell_for = None
    for child in getattr(widget, "children", ()):
        answer_during_cells(child)


class Shown:
    """A picture with its caption that a notebook shows live, and keeps as a still where no kernel runs."""

    size = (8.4, 3.8)  # inches, at 100 dots each
    caption_lines = 2
    panel_height = 0

    def _make_picture(self) -> None:
        self.figure: Figure = picture.new_figure(*self.size)
        self.artists: dict[str, Any] = {}
        self._redrawn = picture.Redrawn(self.figure)
        self.says = ""
        self._pixels = picture.pixels(self.figure)
        self._image, self._caption, self._status, self._panel = (widgets.HTML() for _ in range(4))
        self._image.layout = widgets.Layout(height=f"{self._pixels.shape[0] + 6}px", overflow="auto hidden", margin="0")
        for line, height, name in (
            (self._caption, f"{1.5 * self.caption_lines}em", "course-caption"),
            (self._status, "1.6em", "course-status"),
            (self._panel, f"{self.panel_height}px", "course-panel"),
        ):
            line.layout = widgets.Layout(height=height, overflow="auto", margin="0 4px")
            line.add_class(name)
        self.widget = widgets.VBox([self._image, self._caption, self._status])

    def clear(self) -> None:
        """Empty the figure and ``artists``, so that the next draw builds them anew."""
        self.figure.clear()
        self.artists.clear()

    def _show_picture(self, draw: Callable[[], None], caption: str) -> None:
        try:
            with DRAWING:
                draw()
                self._pixels = self._redrawn.pixels(picture.moving_artists(self.artists))
        except BaseException:
            self.clear()  # half-made artists would spoil every later picture
            raise
        self.says = one_line(caption, 400)
        height, width = self._pixels.shape[:2]
        self._image.value = picture.image_tag(picture.png(self._pixels), self.says, width, height)
        self._caption.value = f'<div style="line-height:1.4">{html.escape(self.says)}</div>'

    def _say(self, sentence: str, role: str = "alert") -> None:
        text = html.escape(one_line(sentence, 300))
        colour = "color:#b00020" if role == "alert" else ""
        self._status.value = f'<div role="{role}" style="{colour}">{text}</div>' if text else ""

    def progress(self, done: float, total: float, words: str = "") -> None:
        """Show how far a long job is, in the line under the caption."""
        words = html.escape(one_line(words or f"{done:,} of {total:,}", 200))
        self._status.value = f'<div role="status"><progress value="{done}" max="{total}"></progress> {words}</div>'

    @property
    def png(self) -> bytes:
        """The present picture as PNG, without its caption."""
        return picture.png(self._pixels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: interactive picture"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        still, width, height = picture.still(self._pixels, self.says)
        answer_during_cells(self.widget)
        view = self.widget._repr_mimebundle_()
        data = {**view, "text/plain": repr(self), "image/png": still}
        return data, {"image/png": {"alt": self.says, "width": width, "height": height}}


class Explorer(Shown):
    """Base class of every interactive picture; the module's docstring is its contract."""

    _given = ""

    def __init_subclass__(cls) -> None:
        for name, got in vars(cls).items():
            if isinstance(got, Control | Button) and hasattr(Explorer, name):
                raise TypeError(f"{cls.__name__}.{name}: every explorer has something else of this name; rename it")

    def __new__(cls, *arguments: Any, **named: Any) -> "Explorer":
        """Note how the explorer was made, for ``as_python``."""
        explorer = super().__new__(cls)
        bound = inspect.signature(cls.__init__).bind_partial(explorer, *arguments, **named).arguments
        plain = (bool, int, float, str, type(None))
        given = [
            f"{name}={value!r}" if isinstance(value, plain) else name
            for name, value in list(bound.items())[1:]
            if not isinstance(value, dict) and name not in explorer._declared(Control)
        ]
        explorer._given = ", ".join(sorted(given, key=lambda text: "=" in text))
        explorer.controls = explorer._declared(Control)
        explorer.inputs = {}
        explorer.lock = threading.RLock()
        return explorer

    controls: dict[str, Control]
    inputs: dict[str, widgets.Widget]
    lock: threading.RLock

    def __init__(self, **start: Any):
        """Build the widget and draw the first picture.

        Args:
            start: first values of controls, by name.

        Raises:
            ValueError: a value that no control takes, or that ``prepare``, ``compute`` or ``draw`` refuses.
        """
        self.pinned: Any = None
        self.result: Any = None
        self.cancel = threading.Event()
        self._prepared: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._shown: Any = None
        self._setting = False
        self._worker: threading.Thread | None = None
        self._working = ""
        self._pressing = threading.Lock()
        self._undo: dict[str, Any] | None = None
        self._pinned_says = ""
        self._make_picture()
        for name, control in self.controls.items():
            self.inputs[name] = control.widget()
            self.inputs[name].observe(self._moved, "value")
        self._start = {name: control.start for name, control in self.controls.items()} | self._checked(start)
        self._buttons = {name: button.widget() for name, button in self._declared(Button).items()}
        for name, widget in self._buttons.items():
            widget.on_click(lambda _, name=name: self._from_widget(lambda: self.press(name)))
        self._arrange()
        self._write(self._start)
        self.restart()
        self._update()

    def _declared(self, kind: type) -> dict[str, Any]:
        names = [name for parent in reversed(type(self).__mro__) for name in vars(parent)]
        return {name: got for name in dict.fromkeys(names) if isinstance(got := getattr(type(self), name), kind)}

    def _arrange(self) -> None:
        self._pin, self._unpin, self._reset, self._copy = (
            widgets.Button(description=words, tooltip=tip, layout=widgets.Layout(width="auto"))
            for words, tip in (
                ("Pin", "Keep this state as a ghost to compare with"),
                ("Unpin", "Remove the ghost"),
                ("Reset", "Back to the first values"),
                ("Copy as Python", "The line that makes this state"),
            )
        )
        self._unpin.disabled = True
        self._line = widgets.Text(placeholder="the line of Python", layout=widgets.Layout(flex="1 1 200px"))
        self._helper = _Helper()
        self._pin.on_click(lambda _: self._from_widget(self.pin))
        self._unpin.on_click(lambda _: self._from_widget(self.unpin))
        self._reset.on_click(lambda _: self._from_widget(self.reset if self._undo is None else self.undo))
        self._copy.on_click(lambda _: self._from_widget(self._copy_line))
        wrap = widgets.Layout(flex_flow="row wrap", align_items="center")
        below = [self._pin, self._unpin, self._reset, self._copy, self._line, self._helper]
        panel = [self._panel] if self.panel_height else []
        self.widget.children = (
            widgets.HBox([*self.inputs.values(), *self._buttons.values()], layout=wrap),
            self._image,
            self._caption,
            self._status,
            *panel,
            widgets.HBox(below, layout=wrap),
        )
        self.widget.add_class("course-explorer")

    # What a subclass defines.

    def restart(self) -> None:
        """Forget what buttons did."""

    def prepare(self, *_: Any, **slow: Any) -> Any:
        """Return what is costly and depends on slow controls only."""
        return None

    def compute(self, *prepared: Any, **fast: Any) -> Any:
        """Return the result to draw, as plain data."""
        raise NotImplementedError

    def draw(self, figure: Figure, result: Any) -> None:
        """Put the result into the figure's artists."""
        raise NotImplementedError

    def caption(self, result: Any) -> str:
        """Return one sentence with the numbers of the picture."""
        raise NotImplementedError

    def panel(self, result: Any) -> str:
        """Return HTML to show under the picture, with every text escaped."""
        return ""

    # What learners and cells call.

    @property
    def values(self) -> dict[str, Any]:
        """The present value of every control, by name."""
        return {name: self.inputs[name].value if self.inputs else got.start for name, got in self.controls.items()}

    @property
    def problem(self) -> str:
        """The sentence under the caption: what went wrong, or nothing."""
        return html.unescape(self._status.value.partition(">")[2].rpartition("</div>")[0])

    def set(self, **values: Any) -> None:
        """Move controls, as the learner would.

        Raises:
            ValueError: no such control, or a value outside its limits; nothing moves then.
        """
        with self.lock:
            self._write(self._checked(values))
            self._remember(None)
            try:
                self._update()
            except ValueError as error:
                self._say(str(error))
            except Exception as error:
                self._fail(error)
                raise

    def reset(self) -> None:
        """Put every control back to its first value; ``undo`` takes this back."""
        before = self.values
        self.restart()
        self.set(**self._start)
        self._remember(before)
        self.refresh()

    def undo(self) -> None:
        """Take back the last ``reset``."""
        if self._undo is not None:
            self.set(**self._undo)

    def pin(self) -> None:
        """Keep the present result as a ghost to compare with."""
        with self.lock:
            self.pinned, self._pinned_says = self.result, self.says
            self._unpin.disabled = False
            self.clear()
            self.refresh()

    def unpin(self) -> None:
        """Remove the ghost."""
        with self.lock:
            self.pinned = None
            self._unpin.disabled = True
            self.clear()
            self.refresh()

    def as_python(self) -> str:
        """Return the line of Python that makes an explorer in this state."""
        changed = [f"{name}={value!r}" for name, value in self.values.items() if value != self.controls[name].start]
        return f"{type(self).__name__}({', '.join(filter(None, [self._given, *changed]))})"

    def enable(self) -> None:
        """Let the learner move the controls."""
        self._lock_controls(False)

    def disable(self) -> None:
        """Hold the controls, until a prediction is made."""
        self._lock_controls(True)

    def refresh(self) -> None:
        """Compute and draw again, though no control moved; the way for a worker to show what it has done."""
        with self.lock:
            self._shown = None
            self._try(self._update)

    def forget(self) -> None:
        """Drop what ``prepare`` returned before, because the model it came from has changed."""
        with self.lock:
            self._prepared.clear()

    def replace(self, name: str, control: Control) -> None:
        """Give one control of this explorer another range or other options; its value stays if it still may."""
        with self.lock:
            self.controls[name] = control
            if name not in self.inputs:
                return
            try:
                value = control.check(self.inputs[name].value)
            except ValueError:
                value = control.start
            self._start[name] = control.start
            self._setting, before = True, self._setting
            widget, traits = self.inputs[name], control.traits()
            with widget.hold_trait_notifications():
                for trait, setting in traits.items():
                    setattr(widget, trait, setting)
                if not isinstance(control, Choice):
                    widget.value = value
            widget.value = value  # leaving the block above, a list goes back to its first option
            self._setting = before

    def press(self, name: str) -> None:
        """Press a button: run its method and draw, or start or stop its worker."""
        button = self._declared(Button)[name]
        if not button.worker:
            with self.lock:
                getattr(self, button.method)()
                self._shown = None
                self._update()
            return
        with self._pressing:  # not self.lock: Stop must work while the worker draws
            if self._working == name:
                self.cancel.set()
            elif self._working:
                raise ValueError(f"{self._declared(Button)[self._working].label} is running: press Stop first")
            else:
                self._working, self.cancel = name, threading.Event()
                self._buttons[name].description = "Stop"
                self._worker = threading.Thread(target=self._work, args=(button,), daemon=True)
                self._worker.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the worker to end; return whether it has."""
        if self._worker is not None:
            self._worker.join(seconds)
        return not self._working

    # The machinery.

    def _work(self, button: Button) -> None:
        self._say("")
        failed = not self._try(getattr(self, button.method))
        self._buttons[button.name].description = button.label
        self._working = ""
        if not failed:
            self.refresh()

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        for name in values:
            if name not in self.controls:
                known = ", ".join(self.controls) or "none"
                raise ValueError(f"{type(self).__name__} has no control named {name}; it has {known}")
        return {name: self.controls[name].check(value) for name, value in values.items()}

    def _write(self, values: dict[str, Any]) -> None:
        self._setting = True  # observers run in this thread, other threads wait for the lock
        try:
            for name, value in values.items():
                self.inputs[name].value = value
        finally:
            self._setting = False

    def _moved(self, _: Any) -> None:
        with self.lock:
            if not self._setting:
                self._remember(None)
                self._try(self._update)

    def _update(self) -> None:
        """Compute and draw what the controls say, unless that is what the picture shows."""
        with self.lock:
            values = self._checked(self.values)
            if self._shown == values:
                self._say("")
                return
            self._shown = None
            slow = {name: value for name, value in values.items() if self.controls[name].slow}
            key = tuple(slow.values())
            if key not in self._prepared:
                prepared = self.prepare(**slow)
                self._prepared[key] = prepared
                while len(self._prepared) > KEPT:
                    self._prepared.popitem(last=False)
            self._prepared.move_to_end(key)
            values = self._checked(self.values)  # prepare may have changed a range
            fast = {name: value for name, value in values.items() if not self.controls[name].slow}
            result = self.compute(self._prepared[key], **fast)
            caption = self.caption(result)
            if self.pinned is not None:
                caption += f" Pinned: {self._pinned_says}"
            panel = self.panel(result)
            self._show_picture(lambda: self.draw(self.figure, result), caption)
            style = f"height:{self.panel_height - 4}px;overflow:auto"
            self._panel.value = f'<div tabindex="0" style="{style}">{panel}</div>' if panel else ""
            self.result, self._shown = result, values
            if not self._working:
                self._say("")

    def _try(self, action: Callable[[], Any]) -> bool:
        try:
            action()
        except ValueError as error:
            self._say(str(error))
        except (Exception, KeyboardInterrupt) as error:
            self._fail(error)
        else:
            return True
        return False

    def _fail(self, error: BaseException) -> None:
        self._say(f"Something went wrong: {type(error).__name__}: {error}")

    def _from_widget(self, action: Callable[[], Any]) -> None:
        self._try(action)

    def _remember(self, before: dict[str, Any] | None) -> None:
        self._undo = before
        self._reset.description = "Reset" if before is None else "Undo reset"

    def _copy_line(self) -> None:
        self._line.value = self.as_python()
        # A blank at the end tells a second press of the button apart from the first.
        self._helper.copy = self._line.value + (" " if self._helper.copy == self._line.value else "")

    def _lock_controls(self, locked: bool) -> None:
        for widget in (*self.inputs.values(), *self._buttons.values(), self._pin, self._reset):
            widget.disabled = locked
