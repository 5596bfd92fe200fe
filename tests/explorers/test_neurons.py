"""NeuronExplorer: its numbers against plain arithmetic."""

import math

import numpy as np
import pytest

from course_utils.experiments.neuron import CELLS, EDGE, zero_line
from course_utils.explorers.neurons import NeuronExplorer

ACTIVATIONS = {
    "step": lambda s: float(s > 0),
    "relu": lambda s: max(0.0, s),
    "tanh": math.tanh,
    "sigmoid": lambda s: 1 / (1 + math.exp(-s)),
    "gelu": lambda s: s * (1 + math.erf(s / math.sqrt(2))) / 2,
    "linear": lambda s: s,
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_answer_plane_formula_and_caption_are_the_weighted_sum_bent(activation: str) -> None:
    explorer = NeuronExplorer(weight_1=1.5, weight_2=-0.7, bias=0.3, input_1=2.0, input_2=-1.0, activation=activation)
    total = 1.5 * 2.0 + -0.7 * -1.0 + 0.3
    answer = ACTIVATIONS[activation](total)
    assert explorer.result.sum == pytest.approx(total) and explorer.result.answer == pytest.approx(answer)
    assert f"give the sum {total:.2f}" in explorer.says and f"makes it {answer:.3f}." in explorer.says
    assert explorer.panels["formula"].text.get_text() == (
        f"{activation}( 1.50 · 2.00 + (−0.70) · (−1.00) + 0.30 )  =  {activation}( 4.00 )  =  {answer:.2f}"
    )
    middles = [EDGE * (2 * i + 1 - CELLS) / CELLS for i in range(CELLS)]
    for row, column in ((0, 0), (0, CELLS - 1), (CELLS - 1, 0), (20, 31)):  # the first row is at the top
        expected = ACTIVATIONS[activation](1.5 * middles[column] - 0.7 * middles[CELLS - 1 - row] + 0.3)
        assert explorer.result.plane[row, column] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_colours_reach_from_end_to_end_of_the_answers(activation: str) -> None:
    explorer = NeuronExplorer(weight_1=4.0, weight_2=-4.0)
    explorer.pin()
    explorer.set(activation=activation)
    low, high = explorer.panels["answers"].image.get_clim()
    most = float(np.abs(explorer.result.plane).max())
    assert low == -high and most >= 0.99 * high, "the strongest answer has the full colour"
    assert high == (2 if most > 1.1 else 1)
    assert np.abs(explorer.panels["answers"].image.colorbar.get_ticks()).max() == high
    assert len(explorer.panels["plane"].ghosts["line"].get_xdata()) == 2, "the pinned line outlives another scale"


def test_every_activation_is_offered() -> None:
    assert set(NeuronExplorer.activation.options) == set(ACTIVATIONS)


def test_the_line_is_where_the_sum_is_zero() -> None:
    explorer = NeuronExplorer(weight_1=0.8, weight_2=-2.5, bias=1.1)
    for x, y in zip(*zero_line(explorer.result), strict=True):
        assert 0.8 * x - 2.5 * y + 1.1 == pytest.approx(0, abs=1e-9)
    assert np.allclose(explorer.panels["plane"].lines["line"].get_xdata(), zero_line(explorer.result)[0])


def test_a_neuron_without_weights_draws_no_line_and_answers_its_bias() -> None:
    explorer = NeuronExplorer(weight_1=0.0, weight_2=0.0, bias=0.5)
    assert len(explorer.panels["plane"].lines["line"].get_xdata()) == 0
    assert np.allclose(explorer.result.plane, math.tanh(0.5)) and explorer.problem == ""
