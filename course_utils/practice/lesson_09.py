"""Exercises, quizzes and predictions of notebook 09: attention."""

import random
from typing import Any

from course_utils.practice.exercises import Exercise, Wrong
from course_utils.practice.questions import Option, Question

ANIMAL = "The animal didn't cross the street because it was too tired"
WIDE = ANIMAL.replace("tired", "wide")
IT, LAST = 8, 11  # the places of "it" and of the last word
FINDS_STREET = (4, 2)  # the one head in which "wide" takes more than 40 % from "street"


def some_lists(generator: random.Random) -> tuple[list[float], list[list[float]]]:
    """A fresh query and the keys of some words."""
    width = generator.choice((2, 3, 4, 9))
    numbers = [[round(generator.uniform(-3, 3), 1) for _ in range(width)] for _ in range(generator.randint(3, 6))]
    return numbers[0], numbers[1:]


def some_scores(generator: random.Random) -> tuple[list[list[float]]]:
    """A fresh square table of scores."""
    size = generator.randint(2, 5)
    return ([[round(generator.uniform(-4, 4), 1) for _ in range(size)] for _ in range(size)],)


def chance_of_of(heads: Any) -> float:
    """How likely SmolLM2 finds *of* after the sentence about the river, in per cent, with some heads cut."""
    from course_utils.experiments.looking import RIVER, chance_with_cuts
    from course_utils.models import pretrained

    return 100 * chance_with_cuts(
        *pretrained.load("smollm2-135m-instruct"), RIVER, " of", [tuple(each) for each in heads]
    )


