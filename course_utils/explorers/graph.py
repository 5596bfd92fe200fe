"""The explorer of calculations: a typed formula as a graph, and the backward pass through it, node by node."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from course_utils.autodiff import Value, backward_steps, parse, topological_order
from course_utils.explorers.base import Button, FigureExplorer, Slider, Text
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


def read(expression: str, numbers: Mapping[str, float]) -> Graph:
    """Read an expression and place its graph.

    Raises:
        ValueError: it cannot be read, or computed with these numbers, or drawn.

    >>> read("a*b", dict.fromkeys(INPUTS, 1.0)).names
    ('a', 'b', '*')
    """
    inputs = {name: Value(number, name=name) for name, number in numbers.items()}
    order = topological_order(parse(expression, **inputs))
    if len(order) > MOST_NODES:
        raise ValueError(f"the graph has {len(order)} nodes and the picture holds {MOST_NODES}; type a shorter one")
    used = tuple(node.name for node in order if inputs.get(node.name) is node)
    if not used:
        raise ValueError(f"the expression has no input to change; use one or more of {', '.join(INPUTS)}")
    number = {id(node): place for place, node in enumerate(order)}
    places = layout([[number[id(parent)] for parent in node.parents] for node in order])
    plain = tuple(not node.parents and inputs.get(node.name) is not node for node in order)
    names = tuple(node.operator or node.name for node in order)
    return Graph(" ".join(expression.split()), names, plain, places, used)


def run(graph: Graph, step: int, numbers: Mapping[str, float]) -> Pass:
    """Run forwards with these numbers, and backwards through the first ``step`` nodes."""
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


def told(result: Pass) -> str:
    """Say what the node just stepped got, and what it hands to each parent."""
    names, edges, node = result.graph.names, result.graph.places.edges, result.current
    typed = result.graph.expression if len(result.graph.expression) <= 60 else "The output"
    if node is None:
        return f"{typed} = {short(result.values[-1])}. Forward pass done; {result.steps} backward steps to go."
    gradient = short(result.gradients[node] or 0.0)
    arrived = [share for share, (parent, _) in zip(result.handed, edges, strict=True) if parent == node]
    shares = [short(share) for share in arrived if share is not None]
    total = " = " + " + ".join(shares) if len(shares) > 1 else ""
    hands = [
        f"{gradient} × {short(slope)} = {short(share)} to {names[parent]}"
        for share, slope, (parent, user) in zip(result.handed, result.slopes, edges, strict=True)
        if user == node and share is not None
    ]
    says = f"Backward step {result.step} of {result.steps}: {names[node]} has gradient {gradient}{total}"
    says += f" and hands {' and '.join(hands)}." if hands else "."
    if result.step == result.steps:
        found = zip(names, result.gradients, strict=True)
        says += " Done: " + ", ".join(f"{name} {short(got or 0)}" for name, got in found if name in INPUTS) + "."
    return says


class GraphExplorer(FigureExplorer):
    """A typed expression as a graph; sliders set its inputs; the backward pass goes node by node.

    The expression may use the inputs a, b, c, d, x, y and z. A slider is shown for each that it names.
    """

    size = (8.4, 4.7)
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
    next_node = Button("Next node", "go_on")
    whole_pass = Button("Whole pass", "go_to_end")
    from_the_start = Button("Start again", "go_back")

    def go_on(self) -> None:
        """Step one node further backwards."""
        self.set(step=min(self.step + 1, self.result.steps))

    def go_to_end(self) -> None:
        """Step through all that is left."""
        self.set(step=self.result.steps)

    def go_back(self) -> None:
        """Forget all gradients."""
        self.set(step=0)

    def prepare(self, expression: str) -> Graph:
        """Read the expression and place its graph."""
        named = [name for name in INPUTS if re.search(rf"\b{name}\b", expression)]
        if named:  # before any number is computed: the cure for a division by zero is a slider
            self.show_controls({*self.shown, *named})
        return read(expression, {name: self.values[name] for name in INPUTS})

    def dependent_controls(self, prepared: Graph) -> dict[str, Slider]:
        """Show the sliders of the inputs that are used; there are as many backward steps as nodes."""
        self.shown = ("expression", "step", *prepared.inputs)
        self.show_controls(self.shown)
        return {"step": Slider(0, prepared.plain.count(False), 0, label="backward steps")}

    def dependent_values(self, name: str, value: Any) -> dict[str, int]:
        """Another formula begins with its forward pass."""
        return {"step": 0} if name == "expression" else {}

    def compute(self, prepared: Graph, step: int, **numbers: float) -> Pass:
        """Run forwards, and backwards as far as the learner has stepped."""
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
        """Say what the node just stepped got, and what it hands to each parent."""
        return told(result)
