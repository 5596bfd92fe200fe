"""Word vectors from the presidents' yearly addresses, judged by two fixed lists that were written before any vector.

``datasets/word_groups.csv`` holds groups of words that belong together: are a word's nearest neighbours of its own
group? ``datasets/word_analogies.csv`` holds pairs with one relation: does ``b - a + c`` lead to the fourth word? This
module also makes the recorded runs of ``datasets/runs/word_vectors.csv``.
"""

import csv
import time
from collections.abc import Iterator
from functools import lru_cache
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils import assets
from course_utils.data.splits import addresses_text
from course_utils.models.embeddings import Vectors, nearest, ppmi_vectors, read_words, skipgram_vectors, unit


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
    right = [
        own.get(words[neighbour]) == group
        for word, group in own.items()
        for neighbour in nearest(vectors, vectors[row[word]], n, without=[row[word]])
    ]
    return float(np.mean(right))


def analogy_score(words: list[str], vectors: Vectors) -> dict[str, float]:
    """The share of the analogy questions answered right, among all words but the three of the question.

    Returns:
        ``score``: with ``b - a + c``. ``neighbour``: what one gets without any arithmetic, by naming the word nearest
        to c; much of what analogies seem to show is no more than this (Linzen 2016).
    """
    row, one = {word: place for place, word in enumerate(words)}, unit(vectors)
    asked = [[row[word] for word in question[1:]] for question in analogies() if set(question[1:]) <= row.keys()]
    a, b, c, d = np.array(asked).T
    scores = {}
    for name, targets in (("score", one[b] - one[a] + one[c]), ("neighbour", one[c])):
        cosines = targets @ one.T  # (questions, words); a target's own length changes no order
        for of_question in (a, b, c):
            cosines[np.arange(len(asked)), of_question] = -np.inf
        scores[name] = float((cosines.argmax(axis=1) == d).mean())
    return scores


def rows(seeds: range) -> Iterator[dict[str, Any]]:
    """Both kinds of vectors with each seed: time on one thread, and how they score."""
    words, ids = corpus()
    for method, make in (("PPMI + SVD", ppmi_vectors), ("skip-gram", skipgram_vectors)):
        for seed in seeds:
            begin = time.process_time()
            vectors = make(ids, len(words), seed=seed)
            yield {
                "method": method, "seed": seed, "width": vectors.shape[1],
                "processor_seconds": time.process_time() - begin,
                "group_score": group_score(words, vectors),
                **{f"analogy_{name}": value for name, value in analogy_score(words, vectors).items()},
            }  # fmt: skip


def _table(name: str) -> list[dict[str, str]]:
    path = assets.project_folder() / "datasets" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
