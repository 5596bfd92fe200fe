"""Explorers of what a model remembers: the last few letters, or whatever still moves a recurrent network's state."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course_utils.experiments.distance import gradient_by_distance
from course_utils.explorers.base import Choice, FigureExplorer, Slider, Text, TextExplorer, tag
from course_utils.models.ngram import AddK, KneserNey, NGramCounts, NGramModel
from course_utils.models.recurrent import Cell
from course_utils.plots.bars import percent
from course_utils.plots.panels import Curves, Panel
from course_utils.plots.style import BLUE, GREY, ORANGE, visible
from course_utils.tokenizers import CharacterTokenizer

ROWS = 7  # letters with a row of their own
MEMORY = 5  # letters that the longest memory holds
WRITTEN = 90  # letters that the model writes on
SMOOTHINGS = ("none", "add one", "Kneser-Ney")
FURTHEST = 60  # letters back, of the gradients
FAINTEST, STRONGEST = 1e-12, 1e6  # what the picture of gradients shows


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

    def name(self, letter: int) -> str:
        """A letter as a sentence can hold it."""
        sign = self.tokenizer.tokens[letter]
        if letter == self.tokenizer.unknown:
            return "a sign not in the text"
        return {" ": "a space", "\n": "a line break"}.get(sign, f'"{visible(sign)}"')


@dataclass(frozen=True)
class NextLetter:
    """What could come next, given the letters that are remembered."""

    before: str  # the beginning without them
    remembered: str
    seen: int  # how often they stand in the text
    names: tuple[str, ...]  # (rows,) likeliest first
    chances: tuple[float, ...]  # (rows,)
    counts: tuple[int, ...]  # (rows,) how often each came after what is remembered
    rest: float  # the share of all other letters
    possible: int  # letters with a chance
    vocabulary: int
    sample: str  # what the model writes on


def _counted(letters: int) -> str:
    return "1 letter" if letters == 1 else f"{letters} letters"


def _memory(now: NextLetter) -> str:
    return f'"{visible(now.remembered)}"'


def _likeliest(now: NextLetter) -> str:
    return f"{now.names[0]} is likeliest, with {percent(now.chances[0])}"


def _after(now: NextLetter) -> str:
    return f"after {_memory(now)}, {_likeliest(now)}"


STORE, TOKYO = {"beginning": "I have to go to t"}, {"beginning": "I have to go to Tokyo", "remembers": MEMORY}


class NGramExplorer(TextExplorer):
    """The next letter as a table of counts guesses it from the last few letters, and what such a table writes.

    Args:
        counts: of a text, up to n-grams of six letters.
        tokenizer: whose ids were counted.
        start: first values of the controls: beginning, remembers, unseen, dice, own_text.
    """

    height = 270
    caption_lines = 2
    beginning = Text("I have to go to t", slow=False, maximum=500)
    remembers = Slider(0, MEMORY, 2, label="letters remembered")
    unseen = Choice(
        SMOOTHINGS, "Kneser-Ney", label="what never came gets",
        words=("nothing", "one count each", "what a shorter memory says"),
    )  # fmt: skip
    dice = Slider(1, 50, 1, label="roll of the dice")
    own_text = Text("", label="text to learn from", placeholder="empty: the plays. Paste a text of your own")
    tour = (
        (STORE | {"remembers": 0}, lambda now: f"No memory: all it knows is that {_likeliest(now)}."),
        (STORE | {"remembers": 1}, lambda now: f"One letter: {_after(now)}. It came {now.seen:,} times."),
        (STORE | {"remembers": 2}, lambda now: f"Two: {_after(now)}. Now it knows that a word begins."),
        (STORE | {"remembers": 5}, lambda now: f"Five: {_after(now)}. Look at what it writes: words."),
        (
            STORE | {"remembers": 5, "unseen": "none"},
            lambda now: f"What never came gets nothing: only {now.possible} of {now.vocabulary} letters have a chance.",
        ),
        (
            TOKYO | {"unseen": "none"},
            lambda now: f"{_memory(now)} came {now.seen} times, so the table knows nothing: all letters are equal.",
        ),
        (TOKYO, lambda now: f"A shorter memory helps out: {_likeliest(now)}, though {_memory(now)} never came."),
    )

    def __init__(self, counts: NGramCounts, tokenizer: CharacterTokenizer, **start: Any):
        self.counts, self.tokenizer = counts, tokenizer
        super().__init__(**start)

    def prepare(self, own_text: str) -> Counted:
        """Count the learner's own text; without one, take the counts that are there."""
        if not own_text:
            return Counted(self.counts, self.tokenizer)
        tokenizer = CharacterTokenizer.train(own_text)
        ids = tokenizer.encode(own_text)
        return Counted(NGramCounts(ids, len(tokenizer), min(MEMORY + 1, len(ids))), tokenizer)

    def compute(self, prepared: Counted, beginning: str, remembers: int, unseen: str, dice: int) -> NextLetter:
        """Return what could come next, and what the model writes on."""
        counts, tokenizer = prepared.counts, prepared.tokenizer
        if remembers >= counts.order:
            raise ValueError(
                f"Your text has {_counted(counts.order)}, too few for a memory of {remembers}: type more, or let it "
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
            tuple(prepared.name(letter) for letter in best),
            tuple(chances[best].tolist()),
            tuple(counts.count([*known, letter]) for letter in best),
            max(0.0, 1.0 - float(chances[best].sum())),
            int((chances > 0).sum()),
            counts.vocabulary,
            tokenizer.decode(sample),
        )

    def render(self, result: NextLetter) -> str:
        """The remembered letters marked, a row for each likely letter, and what the model writes on."""
        rows = [tag("tr", *(tag("th", words) for words in ("next letter", "probability", "", "how often it came")))]
        for name, chance, count in zip(result.names, result.chances, result.counts, strict=True):
            bar = "█" * round(24 * chance) or "▏"
            cells = (tag("b", name), percent(chance), tag("span", bar, style=f"color:{BLUE}"), f"{count:,} times")
            rows.append(tag("tr", *(tag("td", cell, style="padding:0 10px 0 0;line-height:1.25") for cell in cells)))
        more = f"{result.vocabulary - len(result.names)} other letters share {percent(result.rest)}\n"
        given = tag("", result.before[-60:], tag("mark", result.remembered))
        return tag("", tag("table", *rows), more, "It writes on: ", given, tag("b", result.sample))

    def caption(self, result: NextLetter) -> str:
        """Say what is remembered, how often it came, the likeliest letter, and how many have a chance."""
        seen = f"{_memory(result)} came {result.seen:,} times" if result.seen else f"{_memory(result)} never came"
        memory = (
            f"It remembers {_counted(len(result.remembered))}: {seen}."
            if result.remembered
            else "It remembers nothing."
        )
        possible = f"{result.possible} of {result.vocabulary} letters have a chance"
        return f"{memory} As the next one, {_likeliest(result)}; {possible}."


