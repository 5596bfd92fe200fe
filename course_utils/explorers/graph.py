"""The explorer of calculations: a typed formula as a graph, and the backward pass through it, box by box."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from course_utils.autodiff import Value, backward_steps, parse, topological_order
from course_utils.explorers.base import Button, FigureExplorer, Slider, Stop, Text
from course_utils.plots.graphs import GraphNumbers, GraphPicture, Layout, layout, short
from course_utils.plots.panels import Panel

MOST_NODES = 25
INPUTS = "abcdxyz"


@dataclass(frozen=True, eq=False)
class Graph:
    """What an expression looks like, whatever the numbers in it; parents stand before the nodes that use them."""

    expression: str
    names: tuple[str, ...]  # (nodes,) an input's name, a constant's digits or an operation
    plain: tuple[bool, ...]  # (nodes,) constants: no knob, so no backward step
    places: Layout
    inputs: tuple[str, ...]  # those that it uses


@dataclass(frozen=True)
class Pass(GraphNumbers):
    """The numbers of a graph: forwards, and as far backwards as the learner has stepped."""

    graph: Graph
    slopes: tuple[float, ...]  # (edges,)
    step: int
    steps: int

    @property
    def found(self) -> dict[str, float | None]:
        """The gradient of each input, by name; None where the backward pass has not arrived yet."""
        pairs = zip(self.graph.names, self.gradients, strict=True)
        return {name: gradient for name, gradient in pairs if name in INPUTS}


def read(expression: str, numbers: Mapping[str, float]) -> Graph:
    """Read an expression and place its graph.

    >>> read("a*b + 1", {"a": 2.0, "b": 3.0}).names
    ('a', 'b', '*', '1', '+')

    Raises:
        ValueError: an expression that cannot be read or drawn, or one without an input.
    """
    inputs = {name: Value(number, name=name) for name, number in numbers.items()}
    order = topological_order(parse(expression, **inputs))
    if len(order) > MOST_NODES:
        raise ValueError(f"the graph has {len(order)} boxes and the picture holds {MOST_NODES}; type a shorter one")
    used = tuple(node.name for node in order if inputs.get(node.name) is node)
    if not used:
        raise ValueError(f"the expression has no input to change; use one or more of {', '.join(INPUTS)}")
    number = {id(node): place for place, node in enumerate(order)}
    places = layout([[number[id(parent)] for parent in node.parents] for node in order])
    plain = tuple(not node.parents and inputs.get(node.name) is not node for node in order)
    names = tuple(node.operator or node.name for node in order)
    return Graph(" ".join(expression.split()), names, plain, places, used)


def run(graph: Graph, step: int, numbers: Mapping[str, float]) -> Pass:
    """Run a graph forwards with these numbers, and backwards through the first ``step`` boxes.

    >>> run(read("a*b", {"a": 2.0, "b": 3.0}), 3, {"a": 2.0, "b": 3.0}).found
    {'a': 3.0, 'b': 2.0}
    """
    output = parse(graph.expression, **{name: Value(number, name=name) for name, number in numbers.items()})
    order = topological_order(output)
    place = {id(node): at for at, node in enumerate(order)}
    every = list(backward_steps(output))  # to the end: a gradient too large to store is told at once
    steps = [each for each in every if not graph.plain[place[id(each.node)]]]
    done = {place[id(each.node)]: each for each in steps[:step]}
    edges = [(node, slot) for node, value in enumerate(order) for slot in range(len(value.parents))]
    knobs = [not graph.plain[parent] for parent, _ in graph.places.edges]
    return Pass(
        graph=graph,
        values=tuple(node.data for node in order),
        gradients=tuple(done[at].gradient if at in done else None for at in range(len(order))),
        handed=tuple(
            done[node].contributions[slot] if node in done and knob else None
            for (node, slot), knob in zip(edges, knobs, strict=True)
        ),
        slopes=tuple(order[node].slopes[slot] for node, slot in edges),
        current=place[id(steps[step - 1].node)] if step else None,
        step=step,
        steps=len(steps),
    )


def worked_out(exact: str, result: str) -> str:
    """A sum or product of rounded numbers with its rounded result, joined by a sign that tells the truth.

    >>> worked_out("2 × 3", "6"), worked_out("-0.999 × 0.749", "-0.749")
    ('2 × 3 = 6', '-0.999 × 0.749 ≈ -0.749')
    """
    if "×" in exact:
        value = math.prod(map(float, exact.split(" × ")))
    else:
        value = math.fsum(map(float, exact.split(" + ")))
    return f"{exact} {'=' if math.isclose(value, float(result), abs_tol=1e-300) else '≈'} {result}"


def describe(result: Pass) -> str:
    """One sentence: what the box just stepped got, and what it hands to each parent."""
    names, edges, node = result.graph.names, result.graph.places.edges, result.current
    typed = result.graph.expression if len(result.graph.expression) <= 60 else "The output"
    if node is None:
        return f"{typed} = {short(result.values[-1])}. Forward pass done; {result.steps} backward steps to go."
    gradient = short(result.gradients[node] or 0.0)
    arrived = [share for share, (parent, _) in zip(result.handed, edges, strict=True) if parent == node]
    shares = [short(share) for share in arrived if share is not None]
    total = worked_out(" + ".join(shares), gradient) if len(shares) > 1 else gradient
    hands = [
        f"{worked_out(f'{gradient} × {short(slope)}', short(share))} to {names[parent]}"
        for share, slope, (parent, user) in zip(result.handed, result.slopes, edges, strict=True)
        if user == node and share is not None
    ]
    says = f"Backward step {result.step} of {result.steps}: {names[node]} has gradient {total}"
    says += f" and hands {' and '.join(hands)}." if hands else "."
    if result.step == result.steps:
        says += " Done: " + ", ".join(f"{name} {short(got or 0)}" for name, got in result.found.items()) + "."
    return says


# ---- The tour: one formula, forwards, then backwards, then a test of what came out ----

FORMULA: dict[str, Any] = {"expression": "(a*b + c)**2", "a": 2.0, "b": 3.0, "c": -4.0}


def of(now: Pass, name: str) -> str:
    """The value of the box with this name, as the picture writes it."""
    return short(now.values[now.graph.names.index(name)])


def back(now: Pass, name: str) -> str:
    """The gradient of the box with this name."""
    return short(now.gradients[now.graph.names.index(name)] or 0.0)


def turned(now: Pass) -> str:
    """What the gradient foretold when one input was turned, and what came."""
    before = {name: Value(FORMULA[name], name=name) for name in "abc"}
    result = parse(FORMULA["expression"], **before)
    result.backward()
    turn, slope = float(of(now, "a")) - FORMULA["a"], before["a"].gradient or 0.0
    return (
        f"A test: a is {turn:.1f} larger, so we expect about {turn:.1f} × {slope:g} = {turn * slope:.3g} more than "
        f"{result.data:g}. It is {short(now.values[-1])}. A smaller turn comes nearer."
    )


TOUR: tuple[Stop, ...] = (
    (
        {**FORMULA, "step": 0},
        lambda now: (
            f"Forwards, in blue: {of(now, 'a')} × {of(now, 'b')} is {of(now, '*')}; with {of(now, 'c')} added, "
            f"{of(now, '+')}; squared, {short(now.values[-1])}."
        ),
    ),
    (
        {**FORMULA, "step": 1},
        lambda now: (
            f"Backwards, in orange: the result begins with {short(now.gradients[-1])}. A square moves twice its "
            f"input times as much: 2 × {of(now, '+')} goes back."
        ),
    ),
    (
        {**FORMULA, "step": 2},
        lambda now: (
            f"A sum moves just as much as each of its inputs. So it hands its own gradient, {back(now, '+')}, to both."
        ),
    ),
    (
        {**FORMULA, "step": 4},
        lambda now: (
            "A product hands each input its own gradient times the other input: "
            f"{back(now, '*')} × {of(now, 'b')} to a, {back(now, '*')} × {of(now, 'a')} to b."
        ),
    ),
    (
        {**FORMULA, "step": 6},
        lambda now: (
            f"Done. When a grows a little, the result grows {back(now, 'a')} times as much; "
            f"with b {back(now, 'b')} times, with c {back(now, 'c')} times."
        ),
    ),
    (
        {**FORMULA, "a": 2.1, "step": 0},
        turned,
    ),
)


class GraphExplorer(FigureExplorer):
    """A typed expression as a graph; sliders set its inputs; the backward pass goes box by box.

    The expression may use the inputs a, b, c, d, x, y and z. A slider is shown for each that it names.
    """

    size = (8.4, 3.8)
    shown: tuple[str, ...] = ("expression", "step")  # controls
    expression = Text("(a*b + c)**2")
    a = Slider(-5.0, 5.0, 2.0, step=0.1)
    b = Slider(-5.0, 5.0, 3.0, step=0.1)
    c = Slider(-5.0, 5.0, -4.0, step=0.1)
    d = Slider(-5.0, 5.0, 1.5, step=0.1)
    x = Slider(-5.0, 5.0, 1.0, step=0.1)
    y = Slider(-5.0, 5.0, -0.5, step=0.1)
    z = Slider(-5.0, 5.0, 0.5, step=0.1)
    step = Slider(0, MOST_NODES, 0, label="backward steps")
    next_box = Button("Next box", lambda self: self.set(step=min(self.step + 1, self.result.steps)))
    whole_pass = Button("Whole pass", lambda self: self.set(step=self.result.steps))
    from_the_start = Button("Start again", lambda self: self.set(step=0))
    tour = TOUR

    def prepare(self, expression: str) -> Graph:
        """Read the expression and place its graph."""
        named = [name for name in INPUTS if re.search(rf"\b{name}\b", expression)]
        if named:  # before any number is computed: the cure for a division by zero is a slider
            self.show_controls({*self.shown, *named})
        return read(expression, {name: self.values[name] for name in INPUTS})

    def dependent_controls(self, prepared: Graph) -> dict[str, Slider]:
        """Show the sliders of the inputs that are used; there are as many backward steps as boxes."""
        self.shown = ("expression", "step", *prepared.inputs)
        self.show_controls(self.shown)
        return {"step": Slider(0, prepared.plain.count(False), 0, label="backward steps")}

    def dependent_values(self, name: str, value: Any) -> dict[str, int]:
        """Another formula begins with its forward pass."""
        return {"step": 0} if name == "expression" else {}

    def compute(self, prepared: Graph, step: int, **numbers: float) -> Pass:
        """Run forwards with these numbers, and backwards through the first ``step`` boxes."""
        return run(prepared, step, numbers)

    def layout_key(self, result: Pass) -> Graph:
        """Boxes and lines are drawn once for an expression."""
        return result.graph

    def make_panels(self, figure: Figure, result: Pass) -> dict[str, Panel]:
        """One graph, all over the figure."""
        graph = result.graph
        return {"graph": GraphPicture(figure, graph.names, graph.places, graph.plain)}

    def contents(self, result: Pass) -> dict[str, Pass]:
        """The numbers."""
        return {"graph": result}

    def comparable(self, pinned: Pass, result: Pass) -> bool:
        """Only a pass over the same expression has the same boxes."""
        return pinned.graph.expression == result.graph.expression

    def caption(self, result: Pass) -> str:
        """Say what the box just stepped got, and what it hands to each parent."""
        return describe(result)
