"""Exercises, quizzes and predictions of notebook 06: tokens."""

import functools
import random
from collections import Counter
from itertools import pairwise
from typing import Any

from course_utils.practice.exercises import Exercise, Wrong
from course_utils.practice.questions import Option, Question

QUESTION, WHOLE = "How many r are in strawberry?", 50_257  # the picture's first text, and its vocabulary
OWN_TOKENS = 20
ANSWER_TOKENS = '" the|e |ou|in|er| a|t |, | of |ar|y |d |an| th|s |or|en|ing|ha| to ".split("|")'


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


def tokens_per_character(text: str) -> float:
    """Tokens of GPT-2 for each character of a text.

    >>> tokens_per_character("Hello world")
    0.18181818181818182
    """
    return len(gpt2().encode(text)) / len(text)


def untouched(tokenizer: str, vocabulary: int) -> bool:
    """Whether the picture shows GPT-2's whole vocabulary."""
    return (tokenizer, vocabulary) == ("byte pairs, GPT-2", WHOLE)


def costly(text: str, tokenizer: str, vocabulary: int) -> bool:
    """Whether a text of 10 to 40 characters takes GPT-2 two tokens or more for each of them."""
    return 10 <= len(text) <= 40 and untouched(tokenizer, vocabulary) and tokens_per_character(text) >= 2


@functools.lru_cache(maxsize=1)
def scene() -> str:
    """4,000 characters of The Tempest, which is no play to learn from."""
    from course_utils import data

    return next(play.text for play in data.plays("test") if play.name == "the-tempest")[2000:6000]


