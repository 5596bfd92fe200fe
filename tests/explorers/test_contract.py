"""What a new explorer may rely on: panels, texts, dependent controls, own widgets, tours, exact numbers."""

import html
import inspect
import statistics
from typing import Any

import ipywidgets as widgets
import numpy as np
import pytest

from course_utils.explorers.base import Button, Choice, FigureExplorer, Slider, Text, TextExplorer, tag
from course_utils.explorers.pointer import Pointer
from course_utils.plots.panels import Curves, Heatmap, Histogram
from course_utils.plots.picture import new_figure

from . import sweep
from .sweep import refuses

JAPANESE = "日本語のトークン 🎉"


class Letters(TextExplorer):
    """The letters of a text, one of them marked: a text explorer as a lesson would write it."""

    height = 80
    words = Text(JAPANESE)
    number = Choice(range(1, 3))
    style = Choice(["plain", "wide"])
    space = Slider(0, 9, 0)
    tour = (
        ({}, "The first letter."),
        ({"number": 2}, lambda result: f"The second of {len(result[0])} letters."),
        ({"words": "<b>"}, "Signs."),
        ({"style": "wide"}, lambda result: f"With {result[3]} blanks."),
    )

    def prepare(self, words: str) -> str:
        if not words.strip():
            raise ValueError("There is no letter in an empty text: type one.")
        return words[:500]

    def dependent_controls(self, prepared: str) -> dict[str, Choice]:
        return {"number": Choice(range(1, len(prepared) + 1), words=[f"letter {sign}" for sign in prepared])}

    def dependent_values(self, name: str, value: Any) -> dict[str, Any]:
        return {"space": 4 if value == "wide" else 0} if name == "style" else {}

    def compute(self, prepared: str, number: int, style: str, space: int) -> tuple[str, int, str, int]:
        return prepared, number, style, space

    def render(self, result: tuple[str, int, str, int]) -> str:
        words, number, _, space = result
        signs = [tag("mark", sign) if at == number else sign for at, sign in enumerate(words, start=1)]
        return tag("", *[part for sign in signs for part in (sign, " " * space)])

    def caption(self, result: tuple[str, int, str, int]) -> str:
        return f"Letter {result[1]} of {len(result[0])} in {result[0][:40]}, {result[3]} blanks, {result[2]}."


def test_a_text_explorer_goes_through_the_sweep() -> None:
    with sweep.silence():
        letters = Letters()
        for text in sweep.TEXTS:
            letters.inputs["words"].value = text
            for part in (letters.body, letters.caption_line, letters.status):
                assert "<script" not in part.value
            assert letters.problem == "" or text in ("", " ", "\ud800", "a" * 100_000)
        letters.reset()
        sweep.touring(letters)


def test_the_still_of_a_text_is_html_that_can_be_read_alone() -> None:
    letters = Letters(number=2)
    data, _ = letters._repr_mimebundle_()
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "text/plain", "text/html"}
    assert data["text/plain"] == "Letters: interactive text"
    still = data["text/html"]
    assert "<mark>本</mark>" in still and "🎉" in still and letters.says in html.unescape(still)
    assert "<script" not in still and letters.widget.model_id not in still
    letters.set(words='<script>alert("x")</script>')
    still = letters._repr_mimebundle_()[0]["text/html"]
    assert "<script" not in still and "&lt;" in still.replace("<mark>", "")


def test_a_pinned_text_stands_beside_the_present_one() -> None:
    letters = Letters()
    letters.pin()
    letters.set(words="abc")
    assert "日" in letters.body.value and "abc" in letters.says and "Pinned: Letter 1" in letters.says
    letters.unpin()
    assert "日" not in letters.body.value


def test_plain_text_given_for_html_is_escaped() -> None:
    class Careless(Letters):
        def render(self, result: tuple[str, int, str, int]) -> str:
            return f"<b>{result[0]}</b>"

    assert "&lt;b&gt;" in Careless().body.value


def test_options_follow_what_was_prepared_and_keep_the_value_that_still_may_be() -> None:
    letters = Letters(words="abcd", number=3)
    assert [words for words, _ in letters.inputs["number"].options] == ["letter a", "letter b", "letter c", "letter d"]
    assert letters.number == 3
    letters.inputs["words"].value = "xyz"
    assert letters.number == 3 and "must be one of 1, 2, 3" in refuses(lambda: letters.set(number=4))
    letters.set(words="lengthy", number=7)  # the range of one depends on the other
    assert letters.number == 7
    before = letters.values
    assert "number must be one of 1" in refuses(lambda: letters.set(words="ab", number=7))
    assert letters.values == before and letters.problem == ""
    letters.inputs["words"].value = "ab"
    assert letters.number == 1
    letters.reset()
    assert (letters.words, letters.number) == ("abcd", 3)


