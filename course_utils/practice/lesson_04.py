"""Exercises, quizzes and predictions of notebook 04: backpropagation."""

import math
import random

from course_utils.practice.exercises import Exercise, Wrong, numbers
from course_utils.practice.questions import Option, Question


def right_places(up: float, down: float) -> float:
    """How many decimal places of a measured gradient are right, on average over 100 neurons with x = 2 and y = 1.

    >>> round(right_places(1e-3, 0.0), 1)
    2.8
    """
    places = 0.0
    for seed in range(100):
        draw = random.Random(seed)
        a, b = draw.uniform(-1, 1), draw.uniform(-1, 1)
        above, below = ((math.tanh(2 * (a + turn) + b) - 1) ** 2 for turn in (up, -down))
        answer = math.tanh(2 * a + b)
        exact = 2 * (answer - 1) * (1 - answer**2) * 2
        places -= math.log10(max(abs((above - below) / (up + down) - exact), 1e-16))
    return places / 100


def stuck(a: float, b: float, x: float, y: float) -> bool:
    """Whether the neuron ``tanh(a*x + b)`` is wrong by far and yet its weight has next to no gradient."""
    answer = math.tanh(a * x + b)
    return (answer - y) ** 2 >= 3 and abs(2 * (answer - y) * (1 - answer**2) * x) <= 0.05 and -5 <= b <= 5


ENGINE = """
class Tiny:
    def __init__(self, data, parents=(), slopes=()):
        self.data, self.parents, self.slopes = data, parents, slopes
        self.gradient = 0.0

    def __add__(self, other):
        return Tiny(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        return Tiny(self.data * other.data, (self, other), (other.data, self.data))


def parents_first(box, order):
    if box not in order:
        for parent in box.parents:
            parents_first(parent, order)
        order.append(box)
    return order


def backward(output):
    output.gradient = 1.0  # the result moves exactly as much as itself
    for box in reversed(parents_first(output, [])):
        for parent, slope in zip(box.parents, box.slopes):
            parent.gradient += box.gradient * slope  # along a path multiply, where paths meet add
""".strip()


def dividend_and_divisor(generator: random.Random) -> tuple[float, float]:
    """Two numbers of either sign, neither of them close to 0."""
    first, second = (generator.choice([-1, 1]) * generator.uniform(0.6, 3) for _ in range(2))
    return round(first, 2), round(second, 2)