def saved(own_tokens: list[str]) -> float:
    """The share of tokens saved in the scene, where single characters and these pieces are the tokens.

    >>> saved([]), round(saved([" the"]), 4)
    (0.0, 0.0225)
    """
    text, pieces = scene(), {piece for piece in own_tokens if piece}
    fewest = [0]  # the fewest tokens that the first so many characters need
    for end in range(1, len(text) + 1):
        reached = [fewest[end - len(piece)] for piece in pieces if text.endswith(piece, 0, end)]
        fewest.append(1 + min([fewest[-1], *reached]))
    return 1 - fewest[-1] / len(text)


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "06.1", "The first merge on paper", difficulty=2, importance=5, minutes=4,
        task="For pencil and paper. The text is `banana bandana`, cut into `banana` and `␣bandana`; each of its 14 "
        "characters, the space too, is one byte. Count every pair of neighbours in the two pieces. Which pair occurs "
        "most often? (Write it as two letters in quotes.) And how many tokens are left after it is merged?",
        stub="pair = ...\ntokens_left = ...",
        answer='pair = "an"\ntokens_left = 10',
        wrong=(
            Wrong("`na` occurs 3 times: twice in `banana`, once in `bandana`. Another pair occurs more "
                  "often.", '"an"', '"na"', when=lambda pair, tokens_left: pair == "na"),
            Wrong("this counts the merges, not the tokens. Each merge makes one token of two.", "10", "4",
                  when=lambda pair, tokens_left: tokens_left == 4),
            Wrong("the space counts too: it is a byte, and so a token.", "10", "9",
                  when=lambda pair, tokens_left: tokens_left == 9),
        ),
        hints=("In `banana` the pairs are `ba`, `an`, `na`, `an`, `na`. Now do the same for `␣bandana`.",
               "The pair occurs 4 times. Each time, two tokens become one: 14 minus 4."),
        explanation="The pair `an` occurs 4 times, twice in each word, so 14 tokens become 10.",
    ),
    Exercise(
        "06.2", "Find what to merge", difficulty=2, importance=5, minutes=4,
        task="Write the step that chooses the next merge. `best_pair(ids)` gets a list of ids, and returns the pair of "
        "neighbours that occurs in it most often. For `[5, 7, 5, 7, 6]` that is `(5, 7)`.",
        stub="def best_pair(ids):\n    return ...",
        answer="from collections import Counter\nfrom itertools import pairwise\n\n\ndef best_pair(ids):\n"
        "    counts = Counter(pairwise(ids))\n    return max(counts, key=counts.get)",
        wrong=(
            Wrong("this counts single ids. A pair is an id with the one after it: `pairwise(ids)`.",
                  "Counter(pairwise(ids))", "Counter(ids)"),
            Wrong("this is the pair that occurs least often.", "max(counts", "min(counts"),
            Wrong("left and right are swapped: the id that comes first in the list is the first of the pair.",
                  "max(counts, key=counts.get)", "max(counts, key=counts.get)[::-1]"),
            Wrong("this is how often the pair occurs. The pair itself is wanted.",
                  "max(counts, key=counts.get)", "max(counts.values())"),
        ),
        hints=("`Counter(pairwise(ids))` counts all pairs of neighbours.",
               "`max(counts, key=counts.get)` is the key with the largest count."),
        inputs=some_ids,
        explanation="This step and `merge`, in a loop, are all of the learning.",
    ),
    Exercise(
        "06.3", "Read a new word", difficulty=2, importance=4, minutes=3,
        task="For pencil and paper. A tokenizer has learned five merges, in this order: **1.** `e` + `r`, **2.** `l` + "
        "`o`, **3.** `lo` + `w`, **4.** `w` + `er`, **5.** `n` + `e`. It reads a word letter by letter and makes the "
        "merges in their order, each wherever its pair occurs. Which tokens does it make of *lower*, and which of "
        "*newer*?",
        stub="lower = [...]\nnewer = [...]",
        answer='lower = ["low", "er"]\nnewer = ["ne", "wer"]',
        wrong=(
            Wrong("in *lower*, the third merge comes before the fourth. It takes the `w`, so the fourth finds no `w` "
                  "before `er`.", '["low", "er"]', '["lo", "wer"]',
                  when=lambda lower, newer: lower == ["lo", "wer"]),
            Wrong("in *newer*, the first merge makes `er` before any other merge is tried. Which merge then has its "
                  "pair: the fourth?", '["ne", "wer"]', '["ne", "w", "er"]',
                  when=lambda lower, newer: newer == ["ne", "w", "er"]),
            Wrong("no merge makes a whole word of these. Only the five merges of the list can be made.",
                  '["low", "er"]', '["lower"]', when=lambda lower, newer: "lower" in lower or "newer" in newer),
        ),
        hints=("Begin with `l`, `o`, `w`, `e`, `r`. The first merge makes `l`, `o`, `w`, `er` of it.",
               "In *lower*, merges 1, 2 and 3 find their pair. In *newer*, merges 1, 4 and 5 do."),
        explanation="The same letters *wer* are cut in two ways, because a merge that was learned earlier comes first. "
        "So a token's cuts follow from counting, not from meaning.",
    ),
    Exercise(
        "06.4", "The most expensive text", difficulty=2, importance=3, minutes=3,
        task="A question about the first picture of this lesson, at the top. Change **only the text**. Find one of "
        "**10 to 40 characters** that takes **two tokens or more for each character**: the caption must say 0.50 "
        "characters per token, or fewer. Any script, symbol or emoji is allowed. Then come back and run the box below.",
        picture="tokens",
        stub=f'text = "{QUESTION}"\ntokenizer = "byte pairs, GPT-2"\nvocabulary = 50257',
        answer='text = "🦄🦄🦄🦄🦄🦄🦄🦄🦄🦄"\ntokenizer = "byte pairs, GPT-2"\nvocabulary = 50257',
        wrong=(
            Wrong("put tokenizer and vocabulary back: GPT-2 with 50,257 tokens.",
                  "vocabulary = 50257", "vocabulary = 300",
                  when=lambda text, tokenizer, size: not untouched(tokenizer, size)),
            Wrong("the text must have 10 to 40 characters.", "🦄🦄🦄🦄🦄🦄🦄🦄🦄🦄", "🦄🦄🦄",
                  when=lambda text, tokenizer, size: not 10 <= len(text) <= 40),
            Wrong("this text is still too cheap: it takes fewer than two tokens for each character. Which characters "
                  "were rare in the pages that GPT-2 learned from?", "🦄🦄🦄🦄🦄🦄🦄🦄🦄🦄", "Hello, you!",
                  when=lambda text, tokenizer, size: tokens_per_character(text) < 2),
        ),
        hints=("A character of three or four bytes can take up to as many tokens.",
               "Try one emoji, ten times. Or copy a word of Thai, Tamil or Georgian from a web page."),
        passes=costly,
        explanation="What was rare in the text that the merges were learned from stays cut into bytes.",
    ),
    Exercise(
        "06.5", "Twenty tokens of your own", difficulty=3, importance=3, minutes=4,
        task="An open challenge. Choose **twenty pieces of text**, of any length, with or without spaces. Together "
        "with all single characters they are a vocabulary. It is tried on 4,000 characters of *The Tempest*, cut into "
        "as few tokens as possible. Your score is the share of tokens that you save. The mark to reach is 0.14. The "
        "first twenty merges that were learned from Shakespeare above save 0.186: can you beat them?",
        stub="own_tokens = [...]",
        answer=f"own_tokens = {ANSWER_TOKENS}",
        wrong=(
            Wrong("these are single characters, which are tokens already. A piece saves something only if it is "
                  "longer.", ANSWER_TOKENS, 'list("etaoinshrdlucmfwypvb")',
                  when=lambda tokens: len(tokens) == OWN_TOKENS and all(len(piece) < 2 for piece in tokens)),
            Wrong("these are not twenty *different* pieces: at least one of them comes twice.", "| to ", "| the",
                  when=lambda tokens: len(set(tokens)) < len(tokens)),
        ),
        hints=("A piece of two letters that comes up 100 times saves 100 tokens. A piece of ten that comes up 5 times "
               "saves 45.", "The text is verse and prose of a play. Byte-pair encoding must not cross the gap between "
               "two words; you may: `\"e \"` and `\", \"` come up often."),
        passes=lambda tokens: len({*tokens}) == OWN_TOKENS and max(len(piece) for piece in tokens) > 1,
        score=saved,
        mark=0.14,
        explanation="Short pieces that come up all the time save more than long words. The list of the solution "
        "saves 0.207, and it can be beaten.",
        seconds=5.0,
    ),
)

