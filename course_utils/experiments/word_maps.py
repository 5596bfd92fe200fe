"""What the map of words and the sums of words show: which words, where they stand, and which are nearest."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_utils.experiments.word_vectors import WordSpace, groups
from course_utils.models.embeddings import Vectors, unit

NEIGHBOURS, AROUND = 8, 30  # words in the list, and words on a map of a word's neighbours
FOUR = ("months", "countries", "family", "waters")
SHOWN = ("four groups", "all groups", "its neighbours")
WIDEST, AXES = "where they spread most", "cosine with two words"
PROJECTIONS = (WIDEST, "second and third direction", AXES)
MEASURES = ("cosine", "dot product", "distance")
MOST_TERMS = 8


def named(pairs: Sequence[tuple[str, float]], count: int = 3) -> str:
    """Words with their numbers, in words.

    >>> named([("lake", 0.78), ("sea", 0.5)])
    'lake 0.78, sea 0.50'
    """
    return ", ".join(f"{word} {value:.2f}" for word, value in pairs[:count])


@dataclass(frozen=True, eq=False)
class Places:
    """Words at their places, as `plots.embeddings.WordMap` shows them."""

    words: Sequence[str]
    at: NDArray  # (words, 2)
    groups: Sequence[int]  # which mark each word has; -1 for a mere dot
    strong: Sequence[int] = ()  # words in orange, whose labels come first
    links: Sequence[tuple[int, int]] = ()  # lines between two words


# ------------------------------------------------------------------------------------------------ a map of words


@dataclass(frozen=True, eq=False)
class WordPlaces:
    """Where the shown words stand, and the neighbours of the word asked about."""

    places: Places
    word: str
    neighbours: list[tuple[str, float]]  # the nearest first, with their cosines
    step: int | None  # of a training
    score: float  # the share of neighbours in the same group
    limits: tuple[float, float]  # of both axes
    labels: tuple[str, str]

    def described(self) -> str:
        """The nearest words with their cosines, and how often near words are of the same group."""
        when = "" if self.step is None else f"After {self.step:,} steps: "
        near = f"{'n' if when else 'N'}earest to {self.word}: {named(self.neighbours, 4)}"
        return f"{when}{near}. Group score {self.score:.1%}."


def word_places(space: WordSpace, word: str, pair: Sequence[str], step: int, show: str, projection: str) -> WordPlaces:
    """The neighbours of a word, and a place on the map for each word shown.

    Args:
        space: words with their vectors.
        word: asked about.
        pair: the two words whose cosines are the axes, if ``projection`` says so.
        step: of the training.
        show: one of `SHOWN`, or a group.
        projection: one of `PROJECTIONS`.
    """
    words, marks = _shown(space, word, show)
    rows, units = [space.row(each) for each in words], space.units(step)
    at, limits, labels = _places(space, rows, units, projection, pair)
    near = space.nearest(word, NEIGHBOURS, step)
    known = {each: place for place, each in enumerate(words)}
    linked = [(known[word], known[other]) for other, _ in near if other in known]
    strong = [known[word], *(other for _, other in linked)]
    kept = space.kept(step) if len(space.snapshots) > 1 else None
    return WordPlaces(Places(words, at, marks, strong, linked), word, near, kept, space.score(step), limits, labels)


def _shown(space: WordSpace, word: str, show: str) -> tuple[list[str], list[int]]:
    """The words to show and the mark of each; the word asked about is always there."""
    if show == "its neighbours":
        words = [word, *(other for other, _ in space.nearest(word, AROUND))]
        return words, [-1] * len(words)
    chosen = FOUR if show == "four groups" else list(groups()) if show == "all groups" else [show]
    known = set(space.words)
    listed = {each: mark for mark, group in enumerate(chosen) for each in groups()[group] if each in known}
    listed = {word: -1} | listed
    return list(listed), list(listed.values())


def _places(
    space: WordSpace, rows: list[int], units: Vectors, projection: str, pair: Sequence[str]
) -> tuple[NDArray, tuple[float, float], tuple[str, str]]:
    """Places ``(words, 2)`` of rows, the limits of the axes and their labels."""
    if projection == AXES:
        two = units[[space.row(each) for each in pair]]
        return units[rows] @ two.T, (-0.35, 1.1), (f"cosine with {pair[0]}", f"cosine with {pair[1]}")
    last = space.units()[rows]  # the directions are those of the end, so that words move and the map does not
    directions = widest(last, 3)[:, :2] if projection == WIDEST else widest(last, 3)[:, 1:]
    final = (last - last.mean(axis=0)) @ directions
    limit = 1.15 * float(np.abs(final).max())
    number = 1 if projection == WIDEST else 2
    labels = f"direction {number}", f"direction {number + 1}"
    return (units[rows] - units[rows].mean(axis=0)) @ directions, (-limit, limit), labels


def widest(points: NDArray, count: int) -> NDArray:
    """The directions in which points differ most (principal components): ``(points, width)`` to ``(width, count)``.

    >>> widest(np.array([[0.0, 0], [0, 2], [0, -2], [1, 0]]), 1).T @ [3.0, 5.0]  # up and down
    array([5.])
    """
    directions = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][:count].T
    return directions * np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])])


# ------------------------------------------------------------------------------------------------ sums of words


@dataclass(frozen=True, eq=False)
class Sum:
    """A sum of words, and the words that its result is nearest to."""

    formula: str
    measure: str
    best: list[tuple[str, float]]  # the nearest first
    last: str  # the last word of the formula
    alone: str  # the word nearest to it, without any arithmetic
    own: bool  # whether the words of the formula may be answers
    places: Places

    def described(self) -> str:
        """The best answers, and what one gets without arithmetic."""
        return (
            f"{self.formula}, by {self.measure}: {named(self.best, 4)}. "
            f"Without any arithmetic, the word nearest to {self.last} is {self.alone}."
        )


def read_formula(text: str) -> list[tuple[int, str]]:
    """The words of a sum with their signs.

    >>> read_formula("she - he + father")
    [(1, 'she'), (-1, 'he'), (1, 'father')]
    """
    text = text.replace("−", "-").replace("–", "-").strip()
    if not text:
        raise ValueError("there is no word here: type a sum of words, such as she - he + father.")
    parts = re.findall(r"(^|[+-])\s*([^+-]*)", text if text[0] in "+-" else f"+{text}")
    terms = [(-1 if sign == "-" else 1, word.strip()) for sign, word in parts if sign]
    if any(not word or " " in word for _, word in terms):
        raise ValueError("write words with + or - between them, such as she - he + father.")
    if not 1 < len(terms) <= MOST_TERMS:
        raise ValueError(f"a sum here has 2 to {MOST_TERMS} words, not {len(terms)}: such as she - he + father.")
    return terms


def sum_of_words(space: WordSpace, terms: Sequence[tuple[int, int]], measure: str, own: bool) -> Sum:
    """Add and subtract the vectors of words, and rank all words by their nearness to the result.

    Args:
        space: words with their vectors.
        terms: sign and row of each word.
        measure: one of `MEASURES`; for the cosine each vector is brought to length 1 first.
        own: whether the words of the sum may be answers.
    """
    words, vectors = space.words, space.units() if measure == "cosine" else space.vectors
    signs, rows = (list(column) for column in zip(*terms, strict=True))
    target = np.array(signs, dtype=np.float32) @ vectors[rows]
    values = nearness(vectors, target, measure)
    order = np.argsort(-values if measure != "distance" else values, kind="stable").tolist()
    best = [row for row in order if own or row not in rows][:NEIGHBOURS]
    written = " ".join(f"{'-' if sign < 0 else '+'} {words[row]}" for sign, row in terms).removeprefix("+ ")
    alone, _ = space.nearest(words[rows[-1]], 1)[0]
    places = _plane(space, vectors, terms, target, best[:3])
    answers = [(words[row], float(values[row])) for row in best]
    return Sum(written, measure, answers, words[rows[-1]], alone, own, places)


def _plane(
    space: WordSpace, vectors: Vectors, terms: Sequence[tuple[int, int]], target: NDArray, best: list[int]
) -> Places:
    """The words of the sum, its result and the best answers, on the plane in which they spread most."""
    signs, rows = (list(column) for column in zip(*terms, strict=True))
    shown = list(dict.fromkeys([*rows, *best]))
    points = np.vstack([vectors[shown], target])
    at = points @ widest(np.vstack([vectors[rows], target]), 2)  # (words + 1, 1 or 2)
    at = np.hstack([at, np.zeros((len(at), 2 - at.shape[1]))])
    at = (at - at.mean(axis=0)) / max(float(np.abs(at - at.mean(axis=0)).max()), 1e-9)
    result, links = len(shown), []
    if signs == [1, -1, 1]:
        links = [(shown.index(rows[1]), shown.index(rows[0])), (shown.index(rows[2]), result)]
    marks = [0 if row in rows else -1 for row in shown]
    return Places([*(space.words[row] for row in shown), "the sum"], at, [*marks, 1], [result], links)


def nearness(vectors: Vectors, target: NDArray, measure: str) -> NDArray:
    """How near each row is to a target: ``(words, width)`` and ``(width,)`` to ``(words,)``.

    >>> rows = np.array([[1.0, 0], [0, 2]])
    >>> [nearness(rows, np.array([0.0, 3]), measure).round(1).tolist() for measure in MEASURES]
    [[0.0, 1.0], [0.0, 6.0], [3.2, 1.0]]
    """
    if measure == "distance":
        return np.linalg.norm(vectors - target, axis=1)
    return unit(vectors) @ unit(target) if measure == "cosine" else vectors @ target
