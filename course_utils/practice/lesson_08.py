"""Exercises, quizzes and predictions of notebook 08: sequence models."""

import functools
import math
import random
from typing import Any

from course_utils.practice.exercises import Exercise, Wrong
from course_utils.practice.questions import Option, Question

WORDS = "a and ate cat dog fish for go have in it mouse not of on store that the to was with you".split()
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def some_words(generator: random.Random) -> tuple[list[str], int]:
    """Fresh words in a row, some of them twice, and how many are remembered."""
    memory = generator.randint(1, 4)
    return generator.choices(WORDS, k=generator.randint(memory + 2, 9)), memory


def moved(scale: float, distance: int) -> float:
    """How much a letter so far back moves the plain network's state, as the picture has it."""
    from course_utils.experiments.distance import gradient_by_distance

    return float(gradient_by_distance("rnn", 60, scale=scale)[distance])


@functools.lru_cache(maxsize=1)
def guesses() -> Any:
    """What memories of 0 to 4 letters, counted on a part of the plays, gave each of 20,000 letters of unseen ones."""
    import numpy as np

    from course_utils.experiments.language_models import characters, play_ids
    from course_utils.models.ngram import AddK, NGramCounts

    counts = NGramCounts(play_ids("train")[:200_000].numpy(), len(characters()), 5)
    unseen = play_ids("validation")[:20_000].numpy()
    return np.stack([AddK(counts, order, k=0.01).probabilities(unseen) for order in range(1, 6)])


