"""Exercises, quizzes and predictions of notebook 12: sampling."""

import math
import random

from course_utils.practice.exercises import Exercise, Wrong, numbers
from course_utils.practice.questions import Option, Question


def distribution(generator: random.Random, count: int = 5) -> list[float]:
    """Fresh probabilities in no order, all different, that sum to 1."""
    shares = generator.sample(range(5, 60), count)
    return [share / sum(shares) for share in shares]


ANIMAL = "My favourite animal is the"
HALF = (0.514, 0.587)  # temperatures at which SmolLM2's likeliest animal has 45 to 55 %; a test holds them to the model
SURE = (0.8, 0.12, 0.02, 0.015, 0.012, 0.011, 0.009, 0.007, 0.006)  # two sensible words, then seven that are not
OPEN = (0.24, 0.2, 0.16, 0.13, 0.1, 0.08, 0.04, 0.03, 0.02)  # six sensible words, then three that are not
NONSENSE_COSTS = 10.0  # bits for a share of 1: one bit for each tenth


def untouched(prompt: str, temperature: float, top_k: int, top_p: float, min_p: float) -> bool:
    """Whether the picture shows the exercise's prompt, with nothing cut, at a temperature that it can have."""
    return (prompt, top_k, top_p, min_p) == (ANIMAL, 0, 1.0, 0.0) and temperature >= 0


def variety(temperature: float, top_k: int, top_p: float, min_p: float) -> float:
    """Mean entropy in bits of the two lists after these settings, less what their nonsense costs.

    >>> round(variety(1.0, 0, 1.0, 0.0), 1), round(variety(1.0, 0, 0.9, 0.0), 1)
    (1.1, 1.5)
    """
    import torch

    from course_utils.sampling import warp

    total = 0.0
    for chances, sensible in ((SURE, 2), (OPEN, 6)):
        after = warp(torch.tensor(chances).log(), temperature, top_k, top_p, min_p).softmax(0)
        total += float(torch.special.entr(after).sum()) / math.log(2) - NONSENSE_COSTS * float(after[sensible:].sum())
    return total / 2


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "12.1", "Bits on paper", difficulty=1, importance=4, minutes=3,
        task="For pencil and paper. A text of three tokens was drawn. The first token had a probability of 1/2, the "
        "second 1/4, and the third 1/8. How likely was it that exactly this text would be drawn, and how many bits of "
        "surprise does it have in all? (Write a fraction as Python does, such as `1 / 3`.)",
        stub="text_probability = ...\ntext_bits = ...",
        answer="text_probability = 1 / 64\ntext_bits = 6",
        wrong=(
            Wrong("the probabilities are added. But each of the three draws must come out right: a half of a quarter "
                  "of an eighth, so multiply.", "1 / 64", "7 / 8",
                  when=lambda probability, bits: abs(probability - 7 / 8) < 1e-6),
            Wrong("this is the average for one token. The text has three tokens, and their bits add up.",
                  "text_bits = 6", "text_bits = 2"),
            Wrong("64 is how many equally likely texts there would be. Count how often 1 must be halved to reach "
                  "1/64.", "text_bits = 6", "text_bits = 64"),
        ),
        hints=("A half of a quarter is an eighth. What is an eighth of that?",
               "1/2 is 1 bit, 1/4 is 2 bits, 1/8 is 3 bits. The bits of a text add up."),
        explanation="Probabilities multiply and bits add: 1/64 is 1 halved six times.",
        tolerance=1e-6,
    ),
    Exercise(
        "12.2", "A favourite with half of the draws", difficulty=1, importance=4, minutes=3,
        task="In the picture above, move only the **temperature**. Find a setting at which the likeliest token has "
        "between **45 %** and **55 %**. Then run the box below. It reads the sliders.",
        picture="warm",
        stub=f'prompt = "{ANIMAL}"\ntemperature = 1.0\ntop_k = 0\ntop_p = 1.0\nmin_p = 0.0',
        answer=f'prompt = "{ANIMAL}"\ntemperature = 0.55\ntop_k = 0\ntop_p = 1.0\nmin_p = 0.0',
        wrong=(
            Wrong("the likeliest token has less than 45 %. Which way must the temperature go to make it gain?",
                  "temperature = 0.55", "temperature = 0.8", when=lambda *now: untouched(*now) and now[1] > HALF[1]),
            Wrong("the likeliest token has more than 55 %. Go back a little.", "temperature = 0.55",
                  "temperature = 0.3", when=lambda *now: untouched(*now) and now[1] < HALF[0]),
            Wrong("set **top-k**, **top-p** and **min-p** back to where nothing is cut away (0, 1 and 0).",
                  "top_k = 0", "top_k = 3", when=lambda *now: now[0] == ANIMAL and now[2:] != (0, 1.0, 0.0)),
        ),
        hints=("Below 1, the likely tokens gain.", "It lies between 0.5 and 0.6."),
        passes=lambda *now: untouched(*now) and HALF[0] <= now[1] <= HALF[1],
        explanation="At temperature 1 this token had about 11 %. No other knob was touched.",
    ),
    Exercise(
        "12.3", "Softmax with a temperature", difficulty=2, importance=5, minutes=5,
        task="Turn logits into probabilities: divide each by the temperature, take `math.exp`, and divide by the sum.",
        stub="def softmax(logits, temperature):\n    return ...",
        answer="import math\n\n\ndef softmax(logits, temperature):\n"
        "    raised = [math.exp(logit / temperature) for logit in logits]\n"
        "    return [number / sum(raised) for number in raised]",
        wrong=(
            Wrong("the temperature works the wrong way round: a high one must make the probabilities more equal, so "
                  "divide by it.", "logit / temperature", "logit * temperature"),
            Wrong("these do not sum to 1: divide each by the sum of all.", "number / sum(raised)", "number"),
            Wrong("the temperature is applied after the exponential, where it cancels when you divide by the sum; "
                  "apply it to the logits.", "math.exp(logit / temperature)", "math.exp(logit) / temperature"),
            Wrong("the logits themselves are divided by their sum; without `math.exp` some come out negative.",
                  "math.exp(logit / temperature)", "logit / temperature"),
        ),
        hints=("First a list of `math.exp(logit / temperature)`.",
               "Then each of them divided by `sum(...)` of that list."),
        inputs=lambda r: (numbers(r, r.randint(3, 5), -4, 4), r.choice([0.4, 0.5, 0.7, 1.5, 2.0, 2.5])),
        explanation="The temperature divides differences between logits: halve it, and every ratio of probabilities is "
        "squared.",
    ),
    Exercise(
        "12.4", "Varied, and still sensible", difficulty=3, importance=4, minutes=5,
        task="An open challenge. Two beginnings, one setting for both. After the first, a model gives two sensible "
        "words 80 and 12 %, and seven senseless ones 2, 1.5, 1.2, 1.1, 0.9, 0.7 and 0.6 %. After the second, it gives "
        "six sensible words 24, 20, 16, 13, 10 and 8 %, and three senseless ones 4, 3 and 2 %. Choose the four knobs "
        "so that draws are varied and sensible. Your score is the entropy after the knobs, in bits, minus 1 bit for "
        "each 10 % of senseless draws, averaged over the two beginnings. The mark to reach is 1.6; your best score is "
        "kept.",
        stub="temperature, top_k, top_p, min_p = ..., ..., ..., ...",
        answer="temperature, top_k, top_p, min_p = 2.0, 6, 1.0, 0.35",
        wrong=(
            Wrong("nothing is cut away here, and some of the draws are senseless at every temperature above 0. Try one "
                  "of the cuts.", "6, 1.0, 0.35", "0, 1.0, 0.0",
                  when=lambda heat, *cuts: heat > 0 and cuts == (0, 1.0, 0.0)),
            Wrong("at temperature 0 every draw is the same: no variety at all.", "2.0, 6", "0.0, 6",
                  when=lambda heat, *cuts: heat == 0),
        ),
        hints=("Start at temperature 1 with one cut, and see how far it gets.",
               "Two cuts can work together: one for each beginning. Then turn up the temperature."),
        passes=lambda heat, *cuts: heat > 0 and cuts != (0, 1.0, 0.0),
        score=variety,
        mark=1.6,
        explanation="Why heat can help here: it evens out what the cuts leave. Top-k counts by rank, so no heat brings "
        "the tail back. With exactly the two and the six sensible words left, all equally likely, it would be 1.79.",
    ),
)

