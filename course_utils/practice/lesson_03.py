"""Exercises, quizzes and predictions of notebook 03: gradient descent."""

import math
import random
from collections.abc import Callable
from itertools import pairwise

from course_utils.practice.exercises import Exercise, Wrong, numbers
from course_utils.practice.questions import Option, Question


def curve(generator: random.Random) -> Callable[[float], float]:
    """A fresh loss of one parameter: a cubic."""
    a, b, c = numbers(generator, 3, 0.5, 2)

    def loss(w: float) -> float:
        return a * w**3 + b * w**2 + c * w

    return loss


def parameters(generator: random.Random) -> tuple[list[float], list[float], float]:
    """Two to five parameters, a gradient without a 0, and a learning rate."""
    count = generator.randint(2, 5)
    gradient = [generator.choice([-1, 1]) * size for size in numbers(generator, count, 0.3, 3)]
    return numbers(generator, count), gradient, generator.uniform(0.05, 0.5)


def moving(generator: random.Random) -> tuple[float, ...]:
    """A fresh w, velocity, gradient, learning rate and momentum."""
    return tuple(generator.uniform(*ends) for ends in ((-3, 3), (0.5, 3), (0.5, 3), (0.05, 0.4), (0.5, 0.95)))


def batch(generator: random.Random) -> tuple[float, list[float], list[float]]:
    """A fresh w, and a batch of two to six examples."""
    size = generator.randint(2, 6)
    return generator.uniform(-2, 2), numbers(generator, size, 1.5, 4), numbers(generator, size, 5, 9)


def losses(learning_rate: float, steps: int) -> list[float]:
    """The loss 3 w^2 along a descent from w = 1."""
    w, seen = 1.0, [3.0]
    for _ in range(steps):
        w -= learning_rate * 6 * w
        seen.append(3 * w * w)
    return seen


