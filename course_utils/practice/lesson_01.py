"""Exercises of notebook 01: models and losses."""

import csv
import functools
import random
from collections.abc import Callable

import numpy as np

from course_utils import assets
from course_utils.models.regression import absolute_error, fit_polynomial, squared_error
from course_utils.practice.exercises import Exercise, Wrong, numbers


def labelled(generator: random.Random) -> tuple[list[float], list[int]]:
    """Nine numbers and a label each: mostly 1 above some threshold, with two labels turned round."""
    values = random.Random(generator.random()).sample([n / 2 for n in range(2, 30)], 9)
    edge = sorted(values)[generator.randint(3, 5)]
    turned = generator.sample(range(9), 2)
    return values, [int(value >= edge) ^ int(place in turned) for place, value in enumerate(values)]


@functools.cache
def drops(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Floors and seconds of the falling ball, as `data.falling_ball` has them, without waiting for torch in a check."""
    with (assets.project_folder() / "datasets" / "falling_ball.csv").open(encoding="utf-8", newline="") as file:
        rows = [(float(row["floor"]), float(row["seconds"])) for row in csv.DictReader(file) if row["part"] == part]
    floor, seconds = np.array(rows).T
    return floor, seconds


def absolute_loss(slope: float, intercept: float) -> float:
    """Of a line on the measured drops."""
    floor, seconds = drops("measured")
    return float(absolute_error(slope * floor + intercept, seconds))


def learned_by_heart(degree: int) -> bool:
    """Whether a polynomial beats the line on its own drops and loses by far between the floors."""
    line, curve = (fit_polynomial(*drops("measured"), power) for power in (1, degree))

    def loss(model: Callable, part: str) -> float:
        floor, seconds = drops(part)
        return float(squared_error(model(floor), seconds))

    return loss(curve, "measured") < loss(line, "measured") and loss(curve, "between") > 5 * loss(line, "between")


# An exercise reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "01.1", "Residuals", difficulty=1, importance=5, minutes=3,
        task="A line predicts `slope * floor + intercept`. A residual is what was **measured minus what was "
        "predicted**. Write a function that gives the residual of every measurement.",
        stub="def residuals(floors, seconds, slope, intercept):\n    return ...",
        answer="def residuals(floors, seconds, slope, intercept):\n"
        "    return [second - (slope * floor + intercept) for floor, second in zip(floors, seconds)]",
        wrong=(
            Wrong("the sign is turned round: it is measured minus predicted, positive where the ball took longer than "
                  "the line says.", "second - (slope * floor + intercept)", "slope * floor + intercept - second"),
            Wrong("the intercept is added where it should be taken away with the rest: put brackets round the "
                  "prediction.", "second - (slope * floor + intercept)", "second - slope * floor + intercept"),
            Wrong("the intercept is missing from the prediction.", " + intercept", ""),
            Wrong("these are the sizes of the residuals; a residual keeps its sign.",
                  "second - (slope * floor + intercept)", "abs(second - (slope * floor + intercept))"),
        ),
        hints=("For one measurement: first the prediction, then a subtraction.",
               "`[second - ... for floor, second in zip(floors, seconds)]`, with the prediction in brackets."),
        inputs=lambda r: (numbers(r, 5, 1, 20), numbers(r, 5, 1, 20), *numbers(r, 2, 0.5, 1.5)),
        because="A residual is the part of a measurement that the model did not say.",
    ),
    Exercise(
        "01.2", "Mean squared loss", difficulty=2, importance=5, minutes=3,
        task="One number says how wrong a model is: the **mean of the squared residuals**. Compute it from a list of "
        "residuals.",
        stub="def squared_loss(residuals):\n    return ...",
        answer="def squared_loss(residuals):\n    return sum(r**2 for r in residuals) / len(residuals)",
        wrong=(
            Wrong("this squares the mean. Residuals of either sign then cancel, and a bad model can score 0: square "
                  "first.", "sum(r**2 for r in residuals) / len(residuals)", "(sum(residuals) / len(residuals)) ** 2"),
            Wrong("this is the sum. Divide by the number of residuals, or more data would look like a worse model.",
                  " / len(residuals)", ""),
            Wrong("this is the mean of the sizes, the absolute loss. The squared one punishes a large miss more.",
                  "r**2", "abs(r)"),
            Wrong("this takes the root at the end; that is in seconds again, but the loss is asked for without it.",
                  "sum(r**2 for r in residuals) / len(residuals)",
                  "(sum(r**2 for r in residuals) / len(residuals)) ** 0.5"),
        ),
        hints=("Three steps, in this order: square each one, add them up, divide by how many there are.",
               "`sum(r**2 for r in residuals)` is the first two."),
        inputs=lambda r: (numbers(r, r.randint(2, 6)),),
        because="Squaring makes every miss count as positive, and a miss twice as large count four times.",
    ),
    Exercise(
        "01.3", "A line by hand", difficulty=2, importance=5, minutes=5,
        task="Turn the two knobs of a `LineFitter` on the measured drops, with the **absolute** loss, until it is at "
        "most **0.195**. Give the slope and the intercept.",
        stub="slope = ...\nintercept = ...",
        answer="slope, intercept = 0.152, 1.18",
        wrong=(
            Wrong("the two are swapped: the slope is the small number, the seconds that one more floor adds.",
                  "0.152, 1.18", "1.18, 0.152", when=lambda slope, intercept: slope > intercept),
            Wrong("this is the line with the smallest **squared** loss. The late presses pull it up; by the absolute "
                  "loss a line a little lower is better.", "0.152, 1.18", "0.1576, 1.135",
                  when=lambda slope, intercept: abs(slope - 0.1576) < 0.0006 and abs(intercept - 1.135) < 0.006),
            Wrong("this line falls too short or too steep, so its loss is above 0.195. Turn one knob until the loss no "
                  "longer falls, then the other, then the first again.", "0.152, 1.18", "0.1, 1.2",
                  when=lambda slope, intercept: absolute_loss(slope, intercept) > 0.195),
        ),
        hints=("Pin the line you have. Then change one knob at a time, and keep what lowers the loss.",
               "Look near a slope of 0.15. With the slope held there, only the intercept is left to turn."),
        passes=lambda slope, intercept: absolute_loss(slope, intercept) <= 0.195,
        because="You have trained a model. A computer turns more knobs, and faster; how it knows which way to turn is "
        "the matter of notebook 03.",
    ),
    Exercise(
        "01.4", "Learned by heart", difficulty=3, importance=5, minutes=6,
        task="Find a degree whose polynomial, fitted by least squares, has a **smaller** squared loss than the "
        "straight line on the measured drops, and **more than five times the line's** squared loss between the floors.",
        stub="degree = ...",
        answer="degree = 14",
        wrong=(
            Wrong("the drops come from 15 different floors. They cannot fix more than 15 knobs, and degree 14 has 15.",
                  "14", "15", when=lambda degree: degree > 14),
            Wrong("that is the line itself, or less than a line. More knobs are needed to fit its own drops better.",
                  "14", "1", when=lambda degree: degree <= 1),
            Wrong("on its own drops it beats the line, but between the floors it is still nearly as good, or better. "
                  "Go on to higher degrees.", "14", "5", when=lambda degree: degree < 14),
        ),
        hints=("`regression.fit_polynomial(floor, seconds, degree)` gives a model; ask `squared_error` about it "
               "twice, on the measured drops and on those between.",
               "Write the loop `for degree in range(15):` and print both losses. Where does the second one leap?"),
        passes=lambda degree: 2 <= degree <= 14 and learned_by_heart(int(degree)),
        because="It fits its own drops better than the line, and knows less about the floors between. A low training "
        "loss alone says nothing about that.",
    ),
    Exercise(
        "01.5", "Beyond the tower", difficulty=2, importance=4, minutes=4,
        task="A line goes through two measurements: 1.01 s from 5 m, 2.02 s from 20 m. What does it **predict** for 80 "
        "m? Without air the ball takes 4.04 s. By how many seconds is the line **too long**?",
        stub="predicted = ...\ntoo_long = ...",
        answer="predicted = 2.02 + (80 - 20) * (2.02 - 1.01) / (20 - 5)\ntoo_long = predicted - 4.04",
        wrong=(
            Wrong("this multiplies the time by four because the height is four times 20 m. The line does not pass "
                  "through zero: start at 2.02 s and add the slope for 60 m more.",
                  "2.02 + (80 - 20) * (2.02 - 1.01) / (20 - 5)", "2.02 * 80 / 20"),
            Wrong("the slope is counted for all 80 m, but the line is already at 2.02 s at 20 m: add it for 60 m.",
                  "(80 - 20)", "80"),
            Wrong("the prediction is right; the error is turned round: the line's time minus the ball's.",
                  "predicted - 4.04", "4.04 - predicted"),
        ),
        hints=("The slope is the seconds gained from 5 m to 20 m, divided by 15 m.",
               "From 20 m to 80 m are 60 m more: 2.02 s plus 60 slopes."),
        because="Between its two points the line is off by less than a tenth of a second. At four times the height it "
        "is off by half the true time: it never saw that region.",
        tolerance=2e-3,
    ),
    Exercise(
        "01.6", "A rule that is learned", difficulty=4, importance=4, minutes=7,
        task="A hand-written rule says 1 if `value >= threshold`, else 0. Let the data choose: try **every value in "
        "the list** as the threshold and give the one with the **fewest mistakes** (the smallest of them, if several "
        "tie).",
        stub="def best_threshold(values, labels):\n    return ...",
        answer="def best_threshold(values, labels):\n    def mistakes(threshold):\n"
        "        return sum((value >= threshold) != label for value, label in zip(values, labels))\n\n"
        "    return min(sorted(values), key=mistakes)",
        wrong=(
            Wrong("it finds the **most** mistakes. Take the minimum.", "min(sorted(values)", "max(sorted(values)"),
            Wrong("this gives how many mistakes the best threshold makes; the threshold itself is asked for.",
                  "min(sorted(values), key=mistakes)", "min(mistakes(value) for value in values)"),
            Wrong("the rule includes the threshold itself: `>=`, not `>`.", "value >= threshold", "value > threshold"),
            Wrong("the mean of the values never looks at the labels, so nothing is learned.",
                  "min(sorted(values), key=mistakes)", "sum(values) / len(values)"),
        ),
        hints=("Write a small function first: how many mistakes does one threshold make?",
               "`min(sorted(values), key=mistakes)` tries every value and keeps the first of the best."),
        inputs=labelled,
        because="The rule's form was written by hand; its number came from data. Machine learning is that, with more "
        "numbers.",
    ),
)
