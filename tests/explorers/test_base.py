"""What every explorer can rely on, shown on one small explorer with a control of each kind."""

import threading
import tracemalloc
from typing import Any

import numpy as np
import pytest

from course_utils.explorers.base import Button, Choice, FigureExplorer, Html, Slider, Text, Toggle
from course_utils.explorers.board import KEPT

from . import sweep
from .sweep import refuses


class Wave(FigureExplorer):
    """A wave with every kind of control; it fails on demand."""

    size = (4, 2)
    details_height = 40
    words = Text("abc", maximum=50)
    power = Slider(1, 5, 2)
    scale = Slider(0.0, 2.0, 1.0, step=0.05)
    rate = Slider(0.001, 1.0, 0.1, log=True)
    shape = Choice(["sine", "cosine", "broken", "refused"], "sine")
    grid = Toggle(False)
    more = Button("More", "add_one")
    play = Button("Play", "run", worker=True)

    def __init__(self, data: Any = None, seed: int = 0, **start: Any):
        self.data, self.seed, self.prepared_for = data, seed, []
        super().__init__(**start)

    def restart(self) -> None:
        self.pressed = self.steps = 0

    def add_one(self) -> None:
        self.pressed += 1
        if self.pressed == 3:
            raise ValueError("Three is enough.")

    def run(self) -> None:
        while not self.cancel.is_set() and self.steps < 10_000:
            with self.lock:
                self.steps += 1
            if self.shape == "refused":
                raise ValueError("This cannot be played.")
            self.progress(self.steps, 10_000)
            self.refresh()

    def prepare(self, words: str) -> int:
        self.prepared_for.append(words)
        if words == "<script>alert(1)</script>":
            raise ValueError(f"{words} is no word.")
        return len(words)

    def compute(self, prepared: int, power: int, scale: float, rate: float, shape: str, grid: bool) -> dict[str, Any]:
        if shape == "broken":
            raise ZeroDivisionError("a bug")
        if shape == "refused":
            raise ValueError("This shape cannot be drawn: choose another.")
        x = np.linspace(0, 6, 50) * power
        y = scale * (np.sin(x) if shape == "sine" else np.cos(x)) * rate
        return {"y": y, "words": prepared, "grid": grid, "pressed": self.pressed, "steps": self.steps}

    def draw(self, figure: Any, result: dict[str, Any]) -> None:
        if not self.artists:
            axes = figure.add_axes((0.1, 0.1, 0.8, 0.8), ylim=(-2, 2))
            (self.artists["curve"],) = axes.plot(result["y"])
            self.artists["note"] = axes.text(0, 1.5, "")
        self.artists["curve"].set_ydata(result["y"])
        self.artists["note"].set_text(f"{result['words']} {result['pressed']} {result['grid']}")

    def caption(self, result: dict[str, Any]) -> str:
        return f"Highest {result['y'].max():.3f}, {result['words']} letters, pressed {result['pressed']} <times>."

    def details(self, result: dict[str, Any]) -> str:
        return Html(f"<b>{result['steps']}</b>")


def test_sweep_of_the_base() -> None:
    wave = Wave()
    wave.shape = Choice(["sine", "cosine", "refused"])  # the one that breaks has a test of its own
    sweep.sweep(wave)


def test_a_control_moves_the_picture_and_reads_as_its_value() -> None:
    wave = Wave(scale=0.5)
    first = wave.png
    wave.inputs["scale"].value = 1.5
    assert wave.scale == 1.5 and wave.values["scale"] == 1.5
    assert wave.png != first and wave.says.startswith("Highest 0.150")
    wave.power = 3
    assert wave.inputs["power"].value == 3


def test_prepare_runs_for_slow_controls_only_and_its_last_results_are_kept() -> None:
    wave = Wave()
    wave.set(scale=0.1)
    wave.set(words="xy")
    wave.set(words="abc")
    assert wave.prepared_for == ["abc", "xy"]
    for number in range(KEPT):
        wave.set(words=f"word {number}")
    wave.set(words="abc")
    assert wave.prepared_for[-1] == "abc"
    wave.forget()
    wave.refresh()
    assert wave.prepared_for[-2:] == ["abc", "abc"]


def test_a_refused_value_leaves_the_last_good_picture_and_one_sentence() -> None:
    wave = Wave()
    good, says = wave.png, wave.says
    wave.inputs["shape"].value = "refused"
    assert (wave.png, wave.says) == (good, says)
    assert wave.problem == "This shape cannot be drawn: choose another."
    assert 'role="alert"' in wave.status.value
    wave.inputs["words"].value = "<script>alert(1)</script>"
    assert "<script" not in wave.status.value and wave.problem.startswith("<script>")
    wave.reset()
    assert wave.problem == "" and wave.png == good


