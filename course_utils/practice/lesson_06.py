"""Exercises, quizzes and predictions of notebook 06: tokens."""

import functools
import random
import re
from collections import Counter
from itertools import pairwise
from typing import Any

from course_utils.practice.exercises import Exercise, Wrong
from course_utils.practice.questions import Option, Question

WOODCHUCK = "How much wood would a woodchuck chuck if a woodchuck could chuck wood?"


def some_ids(generator: random.Random) -> tuple[list[int]]:
    """Fresh ids in a row, of which one pair of different ids stands there more often than any other."""
    while True:
        ids = generator.choices(range(5, 9), k=generator.randint(6, 14))
        (pair, most), *others = Counter(pairwise(ids)).most_common()
        if others and most > others[0][1] and pair[0] != pair[1]:
            return (ids,)


@functools.lru_cache(maxsize=1)
def gpt2() -> Any:
    """GPT-2's tokenizer."""
    from course_utils.tokenizers import BPETokenizer

    return BPETokenizer.gpt2()


def pieces_of(word: str) -> int:
    """How many tokens GPT-2 makes of a word with the space before it.

    >>> pieces_of("strawberry"), pieces_of("strawberrylike")
    (1, 2)
    """
    return len(gpt2().encode(f" {word}"))


def letters_of_one_token(word: str) -> float:
    """How many letters a word has that is one token.

    >>> letters_of_one_token("strawberry")
    10.0
    """
    if not isinstance(word, str) or not re.fullmatch("[a-z]+", word):
        raise ValueError("give one word in quotes, in small letters from a to z and without a space")
    return float(len(word)) if pieces_of(word) == 1 else 0.0


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "06.1", "The first merge on paper", difficulty=2, importance=5, minutes=4,
        task="For pencil and paper. The text is `banana bandana`, cut into `banana` and `␣bandana`; each of its 14 "
        "characters, the space too, is one byte. Count every pair of neighbours in the two pieces. Which pair stands "
        "there most often? (Write it as two letters in quotes.) And how many tokens are left after it is merged?",
        stub="pair = ...\ntokens_left = ...",
        answer='pair = "an"\ntokens_left = 10',
        wrong=(
            Wrong("`na` stands there 3 times: twice in `banana`, once in `bandana`. Another pair stands there more "
                  "often.", '"an"', '"na"', when=lambda pair, tokens_left: pair == "na"),
            Wrong("this counts the merges, not the tokens. Each merge makes one token of two.", "10", "4",
                  when=lambda pair, tokens_left: tokens_left == 4),
            Wrong("the space counts too: it is a byte, and so a token.", "10", "9",
                  when=lambda pair, tokens_left: tokens_left == 9),
        ),
        hints=("In `banana` the pairs are `ba`, `an`, `na`, `an`, `na`. Now do the same for `␣bandana`.",
               "The pair stands there 4 times. Each time, two tokens become one: 14 minus 4."),
        explanation="The pair `an` stands there 4 times, twice in each word, so 14 tokens become 10.",
    ),
    Exercise(
        "06.2", "Find what to merge", difficulty=2, importance=5, minutes=4,
        task="Write the step that chooses the next merge. `best_pair(ids)` gets a list of ids, and returns the pair of "
        "neighbours that stands in it most often. For `[5, 7, 5, 7, 6]` that is `(5, 7)`.",
        stub="def best_pair(ids):\n    return ...",
        answer="from collections import Counter\nfrom itertools import pairwise\n\n\ndef best_pair(ids):\n"
        "    counts = Counter(pairwise(ids))\n    return max(counts, key=counts.get)",
        wrong=(
            Wrong("this counts single ids. A pair is an id with the one after it: `pairwise(ids)`.",
                  "Counter(pairwise(ids))", "Counter(ids)"),
            Wrong("this is the pair that stands there least often.", "max(counts", "min(counts"),
            Wrong("left and right are exchanged: the id that comes first in the list is the first of the pair.",
                  "max(counts, key=counts.get)", "max(counts, key=counts.get)[::-1]"),
            Wrong("this is how often the pair stands there. The pair itself is wanted.",
                  "max(counts, key=counts.get)", "max(counts.values())"),
        ),
        hints=("`Counter(pairwise(ids))` counts all pairs of neighbours.",
               "`max(counts, key=counts.get)` is the key with the largest count."),
        inputs=some_ids,
        explanation="This step and `merge`, in a loop, are all of the learning.",
    ),
    Exercise(
        "06.3", "When does the wood become one token?", difficulty=2, importance=3, minutes=3,
        task="A question to the picture above. Leave its text as it was. After **how many merges** is `␣wood`, "
        "with its space, one token for the first time? Set the picture so, and run the box below. It reads the "
        "slider.",
        picture="steps",
        stub=f'text = "{WOODCHUCK}"\nmerges = 0',
        answer=f'text = "{WOODCHUCK}"\nmerges = 8',
        wrong=(
            Wrong("bring the woodchuck back first: press **Reset**.", f'"{WOODCHUCK}"', '"wood"',
                  when=lambda text, merges: text != WOODCHUCK),
            Wrong("it is still in pieces. Merge on.", "merges = 8", "merges = 5",
                  when=lambda text, merges: merges < 8),
            Wrong("it is one token already, and was one earlier. Undo a merge, and look.", "merges = 8",
                  "merges = 11", when=lambda text, merges: merges > 8),
        ),
        hints=("Press **Merge** and watch the third word of the text.", "It is between 6 and 10 merges."),
        passes=lambda text, merges: text == WOODCHUCK and merges == 8,
        explanation="The eighth merge joins two pieces that were made before: `␣wo` and `od`.",
    ),
    Exercise(
        "06.4", "What a vocabulary costs", difficulty=2, importance=4, minutes=3,
        task="For pencil and paper, or for Python as a calculator. GPT-2 (the smallest) keeps a row of 768 numbers "
        "for each of its 50,257 tokens. How many numbers is that? And it reads at most 1,024 tokens at a time. If "
        "a token holds 0.7 characters of Japanese, how many characters can it read?",
        stub="numbers_in_the_table = ...\njapanese_characters = ...",
        answer="numbers_in_the_table = 50_257 * 768\njapanese_characters = 1_024 * 0.7",
        wrong=(
            Wrong("each token has a whole row: multiply the tokens by the numbers in a row.", "50_257 * 768",
                  "50_257 + 768", when=lambda table, read: table == 50_257 + 768),
            Wrong("a token holds *less* than one character, so fewer characters than tokens fit: multiply by 0.7.",
                  "1_024 * 0.7", "1_024 / 0.7", when=lambda table, read: abs(read - 1_024 / 0.7) < 1),
        ),
        hints=("The table has 50,257 rows, and each has 768 numbers.",
               "1,024 tokens, each with 0.7 of a character."),
        explanation="38,597,376 numbers, about 31 of every 100 that GPT-2 has (124,439,808); and about 717 characters.",
        tolerance=1e-6,
    ),
    Exercise(
        "06.5", "The longest word in one token", difficulty=3, importance=2, minutes=4,
        task="An open challenge. Find a long English word that GPT-2 reads as **one token** (with the space before "
        "it, as in the middle of a sentence). Your score is the number of its letters. `strawberry` has 10. The mark "
        "to reach is 13; your best score is kept.",
        stub="word = ...",
        answer='word = "international"',
        wrong=(
            Wrong("GPT-2 cuts this word into several tokens, so it counts 0. Try a commoner one.",
                  '"international"', '"incomprehensibilities"',
                  when=lambda word: bool(re.fullmatch("[a-z]+", word)) and pieces_of(word) > 1),
            Wrong("it is one token, but a shorter word than the mark asks for.", '"international"', '"strawberry"'),
        ),
        hints=("Think of words that newspapers use daily: politics, business, science.",
               "`gpt2.tokens` is the list of all tokens. You may search it: `max(..., key=len)`."),
        score=letters_of_one_token,
        mark=13,
        explanation="The longest have 18 letters: *disproportionately* and *telecommunications*.",
        seconds=20.0,
    ),
)

