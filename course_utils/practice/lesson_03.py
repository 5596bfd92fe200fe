"""Exercises, quizzes and predictions of notebook 03: gradient descent."""

import functools
import math
import random
from collections.abc import Callable
from itertools import pairwise

from course_utils import data
from course_utils.optimisers import descend, momentum
from course_utils.practice.exercises import Exercise, Wrong, numbers
from course_utils.practice.questions import Option, Question
from course_utils.surfaces import Surface, line_surface


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


@functools.cache
def tower() -> Surface:
    """The loss of a line on the 45 timed falls, over its slope and intercept."""
    drops = data.falling_ball()
    return line_surface(drops.floor.double().numpy(), drops.seconds.double().numpy())


def at_the_edge(learning_rate: float) -> bool:
    """Whether the walk on the tower's loss has a step that makes the loss larger, but does not diverge in 50 steps.

    >>> at_the_edge(0.0033), at_the_edge(0.00335), at_the_edge(0.0034)
    (False, True, False)
    """
    path = descend(tower(), learning_rate=learning_rate, steps=50)
    return path.first_rise is not None and path.diverged is None


def times_lower(learning_rate: float, share: float) -> float:
    """How many times lower than the start a walk with momentum on the tower's loss ends, counted from the lowest place.

    >>> round(times_lower(0.0017, 0.0)), round(times_lower(0.0034, 0.0))
    (29, 0)
    """
    path = descend(tower(), None, momentum, learning_rate, 50, momentum=share)
    heights = path.losses - tower().loss(*tower().minima[0])
    return 0.0 if path.diverged is not None else float(heights[0] / heights[-1])


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "03.1", "Measure a gradient", difficulty=2, importance=5, minutes=4,
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
        "03.2", "One step downhill", difficulty=1, importance=5, minutes=3,
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
        explanation="This is the whole method. A larger network repeats it with more parameters.",
    ),
    Exercise(
        "03.3", "Too far", difficulty=2, importance=5, minutes=5,
        task="With pencil and paper: the loss is $3w^2$, its gradient is $6w$, and the walk starts at $w=1$. Where "
        "does one step take it with a learning rate of 0.1? Of 0.3? Of 0.5? Then name a learning rate with which the "
        "loss **grows at every one of the first ten steps**, and one **above 0.25** that still **arrives**: loss under "
        "0.001 within fifty steps.",
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
        explanation="One step leads to 0.4, to -0.8 and to -2. The edge is at 1/3: there the factor "
        "`1 - 6 * learning_rate` is -1.",
    ),
    Exercise(
        "03.4", "The edge", difficulty=2, importance=4, minutes=3,
        task="With 0.0033 no step made the loss larger; with 0.0034 the walk diverged. Find a learning rate **in "
        "between** at which the loss **grows**, so that the line under the picture names the first step that made it "
        "larger, but the walk **does not diverge** in its 50 steps. Then run the box below, which reads the picture.",
        picture="explorer",
        stub="surface = \"line through points\"\nacross = 0.1\nup = 0.1\nlearning_rate = 0.00166\n"
        "optimiser = \"gradient descent\"\nsteps = 50",
        answer="surface = \"line through points\"\nacross = 0.1\nup = 0.1\nlearning_rate = 0.00335\n"
        "optimiser = \"gradient descent\"\nsteps = 50",
        wrong=(
            Wrong("at this learning rate the walk diverges: choose a smaller one.", "0.00335", "0.0034",
                  lambda surface, across, up, rate, *rest: rate > 0.00335),
            Wrong("at this learning rate no step makes the loss larger: choose a larger one.", "0.00335", "0.0033",
                  lambda surface, across, up, rate, *rest: rate < 0.00333),
            Wrong("change nothing but the learning rate. **Reset** brings the other settings back.",
                  "steps = 50", "steps = 20"),
        ),
        hints=("Type a number with five decimal places into the field beside the slider.",
               "Try the middle of the two numbers."),
        passes=lambda surface, across, up, rate, optimiser, steps: at_the_edge(rate) and (
            surface, across, up, optimiser, steps) == ("line through points", 0.1, 0.1, "gradient descent", 50),
        explanation="The edge is sharp: between a loss that falls and a walk that diverges lies about one percent of "
        "the learning rate.",
    ),
    Exercise(
        "03.5", "How low can you get?", difficulty=3, importance=3, minutes=5,
        task="An open challenge, for as many tries as you like, alone or against others. On the tower's loss, from the "
        "same start, a walk with momentum takes 50 steps. Choose its `learning_rate` and the `share` of the velocity "
        "that it keeps. Your score says how many times lower it ends than it began, both counted from the lowest place "
        "of the map. Plain gradient descent with the rate 0.0017 scores 29. The mark to reach is 100.",
        stub="learning_rate = ...\nshare = ...",
        answer="learning_rate = 0.004\nshare = 0.9",
        wrong=(
            Wrong("the share of the velocity must be at least 0 and below 1; a ball that loses nothing never stops.",
                  "share = 0.9", "share = 1", lambda rate, share: not 0 <= share < 1),
            Wrong("the learning rate must be above 0 and at most 10.", "learning_rate = 0.004", "learning_rate = 0",
                  lambda rate, share: not 0 < rate <= 10),
        ),
        hints=("With a share of 0 the rate can go up to 0.0033, and the score stays near 30. Raise the share first.",
               "With a share of 0.9, try rates from 0.002 to 0.006."),
        passes=lambda rate, share: 0 < rate <= 10 and 0 <= share < 1,
        score=times_lower,
        mark=100.0,
        explanation="Gradients that agree add up along the ravine; gradients that change sign cancel across it.",
    ),
)

QUIZZES = (
    Question(
        "03.b", "A colleague says: Adam adapts its steps, so its learning rate does not matter. What do you answer?",
        (
            Option("True: it divides by the size of the gradient",
                   "It does divide, so the size of the gradient matters little. But the learning rate still says how "
                   "long a step is, and that one you choose."),
            Option("It still sets the length of the steps",
                   "While the gradients agree, Adam's step is about one learning rate long in each parameter, however "
                   "large or small they are. Too long still jumps about, too short still crawls.", right=True),
            Option("True, but only on the bowl",
                   "Try it in the race with **learning rates** set to **one for all**: on the bowl, too, Adam with a "
                   "rate of 0.001 has not arrived after 200 steps."),
        ),
    ),
    Question(
        "03.c", "The loss has stayed at a high value for a while. Which conclusion is sound?",
        (
            Option("Training is stuck in a local minimum",
                   "Perhaps, but in the count above the largest networks never got stuck. A flat stretch, a "
                   "ravine, a learning rate that is too small, or steps that jump back and forth all look the same if "
                   "you see only the loss."),
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
        "03.a", "The learning rate is 0.00166. You set it to 0.0034, a little more than twice as much. What will the "
        "walk do?",
        (
            Option("arrive in half the steps",
                   "Longer steps save time only as long as they do not jump across the valley. These do."),
            Option("zigzag, but arrive", "Just below the edge it zigzags. At 0.0034 each jump ends higher up."),
            Option("jump higher and higher, out of the picture",
                   "At 0.0033 each jump crosses the valley and lands nearly as high as it began. At 0.0034 "
                   "each jump lands higher than the last one. The ground is steeper there, so the next jump is longer "
                   "still.", right=True),
        ),
    ),
)
