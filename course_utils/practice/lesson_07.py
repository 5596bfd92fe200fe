"""Exercises, quizzes and predictions of notebook 07: embeddings."""

import random
import re

import numpy as np

from course_utils.experiments.sentences import shared_words
from course_utils.experiments.word_vectors import count_words
from course_utils.models.embeddings import nearest
from course_utils.practice.exercises import Exercise, Wrong, numbers
from course_utils.practice.questions import Option, Question
from course_utils.retrieval import sentence_vectors

CAT = "The cat sleeps on the sofa."


def two_lists(generator: random.Random) -> tuple[list[float], list[float]]:
    """Two lists of one length, from 2 to 6 numbers, of different lengths as arrows."""
    count = generator.randint(2, 6)
    return numbers(generator, count), [3 * number for number in numbers(generator, count)]


def answer_of(formula: str) -> str:
    """The first answer to a sum of three words, from the counted vectors; "" if it is no such sum.

    >>> answer_of("she - he + father")
    'wife'
    """
    words = formula.replace("−", "-").replace("+", " ").replace("-", " - ").split()
    space = count_words()
    known = {word: row for row, word in enumerate(space.words)}
    rows: list[int] = []
    target, sign = np.zeros(space.vectors.shape[1], dtype=np.float32), np.float32(1)
    for word in words:
        if word == "-":
            sign = np.float32(-1)
            continue
        if word.lower() not in known:
            return ""
        rows.append(known[word.lower()])
        target = target + sign * space.units()[rows[-1]]
        sign = np.float32(1)
    return space.words[nearest(space.units(), target, 1, rows)[0]] if len(rows) == 3 and words.count("-") == 1 else ""


def neighbour_of_the_last(formula: str) -> str:
    """The word nearest to the last word of a sum, without any arithmetic; "" if it has no vector.

    >>> neighbour_of_the_last("she - he + son")
    'daughter'
    """
    space, last = count_words(), formula.replace("−", " ").replace("+", " ").replace("-", " ").split()[-1:]
    return space.nearest(last[0], 1)[0][0] if last and last[0].lower() in space.words else ""


def other_words(sentence: str) -> bool:
    """Whether a sentence has no word in common with the one about the cat, and none that begins as its main words do.

    >>> other_words("Kitty is asleep upon a couch."), other_words("Cats are sleeping upon sofas.")
    (True, False)
    """
    begun = re.findall(r"\b(?:cat|sleep|sofa)", sentence.lower())
    return shared_words(CAT, sentence) == 0 and not begun


