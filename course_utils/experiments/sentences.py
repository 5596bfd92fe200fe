"""Sentences by their meaning: a mean of word vectors against a real sentence encoder.

Each line of ``datasets/sentence_triples.csv`` holds a sentence, one that means nearly the same in other words, and one
that means something else in nearly the same words. Which of the two is nearer?
"""

import csv
import re
from collections.abc import Sequence

import numpy as np

from course_utils import assets
from course_utils.experiments.word_vectors import WordSpace
from course_utils.models.embeddings import Vectors, unit


def triples() -> list[tuple[str, str, str]]:
    """The sentences of the list: one, the same meaning in other words, another meaning in the same words.

    >>> triples()[2]
    ('The ship sank in a storm.', 'Bad weather destroyed the vessel.', 'The ship left before the storm.')
    """
    path = assets.project_folder() / "datasets" / "sentence_triples.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["sentence"], row["same_meaning"], row["same_words"]) for row in csv.DictReader(file)]


def mean_of_words(space: WordSpace, texts: Sequence[str]) -> Vectors:
    """One vector of length 1 a text: the mean of its words' vectors, of length 1 each; words without one are skipped.

    >>> compass = WordSpace("compass", ["north", "east"], {0: np.array([[0, 1], [2, 0.0]])})
    >>> mean_of_words(compass, ["North by east!"]).round(2)
    array([[0.71, 0.71]], dtype=float32)
    """
    row = {word: number for number, word in enumerate(space.words)}
    found = [[row[word] for word in re.findall(r"[a-z']+", text.lower()) if word in row] for text in texts]
    return unit(np.stack([space.units()[rows].sum(axis=0) for rows in found]))


def found_again(first: Vectors, meaning: Vectors) -> float:
    """The share of sentences whose nearest among all those of the other list is the one with the same meaning.

    Args:
        first: ``(sentences, width)`` of length 1, as are the others.
        meaning: ``(sentences, width)``, of the sentences that mean the same, in the same order.

    >>> found_again(np.eye(2), np.array([[1.0, 0.0], [1.0, 0.0]]))
    0.5
    """
    return float(((first @ meaning.T).argmax(axis=1) == np.arange(len(first))).mean())


def not_trapped(first: Vectors, meaning: Vectors, words: Vectors) -> float:
    """The share of sentences that are nearer to the same meaning than to another meaning in the same words.

    Args:
        first: ``(sentences, width)`` of length 1, as are the others.
        meaning: ``(sentences, width)``, of the sentences that mean the same, in the same order.
        words: ``(sentences, width)``, of the sentences that use the same words.

    >>> not_trapped(np.eye(2), np.eye(2), np.array([[0.6, 0.8], [0.0, 1.0]]))
    0.5
    """
    return float(((first * meaning).sum(axis=1) > (first * words).sum(axis=1)).mean())


def shared_words(one: str, other: str) -> float:
    """The share of the different words of two texts that both have.

    >>> shared_words("The cat sat.", "The dog sat.")
    0.5
    """
    both = [set(re.findall(r"[a-z']+", text.lower())) for text in (one, other)]
    return len(both[0] & both[1]) / max(1, len(both[0] | both[1]))
