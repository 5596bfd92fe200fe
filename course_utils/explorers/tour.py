"""The guided tour of an explorer: one row of buttons with a sentence, of the same height in and out of the tour."""

import html
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets


class TourBar:
    """Buttons Tour, Back and Next beside the sentence of the stop.

    Args:
        stops: how many.
        visit: called with the number of a stop, or with None to leave.
        attempt: runs an action and turns its errors into sentences.
    """

    def __init__(self, stops: int, visit: Callable[[int | None], None], attempt: Callable[[Callable[[], Any]], Any]):
        self.stops = stops
        self.stop: int | None = None
        self.tour, self.back, self.next = self.buttons = tuple(
            widgets.Button(layout=widgets.Layout(width=width, flex="none")) for width in ("92px", "56px", "62px")
        )
        self.sentence = widgets.HTML(layout=widgets.Layout(height="auto", margin="0 4px", flex="1 1 0"))
        self.sentence.add_class("course-tour")
        self.tour.on_click(lambda _: attempt(lambda: visit(0 if self.stop is None else None)))
        self.back.on_click(lambda _: attempt(lambda: visit(None if self.stop is None else max(self.stop - 1, 0))))
        self.next.on_click(lambda _: attempt(lambda: visit(self._following())))
        row = widgets.Layout(align_items="center", min_height="46px")  # two lines; more in a narrow column
        self.widget = widgets.HBox([*self.buttons, self.sentence], layout=row)
        self.show(None, "")

    def _following(self) -> int | None:
        return None if self.stop is None or self.stop == self.stops - 1 else self.stop + 1

    def show(self, stop: int | None, sentence: str) -> None:
        """Stand at a stop with its sentence, or, with None, outside the tour."""
        self.stop = stop
        out = stop is None
        self.tour.description = "Tour" if out else "Leave tour"
        self.tour.tooltip = "See what to look at, step by step" if out else "Back to your own setting"
        self.back.description, self.next.description = "Back", "Finish" if stop == self.stops - 1 else "Next"
        for button in (self.back, self.next):  # hidden, not removed: nothing moves
            button.layout.visibility = "hidden" if out else "visible"
        self.back.disabled = stop == 0
        said = f"{self.stops} stops that show what to look at."
        if stop is not None:
            said = f"{stop + 1}/{self.stops}  {sentence}"
        colour = "color:var(--jp-ui-font-color2,#555)" if out else ""
        self.sentence.value = f'<div style="line-height:1.35;{colour}">{html.escape(said)}</div>'
