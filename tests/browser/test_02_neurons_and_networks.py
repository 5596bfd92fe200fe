"""Notebook 02 in the browser: a digit drawn by pointer and by keyboard, points clicked into the playground."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from course_utils.plots.playground import MAP, OUTPUT
from tests.browser.lab import HIGHEST, ExplorerView, Lab

TWO_NETWORKS = """
from course_utils.explorers.drawing import DrawADigit
from course_utils.models.convnet import ConvNet, ConvNetConfig
from course_utils.models.mlp import MLP, MLPConfig
DrawADigit(MLP(MLPConfig((64, 64, 10))), ConvNet(ConvNetConfig(size=8)))
"""
PLAYGROUND = """
from course_utils.explorers.playground import NetworkPlayground
NetworkPlayground(data="own points")
"""


def inked(view: ExplorerView) -> float:
    """The share of inked paper that the caption tells, in per cent; 0 for blank paper."""
    if "paper is blank" in view.caption():
        return 0
    found = re.search(r"([\d.]+) % of the paper", view.caption())
    return float(found[1]) if found else 100


def wait_until(view: ExplorerView, condition: Callable[[], bool]) -> None:
    for _ in range(200):
        if condition():
            return
        view.lab.page.wait_for_timeout(50)
    raise AssertionError(f"after 10 s still: {view.caption()}")


FEATURES = ", ".join(f"{name}=True" for name in ("x1_squared", "x2_squared", "x1_x2", "sin_x1", "sin_x2"))
LARGEST = f"""
from course_utils.explorers.playground import NetworkPlayground
largest = NetworkPlayground(data="own points", layers=4, width=8, neuron="2.3", {FEATURES}).train(20)
largest.pin()
largest.train(20)
"""
NEURON = """
from course_utils.explorers.neurons import NeuronExplorer
one_neuron = NeuronExplorer()
one_neuron.pin()
one_neuron.set(weight_2=2.0)
one_neuron
"""


@pytest.fixture
def narrow(lab: Lab) -> Iterator[Lab]:
    """The window so narrow that an output is 640 pixels wide, as at 125 % zoom."""
    lab.resize(column=640)
    yield lab
    lab.resize()


def measure(view: ExplorerView) -> dict[str, float]:
    """Sizes of the explorer and its picture, and how far anything in it reaches beyond its right side."""
    return view.output.locator(".course-explorer").evaluate("""explorer => {
      const box = explorer.getBoundingClientRect(), image = explorer.querySelector("img");
      const parts = [...explorer.querySelectorAll("*")].map((part) => part.getBoundingClientRect());
      const beyond = Math.max(...parts.map((part) => part.right)) - box.right;
      return { width: box.width, height: box.height, beyond, picture: image.clientWidth,
               stretched: image.clientWidth / image.clientHeight / (image.naturalWidth / image.naturalHeight) };
    }""")


@pytest.mark.parametrize(
    "source", [TWO_NETWORKS, PLAYGROUND, LARGEST, NEURON], ids=["drawing", "own points", "largest", "neuron"]
)
@pytest.mark.parametrize("window", ["wide", "narrow"])
def test_it_fits_below_the_toolbar_of_a_small_screen(
    source: str, window: str, lab: Lab, request: pytest.FixtureRequest
) -> None:
    if window == "narrow":
        request.getfixturevalue("narrow")
    view = lab.run_added(source)
    lab.page.wait_for_timeout(1000)  # every widget has its place
    found = measure(view)
    view.screenshot(f"02-{window}-{request.node.callspec.id.split('-')[-1]}")
    assert found["height"] <= HIGHEST, found
    assert found["width"] == pytest.approx(640, abs=1) or window == "wide"
    assert found["picture"] == pytest.approx(min(840, found["width"]), abs=1)
    assert found["stretched"] == pytest.approx(1, abs=0.01) and found["beyond"] < 1
    assert view.cut() == []


def test_each_check_box_is_nearer_to_its_own_label_than_to_another(lab: Lab) -> None:
    view = lab.run_added(PLAYGROUND)
    lab.page.wait_for_timeout(500)
    boxes = view.output.locator(".widget-checkbox").evaluate_all("""all => all.map((one) => {
      const range = document.createRange();
      range.selectNodeContents(one.querySelector("span, .widget-label-basic span") ?? one);
      const text = range.getBoundingClientRect(), box = one.querySelector("input").getBoundingClientRect();
      return { top: box.top, left: box.left, right: box.right, text: text.left, end: text.right };
    })""")
    assert len(boxes) == 7
    for one, following in pairwise(boxes):
        assert 0 <= one["text"] - one["right"] < 12
        if following["top"] == one["top"]:
            assert following["left"] - one["end"] > one["text"] - one["right"] + 5


def test_in_a_narrow_column_a_click_still_finds_its_place(narrow: Lab) -> None:
    view = narrow.run_added(PLAYGROUND)
    narrow.page.wait_for_timeout(500)
    view.show()
    box = view.image.bounding_box()
    scale = box["width"] / 840
    assert scale < 0.8
    narrow.page.mouse.click(
        box["x"] + scale * (OUTPUT[0] + 0.75 * MAP), box["y"] + box["height"] - scale * (OUTPUT[1] + 0.25 * MAP)
    )
    wait_until(view, lambda: "9 points in 2 classes" in view.caption())
    assert view.output.locator("textarea").input_value().splitlines()[-1] == "1.5, -1.5, A"


def test_a_refusal_is_seen_beside_the_controls(lab: Lab) -> None:
    view = lab.run_added(PLAYGROUND)
    for name in ("x₁", "x₂"):
        view.output.get_by_label(name, exact=True).uncheck()
    said = view.output.locator(".course-status [role=alert]")
    said.wait_for()
    assert "tick at least one feature" in said.inner_text()
    assert said.bounding_box()["y"] < view.image.bounding_box()["y"]


def draw(view: ExplorerView, *strokes: tuple[tuple[float, float], tuple[float, float]]) -> None:
    """Draws straight strokes with the pointer, without a pause between them; places are fractions of the paper."""
    paper, mouse = view.output.locator("canvas.course-paper"), view.lab.page.mouse
    paper.scroll_into_view_if_needed()
    box = paper.bounding_box()
    for stroke in strokes:
        begin, end = ((box["x"] + box["width"] * across, box["y"] + box["height"] * down) for across, down in stroke)
        mouse.move(*begin)
        mouse.down()
        mouse.move(*end, steps=8)
        mouse.up()


DOWN, ACROSS = ((0.5, 0.1), (0.5, 0.9)), ((0.2, 0.5), (0.8, 0.5))
BAR, CROSS = pytest.approx(12, abs=1), pytest.approx(19, abs=1)  # per cent of the paper; one move less is 10 and 18


def test_a_digit_is_drawn_with_the_pointer_and_taken_back(lab: Lab) -> None:
    view = lab.run_added(TWO_NETWORKS)
    view.output.get_by_role("button", name="Clear").click()
    wait_until(view, lambda: inked(view) == 0)
    height = view.height()
    draw(view, DOWN)  # it arrives in pieces: wait for the last one
    wait_until(view, lambda: inked(view) == BAR)
    bar = inked(view)
    draw(view, ACROSS)
    wait_until(view, lambda: inked(view) == CROSS)
    lab.page.wait_for_timeout(500)  # the last piece too
    view.screenshot("02-drawn")
    view.output.get_by_role("button", name="Undo stroke").click()
    wait_until(view, lambda: inked(view) == bar)
    assert view.height() == height
    assert lab.console == [] and lab.errors() == []


SLOW = f"""
import time
{TWO_NETWORKS.strip().rpartition(chr(10))[0]}
class SlowDrawing(DrawADigit):
    def compute(self, *prepared, **values):
        time.sleep(0.4)
        return super().compute(*prepared, **values)
