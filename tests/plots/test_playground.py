"""The playground's picture, without its widgets."""

from dataclasses import replace

import pytest

from course_utils.experiments.playground import EDGE, Run, make_task
from course_utils.experiments.playing import Playing, look
from course_utils.plots.picture import new_figure
from course_utils.plots.playground import MAP, OUTPUT, playground_contents, playground_panels, pressed


def playing() -> Playing:
    task = make_task("xor", "", 0, ("x1", "x2"), [4], "tanh")
    return look(Run(task), "none", "A", 10, learning_rate=0.1, l1=0.0, l2=0.0, batch=10)


@pytest.mark.parametrize("steps", [0, 800, 100_000])
def test_the_axis_of_the_loss_has_its_word_below_its_numbers_and_in_the_picture(steps: int) -> None:
    figure = new_figure(8.4, 2.9)
    axes = playground_panels(figure, replace(playing(), steps=steps))["loss"].axes
    figure.canvas.draw()
    word = axes.xaxis.label.get_window_extent()
    assert word.y0 > 0
    for number in axes.get_xticklabels():
        assert not word.overlaps(number.get_window_extent()), number.get_text()


def test_what_is_pressed_is_a_point_or_a_neuron_or_neither() -> None:
    figure = new_figure(8.4, 2.9)
    panels = playground_panels(figure, playing())
    for name, content in playground_contents(playing()).items():
        panels[name].update(content)

    def at(across: float, up: float) -> object:
        return pressed(figure, panels, [across / 840, up / 290])

    assert at(OUTPUT[0] + MAP / 2, OUTPUT[1] + MAP) == ((pytest.approx(0), pytest.approx(EDGE)), None)
    assert at(*panels["network"].places[2][1]) == (None, (2, 1))
    assert at(*panels["network"].places[0][0]) == (None, None), "a feature is no neuron"
    for nonsense in ([], [0.5], [7.0, 0.5]):
        assert pressed(figure, panels, nonsense) == (None, None)
