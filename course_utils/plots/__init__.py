"""Data to matplotlib figures, in one look; no widgets, no models.

``style`` holds the look and what text may go into a picture, ``picture`` turns a figure into bytes and HTML,
``bars`` draws distributions, ``source`` shows a function's real code in a notebook.
"""

from course_utils.plots.source import show
from course_utils.plots.style import readable, visible

__all__ = ["readable", "show", "visible"]
