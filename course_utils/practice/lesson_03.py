"""Exercises of notebook 03: gradient descent."""

import random
from collections.abc import Callable
from itertools import pairwise

from course_utils.practice.exercises import Exercise, Wrong, numbers


def curve(generator: random.Random) -> Callable[[float], float]:
    """A fresh loss of one parameter: a cubic."""
    a, b, c = numbers(generator, 3, 0.5, 2)

    def loss(w: float) -> float:
        return a * w**3 + b * w**2 + c * w

    return loss


def batch(generator: random.Random) -> tuple[float, list[float], list[float]]:
    """A fresh w, and a batch of two, three or five examples."""
    size = generator.choice([2, 3, 5])
    return generator.uniform(-2, 2), numbers(generator, size, 1.5, 4), numbers(generator, size, 5, 9)


def losses(learning_rate: float, steps: int) -> list[float]:
    """The loss 3 w^2 along a descent from w = 1."""
    w, seen = 1.0, [3.0]
    for _ in range(steps):
        w -= learning_rate * 6 * w
        seen.append(3 * w * w)
    return seen


def grows(learning_rate: float) -> bool:
    """Whether the loss grows at each of the first ten steps."""
    seen = losses(learning_rate, 10)
    return all(later > earlier or later == float("inf") for earlier, later in pairwise(seen))


