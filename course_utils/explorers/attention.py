"""Explorers of attention: one worked out with every step, and the real ones of a chat model, to be read and cut."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from course_utils.experiments.attention_by_hand import MOST_WORDS, Worked, listed, read_lists, short
from course_utils.experiments.looking import BARS, CUTS, MOST_SHOWN, RIVER, Looking, Reading
from course_utils.explorers.base import (
    Choice,
    Control,
    FigureExplorer,
    Html,
    Slider,
    Stop,
    Text,
    TextExplorer,
    Toggle,
    tag,
)
from course_utils.models.transformer import Transformer
from course_utils.plots.attention import HEIGHT, WIDTH, attention_contents, attention_panels, pointed_at
from course_utils.plots.bars import PairedRows
from course_utils.plots.panels import Panel
from course_utils.tokenizers import BPETokenizer
from course_utils.wording import percent

CELL = "padding:1px 4px;line-height:1.35;text-align:center;max-width:116px;"
TABLE = "font-size:13px;border-spacing:2px"


def shaded(weight: float) -> Html:
    """A weight in a table, on a ground that is the bluer the larger it is."""
    ground = f"background:rgba(33,102,172,{0.75 * weight:.2f});"
    return tag("td", tag("b", percent(weight)), style=CELL + ground)


def line(name: str, *cells: str) -> Html:
    """A row of a table: its name, then a cell for each word; a cell made by `tag` is taken as it is."""
    made = (cell if isinstance(cell, Html) else tag("td", cell, style=CELL) for cell in cells)
    return tag("tr", tag("th", name, style="text-align:left;padding:1px 6px 1px 0;max-width:210px"), *made)


def factor(number: float) -> str:
    """A number as it stands in a product, in brackets if it is negative."""
    return short(number) if number >= 0 else f"({short(number)})"


def product(query: Any, key: Any) -> str:
    """A dot product as it is written out on paper.

    >>> product([1, 2], [3, -1])
    '1·3 + 2·(−1) = 1'
    """
    terms = " + ".join(f"{factor(one)}·{factor(other)}" for one, other in zip(query, key, strict=True))
    return f"{terms} = {short(float(np.dot(query, key)))}"


def steps(now: Worked) -> Html:
    """Every step of one word's attention, a column for each word that it could look at."""
    row, seen = now.row, range(len(now.words))
    asker, hidden = now.words[row], now.hidden[row]

    def cells(texts: Any) -> list[str]:
        return ["hidden" if hidden[at] else text for at, text in enumerate(texts)]

    divided = f"÷ √{now.queries.shape[1]} = {short(now.root)}" if now.divide else "not divided"
    total = now.powers[row].sum()
    taken = [listed(now.weights[row, at] * now.values[at]) for at in seen]
    return tag(
        "table",
        line("", *(tag("th", word, style=CELL) for word in now.words)),
        line("1  its key", *map(listed, now.keys)),
        line(
            f"2  query of {asker} {listed(now.queries[row])} · key", *(product(now.queries[row], k) for k in now.keys)
        ),
        line(f"3  {divided}: score", *map(short, now.scores[row])),
        line("4  later words are hidden" if now.hide else "4  nothing is hidden", *cells(map(short, now.scores[row]))),
        line("5  e to that power", *cells(map(short, now.powers[row]))),
        line(f"6  ÷ their sum {short(total)}: weight", *map(shaded, now.weights[row])),
        line("7  its value", *map(listed, now.values)),
        line("8  weight × value", *taken),
        line("9  all added: result", tag("td", tag("b", listed(now.results[row])), style=CELL)),
        style=TABLE,
    )


def table_of_weights(now: Worked) -> Html:
    """The weights of all words: a row for each word that asks, a column for each word that it looks at."""
    rows = []
    for at, (word, weights) in enumerate(zip(now.words, now.weights, strict=True)):
        cells = [tag("td", "hidden", style=CELL) if now.hidden[at, to] else shaded(w) for to, w in enumerate(weights)]
        rows.append(line(f"▸ {word}" if at == now.row else word, *cells))
    return tag("table", line("", *(tag("th", word, style=CELL) for word in now.words)), *rows, style=TABLE)


