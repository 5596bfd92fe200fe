"""The controls of an explorer at work: their values checked and moved, and what was prepared for the slow ones."""

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Any, Self

import ipywidgets as widgets

from course_utils.explorers.controls import Choice, Control, Slider
from course_utils.explorers.display import Display

KEPT = 8  # results of prepare: enough to go back and forth between a few prompts


class Board(Display):
    """A display with controls; what is built on it says what is shown for their values, in ``_update``.

    ``controls`` are those of this one board, which may have other ranges than its class; ``inputs`` are their widgets.
    """

    controls: dict[str, Control]
    inputs: dict[str, widgets.Widget]
    lock: threading.RLock

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        """Make what a control may be replaced in before the board is built."""
        board = super().__new__(cls)
        board.controls, board.inputs, board.lock = board._declared(Control), {}, threading.RLock()
        return board

    def __init__(self) -> None:
        super().__init__()
        self._prepared: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._setting = False
        for name, control in self.controls.items():
            self.inputs[name] = control.widget()
            self.inputs[name].observe(lambda change, name=name: self._moved(name, change.old), "value")
        usual = {name: control.start for name, control in self.controls.items()}
        self._write(usual | self._checked(self._followers(usual)))

    def _declared(self, kind: type) -> dict[str, Any]:
        names = [name for parent in reversed(type(self).__mro__) for name in vars(parent)]
        return {name: got for name in dict.fromkeys(names) if isinstance(got := getattr(type(self), name), kind)}

    # What is built on it defines.

    def prepare(self, *_: Any, **slow: Any) -> Any:
        """Return what is costly and depends on slow controls only."""
        return None

    def dependent_controls(self, prepared: Any) -> Mapping[str, Control]:
        """Return the controls whose range or options depend on what was prepared."""
        return {}

    def dependent_values(self, name: str, value: Any) -> Mapping[str, Any]:
        """Return what other controls are set to when control ``name`` gets this new value."""
        return {}

    def _update(self) -> None:
        """Show what the controls say."""
        raise NotImplementedError

    def _moved_since_reset(self) -> None:
        """Note that a control was moved, so that the last Reset can no longer be undone."""

    # What it may call.

    def show_controls(self, names: Collection[str]) -> None:
        """Show exactly these controls; the others keep their values."""
        for name, widget in self.inputs.items():
            widget.layout.display = None if name in names else "none"

    def lay_out(self, kind: type[Control], **layout: str) -> None:
        """Lay out the widgets of all controls of one kind, such as ``width="auto"``."""
        for name, control in self.controls.items():
            if isinstance(control, kind):
                for trait, setting in layout.items():
                    setattr(self.inputs[name].layout, trait, setting)

    @property
    def values(self) -> dict[str, Any]:
        """The present value of every control, by name."""
        return {name: self.inputs[name].value if self.inputs else got.start for name, got in self.controls.items()}

    def forget(self) -> None:
        """Drop what ``prepare`` returned before, because the model it came from has changed."""
        with self.lock:
            self._prepared.clear()

    def replace(self, name: str, control: Control) -> None:
        """Give one control of this explorer another range or other options; its value stays if it still may."""
        with self.lock:
            control.__set_name__(type(self), name)
            self.controls[name] = control
            if name not in self.inputs:
                return
            widget, traits = self.inputs[name], control.traits()
            try:
                value = control.check(widget.value)
            except ValueError:
                value = control.start
            self._setting, before = True, self._setting
            with widget.hold_trait_notifications():
                for trait, setting in traits.items():
                    setattr(widget, trait, setting)
                if not isinstance(control, Choice):
                    widget.value = value
            widget.value = value  # leaving the block above, a list goes back to its first option
            self._setting = before

    # The machinery.

    def _checked(self, values: Mapping[str, Any], lenient: bool = False) -> dict[str, Any]:
        """The values as the explorer uses them; a lenient check puts a control's first value for one it refuses."""
        checked = {}
        for name, value in values.items():
            if name not in self.controls:
                known = ", ".join(self.controls) or "none"
                raise ValueError(f"{type(self).__name__} has no control named {name}; it has {known}")
            try:
                checked[name] = self.controls[name].check(value)
            except ValueError:
                if not lenient:
                    raise
                checked[name] = self.controls[name].start
        return checked

    def _followers(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What other controls are set to by these values, those of controls declared later winning."""
        return {
            other: setting
            for name in self.controls
            if name in values
            for other, setting in self.dependent_values(name, values[name]).items()
        }

    def _put(self, values: Mapping[str, Any], lenient: bool = False) -> None:
        """Check and write values without showing them: slow ones first, for others' ranges may depend on them."""
        self._checked({name: value for name, value in values.items() if name not in self.controls})  # tells of it
        before = self.values
        slow = self._checked({name: value for name, value in values.items() if self.controls[name].slow}, lenient)
        moved = {name: value for name, value in slow.items() if value != before[name]}
        self._write(slow)
        try:
            if (moved or not self._prepared) and type(self).dependent_controls is not Board.dependent_controls:
                with contextlib.suppress(Exception):  # the next update says it
                    self._prepare()
            fast = self._checked({name: value for name, value in values.items() if name not in slow}, lenient)
            moved |= {name: value for name, value in fast.items() if value != before[name]}
            self._write(self._checked(self._followers(moved)) | slow | fast)
        except ValueError:
            self._write({name: before[name] for name in slow})
            with contextlib.suppress(Exception):
                self._prepare()  # ranges as they were
            self._write(before)
            raise
        self._moved_since_reset()

    def _write(self, values: Mapping[str, Any]) -> None:
        self._setting, before = True, self._setting  # observers run in this thread, other threads wait for the lock
        try:
            for name, value in values.items():
                self.inputs[name].value = value
        finally:
            self._setting = before

    def _moved(self, name: str, before: Any) -> None:
        """The learner moved a control."""
        with self.lock:
            if self._setting:
                return
            self._moved_since_reset()
            control = self.controls[name]
            try:
                value = control.check(self.inputs[name].value)
            except ValueError as error:
                if isinstance(control, Slider):  # a typed number has no picture: the slider goes back to the one it has
                    self._write({name: before})
                    self.say(str(error))
                    return
            else:
                if not self._try(lambda: self._write(self._checked(self.dependent_values(name, value)))):
                    return
            self._try(self._update)

    def _prepare(self) -> Any:
        """What ``prepare`` returns for the slow controls, anew or kept; ranges that depend on it are set."""
        slow = {name: control.check(self.inputs[name].value) for name, control in self.controls.items() if control.slow}
        key = tuple(slow.values())
        if key not in self._prepared:
            prepared = self.prepare(**slow)
            self._prepared[key] = prepared
            while len(self._prepared) > KEPT:
                self._prepared.popitem(last=False)
        self._prepared.move_to_end(key)
        for name, control in self.dependent_controls(self._prepared[key]).items():
            control.__set_name__(type(self), name)
            if control.traits() != self.controls[name].traits():
                self.replace(name, control)
        return self._prepared[key]

    def _try(self, action: Callable[[], Any]) -> bool:
        try:
            action()
        except ValueError as error:
            self.say(str(error))
        except (Exception, KeyboardInterrupt) as error:
            self._fail(error)
        else:
            return True
        return False

    def _fail(self, error: BaseException) -> None:
        self.say(f"Something went wrong: {type(error).__name__}: {error}")