def grows(learning_rate: float) -> bool:
    """Whether the loss grows at each of the first ten steps; a loss too large for a computer has grown.

    >>> grows(0.4), grows(1e35), grows(0.3)
    (True, True, False)
    """
    return all(later > earlier or not math.isfinite(later) for earlier, later in pairwise(losses(learning_rate, 10)))


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "03.1", "Measure a gradient", difficulty=2, importance=5, minutes=6,
        task="Measure the gradient of `loss` at `w` without any calculus: go a small `step` to the right and the same "
        "to the left, and divide the difference in height by the distance between the two places.",
        stub="def measured_gradient(loss, w, step):\n    return ...",
        answer="def measured_gradient(loss, w, step):\n    return (loss(w + step) - loss(w - step)) / (2 * step)",
        wrong=(
            Wrong("the two places are **two** steps apart: divide by `2 * step`.", "(2 * step)", "step"),
            Wrong("this looks to the right only, which gives a wrong result where the curve bends; look both ways.",
                  "(loss(w + step) - loss(w - step)) / (2 * step)", "(loss(w + step) - loss(w)) / step"),
            Wrong("the sign is the wrong way round: height on the right minus height on the left.",
                  "loss(w + step) - loss(w - step)", "loss(w - step) - loss(w + step)"),
            Wrong("this is a difference in height; divide by the distance to get a gradient.", " / (2 * step)", ""),
        ),
        hints=("Two heights: `loss(w + step)` and `loss(w - step)`.", "They are `2 * step` apart; mind the brackets."),
        inputs=lambda r: (curve(r), r.uniform(-2, 2), r.choice([0.1, 0.2, 0.25, 0.4, 0.5])),
        explanation="This works for any loss, but needs two evaluations for every parameter. Notebook 04 does better.",
    ),
    Exercise(
        "03.2", "One step downhill", difficulty=1, importance=5, minutes=4,
        task="Take one step of gradient descent: every parameter moves **against** its gradient, by the learning rate "
        "times the gradient. `gradient` holds one number for each parameter. Give the moved parameters as a list.",
        stub="def step_down(parameters, gradient, learning_rate):\n    return ...",
        answer="def step_down(parameters, gradient, learning_rate):\n"
        "    return [p - learning_rate * g for p, g in zip(parameters, gradient)]",
        wrong=(
            Wrong("this walks uphill. The gradient points up; subtract it.", "p - learning_rate", "p + learning_rate"),
            Wrong("the learning rate is missing: the step is as long as the gradient is large.", "learning_rate * g",
                  "g"),
            Wrong("this is the step alone; add it to the parameter.", "p - learning_rate * g", "-learning_rate * g"),
            Wrong("only the sign of the gradient is used; a small gradient should give a short step.",
                  "learning_rate * g", "learning_rate * (1 if g > 0 else -1)"),
        ),
        hints=("For one parameter: where it is, minus learning rate times gradient.",
               "`[... for p, g in zip(parameters, gradient)]`"),
        inputs=parameters,
        explanation="This is the whole method. GPT's training differs in how the gradient is found, and in the number "
        "of parameters.",
    ),
    Exercise(
        "03.3", "Too far", difficulty=2, importance=5, minutes=6,
        task="The loss is $3w^2$, its gradient $6w$, the start $w=1$. Find a learning rate with which the loss **grows "
        "at every one of the first ten steps**. Then one **above 0.25** that still **arrives**: loss under 0.001 "
        "within fifty steps.",
        stub="diverges = ...\narrives = ...",
        answer="diverges = 0.4\narrives = 0.3",
        wrong=(
            Wrong("`diverges` must be a positive number. A negative learning rate climbs on purpose, and that is no "
                  "longer descent.", "diverges = 0.4", "diverges = -0.1", lambda d, a: not 0 < d < math.inf),
            Wrong("with this `diverges` the loss does not grow at every step. Each step must end higher than it "
                  "started: try a larger one.", "diverges = 0.4", "diverges = 0.3", lambda d, a: not grows(d)),
            Wrong("this `arrives` is not above 0.25. Go closer to the edge.", "arrives = 0.3", "arrives = 0.1",
                  lambda d, a: a <= 0.25),
            Wrong("with this `arrives` the loss is still above 0.001 after fifty steps: it jumps from side to side.",
                  "arrives = 0.3", "arrives = 0.33", lambda d, a: min(losses(a, 50)) >= 0.001),
        ),
        hints=("A step multiplies w by `1 - 6 * learning_rate`. When does that make w larger, whatever its sign?",
               "At 1/3 the factor is -1: w jumps back and forth for ever. A little above it the loss grows, a little "
               "below it w arrives."),
        passes=lambda d, a: 0 < d < math.inf and grows(d) and a > 0.25 and min(losses(a, 50)) < 0.001,
        explanation="The edge is at 1/3: there the factor `1 - 6 * learning_rate` is -1.",
    ),
    Exercise(
        "03.4", "Momentum", difficulty=3, importance=4, minutes=8,
        task="With momentum, a step keeps part of the velocity of the step before. First the new velocity: `momentum` "
        "times the old one, plus the gradient. Then the step: learning rate times the **new** velocity, downhill. Give "
        "the new w and the new velocity.",
        stub="def momentum_step(w, velocity, gradient, learning_rate, momentum):\n    return ...",
        answer="def momentum_step(w, velocity, gradient, learning_rate, momentum):\n"
        "    new = momentum * velocity + gradient\n    return w - learning_rate * new, new",
        wrong=(
            Wrong("the step uses the old velocity: it moves one step late.", "learning_rate * new",
                  "learning_rate * velocity"),
            Wrong("the step uses the gradient alone, so the velocity changes nothing.", "learning_rate * new",
                  "learning_rate * gradient"),
            Wrong("the gradient is multiplied by `1 - momentum`. That averages the gradients, which is another method; "
                  "here they add up.", "velocity + gradient", "velocity + (1 - momentum) * gradient"),
            Wrong("nothing is lost to friction: multiply the old velocity by `momentum`.", "momentum * velocity",
                  "velocity"),
            Wrong("this moves uphill: subtract the step.", "w - learning", "w + learning"),
        ),
        hints=("Two lines: the new velocity, then the new w.",
               "`new = momentum * velocity + gradient`, and w moves by `learning_rate * new`."),
        inputs=moving,
        explanation="Gradients that agree add up; gradients that change sign cancel. So momentum zigzags less.",
    ),
    Exercise(
        "03.5", "The gradient of a batch", difficulty=4, importance=4, minutes=10,
        task="The model is `w * x`. Its loss on one example is $(wx-y)^2$, with the gradient $2(wx-y)x$. Give the "
        "gradient of the **mean** loss over a batch.",
        stub="def gradient_of_batch(w, xs, ys):\n    return ...",
        answer="def gradient_of_batch(w, xs, ys):\n"
        "    return sum(2 * (w * x - y) * x for x, y in zip(xs, ys)) / len(xs)",
        wrong=(
            Wrong("this is the sum. With the mean, a batch twice as large does not double the step.", " / len(xs)", ""),
            Wrong("the last `x` is missing: turning w a little moves the prediction x times as much.",
                  "(w * x - y) * x", "(w * x - y)"),
            Wrong("the sign is the wrong way round: prediction minus target.", "(w * x - y)", "(y - w * x)"),
            Wrong("the 2 from the square is missing.", "2 * (", "("),
            Wrong("this uses the first example only; go through the whole batch.", "zip(xs, ys)) / len(xs)",
                  "[(xs[0], ys[0])])"),
        ),
        hints=("Compute `2 * (w * x - y) * x` for each example first.", "Add them up and divide by `len(xs)`."),
        inputs=batch,
        explanation="The mean of the examples' gradients is the gradient of the mean loss. A small batch estimates it: "
        "right on average, with some noise.",
    ),
)

