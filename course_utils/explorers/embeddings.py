"""Explorers of word vectors: a map that moves as training proceeds, and sums of words."""

from typing import Any

from matplotlib.figure import Figure

from course_utils.experiments.word_maps import (
    AXES,
    MEASURES,
    PROJECTIONS,
    SHOWN,
    Sum,
    WordPlaces,
    named,
    read_formula,
    sum_of_words,
    word_places,
)
from course_utils.experiments.word_vectors import WordSpace, groups
from course_utils.explorers.base import Choice, Control, FigureExplorer, Slider, Stop, Text, Toggle
from course_utils.plots.embeddings import map_contents, map_panels, sum_contents, sum_panels
from course_utils.plots.panels import Panel

MAP_TOUR: tuple[Stop, ...] = (
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
SUM_TOUR: tuple[Stop, ...] = (
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
    tour = MAP_TOUR

    def __init__(self, space: WordSpace, **start: Any):
        self.space, self.made_with = space, space.name
        last = max(space.snapshots)
        self.step = Slider(0, last or 1, last, step=max(1, last // 30), label="training step")
        super().__init__(**start)

    def prepare(self, word: str, axes: str) -> list[str]:
        """Return the word asked about and the two of the axes, as they are spelled here."""
        pair = axes.replace(",", " ").split()
        if len(pair) != 2:
            raise ValueError(f"the axes need two words, such as ocean mother, not {len(pair)}.")
        return [self.space.words[self.space.row(each)] for each in (word, *pair)]

    def dependent_controls(self, prepared: list[str]) -> dict[str, Control]:
        """Hide the controls that nothing obeys."""
        hidden = {"axes"} if self.projection != AXES else set()
        hidden |= {"step"} if len(self.space.snapshots) == 1 else set()
        self.show_controls(self.controls.keys() - hidden)
        return {}

    def compute(self, prepared: list[str], step: int, show: str, projection: str) -> WordPlaces:
        """Find the neighbours, and a place on the map for each word shown."""
        return word_places(self.space, prepared[0], prepared[1:], step, show, projection)

    def layout_key(self, result: WordPlaces) -> Any:
        """What the axes show."""
        return result.limits, result.labels

    def comparable(self, pinned: WordPlaces, result: WordPlaces) -> bool:
        """A pinned map is shown on the same axes only."""
        return self.layout_key(pinned) == self.layout_key(result)

    def make_panels(self, figure: Figure, result: WordPlaces) -> dict[str, Panel]:
        """The map, and the list of neighbours."""
        return map_panels(figure, result)

    def contents(self, result: WordPlaces) -> dict[str, Any]:
        """The words' places, and the neighbours with their cosines."""
        return map_contents(result)


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
    tour = SUM_TOUR

    def __init__(self, space: WordSpace, **start: Any):
        self.space, self.made_with = space, space.name
        super().__init__(**start)

    def prepare(self, formula: str) -> list[tuple[int, int]]:
        """Return the signs and the rows of the words."""
        return [(sign, self.space.row(word)) for sign, word in read_formula(formula)]

    def compute(self, prepared: list[tuple[int, int]], measure: str, own: bool) -> Sum:
        """Add the vectors, and rank all words by their nearness to the result."""
        return sum_of_words(self.space, prepared, measure, own)

    def layout_key(self, result: Sum) -> Any:
        """The measure decides the list's axis."""
        return result.measure

    def comparable(self, pinned: Sum, result: Sum) -> bool:
        """Another sum lies on another plane."""
        return (pinned.formula, pinned.measure) == (result.formula, result.measure)

    def make_panels(self, figure: Figure, result: Sum) -> dict[str, Panel]:
        """The plane of the sum, and the list of answers."""
        return sum_panels(figure)

    def contents(self, result: Sum) -> dict[str, Any]:
        """The places, and the answers with their numbers."""
        return sum_contents(result)