SlowDrawing(MLP(MLPConfig((64, 64, 10))), ConvNet(ConvNetConfig(size=8)), drawing="")
"""


def test_strokes_that_a_slow_kernel_hears_together_are_taken_back_one_by_one(lab: Lab) -> None:
    view = lab.run_added(SLOW)
    draw(view, DOWN, ACROSS, ((0.9, 0.1), (0.9, 0.9)))
    wait_until(view, lambda: inked(view) > 28)
    lab.page.wait_for_timeout(1000)  # the kernel has nothing left to draw
    for left in (CROSS, BAR, 0):
        view.output.get_by_role("button", name="Undo stroke").click()
        wait_until(view, lambda left=left: inked(view) == left)
    assert lab.console == [] and lab.errors() == []


def test_a_digit_is_drawn_with_the_keyboard(lab: Lab) -> None:
    view = lab.run_added(TWO_NETWORKS)
    page, paper = lab.page, view.output.locator("canvas.course-paper")
    assert "Arrow keys move the pen" in paper.get_attribute("aria-label")
    view.output.get_by_role("button", name="Clear").click()
    wait_until(view, lambda: inked(view) == 0)
    paper.focus()
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    page.wait_for_timeout(300)
    assert inked(view) == 0, "moving the pen must not ink"
    assert "column 16, row 8 of 32: paper" in view.output.locator("canvas.course-paper + div").inner_text()
    page.keyboard.press("Space")
    wait_until(view, lambda: 1 <= inked(view) <= 3)
    for _ in range(8):
        page.keyboard.press("Shift+ArrowDown")
    wait_until(view, lambda: 7 <= inked(view) <= 12)
    assert "column 16, row 24 of 32: ink" in view.output.locator("canvas.course-paper + div").inner_text()
    assert lab.console == [] and lab.errors() == []


def test_a_click_on_the_map_adds_a_point_and_play_trains_until_stop(lab: Lab) -> None:
    view = lab.run_added(PLAYGROUND)
    page = lab.page
    assert "8 points in 2 classes" in view.caption()
    height = view.height()
    view.output.get_by_label("a click adds").select_option("C")
    page.wait_for_timeout(500)  # the picture that says so is there
    view.show()
    box = view.image.bounding_box()
    page.mouse.click(box["x"] + OUTPUT[0] + 200, box["y"] + box["height"] - OUTPUT[1] - 40)
    wait_until(view, lambda: "9 points in 3 classes" in view.caption())
    view.output.get_by_role("button", name="Play").click()
    wait_until(view, lambda: int(re.search(r"Step ([\d,]+)", view.caption())[1].replace(",", "")) > 50)
    view.output.get_by_role("button", name="Stop").click()
    view.output.get_by_role("button", name="Play").wait_for()
    reached = view.caption()
    page.wait_for_timeout(400)
    assert view.caption() == reached, "it trains on after Stop"
    view.screenshot("02-playground")
    assert view.height() == height
    assert lab.console == [] and lab.errors() == []