LOAN = {"words": "the loan bank", "keys": "0 0 0 1; 0 4 1 0; 0 0 1 0", "value_lists": "0 0; 0 6; 2 2"}


def _takes(now: Worked) -> str:
    """The asker's largest weight and its result."""
    weights = now.weights[now.row]
    best = int(weights.argmax())
    asker, result = now.words[now.row], listed(now.results[now.row])
    return f"{asker} takes {percent(weights[best])} from {now.words[best]}, and its result is {result}"


BY_HAND_TOUR: tuple[Stop, ...] = (
    ({}, lambda now: f"The list of bank asks about water and money. {_takes(now)}."),
    (LOAN, lambda now: f"The same query beside a loan: {_takes(now)}. Nothing of bank's own was changed."),
    ({"queries": "0 0 0 0; 0 1 0 0; 2 2 0 0"}, lambda now: f"The query is twice as large: {_takes(now)}."),
    (
        {"queries": "0 0 0 0; 0 1 0 0; 0 0 0 0"},
        lambda now: f"A query of zeros asks nothing, so all are equal: {_takes(now)}.",
    ),
    ({"divide": False}, lambda now: f"Not divided by {short(np.sqrt(now.queries.shape[1]))}: {_takes(now)}."),
    ({"asker": 2}, lambda now: f"A word in the middle does not see bank. {_takes(now)}."),
    ({"asker": 2, "hide": False}, lambda now: f"Nothing hidden: now the second word looks ahead too. {_takes(now)}."),
)


class AttentionByHand(TextExplorer):
    """Attention of a few words with every step of the calculation; all its numbers can be edited.

    Args:
        start: first values of the controls: words, queries, keys, value_lists, asker, divide, hide.
    """

    height = 300
    words = Text("the river bank", slow=True, maximum=60)
    queries = Text("0 0 0 0; 0 1 0 0; 1 1 0 0", slow=False, maximum=200)
    keys = Text("0 0 0 1; 4 0 1 0; 0 0 1 0", slow=False, maximum=200)
    value_lists = Text("0 0; 6 0; 2 2", slow=False, maximum=200, label="values")
    asker = Choice((1, 2, 3), 3, label="worked out for")
    divide = Toggle(True, label="divide by √d")
    hide = Toggle(True, label="hide later words")
    tour = BY_HAND_TOUR

    def __init__(self, **start: Any):
        super().__init__(**start)
        self.lay_out(Text, width="48%")

    def prepare(self, words: str) -> tuple[str, ...]:
        """Return the words."""
        found = tuple(words.split())
        if not 1 <= len(found) <= MOST_WORDS:
            raise ValueError(f"words: {len(found)} words; give 1 to {MOST_WORDS}, so that it still fits on paper.")
        return tuple(word[:12] for word in found)

    def dependent_controls(self, prepared: tuple[str, ...]) -> dict[str, Choice]:
        """Any of the words can be worked out, at first the last one."""
        numbers = range(1, len(prepared) + 1)
        return {"asker": Choice(numbers, len(prepared), words=prepared, label="worked out for")}

    def compute(
        self, prepared: tuple[str, ...], queries: str, keys: str, value_lists: str, asker: int, divide: bool, hide: bool
    ) -> Worked:
        """Return the whole calculation."""
        texts = {"queries": queries, "keys": keys, "values": value_lists}
        ask, offer, give = (read_lists(text, name, len(prepared)) for name, text in texts.items())
        if ask.shape != offer.shape:
            raise ValueError(
                f"queries have {ask.shape[1]} numbers and keys {offer.shape[1]}: a dot product needs as many in both."
            )
        return Worked(prepared, ask, offer, give, divide, hide, asker - 1)

    def render(self, result: Worked) -> str:
        """The steps of one word, and beside them the weights of all."""
        both = (steps(result), table_of_weights(result))
        return tag("div", *both, style="display:flex;gap:12px;flex-wrap:wrap;white-space:normal;align-items:flex-start")


