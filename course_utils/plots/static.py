"""A figure that does not move, shown in a notebook with a sentence for those who cannot see it."""

from typing import Any

from matplotlib.figure import Figure

from course_utils.plots import picture


class Static:
    """A finished figure and the sentence that says what it shows.

    Args:
        figure: from `picture.new_figure`.
        alt: one sentence; it is drawn under the picture and read aloud instead of it.

    >>> Static(picture.new_figure(3, 2), "Nothing yet.")
    Picture
    """

    def __init__(self, figure: Figure, alt: str):
        self.figure, self.alt = figure, alt

    def __repr__(self) -> str:
        return "Picture"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        still, width, height = picture.still(picture.pixels(self.figure), self.alt)
        data = {"text/plain": repr(self), "image/png": still}
        return data, {"image/png": {"alt": self.alt, "width": width, "height": height}}
