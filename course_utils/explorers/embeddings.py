"""Explorers of word vectors: a map that moves as training proceeds, and sums of words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course_utils.experiments.word_vectors import WordSpace, group_score, groups
from course_utils.explorers.base import Choice, Control, FigureExplorer, Slider, Text, Toggle
from course_utils.models.embeddings import Vectors, unit
from course_utils.plots.bars import Bars, Rows
from course_utils.plots.embeddings import Places, WordMap
from course_utils.plots.panels import Panel
from course_utils.plots.style import readable

NEIGHBOURS, AROUND = 8, 30  # words in the list, and words on a map of a word's neighbours
FOUR = ("months", "countries", "family", "waters")
SHOWN = ("four groups", "all groups", "its neighbours")
WIDEST, AXES = "where they spread most", "cosine with two words"
PROJECTIONS = (WIDEST, "second and third direction", AXES)


def named(pairs: Sequence[tuple[str, float]], count: int = 3) -> str:
    """Words with their numbers, in words.

    >>> named([("lake", 0.78), ("sea", 0.5)])
    'lake 0.78, sea 0.50'
    """
    return ", ".join(f"{word} {value:.2f}" for word, value in pairs[:count])


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


class EmbeddingMap(FigureExplorer):
    """A map of words: where their vectors point, and which words are nearest to one of them.

    Args:
        space: words with their vectors; with a slider for the step if they were trained.
        start: first values of the controls: step, show, projection, word, axes.
    """

    size = (8.4, 3.6)
    caption_lines = 3  # with a pinned map
    step = Slider(0, 1, 1, label="training step")
    show = Choice([*SHOWN, *groups()], label="words to show")
    projection = Choice(PROJECTIONS)
    word = Text("river", label="neighbours of", maximum=60)
    axes = Text("ocean mother", label="two words, across and up", maximum=120)
    tour = (
        ({"show": "four groups"}, lambda now: f"Four groups of words. Nearest to river: {named(now.neighbours)}."),
        ({"show": "months", "word": "march"}, lambda now: f"Months. Nearest to march: {named(now.neighbours)}."),
        ({"show": "family", "word": "mother"}, lambda now: f"A family. Nearest to mother: {named(now.neighbours)}."),
        ({"show": "its neighbours", "word": "gold"}, lambda now: f"Around gold: {named(now.neighbours, 4)}."),
        ({"show": "all groups"}, lambda now: f"All 12 groups: {now.score:.1%} of near words are of the same group."),
        (
            {"show": "all groups", "projection": AXES},
            lambda now: "Across: the cosine with ocean. Up: the cosine with mother. Waters and family stand apart.",
        ),
    )

    def __init__(self, space: WordSpace, **start: Any):
        self.space, self.made_with = space, space.name
        self.scores: dict[int, float] = {}
        last = max(space.snapshots)
        self.step = Slider(0, last or 1, last, step=max(1, last // 30), label="training step")
        super().__init__(**start)

    def prepare(self, word: str, axes: str) -> tuple[str, list[str]]:
        """Return the word asked about and the two of the axes, as they are spelled here."""
        pair = axes.replace(",", " ").split()
        if len(pair) != 2:
            raise ValueError(f"the axes need two words, such as ocean mother, not {len(pair)}.")
        asked, *pair = (self.space.words[self.space.row(each)] for each in (word, *pair))
        return asked, pair

    def dependent_controls(self, prepared: tuple[str, list[str]]) -> dict[str, Control]:
        """Hide the controls that nothing obeys."""
        hidden = {"axes"} if self.projection != AXES else set()
        hidden |= {"step"} if len(self.space.snapshots) == 1 else set()
        self.show_controls(self.controls.keys() - hidden)
        return {}

    def compute(self, prepared: tuple[str, list[str]], step: int, show: str, projection: str) -> WordPlaces:
        """Find the neighbours, and a place on the map for each word shown."""
        space, (word, pair) = self.space, prepared
        words, marks = self.shown(word, show)
        rows, units = [space.row(each) for each in words], space.units(step)
        at, limits, labels = self.places(rows, units, projection, pair)
        near = space.nearest(word, NEIGHBOURS, step)
        known = {each: place for place, each in enumerate(words)}
        linked = [(known[word], known[other]) for other, _ in near if other in known]
        strong = [known[word], *(other for _, other in linked)]
        kept = space.kept(step) if len(space.snapshots) > 1 else None
        score = self.score(space.kept(step))
        return WordPlaces(Places(words, at, marks, strong, linked), word, near, kept, score, limits, labels)

    def score(self, step: int) -> float:
        """The share of near words that are of the same group, at a step that was kept."""
        if step not in self.scores:
            self.scores[step] = group_score(self.space.words, self.space.units(step))
        return self.scores[step]

    def shown(self, word: str, show: str) -> tuple[list[str], list[int]]:
        """The words to show and the mark of each; the word asked about is always there."""
        if show == "its neighbours":
            words = [word, *(other for other, _ in self.space.nearest(word, AROUND))]
            return words, [-1] * len(words)
        chosen = FOUR if show == "four groups" else list(groups()) if show == "all groups" else [show]
        known = set(self.space.words)
        listed = {each: mark for mark, group in enumerate(chosen) for each in groups()[group] if each in known}
        listed = {word: -1} | listed
        return list(listed), list(listed.values())

    def places(
        self, rows: list[int], units: Vectors, projection: str, pair: list[str]
    ) -> tuple[NDArray, tuple[float, float], tuple[str, str]]:
        """Places ``(words, 2)`` of rows, the limits of the axes and their labels."""
        if projection == AXES:
            two = units[[self.space.row(each) for each in pair]]
            return units[rows] @ two.T, (-0.35, 1.1), (f"cosine with {pair[0]}", f"cosine with {pair[1]}")
        last = self.space.units()[rows]  # the directions are those of the end, so that words move and the map does not
        directions = widest(last, 3)[:, :2] if projection == WIDEST else widest(last, 3)[:, 1:]
        final = (last - last.mean(axis=0)) @ directions
        limit = 1.15 * float(np.abs(final).max())
        number = 1 if projection == WIDEST else 2
        labels = f"direction {number}", f"direction {number + 1}"
        return (units[rows] - units[rows].mean(axis=0)) @ directions, (-limit, limit), labels

    def layout_key(self, result: WordPlaces) -> Any:
        """What the axes show."""
        return result.limits, result.labels

    def comparable(self, pinned: WordPlaces, result: WordPlaces) -> bool:
        """A pinned map is shown on the same axes only."""
        return self.layout_key(pinned) == self.layout_key(result)

    def make_panels(self, figure: Figure, result: WordPlaces) -> dict[str, Panel]:
        """The map, and the list of neighbours."""
        ground = figure.add_axes((0.08, 0.15, 0.575, 0.82), xlim=result.limits, ylim=result.limits)
        ground.set_xlabel(readable(result.labels[0]), labelpad=1)
        ground.set_ylabel(readable(result.labels[1]), labelpad=1)
        if not result.labels[0].startswith("cosine"):
            ground.set(xticks=[], yticks=[])
        beside = figure.add_axes((0.8, 0.15, 0.19, 0.73), xlim=(0, 1.35), xticks=[])
        return {"map": WordMap(ground, 140), "list": Bars(beside, NEIGHBOURS, ghosts=True)}

    def contents(self, result: WordPlaces) -> dict[str, Any]:
        """The words' places, and the neighbours with their cosines."""
        words, cosines = [word for word, _ in result.neighbours], [max(cosine, 0) for _, cosine in result.neighbours]
        numbers = [f"{cosine:.2f}" for _, cosine in result.neighbours]
        return {"map": result.places, "list": Rows(words, cosines, numbers, title=f"nearest to {result.word}")}

    def caption(self, result: WordPlaces) -> str:
        """Say the nearest words with their cosines, and how often near words are of the same group."""
        when = "" if result.step is None else f"After {result.step:,} steps: "
        near = f"{'n' if when else 'N'}earest to {result.word}: {named(result.neighbours, 4)}"
        return f"{when}{near}. Group score {result.score:.1%}."


