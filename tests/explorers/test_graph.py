"""GraphExplorer: its numbers against nudging and torch, step by step, and its answers to what learners type."""

import html
import math
import re

import numpy as np
import pytest
import torch

from course_utils.explorers.graph import INPUTS, MOST_NODES, GraphExplorer, describe, run

from .sweep import refuses
from .sweep_graph import graph

EXPRESSIONS = (
    "(a*b + c)**2",
    "(tanh(a*x + b) - y)**2",
    "x*x + 3*x",
    "1/(1 + exp(-(a*x + b*y + c)))",
    "x*x*x + x/y + a*x - sqrt(z)*(b + log(z))",
)
MEANING = {name: getattr(torch, name) for name in ("exp", "tanh", "sqrt", "log")}


def gradients_by_torch(expression: str, numbers: dict[str, float]) -> dict[str, float]:
    """The trusted reference: torch's own reading of an expression that this file wrote."""
    inputs = {name: torch.tensor(number, dtype=torch.float64, requires_grad=True) for name, number in numbers.items()}
    eval(expression, {"__builtins__": {}}, {**MEANING, **inputs}).backward()
    return {name: value.grad.item() for name, value in inputs.items() if value.grad is not None}


def shown(explorer: GraphExplorer) -> dict[str, float | None]:
    """Name to gradient, for the inputs of the expression."""
    result = explorer.result
    return {n: g for n, g in zip(result.graph.names, result.gradients, strict=True) if n in INPUTS}


def visible_sliders(explorer: GraphExplorer) -> set[str]:
    return {name for name in INPUTS if explorer.inputs[name].layout.display != "none"}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_whole_pass_gives_torchs_gradients_and_the_caption_says_them(expression: str) -> None:
    explorer = GraphExplorer(expression=expression)
    explorer.whole_pass()
    expected = gradients_by_torch(expression, {name: explorer.values[name] for name in INPUTS})
    assert shown(explorer) == pytest.approx(expected, abs=1e-10) and expected
    done = explorer.says.partition("Done: ")[2]
    for name, gradient in expected.items():
        said = float(done.partition(f"{name} ")[2].partition(",")[0].rstrip("."))
        assert said == pytest.approx(gradient, rel=6e-3, abs=1e-9)
    assert visible_sliders(explorer) == set(expected)


def test_gradients_show_one_node_at_a_time_each_after_all_that_use_it() -> None:
    explorer = GraphExplorer(expression="x*x*x + 3*x + tanh(x*y)")
    graph_, edges = explorer.result.graph, explorer.result.graph.places.edges
    steps = explorer.result.steps
    assert explorer.result.gradients == (None,) * len(graph_.names)
    before: set[int] = set()
    for step in range(1, steps + 1):
        explorer.next_box()
        result = explorer.result
        done = {node for node, gradient in enumerate(result.gradients) if gradient is not None}
        assert len(done) == step and done - before == {result.current}
        for (parent, user), share in zip(edges, result.handed, strict=True):
            assert (share is not None) == (user in done and not graph_.plain[parent])
            if parent in done:
                assert user in done
        assert f"Backward step {step} of {steps}" in explorer.says
        before = done
    arrived = [share for share, (parent, _) in zip(result.handed, edges, strict=True) if parent == result.current]
    assert sum(arrived) == pytest.approx(result.gradients[result.current]) and len(arrived) > 1
    explorer.next_box()  # nothing is left: it stays
    assert explorer.result.step == steps and explorer.problem == ""
    explorer.from_the_start()
    assert explorer.result.step == 0


def test_what_is_handed_over_is_gradient_times_slope() -> None:
    explorer = GraphExplorer(expression="(a*b + c)**2", a=2.0, b=3.0, c=-1.0)
    explorer.set(step=2)
    assert "+ has gradient 10 and hands 10 × 1 = 10 to * and 10 × 1 = 10 to c." in explorer.says
    explorer.set(step=4)  # the output, +, c, *
    assert "* has gradient 10 and hands 10 × 3 = 30 to a and 10 × 2 = 20 to b." in explorer.says


def test_a_slider_after_the_pass_agrees_with_nudging() -> None:
    explorer = GraphExplorer(expression="(tanh(a*x + b) - y)**2")
    explorer.whole_pass()
    explorer.inputs["a"].value = -0.7

    def output(a: float) -> float:
        return (math.tanh(a * explorer.x + explorer.b) - explorer.y) ** 2

    nudged = (output(-0.7 + 1e-5) - output(-0.7 - 1e-5)) / 2e-5
    assert shown(explorer)["a"] == pytest.approx(nudged, rel=1e-6)
    assert explorer.result.values[-1] == pytest.approx(output(-0.7))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("x + yy", "'yy' is not an input; did you mean 'y'?"),
        ("w*x", "'w' is not an input"),
        ("a * (b", "cannot read the expression"),
        ("2x", "2*x"),
        ("a ^ 2", "x**2"),
        ("sni(x)", "did you mean 'sin'?"),
        ("__import__('os').system('true')", "cannot use"),
        ("x/(y - y)", "division by zero"),
        ("log(y)", "must be above 0"),
        ("exp(exp(exp(a*b)))", "too large"),
        ("2 + 3", "no input"),
        ("+".join("abcdxyz" * 3), f"picture holds {MOST_NODES}"),
        ("sin(" * 14 + "x" + ")" * 14, "shorter expression"),
        ("x" * 600, "characters"),
        ("a" * 100_000, "characters"),
        ("👩‍🚀 🎉", "cannot read"),
    ],
)
def test_a_bad_expression_is_one_sentence_and_the_picture_stays(typed: str, words: str) -> None:
    assert words in refuses(lambda: GraphExplorer(expression=typed))
    explorer = GraphExplorer()
    before = explorer.png
    explorer.inputs["expression"].value = typed
    assert words in explorer.problem and explorer.png == before
    explorer.inputs["expression"].value = "a*b"
    assert explorer.problem == "" and explorer.png != before and explorer.result.values[-1] == 6


