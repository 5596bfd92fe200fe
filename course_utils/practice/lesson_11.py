"""Exercises, quizzes and predictions of notebook 11: pretraining."""

import functools
import random

from course_utils.practice.exercises import Exercise, Wrong
from course_utils.practice.questions import Option, Question

DAY = 24 * 60 * 60  # seconds


def a_text(generator: random.Random) -> tuple[list[int], int, int]:
    """Fresh ids of a text, where a window begins, and how many letters the model reads."""
    ids = [generator.randrange(80) for _ in range(generator.randint(12, 30))]
    context = generator.randint(2, 6)
    return ids, generator.randint(1, len(ids) - context - 1), context


def a_training(generator: random.Random) -> tuple[int, int, float]:
    """Fresh numbers of parameters and tokens, and a machine's operations per second."""
    return generator.randint(1, 900) * 10**6, generator.randint(1, 900) * 10**9, generator.randint(1, 900) * 1e12


@functools.lru_cache(maxsize=64)
def theatre_bits(layers: int, width: int, learning_rate: float, steps: int) -> float:
    """Bits a letter that a run of the theatre saves against a blind guess, on unseen plays; it trains."""
    import math

    from course_utils.experiments.theatre import Rehearsal, Stage

    rehearsal = Rehearsal(Stage(layers, width, learning_rate, steps))
    rehearsal.play(lambda: False)
    return math.log2(80) - rehearsal.history.held_out[-1][1]


@functools.lru_cache(maxsize=5)
def sorted_by_kind(moment: int) -> float:
    """For how many letters the nearest one is of the same kind, at a moment of the recorded training."""
    from course_utils.experiments.pretraining import snapshots
    from course_utils.experiments.snapshots import Snapshots

    run = Snapshots(snapshots())
    return run.alike(run.moments[moment])


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "11.1", "A window of text", difficulty=2, importance=5, minutes=4,
        task="Cut one training example out of a text. `ids` is a list of token ids. `window(ids, start, context)` "
        "returns two lists of `context` ids: the **inputs**, which begin at place `start`, and the **targets**, the "
        "token that comes next after each of them.",
        stub="def window(ids, start, context):\n    inputs = ...\n    targets = ...\n    return inputs, targets",
        answer="def window(ids, start, context):\n"
        "    inputs = ids[start : start + context]\n"
        "    targets = ids[start + 1 : start + context + 1]\n"
        "    return inputs, targets",
        wrong=(
            Wrong("inputs and targets are the same. Move the targets one place on: they are what comes next.",
                  "ids[start + 1 : start + context + 1]", "ids[start : start + context]"),
            Wrong("the targets are moved two places. The target of a token is the one right after it.",
                  "ids[start + 1 : start + context + 1]", "ids[start + 2 : start + context + 2]"),
            Wrong("the last input has no target: both lists need `context` ids.",
                  "ids[start + 1 : start + context + 1]", "ids[start + 1 : start + context]"),
            Wrong("the window always begins at place 0. It should begin at `start`.",
                  "inputs = ids[start : start + context]\n    targets = ids[start + 1 : start + context + 1]",
                  "inputs = ids[:context]\n    targets = ids[1 : context + 1]"),
        ),
        hints=("`ids[2:5]` holds the ids at places 2, 3 and 4.",
               "The targets begin at `start + 1` and are as long as the inputs."),
        inputs=a_text, explanation="One window of 64 letters holds 64 examples, and nobody had to label them.",
    ),
    Exercise(
        "11.2", "How much did it read?", difficulty=2, importance=4, minutes=4,
        task="For pencil and paper. A model is trained for 700 steps. In each step it reads 24 windows of 64 letters. "
        "How many letters does it guess in all? The training plays have about 3.6 million letters: how many times over "
        "is that? (One decimal place will do.)",
        stub="letters = ...\ntimes_over = ...",
        answer="letters = 1_075_200\ntimes_over = 0.3",
        wrong=(
            Wrong("this is the number of windows. Each window holds 64 letters.", "letters = 1_075_200",
                  "letters = 16_800", when=lambda letters, times: letters == 16_800),
            Wrong("this counts one window in each step. There are 24.", "letters = 1_075_200", "letters = 44_800",
                  when=lambda letters, times: letters == 44_800),
            Wrong("the other way round: divide the letters that it guessed by the letters that there are.",
                  "times_over = 0.3", "times_over = 3.3", when=lambda letters, times: 3.2 < times < 3.5),
        ),
        hints=("24 windows of 64 letters are 1,536 letters a step.", "700 × 1,536, and then divided by 3,600,000."),
        passes=lambda letters, times: letters == 1_075_200 and 0.25 <= times <= 0.35,
        explanation="It has not even read a third of the plays once. That is why it cannot have learned them by heart.",
    ),
    Exercise(
        "11.3", "Vowels to vowels", difficulty=1, importance=3, minutes=2,
        task="A question about the time machine. The map of the letters' vectors begins as a heap. The caption says "
        "for how many letters the nearest other letter is of the same kind: vowel, consonant or capital. At which "
        "**moment** are the letters sorted best? Then run the box below. It reads the slider.",
        picture="machine",
        stub="moment = 4",
        answer="moment = 2",
        wrong=(
            Wrong("at the start the vectors are random: letters lie where they happen to lie.", "moment = 2",
                  "moment = 0", when=lambda moment: moment == 0),
            Wrong("another moment has a larger share. Go through all five and read the caption.", "moment = 2",
                  "moment = 3", when=lambda moment: sorted_by_kind(moment) < max(map(sorted_by_kind, range(5)))),
        ),
        hints=("It is not the last moment.", "Compare the moments 1, 2 and 3."),
        passes=lambda moment: sorted_by_kind(moment) == max(map(sorted_by_kind, range(5))),
        explanation="Nobody told the model what a vowel is. And more training does not mean more order of *this* kind.",
    ),
    Exercise(
        "11.4", "How many days?", difficulty=2, importance=4, minutes=3,
        task="Write `days(parameters, tokens, speed)`: how many days a training takes. It needs about 6 operations for "
        "each parameter and each token, and the machine does `speed` operations in a second.",
        stub="def days(parameters, tokens, speed):\n    return ...",
        answer="def days(parameters, tokens, speed):\n    return 6 * parameters * tokens / speed / (24 * 60 * 60)",
        wrong=(
            Wrong("these are seconds. A day has 24 × 60 × 60 of them.", " / (24 * 60 * 60)", ""),
            Wrong("the factor 6 is missing: each parameter costs about 6 operations for each token.", "6 * ", ""),
            Wrong("these are hours. Divide by 24 once more.", "(24 * 60 * 60)", "(60 * 60)"),
        ),
        hints=("Operations divided by operations per second are seconds.",
               "`6 * parameters * tokens` operations, divided by `speed`, divided by the seconds of a day."),
        inputs=a_training,
        explanation="With 175 billion parameters and 300 billion tokens, this is the sum behind GPT-3.",
    ),
    Exercise(
        "11.5", "The best 100 steps", difficulty=3, importance=3, minutes=6,
        task="An open challenge with the theatre. Set **steps in all** to 100. Which **layers**, **width** and "
        "**learning rate** make the most of them? Your score is how many bits a letter the trained model saves on "
        "unseen plays, against a blind guess among all 80 letters. With 2 layers, width 64 and learning rate 0.01 that "
        "is 2.67. The mark to reach is 2.9; your best score is kept. The box below reads the sliders and trains "
        "once more.",
        picture="theatre",
        stub="layers = 2\nwidth = 64\nlearning_rate = 0.01\nsteps = 200",
        answer="layers = 1\nwidth = 192\nlearning_rate = 0.003\nsteps = 100",
        wrong=(
            Wrong("set **steps in all** to 100, or the scores cannot be compared.", "steps = 100", "steps = 400",
                  when=lambda layers, width, learning_rate, steps: steps != 100),
            Wrong("a learning rate of 0.1 is too large here: most of what a step learns is thrown over by the next.",
                  "learning_rate = 0.003", "learning_rate = 0.1",
                  when=lambda layers, width, learning_rate, steps: learning_rate == 0.1),
        ),
        hints=("Change one thing at a time. If you make the model wider, try a smaller learning rate too.",
               "Learning rate 0.003 suits width 128 and more."),
        passes=lambda layers, width, learning_rate, steps: steps == 100 and learning_rate < 0.1,
        score=theatre_bits,
        mark=2.9,
        explanation="The same number of steps does not mean the same time: look at the clock too.",
        seconds=240.0,
    ),
)

