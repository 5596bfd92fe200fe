"""Exercises, quizzes and predictions of lesson 01: models and losses."""

from course_utils.experiments import tower
from course_utils.models.regression import absolute_error, fit_polynomial
from course_utils.practice.exercises import Exercise, Wrong, numbers
from course_utils.practice.questions import Option, Question


def absolute_loss(slope: float, intercept: float) -> float:
    """The absolute loss of a line on the measured drops."""
    floor, seconds = tower.drops("measured")
    return float(absolute_error(slope * floor + intercept, seconds))


def computed(slope: float, intercept: float) -> bool:
    """Whether a line is the one that the button of the picture finds for the absolute loss."""
    line = fit_polynomial(*tower.drops("measured"), 1, "absolute")
    found = float(line(1.0) - line(0.0)), float(line(0.0))
    return abs(slope - found[0]) < 1e-4 and abs(intercept - found[1]) < 1e-3


def memorised(degree: int) -> bool:
    """Whether a polynomial beats the line on its own drops and is more than twice as far off between the floors."""
    line, curve = (fit_polynomial(*tower.drops("measured"), power) for power in (1, degree))
    own, unseen = (tower.rmse(curve, part) / tower.rmse(line, part) for part in ("measured", "between"))
    return own < 1 and unseen > 2


def on_the_image(rows: list[int], columns: list[int], ink: float) -> bool:
    """Whether rows and columns name a rectangle of an image of 8 by 8 pixels."""
    ends = [*rows, *columns]
    return all(end in range(8) for end in ends) and rows[0] <= rows[1] and columns[0] <= columns[1] and ink == ink


def share_right(rows: list[int], columns: list[int], ink: float) -> float:
    """The share of the threes and eights to learn from that a rule about the ink in a rectangle gets right."""
    from course_utils.experiments.rules import ink_in, threes_and_eights  # here: the other checks need no torch

    images, labels = threes_and_eights("train")
    eight = ink_in(images, *((int(first), int(last)) for first, last in (rows, columns))) > ink
    return float((eight == (labels == 8)).mean())


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "01.1", "A residual", difficulty=1, importance=5, minutes=2,
        task="A line predicts `slope * floor + intercept`. A residual is what was **measured minus what was "
        "predicted**. Write a function that gives the residual of one drop.",
        stub="def residual(floor, seconds, slope, intercept):\n    return ...",
        answer="def residual(floor, seconds, slope, intercept):\n    return seconds - (slope * floor + intercept)",
        wrong=(
            Wrong("the sign is the wrong way round: it is measured minus predicted, positive where the ball took "
                  "longer than the line says.", "seconds - (slope * floor + intercept)",
                  "slope * floor + intercept - seconds"),
            Wrong("the intercept is added where it should be subtracted with the rest: put brackets around the "
                  "prediction.", "(slope * floor + intercept)", "slope * floor + intercept"),
            Wrong("the intercept is missing from the prediction.", " + intercept", ""),
            Wrong("this is the size of the residual; a residual keeps its sign.",
                  "seconds - (slope * floor + intercept)", "abs(seconds - (slope * floor + intercept))"),
        ),
        hints=("First the prediction, then a subtraction.", "`seconds - ...`, with the prediction in brackets."),
        inputs=lambda r: (*numbers(r, 2, 1, 20), *numbers(r, 2, 0.5, 1.5)),
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
            Wrong("this is the mean of the sizes, the absolute loss. In the squared loss a large residual counts for "
                  "more.", "r**2", "abs(r)"),
            Wrong("this takes the square root at the end, which brings it back to seconds. The loss asked for here is "
                  "the mean of the squares, without the root.", "sum([r**2 for r in residuals]) / len(residuals)",
                  "(sum([r**2 for r in residuals]) / len(residuals)) ** 0.5"),
        ),
        hints=("Three steps, in this order: square each one, add them up, divide by how many there are.",
               "`sum([r**2 for r in residuals])` does the first two."),
        inputs=lambda r: (numbers(r, r.randint(2, 6)),),
        explanation="No square is negative, and a residual twice as large counts four times as much.",
    ),
    Exercise(
        "01.3", "A line by hand", difficulty=2, importance=5, minutes=4,
        task="Move the two sliders of the picture above until the **absolute** loss is at most **0.195**. By hand: "
        "the line of the button does not count. Then run the box below. It reads the slope and the intercept from "
        "the picture.",
        picture="fitter", stub="slope = 0.1\nintercept = 2.0", answer="slope = 0.152\nintercept = 1.18",
        wrong=(
            Wrong("this is the computer's own line. Move a slider, look at the loss, and find a line of yours: any up "
                  "to 0.195 will do.", "0.152\nintercept = 1.18", "0.1525\nintercept = 1.1775", when=computed),
            Wrong("this is the line with the smallest **squared** loss. The late drops pull it up; for the absolute "
                  "loss a slightly lower line is better.", "0.152\nintercept = 1.18", "0.1576\nintercept = 1.135",
                  when=lambda slope, intercept: abs(slope - 0.1576) < 0.0011 and abs(intercept - 1.135) < 0.011),
            Wrong("this line is much too flat or much too steep. Look at both ends of the row of dots.",
                  "0.152\nintercept = 1.18", "0.25\nintercept = 1.18",
                  when=lambda slope, intercept: not 0.1 <= slope <= 0.2),
            Wrong("the absolute loss of this line is above 0.195. When neither slider alone lowers it any more, move "
                  "both: a little steeper and a little lower.", "0.152\nintercept = 1.18", "0.16\nintercept = 1.4",
                  when=lambda slope, intercept: absolute_loss(slope, intercept) > 0.195),
        ),
        hints=("Pin the line you have. Where no single slider helps, make the line steeper and lower it at once.",
               "Set the slope to 0.152. Then only the intercept is left to find."),
        passes=lambda slope, intercept: absolute_loss(slope, intercept) <= 0.195 and not computed(slope, intercept),
        explanation="You have fitted a model by hand. A computer can do this with far more parameters; lesson 03 "
        "shows how it knows which way to change each of them.",
    ),
    Exercise(
        "01.4", "Learned by heart", difficulty=2, importance=5, minutes=4,
        task="Find a degree whose polynomial is **closer** to the measured drops than the straight line, and yet "
        "**more than twice as far off** as the line between the floors. Both are meant as RMSE. Change the degrees in "
        "the box above, up to 14 (there are 15 floors), and run it again.",
        stub="degree = ...",
        answer="degree = 14",
        wrong=(
            Wrong("the drops come from 15 different floors. They cannot fix more than 15 parameters, and degree 14 has "
                  "15.", "14", "15", when=lambda degree: degree > 14),
            Wrong("that is the line itself, or less than a line. More parameters are needed to come closer to the "
                  "measured drops.", "14", "1", when=lambda degree: degree <= 1),
            Wrong("it is closer to the measured drops than the line, but between the floors it is not twice as far "
                  "off. Try higher degrees.", "14", "5", when=lambda degree: degree < 14),
        ),
        hints=("Write other degrees between the brackets of the box above, such as `(1, 3, 7, 11)`.",
               "The error between the floors jumps at degree 10."),
        passes=lambda degree: degree in range(2, 15) and memorised(int(degree)),
        explanation="It is closer to its own drops than the line, and far worse on the floors between them. A low loss "
        "on its own drops says nothing about that.",
    ),
    Exercise(
        "01.5", "Beyond the tower", difficulty=1, importance=4, minutes=3,
        task="With pencil and paper: a line with slope 0.15 and intercept 1.2 was set by hand for floors 1 to 29. "
        "What does it **predict** for floor 100? In truth the ball takes 15.3 seconds from there. By how many seconds "
        "is the prediction **too high**?",
        stub="predicted = ...\ntoo_high = ...",
        answer="predicted = 0.15 * 100 + 1.2\ntoo_high = predicted - 15.3",
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
        explanation="Between the floors this line has an RMSE of 0.14 seconds. Here it is off by almost one second: "
        "it never saw a drop from so high up, and it answers all the same.",
        tolerance=2e-3,
    ),
    Exercise(
        "01.6", "A rule of your own", difficulty=3, importance=4, minutes=5,
        task="Open challenge: write a better rule of the same form. Choose a rectangle of pixels, by its first and "
        "last **row** and its first and last **column** (0 to 7), and the **ink** above which you say 8. The score is "
        "the share of the 268 digits that your rule gets right. Ours has 0.888. Reach **0.92**, then try to beat your "
        "own score. At the end, try your rule on the held-out digits, with `count_right`.",
        stub="rows = [..., ...]\ncolumns = [..., ...]\nink = ...",
        answer="rows = [2, 5]\ncolumns = [1, 3]\nink = 3.7",
        wrong=(
            Wrong("rows and columns are whole numbers from 0 (top, left) to 7 (bottom, right).", "[2, 5]", "[2, 8]",
                  when=lambda rows, columns, ink: not all(end in range(8) for end in [*rows, *columns])),
            Wrong("the first row or column comes after the last one: swap the two.", "[1, 3]", "[3, 1]",
                  when=lambda rows, columns, ink: rows[0] > rows[1] or columns[0] > columns[1]),
        ),
        hints=("A wider rectangle catches eights that are shifted a little; it also needs more ink.",
               "Take `rows = [2, 5]` and `columns = [1, 3]`, and look for the best `ink` between 3 and 4."),
        passes=on_the_image,
        score=share_right,
        mark=0.92,
        explanation="You chose the numbers to suit these digits, so only the held-out ones can say how good your rule "
        "is.",
        seconds=20.0,
    ),
)

