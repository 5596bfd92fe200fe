"""A figure as bytes, as an HTML image, and as a still with its caption drawn under it."""

import base64
import html
import io
import struct
import textwrap
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from course_utils.plots.style import DRAWING, readable

STILL_LIMIT = 60_000  # bytes: what a committed notebook may hold per picture


def new_figure(width: float, height: float, dpi: int = 100) -> Figure:
    """Return a figure of ``width`` by ``height`` inches that no pyplot window knows of.

    >>> new_figure(4, 2).bbox.size.tolist()
    [400.0, 200.0]
    """
    figure = Figure(figsize=(width, height), dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def pixels(figure: Figure) -> np.ndarray:
    """Draw the figure and return its pixels, ``(height, width, 4)`` bytes."""
    with DRAWING:
        figure.canvas.draw()
        return np.asarray(figure.canvas.buffer_rgba()).copy()  # type: ignore[attr-defined]


class Blitter:
    """A figure drawn again and again: what does not change is kept as pixels, what moves is drawn over it.

    The whole figure is drawn anew only if something else than the moving artists has changed, which matplotlib marks
    by itself: an artist called animated leaves its figure unmarked ("stale").
    """

    def __init__(self, figure: Figure):
        self.figure = figure
        self._background = None

    def pixels(self, moving: Iterable[Artist]) -> np.ndarray:
        """Return the figure's pixels, ``(height, width, 4)`` bytes, with ``moving`` artists in front."""
        canvas: Any = self.figure.canvas
        moving = sorted(moving, key=lambda artist: artist.zorder)
        with DRAWING:
            for artist in moving:
                artist.set_animated(True)
            if self._background is None or self.figure.stale:
                canvas.draw()
                self._background = canvas.copy_from_bbox(self.figure.bbox)
            else:
                canvas.restore_region(self._background)
            for artist in moving:
                self.figure.draw_artist(artist)
            return np.asarray(canvas.buffer_rgba()).copy()


def moving_artists(holder: Any) -> Iterator[Artist]:
    """Yield the artists in a nest of dictionaries and sequences; axes are no moving artists, they hold them."""
    if isinstance(holder, Artist):
        if not isinstance(holder, Axes):
            yield holder
    elif isinstance(holder, Mapping):
        yield from moving_artists(list(holder.values()))
    elif isinstance(holder, Iterable):
        for part in holder:
            yield from moving_artists(part)


def png(image: np.ndarray) -> bytes:
    """Return pixels, ``(height, width, 4)``, as a PNG (ISO 15948): signature, header, compressed rows, end.

    Written out because a slider waits for it: Pillow tries a filter on every row, which takes twice as long.
    """
    height, width = image.shape[:2]
    rows = np.zeros((height, 1 + width * 3), dtype=np.uint8)  # each row begins with 0: no filter
    rows[:, 1:] = np.asarray(Image.fromarray(image).convert("RGB")).reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits each of red, green and blue
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.data, 1)), (b"IEND", b""))
    parts = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def image_tag(data: bytes, alt: str, width: int, height: int) -> str:
    """Return an ``<img>`` that holds the PNG itself; in a narrow column it shrinks, and its height follows.

    >>> image_tag(b"", '<b>"x"', 4, 2)[:45]
    '<img alt="&lt;b&gt;&quot;x&quot;" width="4" h'
    """
    return (
        f'<img alt="{html.escape(alt)}" width="{width}" height="{height}" decoding="sync" '
        'style="display:block;max-width:100%;height:auto;background:white" '
        f'src="data:image/png;base64,{base64.b64encode(data).decode()}">'
    )


def still(image: np.ndarray, caption: str) -> tuple[bytes, int, int]:
    """Return a small palette PNG of the pixels with the caption drawn under them, its width and its height."""
    width = image.shape[1]
    wide = any(unicodedata.east_asian_width(sign) in "WF" for sign in caption)
    lines = textwrap.wrap(readable(caption), width // (16 if wide else 8)) or [""]
    strip = new_figure(width / 100, (16 + 19 * len(lines)) / 100)
    strip.text(8 / width, 0.5, "\n".join(lines), va="center", fontsize=10, linespacing=1.35)
    words = pixels(strip)
    buffer = io.BytesIO()
    # Fewer colours first; a picture that is still too large, a photograph perhaps, gets larger dots above its caption.
    for dot, colours in ((1, 128), (1, 64), (1, 32), (2, 64), (2, 16), (4, 16)):
        coarse = image[::dot, ::dot].repeat(dot, 0).repeat(dot, 1)[: image.shape[0], :width]
        whole = Image.fromarray(np.vstack([coarse, words])[..., :3])
        buffer = io.BytesIO()
        whole.quantize(colours, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= STILL_LIMIT:
            break
    return buffer.getvalue(), width, image.shape[0] + words.shape[0]