def saved(*shares: float) -> float:
    """Bits per letter that a mixture of the five memories saves against a blind guess among all 80 letters.

    >>> round(saved(0, 0, 0, 1, 0), 2), round(saved(1, 1, 1, 1, 1), 2)
    (3.22, 3.3)
    """
    import numpy as np

    if not min(shares) >= 0 or not 0 < sum(shares) < math.inf:
        raise ValueError("shares must be 0 or more, and not all of them 0")
    mixture = np.array(shares) / sum(shares) @ guesses()
    return math.log2(80) + float(np.log2(mixture).mean()) if mixture.min() > 0 else -math.inf


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "08.1", "Labels for free", difficulty=2, importance=5, minutes=4,
        task="Turn a list of `words` into training examples for a model that remembers `memory` words. Each example is "
        "a list: the remembered words, and then the word to guess. With the words of *I have to go* and a memory of "
        '2, the examples are `["I", "have", "to"]` and `["have", "to", "go"]`.',
        stub="def examples(words, memory):\n    return ...",
        answer="def examples(words, memory):\n"
        "    return [words[at - memory : at + 1] for at in range(memory, len(words))]",
        wrong=(
            Wrong("the last word is never guessed. `range(memory, len(words))` stops before `len(words)` by itself.",
                  "len(words))", "len(words) - 1)"),
            Wrong("the word to guess is missing: each list holds only the remembered words.",
                  "at + 1]", "at]"),
            Wrong("each list remembers the whole beginning of the text. It should remember only the last `memory` "
                  "words.", "words[at - memory : at + 1]", "words[: at + 1]"),
        ),
        hints=("`words[2:5]` is the list of the words number 2, 3 and 4, counted from 0.",
               "The word to guess has a number `at` from `memory` to the end. The words before it begin at "
               "`at - memory`."),
        inputs=some_words,
        explanation="Nobody wrote a label: the text itself says what comes next.",
    ),
    Exercise(
        "08.2", "Bits and choices on paper", difficulty=2, importance=5, minutes=4,
        task="For pencil and paper. A model guesses a text of three letters. It gave the first letter that came a "
        "probability of 1/2, the second 1/32, and the third 1/8. What is its cross-entropy, in bits per letter, and "
        "what is its perplexity?",
        stub="cross_entropy = ...\nperplexity = ...",
        answer="cross_entropy = 3\nperplexity = 8",
        wrong=(
            Wrong("this is the sum of the bits. The cross-entropy is their mean, so divide by the three letters.",
                  "cross_entropy = 3", "cross_entropy = 9", when=lambda bits, choices: abs(bits - 9) < 1e-6),
            Wrong("perplexity is 2 to the power of the bits: neither 2 times the bits nor their square.",
                  "perplexity = 8", "perplexity = 6",
                  when=lambda bits, choices: abs(bits - 3) < 1e-6 and min(abs(choices - 6), abs(choices - 9)) < 1e-6),
            Wrong("2 to the power of the bits of the *whole text* is 512. Take the bits of one letter.",
                  "perplexity = 8", "perplexity = 512", when=lambda bits, choices: abs(choices - 512) < 1e-6),
        ),
        hints=("How often must 1 be halved to give 1/2, 1/32 and 1/8? That many bits each letter costs.",
               "The mean is the sum divided by three. The perplexity is 2 to the power of the mean."),
        explanation="On average the model is as unsure as someone who must choose among 8 equally likely letters.",
        tolerance=1e-6,
    ),
    Exercise(
        "08.3", "A memory of one number", difficulty=2, importance=4, minutes=4,
        task="Write one step of a recurrent memory. The state is **how many letters the present word has so far**. "
        "`remember(state, letter)` gets the old state and the next letter, and returns the new state. A space ends a "
        "word, so after it the state is 0.",
        stub="def remember(state, letter):\n    return ...",
        answer='def remember(state, letter):\n    return 0 if letter == " " else state + 1',
        wrong=(
            Wrong("a space must set the state back to 0: the next word begins with nothing.",
                  '0 if letter == " " else state + 1', "state + 1"),
            Wrong("after a space the state is 0, not 1: the space does not belong to the next word.",
                  "return 0 if", "return 1 if"),
            Wrong("the old state is not used, so this memory is one letter long: it cannot count past 1.",
                  "state + 1", "1"),
        ),
        hints=('`0 if letter == " " else ...` is 0 for a space, and something else for any other letter.',
               "For any other letter, the word is one longer than it was."),
        inputs=lambda r: (r.randint(0, 12), r.choice([" ", r.choice(LETTERS)])),
        explanation="One number, and it counts a word of any length. A table of the last five letters cannot: after "
        "five letters without a space, it no longer knows how many there were.",
    ),
    Exercise(
        "08.4", "Neither fading nor exploding", difficulty=3, importance=4, minutes=3,
        task="A question about the picture above. Stay with the **RNN**. Find recurrent weights with which a letter "
        "moves the state **between 1/10 and 10 times** as much as the newest one, **both 20 and 60 steps back**. Put "
        "the slider to 20, then to 60, and read the caption. Then run the box below.",
        picture="fade",
        stub='cell = "RNN"\nscale = 1.0\ndistance = 20',
        answer='cell = "RNN"\nscale = 2.75\ndistance = 60',
        wrong=(
            Wrong("choose the **RNN** again, and put **steps back** to 20 or to 60.", 'cell = "RNN"', 'cell = "LSTM"',
                  when=lambda cell, scale, distance: cell != "RNN" or distance not in (20, 60)),
            Wrong("20 steps back, the letter moves the state less than 1/10 as much. Larger weights hand back more.",
                  "scale = 2.75", "scale = 2.0", when=lambda cell, scale, distance: moved(scale, 20) < 0.1),
            Wrong("20 steps back it fits, but 60 steps back less than 1/10 is left.", "scale = 2.75", "scale = 2.5",
                  when=lambda cell, scale, distance: moved(scale, 20) >= 0.1 > moved(scale, 60)),
            Wrong("60 steps back, the letter moves the state more than 10 times as much. Take smaller weights.",
                  "scale = 2.75", "scale = 3.0", when=lambda cell, scale, distance: moved(scale, 60) > 10),
        ),
        hints=("The factor 1 is far too small. Go up.", "It lies between 2.5 and 3."),
        passes=lambda cell, scale, distance: cell == "RNN" and distance in (20, 60)
        and all(0.1 <= moved(scale, at) <= 10 for at in (20, 60)),
        explanation="Of all places of the slider only one fits, and training moves the weights all the time.",
    ),
    Exercise(
        "08.5", "Mix five memories", difficulty=3, importance=3, minutes=4,
        task="An open challenge. Five tables were counted on 200,000 letters of the plays, with 0.01 added to every "
        "count; they remember 0, 1, 2, 3 and 4 letters. Their guesses are mixed: each table's probability counts with "
        "the share that you give it. (The shares need not sum to 1; the check divides by their sum.) Your score is how "
        "many bits per letter the mixture saves on unseen letters, against a blind guess among all 80. The best single "
        "table, memory 3, saves 3.22: with so little text, and without help from shorter memories, a longer one has "
        "too many gaps. The mark to reach is 3.49; your best score is kept.",
        stub="memory_0, memory_1, memory_2, memory_3, memory_4 = ..., ..., ..., ..., ...",
        answer="memory_0, memory_1, memory_2, memory_3, memory_4 = 0, 10, 20, 40, 30",
        wrong=(
            Wrong("only one table has a share. What does it do when it has never seen its letters before? Give the "
                  "shorter memories a share too.", "0, 10, 20, 40, 30", "0, 0, 0, 1, 0",
                  when=lambda *shares: sum(share > 0 for share in shares) == 1),
            Wrong("shares must be 0 or more, and not all 0.", "0, 10, 20, 40, 30", "0, 0, 0, 0, 0",
                  when=lambda *shares: min(shares) < 0 or sum(shares) == 0),
        ),
        hints=("Begin with equal shares. Then move some from the shortest memory to memory 3.",
               "Memory 3 deserves the most, memory 4 somewhat less, memory 0 next to nothing."),
        passes=lambda *shares: min(shares) >= 0 and sum(share > 0 for share in shares) > 1,
        score=saved, mark=3.49,
        explanation="The best that five fixed shares can do is 3.51. Kneser-Ney, whose shares depend on how often the "
        "remembered letters were seen, saves 3.54 with the same memories.",
        seconds=30.0,
    ),
)

