"""The explorer of calculations: a typed formula as a graph, and the backward pass through it, node by node."""

import re
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from course_utils.autodiff import Value, backward_steps, parse, topological_order
from course_utils.explorers.base import Button, FigureExplorer, Slider, Text
from course_utils.plots.graphs import GraphPicture, Layout, layout, short

MOST_NODES = 25
INPUTS = "abcdxyz"


@dataclass(frozen=True, eq=False)
class Graph:
    """What an expression looks like, whatever the numbers in it; parents stand before the nodes that use them."""

    expression: str
    names: tuple[str, ...]  # (nodes,) an input's name, a constant's digits or an operation
    plain: tuple[bool, ...]  # (nodes,) constants: no knob, so no backward step
    places: Layout


@dataclass(frozen=True)
class Pass:
    """The numbers of a graph: forwards, and as far backwards as the learner has stepped."""

    graph: Graph
    values: tuple[float, ...]  # (nodes,)
    gradients: tuple[float | None, ...]  # (nodes,) None where not yet computed, and for constants
    handed: tuple[float | None, ...]  # (edges,) what a node has handed to its parent; None where nothing yet
    slopes: tuple[float, ...]  # (edges,)
    current: int | None  # the node just stepped
    step: int
    steps: int


class GraphExplorer(FigureExplorer):
    """A typed expression as a graph; sliders set its inputs; the backward pass goes node by node.

    The expression may use the inputs a, b, c, d, x, y and z. A slider is shown for each that it names.
    """

    size = (8.4, 4.7)
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

    def restart(self) -> None:
        """No picture has been built yet."""
        self.built: Graph | None = None

    def go_on(self) -> None:
        """Step one node further backwards."""
        self.set(step=min(self.step + 1, self.result.steps))

    def go_to_end(self) -> None:
        """Step through all that is left."""
        self.set(step=self.result.steps)

    def go_back(self) -> None:
        """Forget all gradients."""
        self.set(step=0)

    def set(self, **values: Any) -> None:
        """Move controls; a new expression comes first, because it says how many steps there are."""
        if "expression" in values:
            super().set(expression=values.pop("expression"))
        super().set(**values)

    def prepare(self, expression: str) -> Graph:
        """Read the expression, place its graph, and show the sliders it needs."""
        self.forget()  # the sliders and their ranges belong to this expression: no earlier one may skip this
        named = set(re.findall(rf"\b[{INPUTS}]\b", expression))
        for name in named:  # before any number is computed: the cure for a division by zero is a slider
            self.inputs[name].layout.display = None
        inputs = {name: Value(self.values[name], name=name) for name in INPUTS}
        order = topological_order(parse(expression, **inputs))
        if len(order) > MOST_NODES:
            raise ValueError(f"the graph has {len(order)} nodes and the picture holds {MOST_NODES}; type a shorter one")
        used = [node.name for node in order if inputs.get(node.name) is node]
        if not used:
            raise ValueError(f"the expression has no input to change; use one or more of {', '.join(INPUTS)}")
        number = {id(node): place for place, node in enumerate(order)}
        places = layout([[number[id(parent)] for parent in node.parents] for node in order])
        plain = tuple(not node.parents and inputs.get(node.name) is not node for node in order)
        for name in INPUTS:
            self.inputs[name].layout.display = None if name in used else "none"
        self.step = Slider(0, plain.count(False), 0, label="backward steps")
        graph = Graph(" ".join(expression.split()), tuple(node.operator or node.name for node in order), plain, places)
        if self.built is not None and self.built.expression != graph.expression:
            self._write({"step": 0})  # another formula begins with its forward pass
        return graph

    def compute(self, prepared: Graph, step: int, **numbers: float) -> Pass:
        """Run forwards with these numbers, and backwards through the first ``step`` nodes."""
        output = parse(prepared.expression, **{name: Value(number, name=name) for name, number in numbers.items()})
        order = topological_order(output)
        place = {id(node): at for at, node in enumerate(order)}
        every = list(backward_steps(output))  # to the end: a gradient too large to store is told at once
        steps = [each for each in every if not prepared.plain[place[id(each.node)]]]
        done = {place[id(each.node)]: each for each in steps[:step]}
        edges = [(node, slot) for node, value in enumerate(order) for slot in range(len(value.parents))]
        knobs = [not prepared.plain[parent] for parent, _ in prepared.places.edges]
        return Pass(
            graph=prepared,
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

    def draw(self, figure: Figure, result: Pass) -> None:
        """Draw boxes and lines once for an expression, then change the numbers."""
        graph = result.graph
        if self.built is not graph:
            self.clear()
        if not self.artists:
            ghost = None
            if self.pinned is not None and self.pinned.graph.expression == graph.expression:
                ghost = [self._ghost(node) for node in range(len(graph.names))]
            self.built, self.graph = graph, GraphPicture(figure, graph.names, graph.places, graph.plain, ghost)
            self.artists["graph"] = self.graph.artists()
        self.graph.update(result.values, result.gradients, result.handed, result.current)

    def _ghost(self, node: int) -> str:
        value, gradient = self.pinned.values[node], self.pinned.gradients[node]
        if self.pinned.graph.plain[node]:
            return ""
        return f"pinned {short(value)}" + ("" if gradient is None else f" | {short(gradient)}")

    def caption(self, result: Pass) -> str:
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