def test_a_division_by_zero_shows_the_slider_that_cures_it() -> None:
    explorer = GraphExplorer(d=0.0)
    assert "d" not in visible_sliders(explorer)
    explorer.inputs["expression"].value = "a/d"
    assert "division by zero" in explorer.problem and "d" in visible_sliders(explorer)
    explorer.inputs["d"].value = 2.0
    assert explorer.problem == "" and explorer.result.values[-1] == 1
    explorer.inputs["d"].value = 0.0
    assert "division by zero" in explorer.problem


def test_the_step_slider_ends_where_the_pass_ends_and_reset_and_undo_work_across_expressions() -> None:
    explorer = GraphExplorer(expression="a*b")
    assert explorer.inputs["step"].max == 3
    explorer.set(expression="tanh(a*x + b*y + c)", step=10)
    assert explorer.inputs["step"].max == 10 == explorer.result.step
    explorer.inputs["expression"].value = "tanh(a*x + b*y + c) + 1"
    assert explorer.result.step == 0  # another formula begins with its forward pass
    explorer.set(expression="tanh(a*x + b*y + c)", step=10)
    explorer.reset()
    assert explorer.values["expression"] == "a*b" and explorer.inputs["step"].max == 3 and explorer.result.step == 0
    explorer.undo()
    assert explorer.values["expression"] == "tanh(a*x + b*y + c)" and explorer.result.step == 10
    assert visible_sliders(explorer) == set("abcxy")


def test_the_copied_line_makes_the_same_state() -> None:
    explorer = GraphExplorer()
    explorer.set(expression="x*x + 3*x", step=2, x=-1.5)
    again = eval(explorer.as_python(), {"GraphExplorer": GraphExplorer})
    assert again.png == explorer.png and again.says == explorer.says


def test_the_largest_graphs_are_drawn_and_the_node_just_stepped_is_framed() -> None:
    explorer = GraphExplorer(expression="(a+b)*(c+d)*(x+y)*(z+a)+(b-c)*(d-x)+a*c*x*z")
    assert len(explorer.result.values) <= MOST_NODES
    explorer.whole_pass()
    widths = explorer.panels["graph"].frames.get_linewidths()
    assert sorted(widths)[-2:] == [1.5, 3.5] and len(widths) == explorer.result.steps
    assert len(explorer.panels["graph"].handed.get_segments()) == len(explorer.result.handed)


def test_a_pinned_pass_stands_under_the_boxes_of_the_same_expression() -> None:
    explorer = graph()
    explorer.whole_pass()
    plain = np.asarray(explorer.pixels).copy()
    explorer.pin()
    assert not np.array_equal(plain, explorer.pixels)
    assert any("pinned" in text.get_text() for text in explorer.figure.axes[0].texts)
    explorer.set(expression="a*b")
    assert not any("pinned" in text.get_text() for text in explorer.figure.axes[0].texts)


@pytest.mark.parametrize("typed", ["~" * 400 + "x", "-" * 400 + "x", "+" * 400 + "x"])
def test_hundreds_of_signs_before_an_input_are_one_sentence(typed: str) -> None:
    assert "shorter" in refuses(lambda: GraphExplorer(expression=typed))


def test_a_rounded_product_is_not_called_equal() -> None:
    explorer = GraphExplorer(expression="(tanh(a*x + b) - y)**2", a=0.5, b=-0.2, x=1.5, y=1.0, step=4)
    assert "tanh has gradient -0.999 and hands -0.999 × 0.749 ≈ -0.749 to +." in explorer.says
    explorer.set(expression="x*x + 3*x", x=2.0)
    assert "hands 1 × 3 = 3 to x" in describe(run(explorer.result.graph, 2, {"x": 2.0}))
    explorer.set(step=explorer.result.steps)
    assert "x has gradient 2 + 2 + 3 = 7. Done: x 7." in explorer.says


def test_the_tour_says_the_numbers_of_its_formula() -> None:
    explorer = GraphExplorer(expression="x*x + 3*x", x=2.0)  # wherever one starts, the tour has its own formula
    said = []
    for stop in range(len(explorer.tour)):
        explorer.visit(stop)
        said.append(html.unescape(explorer.tour_bar.sentence.value))
    expected = (
        "2 × 3 is 6; with -4 added, 2; squared, 4",
        "2 × 2 goes back",
        "its own gradient, 4,",
        "4 × 3 to a, 4 × 2 to b",
        "12 times as much; with b 8 times, with c 4 times",
        "0.1 × 12 = 1.2 more than 4. It is 5.29",
    )
    for words, sentence in zip(expected, said, strict=True):
        assert words in sentence
        assert len(re.sub("<[^>]+>", "", sentence)) < 160  # two lines beside the buttons
    explorer.visit(None)
    assert explorer.values["expression"] == "x*x + 3*x"