def nearness_to_the_cat(sentence: str) -> float:
    """The cosine of a sentence with the one about the cat, by the sentence encoder.

    >>> nearness_to_the_cat("Interest rates were raised again.") < 0.2
    True
    """
    one, other = sentence_vectors([CAT, sentence])
    return float(one @ other)


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "07.1", "Rows on paper", difficulty=1, importance=5, minutes=3,
        task="With pencil and paper. A table has four rows, for the ids 0 to 3: `[2, 0, 1]`, `[0, 3, 1]`, `[4, 4, 0]` "
        "and `[1, 5, 2]`. Which list do you get if you multiply the one-hot list `[0, 0, 1, 0]` by this table? And "
        "which one for `[1, 0, 0, 1]`, which has two ones?",
        stub="one_word = [..., ..., ...]\ntwo_words = [..., ..., ...]",
        answer="one_word = [4, 4, 0]\ntwo_words = [3, 5, 3]",
        wrong=(
            Wrong("ids begin at 0, so the third place of the one-hot list belongs to id 2, the third row.",
                  "[4, 4, 0]", "[0, 3, 1]"),
            Wrong("two ones add up two rows, number by number: the first number is 2 + 1.", "[3, 5, 3]", "[2, 0, 1]"),
            Wrong("with two ones the rows are added, not averaged.", "[3, 5, 3]", "[1.5, 2.5, 1.5]"),
        ),
        hints=("Each number of the one-hot list is multiplied by its row. What is left of a row times 0?",
               "`[1, 0, 0, 1]` takes row 0 once and row 3 once, and adds them."),
        explanation="A one-hot list picks its row. With more ones it adds rows, so that several words become one list.",
    ),
    Exercise(
        "07.2", "Cosine", difficulty=2, importance=5, minutes=4,
        task="Write the cosine of two lists `a` and `b` of equal length: their dot product, divided by both lengths.",
        stub="def cosine(a, b):\n    return ...",
        answer="def cosine(a, b):\n    dot = sum(x * y for x, y in zip(a, b))\n"
        "    return dot / (sum(x * x for x in a) ** 0.5 * sum(y * y for y in b) ** 0.5)",
        wrong=(
            Wrong("this is the dot product. Divide it by both lengths.",
                  "dot / (sum(x * x for x in a) ** 0.5 * sum(y * y for y in b) ** 0.5)", "dot"),
            Wrong("a length is the **square root** of the sum of the squares: write `** 0.5` behind the sum.",
                  "(sum(x * x for x in a) ** 0.5 * sum(y * y for y in b) ** 0.5)",
                  "(sum(x * x for x in a) * sum(y * y for y in b))"),
            Wrong("the product is divided by the length of `a` only.", " * sum(y * y for y in b) ** 0.5", ""),
            Wrong("divide by **both** lengths, one times the other, not by their sum.", "0.5 * sum", "0.5 + sum"),
        ),
        hints=("`sum(x * y for x, y in zip(a, b))` is the dot product.",
               "The length of `a` is `sum(x * x for x in a) ** 0.5`. Put brackets around the product of both lengths."),
        inputs=two_lists,
        explanation="A list that is three times as long keeps its cosine with every other list.",
    ),
    Exercise(
        "07.3", "Scores on paper", difficulty=2, importance=4, minutes=3,
        task="With pencil and paper. Softmax makes one word ten times as likely as another. How many times as likely "
        "is it if all scores are **tripled**? If 5 is **added** to all scores? If all scores are **halved**?",
        stub="tripled = ...\nadded = ...\nhalved = ...",
        answer="tripled = 1000\nadded = 10\nhalved = 10**0.5",
        wrong=(
            Wrong("tripled scores do not triple the ratio: `e` to a power three times as large is the ratio cubed.",
                  "tripled = 1000", "tripled = 30"),
            Wrong("adding 5 multiplies **both** numbers by `e` to the power of 5, so their ratio stays.",
                  "added = 10", "added = 15"),
            Wrong("halved scores do not halve the ratio: two such ratios multiplied must give ten.",
                  "halved = 10**0.5", "halved = 5"),
        ),
        hints=("The ratio is `e` to the power of the difference of the two scores. What happens to the difference?",
               "Doubling squares the ratio. So tripling cubes it, and halving takes its square root."),
        tolerance=0.02,
        explanation="Only differences of scores count, and ratios of chances are powers of e.",
    ),
    Exercise(
        "07.4", "Make it say daughter", difficulty=3, importance=3, minutes=3,
        task="A question about the picture. Find a sum of three words, one of them with a minus, whose **first "
        "answer** is *daughter*, where *daughter* does not come without any arithmetic: the caption names the word "
        "that is nearest to the last one alone. Leave the measure at cosine and the box unticked. Then run the box "
        "below, which reads the picture.",
        picture="sums",
        stub="formula = \"she - he + father\"\nmeasure = \"cosine\"\nown = False",
        answer="formula = \"son - father + mother\"\nmeasure = \"cosine\"\nown = False",
        wrong=(
            Wrong("change nothing but the sum: cosine, and the box unticked.", "\"cosine\"", "\"distance\"",
                  lambda formula, measure, own: (measure, own) != ("cosine", False)),
            Wrong("the sum needs three words, one of them with a minus, such as she - he + father.",
                  "son - father + mother", "son + mother", lambda formula, measure, own: not answer_of(formula)),
            Wrong("*daughter* is the nearest word to your last word without any arithmetic, so the step did nothing. "
                  "Begin the step elsewhere.", "son - father + mother", "she - he + son",
                  lambda formula, measure, own: neighbour_of_the_last(formula) == "daughter"),
        ),
        hints=("Daughter is to mother as another word of the family is to father.",
               "Which word is the male one of daughter?"),
        passes=lambda formula, measure, own: (measure, own) == ("cosine", False) and answer_of(formula) == "daughter"
        and neighbour_of_the_last(formula) != "daughter",
        seconds=30, explanation="The plain neighbour of *mother* is *boy*, so here the step did lead somewhere. From "
        "*son*, no step is needed: even many steps between words drawn at random end at *daughter*.",
    ),
    Exercise(
        "07.5", "The same in other words", difficulty=3, importance=3, minutes=5,
        task=f"An open challenge, alone or against others. Write a sentence that has **no word in common** with "
        f"*{CAT}* (and no word that begins with *cat*, *sleep* or *sofa*) and is as near to it as possible for the "
        "sentence encoder. Your score is the cosine. The mark to reach is 0.7.",
        stub="sentence = ...",
        answer='sentence = "Kitty is asleep upon a couch."',
        wrong=(
            Wrong("your sentence has a word in common with the one about the cat. Even *the* and *on* count.",
                  "Kitty is", "The cat is", lambda sentence: shared_words(CAT, sentence) > 0),
            Wrong("a word of yours begins with *cat*, *sleep* or *sofa*. Find another word for it.",
                  "Kitty is asleep upon a couch.", "Cats are sleeping upon sofas.",
                  lambda sentence: shared_words(CAT, sentence) == 0 and not other_words(sentence)),
            Wrong("write a sentence with at least three words.", "Kitty is asleep upon a couch.", "Kitty",
                  lambda sentence: len(sentence.split()) < 3),
        ),
        hints=("Say the same of another word for a cat, another for sleeping, another for a sofa.",
               "*kitty*, *asleep*, *couch*: which small words can stand between them?"),
        passes=lambda sentence: other_words(sentence) and len(sentence.split()) >= 3,
        score=nearness_to_the_cat,
        mark=0.7,
        seconds=30,
        explanation="No word is shared, so a count of common words would give this pair 0.",
    ),
)