QUIZZES = (
    Question(
        "01.b", "A colleague says: my method assumes nothing, it looks up the most similar case. What do you answer?",
        (
            Option("True: looking something up is not modelling",
                   "A table that returns only what it holds assumes nothing. But this method also answers for cases "
                   "that it does not hold, and for that it needs an assumption."),
            Option("It assumes that similar cases have similar answers",
                   "It also assumes what **similar** means: here, the distance in floors. Both are beliefs, and both "
                   "can be wrong.", right=True),
            Option("Only formulas from physics can be trusted",
                   "They leave things out too: at the end of this lesson, one that leaves out the air is off by more "
                   "than half a second."),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "01.a", "Which single number has the smallest squared loss on 3.56, 3.62 and 4.62?",
        (
            Option("close to 3.6, where two of them are",
                   "At 3.6 the late drop alone has a squared residual of 1.04. At 3.93 all three together have 0.71."),
            Option("about 3.9, between the two and the late one",
                   "Near the other two, the squared residual of the late drop is very large. So the best number moves "
                   "towards the late drop, and away from the other two.", right=True),
            Option("about 4.6", "There the late drop adds nothing, but the other two add about 1 each."),
        ),
    ),
    Question(
        "01.c", "The degree goes from 2 up to 15, on 16 drops. What happens to the two errors?",
        (
            Option("both fall",
                   "The error on its own drops can only fall. But the fit never sees the held-out drops."),
            Option("on its own drops it falls, on the held-out ones it rises",
                   "A high degree follows every random error of the stopwatch. On the held-out drops these errors are "
                   "different ones.", right=True),
            Option("both rise", "A higher degree can fit the same drops at least as well as a lower one."),
        ),
    ),
)