def test_a_bug_is_a_sentence_at_a_slider_and_an_error_in_a_cell() -> None:
    wave = Wave()
    wave.inputs["shape"].value = "broken"
    assert wave.problem == "Something went wrong: ZeroDivisionError: a bug"
    wave.inputs["shape"].value = "cosine"
    assert wave.problem == "" and wave.result["y"][0] == pytest.approx(0.1)
    with pytest.raises(ZeroDivisionError):
        wave.set(shape="broken")
    with pytest.raises(ZeroDivisionError):
        Wave(shape="broken")
    with pytest.raises(ValueError, match="cannot be drawn"):
        Wave(shape="refused")


def test_a_picture_that_fails_half_way_spoils_no_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    wave = Wave()
    wave.set(scale=0.3)
    expected = wave.pixels
    wave.set(scale=0.2)
    with monkeypatch.context() as patch:
        patch.setattr(wave, "draw", lambda figure, result: figure.add_axes((0, 0, 1, 1)).plot([1], "no such format"))
        wave.inputs["scale"].value = 0.3
        assert wave.problem
    wave.refresh()
    assert np.array_equal(wave.pixels, expected)


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"colour": 1}, "no control named colour; it has words, power"),
        ({"power": 6}, "power = 6 is outside 1 to 5"),
        ({"power": 2.5}, "whole number"),
        ({"scale": "wide"}, "must be a number from 0.0 to 2.0"),
        ({"scale": float("nan")}, "outside"),
        ({"scale": 10**400}, "must be a number"),
        ({"rate": 0}, "outside 0.001 to 1.0"),
        ({"shape": "square"}, "must be one of 'sine', 'cosine'"),
        ({"grid": "yes"}, "True or False"),
        ({"words": 7}, "must be text"),
        ({"words": "a" * 100_000}, "has 100,000 characters and may have 50"),
    ],
)
def test_bad_values_move_nothing_and_get_a_sentence(values: dict[str, Any], part: str) -> None:
    wave = Wave()
    before = wave.values
    assert part in refuses(lambda: wave.set(scale=0.2, **values) if "scale" not in values else wave.set(**values))
    assert wave.values == before
    assert part in refuses(lambda: Wave(**values))


def test_log_slider_takes_both_ends() -> None:
    wave = Wave()
    for end in (0.001, 1.0):
        wave.rate = end
        assert wave.rate == pytest.approx(end) and wave.problem == ""
        assert f"rate={end}" in wave.as_python()


def test_reset_goes_to_the_first_values_of_this_explorer_and_can_be_undone() -> None:
    wave = Wave(scale=0.5)
    wave.set(scale=1.0, words="hello")
    moved = wave.png
    wave.reset()
    assert wave.values["scale"] == 0.5 and wave.words == "abc" and wave._reset.description == "Undo reset"
    wave._reset.click()
    assert wave.values["scale"] == 1.0 and wave.words == "hello" and wave.png == moved
    assert wave._reset.description == "Reset"


def test_undo_after_a_refused_text_brings_a_good_picture() -> None:
    wave = Wave(scale=0.5)
    wave.set(scale=1.0)
    wave.inputs["words"].value = "\ud800"
    assert "half of a sign" in wave.problem
    wave.reset()
    wave.undo()
    assert wave.problem == "" and wave.scale == 1.0 and wave.words == "abc"


def test_copy_as_python_makes_the_same_picture() -> None:
    wave = Wave([1], seed=3, scale=0.5)
    wave.set(words="it's", power=4, rate=0.5)
    wave._copy.click()
    line = wave._line.value
    assert line == 'Wave(data, seed=3, words="it\'s", power=4, scale=0.5, rate=0.5)'
    assert np.array_equal(eval(line, {"Wave": Wave, "data": [1]}).pixels, wave.pixels)
    wave._copy.click()
    assert wave._helper.copy.strip() == line


def test_pin_tells_draw_and_caption_of_the_earlier_state() -> None:
    wave = Wave()
    wave._pin.click()
    wave.set(scale=0.2)
    assert wave.pinned["y"].max() == pytest.approx(0.1, abs=0.001)
    assert "Highest 0.020" in wave.says and "Pinned: Highest 0.100" in wave.says
    wave._unpin.click()
    assert wave.pinned is None and "Pinned" not in wave.says


def test_disable_holds_every_control_until_enable() -> None:
    wave = Wave()
    wave.disable()
    assert all(widget.disabled for widget in (*wave.inputs.values(), *wave.buttons.values()))
    wave.enable()
    assert not any(widget.disabled for widget in (*wave.inputs.values(), *wave.buttons.values()))