def test_values_follow_another_control_unless_they_are_given_too() -> None:
    letters = Letters()
    letters.inputs["style"].value = "wide"
    assert letters.space == 4 and letters.as_python() == "Letters(style='wide')"
    letters.set(style="plain", space=7)
    assert letters.space == 7 and letters.as_python() == "Letters(space=7)"
    letters.set(style="wide")
    assert letters.space == 4
    assert Letters(style="wide").space == 4 and Letters(style="wide", space=1).space == 1
    letters.set(space=0)
    copied = eval(letters.as_python())
    assert copied.values == letters.values and copied.says == letters.says
    letters.set(style="wide")  # it was so: nothing follows
    assert letters.space == 0


class Line(FigureExplorer):
    """A line through the origin, with a pointer of its own."""

    size = (4, 2)
    slope = Slider(0.0, 0.99, 0.9, step=0.01)
    rate = Slider(1e-5, 10.0, 0.1, log=True)
    scale = Choice([1, 10])
    again = Button("Again", "count")
    tour: Any = (
        ({"again": 3}, lambda result: f"A slope of {result[0]}."),
        ({"slope": 0.5}, "Not pressed."),
        ({"slope": 0.25, "again": 1}, "Pressed once."),
        ({"scale": 10, "again": 2}, "Pressed twice."),
    )

    def __init__(self, **start: Any):
        super().__init__(**start)
        self.pointer = Pointer((0.1, 0.1, 0.8, 0.8))
        self.add_widget(self.pointer)
        self.listen(self.pointer, "place", lambda place: self.set(slope=place[1]))

    def restart(self) -> None:
        self.pressed = 0

    def count(self) -> None:
        self.pressed += 1

    def remember(self) -> int:
        return self.pressed

    def recall(self, remembered: int) -> None:
        self.pressed = remembered

    def compute(self, prepared: None, slope: float, rate: float, scale: int) -> tuple[float, float, int]:
        return slope * scale, rate, scale

    def layout_key(self, result: tuple[float, float, int]) -> int:
        return result[2]

    def comparable(self, pinned: tuple[float, float, int], result: tuple[float, float, int]) -> bool:
        return pinned[2] == result[2]

    def make_panels(self, figure: Any, result: tuple[float, float, int]) -> dict[str, Curves]:
        axes = figure.add_axes((0.1, 0.1, 0.8, 0.8), xlim=(0, 1), ylim=(0, result[2]))
        return {"line": Curves(axes, {"line": {"label": "line"}}, ghosts=["line"], legend={"loc": "upper left"})}

    def contents(self, result: tuple[float, float, int]) -> dict[str, Any]:
        return {"line": {"line": ([0, 1], [0, result[0]])}}

    def caption(self, result: tuple[float, float, int]) -> str:
        return f"Slope {result[0]}, rate {result[1]}, pressed {self.pressed} times."


@pytest.mark.parametrize("value", [0.501, 0.9 + 1e-16, 0.1 + 0.2, 1e-17, 0.00166])
def test_numbers_set_by_code_or_typed_are_kept_exactly(value: float) -> None:
    line = Line(slope=value)
    assert line.slope == value and line.inputs["slope"].value == value and f"Slope {value}," in line.says
    line.reset()
    assert line.slope == value
    line.inputs["slope"].value = value / 2  # as the page sends what was typed
    assert line.slope == value / 2 and f"slope={value / 2!r}" in line.as_python()
    if value >= 1e-5:
        line.inputs["rate"].value = value
        assert line.result[1] == value and line.problem == ""


def test_a_typed_number_outside_the_range_is_a_sentence_and_the_slider_goes_back() -> None:
    line = Line(slope=0.25)
    before = line.says, line.png
    line.inputs["slope"].value = 7.0
    assert line.problem == "slope = 7.0 is outside 0.0 to 0.99"
    assert (line.says, line.png) == before and line.inputs["slope"].value == 0.25
    line.inputs["slope"].value = 0.5
    assert line.problem == "" and line.slope == 0.5


