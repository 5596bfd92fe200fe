"""Attention on a case small enough for paper: each step of the calculation kept, so that each can be shown."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_utils.wording import percent, plain

MOST_WORDS, MOST_NUMBERS, LARGEST = 4, 4, 10  # words, numbers in a list, and size of a number that fit the picture
Numbers = NDArray[np.float64]


def read_lists(text: str, name: str, words: int) -> Numbers:
    """One list of numbers for each word, as they are typed: numbers apart by spaces, lists by semicolons.

    Args:
        text: such as ``"2 0; 0 1"``.
        name: of the field, for the sentence about a mistake.
        words: how many lists there must be.

    Returns:
        ``(words, numbers)``.

    Raises:
        ValueError: if it cannot be read so, or the numbers are too many or too large.

    >>> read_lists("2 0; 0 -1.5", "keys", words=2).tolist()
    [[2.0, 0.0], [0.0, -1.5]]
    """
    lists = [part.replace(",", " ").split() for part in text.strip().strip(";").split(";")]
    try:
        rows = [[float(number) for number in part] for part in lists]
    except ValueError:
        wrong = next(number for part in lists for number in part if not _is_number(number))
        raise ValueError(f"{name}: {wrong!r:.40} is not a number. Type lists like 2 0; 0 1.") from None
    if len(rows) != words:
        lists_now = "1 list" if len(rows) == 1 else f"{len(rows)} lists"
        raise ValueError(f"{name}: {lists_now} for {words} words. Give each word its list, and a ; between two lists.")
    sizes = {len(row) for row in rows}
    if len(sizes) > 1 or not 1 <= max(sizes) <= MOST_NUMBERS:
        raise ValueError(f"{name}: all lists need the same length, from 1 to {MOST_NUMBERS} numbers.")
    numbers = np.array(rows)
    if not (np.abs(numbers) <= LARGEST).all():
        raise ValueError(f"{name}: a number is outside -{LARGEST} to {LARGEST}; smaller ones fit the picture.")
    return numbers


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Worked:
    """Attention of a few words, with everything that comes up on the way."""

    words: tuple[str, ...]
    queries: Numbers  # (words, numbers), as keys
    keys: Numbers
    values: Numbers  # (words, numbers of a value)
    divide: bool  # whether the scores are divided by the square root of the numbers in a query
    hide: bool  # whether later words are hidden
    row: int  # the word whose calculation is shown

    @property
    def root(self) -> float:
        """What the dot products are divided by."""
        return math.sqrt(self.queries.shape[1]) if self.divide else 1.0

    @property
    def dots(self) -> Numbers:
        """``(words, words)``: the dot product of each word's query with each word's key."""
        return self.queries @ self.keys.T

    @property
    def scores(self) -> Numbers:
        """``(words, words)``: the dot products after the division."""
        return self.dots / self.root

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """``(words, words)``: which words each word may not look at."""
        return np.triu(np.full(self.dots.shape, self.hide), k=1)

    @property
    def powers(self) -> Numbers:
        """``(words, words)``: e to the power of each score, and 0 where a word is hidden."""
        return np.where(self.hidden, 0.0, np.exp(self.scores))

    @property
    def weights(self) -> Numbers:
        """``(words, words)``: each row sums to 1."""
        return self.powers / self.powers.sum(axis=1, keepdims=True)

    @property
    def results(self) -> Numbers:
        """``(words, numbers of a value)``: what each word takes along: the weighted mean of the values."""
        return self.weights @ self.values

    def described(self) -> str:
        """The row that is worked out, its weights, and its result."""
        weights = self.weights[self.row]
        seen = [at for at in range(len(self.words)) if not self.hidden[self.row, at]]
        told = ", ".join(f"{percent(weights[at])} from {self.words[at]}" for at in seen)
        return f"{self.words[self.row]} takes {told}. Its result is {listed(self.results[self.row])}."


def listed(numbers: Numbers) -> str:
    """A list of numbers as a reader wants it: no decimals where there are none.

    >>> listed(np.array([2.0, -0.5, 0.333]))
    '(2, −0.50, 0.33)'
    """
    return f"({', '.join(map(short, numbers))})"


def short(number: float) -> str:
    """A number in few signs.

    >>> short(2.0), short(-0.25), short(7.389), short(123456.7)
    ('2', '−0.25', '7.39', '1.23e+05')
    """
    if abs(number) >= 1e4:
        return f"{number:.2e}"
    return plain(number, 0) if number == round(number) else plain(number)
