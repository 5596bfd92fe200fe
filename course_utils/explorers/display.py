"""What every picture and every text of the course shares: a body, a caption, a line for problems, and a still.

``Display`` holds these; ``FigureDisplay`` draws its body with matplotlib, ``TextDisplay`` writes it as HTML.
Explorers build on them, and so does `LiveCurve`, which has no controls.
"""

import html
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
from matplotlib.figure import Figure

from course_utils.explorers.subshells import answer_during_cells
from course_utils.plots import picture
from course_utils.plots.panels import Panel
from course_utils.plots.style import DRAWING


def one_line(text: str, longest: int) -> str:
    r"""Return text without control signs or line breaks, cut at ``longest``.

    >>> one_line("two\nlines", 20), one_line("a long text", 7)
    ('two lines', 'a long…')
    """
    text = "".join(sign if sign.isprintable() else "·" for sign in " ".join(text.split()))
    return text if len(text) <= longest else text[: longest - 1] + "…"


class Html(str):
    """HTML that is safe to show: made by `tag`, which escapes every plain text that it is given."""


def tag(name: str, *children: str, **attributes: str) -> Html:
    """Return an HTML element; plain texts among its children are escaped, elements stay as they are.

    Args:
        name: such as ``"b"``; nothing for a mere sequence of children.
        children: texts and elements.
        attributes: such as ``style="color:red"``; ``class_`` for ``class``.

    >>> tag("p", "1 < 2 ", tag("b", "truly"), title='"')
    '<p title="&quot;">1 &lt; 2 <b>truly</b></p>'
    """
    inside = "".join(child if isinstance(child, Html) else html.escape(child) for child in children)
    if not name:
        return Html(inside)
    said = "".join(f' {key.rstrip("_")}="{html.escape(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{said}>{inside}</{name}>")


class Display:
    """A body with its caption, shown live in a notebook and kept as a still where no kernel runs."""

    caption_lines = 2
    details_height = 0  # pixels kept for HTML under the caption

    def __init__(self) -> None:
        self.says = ""
        self.body, self.caption_line, self.status, self.details_box = (widgets.HTML() for _ in range(4))
        self.details_box.layout = widgets.Layout(height=f"{self.details_height}px", overflow="auto", margin="0 4px")
        self.details_box.add_class("course-panel")
        for line, height, name in (
            (self.caption_line, f"{1.5 * self.caption_lines}em", "course-caption"),
            (self.status, "1.6em", "course-status"),
        ):
            line.layout = widgets.Layout(height="auto", min_height=height, margin="0 4px")  # more in a narrow column
            line.add_class(name)
        self.body.layout = widgets.Layout(overflow="auto hidden", margin="0")
        self.widget = widgets.VBox([self.body, self.caption_line, self.status])

    def clear(self) -> None:
        """Forget what is built, so that the body is built anew."""

    def show_caption(self, caption: str) -> None:
        """Say what the body shows, in one line of text."""
        self.says = one_line(caption, 400)
        self.caption_line.value = f'<div style="line-height:1.4">{html.escape(self.says)}</div>'

    def say(self, sentence: str) -> None:
        """Show a sentence about a problem, or take it away with an empty one."""
        text = html.escape(one_line(sentence, 300))
        style = "line-height:1.4;color:var(--jp-error-color1,#b00020)"
        self.status.value = f'<div role="alert" style="{style}">{text}</div>' if text else ""

    def progress(self, done: float, total: float, words: str = "") -> None:
        """Show how far a long job is, in the line for problems."""
        words = html.escape(one_line(words or f"{done:,} of {total:,}", 200))
        bar = f'<progress value="{done}" max="{total}"></progress>'
        self.status.value = f'<div role="status" style="line-height:1.4">{bar} {words}</div>'

    @property
    def problem(self) -> str:
        """The sentence about what went wrong, or nothing."""
        return html.unescape(self.status.value.partition(">")[2].rpartition("</div>")[0])

    def still(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what a saved notebook keeps, as a mimebundle's data and metadata."""
        raise NotImplementedError

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        still, metadata = self.still()
        answer_during_cells(self.widget)
        return {**self.widget._repr_mimebundle_(), "text/plain": repr(self), **still}, metadata


class FigureDisplay(Display):
    """A display whose body is one matplotlib figure, drawn again and again."""

    size = (8.4, 3.8)  # inches, at 100 dots each

    def __init__(self) -> None:
        super().__init__()
        self.figure: Figure = picture.new_figure(*self.size)
        self.artists: dict[str, Any] = {}
        self.panels: Mapping[str, Panel] = {}
        self.built_for: Hashable = None
        self._blitter = picture.Blitter(self.figure)
        self.pixels = picture.pixels(self.figure)
        self.body.layout.height = "auto"  # the image says its height, also where a narrow column shrinks it

    def clear(self) -> None:
        """Empty the figure, ``artists`` and ``panels``, so that the next draw builds them anew."""
        self.figure.clear()
        self.artists.clear()
        self.panels = {}

    def show_picture(self, draw: Callable[[], None], caption: str) -> None:
        """Run ``draw``, which changes the figure's artists, and show the figure with its caption."""
        try:
            with DRAWING:
                draw()
                panels = [panel.artists() for panel in self.panels.values()]
                self.pixels = self._blitter.pixels(picture.moving_artists([self.artists, *panels]))
        except BaseException:
            self.clear()  # half-made artists would spoil every later picture
            raise
        self.show_caption(caption)
        height, width = self.pixels.shape[:2]
        self.body.value = picture.image_tag(self.png, self.says, width, height)

    @property
    def png(self) -> bytes:
        """The present picture as PNG, without its caption."""
        return picture.png(self.pixels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: interactive picture"

    def still(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a small PNG with the caption drawn under it; the caption is its alternative text too."""
        data, width, height = picture.still(self.pixels, self.says)
        return {"image/png": data}, {"image/png": {"alt": self.says, "width": width, "height": height}}


class TextDisplay(Display):
    """A display whose body is HTML: what a browser draws better than matplotlib, such as Japanese and emoji.

    The still is HTML too. A viewer without a kernel may drop styles, so what a text means must not hang on a colour
    alone: use ``<mark>``, ``<b>``, ``<table>`` and numbers, which every viewer shows.
    """

    height = 240  # pixels; a longer text scrolls

    def __init__(self) -> None:
        super().__init__()
        self.content = Html("")
        self.body.layout.height = f"{self.height + 6}px"
        self.body.add_class("course-text")

    def show_text(self, parts: Sequence[str], caption: str) -> None:
        """Show elements made by `tag`, side by side; a plain text is escaped."""
        columns = [tag("div", part, style="flex:1 1 0;min-width:0") for part in parts]
        self.content = columns[0] if len(columns) == 1 else tag("div", *columns, style="display:flex;gap:16px")
        self.show_caption(caption)
        self.body.value = tag("div", self.content, style=f"{self._style}height:{self.height}px", tabindex="0")

    _style = "white-space:pre-wrap;overflow-wrap:anywhere;overflow:auto;line-height:1.5;"

    def __repr__(self) -> str:
        return f"{type(self).__name__}: interactive text"

    def still(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the text as HTML, with the caption under it as a figure's caption."""
        caption = tag("figcaption", tag("i", self.says))
        return {"text/html": tag("figure", tag("div", self.content, style=self._style), caption)}, {}
