"""Exercises, quizzes and predictions of notebook 01: models and losses."""

import csv
import functools
from collections.abc import Callable

import numpy as np

from course_utils import assets
from course_utils.models.regression import absolute_error, fit_polynomial, squared_error
from course_utils.practice.exercises import Exercise, Wrong, numbers
from course_utils.practice.questions import Option, Question


@functools.cache
def drops(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Floors and seconds of the falling ball, as `data.falling_ball` has them, without waiting for torch in a check."""
    with (assets.project_folder() / "datasets" / "falling_ball.csv").open(encoding="utf-8", newline="") as file:
        rows = [(float(row["floor"]), float(row["seconds"])) for row in csv.DictReader(file) if row["part"] == part]
    floor, seconds = np.array(rows).T
    return floor, seconds


def absolute_loss(slope: float, intercept: float) -> float:
    """The absolute loss of a line on the measured drops."""
    floor, seconds = drops("measured")
    return float(absolute_error(slope * floor + intercept, seconds))


def memorised(degree: int) -> bool:
    """Whether a polynomial beats the line on its own drops and loses by far between the floors."""
    line, curve = (fit_polynomial(*drops("measured"), power) for power in (1, degree))

    def loss(model: Callable, part: str) -> float:
        floor, seconds = drops(part)
        return float(squared_error(model(floor), seconds))

    return loss(curve, "measured") < loss(line, "measured") and loss(curve, "between") > 5 * loss(line, "between")


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "01.1", "Residuals", difficulty=1, importance=5, minutes=3,
        task="A line predicts `slope * floor + intercept`. A residual is what was **measured minus what was "
        "predicted**. Write a function that gives the residual of every measurement. The loop is there: `zip` hands "
        "it one floor and its time after another. Only the residual itself is missing.",
        stub="def residuals(floors, seconds, slope, intercept):\n    result = []\n"
        "    for floor, second in zip(floors, seconds):\n        result.append(...)\n    return result",
        answer="def residuals(floors, seconds, slope, intercept):\n    result = []\n"
        "    for floor, second in zip(floors, seconds):\n"
        "        result.append(second - (slope * floor + intercept))\n    return result",
        wrong=(
            Wrong("the sign is the wrong way round: it is measured minus predicted, positive where the ball took "
                  "longer than the line says.", "second - (slope * floor + intercept)",
                  "slope * floor + intercept - second"),
            Wrong("the intercept is added where it should be subtracted with the rest: put brackets around the "
                  "prediction.", "second - (slope * floor + intercept)", "second - slope * floor + intercept"),
            Wrong("the intercept is missing from the prediction.", " + intercept", ""),
            Wrong("these are the sizes of the residuals; a residual keeps its sign.",
                  "second - (slope * floor + intercept)", "abs(second - (slope * floor + intercept))"),
        ),
        hints=("For one measurement: first the prediction, then a subtraction.",
               "`result.append(second - ...)`, with the prediction in brackets."),
        inputs=lambda r: (numbers(r, n := r.randint(2, 7), 1, 20), numbers(r, n, 1, 20), *numbers(r, 2, 0.5, 1.5)),
        explanation="A residual is the part of a measurement that the model does not account for.",
    ),
    Exercise(
        "01.2", "Mean squared loss", difficulty=2, importance=5, minutes=3,
        task="One number says how wrong a model is: the **mean of the squared residuals**. Compute it from a list of "
        "residuals. (`sum(numbers)` adds up a list, `len(numbers)` says how long it is, and "
        "`[2 * n for n in numbers]` makes a list with every number doubled.)",
        stub="def squared_loss(residuals):\n    return ...",
        answer="def squared_loss(residuals):\n    return sum([r**2 for r in residuals]) / len(residuals)",
        wrong=(
            Wrong("this squares the mean. Residuals of opposite sign then cancel, and a bad model can score 0: square "
                  "first.", "sum([r**2 for r in residuals]) / len(residuals)",
                  "(sum(residuals) / len(residuals)) ** 2"),
            Wrong("this is the sum. Divide by the number of residuals, or more data would look like a worse model.",
                  " / len(residuals)", ""),
            Wrong("this is the mean of the sizes, the absolute loss. The squared loss punishes a large miss more.",
                  "r**2", "abs(r)"),
            Wrong("this takes the square root at the end, which brings it back to seconds. The loss asked for here is "
                  "the mean of the squares, without the root.", "sum([r**2 for r in residuals]) / len(residuals)",
                  "(sum([r**2 for r in residuals]) / len(residuals)) ** 0.5"),
        ),
        hints=("Three steps, in this order: square each one, add them up, divide by how many there are.",
               "`sum([r**2 for r in residuals])` does the first two."),
        inputs=lambda r: (numbers(r, r.randint(2, 6)),),
        explanation="Squaring makes every miss positive, and a miss twice as large counts four times.",
    ),
    Exercise(
        "01.3", "A line by hand", difficulty=2, importance=5, minutes=5,
        task="Turn the two knobs of the picture above until the **absolute** loss is at most **0.195**. Then run the "
        "box below. It reads the slope and the intercept from the picture.",
        picture="fitter",
        stub="slope = 0.1\nintercept = 2.0",
        answer="slope = 0.152\nintercept = 1.18",
        wrong=(
            Wrong("this is the line with the smallest **squared** loss. The late presses pull it up; for the absolute "
                  "loss a slightly lower line is better.", "0.152\nintercept = 1.18", "0.1576\nintercept = 1.135",
                  when=lambda slope, intercept: abs(slope - 0.1576) < 0.0011 and abs(intercept - 1.135) < 0.011),
            Wrong("this line is much too flat or much too steep. Look at both ends of the row of dots.",
                  "0.152\nintercept = 1.18", "0.25\nintercept = 1.18",
                  when=lambda slope, intercept: not 0.1 <= slope <= 0.2),
            Wrong("the absolute loss of this line is above 0.195. Turn one knob until the loss stops falling, then the "
                  "other, then the first again.", "0.152\nintercept = 1.18", "0.16\nintercept = 1.4",
                  when=lambda slope, intercept: absolute_loss(slope, intercept) > 0.195),
        ),
        hints=("Pin the line you have. Then change one knob at a time, and keep what lowers the loss.",
               "Look near a slope of 0.15. With the slope held there, only the intercept is left to turn."),
        passes=lambda slope, intercept: absolute_loss(slope, intercept) <= 0.195,
        explanation="You have trained a model. A computer turns more knobs, and faster; notebook 03 shows how it knows "
        "which way to turn them.",
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
                  "Try higher degrees.", "14", "5", when=lambda degree: degree < 14),
        ),
        hints=("`regression.fit_polynomial(floor, seconds, degree)` gives a model; compute its `squared_error` "
               "twice, on the measured drops and on those between.",
               "Write the loop `for degree in range(15):` and print both losses. Where does the second one jump?"),
        passes=lambda degree: degree in range(2, 15) and memorised(int(degree)),
        explanation="It fits its own drops better than the line, and the floors between them far worse. A low training "
        "loss alone says nothing about that.",
    ),
    Exercise(
        "01.5", "Beyond the tower", difficulty=1, importance=4, minutes=3,
        task="With pencil and paper: a line with slope 0.15 and intercept 1.2 was fitted to floors 1 to 29. What does "
        "it **predict** for floor 100? In truth the ball takes 15.3 seconds from there. By how many seconds is the "
        "prediction **too long**?",
        stub="predicted = ...\ntoo_long = ...",
        answer="predicted = 0.15 * 100 + 1.2\ntoo_long = predicted - 15.3",
        wrong=(
            Wrong("the intercept is missing: the line starts at 1.2 seconds and adds 0.15 for each floor.", " + 1.2",
                  ""),
            Wrong("slope and intercept are swapped: the slope, 0.15, is what each floor adds.", "0.15 * 100 + 1.2",
                  "1.2 * 100 + 0.15"),
            Wrong("the prediction is right; the error has the wrong sign: subtract the true time from the prediction.",
                  "predicted - 15.3", "15.3 - predicted"),
        ),
        hints=("`slope * floor + intercept`, with the three numbers from the task.",
               "0.15 times 100 is 15. Add the intercept, then compare with 15.3."),
        explanation="On floors 1 to 29 the line is off by about a tenth of a second; here, by nearly one second. It "
        "never saw that region, and answers all the same.",
        tolerance=2e-3,
    ),
    Exercise(
        "01.6", "A rule that is learned", difficulty=2, importance=4, minutes=4,
        task="With pencil and paper: eight drawings have 1, 2, 4, 5, 7, 8, 9 and 10 dots of ink on the left. In this "
        "order they show 3, 8, 3, 3, 8, 8, 3 and 8. A rule says: eight if there are **at least** `threshold` dots, "
        "else three. Let the data choose: try each of the eight numbers of dots as the threshold. Which one makes the "
        "**fewest mistakes**, and how many?",
        stub="threshold = ...\nmistakes = ...",
        answer="threshold = 7\nmistakes = 2",
        wrong=(
            Wrong("that threshold is right, but no threshold makes fewer than two mistakes: look at the drawings with "
                  "2 dots and with 9.", "mistakes = 2", "mistakes = 0",
                  when=lambda threshold, mistakes: threshold == 7),
            Wrong("with a threshold of 5 the drawings with 2, 5 and 9 dots are wrong: three mistakes. One threshold "
                  "makes fewer.", "threshold = 7\nmistakes = 2", "threshold = 5\nmistakes = 3",
                  when=lambda threshold, mistakes: threshold == 5),
            Wrong("the rule says *at least*: a drawing with exactly as many dots as the threshold counts as an eight.",
                  "threshold = 7", "threshold = 6", when=lambda threshold, mistakes: threshold in (3, 6)),
        ),
        hints=("Write the eight numbers in a row, with 3 or 8 under each. A threshold cuts the row in two: everything "
               "on the left is called 3, everything on the right 8.",
               "Most threes are on the left, most eights from 7 dots on. Count the exceptions."),
        explanation="A person wrote the form of the rule; its number came from data. Machine learning is this, with "
        "more numbers.",
    ),
)

QUIZZES = (
    Question(
        "01.b", "A colleague says: my method assumes nothing, it looks up the most similar case. What do you answer?",
        (
            Option("True: looking something up is not modelling",
                   "A table that returns only what it holds assumes nothing. Once it answers for a case that it does "
                   "not hold, it does."),
            Option("It assumes that similar cases have similar answers",
                   "It also assumes what **similar** means: here, the distance in floors. Both are beliefs, and both "
                   "can be wrong.", right=True),
            Option("Only formulas from physics can be trusted",
                   "The formula without air comes from physics, and was off by half a second. A model earns trust on "
                   "drops that it has not seen."),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "01.a", "Which single number has the smallest squared loss on 3.56, 3.62 and 4.62?",
        (
            Option("close to 3.6, where two of them are",
                   "At 3.6 the late press alone costs 1.02 squared, more than all three together cost at 3.93."),
            Option("about 3.9, between the two and the late one",
                   "Close to the other two, the squared price of the late press is very high. So the best number "
                   "moves towards it, and away from the other two.", right=True),
            Option("about 4.6", "There the late press costs nothing, but the other two cost about 1 each."),
        ),
    ),
    Question(
        "01.c", "The degree goes from 2 up to 14, on 16 drops. What happens to the two typical misses?",
        (
            Option("both fall",
                   "The miss on its own drops can only fall. The held-out drops are another matter: the fit never "
                   "sees them."),
            Option("on its own drops it falls, on the held-out ones it rises",
                   "With many knobs the curve follows every error of the stopwatch. On the held-out drops the errors "
                   "are different ones.", right=True),
            Option("both rise", "More knobs can always fit the same drops at least as well as fewer."),
        ),
    ),
)
