"""Automatic differentiation from nothing: one number at a time, backwards through the graph that made it.

Every operation on a `Value` notes its inputs and, beside them, its *slopes*: how many times as much the result moves
as an input that moves a little. The chain rule does the rest. The walk backwards starts with 1 at the output; each node
hands each of its inputs its own gradient times the slope between them, and each input adds up what it is handed.

>>> x, y = Value(2.0), Value(3.0)
>>> loss = (x * y - 5) ** 2
>>> loss.backward()
>>> x.gradient, y.gradient                       # 2 (xy - 5) y  and  2 (xy - 5) x
(6.0, 4.0)
"""

from __future__ import annotations

import ast
import difflib
import itertools
import math
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple


class Value:
    """A number that remembers how it was made.

    ``gradient`` is None until ``backward`` has run. ``slopes`` are the local derivatives, one for each parent.

    Raises:
        ValueError: if a result or a slope is not a finite number (division by zero, overflow, log of a negative).
    """

    __slots__ = ("data", "gradient", "name", "operator", "parents", "slopes")

    def __init__(
        self,
        data: float,
        operator: str = "",
        parents: tuple[Value, ...] = (),
        slopes: tuple[float, ...] = (),
        name: str = "",
    ):
        if not math.isfinite(data):
            raise ValueError(f"{name or operator or 'a value'} gives {data}: too large to store, or not a number")
        for slope in slopes:
            if not math.isfinite(slope):
                raise ValueError(
                    f"{operator} gives {data:.4g}, but its slope there is infinite: move the input a little"
                )
        self.data = float(data)
        self.gradient: float | None = None
        self.operator = operator
        self.parents = parents
        self.slopes = slopes
        self.name = name

    # Each operator stands in one line with its slopes: d result / d left, d result / d right.

    def __add__(self, other: Value | float) -> Value:
        other = as_value(other)
        return Value(self.data + other.data, "+", (self, other), (1.0, 1.0))

    def __sub__(self, other: Value | float) -> Value:
        other = as_value(other)
        return Value(self.data - other.data, "-", (self, other), (1.0, -1.0))

    def __mul__(self, other: Value | float) -> Value:
        other = as_value(other)
        return Value(self.data * other.data, "*", (self, other), (other.data, self.data))

    def __truediv__(self, other: Value | float) -> Value:
        other = as_value(other)
        if other.data == 0:
            raise ValueError(f"division by zero: {self.data:.4g} / 0 has no value; change an input")
        quotient = self.data / other.data
        return Value(quotient, "/", (self, other), (1 / other.data, -quotient / other.data))

    def __pow__(self, exponent: Value | float) -> Value:
        if isinstance(exponent, Value):
            if self.data <= 0:
                raise ValueError(f"{self.data:.4g} ** x needs a base above 0 when the exponent can change")
            power = _power(self.data, exponent.data)
            slope = exponent.data * _power(self.data, exponent.data - 1)
            return Value(power, "**", (self, exponent), (slope, power * math.log(self.data)))
        power = _power(self.data, exponent)
        if self.data == 0 and 0 < exponent < 1:
            raise ValueError(f"0 ** {exponent:g} has an infinite slope; move the base away from 0")
        slope = exponent * _power(self.data, exponent - 1) if exponent else 0.0
        return Value(power, f"**{exponent:g}", (self,), (slope,))

    def __neg__(self) -> Value:
        return Value(-self.data, "neg", (self,), (-1.0,))

    def __radd__(self, other: float) -> Value:
        return as_value(other) + self

    def __rsub__(self, other: float) -> Value:
        return as_value(other) - self

    def __rmul__(self, other: float) -> Value:
        return as_value(other) * self

    def __rtruediv__(self, other: float) -> Value:
        return as_value(other) / self

    def __rpow__(self, other: float) -> Value:
        return as_value(other) ** self

    def exp(self) -> Value:
        """Euler's number to this power; its slope is the result itself."""
        if self.data > 709:
            raise ValueError(f"exp({self.data:.4g}) is too large to store; keep its input below 709")
        result = math.exp(self.data)
        return Value(result, "exp", (self,), (result,))

    def log(self) -> Value:
        """The natural logarithm; its slope is 1 over the input."""
        if self.data <= 0:
            raise ValueError(f"log({self.data:.4g}) has no value; its input must be above 0")
        return Value(math.log(self.data), "log", (self,), (1 / self.data,))

    def sqrt(self) -> Value:
        """The square root; its slope is 1 over twice the result."""
        if self.data <= 0:
            raise ValueError(f"sqrt({self.data:.4g}) has no slope; its input must be above 0")
        result = math.sqrt(self.data)
        return Value(result, "sqrt", (self,), (0.5 / result,))

    def tanh(self) -> Value:
        """Squeezed between -1 and 1; its slope is 1 minus the result squared."""
        result = math.tanh(self.data)
        return Value(result, "tanh", (self,), (1 - result * result,))

    def relu(self) -> Value:
        """The input where it is above 0, else 0; its slope is 1 or 0."""
        return Value(max(self.data, 0.0), "relu", (self,), (1.0 if self.data > 0 else 0.0,))

    def sin(self) -> Value:
        """The sine of an angle in radians; its slope is the cosine."""
        return Value(math.sin(self.data), "sin", (self,), (math.cos(self.data),))

    def cos(self) -> Value:
        """The cosine of an angle in radians; its slope is minus the sine."""
        return Value(math.cos(self.data), "cos", (self,), (-math.sin(self.data),))

    def backward(self) -> None:
        """Set ``gradient`` on every value that this one depends on: how many times as much this one moves as that one.

        Each call starts afresh: whatever an earlier call left on these values is overwritten, never added to.
        """
        for _ in backward_steps(self):
            pass

    def __repr__(self) -> str:
        label = f"{self.name}=" if self.name else ""
        return f"Value({label}{self.data:.6g}, gradient={self.gradient})"