QUIZZES = (
    Question(
        "03.c", "A colleague says: Adam adapts its steps, so its learning rate does not matter. What do you answer?",
        (
            Option("True: it divides by the size of the gradient",
                   "It does divide, so the size of the gradient matters little. What is left is a step of about one "
                   "learning rate, and that one you still choose."),
            Option("It still sets the length of the steps",
                   "Adam's step is about one learning rate long in each parameter, whatever the gradient. Too long "
                   "still jumps about, too short still crawls.", right=True),
            Option("True, but only on bowls",
                   "Try it in the race with **one for all**: on the bowl, too, Adam with a rate of 0.001 has not "
                   "arrived after 200 steps."),
        ),
    ),
    Question(
        "03.d", "The loss has stayed at a high value for a while. Which conclusion is sound?",
        (
            Option("Training is stuck in a local minimum",
                   "Perhaps, but in a large network that is rare. A flat stretch, a ravine, a learning rate that is "
                   "too small, or steps that jump back and forth all look the same if you see only the loss."),
            Option("Several causes look alike; try another learning rate first",
                   "The loss curve alone cannot tell a local minimum from a flat stretch, a ravine or jumping back and "
                   "forth. The learning rate is the cheapest thing to change.", right=True),
            Option("The model has learned everything that it can",
                   "A model at its best stops improving, too, but nothing here says that this is the case. In the "
                   "ravine above the loss fell very slowly while it was still far above the lowest one."),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "03.a", "The learning rate is 0.00166. You double it, to 0.0033, and a bit more. What will the path do?",
        (
            Option("arrive in half the steps",
                   "Longer steps save time only as long as they do not jump over the valley. These do."),
            Option("zigzag, but arrive", "Just below the edge it does. A bit above 0.0033 each jump ends higher up."),
            Option("jump higher and higher, out of the picture",
                   "At 0.0033 each jump crosses the valley and lands about as high as it began. A little more, and "
                   "each jump lands higher than the last one. The ground is steeper there, so the next jump is longer "
                   "still.", right=True),
        ),
    ),
    Question(
        "03.b", "On the real loss of the line, each with its best learning rate: who arrives first within 200 steps?",
        (
            Option("SGD", "With steps small enough for the steep direction it crawls along the flat one, and does not "
                   "arrive in 200 steps."),
            Option("momentum", "It builds up speed along the ravine and comes second."),
            Option("RMSProp", "It evens out the two directions but builds up no speed, and comes third."),
            Option("Adam", "Adam does both: it builds up speed along the ravine, as momentum does, and it evens out "
                           "the "
                   "two directions. On another surface the order is different: look.", right=True),
        ),
    ),
)
