"""The look of every picture: colours that survive colour blindness, sizes that survive a projector, honest text.

Importing this module gives matplotlib the course's look, for the figures of notebook cells too.
"""

import functools
import threading
from pathlib import Path

import matplotlib
from cycler import cycler
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from course_utils.wording import SIGNS, visible

__all__ = ["BLUE", "DRAWING", "GREY", "INK", "ORANGE", "families", "readable", "visible"]

BLUE, ORANGE, GREY, INK = "#2166ac", "#d95f02", "#8c8c8c", "#1a1a1a"

# matplotlib's caches of fonts and formulas are shared by all figures and are not safe between threads.
DRAWING = threading.RLock()

# Fonts with the signs that DejaVu lacks; each is used where it is installed. Colour emoji fonts cannot be drawn.
_FALLBACKS = (
    "Noto Sans CJK JP", "Noto Sans JP", "Hiragino Sans", "Yu Gothic", "Meiryo", "MS Gothic", "IPAexGothic", "IPAGothic",
    "WenQuanYi Micro Hei", "Microsoft YaHei", "PingFang SC", "Noto Sans Devanagari", "Noto Sans Thai", "Nirmala UI",
    "Arial Unicode MS", "Noto Emoji", "Segoe UI Symbol", "Segoe UI Emoji", "Noto Sans Symbols 2", "Apple Symbols",
)  # fmt: skip


@functools.cache
def families() -> list[str]:
    """Return the fonts of the course's pictures: DejaVu Sans, then every installed font with further signs."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _FALLBACKS if name in installed)]


@functools.cache
def _drawable() -> frozenset[int]:
    paths = {Path(font_manager.findfont(name)) for name in families()}
    return frozenset(code for path in paths for code in FT2Font(str(path)).get_charmap())


def readable(text: str) -> str:
    r"""Return ``text`` as matplotlib can draw it: no formula, no line break, no sign without a glyph.

    A sign that no installed font has becomes its code point, so that the reader sees that something is there.

    >>> readable("a$x$\n")
    'a\\$x\\$↵'
    >>> readable("\U0010fffd")
    'U+10FFFD'
    """
    drawn = []
    for sign in text:
        if sign != " " and sign in SIGNS:
            sign = SIGNS[sign]
        if sign == "$":
            drawn.append(r"\$")  # matplotlib would read a formula between two dollars
        elif sign == " " or (sign.isprintable() and ord(sign) in _drawable()):
            drawn.append(sign)
        else:
            drawn.append(f"U+{ord(sign):04X}")
    return "".join(drawn)


matplotlib.rcParams.update(
    {
        "font.family": families(),
        "font.size": 11,
        "axes.titlesize": 12,
        "axes.labelsize": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=[BLUE, ORANGE, "#1b9e77", "#762a83", "#b8860b", GREY]),
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "image.cmap": "cividis",
        "legend.frameon": False,
        "text.color": INK,
        "hatch.linewidth": 0.8,
    }
)