QUIZZES = (
    Question(
        "11.c", "At the start, a letter of a play that was set aside cost more than 6 bits; after the training it "
        "costs far fewer. What does that show?",
        (
            Option("The model has learned the training plays by heart",
                   "Then it would be good at those and poor at plays that it has never seen."),
            Option("What it learned also holds for text that it has not read",
                   "That is what the unseen plays are for.", right=True),
            Option("The unseen plays were part of the training",
                   "They are six other plays, set aside before the training began."),
        ),
    ),
    Question(
        "11.d", "Two computers train one model together. Each takes half of the windows of a step. What must they send "
        "each other before they change the weights?",
        (
            Option("The text that they have read", "The other one has no use for it: it must know what to change."),
            Option("Their gradients", "With the mean of both, each makes the same change, as if one computer had read "
                   "all the windows.", right=True),
            Option("Nothing: each changes its own copy", "After a few steps they would be two different models."),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "11.a", "The model has not learned anything yet. How many bits does a letter cost it on a play?",
        (
            Option("0 bits", "0 bits would mean that it knows every letter in advance."),
            Option("about 6 bits", "It gives all 80 letters about the same probability, and 1/80 costs log₂ 80 = 6.3 "
                   "bits.", right=True),
            Option("about 80 bits", "80 bits is the price of a letter that got a probability of 1/2 to the power 80. "
                   "A guess spread evenly is much better than that."),
        ),
    ),
    Question(
        "11.b", "In notebook 08, a table that remembers five letters came to 2.18 bits, and an LSTM that was "
        "trained for a minute to 2.41. (The table was counted on all the training plays.) Where will the transformer "
        "be after its forty seconds?",
        (
            Option("above 3 bits", "It passes 3 bits within about ten seconds."),
            Option("between 2.18 and 3 bits",
                   "It comes to where the recurrent networks are, and not as far as the table.", right=True),
            Option("below 2.18 bits, better than the table", "Not yet. The table has counted every letter of 26 plays; "
                   "in forty seconds the transformer reads only a part of them."),
        ),
    ),
)