def are_heads(heads: Any) -> bool:
    """Whether these are one to three different heads of SmolLM2."""
    pairs = {tuple(each) for each in heads}
    return 1 <= len(pairs) == len(heads) <= 3 and all(layer in range(30) and head in range(9) for layer, head in pairs)


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "09.1", "Attention on paper", difficulty=2, importance=5, minutes=4,
        task="For pencil and paper. The query of *bank* is `[1, 2, 0, 1]`. The keys are `[4, 0, 2, 0]` (*river*), "
        "`[0, 3, 0, 0]` (*loan*) and `[0, 0, 5, 2]` (*he*). What are the three scores: dot products, divided by the "
        "square root of 4? The weights of these scores are no round numbers. So "
        "pretend, for easy sums, that they are 0.25, 0.5 and 0.25. The values are `[4, 0]`, `[0, 8]` and `[8, 4]`. "
        "What is the result?",
        stub="scores = [..., ..., ...]\nresult = [..., ...]",
        answer="scores = [2, 3, 1]\nresult = [3, 5]",
        wrong=(
            Wrong("these are the dot products. Divide each by the square root of 4.", "[2, 3, 1]", "[4, 6, 2]",
                  when=lambda scores, result: scores == [4, 6, 2]),
            Wrong("the dot products are divided by 4 here. Divide by its square root.", "[2, 3, 1]", "[1, 1.5, 0.5]",
                  when=lambda scores, result: scores == [1, 1.5, 0.5]),
            Wrong("this is the plain mean of the values. Multiply each value by its weight, then add.", "[3, 5]",
                  "[4, 4]", when=lambda scores, result: result == [4, 4]),
            Wrong("the values are added up without their weights.", "[3, 5]", "[12, 12]",
                  when=lambda scores, result: result == [12, 12]),
        ),
        hints=("*river*: 1 × 4 + 2 × 0 + 0 × 2 + 1 × 0 = 4, and 4 / 2 = 2.",
               "First number of the result: 0.25 × 4 + 0.5 × 0 + 0.25 × 8."),
        explanation="Three steps: compare, share out, mix. The true weights of the scores 2, 3 and 1 are 0.24, "
        "0.67 and 0.09: *loan*, with the largest score, gets the most.",
        tolerance=1e-6,
    ),
    Exercise(
        "09.2", "The weights of one query", difficulty=3, importance=5, minutes=5,
        task="Write the weights that one `query` gives to a list of `keys`: the dot product with each key, divided by "
        "the square root of the query's length; then $e$ (2.718281828) to the power of each; then each divided by the "
        "sum of all. The query and each key are lists of numbers, all of one length.",
        stub="def weights(query, keys):\n    return ...",
        answer="def weights(query, keys):\n"
        "    scores = [sum(q * k for q, k in zip(query, key)) / len(query) ** 0.5 for key in keys]\n"
        "    powers = [2.718281828**score for score in scores]\n"
        "    return [power / sum(powers) for power in powers]",
        wrong=(
            Wrong("the scores are not divided by the square root of the query's length.", " / len(query) ** 0.5", ""),
            Wrong("the scores are divided by the query's length. Take its square root.", "len(query) ** 0.5",
                  "len(query)"),
            Wrong("the scores are divided by the square root of the number of keys. Take the length of the query.",
                  "len(query) ** 0.5", "len(keys) ** 0.5"),
            Wrong("the weights do not sum to 1: divide each power by the sum of all.", "power / sum(powers)", "power"),
        ),
        hints=("`sum(q * k for q, k in zip(query, key))` is a dot product, and `x ** 0.5` a square root.",
               "Make three lists, one after the other: `scores`, `powers` (`2.718281828**score`), and the result."),
        inputs=some_lists,
        explanation="That is one row of every heatmap in this lesson.",
    ),
    Exercise(
        "09.3", "Hide what comes later", difficulty=2, importance=4, minutes=3,
        task="`scores` is a square table: a list of rows, where row 0 holds the scores of the first token with every "
        'token. Return the same table with `float("-inf")`, minus infinity, wherever a token would look at a later '
        "one. A token may look at itself.",
        stub="def hide(scores):\n    return ...",
        answer="def hide(scores):\n"
        '    return [[score if at <= row else float("-inf") for at, score in enumerate(line)] '
        "for row, line in enumerate(scores)]",
        wrong=(
            Wrong("a token may look at itself: keep the score where column and row are the same.", "at <= row",
                  "at < row"),
            Wrong("this hides the earlier tokens. Row 0 should keep only its first score, and the last row all.",
                  "at <= row", "at >= row"),
            Wrong("a score of 0 does not hide: $e^0$ is 1, and the token gets a weight. Minus infinity gets none.",
                  'float("-inf")', "0.0"),
        ),
        hints=("`enumerate(line)` gives each score with its number, counted from 0.",
               "In row number `row`, keep the scores number 0 to `row`."),
        inputs=some_scores,
        explanation="Softmax gives minus infinity a weight of exactly 0, and the other weights of the row still sum to "
        "1. Setting weights to 0 *after* the softmax would leave a row that sums to less than 1.",
    ),
    Exercise(
        "09.4", "Where a later word can show", difficulty=2, importance=4, minutes=3,
        task="A question about the picture above. Write *wide* in place of *tired*. The row of *it* stays as it was. "
        "Now hold the row of the last word, *wide*, and choose the column *street*. In one head, *wide* takes **more "
        "than 40 %** from *street*. Find it: the strip at the upper right shows this one cell in all 270 heads. Then "
        "run the box below. It reads the controls.",
        picture="tired",
        stub=f'text = "{ANIMAL}"\nlayer = 9\nhead = 2\nrow = {IT}',
        answer=f'text = "{WIDE}"\nlayer = {FINDS_STREET[0]}\nhead = {FINDS_STREET[1]}\nrow = {LAST}',
        wrong=(
            Wrong("the sentence should end in *wide*, and else be as it was.", f'text = "{WIDE}"',
                  f'text = "{ANIMAL}"', when=lambda text, layer, head, row: text != WIDE),
            Wrong("this row is the same for both sentences, because *wide* comes later than its word. Hold the row of "
                  "*wide*: choose it in **who looks**, or click its row.", f"row = {LAST}", f"row = {IT}",
                  when=lambda text, layer, head, row: row != LAST),
            Wrong("in this head, *wide* takes 40 % or less from *street*. Choose *street* in **at whom**, and look for "
                  "the brightest place in the strip.", f"layer = {FINDS_STREET[0]}", "layer = 14",
                  when=lambda text, layer, head, row: (layer, head) != FINDS_STREET),
        ),
        hints=("It lies in the left part of the strip.", "Layer 4."),
        passes=lambda text, layer, head, row: text == WIDE and row == LAST and (layer, head) == FINDS_STREET,
        explanation="In the same head, *tired* takes 6 % from *street*. Here the end of the sentence does make a "
        "difference. Still, one head is not the model's opinion: in layer 13, head 8, *wide* takes 55 % from *animal*, "
        "more than *tired* does (40 %).",
    ),
    Exercise(
        "09.5", "Three cuts", difficulty=3, importance=3, minutes=4,
        task="An open challenge. After the sentence about the river, SmolLM2 gives *of* a chance of 36.5 %. Cut **at "
        "most three whole heads**, each written as a pair of layer and head, such as `(9, 2)`, so that *of* becomes as "
        "likely as you can make it. The lowest of the three maps shows what each of them does alone. Your score is the "
        "chance of *of* in per cent. The mark to reach is 75; your best score is kept.",
        stub="cut_heads = [..., ..., ...]",
        answer="cut_heads = [(9, 2), (11, 6), (12, 5)]",
        wrong=(
            Wrong("give one to three different pairs, such as `[(9, 2), (0, 4)]`: layers go from 0 to 29, heads from 0 "
                  "to 8.", "(12, 5)]", "(12, 5), (1, 1)]", when=lambda heads: not are_heads(heads)),
            Wrong("one head is a good start. Two more may help.", "(9, 2), (11, 6), (12, 5)", "(9, 2)",
                  when=lambda heads: len(heads) == 1),
        ),
        hints=("Begin with the head of the first picture. In the lowest map, look for the darkest brown.",
               "The recorded runs hold the chance with each whole head cut: "
               '`sorted(runs.rows, key=lambda run: -run["head_cut"])[:5]` lists the five best.'),
        passes=are_heads,
        score=chance_of_of,
        mark=75.0,
        explanation="The best that we found is 90.2 %, with `(9, 2)`, `(18, 0)` and `(11, 6)`: 59.2, 55.5 and 49.4 % "
        "alone. The last two have weights of 0.06 and 0.02 on *river*: what moves *of* need not be a look "
        "at the river. We did not try all three million triples.",
        seconds=60.0,
    ),
)

