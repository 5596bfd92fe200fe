"""The engine against torch, and the formula reader against everything a learner may type."""

import math
import random

import pytest
import torch

from course_utils.autodiff import FUNCTIONS, Network, Value, backward_steps, parse, topological_order


def on_numbers_too(function):
    return lambda value: function(torch.as_tensor(value, dtype=torch.float64))


TORCH_FUNCTIONS = {name: on_numbers_too(getattr(torch, name)) for name in FUNCTIONS}


def random_expression(draw: random.Random, depth: int) -> str:
    """A formula in x, y and z; inputs of log, sqrt and varying powers are kept above 0, those of exp small."""
    if depth == 0 or draw.random() < 0.1:
        return draw.choice(["x", "y", "z", f"{draw.uniform(-2, 2):.3f}"])
    inner = [random_expression(draw, depth - 1) for _ in range(2)]
    return draw.choice(
        [
            f"({inner[0]} + {inner[1]})",
            f"({inner[0]} - {inner[1]})",
            f"({inner[0]} * {inner[1]})",
            f"({inner[0]} / (2 + sin({inner[1]})))",
            f"(1.5 + cos({inner[0]}))**{inner[1]}",
            f"tanh({inner[0]})**3",
            f"(1 + ({inner[0]})**2)**-0.5",
            f"-{inner[0]}" if not inner[0].startswith("-") else f"relu({inner[0]})",
            f"exp(tanh({inner[0]}))",
            f"log(1 + ({inner[0]})**2)",
            f"sqrt(0.5 + ({inner[0]})**2)",
            f"tanh({inner[0]})",
            f"relu({inner[0]})",
            f"sin({inner[0]})",
            f"cos({inner[0]})",
        ]
    )


def test_values_and_gradients_equal_torch_on_a_thousand_random_expressions():
    draw = random.Random(4)
    compared = 0
    used = set()
    while compared < 1000:
        expression = random_expression(draw, depth=draw.randint(2, 5))
        numbers = {name: draw.uniform(-2, 2) for name in "xyz"}
        ours = {name: Value(number, name=name) for name, number in numbers.items()}
        theirs = {name: torch.tensor(n, dtype=torch.float64, requires_grad=True) for name, n in numbers.items()}
        try:
            output = parse(expression, **ours)
        except ValueError as error:
            assert "too large" in str(error)
            continue
        output.backward()
        # torch's own reading of the same text: the trusted reference, on text this test wrote itself
        reference = eval(expression, {**TORCH_FUNCTIONS, **theirs})
        if not isinstance(reference, torch.Tensor) or not reference.requires_grad or abs(reference.item()) > 1e6:
            continue
        reference.backward()
        assert output.data == pytest.approx(reference.item(), rel=1e-10, abs=1e-10), expression
        for name in "xyz":
            expected = 0.0 if theirs[name].grad is None else theirs[name].grad.item()
            found = ours[name].gradient or 0.0
            assert found == pytest.approx(expected, rel=1e-10, abs=1e-10), (expression, name)
        used |= {value.operator for value in topological_order(output)}
        compared += 1
    assert used >= {"+", "-", "*", "/", "**", "neg", "**3", "**-0.5", *FUNCTIONS}


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: 3 + x, 1.0),
        (lambda x: 3 - x, -1.0),
        (lambda x: 3 * x, 3.0),
        (lambda x: 3 / x, -0.75),
        (lambda x: 3**x, 9 * math.log(3)),
        (lambda x: x**0, 0.0),
        (lambda x: (x - 2) ** 2, 0.0),
        (lambda x: (x - 2).relu(), 0.0),
        (lambda x: x * x * x, 12.0),
        (lambda x: x - x, 0.0),
    ],
)
def test_plain_numbers_on_either_side_and_corners(function, expected):
    x = Value(2.0)
    function(x).backward()
    assert x.gradient == pytest.approx(expected)


def test_a_second_backward_pass_does_not_add_to_the_first():
    x = Value(3.0)
    loss = x * x
    assert x.gradient is None
    loss.backward()
    loss.backward()
    assert x.gradient == 6.0
    (x * 2).backward()
    assert x.gradient == 2.0


def test_a_value_used_twice_collects_both_paths():
    x = Value(0.5)
    inner = x.sin()
    (inner * inner + inner).backward()
    assert x.gradient == pytest.approx((2 * math.sin(0.5) + 1) * math.cos(0.5))


def test_a_chain_a_hundred_thousand_deep_needs_no_recursion():
    x = Value(1.0)
    value = x
    for _ in range(100_000):
        value = value + 1e-5
    value.backward()
    assert x.gradient == 1.0
    assert value.data == pytest.approx(2.0)


def test_the_backward_pass_shows_only_what_it_has_computed():
    x, y = Value(2.0, name="x"), Value(3.0, name="y")
    output = parse("(x + y) * x", x=x, y=y)
    steps = backward_steps(output)
    first = next(steps)
    assert first.node is output
    assert first.gradient == 1.0
    assert first.contributions == (2.0, 5.0)  # to x + y, and to x
    assert (x.gradient, y.gradient) == (5.0, None)  # x still waits for its second path
    rest = list(steps)
    assert (x.gradient, y.gradient) == (7.0, 2.0)
    assert {step.node.name or step.node.operator for step in rest} == {"+", "x", "y"}
    for step in rest:
        assert step.gradient == step.node.gradient