QUIZZES = (
    Question(
        "06.b", "Two tokens exchange their ids, in the tokenizer and in all the texts. Their two rows in the "
        "model's table are exchanged too. What changes in the model's calculation?",
        (
            Option("Nothing", "Each token leads to the same row as before, and the arithmetic sees only rows.",
                   right=True),
            Option("Tokens with larger ids count for more",
                   "An id is never multiplied or added. It says which row to take."),
            Option("Only these two words get another meaning",
                   "They would if the rows stayed where they are. But the rows were exchanged as well."),
        ),
    ),
    Question(
        "06.d", "A model with GPT-2's tokenizer is asked how many r there are in strawberry. Why is that hard?",
        (
            Option("The letters are thrown away, so no model could ever know them",
                   "Nothing is thrown away, because the token can be turned back into its letters. And a model can "
                   "learn from other texts how a word is spelled."),
            Option("The word reaches it as one id, and it must have learned which letters that stands for",
                   "Its input does not show the letters. Whatever it knows of them it learned from other texts.",
                   right=True),
            Option("The word is too rare to have a token",
                   "It has one: with its space it is a single token. That is just what hides its letters."),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "06.a", "Byte-pair encoding reads a million characters of Shakespeare. Which pair is merged first?",
        (
            Option("t and h", "This pair is very frequent, but many words begin with t and another letter."),
            Option("q and u", "After q nearly always comes u, but q is rare. What counts is how often the pair "
                   "stands there."),
            Option("a space and t", "Very many words begin with t: the, to, that, thou, this ...", right=True),
        ),
    ),
    Question(
        "06.c", "The same 64 sentences in English and in Japanese. The Japanese ones have fewer than half as many "
        "characters. How many of GPT-2's tokens do they need?",
        (
            Option("fewer than half as many", "That would be so if a token held as many characters of Japanese."),
            Option("about as many", "The meaning is the same, but the merges were not learned from Japanese."),
            Option("more than twice as many", "A character of Japanese is three bytes, and few merges join them.",
                   right=True),
        ),
    ),
)
