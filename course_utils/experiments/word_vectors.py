"""Word vectors from the presidents' yearly addresses, judged by two fixed lists that were written before any vector.

``datasets/word_groups.csv`` holds groups of words that belong together: are a word's nearest neighbours of its own
group? ``datasets/word_analogies.csv`` holds pairs with one relation: does ``b - a + c`` lead to the fourth word? This
module also makes the recorded runs of ``datasets/runs/word_vectors.csv``.
"""

import csv
import difflib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils import assets
from course_utils.data.splits import addresses_text
from course_utils.models.embeddings import SkipGram, Vectors, nearest, ppmi_vectors, read_words, skipgram_vectors, unit
from course_utils.models.transformer import Transformer
from course_utils.tokenizers import BPETokenizer

WIDTH = 100  # numbers in a vector that is learned here
SNAPSHOT = 100  # steps of training from one kept set of vectors to the next


@dataclass(frozen=True, eq=False)
class WordSpace:
    """Words with a vector each; if the vectors were trained, as they were at several steps.

    >>> compass = WordSpace("compass", ["north", "south", "east"], {0: np.array([[0, 1], [0, -1], [2, 1.0]])})
    >>> compass.nearest("north", n=1)
    [('east', 0.45)]
    >>> compass.row("nort")
    Traceback (most recent call last):
    ValueError: "nort" is not among the 3 words that have a vector here; spelled alike: north.
    """

    name: str  # what a page calls it
    words: list[str]
    snapshots: dict[int, Vectors]  # step of training -> (words, width), the last step last
    losses: list[float] = field(default_factory=list)  # one a step
    _units: dict[int, Vectors] = field(default_factory=dict)
    _rows: dict[str, int] = field(default_factory=dict)
    _scores: dict[int, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"WordSpace({self.name}: {len(self.words):,} words, {self.vectors.shape[1]} numbers each)"

    @property
    def vectors(self) -> Vectors:
        """The vectors at the end: ``(words, width)``."""
        return self.snapshots[max(self.snapshots)]

    def kept(self, step: int | None = None) -> int:
        """The last step that was kept, up to this one; the very last by default."""
        return max((kept for kept in self.snapshots if step is None or kept <= step), default=min(self.snapshots))

    def units(self, step: int | None = None) -> Vectors:
        """The vectors at a step, brought to length 1."""
        kept = self.kept(step)
        if kept not in self._units:
            self._units[kept] = unit(self.snapshots[kept])
        return self._units[kept]

    def score(self, step: int | None = None) -> float:
        """The group score of the vectors at a step: see `group_score`."""
        kept = self.kept(step)
        if kept not in self._scores:
            self._scores[kept] = group_score(self.words, self.units(kept))
        return self._scores[kept]

    def row(self, word: str) -> int:
        """The number of a word's row.

        Raises:
            ValueError: if the word has none; the sentence names words with a similar spelling.
        """
        if not self._rows:
            self._rows.update((known, row) for row, known in enumerate(self.words))
        plain = word.strip().lower()
        if plain in self._rows:
            return self._rows[plain]
        if not plain:
            raise ValueError(
                f"there is no word here: type one of the {len(self.words):,} words, such as {self.words[0]}."
            )
        alike = difflib.get_close_matches(plain[:40], self.words, n=4, cutoff=0.7)
        cure = f"spelled alike: {', '.join(alike)}" if alike else f"none is spelled like it; try {self.words[-1]}"
        shown = plain if len(plain) <= 40 else f"{plain[:39]}…"
        raise ValueError(f'"{shown}" is not among the {len(self.words):,} words that have a vector here; {cure}.')

    def nearest(self, word: str, n: int = 5, step: int | None = None) -> list[tuple[str, float]]:
        """The words with the largest cosine with this one, and the cosines."""
        row, units = self.row(word), self.units(step)
        found = nearest(units, units[row], n, without=[row])
        return [(self.words[other], round(float(units[other] @ units[row]), 2)) for other in found]


@lru_cache(maxsize=1)
def count_words() -> WordSpace:
    """Vectors of the addresses' words from counting which words stand together."""
    words, ids = corpus()
    return WordSpace("counted", words, {0: ppmi_vectors(ids, len(words), WIDTH)})


def guess_words(steps: int = 3000, seed: int = 0) -> WordSpace:
    """Vectors of the addresses' words from guessing which words stand together; every hundredth step is kept."""
    words, ids = corpus()
    snapshots: dict[int, Vectors] = {}
    losses: list[float] = []

    def keep(step: int, loss: float, vectors: Vectors) -> None:
        losses.append(loss)
        if (step + 1) % SNAPSHOT == 0 or step + 1 == steps:
            snapshots[step + 1] = vectors.copy()

    first = SkipGram(len(words), WIDTH, seed).vectors().copy()
    skipgram_vectors(ids, len(words), WIDTH, steps=steps, seed=seed, on_step=keep)
    return WordSpace("trained", words, {0: first, **snapshots}, losses)


def table_words(model: Transformer, tokenizer: BPETokenizer) -> WordSpace:
    """The rows of a language model's table whose tokens are a space and a word in small letters a to z."""
    pieces = [tokenizer.token_bytes(token) for token in range(len(tokenizer))]
    rows = [
        token for token, piece in enumerate(pieces) if piece[:1] == b" " and piece[1:].isalpha() and piece.islower()
    ]
    table = model.token_embedding.weight.detach().float().numpy()
    return WordSpace("table", [pieces[row][1:].decode() for row in rows], {0: table[rows]})


@lru_cache(maxsize=1)
def corpus() -> tuple[list[str], NDArray[np.int64]]:
    """The words of the training addresses that come at least 10 times, and the text as their numbers.

    About 7,400 words and 1.5 million tokens.
    """
    return read_words(addresses_text("train"), least=10)


def groups() -> dict[str, list[str]]:
    """The hand-made groups: name -> words.

    >>> groups()["metals"][:3]
    ['gold', 'silver', 'iron']
    """
    return {row["group"]: row["words"].split() for row in _table("word_groups")}


def analogies() -> list[tuple[str, str, str, str, str]]:
    """Every question that two pairs of one relation make: relation, and a is to b as c is to d.

    >>> analogies()[0], len(analogies())
    (('plural', 'ship', 'ships', 'river', 'rivers'), 372)
    """
    questions = []
    for row in _table("word_analogies"):
        pairs = [pair.partition(":")[::2] for pair in row["pairs"].split()]
        questions += [(row["relation"], a, b, c, d) for (a, b), (c, d) in permutations(pairs, 2)]
    return questions


def group_score(words: list[str], vectors: Vectors, n: int = 5) -> float:
    """The share of the listed words' nearest neighbours that are of the word's own group.

    Neighbours are chosen among all words, so a good neighbour that is in no list counts as wrong: no vectors reach 1.
    Chance is about 0.001.

    Args:
        words: the word of each row.
        vectors: ``(words, width)``.
        n: neighbours that are looked at.
    """
    row = {word: place for place, word in enumerate(words)}
    own = {word: group for group, members in groups().items() for word in members if word in row}
    asked, one = [row[word] for word in own], unit(vectors)
    cosines = one[asked] @ one.T  # (asked, words)
    cosines[np.arange(len(asked)), asked] = -np.inf
    near = np.argpartition(-cosines, n, axis=1)[:, :n]
    right = [own.get(words[other]) == group for group, row in zip(own.values(), near, strict=True) for other in row]
    return float(np.mean(right))


def analogy_score(words: list[str], vectors: Vectors, own: bool = False) -> dict[str, float]:
    """The share of the analogy questions answered right; questions with a word that has no vector are left out.

    Args:
        words: the word of each row.
        vectors: ``(words, width)``.
        own: whether the three words of a question may be its answer, which is never right.

    Returns:
        ``score``: with ``b - a + c``. ``neighbour``: what one gets without any arithmetic, by naming the word nearest
        to c; much of what analogies seem to show is no more than this (Linzen 2016).
    """
    right = _right_answers(words, vectors, own)
    return {name: float(np.mean([each for kind in found.values() for each in kind])) for name, found in right.items()}


def analogy_kinds(words: list[str], vectors: Vectors) -> dict[str, tuple[int, int, int]]:
    """The analogy questions of each kind: how many are asked, and how many the sum and the neighbour answer right.

    Args:
        words: the word of each row.
        vectors: ``(words, width)``.
    """
    summed, alone = _right_answers(words, vectors, own=False).values()
    return {kind: (len(summed[kind]), sum(summed[kind]), sum(alone[kind])) for kind in summed}


def _right_answers(words: list[str], vectors: Vectors, own: bool) -> dict[str, dict[str, list[bool]]]:
    """Which questions are answered right with the sum and by the neighbour alone, by kind of question."""
    row, one = {word: place for place, word in enumerate(words)}, unit(vectors)
    questions = [question for question in analogies() if set(question[1:]) <= row.keys()]
    a, b, c, d = np.array([[row[word] for word in question[1:]] for question in questions]).T
    answers: dict[str, dict[str, list[bool]]] = {}
    for name, targets in (("score", one[b] - one[a] + one[c]), ("neighbour", one[c])):
        cosines = targets @ one.T  # (questions, words); a target's own length changes no order
        for of_question in () if own else (a, b, c):
            cosines[np.arange(len(questions)), of_question] = -np.inf
        answers[name] = {question[0]: [] for question in questions}
        for question, right in zip(questions, (cosines.argmax(axis=1) == d).tolist(), strict=True):
            answers[name][question[0]].append(right)
    return answers


def rows(seeds: range) -> Iterator[dict[str, Any]]:
    """Both kinds of vectors with each seed, each with three windows: time on one thread, and how they score."""
    words, ids = corpus()
    for method, make, windows in (("PPMI + SVD", ppmi_vectors, (2, 4, 8)), ("skip-gram", skipgram_vectors, (2, 5, 8))):
        for window, seed in product(windows, seeds):
            begin = time.process_time()
            vectors = make(ids, len(words), window=window, seed=seed)
            yield {
                "method": method, "window": window, "seed": seed, "width": vectors.shape[1],
                "processor_seconds": time.process_time() - begin,
                "group_score": group_score(words, vectors),
                **{f"analogy_{name}": value for name, value in analogy_score(words, vectors).items()},
            }  # fmt: skip


def _table(name: str) -> list[dict[str, str]]:
    path = assets.project_folder() / "datasets" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