def test_parents_come_before_children_and_nothing_comes_twice():
    x = Value(1.0)
    a = x + 1
    b = a * x
    c = a * b
    order = topological_order(c)
    place = {id(value): index for index, value in enumerate(order)}
    assert len(place) == len(order) == 5
    assert all(place[id(parent)] < place[id(value)] for value in order for parent in value.parents)


def test_a_small_network_learns_exclusive_or_and_its_gradients_equal_torch():
    network = Network([2, 4, 1], seed=1)
    corners = [(-1.0, -1.0, -1.0), (-1.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, -1.0)]

    def loss_of_network():
        return sum(((network([x, y])[0] - target) ** 2 for x, y, target in corners), start=Value(0.0)) / len(corners)

    loss = loss_of_network()
    loss.backward()
    weights = [
        torch.tensor([[v.data for v in neuron] for neuron in layer], dtype=torch.float64, requires_grad=True)
        for layer in network.layers
    ]
    points = torch.tensor(corners, dtype=torch.float64)
    hidden = torch.tanh(points[:, :2] @ weights[0][:, :2].T + weights[0][:, 2])
    answers = hidden @ weights[1][0, :4] + weights[1][0, 4]
    reference = ((answers - points[:, 2]) ** 2).mean()
    reference.backward()
    expected = torch.cat([weight.grad.flatten() for weight in weights])
    found = torch.tensor([parameter.gradient for parameter in network.parameters], dtype=torch.float64)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    first = loss.data
    for _ in range(200):
        loss = loss_of_network()
        loss.backward()
        for parameter in network.parameters:
            parameter.data -= 0.1 * parameter.gradient
    assert first > 0.5
    assert loss.data < 0.05
    assert all((network([x, y])[0].data > 0) == (target > 0) for x, y, target in corners)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("1/x - 1/(x-2)", "division by zero: 1 / 0"),
        ("x + 1/0", "division by zero"),
        ("0**-1", "0 ** -1 is a division by zero"),
        ("sinn(x)", "did you mean 'sin'?"),
        ("lenght + 1", "did you mean 'length'?"),
        ("q", "the inputs are x, y, length"),
        ("exp", "exp needs brackets"),
        ("x(2)", "to multiply write x*"),
        ("exp(1000*x)", "exp(2000) is too large"),
        ("10**400", "too large"),
        ("1e308*10", "too large"),
        ("1e999", "too large"),
        ("9" * 400, "too large"),
        ("log(x - 3)", "log(-1) has no value"),
        ("log(x - 2)", "log(0) has no value"),
        ("sqrt(x - 2)", "sqrt(0) has no slope"),
        ("(x - 2)**0.5", "infinite slope"),
        ("(x - 3)**0.5", "-1 ** 0.5 is not a real number"),
        ("(x - 3)**y", "needs a base above 0"),
        ("x^2", "write x**2"),
        ("2x", "2*x, not 2x"),
        ("x +", "cannot read the expression"),
        ("(x", "cannot read the expression"),
        ("x = 2", "cannot read the expression"),
        ("💥", "cannot read the expression"),
        ("\x00", "cannot read the expression"),
        ("日本", "is not an input"),
        ("", "is empty"),
        ("   ", "is empty"),
        ("x" + " + x" * 200, "500 is the most"),
        ("x" + "+x" * 60, "inside each other"),
        ("-" * 300 + "x", "inside each other"),
        ("(" * 240 + "x" + ")" * 240, "cannot read"),
        ("True", "cannot use 'True'"),
        ("-True", "cannot use 'True'"),
        ("1j", "cannot use '1j'"),
        ("'text'", "cannot use"),
        ("x, y", "cannot use '(x, y)'"),
        ("x.data", "cannot use 'x.data'"),
        ("x if y else 1", "cannot use"),
        ("[x for x in y]", "cannot use"),
        ("x // 2", "cannot use"),
        ("exp(x, y)", "exp takes one number"),
        ("exp(x=1)", "exp takes one number"),
        ("exp(x)(y)", "cannot use"),
        ("__import__('os')", "is not a function here"),
        ("max(x, y)", "is not a function here"),
        ("().__class__", "cannot use"),
    ],
)
def test_what_cannot_be_read_or_computed_gets_one_sentence(expression, says):
    with pytest.raises(ValueError) as caught:
        parse(expression, x=2, y=3, length=1).backward()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_what_a_learner_may_paste_is_read():
    x = Value(2.0, name="x")
    assert parse(" x −\n 3·x × 2 ", x=x).data == -10.0
    assert parse("-x**2", x=x).data == -4.0
    assert parse("2**-x", x=x).data == 0.25
    assert parse("+x/-4", x=x).data == -0.5
    assert parse("5").data == 5.0


def test_inputs_that_are_not_finite_are_named():
    with pytest.raises(ValueError, match="x gives nan"):
        parse("x", x=float("nan"))


def test_gradients_too_large_to_store_are_reported():
    output = parse("x * 1e200 * 1e200", x=Value(1e-300, name="x"))
    assert output.data == pytest.approx(1e100)
    with pytest.raises(ValueError, match="gradient of x is too large"):
        output.backward()
