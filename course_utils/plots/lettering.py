"""Short labels that a control changes, drawn in a small part of the time that matplotlib's own text takes.

matplotlib lays a text out anew and paints it sign by sign, about a tenth of a millisecond each; thirteen numbers took
half of the time in which a picture answered its slider. Pillow paints a label at once, and one seen before is kept.
"""

import functools
from typing import Any

import numpy as np
from matplotlib import font_manager
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from PIL import Image, ImageDraw, ImageFont

_LEFT = {"left": 0.0, "center": 0.5, "right": 1.0}
_BELOW = {"bottom": 0.0, "center": 0.5, "top": 1.0}


@functools.cache
def _font(points: float, dots: float) -> tuple[ImageFont.FreeTypeFont, int, int]:
    """DejaVu Sans at a size, and how far its signs rise above the line and hang below it, in pixels."""
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), points * dots / 72)
    _, top, _, bottom = font.getbbox("lp", anchor="ls")
    return font, -int(top), int(bottom)


@functools.lru_cache(2048)
def _painted(text: str, colour: tuple[float, float, float], points: float, dots: float) -> np.ndarray:
    """A label's pixels, ``(height, width, 4)``: the colour everywhere, the signs in its opacity."""
    font, rise, hang = _font(points, dots)
    _, top, right, bottom = (round(edge) for edge in font.getbbox(text, anchor="ls"))
    above, below = max(rise, -top), max(hang, bottom)
    signs = Image.new("L", (max(right, 1), above + below))
    ImageDraw.Draw(signs).text((0, above), text, fill=255, font=font, anchor="ls")
    pixels = np.zeros((above + below, max(right, 1), 4), dtype=np.uint8)
    pixels[..., :3] = np.round(np.array(colour) * 255)
    pixels[..., 3] = np.asarray(signs)
    return pixels


class Label(Text):
    """A `matplotlib.text.Text` that draws plain text quickly, level or upright; any other text matplotlib draws.

    >>> from course_utils.plots.picture import new_figure
    >>> axes = new_figure(4, 2).add_axes((0, 0, 1, 1))
    >>> axes.add_artist(Label(0.5, 0.5, "71 %")).get_text()
    '71 %'
    """

    def draw(self, renderer: Any, *_: Any, **__: Any) -> None:
        """Paint the text into the renderer's picture."""
        text, place = self.get_text(), self.get_verticalalignment()
        plain = text.isascii() and text.isprintable() and not set(text) & set("$\\") and place in _BELOW
        plain = plain and self.get_fontweight() in ("normal", 400) and self.get_fontstyle() == "normal"
        if not plain or self.get_rotation() not in (0, 90) or self.get_bbox_patch() or self.get_alpha() is not None:
            super().draw(renderer)
        elif text and self.get_visible():
            x, y = self.get_transform().transform(self.get_unitless_position())
            if np.isfinite((x, y)).all():
                pixels = _painted(text, to_rgb(self.get_color()), self.get_fontsize(), renderer.dpi)
                if self.get_rotation():
                    pixels = np.rot90(pixels)
                height, width = pixels.shape[:2]
                x -= _LEFT[self.get_horizontalalignment()] * width
                y -= _BELOW[place] * height
                graphics = renderer.new_gc()
                if self.get_clip_on():
                    graphics.set_clip_rectangle(self.get_clip_box())
                    graphics.set_clip_path(self.get_clip_path())
                renderer.draw_image(graphics, round(x), round(y), pixels[::-1])
                graphics.restore()
        self.stale = False