QUIZZES = (
    Question(
        "09.c", "In “He swam to the river bank”, the word “bank” takes 96 % from “river” in layer 16, head 0. What may "
        "you conclude?",
        (
            Option("This head finds out what kind of bank it is",
                   "In the sentence of the first picture it takes 64 % from “the”, the word before it, and less than "
                   "1 % from “river”."),
            Option("Nothing about meaning: it may look at whatever word comes before",
                   "And so it does: in the lines above, the token before gets more than half of the weight in all four "
                   "texts.",
                   right=True),
            Option("The model knows rivers",
                   "Perhaps it does, but this cell does not show it: in all four texts a token takes much from the "
                   "word before it, whatever the word is."),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "09.a", "With the numbers above, bank takes 79 % from river. Now its query is doubled, from 1 1 0 0 "
        "to 2 2 0 0: it asks for the same things, twice as loudly. How much does it take from river?",
        (
            Option("79 %, as before", "All scores are doubled. Softmax looks at their differences, and these double "
                   "too."),
            Option("about 96 %", "The score of river goes from 2 to 4, and the others stay at 0. So river goes from "
                   "7.4 times to 54.6 times as much as each of them.", right=True),
            Option("100 %", "No finite score leaves the others with nothing: each power of e is more than 0."),
        ),
    ),
    Question(
        "09.b", "Eight sentences end in bank: four with a word of water in them, four with a word of money. Before the "
        "first layer, how alike are the model's eight lists of numbers for bank?",
        (
            Option("all eight are exactly the same",
                   "The table has one row for the token, and this model adds nothing to it for its place.", right=True),
            Option("those after words of water are more alike",
                   "The table knows no sentence: it has one row for the token."),
            Option("all eight are different",
                   "They become so, but only on the way up: the table has one row for the token."),
        ),
    ),
)