QUIZZES = (
    Question(
        "08.d", "After 300 steps of training, the LSTM named no better than by chance what stood 10 tokens back. What "
        "may you conclude?",
        (
            Option("An LSTM cannot remember anything across 10 tokens",
                   "This run says nothing about what a longer training would reach; and the LSTM whose keep gate "
                   "starts open did it at 10 and 20 tokens."),
            Option("With these settings it was not learned in 300 steps",
                   "That is all that was measured: one width, one learning rate, one length of training, three seeds.",
                   right=True),
            Option("The task is too hard for any network",
                   "Attention learned it at every distance, in as many steps."),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "08.a", "The table remembers 0, 1, 2, ... 5 letters, and after each memory every letter gets one extra count. "
        "What happens to its bits per letter on unseen plays?",
        (
            Option("They fall with every letter that it remembers",
                   "Not even on the plays that were counted: with five letters, most memories came only a few times, "
                   "and 80 extra counts swamp those."),
            Option("They fall at first, and then rise",
                   "A longer memory knows more, but each memory occurred fewer times, and the 80 extra counts "
                   "swamp the real ones.", right=True),
            Option("They rise with every letter that it remembers",
                   "With no memory at all it knows only how often each letter comes. One letter of memory is a great "
                   "help: after a q comes a u."),
        ),
    ),
    Question(
        "08.b", "In an untrained plain network, how much does a letter 20 steps back still move the state, compared "
        "with the newest letter?",
        (
            Option("about a tenth as much", "That would need a factor of about 0.9 at each step. It is far smaller."),
            Option("about a thousandth as much", "That would need a factor of about 0.7 at each step. It is smaller."),
            Option("less than a millionth as much",
                   "Each step back multiplies by a factor of somewhat less than a half, and 20 such factors make a "
                   "very small number.", right=True),
        ),
    ),
    Question(
        "08.c", "Each model was trained for 300 steps. With 40 tokens between the value and the question, which ones "
        "name the value?",
        (
            Option("all of them", "For a state that is written anew at every token, 40 tokens are a long way."),
            Option("both kinds of LSTM, and attention",
                   "Even the LSTM that starts with an open keep gate did not learn it at 40 tokens in 300 steps."),
            Option("only attention",
                   "It looks at the value directly, however many tokens lie between.", right=True),
        ),
    ),
)
