"""A loss curve that grows while a model trains."""

import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from IPython.core.getipython import get_ipython
from IPython.display import display

from course_utils.explorers.display import FigureDisplay
from course_utils.plots.style import BLUE, ORANGE, readable

LARGEST = 1e200  # what a picture shows of a loss
FEWEST = 25  # steps in a running mean at most; early on a tenth of the steps so far


def within(losses: Any) -> Any:
    """Return finite losses no farther from zero than `LARGEST`, so that sums and limits of axes do not overflow."""
    return np.where(np.isfinite(losses), np.clip(losses, -LARGEST, LARGEST), losses)


def brief(loss: float) -> str:
    """Return a loss in few signs.

    >>> brief(2.0), brief(1e300)
    ('2.000', '1e+300')
    """
    return f"{loss:.3f}" if abs(loss) < 1e6 else f"{loss:.4g}"


def running_mean(losses: np.ndarray) -> np.ndarray:
    """Return the mean of the last few losses at each step: what the eye should follow.

    >>> running_mean(np.array([3.0, 1.0, 1.0]))
    array([3., 1., 1.])
    """
    window = max(1, min(FEWEST, len(losses) // 10))
    total = np.concatenate([[0.0], losses.cumsum()])
    ends = np.arange(1, len(losses) + 1)
    starts = (ends - window).clip(0)
    return (total[ends] - total[starts]) / (ends - starts)


class LiveCurve(FigureDisplay):
    """A callback for ``training.fit(..., on_step=LiveCurve())`` that draws the loss as it falls.

    It shows itself in the cell that trains, and leaves the whole curve there as a still when the cell ends, also after
    an interrupt. Outside a notebook it draws without showing.

    Args:
        label: what the curve is, in the caption: "loss", "loss on digits".
        every: seconds between two pictures, at least.
        log: whether the loss axis is logarithmic.

    >>> from types import SimpleNamespace
    >>> curve = LiveCurve(every=0)
    >>> curve(0, SimpleNamespace(losses=[2.0]))
    >>> curve(1, SimpleNamespace(losses=[2.0, 1.5]))
    >>> curve.says
    'Step 2: loss 1.500, from 2.000 at the first.'
    """

    size = (8.4, 3.2)
    caption_lines = 1

    def __init__(self, label: str = "loss", *, every: float = 0.2, log: bool = False):
        self.label, self.every, self.log = label, every, log
        self._next = 0.0
        self._handle: Any = None
        self._history: Any = None
        super().__init__()

    def __call__(self, step: int, history: Any) -> None:
        """Note the history and draw it, unless it was drawn a moment ago.

        Args:
            step: how many steps were done before this one.
            history: has ``losses``, one per step, and perhaps ``held_out``, pairs of step and loss.
        """
        if history is not self._history:
            self._history, self._next = history, 0.0
        if self._handle is None:
            self._show_in_cell()
        if time.monotonic() >= self._next:
            begun = time.monotonic()
            self.update()
            # At most a tenth of the time goes into pictures, however slow the machine.
            self._next = time.monotonic() + max(self.every, 9 * (time.monotonic() - begun) if self.every else 0)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: a curve that training draws"

    def update(self) -> None:
        """Draw the history as it is now."""
        losses = within(np.asarray(getattr(self._history, "losses", []), dtype=float))
        held_out = [
            (at, float(within(np.float64(loss)))) for at, loss in getattr(self._history, "held_out", None) or []
        ]
        if len(losses):
            self.show_picture(lambda: self._draw(losses, held_out), self._caption_of(losses, held_out))

    def _draw(self, losses: np.ndarray, held_out: Sequence[tuple[int, float]]) -> None:
        if not self.artists:
            self._axes = self.figure.add_axes((0.09, 0.17, 0.89, 0.76), xlabel="step", ylabel=readable(self.label))
            self._axes.set_yscale("log" if self.log else "linear")
            (self.artists["each"],) = self._axes.plot([], [], color=BLUE, alpha=0.25, linewidth=1)
            (self.artists["mean"],) = self._axes.plot([], [], color=BLUE, linewidth=2, label="training")
            (self.artists["held out"],) = self._axes.plot([], [], "o-", color=ORANGE, markersize=4, label="held out")
        steps = np.arange(1, len(losses) + 1)
        finite = np.isfinite(losses)
        keep = np.unique(np.linspace(0, len(losses) - 1, 2000).astype(int))  # a screen has no more columns
        self.artists["each"].set_data(steps[keep], np.where(finite, losses, np.nan)[keep])
        self.artists["mean"].set_data(steps[keep], running_mean(np.where(finite, losses, np.nan))[keep])
        self.artists["held out"].set_data([at for at, _ in held_out], [loss for _, loss in held_out])
        if held_out and self._axes.get_legend() is None:
            self._axes.legend(handles=[self.artists["mean"], self.artists["held out"]], loc="upper right")
        # The limits grow by leaps, so that most pictures need no new axes.
        wide = 2 ** np.ceil(np.log2(max(len(losses), 8)))
        if self._axes.get_xlim() != (0, wide):
            self._axes.set_xlim(0, wide)
        shown = [
            loss
            for loss in [*losses[finite], *(loss for _, loss in held_out)]
            if np.isfinite(loss) and (loss > 0 or not self.log)
        ]
        if shown:
            self._fit_height(min(shown), max(shown))

    def _fit_height(self, low: float, high: float) -> None:
        bottom, top = self._axes.get_ylim()
        if not bottom <= low <= high <= top or high - low < (top - bottom) / 2:
            if self.log:
                self._axes.set_ylim(low / 1.5, high * 1.5)
            else:
                room = 0.25 * ((high - low) or abs(high) or 1.0)
                self._axes.set_ylim(low - room if low < 0 else max(0.0, low - room), high + room)

    def _caption_of(self, losses: np.ndarray, held_out: Sequence[tuple[int, float]]) -> str:
        mean = running_mean(losses)[-1]
        if not np.isfinite(losses[-1]):
            fine = np.isfinite(losses)
            first = int(fine.argmin()) + 1
            return (
                f"Step {len(losses):,}: {self.label} is not a number since step {first:,}: the training has diverged."
            )
        held = f"; held out {brief(held_out[-1][1])}" if held_out else ""
        return f"Step {len(losses):,}: {self.label} {brief(mean)}, from {brief(losses[0])} at the first{held}."

    def _show_in_cell(self) -> None:
        shell = get_ipython()
        if shell is None or threading.current_thread() is not threading.main_thread():
            return
        self.update()
        self._handle = display(self, display_id=True)

        def finish(*_: Any) -> None:
            shell.events.unregister("post_execute", finish)
            handle, self._handle = self._handle, None
            self.update()
            handle.update(self)  # the cell keeps the last picture, not the first

        shell.events.register("post_execute", finish)