def test_a_button_runs_its_method_and_a_refusal_is_a_sentence() -> None:
    wave = Wave()
    wave.more()
    wave.buttons["more"].click()
    assert "pressed 2" in wave.says
    wave.buttons["more"].click()
    assert wave.problem == "Three is enough."
    wave.reset()
    assert "pressed 0" in wave.says


def test_worker_runs_beside_sliders_stops_at_once_and_keeps_its_work() -> None:
    wave = Wave()
    play = wave.buttons["play"]
    play.click()
    assert play.description == "Stop" and not wave.wait(0.2)
    assert "progress" in wave.status.value
    wave.inputs["scale"].value = 0.3  # a slider moved meanwhile
    assert wave.result["y"].max() == pytest.approx(0.03, abs=0.001)
    play.click()
    assert wave.wait(5) and play.description == "Play"
    assert (
        0 < wave.steps < 10_000
        and wave.result["steps"] == wave.steps
        and f"<b>{wave.steps}</b>" in wave.details_box.value
    )
    assert wave.problem == ""
    kept = wave.steps
    wave.play()
    assert not wave.wait(0.1)
    wave.play()
    assert wave.wait(5) and wave.steps > kept


def test_worker_that_fails_says_so_and_its_button_comes_back() -> None:
    wave = Wave()
    wave.inputs["shape"].value = "refused"
    wave.play()
    assert wave.wait(5) and wave.problem == "This cannot be played." and wave.buttons["play"].description == "Play"


def test_two_threads_end_with_picture_and_controls_agreeing() -> None:
    wave, problems = Wave(), []

    def move(name: str, low: float, high: float) -> None:
        for value in np.linspace(low, high, 40):
            wave.inputs[name].value = float(value)
            problems.append(wave.problem)

    threads = [
        threading.Thread(target=move, args=arguments) for arguments in (("scale", 0.0, 2.0), ("rate", 0.001, 1.0))
    ]
    for thread in threads:
        thread.start()
    for number in range(20):
        wave.set(power=1 + number % 5)
    for thread in threads:
        thread.join(30)
    assert set(problems) == {""}
    assert wave.values["scale"] == 2.0 and wave.result["y"].max() == pytest.approx(2.0, abs=0.01)
    fresh = Wave(**wave.values)
    assert np.array_equal(fresh.pixels, wave.pixels)


def test_two_explorers_draw_in_two_threads() -> None:
    waves = [Wave(), Wave()]
    threads = [
        threading.Thread(target=lambda wave=wave: [wave.set(scale=value / 20) for value in range(30)]) for wave in waves
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert np.array_equal(waves[0].pixels, waves[1].pixels)


def test_range_can_depend_on_what_the_explorer_was_given() -> None:
    class Layers(Wave):
        def __init__(self, count: int, **start: Any):
            self.power = Slider(1, count, 1)
            super().__init__(**start)

    small, large = Layers(3), Layers(9)
    assert (small.inputs["power"].max, large.inputs["power"].max) == (3, 9)
    large.power = 9
    large.power = Slider(0, 4, 0)  # as prepare would, for a shorter text
    assert large.power == 0 and (large.inputs["power"].min, large.inputs["power"].max) == (0, 4)
    assert "outside 1 to 3" in refuses(lambda: small.set(power=4))
    assert Wave.power.high == 5


def test_a_control_may_not_hide_a_part_of_the_base() -> None:
    with pytest.raises(TypeError, match="rename it"):
        type("Bad", (FigureExplorer,), {"size": Slider(1, 2, 1)})


def test_memory_stays_level_over_many_moves() -> None:
    wave = Wave()
    for value in range(40):
        wave.set(scale=value / 20)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for value in range(200):
        wave.set(scale=value / 100)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 1_000_000, f"200 moves left {grown:,} bytes behind"


def test_no_part_of_the_widget_changes_its_height() -> None:
    wave = Wave()

    def kept() -> list[tuple[str, str]]:
        return [(child.layout.height, child.layout.min_height) for child in wave.widget.children[1:5]]

    heights = kept()
    wave.inputs["shape"].value = "refused"
    wave.pin()
    assert kept() == heights
    status, _, caption, _ = heights
    assert status == ("auto", "1.6em") and caption == ("auto", "3.0em")  # they grow only where a line is too short


def test_a_list_given_other_options_keeps_its_value_if_it_still_may() -> None:
    wave = Wave()
    wave.set(shape="cosine")
    wave.replace("shape", Choice(["sine", "cosine", "tangent"], "sine"))
    assert wave.shape == "cosine" and wave.inputs["shape"].value == "cosine"
    wave.replace("shape", Choice(["tangent", "sine"], "sine"))
    assert wave.shape == "sine"
