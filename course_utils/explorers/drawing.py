"""Draw a digit with the mouse, a finger or the keyboard, and see every layer of two networks answer."""

from typing import Any

import anywidget
import traitlets
from matplotlib.figure import Figure

from course_utils.experiments.drawing import PEN, SIDE, TWO, Answers, answer
from course_utils.explorers.base import Button, FigureExplorer, Text, Toggle
from course_utils.models.convnet import ConvNet
from course_utils.models.mlp import MLP
from course_utils.plots.drawing import answer_contents, answer_panels
from course_utils.plots.panels import Panel


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
        self.plain, self.convolutional, self.paper = plain, convolutional, Paper()
        super().__init__(**start)
        self.show_controls(["to_frame"])  # the paper shows the drawing
        self.add_widget(self.paper, beside=True)
        self.listen(self.paper, "ink", self.drawn)

    def restart(self) -> None:
        """Nothing to undo."""
        self.paper.past = []

    def drawn(self, now: str) -> None:
        """Take over what was drawn on the paper."""
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

    def compute(self, prepared: None, drawing: str, to_frame: bool) -> Answers:
        """Return what every layer answers."""
        return answer(self.plain, self.convolutional, drawing, to_frame)

    def layout_key(self, result: Answers) -> tuple[tuple[int, ...], ...]:
        """The shapes of all layers."""
        return tuple(layer.shape for layer in (*result.plain, *result.maps))

    def make_panels(self, figure: Figure, result: Answers) -> dict[str, Panel]:
        """What is seen, the layers of both networks, two bars for each digit."""
        return answer_panels(figure, result)

    def contents(self, result: Answers) -> dict[str, Any]:
        """The answers of every layer."""
        return answer_contents(result)

    def show_result(self, result: Answers, caption: str) -> None:
        """Draw the result, and the drawing on the paper."""
        super().show_result(result, caption)
        self.paper.ink = result.drawing