QUIZZES = (
    Question(
        "06.b", "Two tokens swap ids, in the tokenizer and in all the texts. Their two rows in the "
        "model's table are swapped too. What changes in the model's calculation?",
        (
            Option("Nothing", "Each token leads to the same row as before, and the arithmetic sees only rows.",
                   right=True),
            Option("Tokens with larger ids count for more",
                   "An id is never multiplied or added. It says which row to take."),
            Option("Only these two words get another meaning",
                   "They would if the rows had stayed where they were. But the rows were swapped as well."),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "06.a", "Byte-pair encoding reads a million characters of Shakespeare. Which pair is merged first?",
        (
            Option("t and h",
                   "Very nearly: it occurs 19,925 times, a space and t 20,361 times. Many words begin with t and "
                   "another letter, and many have a th inside, but not quite as many."),
            Option("q and u", "After q nearly always comes u, but q is rare. What counts is how often the pair "
                   "occurs."),
            Option("a space and t", "Very many words begin with t: the, to, that, thou, this ...", right=True),
        ),
    ),
    Question(
        "06.c", "One learner reads GPT-2's tokens, and learns from 10,000 words. In how many of 2,000 new words does "
        "it then count the r's right? (Half of them have no r, so always saying 0 is right for half of them.)",
        (
            Option("about half: it learns nothing that helps",
                   "It learns a little: some new words are made of pieces that it has met."),
            Option("about 70 of 100", "A piece such as `er` has a knob that was learned from other words. But the "
                   "token of a word that it never met tells it nothing.", right=True),
            Option("nearly all",
                   "That would be so if the tokens showed their letters. For the other learner, they do."),
        ),
    ),
    Question(
        "06.d", "The same 64 sentences in English and in Japanese. The Japanese ones have fewer than half as many "
        "characters. How many of GPT-2's tokens do they need?",
        (
            Option("fewer than half as many", "That would be so if a token held as many characters of Japanese."),
            Option("about as many", "The meaning is the same, but the merges were not learned from Japanese."),
            Option("more than twice as many", "A character of Japanese is three bytes, and few merges join them.",
                   right=True),
        ),
    ),
)