# ------------------------------------------------------------------------------------------------ gradients by distance


@dataclass(frozen=True)
class Fade:
    """How much each earlier letter still moves the state."""

    cell: str
    scale: float
    distance: int
    lengths: NDArray[np.float64]  # (FURTHEST + 1,), 1 for the newest letter

    @property
    def here(self) -> float:
        """The gradient at the chosen distance."""
        return float(self.lengths[self.distance])


CELLS: dict[str, tuple[Cell, float]] = {"RNN": ("rnn", 0.0), "LSTM": ("lstm", 0.0), "LSTM, keep bias 2": ("lstm", 2.0)}


def times(factor: float) -> str:
    """How many times as much, in words.

    >>> times(0.00012), times(0.5), times(23.7), times(1e-30)
    ('1/8,300 as much', '0.50 times as much', '24 times as much', 'less than 1/1,000,000,000,000 as much')
    """
    if factor < FAINTEST:
        return f"less than 1/{1 / FAINTEST:,.0f} as much"
    if factor < 0.1:
        return f"1/{float(f'{1 / factor:.2g}'):,.0f} as much"
    return f"{factor:.2f} times as much" if factor < 10 else f"{float(f'{factor:.2g}'):,.0f} times as much"


def _moves(now: Fade) -> str:
    steps = "1 step" if now.distance == 1 else f"{now.distance} steps"
    return f"a letter {steps} back moves the state {times(now.here)} as the newest one"