def widest(points: NDArray, count: int) -> NDArray:
    """The directions in which points differ most (principal components): ``(points, width)`` to ``(width, count)``.

    >>> widest(np.array([[0.0, 0], [0, 2], [0, -2], [1, 0]]), 1).T @ [3.0, 5.0]  # up and down
    array([5.])
    """
    directions = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][:count].T
    return directions * np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])])


# ------------------------------------------------------------------------------------------------ sums of words

MEASURES = ("cosine", "dot product", "distance")
MOST_TERMS = 8


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


class AnalogyExplorer(FigureExplorer):
    """Arithmetic with words: add and subtract their vectors, and see which words the result is nearest to.

    Args:
        space: words with their vectors.
        start: first values of the controls: formula, measure, own.
    """

    size = (8.4, 3.4)
    caption_lines = 3  # with a pinned sum
    formula = Text("she - he + father", label="sum of words", maximum=200)
    measure = Choice(MEASURES)
    own = Toggle(False, label="the words of the sum may be the answer")
    tour = (
        ({"formula": "ships - ship + river"}, lambda now: f"Ship is to ships as river is to: {named(now.best, 1)}."),
        ({"formula": "french - france + spain"}, lambda now: f"The same step in another pair: {named(now.best, 1)}."),
        (
            {"formula": "french - france + spain", "own": True},
            lambda now: f"If the sum's own words may answer, the nearest are {named(now.best, 2)}.",
        ),
        ({"formula": "she - he + father"}, lambda now: f"Father without he, with she: {named(now.best)}."),
        (
            {"formula": "she - he + father", "measure": "dot product"},
            lambda now: f"By dot product, long vectors win: {named(now.best)}.",
        ),
        ({"formula": "woman - man + king"}, lambda now: f"The famous one, from these speeches: {named(now.best)}."),
    )

    def __init__(self, space: WordSpace, **start: Any):
        self.space, self.made_with = space, space.name
        super().__init__(**start)

    def prepare(self, formula: str) -> list[tuple[int, int]]:
        """Return the signs and the rows of the words."""
        return [(sign, self.space.row(word)) for sign, word in read_formula(formula)]

    def compute(self, prepared: list[tuple[int, int]], measure: str, own: bool) -> Sum:
        """Add the vectors, and rank all words by their nearness to the result."""
        words, vectors = self.space.words, self.space.units() if measure == "cosine" else self.space.vectors
        signs, rows = (list(column) for column in zip(*prepared, strict=True))
        target = np.array(signs, dtype=np.float32) @ vectors[rows]
        values = nearness(vectors, target, measure)
        order = np.argsort(-values if measure != "distance" else values, kind="stable").tolist()
        best = [row for row in order if own or row not in rows][:NEIGHBOURS]
        written = " ".join(f"{'-' if sign < 0 else '+'} {words[row]}" for sign, row in prepared).removeprefix("+ ")
        alone, _ = self.space.nearest(words[rows[-1]], 1)[0]
        places = self.places(vectors, rows, signs, target, best[:3])
        answers = [(words[row], float(values[row])) for row in best]
        return Sum(written, measure, answers, words[rows[-1]], alone, own, places)

    def places(self, vectors: Vectors, rows: list[int], signs: list[int], target: NDArray, best: list[int]) -> Places:
        """The words of the sum, its result and the best answers, on the plane in which they spread most."""
        shown = list(dict.fromkeys([*rows, *best]))
        points = np.vstack([vectors[shown], target])
        at = points @ widest(np.vstack([vectors[rows], target]), 2)  # (words + 1, 1 or 2)
        at = np.hstack([at, np.zeros((len(at), 2 - at.shape[1]))])
        at = (at - at.mean(axis=0)) / max(float(np.abs(at - at.mean(axis=0)).max()), 1e-9)
        result = len(shown)
        links = (
            [(shown.index(rows[1]), shown.index(rows[0])), (shown.index(rows[2]), result)]
            if signs == [1, -1, 1]
            else []
        )
        groups = [0 if row in rows else -1 for row in shown]
        return Places([*(self.space.words[row] for row in shown), "the sum"], at, [*groups, 1], [result], links)

    def layout_key(self, result: Sum) -> Any:
        """The measure decides the list's axis."""
        return result.measure

    def comparable(self, pinned: Sum, result: Sum) -> bool:
        """Another sum lies on another plane."""
        return (pinned.formula, pinned.measure) == (result.formula, result.measure)

    def make_panels(self, figure: Figure, result: Sum) -> dict[str, Panel]:
        """The plane of the sum, and the list of answers."""
        plane = figure.add_axes((0.03, 0.06, 0.62, 0.9), xlim=(-1.15, 1.3), ylim=(-1.2, 1.2), xticks=[], yticks=[])
        beside = figure.add_axes((0.8, 0.06, 0.19, 0.82), xticks=[])
        return {"plane": WordMap(plane, 14), "list": Bars(beside, NEIGHBOURS, widest=0.1)}

    def contents(self, result: Sum) -> dict[str, Any]:
        """The places, and the answers with their numbers."""
        numbers = [f"{value:.2f}" for _, value in result.best]
        lengths = [max(value, 0.0) for _, value in result.best]
        title = "distance (small: near)" if result.measure == "distance" else result.measure
        return {"plane": result.places, "list": Rows([word for word, _ in result.best], lengths, numbers, title=title)}

    def caption(self, result: Sum) -> str:
        """Say the best answers, and what one gets without arithmetic."""
        return (
            f"{result.formula}, by {result.measure}: {named(result.best, 4)}. "
            f"Without any arithmetic, the word nearest to {result.last} is {result.alone}."
        )


def nearness(vectors: Vectors, target: NDArray, measure: str) -> NDArray:
    """How near each row is to a target: ``(words, width)`` and ``(width,)`` to ``(words,)``.

    >>> rows = np.array([[1.0, 0], [0, 2]])
    >>> [nearness(rows, np.array([0.0, 3]), measure).round(1).tolist() for measure in MEASURES]
    [[0.0, 1.0], [0.0, 6.0], [3.2, 1.0]]
    """
    if measure == "distance":
        return np.linalg.norm(vectors - target, axis=1)
    return unit(vectors) @ unit(target) if measure == "cosine" else vectors @ target
