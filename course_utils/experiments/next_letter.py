"""The next letter as a table of counts guesses it from the last few letters, and what such a table writes."""

from dataclasses import dataclass

import numpy as np

from course_utils.models.ngram import AddK, KneserNey, NGramCounts, NGramModel
from course_utils.tokenizers import CharacterTokenizer

ROWS = 7  # letters with a row of their own
MEMORY = 5  # letters that the longest memory holds
WRITTEN = 90  # letters that the model writes on
SMOOTHINGS = ("none", "add one", "Kneser-Ney")


def ngram_model(counts: NGramCounts, order: int, smoothing: str) -> NGramModel:
    """The model of one order with one of `SMOOTHINGS`.

    >>> ngram_model(NGramCounts([0, 1, 0], vocabulary=2, order=2), 1, "none").next_probabilities([])
    array([0.66666667, 0.33333333])
    """
    if smoothing == "Kneser-Ney":
        return KneserNey(counts, order)
    return AddK(counts, order, k=1.0 if smoothing == "add one" else 0.0)


def written(model: NGramModel, ids: list[int], letters: int, seed: int) -> list[int]:
    """So many letters drawn one after another, each with the probabilities that the model gives after those before."""
    dice, text = np.random.default_rng(seed), list(ids)
    for _ in range(letters):
        text.append(int(dice.choice(model.vocabulary, p=model.next_probabilities(text))))
    return text[len(ids) :]


@dataclass(frozen=True)
class Counted:
    """A text whose letters and n-grams are counted."""

    counts: NGramCounts
    tokenizer: CharacterTokenizer


def count_letters(text: str) -> Counted:
    """Count a text with its own letters, up to n-grams of one letter more than the longest memory."""
    tokenizer = CharacterTokenizer.train(text)
    ids = tokenizer.encode(text)
    return Counted(NGramCounts(ids, len(tokenizer), min(MEMORY + 1, len(ids))), tokenizer)


@dataclass(frozen=True)
class NextLetter:
    """What could come next, given the letters that are remembered."""

    before: str  # the beginning without them
    remembered: str
    seen: int  # how often they stand in the text
    letters: tuple[str, ...]  # (rows,) likeliest first; "" is whatever the text does not have
    chances: tuple[float, ...]  # (rows,)
    counts: tuple[int, ...]  # (rows,) how often each came after what is remembered
    rest: float  # the share of all other letters
    possible: int  # letters with a chance
    vocabulary: int
    sample: str  # what the model writes on


def next_letter(counted: Counted, beginning: str, remembers: int, unseen: str, dice: int) -> NextLetter:
    """What could come after a beginning, and what the model writes on.

    Args:
        counted: the text that was learned from.
        beginning: of the text to go on with.
        remembers: letters that the model looks back.
        unseen: what never came gets, one of `SMOOTHINGS`.
        dice: seed of what is written on.

    Raises:
        ValueError: if the text that was learned from is too short for such a memory.
    """
    counts, tokenizer = counted.counts, counted.tokenizer
    if remembers >= counts.order:
        raise ValueError(
            f"Your text has {letters(counts.order)}, too few for a memory of {remembers}: type more, or let it "
            f"remember {counts.order - 1}."
        )
    ids = tokenizer.encode(beginning)
    known = ids[max(0, len(ids) - remembers) :] if remembers else []
    chances = ngram_model(counts, len(known) + 1, unseen).next_probabilities(known)
    best = np.argsort(-chances, kind="stable")[:ROWS].tolist()
    sample = written(ngram_model(counts, remembers + 1, unseen), ids, WRITTEN, dice)
    return NextLetter(
        beginning[: len(ids) - len(known)],
        beginning[len(ids) - len(known) :],
        counts.count(known) if known else int(counts.counts[0].sum()),
        tuple("" if letter == tokenizer.unknown else tokenizer.tokens[letter] for letter in best),
        tuple(chances[best].tolist()),
        tuple(counts.count([*known, letter]) for letter in best),
        max(0.0, 1.0 - float(chances[best].sum())),
        int((chances > 0).sum()),
        counts.vocabulary,
        tokenizer.decode(sample),
    )


def letters(number: int) -> str:
    """A number of letters, in words.

    >>> letters(1), letters(3)
    ('1 letter', '3 letters')
    """
    return "1 letter" if number == 1 else f"{number} letters"