# ------------------------------------------------------------------------------------------------- the heads of a model

TOUR: tuple[Stop, ...] = (
    ({}, lambda now: f"The framed row is the last word: {now.takes}."),
    ({"text": RIVER.replace("river", "loan")}, lambda now: f"Another word in its place: {now.takes}."),
    ({"text": RIVER.replace("river", "teacher")}, lambda now: f"A word that no bank needs: {now.takes}."),
    ({"text": RIVER.replace("bank", "chair")}, lambda now: f"Another last word, which needs no river: {now.takes}."),
    ({"layer": 16, "head": 0}, lambda now: f"Another head looks at the word before, whatever it is: {now.takes}."),
    ({"layer": 20, "head": 4}, lambda now: f"Many heads look at the first token: {now.takes}."),
    ({"cut": "this cell"}, lambda now: f"Back to the first head, with one cell cut: {now.change}."),
    ({"layer": 1, "cut": "this layer"}, lambda now: f"All heads of layer 1 cut: {now.change}."),
)


class AttentionExplorer(FigureExplorer):
    """Who looks at whom in every head of a model, and what the next token becomes if one of the looks is cut.

    Args:
        model: any ``Transformer`` that is a decoder.
        tokenizer: the model's tokenizer.
        start: first values of the controls: text, cut, row, column, layer, head; all counted from 0.
    """

    size = (WIDTH / 100, HEIGHT / 100)
    text = Text(RIVER)
    cut = Choice(CUTS, label="cut")
    row = Choice(range(MOST_SHOWN), 13, label="who looks")
    column = Choice(range(MOST_SHOWN), 1, label="at whom")
    layer = Slider(0, 29, 9)
    head = Slider(0, 8, 2)
    tour = TOUR

    def __init__(self, model: Transformer, tokenizer: BPETokenizer, **start: Any):
        self.model, self.tokenizer = model, tokenizer
        layers, heads = model.config.layers, model.config.heads
        self.layer = Slider(0, max(1, layers - 1), min(9, layers - 1))
        self.head = Slider(0, max(1, heads - 1), min(2, heads - 1))
        super().__init__(**start)
        self.lay_out(Control, width="auto", min_width="0")
        self.lay_out(Slider, flex="1 1 200px")
        self.inputs["text"].layout.flex = "1 1 620px"
        self.hear_pointer((0, 0, 1, 1), self.point)

    def point(self, place: list[float]) -> None:
        """Choose the cell or the head that is pressed."""
        self.set(**pointed_at(place, len(self.result.names), *self.result.everywhere.shape))

    def prepare(self, text: str) -> Reading:
        """Let the model read the text, and keep every weight."""
        return Reading(self.model, self.tokenizer, text)

    def dependent_controls(self, prepared: Reading) -> dict[str, Choice]:
        """The lists show the tokens."""
        words = [f"{at} {name}" for at, name in enumerate(prepared.names)]
        places, last = range(len(words)), len(words) - 1
        return {"row": Choice(places, last, words=words, label="who looks"),
                "column": Choice(places, 0, words=words, label="at whom")}  # fmt: skip

    def compute(self, prepared: Reading, cut: str, row: int, column: int, layer: int, head: int) -> Looking:
        """Return one head's weights; for a cut the model reads the text once more."""
        return prepared.look(layer, head, row, column, cut)

    def make_panels(self, figure: Figure, result: Looking) -> dict[str, Panel]:
        """The map of one head on the left; all heads, and the next token, on the right."""
        layers, heads = result.everywhere.shape
        return attention_panels(figure, layers, heads, BARS)

    def contents(self, result: Looking) -> dict[str, Any]:
        """What each panel shows."""
        bars = PairedRows(result.tokens, result.before, result.after, [True] * len(result.tokens))
        return {**attention_contents(result), "bars": bars}