def activations_weights_error(generator: random.Random) -> tuple[list[float], list[float], float]:
    """What a neuron got, its weights, and the gradient of its sum."""
    count = generator.randint(2, 6)
    error = generator.choice([-1, 1]) * generator.uniform(1.5, 3)
    return numbers(generator, count, 0.2, 1), numbers(generator, count), round(error, 2)


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "04.1", "How good can turning get?", difficulty=2, importance=2, minutes=3,
        task="An open challenge. Turn `a` **up** by one amount and **down** by another, and divide: "
        "`(loss(a + up, b) - loss(a - down, b)) / (up + down)`. Choose both amounts, from 0 to 1; one of them may be "
        "0. Your score is how many decimal places of the result are right, on average over 100 neurons. The mark to "
        "reach is 9. Your best score is kept.",
        stub="up = ...\ndown = ...",
        answer="up = 4e-6\ndown = 4e-6",
        wrong=(
            Wrong("both amounts are 0 or so small that the computer rounds them away. Begin with `up = 1e-5`.",
                  "4e-6", "0", when=lambda up, down: 0 <= up < 1e-15 and 0 <= down < 1e-15),
            Wrong("each amount must lie between 0 and 1.", "4e-6", "-4e-6",
                  when=lambda up, down: not (0 <= up <= 1 and 0 <= down <= 1)),
        ),
        hints=("Leave `down` at 0 and try `up = 1e-6`, `1e-8` and `1e-10`.",
               "Now turn up and down by the same amount. The best amount is then another one."),
        passes=lambda up, down: 0 <= up <= 1 and 0 <= down <= 1 and max(up, down) >= 1e-15,
        score=right_places,
        mark=9.0,
        explanation="Turned one way only, the best that we found is about 7.8. Turned both ways by the same amount, it "
        "is above 10: the bend of the curve makes one result too large and the other too small, and they cancel.",
    ),
    Exercise(
        "04.2", "A chain on paper", difficulty=2, importance=5, minutes=3,
        task="With pencil and paper: `u = 3 * x - 4`, then `v = u ** 2`, then `y = 5 - v`. Start at `x = 2`. Find the "
        "slope of each of the three links, and then `slope`: how many times as much y moves as x.",
        stub="slope = ...",
        answer="slope = -12",
        wrong=(
            Wrong("the last link is missing: when v grows by 1, y *falls* by 1, so its slope is -1.", "-12", "12"),
            Wrong("the first link is missing: u moves 3 times as much as x.", "-12", "-4"),
            Wrong("the three slopes are added; along a chain they multiply.", "-12", "6"),
            Wrong("the slope of a square is *twice* what is squared. Here u is 2, so it is 4.", "-12", "-6"),
        ),
        hints=("At x = 2, u is 2. The slope of a square is twice what is squared: 4.", "3, then 4, then -1: multiply."),
        explanation="However long the chain is, each link adds one multiplication.",
    ),
    Exercise(
        "04.3", "Very wrong, and stuck", difficulty=2, importance=4, minutes=3,
        task="A question about the picture above. Move **only the slider b**. Find a place where the loss, the blue "
        "number of the last box, is **at least 3**, and yet the gradient of `a` lies **between -0.05 and 0.05**. "
        "(**Whole pass** shows it.) Then run the box below.",
        picture="neuron",
        stub='expression = "(tanh(a*x + b) - y)**2"\na = 0.5\nb = -0.4\nx = 2.0\ny = 1.0',
        answer='expression = "(tanh(a*x + b) - y)**2"\na = 0.5\nb = -5.0\nx = 2.0\ny = 1.0',
        wrong=(
            Wrong("move only b: put the formula back, a to 0.5, x to 2 and y to 1. **Reset** does all of it.",
                  "x = 2.0", "x = 0.0",
                  when=lambda expression, a, b, x, y: "".join(expression.split()) != "(tanh(a*x+b)-y)**2"
                  or (a, x, y) != (0.5, 2, 1)),
            Wrong("here the neuron is nearly right: the loss is below 3. Move b the other way.", "b = -5.0", "b = 5.0",
                  when=lambda expression, a, b, x, y: (math.tanh(a * x + b) - y) ** 2 < 3),
            Wrong("the loss is large enough, but the gradient of a is still beyond 0.05. Go further the same way.",
                  "b = -5.0", "b = -3.0", when=lambda expression, a, b, x, y: not stuck(a, b, x, y)),
        ),
        hints=("The target y is 1. With which answer of tanh is the loss largest?",
               "Move b far below zero, close to the end of the slider."),
        passes=lambda expression, a, b, x, y: (a, x, y) == (0.5, 2, 1) and stuck(a, b, x, y)
        and "".join(expression.split()) == "(tanh(a*x+b)-y)**2",
        explanation="Wrong by nearly 2, the most that is possible, and yet hardly anything arrives at the weight.",
    ),
    Exercise(
        "04.4", "An operation of your own", difficulty=3, importance=5, minutes=5,
        task="Teach the engine to divide. The box of the quotient `a / b` needs one slope for each of its inputs: how "
        "many times as much the quotient moves as `a`, and as `b`. Write two formulas in `a` and `b`. The rest is the "
        "engine at work on `(a / b)**2`. (Where no fact tells you a slope, measure it at a few places, with lines such "
        "as `slope_of(lambda b: 6 / b, 3)`.)",
        stub="def gradients(a, b):\n    left, right = Tiny(a), Tiny(b)\n"
        "    quotient = Tiny(a / b, (left, right), (..., ...))\n    backward(quotient * quotient)\n"
        "    return left.gradient, right.gradient",
        answer="def gradients(a, b):\n    left, right = Tiny(a), Tiny(b)\n"
        "    quotient = Tiny(a / b, (left, right), (1 / b, -a / b**2))\n    backward(quotient * quotient)\n"
        "    return left.gradient, right.gradient",
        wrong=(
            Wrong("the second slope has the wrong sign: a larger b makes the quotient of two positive numbers smaller.",
                  "-a / b**2", "a / b**2"),
            Wrong("these are the slopes of a product.", "1 / b, -a / b**2", "b, a"),
            Wrong("the slope for b must depend on a as well: half of 6 is twice half of 3.", "-a / b**2", "-1 / b**2"),
            Wrong("measure the slope for b at b = 1, 2 and 3. It falls faster than `a / b`.", "-a / b**2", "-a / b"),
        ),
        hints=("A quotient is `a` times `1 / b`. For b, measure with a = 6: about -6 at 1, -1.5 at 2, -0.667 at 3.",
               "Those three are -6 divided by 1, by 4 and by 9: minus `a`, divided by `b` squared."),
        page=ENGINE, inputs=dividend_and_divisor,
        explanation="An operation is its result and one slope for each input. The walk back does the rest, and turning "
        "a and b a little gives the same two numbers.",
    ),
    Exercise(
        "04.5", "One neuron backwards", difficulty=2, importance=5, minutes=3,
        task="A neuron computed the sum of its weights times the incoming activations, plus its bias. `activations` "
        "and `weights` are lists of the same length, and `error` is the gradient that arrives at the sum. Give two "
        "lists: the gradients of the weights, and the gradients of the activations.",
        stub="def neuron_backward(activations, weights, error):\n    return ..., ...",
        answer="def neuron_backward(activations, weights, error):\n"
        "    return [error * a for a in activations], [error * w for w in weights]",
        wrong=(
            Wrong("the two lists are exchanged. A weight is multiplied by its activation, so the activation is its "
                  "slope.", "[error * a for a in activations], [error * w for w in weights]",
                  "[error * w for w in weights], [error * a for a in activations]"),
            Wrong("these are the slopes alone. Multiply each by what arrives from the right, `error`.",
                  "[error * a for a in activations], [error * w for w in weights]", "activations, weights"),
            Wrong("error and slope are added; along a path they multiply.",
                  "[error * a for a in activations], [error * w for w in weights]",
                  "[error + a for a in activations], [error + w for w in weights]"),
        ),
        hints=("In `w * a`, the slope for `w` is `a`, and the slope for `a` is `w`.",
               "`[error * a for a in activations]` is the first list."),
        inputs=activations_weights_error,
        explanation="A layer does this for all its neurons at once. An activation that several neurons use adds up "
        "what they hand back.",
    ),
)

