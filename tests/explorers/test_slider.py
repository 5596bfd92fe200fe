"""The slider in a browser, without a kernel: what it shows and what it sends for code, for typing and for dragging."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from course_utils.explorers.base import Slider
from course_utils.explorers.slider import NumberSlider

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next((path for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(path).exists()), None)

# What the widget manager does for a view, as far as this one asks for it.
PAGE = """
async ([code, state]) => {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  const heard = {};
  window.sent = [];
  window.model = {
    get: (name) => state[name],
    set: (name, value) => { if (state[name] !== value) { state[name] = value; heard["change:" + name]?.(); } },
    save_changes: () => window.sent.push(state.value),
    on: (name, action) => { heard[name] = action; },
    off: (name) => { delete heard[name]; },
  };
  document.body.replaceChildren();
  widget.render({ model: window.model, el: document.body });
}
"""


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with playwright.sync_playwright() as browsers:
        try:
            browser = browsers.chromium.launch(executable_path=CHROMIUM)
        except Exception as error:
            pytest.skip(f"no browser: {error}")
        yield browser.new_page()
        browser.close()


def shown(page: Any, control: Slider, value: float) -> Any:
    """Show a slider at this value."""
    control.__set_name__(type(control), "number")
    widget = control.widget()
    widget.value = value
    state = {name: getattr(widget, name) for name in widget.keys if not name.startswith("_") and name != "layout"}
    page.evaluate(PAGE, [NumberSlider._esm, json.loads(json.dumps({k: v for k, v in state.items() if plain(v)}))])
    return page


def plain(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)


def readout(page: Any) -> str:
    return page.locator(".course-slider input.widget-readout").input_value()


def sent(page: Any) -> list[float]:
    return page.evaluate("window.sent")


RATE = Slider(1e-5, 10.0, 0.1, log=True)
SHARE = Slider(0.0, 1.0, 0.08, step=0.01)


@pytest.mark.parametrize(
    ("control", "value"),
    [(SHARE, 0.501), (RATE, 0.00166), (RATE, 1e-5), (RATE, 10.0), (SHARE, 0.1 + 0.2), (Slider(0, 9, 1), 4)],
)
def test_a_value_set_by_code_is_shown_exactly_and_nothing_is_sent_back(
    page: Any, control: Slider, value: float
) -> None:
    shown(page, control, value)
    assert float(readout(page)) == value
    page.locator("input[type=range]").focus()
    page.locator("input.widget-readout").focus()
    page.locator("input.widget-readout").blur()
    assert sent(page) == []
    page.evaluate("value => window.model.set('value', value)", value / 2)  # the kernel moves it
    assert float(readout(page)) == value / 2 and sent(page) == []


@pytest.mark.parametrize("typed", ["0.0017", "0.0033", "0.0034", "1e-3", "0,25", "2"])
def test_a_typed_number_is_sent_exactly(page: Any, typed: str) -> None:
    shown(page, RATE, 0.1)
    page.locator("input.widget-readout").fill(typed)
    page.keyboard.press("Enter")
    expected = float(typed.replace(",", "."))
    assert sent(page) == [expected] and float(readout(page)) == expected


@pytest.mark.parametrize("typed", ["", "fast", "1.2.3", "Infinity", "NaN"])
def test_what_is_no_number_is_not_sent_and_the_number_comes_back(page: Any, typed: str) -> None:
    shown(page, RATE, 0.1)
    page.locator("input.widget-readout").fill(typed)
    page.keyboard.press("Enter")
    assert sent(page) == [] and readout(page) == "0.1"


@pytest.mark.parametrize("control", [SHARE, RATE, Slider(0.0, 0.99, 0.9, step=0.01), Slider(1, 200, 50)])
def test_keys_move_by_steps_of_short_numbers_to_both_ends(page: Any, control: Slider) -> None:
    shown(page, control, control.start)
    page.locator("input[type=range]").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Home", "ArrowRight", "End", "ArrowLeft"):
        page.keyboard.press(key)
    values = sent(page)
    assert control.low in values and control.high in values
    assert all(control.low <= value <= control.high for value in values)
    assert max(len(repr(float(value))) for value in values) <= 8, values  # no 0.9000000000000001
    assert float(readout(page)) == values[-1]


def test_from_a_value_between_two_steps_a_key_goes_to_the_next_step(page: Any) -> None:
    shown(page, SHARE, 0.501)
    page.locator("input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    assert sent(page) == [0.51]


def test_names_are_there_for_a_screen_reader_and_a_locked_slider_cannot_be_moved(page: Any) -> None:
    shown(page, Slider(0.0, 1.0, 0.5, label="temperature (0 = greedy)"), 0.5)
    handle = page.locator("input[type=range]")
    assert handle.get_attribute("aria-label") == "temperature (0 = greedy)"
    assert handle.get_attribute("aria-valuetext") == "0.50"
    page.evaluate("window.model.set('disabled', true)")
    assert handle.is_disabled() and page.locator("input.widget-readout").is_disabled()


def test_a_slow_slider_is_sent_when_the_handle_is_let_go(page: Any) -> None:
    shown(page, Slider(0.0, 1.0, 0.5, slow=True), 0.5)
    page.evaluate(
        """() => { const handle = document.querySelector("input[type=range]"); handle.value = 70;
        handle.dispatchEvent(new Event("input")); window.early = [...window.sent];
        handle.dispatchEvent(new Event("change")); }"""
    )
    assert page.evaluate("window.early") == [] and sent(page) == [0.7] and readout(page) == "0.70"