# An exercise reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "03.1", "Feel the slope", difficulty=2, importance=5, minutes=6,
        task="Measure the slope of `loss` at `w` without any calculus: go a small `step` to the right and the same to "
        "the left, and divide the difference in height by the distance between the two.",
        stub="def slope(loss, w, step):\n    return ...",
        answer="def slope(loss, w, step):\n    return (loss(w + step) - loss(w - step)) / (2 * step)",
        wrong=(
            Wrong("the two places are **two** steps apart: divide by `2 * step`.", "(2 * step)", "step"),
            Wrong("this looks to the right only, which tilts the measure where the curve bends; look both ways.",
                  "(loss(w + step) - loss(w - step)) / (2 * step)", "(loss(w + step) - loss(w)) / step"),
            Wrong("the sign is turned round: height on the right minus height on the left.",
                  "loss(w + step) - loss(w - step)", "loss(w - step) - loss(w + step)"),
            Wrong("this is a difference in height; divide by the distance to get a slope.", " / (2 * step)", ""),
        ),
        hints=("Two heights: `loss(w + step)` and `loss(w - step)`.", "They lie `2 * step` apart; mind the brackets."),
        inputs=lambda r: (curve(r), r.uniform(-2, 2), 0.1),
        because="This works for any loss, but needs two evaluations for every parameter. Notebook 04 does better.",
    ),
    Exercise(
        "03.2", "One step downhill", difficulty=1, importance=5, minutes=4,
        task="Take one step of gradient descent: every parameter moves **against** its slope, by the learning rate "
        "times the slope. Give the moved parameters as a list.",
        stub="def step_down(parameters, gradient, learning_rate):\n    return ...",
        answer="def step_down(parameters, gradient, learning_rate):\n"
        "    return [p - learning_rate * g for p, g in zip(parameters, gradient)]",
        wrong=(
            Wrong("this walks uphill. The gradient points up; subtract it.", "p - learning_rate", "p + learning_rate"),
            Wrong("the learning rate is missing: the step is as long as the slope is steep.", "learning_rate * g", "g"),
            Wrong("this is the step alone; take it from where you stand.", "p - learning_rate * g",
                  "-learning_rate * g"),
            Wrong("only the direction of the slope is used; a gentle slope should give a short step.",
                  "learning_rate * g", "learning_rate * (1 if g > 0 else -1)"),
        ),
        hints=("For one parameter: where it is, minus learning rate times slope.",
               "`[... for p, g in zip(parameters, gradient)]`"),
        inputs=lambda r: (numbers(r, 3), r.sample([-2.5, -1.5, 0.5, 1.5, 3.0], 3), r.choice([0.05, 0.1, 0.3])),
        because="This is the whole method. GPT's training differs in how the gradient is found, and in the number of "
        "parameters.",
    ),
    Exercise(
        "03.3", "Too far", difficulty=2, importance=5, minutes=6,
        task="The loss is $3w^2$, its slope $6w$, the start $w=1$. Find a learning rate with which the loss **grows at "
        "every one of the first ten steps**. Then one **above 0.25** that still **arrives**: loss under 0.001 within "
        "fifty steps.",
        stub="diverges = ...\narrives = ...",
        answer="diverges = 0.4\narrives = 0.3",
        wrong=(
            Wrong("`diverges` must be positive. A negative learning rate climbs on purpose, and that is no longer "
                  "descent.", "diverges = 0.4", "diverges = -0.1", lambda d, a: d <= 0),
            Wrong("with this `diverges` the loss does not grow at every step. Each leap must land higher than it "
                  "started: try a larger one.", "diverges = 0.4", "diverges = 0.3", lambda d, a: not grows(d)),
            Wrong("this `arrives` is not above 0.25. Go closer to the edge.", "arrives = 0.3", "arrives = 0.1",
                  lambda d, a: a <= 0.25),
            Wrong("with this `arrives` the loss is still above 0.001 after fifty steps: it leaps from wall to wall.",
                  "arrives = 0.3", "arrives = 0.33", lambda d, a: min(losses(a, 50)) >= 0.001),
        ),
        hints=("A step multiplies w by `1 - 6 * learning_rate`. When does that make w larger, whatever its sign?",
               "At 1/3 the factor is -1: w leaps to and fro for ever. A little above it diverges, a little below it "
               "arrives."),
        passes=lambda d, a: d > 0 and grows(d) and a > 0.25 and min(losses(a, 50)) < 0.001,
        because="The edge is at 1/3: there the factor `1 - 6 * learning_rate` is -1.",
    ),
    Exercise(
        "03.4", "Momentum", difficulty=3, importance=4, minutes=8,
        task="With momentum, a step keeps part of the speed of the one before. First the new velocity: `keep` times "
        "the old one plus the slope. Then the step: learning rate times the **new** velocity, downhill. Give the new w "
        "and the new velocity.",
        stub="def momentum_step(w, velocity, slope, learning_rate, keep):\n    return ...",
        answer="def momentum_step(w, velocity, slope, learning_rate, keep):\n    new = keep * velocity + slope\n"
        "    return w - learning_rate * new, new",
        wrong=(
            Wrong("the step uses the old velocity: this moves one step late.", "learning_rate * new",
                  "learning_rate * velocity"),
            Wrong("the step uses the slope alone, so the velocity changes nothing.", "learning_rate * new",
                  "learning_rate * slope"),
            Wrong("the slope is weighed with `1 - keep`. That averages the slopes, another recipe; here they add up.",
                  "keep * velocity + slope", "keep * velocity + (1 - keep) * slope"),
            Wrong("nothing is lost to friction: multiply the old velocity by `keep`.", "keep * velocity", "velocity"),
            Wrong("this moves uphill: subtract the step.", "w - learning", "w + learning"),
        ),
        hints=("Two lines: the new velocity, then the new w.",
               "`new = keep * velocity + slope`, and w moves by `learning_rate * new`."),
        inputs=lambda r: (r.uniform(-3, 3), r.uniform(0.5, 3), r.uniform(0.5, 3), 0.1, r.choice([0.5, 0.8, 0.9])),
        because="Slopes that agree add up; slopes that change sign cancel. That is why momentum zigzags less.",
    ),
    Exercise(
        "03.5", "The gradient of a batch", difficulty=4, importance=4, minutes=10,
        task="The model is `w * x`, its loss on one example $(wx-y)^2$, whose slope in $w$ is $2(wx-y)x$. Give the "
        "slope of the **mean** loss over a batch.",
        stub="def batch_slope(w, xs, ys):\n    return ...",
        answer="def batch_slope(w, xs, ys):\n    return sum(2 * (w * x - y) * x for x, y in zip(xs, ys)) / len(xs)",
        wrong=(
            Wrong("this is the sum. With the mean, a batch twice as large does not double the step.", " / len(xs)", ""),
            Wrong("the last `x` is missing: turning w by a little moves the prediction by x times as much.",
                  "(w * x - y) * x", "(w * x - y)"),
            Wrong("the sign is turned round: prediction minus target.", "(w * x - y)", "(y - w * x)"),
            Wrong("the 2 from the square is missing.", "2 * (", "("),
            Wrong("this uses the first example only; go through the whole batch.", "zip(xs, ys)) / len(xs)",
                  "[(xs[0], ys[0])])"),
        ),
        hints=("Compute `2 * (w * x - y) * x` for each example first.", "Add them up and divide by `len(xs)`."),
        inputs=batch,
        because="The mean of the examples' slopes is the slope of the mean loss: a small batch is an honest, noisy "
        "estimate.",
    ),
)
