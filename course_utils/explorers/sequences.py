"""Explorers of what a model remembers: the last few letters, or whatever still moves a recurrent network's state."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course_utils.experiments.distance import gradient_by_distance
from course_utils.experiments.next_letter import (
    MEMORY,
    SMOOTHINGS,
    Counted,
    NextLetter,
    count_letters,
    letters,
    next_letter,
)
from course_utils.explorers.base import Choice, FigureExplorer, Html, Slider, Stop, Text, TextExplorer, tag
from course_utils.models.ngram import NGramCounts
from course_utils.models.recurrent import Cell
from course_utils.plots.bars import percent
from course_utils.plots.panels import Panel
from course_utils.plots.sequences import FAINTEST, FURTHEST, fade_contents, fade_panels
from course_utils.plots.style import BLUE, visible
from course_utils.tokenizers import CharacterTokenizer


def name(letter: str) -> str:
    """A letter as a sentence can hold it; "" is one that the text does not have.

    >>> name("t"), name(" "), name("")
    ('"t"', 'a space', 'a sign not in the text')
    """
    return {" ": "a space", "\n": "a line break", "": "a sign not in the text"}.get(letter, f'"{visible(letter)}"')


def next_letters(now: NextLetter) -> Html:
    """The remembered letters marked, a row for each likely letter, and what the model writes on."""
    rows = [tag("tr", *(tag("th", words) for words in ("next letter", "probability", "", "how often it came")))]
    for letter, chance, count in zip(now.letters, now.chances, now.counts, strict=True):
        bar = tag("span", "█" * round(24 * chance) or "▏", style=f"color:{BLUE}")
        cells = (tag("b", name(letter)), percent(chance), bar, f"{count:,} times")
        rows.append(tag("tr", *(tag("td", cell, style="padding:0 10px 0 0;line-height:1.25") for cell in cells)))
    more = f"{now.vocabulary - len(now.letters)} other letters share {percent(now.rest)}\n"
    given = tag("", now.before[-60:], tag("mark", now.remembered))
    return tag("", tag("table", *rows), more, "It writes on: ", given, tag("b", now.sample))


def _memory(now: NextLetter) -> str:
    return f'"{visible(now.remembered)}"'


def _likeliest(now: NextLetter) -> str:
    return f"{name(now.letters[0])} is likeliest, with {percent(now.chances[0])}"


def _after(now: NextLetter) -> str:
    return f"after {_memory(now)}, {_likeliest(now)}"


STORE, TOKYO = {"beginning": "I have to go to t"}, {"beginning": "I have to go to Tokyo", "remembers": MEMORY}
LETTERS_TOUR: tuple[Stop, ...] = (
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
        SMOOTHINGS, "Kneser-Ney", label="unseen letters get",
        words=("nothing", "one count each", "what a shorter memory says"),
    )  # fmt: skip
    dice = Slider(1, 50, 1, label="roll of the dice")
    own_text = Text("", label="text to learn from", placeholder="empty: the plays. Paste a text of your own")
    tour = LETTERS_TOUR

    def __init__(self, counts: NGramCounts, tokenizer: CharacterTokenizer, **start: Any):
        self.counts, self.tokenizer = counts, tokenizer
        super().__init__(**start)

    def prepare(self, own_text: str) -> Counted:
        """Count the learner's own text; without one, take the counts that are there."""
        return count_letters(own_text) if own_text else Counted(self.counts, self.tokenizer)

    def compute(self, prepared: Counted, beginning: str, remembers: int, unseen: str, dice: int) -> NextLetter:
        """Return what could come next, and what the model writes on."""
        return next_letter(prepared, beginning, remembers, unseen, dice)

    def render(self, result: NextLetter) -> str:
        """The remembered letters, the likely ones, and what the model writes on."""
        return next_letters(result)

    def caption(self, result: NextLetter) -> str:
        """Say what is remembered, how often it came, the likeliest letter, and how many have a chance."""
        seen = f"{_memory(result)} came {result.seen:,} times" if result.seen else f"{_memory(result)} never came"
        known = letters(len(result.remembered))
        memory = f"It remembers {known}: {seen}." if result.remembered else "It remembers nothing."
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


FADE_TOUR: tuple[Stop, ...] = (
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


class GradientFade(FigureExplorer):
    """How much a letter that was read d letters ago still moves the state of an untrained recurrent network.

    Args:
        start: first values of the controls: cell, scale, distance.
    """

    size = (8.4, 3.4)
    cell = Choice(list(CELLS), label="network")
    scale = Slider(0.25, 4.0, 1.0, step=0.25, label="recurrent weights times")
    distance = Slider(1, FURTHEST, 20, label="steps back")
    tour = FADE_TOUR

    def compute(self, prepared: None, cell: str, scale: float, distance: int) -> Fade:
        """Return the gradient's length at every distance, and which of them is looked at."""
        kind, keep_bias = CELLS[cell]
        lengths = gradient_by_distance(kind, FURTHEST, scale=scale, keep_bias=keep_bias)
        return Fade(cell, scale, distance, lengths.numpy())

    def make_panels(self, figure: Figure, result: Fade) -> dict[str, Panel]:
        """One curve over the letters back, and a dot at the chosen one."""
        return fade_panels(figure)

    def contents(self, result: Fade) -> dict[str, Any]:
        """The curve; a dot that is too low or too high for the picture stands at its edge."""
        return fade_contents(result.lengths, result.distance)

    def caption(self, result: Fade) -> str:
        """Say the network, its weights, and how much is left of a letter at the chosen distance."""
        return f"{result.cell}, recurrent weights times {result.scale:g}: {_moves(result)}."