QUIZZES = (
    Question(
        "04.b", "You call our `backward(square)` a second time, on the same boxes. What does `a.gradient` show?",
        (
            Option("the same as before",
                   "It would, if every walk began with all gradients at 0, as the package's does. Ours adds with `+=` "
                   "to what is already there."),
            Option("a wrong number: what was there is counted again",
                   "It shows 48: the old gradients are still in the boxes, are handed on once more, and are added. "
                   "PyTorch (`torch` in code) would refuse a second walk here. But from step to step it, too, adds to "
                   "what a parameter already has, which is why training loops there say `zero_grad()`.", right=True),
            Option("an error",
                   "PyTorch would refuse. Ours does not notice: nothing fails, the numbers are wrong, and nobody is "
                   "told."),
        ),
    ),
    Question(
        "04.c", "“During training, the computer tries each knob in turn and keeps the changes that help.” What is "
        "wrong with this sentence?",
        (
            Option("Nothing; that is how training works",
                   "It would take months for one step of the chat model, as you have just computed. No knob is tried "
                   "at all."),
            Option("The knobs are tried at random, not in turn",
                   "There are methods that do this. They need many runs of the network to learn what one walk "
                   "backwards tells."),
            Option("Nothing is tried: one walk backwards gives the gradient of every knob",
                   "The gradients follow from the calculation that was made anyway. Then all knobs turn together.",
                   right=True),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "04.a", "Stepping backwards through `x*x + 3*x` at x = 2, which numbers arrive at x?",
        (
            Option("2 and 3, together 5",
                   "The product `x*x` uses x twice, so it hands over a number twice."),
            Option("2 and 2 and 3, together 7",
                   "The product `x*x` has two inputs, and both are x. Each gets the value of the other one: 2. The "
                   "product `3*x` hands over 3. Three paths, added: 7. Turning x by 0.001 moves the result by "
                   "0.007001.", right=True),
            Option("2 and 2 and 3, the largest counts: 3",
                   "Every path carries part of the change, so none of them may be left out: they add up."),
        ),
    ),
)