class BackwardStep(NamedTuple):
    """One node of the backward pass: its gradient is complete, and this is what it hands to each parent."""

    node: Value
    gradient: float
    contributions: tuple[float, ...]  # one for each parent: gradient times the slope between them


def topological_order(output: Value) -> list[Value]:
    """Every value that ``output`` depends on, each after its parents; ``output`` comes last.

    It keeps a list of work instead of calling itself, so that a chain may have any length.

    >>> x = Value(2.0, name="x")
    >>> [value.operator or value.name for value in topological_order((x * x).exp())]
    ['x', '*', 'exp']
    """
    order: list[Value] = []
    seen: set[int] = set()
    work = [(output, False)]
    while work:
        value, parents_are_done = work.pop()
        if parents_are_done:
            order.append(value)
        elif id(value) not in seen:
            seen.add(id(value))
            work.append((value, True))
            work.extend((parent, False) for parent in reversed(value.parents))
    return order


def backward_steps(output: Value) -> Iterator[BackwardStep]:
    """Run the backward pass and yield each node as its gradient is complete; gradients not yet computed are None.

    >>> x = Value(2.0, name="x")
    >>> [(step.node.operator or step.node.name, step.gradient) for step in backward_steps(x * x + 1)]
    [('+', 1.0), ('1', 1.0), ('*', 1.0), ('x', 4.0)]

    Raises:
        ValueError: if a gradient grows too large to store.
    """
    order = topological_order(output)
    for value in order:
        value.gradient = None
    output.gradient = 1.0
    for value in reversed(order):  # a value's turn comes after everything that uses it
        gradient = value.gradient or 0.0
        if not math.isfinite(gradient):
            raise ValueError(
                f"the gradient of {value.name or value.operator} is too large to store; try smaller inputs"
            )
        contributions = tuple([gradient * slope for slope in value.slopes])
        for parent, contribution in zip(value.parents, contributions, strict=True):
            parent.gradient = contribution if parent.gradient is None else parent.gradient + contribution
        yield BackwardStep(value, gradient, contributions)


def as_value(number: Value | float) -> Value:
    """A plain number as a constant of the graph, named by its digits; a `Value` as it is."""
    return number if isinstance(number, Value) else Value(number, name=f"{number:g}")


def _power(base: float, exponent: float) -> float:
    """``base ** exponent`` among the real numbers, or one sentence."""
    if base == 0 and exponent < 0:
        raise ValueError(f"0 ** {exponent:g} is a division by zero; move the base away from 0")
    if base < 0 and not float(exponent).is_integer():
        raise ValueError(f"{base:.4g} ** {exponent:g} is not a real number; a negative base needs a whole exponent")
    try:
        return float(base**exponent)
    except OverflowError:
        raise ValueError(f"{base:.4g} ** {exponent:g} is too large to store; try smaller numbers") from None


class Network:
    """Layers of tanh neurons made of single numbers; the last layer is left without tanh.

    >>> network = Network([2, 3, 1])
    >>> len(network.parameters), len(network([1.0, -1.0]))
    (13, 1)
    """

    def __init__(self, widths: Sequence[int], seed: int = 0):
        draw = random.Random(seed)
        self.layers = [
            [[Value(draw.gauss(0, inputs**-0.5)) for _ in range(inputs)] + [Value(0.0)] for _ in range(outputs)]
            for inputs, outputs in itertools.pairwise(widths)
        ]
        self.parameters = [value for layer in self.layers for neuron in layer for value in neuron]

    def __call__(self, inputs: Sequence[float | Value]) -> list[Value]:
        """``len(inputs)`` numbers in, one `Value` for each neuron of the last layer out."""
        values = [as_value(number) for number in inputs]
        for layer in self.layers:
            sums = []
            for *weights, bias in layer:
                total = bias
                for weight, value in zip(weights, values, strict=True):
                    total = total + weight * value
                sums.append(total)
            values = sums if layer is self.layers[-1] else [total.tanh() for total in sums]
        return values