QUIZZES = (
    Question(
        "12.c", "Temperature and maximum length are often listed as hyperparameters: numbers that people choose for "
        "the training of a model. Are they?",
        (
            Option("Yes, a model is trained at a temperature",
                   "Training uses the scores as they are, which is temperature 1. Moving the slider later changes none "
                   "of the model's 134,515,008 numbers."),
            Option("No, they belong to the loop that picks tokens",
                   "Temperature acts on the scores after the model has given them, and the maximum length counts the "
                   "tokens. You can change both while a text is written.", right=True),
            Option("Only the maximum length is",
                   "The number of tokens a model can read at once, its context, is set when it is built and trained. "
                   "The maximum length of an answer is a counter in the loop."),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "12.a", "At temperature 1, one token is ten times as likely as another. At temperature 2 it is ...",
        (
            Option("five times as likely",
                   "That would halve the ratio. The temperature divides the **logits**, not the probabilities."),
            Option("about three times as likely",
                   "Dividing logits by 2 halves every difference between them, and the exponential turns half a "
                   "difference into the square root of the ratio: √10 is about 3.2.", right=True),
            Option("twenty times as likely",
                   "A high temperature makes draws more daring: the likely token loses its lead, it does not gain."),
        ),
    ),
    Question(
        "12.b", "After “I went to the market and bought”, greedy writing goes on for 40 tokens. You will see ...",
        (
            Option("many different sentences, but dull ones",
                   "Greedy takes the most likely token at every step, and what is already in the text soon becomes the "
                   "most likely."),
            Option("one sentence again and again",
                   "A sentence that is already in the text makes itself more likely, and greedy has no way out of the "
                   "circle. Holtzman et al. (2020) called it neural text degeneration.", right=True),
            Option("an early end",
                   "To end, the model would have to find its stop token the most likely one. In these 40 tokens that "
                   "never happens."),
        ),
    ),
)