class GradientFade(FigureExplorer):
    """How much a letter that was read d letters ago still moves the state of an untrained recurrent network.

    Args:
        start: first values of the controls: cell, scale, distance.
    """

    size = (8.4, 3.4)
    cell = Choice(list(CELLS), label="network")
    scale = Slider(0.25, 4.0, 1.0, step=0.25, label="recurrent weights times")
    distance = Slider(1, FURTHEST, 20, label="steps back")
    tour = (
        ({"cell": "RNN", "distance": 1}, lambda now: f"The plain network: {_moves(now)}."),
        ({"cell": "RNN", "distance": 5}, lambda now: f"Further back: {_moves(now)}."),
        ({"cell": "RNN", "distance": 20}, lambda now: f"It shrinks at every step: {_moves(now)}."),
        ({"cell": "RNN", "scale": 3.0}, lambda now: f"Weights three times as large hold it here: {_moves(now)}."),
        (
            {"cell": "RNN", "scale": 4.0, "distance": FURTHEST},
            lambda now: f"A little more, and it explodes: {_moves(now)}.",
        ),
        ({"cell": "LSTM"}, lambda now: f"An LSTM as it starts out fades too, but less: {_moves(now)}."),
        ({"cell": "LSTM, keep bias 2"}, lambda now: f"With its keep gate open: {_moves(now)}."),
    )

    def compute(self, prepared: None, cell: str, scale: float, distance: int) -> Fade:
        """Return the gradient's length at every distance, and which of them is looked at."""
        kind, keep_bias = CELLS[cell]
        lengths = gradient_by_distance(kind, FURTHEST, scale=scale, keep_bias=keep_bias)
        return Fade(cell, scale, distance, lengths.numpy())

    def make_panels(self, figure: Figure, result: Fade) -> dict[str, Panel]:
        """One curve over the letters back, and a dot at the chosen one."""
        axes = figure.add_axes((0.14, 0.16, 0.83, 0.8), xlim=(0, FURTHEST + 1), xlabel="steps back")
        axes.set(yscale="log", ylim=(FAINTEST, STRONGEST), ylabel="how much it moves")
        axes.set_yticks(
            [1e6, 1e3, 1, 1e-3, 1e-6, 1e-9, 1e-12],
            ["1,000,000", "1,000", "1", "1/1,000", "1/million", "1/billion", "1/trillion"],
        )
        axes.minorticks_off()
        axes.axhline(1, color=GREY, linewidth=1)
        axes.text(FURTHEST, 2, "as much as the newest letter", color=GREY, ha="right", fontsize=10)
        looks = {"fade": {"color": BLUE, "linewidth": 2.5}, "here": {"color": ORANGE, "marker": "o", "markersize": 10}}
        return {"fade": Curves(axes, looks, ghosts=["fade"], legend={"loc": "lower left"})}

    def contents(self, result: Fade) -> dict[str, Any]:
        """The curve; a dot that is too low or too high for the picture stands at its edge."""
        here = np.clip(result.here, FAINTEST, STRONGEST)
        curve = np.clip(result.lengths, FAINTEST / 10, STRONGEST * 10)
        return {"fade": {"fade": (range(FURTHEST + 1), curve), "here": ([result.distance], [here])}}

    def caption(self, result: Fade) -> str:
        """Say the network, its weights, and how much is left of a letter at the chosen distance."""
        return f"{result.cell}, recurrent weights times {result.scale:g}: {_moves(result)}."