# ---- A typed expression becomes a graph: parsed as Python, walked node by node, never evaluated as Python ----

FUNCTIONS: dict[str, Callable[[Value], Value]] = {
    "exp": Value.exp,
    "log": Value.log,
    "sqrt": Value.sqrt,
    "tanh": Value.tanh,
    "relu": Value.relu,
    "sin": Value.sin,
    "cos": Value.cos,
}
OPERATORS: dict[type[ast.operator], Callable[[Value, Value], Value]] = {
    ast.Add: Value.__add__,
    ast.Sub: Value.__sub__,
    ast.Mult: Value.__mul__,
    ast.Div: Value.__truediv__,
}
LONGEST_EXPRESSION = 500  # characters
DEEPEST_EXPRESSION = 40  # operations inside each other
ALLOWED = f"use + - * / ** (2*x, not 2x), brackets, numbers, {', '.join(FUNCTIONS)} and the inputs"


def parse(expression: str, **inputs: Value | float) -> Value:
    """Turn a typed formula into a graph.

    >>> x = Value(3.0, name="x")
    >>> y = parse("x**2 + sin(0*x)", x=x)
    >>> y.backward()
    >>> y.data, x.gradient
    (9.0, 6.0)
    >>> parse("x + yy", x=1, y=2)
    Traceback (most recent call last):
    ValueError: 'yy' is not an input; did you mean 'y'?

    Raises:
        ValueError: with one sentence, for whatever cannot be read or computed.
    """
    if len(expression) > LONGEST_EXPRESSION:
        raise ValueError(f"the expression has {len(expression)} characters; {LONGEST_EXPRESSION} is the most")
    if not expression.strip():
        raise ValueError("the expression is empty; type one, such as x*y + 1")
    typed = " ".join(expression.split()).translate(str.maketrans("−–×·÷", "--**/"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's own advice about numbers and letters run together
            tree = ast.parse(typed, mode="eval")
    except SyntaxError as error:
        place = min(max((error.offset or 1) - 1, 0), len(typed))
        where = f"near {typed[place : place + 8]!r}" if place < len(typed) else "at its end"
        raise ValueError(f"cannot read the expression {where}: {ALLOWED}") from None
    except (ValueError, RecursionError, MemoryError):
        raise ValueError(f"cannot read the expression: {ALLOWED}") from None
    values = {name: v if isinstance(v, Value) else Value(v, name=name) for name, v in inputs.items()}
    try:
        return _graph(tree.body, values, DEEPEST_EXPRESSION)
    except RecursionError:
        raise ValueError("too many signs stand in a row; use a shorter expression") from None


def _graph(node: ast.expr, inputs: dict[str, Value], room: int) -> Value:
    """The graph for one node of the syntax tree; ``room`` is how many levels may still follow."""
    if room == 0:
        raise ValueError(f"more than {DEEPEST_EXPRESSION} operations stand inside each other; use a shorter expression")
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            try:
                return as_value(float(number))
            except (ValueError, OverflowError):
                raise ValueError("a number in the expression is too large to store; keep below 1e308") from None
        case ast.Name(id=name) if name in inputs:
            return inputs[name]
        case ast.Name(id=name):
            hint = f"{name} needs brackets, as in {name}(1)" if name in FUNCTIONS else _closest(name, inputs, "inputs")
            raise ValueError(f"{name!r} is not an input; {hint}")
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _graph(operand, inputs, room - 1)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() as number):
            return as_value(-_graph(number, inputs, room).data)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_graph(operand, inputs, room - 1)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            base, exponent = _graph(left, inputs, room - 1), _graph(right, inputs, room - 1)
            varies = any(value in inputs.values() for value in topological_order(exponent))
            return base ** (exponent if varies else exponent.data)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
            return OPERATORS[type(operator)](_graph(left, inputs, room - 1), _graph(right, inputs, room - 1))
        case ast.BinOp(op=ast.BitXor()):
            raise ValueError("^ is not a power here; write x**2")
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](_graph(argument, inputs, room - 1))
        case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS:
            raise ValueError(f"{name} takes one number, as in {name}(x)")
        case ast.Call(func=ast.Name(id=name)) if name in inputs:
            raise ValueError(f"{name!r} is an input, not a function; to multiply write {name}*(...)")
        case ast.Call(func=ast.Name(id=name)):
            raise ValueError(f"{name!r} is not a function here; {_closest(name, FUNCTIONS, 'functions')}")
    raise ValueError(f"cannot use {ast.unparse(node)[:20]!r} in an expression: {ALLOWED}")


def _closest(name: str, known: dict, kind: str) -> str:
    match difflib.get_close_matches(name, known, n=1, cutoff=0.5):
        case [best]:
            return f"did you mean {best!r}?"
    return f"the {kind} are {', '.join(known) or 'none'}"
