"""Pointing at a picture: where a click or a drag fell, in fractions of one frame of the picture."""

from collections.abc import Sequence

import anywidget
import ipywidgets as widgets
import traitlets


class Pointer(anywidget.AnyWidget):
    """Hears presses and drags on the picture of the explorer that it is a child of; itself it shows nothing.

    Args:
        box: the frame that can be pointed at: left, bottom, width, height in fractions of the picture, as matplotlib's
            ``add_axes`` takes them.
        drag: whether a drag is heard at every place it passes; without it each press is heard once.

    ``place`` is two numbers from 0 to 1: how far right and how far up in the frame. A press outside the frame is not
    heard; a drag that leaves it stays at its edge. An explorer hears it with ``listen(pointer, "place", action)``.

    >>> Pointer((0.1, 0.1, 0.5, 0.8)).place
    []
    """

    box = traitlets.List(traitlets.Float()).tag(sync=True)
    drag = traitlets.Bool(True).tag(sync=True)
    place = traitlets.List(traitlets.Float()).tag(sync=True)
    _esm = """
    export default { render({ model, el }) {
      let held = false;
      // The picture is replaced at every change, so the page listens, and asks whose picture it was.
      const picture = () => el.closest(".course-explorer")?.querySelector("img");
      const inside = (value) => value >= 0 && value <= 1;
      const fractions = (event, image) => {
        const frame = image.getBoundingClientRect(), [left, bottom, width, height] = model.get("box");
        return [((event.clientX - frame.left) / frame.width - left) / width,
                ((frame.bottom - event.clientY) / frame.height - bottom) / height];
      };
      const send = (place) => {
        model.set("place", place.map((value) => Math.min(1, Math.max(0, value))));
        model.save_changes();
      };
      const heard = {
        pointerdown: (event) => {
          const image = picture();
          if (!image || event.target !== image || event.button !== 0) return;
          const place = fractions(event, image);
          if (!place.every(inside)) return;
          held = model.get("drag");
          if (!held) { model.set("place", []); model.save_changes(); }  // the same place pressed again is news
          send(place);
        },
        pointermove: (event) => {
          const image = picture();
          if (!image) return;
          if (held) send(fractions(event, image));
          else if (event.target === image)
            image.style.cursor = fractions(event, image).every(inside) ? "crosshair" : "";
        },
        pointerup: () => { held = false; },
        pointercancel: () => { held = false; },
        dragstart: (event) => { if (event.target === picture()) event.preventDefault(); },
      };
      for (const [name, hear] of Object.entries(heard)) document.addEventListener(name, hear);
      return () => { for (const [name, hear] of Object.entries(heard)) document.removeEventListener(name, hear); };
    } };
    """

    def __init__(self, box: Sequence[float], drag: bool = True):
        super().__init__(box=list(box), drag=drag, layout=widgets.Layout(height="0", margin="0"))
