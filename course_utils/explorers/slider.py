"""A slider that keeps every number exactly as it was typed or set by code, and moves in steps only when dragged.

The sliders of ipywidgets move a value to the nearest step as soon as a browser shows it, and send that back: 0.501
becomes 0.50. Here the browser never sends a number that the learner did not drag or type.

In the page: ``.course-slider input[type=range]`` is the handle, and ``.course-slider input.widget-readout`` is the
field whose ``value`` is the exact number. Both carry the label as ``aria-label``.
"""

from typing import Any

import anywidget
import traitlets

SIGNIFICANT = 3  # digits of a number dragged on a logarithmic slider


class NumberSlider(anywidget.AnyWidget):
    """A label, a handle to drag and a field to type in, for one number.

    Args (all traits of the widget):
        value: the number; ``int`` if ``whole``.
        min, max: its limits.
        step: from one place of the handle to the next; on a ``log`` slider in powers of ten.
        continuous_update: whether a drag is sent while it goes on, not only at its end.

    >>> slider = NumberSlider(value=0.501, min=0.0, max=1.0, step=0.01)
    >>> slider.value
    0.501
    >>> NumberSlider(value=2.0, min=0, max=5, step=1, whole=True).value
    2
    """

    value: Any = traitlets.Union([traitlets.Int(), traitlets.Float()], default_value=0.0).tag(sync=True)
    min: Any = traitlets.Float(0.0).tag(sync=True)
    max: Any = traitlets.Float(1.0).tag(sync=True)
    step: Any = traitlets.Float(0.01).tag(sync=True)
    log: Any = traitlets.Bool(False).tag(sync=True)
    whole: Any = traitlets.Bool(False).tag(sync=True)
    digits: Any = traitlets.Int(SIGNIFICANT).tag(sync=True)
    description: Any = traitlets.Unicode("").tag(sync=True)
    continuous_update: Any = traitlets.Bool(True).tag(sync=True)
    disabled: Any = traitlets.Bool(False).tag(sync=True)

    @traitlets.validate("value")
    def _whole_or_not(self, proposal: Any) -> float:
        value = proposal["value"]
        if abs(value) > 1e308:  # an int may be too large for any float
            raise traitlets.TraitError(f"{self.description} must be smaller than 1e308")
        return int(value) if self.whole and value == value // 1 else float(value)

    _esm = """
    export default { render({ model, el }) {
      const get = (name) => model.get(name);
      const make = (kind, name) => {
        const part = document.createElement(kind);
        part.className = name;
        row.append(part);
        return part;
      };
      const row = document.createElement("div");
      row.className = "course-slider";
      row.style.cssText = "display:flex;align-items:center;gap:6px;height:28px;width:100%;" +
        "font-size:var(--jp-widgets-font-size,13px);color:var(--jp-widgets-label-color,inherit)";
      const label = make("label", "widget-label"), handle = make("input", "course-handle");
      const readout = make("input", "widget-readout");
      label.style.cssText = "flex:none;width:auto;text-align:left";
      handle.type = "range"; handle.min = 0; handle.step = 1;
      handle.style.cssText = "flex:1 1 140px;min-width:60px;margin:0;accent-color:#2166ac";
      readout.type = "text"; readout.inputMode = "decimal"; readout.size = 6;
      readout.style.cssText = "flex:none;width:62px;height:22px;font:inherit;color:inherit;background:transparent;" +
        "border:1px solid transparent;border-radius:3px;padding:0 3px;box-sizing:border-box";
      readout.onfocus = () => { readout.style.borderColor = "var(--jp-border-color1,#8c8c8c)"; readout.select(); };

      // The handle stands on whole places 0, 1, ... count; each place means a number, the last one the upper limit.
      const span = () => get("log") ? Math.log10(get("max") / get("min")) : get("max") - get("min");
      const count = () => Math.max(1, Math.ceil(span() / get("step") - 1e-9));
      const number = (place) => {
        if (place <= 0) return get("min");
        if (place >= count()) return get("max");
        if (get("log")) return Number((get("min") * 10 ** (place * get("step"))).toPrecision(get("digits")));
        return Number((get("min") + place * get("step")).toPrecision(12));
      };
      const place = (value) => (get("log") ? Math.log10(value / get("min")) : value - get("min")) / get("step");
      const written = (value) => {  // as many decimals as the step has, if that is the number; else all it has
        const decimals = get("whole") ? 0 : get("log") ? 1 : Math.max(1, Math.ceil(-Math.log10(get("step")) - 1e-9));
        const even = value.toFixed(Math.min(decimals, 20));
        return Number(even) === value ? even : String(value);
      };
      const say = (value) => {
        readout.value = written(value);
        handle.setAttribute("aria-valuetext", readout.value);
      };
      const show = () => {
        label.textContent = get("description");
        handle.setAttribute("aria-label", get("description"));
        readout.setAttribute("aria-label", get("description") + ", type a value");
        handle.disabled = readout.disabled = get("disabled");
        handle.max = count();
        const near = String(Math.round(Math.min(count(), Math.max(0, place(get("value"))))));
        if (handle.value !== near) handle.value = near;
        say(get("value"));
      };
      const send = (value) => {
        if (value === get("value")) { show(); return; }
        model.set("value", value);
        model.save_changes();
      };
      handle.addEventListener("input", () => {
        const value = number(Number(handle.value));
        if (get("continuous_update")) send(value);
        say(value);
      });
      handle.addEventListener("change", () => send(number(Number(handle.value))));
      const typed = () => {
        const text = readout.value.trim().replace("−", "-");
        const value = text === "" ? NaN : Number(/^[^.]*,[^.,]*$/.test(text) ? text.replace(",", ".") : text);
        if (Number.isFinite(value) && readout.value !== written(get("value"))) send(value);
        show();
      };
      readout.addEventListener("change", typed);
      readout.addEventListener("blur", () => { readout.style.borderColor = "transparent"; typed(); });
      readout.addEventListener("keydown", (event) => {
        event.stopPropagation();  // the notebook has shortcuts of its own
        if (event.key === "Enter") typed();
        if (event.key === "Escape") { show(); readout.select(); }
      });
      handle.addEventListener("keydown", (event) => event.stopPropagation());
      const shown = ["value", "min", "max", "step", "description", "disabled"];
      for (const name of shown) model.on("change:" + name, show);
      show();
      el.append(row);
      return () => { for (const name of shown) model.off("change:" + name, show); };
    } };
    """