def test_whole_sliders_give_whole_numbers_and_refuse_others() -> None:
    letters = Letters()
    letters.inputs["space"].value = 3.0
    assert letters.space == 3 and type(letters.space) is int and "space=3" in letters.as_python()
    letters.inputs["space"].value = 2.5
    assert "whole number" in letters.problem and letters.space == 3


def test_panels_are_built_once_and_anew_where_the_layout_changes() -> None:
    line = Line()
    panel = line.panels["line"]
    line.set(slope=0.2)
    assert line.panels["line"] is panel and list(panel.lines["line"].get_ydata()) == [0, 0.2]
    line.set(scale=10)
    assert line.panels["line"] is not panel and line.panels["line"].axes.get_ylim() == (0, 10)


def test_the_ghost_is_the_panels_work_and_only_where_it_compares() -> None:
    line = Line(slope=0.5)
    line.pin()
    line.set(slope=0.2)
    panel = line.panels["line"]
    assert list(panel.ghosts["line"].get_ydata()) == [0, 0.5]
    assert [text.get_text() for text in panel.axes.get_legend().get_texts()] == ["line", "pinned"]
    line.set(scale=10)
    assert len(line.panels["line"].ghosts["line"].get_ydata()) == 0
    line.set(scale=1)
    line.unpin()
    panel = line.panels["line"]
    assert [text.get_text() for text in panel.axes.get_legend().get_texts()] == ["line"]


@pytest.mark.parametrize("place", [[], [0.5], [0.5, 7.0], ["a"]])
def test_nonsense_from_an_own_widget_is_a_sentence(place: list[Any]) -> None:
    line = Line()
    before = line.png
    try:
        line.pointer.place = place
    except Exception as error:
        assert "TraitError" in type(error).__name__  # the widget has no room for it
    assert line.png == before and "Traceback" not in line.problem
    line.pointer.place = [0.5, 0.25]
    assert line.slope == 0.25 and line.problem == ""


def test_own_widgets_stand_beside_the_controls_or_below_all() -> None:
    line = Line()
    assert line.widget.children[-1] is line.pointer
    pad = widgets.HTML("pad")
    line.add_widget(pad, beside=True)
    assert line.widget.children[0].children[0] is pad
    flexed = [box for box in line.widget.children if box.layout.flex]
    assert flexed == [], "only the controls beside it may grow, not the row of buttons under the picture"


def test_a_tour_is_locked_with_the_controls_and_refuses_a_stop_it_has_not() -> None:
    letters = Letters()
    letters.disable()
    assert all(button.disabled for button in letters.tour_bar.buttons)
    letters.enable()
    assert "its tour has 4" in refuses(lambda: letters.visit(4))
    height = letters.tour_bar.widget.layout.min_height
    letters.visit(1)
    assert letters.tour_bar.widget.layout.min_height == height == "46px"
    letters.set(words="mine")  # playing at a stop
    letters.visit(2)
    letters.visit(None)
    assert letters.words == JAPANESE and "mine" not in letters.says


def test_stops_of_a_tour_press_buttons_and_leaving_brings_back_what_was_pressed() -> None:
    line = Line(slope=0.125)
    for _ in range(5):
        line.again()
    before = line.says, line.png
    for stop, pressed in ((0, 3), (1, 0), (3, 2), (2, 1), (2, 1)):
        line.visit(stop)
        assert line.says.endswith(f"pressed {pressed} times.")
        line.again()  # playing at a stop
    line.visit(None)
    assert (line.says, line.png) == before and "pressed 5 times" in line.says
    sweep.touring(line)


def test_undo_brings_back_what_buttons_did_before_reset() -> None:
    line = Line()
    line.again()
    line.set(slope=0.5)
    before = line.says, line.png
    line.reset()
    assert "pressed 0 times" in line.says and line.slope == 0.9
    line.undo()
    assert (line.says, line.png) == before and "pressed 1 times" in line.says


def test_a_pointer_hears_drags_unless_told_not_to() -> None:
    assert Pointer((0, 0, 1, 1)).drag and not Pointer((0, 0, 1, 1), drag=False).drag


def test_a_refusal_stands_between_the_controls_and_the_picture() -> None:
    for explorer in (Line(), Letters()):
        children = explorer.widget.children
        assert children.index(explorer.status) == 1 < children.index(explorer.body)


