"""Exercises of notebook 01: models and losses."""

import random

from course_utils.practice.exercises import Exercise, Wrong, numbers


def labelled(generator: random.Random) -> tuple[list[float], list[int]]:
    """Nine numbers and a label each: mostly 1 above some threshold, with two labels turned round."""
    values = random.Random(generator.random()).sample([n / 2 for n in range(2, 30)], 9)
    edge = sorted(values)[generator.randint(3, 5)]
    turned = generator.sample(range(9), 2)
    return values, [int(value >= edge) ^ int(place in turned) for place, value in enumerate(values)]


# An exercise reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "01.1", "Residuals", difficulty=1, importance=5, minutes=4,
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
        "01.2", "Mean squared loss", difficulty=2, importance=5, minutes=4,
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
        "01.3", "Huber's compromise", difficulty=3, importance=3, minutes=8,
        task="Huber's loss of one residual $r$ is $r^2/2$ while $|r|$ is at most `limit`, and beyond it a straight "
        "line, `limit * (|r| - limit / 2)`, so that a single wild measurement cannot pull the fit far. Write it.",
        stub="def huber(residual, limit):\n    return ...",
        answer="def huber(residual, limit):\n    size = abs(residual)\n"
        "    return size**2 / 2 if size <= limit else limit * (size - limit / 2)",
        wrong=(
            Wrong("large residuals are still squared, so a wild measurement still pulls the fit. Where is the straight "
                  "part?", " if size <= limit else limit * (size - limit / 2)", ""),
            Wrong("a large *negative* residual is treated as a small one. Compare its size, `abs(residual)`, with the "
                  "limit.", "if size <= limit", "if residual <= limit"),
            Wrong("the two pieces do not meet at the limit: the loss jumps there. The line is `limit * (size - limit / "
                  "2)`.", "(size - limit / 2)", "size"),
            Wrong("the half is missing in the squared part, so the two pieces do not meet at the limit.", "size**2 / 2",
                  "size**2"),
        ),
        hints=("Take `abs(residual)` first; then two cases with `if` and `else`.",
               "At the limit both pieces must give `limit**2 / 2`. Try it with limit 1 and residual 1."),
        inputs=lambda r: (r.choice([-1, 1]) * r.uniform(0.1, 5), r.uniform(0.5, 2.5)),
        because="Near zero it is the squared loss, far out the absolute one, and the two meet without a step.",
    ),
    Exercise(
        "01.4", "The best slope without trying", difficulty=4, importance=4, minutes=10,
        task="The slope that makes the squared loss of a line smallest can be computed: the sum of $(x-\\bar "
        "x)(y-\\bar y)$ divided by the sum of $(x-\\bar x)^2$; a bar means the mean. Write it.",
        stub="def best_slope(x, y):\n    return ...",
        answer="def best_slope(x, y):\n    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)\n"
        "    together = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y))\n"
        "    return together / sum((a - mean_x) ** 2 for a in x)",
        wrong=(
            Wrong("the means are not taken away. This is the best slope of a line forced through zero.",
                  "sum(x) / len(x), sum(y) / len(y)", "0, 0"),
            Wrong("it divides by the spread of y. That is the slope of x seen from y; divide by the spread of x.",
                  "(a - mean_x) ** 2 for a in x", "(b - mean_y) ** 2 for b in y"),
            Wrong("the slope between the first and the last point ignores all others.",
                  "return together / sum((a - mean_x) ** 2 for a in x)", "return (y[-1] - y[0]) / (x[-1] - x[0])"),
            Wrong("the division is missing: this still depends on how far x spreads.",
                  " / sum((a - mean_x) ** 2 for a in x)", ""),
        ),
        hints=("First the two means, then the two sums, then one division.",
               "`together = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y))` is the upper sum."),
        inputs=lambda r: (r.sample([n / 2 for n in range(2, 40)], 6), numbers(r, 6, 1, 9)),
        because="For a line, the lowest point of the loss has a formula. For a network it has none; that is lesson 3.",
    ),
    Exercise(
        "01.5", "Beyond the tower", difficulty=2, importance=4, minutes=5,
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
        because="Between its points the line is off by little, four times beyond them by half: it never saw that "
        "region.",
        tolerance=2e-3,
    ),
    Exercise(
        "01.6", "A rule that is learned", difficulty=4, importance=4, minutes=12,
        task="A hand-written rule says 1 if `value >= threshold`, else 0. Let the data choose: try **every value in "
        "the list** as the threshold and give the one with the **fewest mistakes** (the smallest of them, if several "
        "tie).",
        stub="def best_threshold(values, labels):\n    return ...",
        answer="def best_threshold(values, labels):\n    def mistakes(threshold):\n"
        "        return sum((value >= threshold) != label for value, label in zip(values, labels))\n\n"
        "    return min(sorted(values), key=mistakes)",
        wrong=(
            Wrong("it finds the *most* mistakes. Take the minimum.", "min(sorted(values)", "max(sorted(values)"),
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
