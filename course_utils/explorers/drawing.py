"""Draw a digit with the mouse, a finger or the keyboard, and see every layer of two networks answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anywidget
import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure

from course_utils.explorers.base import Button, FigureExplorer, Text, Toggle
from course_utils.models.convnet import ConvNet
from course_utils.models.mlp import MLP
from course_utils.plots.bars import percent
from course_utils.plots.networks import LayerImages, ShareBars, Sheet
from course_utils.plots.panels import Panel
from course_utils.plots.style import INK

SIDE = 32  # the paper is SIDE x SIDE dots, as the bitmaps were from which the 8 x 8 digits were made
BLOCK = 4  # dots counted into one number of the 8 x 8 image
WIDEST = 24  # dots: few of the real digits are wider
PEN = 2.3  # radius of the pen in dots: about 30 % of a real digit's paper is ink


def ink(strokes: Sequence[Sequence[tuple[float, float]]], pen: float = PEN) -> np.ndarray:
    """Paper with strokes on it, ``(SIDE, SIDE)`` of 0 and 1.

    Args:
        strokes: each a list of points ``(across, down)``, from 0 to SIDE, joined by straight lines.
        pen: the radius in dots.

    >>> int(ink([[(16, 16)]], pen=1.0).sum())
    4
    """
    middles = np.arange(SIDE) + 0.5
    dots = np.stack(np.meshgrid(middles, middles), axis=-1)  # (SIDE, SIDE, across and down)
    paper = np.zeros((SIDE, SIDE), dtype=bool)
    for stroke in strokes:
        for start, end in zip(stroke, [*stroke[1:], stroke[-1]], strict=True):
            begin, along = np.array(start, dtype=float), np.array(end, dtype=float) - np.array(start, dtype=float)
            share = ((dots - begin) @ along / max(along @ along, 1e-9)).clip(0, 1)
            paper |= np.linalg.norm(dots - begin - share[..., None] * along, axis=-1) <= pen
    return paper.astype(np.uint8)


def as_text(paper: np.ndarray) -> str:
    """Paper as 256 hexadecimal signs, four dots each, row by row; "" if it is blank."""
    return np.packbits(paper.ravel()).tobytes().hex() if paper.any() else ""


def from_text(text: str) -> np.ndarray:
    """The inverse of `as_text`.

    Raises:
        ValueError: the text is no drawing.
    """
    if not text.strip():
        return np.zeros((SIDE, SIDE), np.uint8)
    try:
        dots = bytes.fromhex(text)
    except ValueError:
        dots = b""
    if len(dots) * 8 != SIDE * SIDE:
        raise ValueError(
            f"A drawing is {SIDE * SIDE // 4} signs of 0-9 and a-f, not {text!r:.40}: draw it on the paper."
        )
    return np.unpackbits(np.frombuffer(dots, np.uint8)).reshape(SIDE, SIDE)


def framed(paper: np.ndarray) -> np.ndarray:
    """The drawing scaled to the paper's full height (but at most WIDEST dots wide), in the middle.

    So were the real digits prepared: in scikit-learn's copy all 1,797 reach from the top to the bottom row.

    >>> framed(ink([[(10, 12), (10, 20)]])).any(axis=1).all().item()
    True
    """
    rows, columns = np.flatnonzero(paper.any(1)), np.flatnonzero(paper.any(0))
    if not len(rows):
        return paper
    cut = paper[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    width = min(WIDEST, max(1, round(cut.shape[1] * SIDE / cut.shape[0])))
    down, across = ((np.arange(size) + 0.5) / size for size in (SIDE, width))
    scaled = cut[(down * cut.shape[0]).astype(int)][:, (across * cut.shape[1]).astype(int)]
    left = (SIDE - width) // 2
    return np.pad(scaled, ((0, 0), (left, SIDE - width - left)))


def counted(paper: np.ndarray) -> np.ndarray:
    """Inked dots in each block of 4 x 4, divided by 16: ``(8, 8)`` from 0 to 1, the networks' input.

    >>> counted(np.ones((SIDE, SIDE))).shape
    (8, 8)
    """
    blocks = paper.reshape(SIDE // BLOCK, BLOCK, SIDE // BLOCK, BLOCK)
    return blocks.sum(axis=(1, 3)) / BLOCK**2


TWO = as_text(ink([[(10, 9), (13, 6), (19, 6), (22, 10), (20, 15), (11, 26), (22, 26)]]))


class Paper(anywidget.AnyWidget):
    """The paper: a canvas for pointer and keyboard. ``ink`` is the drawing, ``past`` the drawings before each stroke.

    Only the page knows where a stroke begins: of what it sends to a busy kernel, the newest piece alone arrives.
    """

    ink: Any = traitlets.Unicode("").tag(sync=True)
    past: Any = traitlets.List(traitlets.Unicode()).tag(sync=True)
    side: Any = traitlets.Int(SIDE).tag(sync=True)
    pen: Any = traitlets.Float(PEN).tag(sync=True)
    _esm = """
    export default { render({ model, el }) {
      const side = model.get("side"), pen = model.get("pen"), dot = 6;
      const canvas = document.createElement("canvas"), says = document.createElement("div");
      canvas.width = canvas.height = side * dot;
      canvas.className = "course-paper";
      canvas.tabIndex = 0;
      canvas.setAttribute("role", "application");
      canvas.setAttribute("aria-label", "Paper to draw a digit on, " + side + " by " + side + " dots. Arrow keys " +
        "move the pen, space puts ink, shift and arrow draws. Undo and Clear are buttons.");
      canvas.style.cssText = "border:1px solid #8c8c8c;background:white;touch-action:none;cursor:crosshair";
      says.setAttribute("role", "status");
      says.style.cssText = "font-size:12px;width:130px;line-height:1.3";
      const help = "Draw with mouse or finger. Keys: arrows move, space inks, shift+arrow draws.";
      says.textContent = help;
      const row = document.createElement("div");
      row.style.cssText = "display:flex;gap:8px;align-items:flex-start";
      row.append(canvas, says);
      el.append(row);
      const brush = canvas.getContext("2d");
      let dots = new Uint8Array(side * side), at = [side / 2, side / 2], last = null, sent = 0, waiting = null;

      const read = () => {
        const text = model.get("ink");
        dots.fill(0);
        for (let i = 0; i < text.length; i++)
          for (let bit = 0; bit < 4; bit++) dots[4 * i + bit] = (parseInt(text[i], 16) >> (3 - bit)) & 1;
        paint();
      };
      const paint = () => {
        brush.fillStyle = "white"; brush.fillRect(0, 0, canvas.width, canvas.height);
        brush.fillStyle = "#1a1a1a";
        dots.forEach((on, i) => { if (on) brush.fillRect((i % side) * dot, Math.floor(i / side) * dot, dot, dot); });
        brush.strokeStyle = "#dddddd"; brush.lineWidth = 1;
        for (let k = 4; k < side; k += 4) {
          brush.beginPath(); brush.moveTo(k * dot + .5, 0); brush.lineTo(k * dot + .5, canvas.height);
          brush.moveTo(0, k * dot + .5); brush.lineTo(canvas.width, k * dot + .5); brush.stroke();
        }
        if (document.activeElement === canvas) {
          brush.strokeStyle = "#d95f02"; brush.lineWidth = 2;
          brush.beginPath(); brush.arc(at[0] * dot, at[1] * dot, pen * dot, 0, 7); brush.stroke();
        }
      };
      const put = (x, y) => {
        for (let row = 0; row < side; row++) for (let column = 0; column < side; column++)
          if (Math.hypot(column + .5 - x, row + .5 - y) <= pen) dots[row * side + column] = 1;
      };
      const line = (from, to) => {
        const steps = Math.max(1, Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])));
        for (let k = 0; k <= steps; k++)
          put(from[0] + (to[0] - from[0]) * k / steps, from[1] + (to[1] - from[1]) * k / steps);
      };
      const written = () => {
        let text = "";
        for (let i = 0; i < dots.length; i += 4)
          text += (8 * dots[i] + 4 * dots[i + 1] + 2 * dots[i + 2] + dots[i + 3]).toString(16);
        return dots.some(Boolean) ? text : "";
      };
      const send = () => {
        clearTimeout(waiting); waiting = null; sent = Date.now();
        model.set("ink", written());
        model.save_changes();
      };
      const soon = () => { waiting ??= setTimeout(send, Math.max(0, sent + 80 - Date.now())); };
      const place = (event) => {
        const box = canvas.getBoundingClientRect();
        return [(event.clientX - box.left - 1) / dot, (event.clientY - box.top - 1) / dot];
      };
      const begin = () => model.set("past", [...model.get("past"), written()].slice(-100));
      canvas.addEventListener("pointerdown", (event) => {
        canvas.focus(); canvas.setPointerCapture(event.pointerId);
        begin(); at = last = place(event); put(...at); paint(); soon();
        event.preventDefault();
      });
      canvas.addEventListener("pointermove", (event) => {
        if (!last) return;
        at = place(event); line(last, at); last = at; paint(); soon();
      });
      const lift = () => { if (last) { last = null; send(); } };
      canvas.addEventListener("pointerup", lift);
      canvas.addEventListener("pointercancel", lift);
      canvas.addEventListener("focus", paint);
      canvas.addEventListener("blur", paint);
      canvas.addEventListener("keydown", (event) => {
        const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (!way && event.key !== " ") return;
        event.preventDefault(); event.stopPropagation();
        const before = at;
        if (way) at = at.map((part, i) => Math.min(side - 2, Math.max(2, Math.round(part + 2 * way[i]))));
        if (!way || event.shiftKey) { begin(); line(before, at); send(); }
        const inked = dots[Math.floor(at[1]) * side + Math.floor(at[0])] ? "ink" : "paper";
        says.textContent = "Pen at column " + at[0] + ", row " + at[1] + " of " + side + ": " + inked + ".";
        paint();
      });
      model.on("change:ink", () => { if (!last) read(); });
      read();
    } };
    """


@dataclass(frozen=True)
class Answers:
    """What the networks make of a drawing."""

    drawing: str
    inked: float  # share of the paper
    image: np.ndarray  # (8, 8) from 0 to 1
    plain: tuple[np.ndarray, ...]  # each hidden layer of the plain network, (neurons,)
    maps: tuple[np.ndarray, ...]  # each convolution, (channels, side, side)
    hidden: np.ndarray  # (neurons,) the convolutional network's last hidden layer
    shares: np.ndarray  # (2, 10) probabilities: plain, convolutional


class DrawADigit(FigureExplorer):
    """Draw a digit; a plain and a convolutional network answer, layer by layer.

    Args:
        plain: trained on the 8 x 8 digits.
        convolutional: likewise.
        start: first values of the controls; ``drawing`` is text as `as_text` writes it.
    """

    size = (8.4, 3.2)
    drawing = Text(TWO, slow=False, maximum=2 * SIDE * SIDE)
    to_frame = Toggle(True, label="scale to the frame, as the real digits were")
    undo_stroke = Button("Undo stroke", "take_back")
    wipe = Button("Clear", "clear_paper")

    def __init__(self, plain: MLP, convolutional: ConvNet, **start: Any):
        self.plain, self.convolutional = plain, convolutional
        self.paper = Paper()
        super().__init__(**start)
        self.show_controls(["to_frame"])  # the paper shows the drawing
        self.add_widget(self.paper, beside=True)
        self.listen(self.paper, "ink", self._drawn)

    def restart(self) -> None:
        """Nothing to undo."""
        self.paper.past = []

    def _drawn(self, now: str) -> None:
        if now != self.drawing:  # else it was this explorer that changed the paper
            self.set(drawing=now)

    def take_back(self) -> None:
        """Remove the last stroke, or bring back what was cleared."""
        if self.paper.past:
            *self.paper.past, before = self.paper.past
            self.set(drawing=before)

    def clear_paper(self) -> None:
        """Blank paper; Undo brings the drawing back."""
        if self.drawing:
            self.paper.past = [*self.paper.past, self.drawing]
        self.set(drawing="")

    @torch.no_grad()
    def compute(self, prepared: None, drawing: str, to_frame: bool) -> Answers:
        """Return what every layer answers."""
        paper = from_text(drawing)
        image = counted(framed(paper) if to_frame else paper)
        inputs = torch.tensor(image, dtype=torch.float32)[None]  # (1, 8, 8)
        _, *plain = self.plain.activations(inputs)
        *maps, hidden, answer = self.convolutional.activations(inputs)
        shares = torch.stack([plain[-1][0], answer[0]]).softmax(-1)
        if not shares.isfinite().all():
            raise ValueError("A network answers NaN, not numbers: train it again, with a smaller learning rate.")
        return Answers(
            as_text(paper),
            float(paper.mean()),
            image,
            tuple(layer[0].numpy() for layer in plain[:-1]),
            tuple(layer[0].numpy() for layer in maps),
            hidden[0].numpy(),
            shares.numpy(),
        )

    def layout_key(self, result: Answers) -> tuple[tuple[int, ...], ...]:
        """The shapes of all layers."""
        return tuple(layer.shape for layer in (*result.plain, *result.maps))

    def make_panels(self, figure: Figure, result: Answers) -> dict[str, Panel]:
        """What is seen, the layers of both networks, two bars for each digit."""
        sheet, (width, height) = Sheet(figure), figure.bbox.size
        plain = [f"plain: {len(layer)} neurons" for layer in result.plain]
        convolutional = []
        for number, layer in enumerate((*result.maps, result.hidden), start=1):
            what = f"maps of {layer.shape[-1]} × {layer.shape[-1]}" if layer.ndim == 3 else "neurons"
            convolutional.append(f"convolutional: layer {number}, {len(layer)} {what}")
        top, split = int(height), int(height) - 160
        bars = figure.add_axes((598 / width, 28 / height, 232 / width, (height - 54) / height))
        return {
            "seen": LayerImages(
                figure, sheet, ["seen: 8 × 8"], [(1, 8, 8)], (16, split, 150, top), largest=16, colour=INK
            ),
            "plain": LayerImages(
                figure, sheet, plain, [layer.shape for layer in result.plain], (16, 4, 146, split), largest=4
            ),
            "convolutional": LayerImages(
                figure,
                sheet,
                convolutional,
                [layer.shape for layer in (*result.maps, result.hidden)],
                (172, 4, 572, top),
            ),
            "bars": ShareBars(bars, [str(digit) for digit in range(10)], ["plain", "convolutional"]),
        }

    def contents(self, result: Answers) -> dict[str, Any]:
        """The answers of every layer."""
        return {
            "seen": [result.image[None]],
            "plain": result.plain,
            "convolutional": (*result.maps, result.hidden),
            "bars": result.shares,
        }

    def show_result(self, result: Answers, caption: str) -> None:
        """Draw the result, and the drawing on the paper."""
        super().show_result(result, caption)
        self.paper.ink = result.drawing

    def caption(self, result: Answers) -> str:
        """Say what each network reads, and that they answer to anything."""
        plain, other = result.shares.argmax(1)
        says = (
            f"The plain network reads {plain} ({percent(result.shares[0, plain])}), the convolutional one {other} "
            f"({percent(result.shares[1, other])})"
        )
        if result.inked == 0:
            return f"The paper is blank: draw a digit. A network must answer even to nothing. {says}."
        if result.inked > 0.8:
            return f"The paper is full of ink, which is no digit: press Clear. A network must answer even so. {says}."
        return f"{says}; {percent(result.inked)} of the paper is inked."
