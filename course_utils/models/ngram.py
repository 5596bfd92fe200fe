r"""N-gram language models: guess the next token from the last few, by counting what followed them before.

An n-gram is n tokens in a row. A model of order n looks at the n - 1 tokens before the next one (its *history*) and at
how often each token followed that history in the training text. Most histories are rare, so the counts are *smoothed*:

* `AddK` pretends that every token followed every history k more times (Laplace took k = 1).
* `KneserNey` takes a little from every count and gives it to the model of the next lower order, and lower orders count
  *in how many different histories* a token came, not how often (Kneser & Ney 1995; the interpolated form and its
  notation: Chen & Goodman 1999, section 2.7). "Francisco" is frequent, but only after "San".

The text is counted once, for all orders; models of any order and smoothing then share the counts.

>>> text = "the cat ate the mouse. the cat ate the fish. "
>>> letters = sorted(set(text))
>>> counts = NGramCounts([letters.index(letter) for letter in text], vocabulary=len(letters), order=4)
>>> model = KneserNey(counts)
>>> probabilities = model.next_probabilities([letters.index(letter) for letter in "the ca"])
>>> letters[probabilities.argmax()], round(float(probabilities.sum()), 6)
('t', 1.0)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from course_utils.models.decoding import Texts

Ids = NDArray[np.int64]
MAX_ORDER = 16
USUAL_DISCOUNT = 0.75  # where a text is too short to estimate one


class NGramCounts:
    """How often every n-gram of 1 to ``order`` tokens stands in a text.

    The n-grams of each order are numbered in the order of the alphabet. An n-gram's *key* is the number of its first
    n - 1 tokens times the vocabulary plus its last token, so one sorted array of keys for each order holds them all, an
    n-gram is found by halving, and all that followed one history stands side by side.

    Args:
        ids: ``(tokens,)``, the text, each from 0 to ``vocabulary - 1``.
        vocabulary: how many different tokens there are.
        order: the longest n-grams to count.

    Memory: 24 bytes for each different n-gram, and while counting about 50 bytes for each token of the text. The 3.6
    million characters of the training plays at order 6 take 3 seconds and 18 MB, and 180 MB while counting.

    Raises:
        ValueError: if an id is not in the vocabulary, the text is shorter than the order, or the order is not possible.

    >>> counts = NGramCounts([0, 1, 0, 1, 1], vocabulary=2, order=2)
    >>> counts.count([0, 1]), counts.count([1, 1]), counts.count([0, 0])
    (2, 1, 0)
    >>> counts.distinct(2)
    3
    """

    def __init__(self, ids: ArrayLike, vocabulary: int, order: int):
        if vocabulary < 1 or not 1 <= order <= MAX_ORDER:
            raise ValueError(f"vocabulary={vocabulary} must be 1 or more, and order={order} from 1 to {MAX_ORDER}.")
        self.vocabulary, self.order = vocabulary, order
        text = self.checked(ids)
        if len(text) < order:
            raise ValueError(f"{len(text)} tokens are too few for n-grams of {order}; give more text or a lower order.")
        self.keys: list[Ids] = []  # [n - 1]: sorted, one for each different n-gram
        self.counts: list[Ids] = []  # [n - 1]: how often it stands in the text
        self.left: list[Ids] = []  # [n - 1]: how many different tokens stand before it
        shorter = np.zeros(len(text) + 1, dtype=np.int64)  # the number of the (n - 1)-gram that ends before each token
        for n in range(1, order + 1):
            key = shorter[: len(text) - n + 1] * vocabulary + text[n - 1 :]  # (tokens - n + 1,)
            order_of_keys = np.argsort(key, kind="stable")
            in_order = key[order_of_keys]
            starts = np.flatnonzero(np.diff(in_order, prepend=-1))  # where another key begins
            counts = np.diff(starts, append=len(key))
            self.keys.append(in_order[starts])
            self.counts.append(counts)
            if n > 1:  # without its first token, each different n-gram is one different left neighbour of an (n-1)-gram
                ends = shorter[order_of_keys[starts] + 1]  # the (n-1)-gram at the end of each n-gram
                self.left.append(np.bincount(ends, minlength=len(self.keys[-2])))
            shorter = np.empty(len(key), dtype=np.int64)
            shorter[order_of_keys] = np.repeat(np.arange(len(starts)), counts)
        self.left.append(np.zeros(0, dtype=np.int64))  # of the longest n-grams nobody asks

    def checked(self, ids: ArrayLike) -> Ids:
        """The ids as one row of whole numbers, all in the vocabulary."""
        row = np.asarray(ids, dtype=np.int64)
        if row.ndim != 1:
            raise ValueError(f"ids of shape {row.shape} are not one row of tokens.")
        if row.size and not 0 <= row.min() <= row.max() < self.vocabulary:
            outside = row[(row < 0) | (row >= self.vocabulary)][0]
            raise ValueError(f"token {outside} is not in the vocabulary; its tokens are 0 to {self.vocabulary - 1}.")
        return row

    def distinct(self, n: int) -> int:
        """How many different n-grams the text has."""
        return len(self.keys[n - 1])

    def count(self, ngram: Sequence[int]) -> int:
        """How often these tokens stand in a row in the text; at most ``order`` of them, at least one."""
        number = self.numbers(self.checked(ngram))[len(ngram) - 1][-1]
        return 0 if number < 0 else int(self.counts[len(ngram) - 1][number])

    def numbers(self, ids: Ids) -> list[Ids]:
        """Which n-gram ends at each token of another text.

        Returns:
            one array ``(tokens,)`` for each order 1, 2, ...: the n-gram's number, or -1 if the training text lacks it
            (or the text has not had n tokens yet).
        """
        found: list[Ids] = []
        before = np.zeros(len(ids), dtype=np.int64)  # the number of the (n - 1)-gram that ends before each token
        for keys in self.keys:
            key = before * self.vocabulary + ids
            number = np.searchsorted(keys, key)
            number[number == len(keys)] = 0
            found.append(np.where((before >= 0) & (keys[number] == key), number, -1))
            before = np.concatenate([[-1], found[-1][:-1]]) if len(ids) else found[-1]
        return found


class NGramModel:
    """What the smoothings share: surprisal of a text, and the distribution of the next token.

    Args:
        counts: of the training text; several models can share them.
        order: tokens in the longest n-gram used; history and next token. By default that of the counts.
    """

    context = None  # it can read texts of any length, though it looks at the last few tokens only

    def __init__(self, counts: NGramCounts, order: int | None = None):
        self.counts = counts
        self.order = counts.order if order is None else order
        if not 1 <= self.order <= counts.order:
            raise ValueError(f"order={order} must be from 1 to {counts.order}, the longest n-grams that were counted.")
        self.vocabulary = counts.vocabulary

    def probabilities(self, ids: ArrayLike) -> NDArray[np.float64]:
        """The probability that the model gave each token of a text, before it saw it: ``(tokens,)``."""
        raise NotImplementedError

    def next_probabilities(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """How likely each token is to come after these: ``(vocabulary,)``; only the last ``order - 1`` matter."""
        raise NotImplementedError

    def bits(self, ids: ArrayLike) -> NDArray[np.float64]:
        """The surprisal of each token in bits, -log2 of its probability: ``(tokens,)``; infinite where that is 0."""
        with np.errstate(divide="ignore"):
            return -np.log2(self.probabilities(ids))

    def bits_per_token(self, ids: ArrayLike) -> float:
        """The mean surprisal of a text in bits: the cross-entropy. Two to this power is the perplexity.

        >>> AddK(NGramCounts([0, 1, 2, 3], vocabulary=4, order=1), k=1).bits_per_token([0, 1, 2, 3])
        2.0
        """
        bits = self.bits(ids)
        if not len(bits):
            raise ValueError("an empty text has no mean surprisal; give at least one token.")
        return float(bits.mean())

    # ---- what `sampling` asks of a language model

    def start(self, batch: int, length: int) -> Texts:
        """The state of ``batch`` empty texts: see `course_utils.models.decoding.LanguageModel`."""
        return Texts(batch)

    def next_logits(self, ids: Tensor, state: Texts, mask: Tensor | None = None) -> Tensor:
        """Read new tokens ``(batch, new tokens)`` into the state; natural logarithms ``(batch, vocabulary)`` follow.

        >>> model = AddK(NGramCounts([0, 1, 0, 1, 0], vocabulary=2, order=2), k=1)
        >>> model.next_logits(torch.tensor([[0, 1]]), model.start(batch=1, length=8)).exp()
        tensor([[0.7500, 0.2500]])
        """
        with np.errstate(divide="ignore"):
            rows = [np.log(self.next_probabilities(text.tolist())) for text in state.read(ids, mask)]
        return torch.tensor(np.stack(rows), dtype=torch.float32)

    def _history(self, ids: Sequence[int]) -> Ids:
        """The last tokens that can make a difference."""
        return self.counts.checked(list(ids[max(0, len(ids) - self.order + 1) :] if self.order > 1 else []))

    def _ends(self, number: int, n: int) -> slice:
        """Where the n-grams stand that begin with the (n - 1)-gram of this number."""
        low, high = np.searchsorted(self.counts.keys[n - 1], [number * self.vocabulary, (number + 1) * self.vocabulary])
        return slice(int(low), int(high))


class AddK(NGramModel):
    """``(count of the n-gram + k) / (count of its history + k * vocabulary)``.

    With ``k=0`` nothing is smoothed: what never followed a history in the training text has probability 0, and one such
    token makes the surprisal of a whole text infinite. A history that the training text lacks says nothing: every token
    is then equally likely.

    Args:
        counts: see `NGramModel`.
        order: see `NGramModel`.
        k: 0 or more.

    >>> counts = NGramCounts([0, 1, 0, 1, 1, 2], vocabulary=3, order=2)
    >>> AddK(counts, k=1).next_probabilities([0])  # 0 was followed by 1 twice
    array([0.2, 0.6, 0.2])
    """

    def __init__(self, counts: NGramCounts, order: int | None = None, *, k: float = 1.0):
        super().__init__(counts, order)
        if not 0 <= k < np.inf:
            raise ValueError(f"k={k} must be 0 or more; 0 means no smoothing, 1 is the usual start.")
        self.k = k
        keys = counts.keys[self.order - 1]
        histories = counts.distinct(self.order - 1) if self.order > 1 else 1
        self.totals = np.bincount(keys // self.vocabulary, counts.counts[self.order - 1], minlength=histories)

    def probabilities(self, ids: ArrayLike) -> NDArray[np.float64]:
        """See `NGramModel`."""
        row, n = self.counts.checked(ids), self.order
        numbers = self.counts.numbers(row)
        count = np.where(numbers[n - 1] >= 0, self.counts.counts[n - 1][numbers[n - 1]], 0)
        total = np.full(len(row), self.totals[0])
        if n > 1:
            before = np.concatenate([[-1], numbers[n - 2]])[: len(row)]  # the history of each token
            total = np.where(before >= 0, self.totals[before], 0)
        return self._ratio(count, total)

    def next_probabilities(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """See `NGramModel`."""
        history, n = self._history(ids), self.order
        number = 0 if n == 1 else int(self.counts.numbers(history)[n - 2][-1]) if len(history) == n - 1 else -1
        count, total = np.zeros(self.vocabulary), 0.0
        if number >= 0:
            ends = self._ends(number, n)
            count[self.counts.keys[n - 1][ends] - number * self.vocabulary] = self.counts.counts[n - 1][ends]
            total = self.totals[number]
        return self._ratio(count, np.full(self.vocabulary, total))

    def _ratio(self, count: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
        below = total + self.k * self.vocabulary
        return np.where(below > 0, (count + self.k) / np.where(below > 0, below, 1), 1 / self.vocabulary)


class KneserNey(NGramModel):
    r"""Interpolated Kneser-Ney smoothing with one discount for each order.

    With :math:`c` the counts of one order, :math:`D` its discount, and :math:`N` the number of different tokens that
    followed a history,

        p(token | history) = max(c - D, 0) / total + D N / total * p(token | history without its first token)

    and the last in line is the same chance for every token. The longest n-grams count how often they stand in the text,
    shorter ones how many different tokens stand before them. The discount is ``n1 / (n1 + 2 n2)``, with n1 and n2 how
    many n-grams have the counts 1 and 2 (Ney, Essen & Kneser 1994), and 0.75 where one of them is 0.

    Args:
        counts: see `NGramModel`.
        order: see `NGramModel`.

    >>> counts = NGramCounts([0, 1, 0, 1, 1, 2], vocabulary=3, order=2)
    >>> KneserNey(counts).discounts
    [0.5, 0.6]
    """

    def __init__(self, counts: NGramCounts, order: int | None = None):
        super().__init__(counts, order)
        self.discounts: list[float] = []  # [n - 1] of each order
        self.totals: list[NDArray[Any]] = []  # [n - 1]: of the counts that followed each history
        self.types: list[NDArray[Any]] = []  # [n - 1]: how many different tokens followed it
        for n in range(1, self.order + 1):
            count, history = self._count(n), counts.keys[n - 1] // self.vocabulary
            ones, twos = int((count == 1).sum()), int((count == 2).sum())
            self.discounts.append(ones / (ones + 2 * twos) if ones and twos else USUAL_DISCOUNT)
            histories = counts.distinct(n - 1) if n > 1 else 1
            self.totals.append(np.bincount(history, count, minlength=histories))
            self.types.append(np.bincount(history, count > 0, minlength=histories))

    def _count(self, n: int) -> Ids:
        """What is counted for the n-grams of one order: see above."""
        return self.counts.counts[n - 1] if n == self.order else self.counts.left[n - 1]

    def probabilities(self, ids: ArrayLike) -> NDArray[np.float64]:
        """See `NGramModel`."""
        row = self.counts.checked(ids)
        numbers = self.counts.numbers(row)
        probability = np.full(len(row), 1 / self.vocabulary)
        before = np.zeros(len(row), dtype=np.int64)  # the history of each token: at order 1 the empty one
        for n in range(1, self.order + 1):
            number = numbers[n - 1]
            count = np.where(number >= 0, self._count(n)[number], 0)
            total = np.where(before >= 0, self.totals[n - 1][before], 0)
            types = self.types[n - 1][before]
            probability = self._interpolated(n, count, total, types, probability)
            before = np.concatenate([[-1], number])[: len(row)]
        return probability

    def next_probabilities(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """See `NGramModel`."""
        history = self._history(ids)
        probability = np.full(self.vocabulary, 1 / self.vocabulary)
        for n in range(1, min(self.order, len(history) + 1) + 1):
            number = 0 if n == 1 else int(self.counts.numbers(history[len(history) - n + 1 :])[n - 2][-1])
            if number < 0:
                break  # a longer history is not in the text either
            ends, count = self._ends(number, n), np.zeros(self.vocabulary)
            count[self.counts.keys[n - 1][ends] - number * self.vocabulary] = self._count(n)[ends]
            total, types = (np.full(self.vocabulary, table[n - 1][number]) for table in (self.totals, self.types))
            probability = self._interpolated(n, count, total, types, probability)
        return probability

    def _interpolated(
        self,
        n: int,
        count: NDArray[np.float64],
        total: NDArray[np.float64],
        types: NDArray[np.float64],
        lower: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """The formula above, for any number of tokens at once; a history that never came leaves the lower order."""
        discount, seen = self.discounts[n - 1], total > 0
        total = np.where(seen, total, 1)
        return np.where(seen, (np.maximum(count - discount, 0) + discount * types * lower) / total, lower)