QUIZZES = (
    Question(
        "07.b", "A headline says: “king - man + woman = queen. The computer understands what a queen is.” What is "
        "the best answer?",
        (
            Option("True: the sum was computed and came out right",
                   "It comes out in some tables and fails in others: from these speeches it gave netherlands. And the "
                   "three words of the sum were left out by hand; with them, 1 of the "
                   "372 questions of our list comes out right."),
            Option("It shows regular steps between some pairs of words, and depends on how one counts",
                   "For some kinds of question the sum finds the right word more often than the plain neighbour of the "
                   "third word does; for plurals it does not. No more than that was measured.", right=True),
            Option("False: such sums are never right",
                   "They are right for more than a quarter of our questions, among 7,435 words, and far more "
                   "often in the table of a larger model."),
        ),
    ),
    Question(
        "07.c", "For the sentence encoder, “The cat ate the mouse.” and “The mouse ate the cat.” have a cosine of "
        "0.99. Which conclusion is sound?",
        (
            Option("The encoder cannot see the order of words",
                   "The two vectors are not the same, so the order did change something. For the mean of word vectors "
                   "they are exactly the same."),
            Option("The two sentences mean the same",
                   "The mouse would not agree. A cosine says how near two vectors are in one model, and not what is "
                   "true."),
            Option("To this encoder they are about the same topic; who ate whom changes its vector only a little",
                   "It was trained on pairs of sentences that belong together. A high cosine says that two sentences "
                   "belong together, and not that they say the same.", right=True),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "07.a", "Softmax makes “blim” ten times as likely as “wug”. Then all nine scores are doubled. How many times "
        "as likely as “wug” is “blim” now?",
        (
            Option("ten times, as before", "If a number is **added** to all scores, nothing changes. Doubling does "
                   "change something: the scores now lie further apart."),
            Option("twenty times", "Twice the score is not twice the chance: scores are the exponents of e."),
            Option("about a hundred times", "The ratio is e to the power of the difference. The difference is doubled, "
                   "so the ratio is squared: ten times ten.", right=True),
        ),
    ),
)