def test_heatmap_shows_names_numbers_and_the_pinned_state_in_half_of_each_cell() -> None:
    heatmap = Heatmap(new_figure(4, 3).add_axes((0.2, 0.2, 0.7, 0.7)), (0, 1), numbers="{:.1f}")
    values = np.array([[0.0, 1.0], [0.5, 0.25], [0.1, 0.9]])
    heatmap.update((values, ["a", "$b$", "日"], ["x", "y"]), (1 - values, [], []))
    assert np.array_equal(heatmap.image.get_array(), values)
    assert [text.get_text() for text in heatmap.axes.get_yticklabels()][:2] == ["a", "\\$b\\$"]
    assert [label.get_text() for label in heatmap.labels] == ["0.0", "1.0", "0.5", "0.2", "0.1", "0.9"]
    assert heatmap.labels[1].get_position() == (1.0, 0.0) and heatmap.labels[4].get_position() == (0.0, 2.0)
    assert heatmap.labels[0].get_color() == "white" != heatmap.labels[1].get_color()
    assert len(heatmap.ghost.get_paths()) == 6
    assert np.allclose(heatmap.ghost.get_facecolor()[1], heatmap.image.to_rgba(0.0))
    heatmap.update((np.eye(2), ["a", "b"], ["x", "y"]), (values, [], []))  # another shape cannot be compared
    assert len(heatmap.ghost.get_paths()) == 0
    assert [label.get_text() for label in heatmap.labels] == ["1.0", "0.0", "0.0", "1.0", "", ""]


def test_histogram_counts_shares_and_outlines_the_pinned_state() -> None:
    histogram = Histogram(new_figure(4, 3).add_axes((0.2, 0.2, 0.7, 0.7)), np.linspace(-1, 1, 5))
    histogram.update([-5.0, -0.7, 0.1, 0.2, np.nan, 0.9, 1.0, 7.0], ghost=[0.1])
    assert histogram.shares.tolist() == pytest.approx([2 / 7, 0, 2 / 7, 3 / 7])
    assert max(histogram.ghost.get_ydata()) == 1.0 and histogram.axes.get_ylim()[1] == pytest.approx(1.05)
    histogram.update(np.full(9, np.nan))
    assert histogram.shares.sum() == 0 and len(histogram.ghost.get_xdata()) == 0


class Result:
    """A result that describes itself."""

    def described(self) -> str:
        return "Said by the result."


def test_a_result_may_say_its_own_caption() -> None:
    class Quiet(TextExplorer):
        def compute(self, prepared: None) -> Result:
            return Result()

        def render(self, result: Result) -> str:
            return "text"

    assert Quiet().says == "Said by the result."


def test_a_button_may_be_a_function_of_the_explorer() -> None:
    class Stepped(Letters):
        onward = Button("On", lambda self: self.set(number=self.number + 1))
        tour = ()

    stepped = Stepped()
    stepped.onward()
    stepped.buttons["onward"].click()
    assert stepped.number == 3 and stepped.problem == ""
    stepped.set(number=len(JAPANESE))
    stepped.buttons["onward"].click()
    assert "must be one of" in stepped.problem


def test_controls_of_one_kind_are_laid_out_together_and_a_copied_line_can_leave_one_out() -> None:
    letters = Letters(number=2, space=3)
    letters.lay_out(Slider, width="auto", flex="1 1 100px")
    assert (letters.inputs["space"].layout.width, letters.inputs["space"].layout.flex) == ("auto", "1 1 100px")
    assert letters.inputs["words"].layout.flex is None
    assert letters.python_without("number") == "Letters(space=3)"


def lengths() -> dict[str, int]:
    """Lines of every explorer of the package, from ``class`` to the last, by name."""
    return {kind.__name__: len(inspect.getsource(kind).splitlines()) for kind in sweep.explorers()}


def test_an_explorer_is_short_because_it_computes_and_draws_nothing_itself() -> None:
    found = lengths()
    assert len(found) >= 12
    assert statistics.median(found.values()) < 70, sorted((count, name) for name, count in found.items())


@pytest.mark.parametrize(
    "name", ["AnalogyExplorer", "EmbeddingMap", "GradientFade", "MergeStepper", "NGramExplorer", "TokenExplorer"]
)
def test_explorers_of_language_keep_to_sixty_lines(name: str) -> None:
    assert lengths()[name] <= 60
