"""Pictures of pretraining: a page of text that is being learned, the time machine's four views, and the theatre."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_utils.experiments.snapshots import Scene, lines
from course_utils.experiments.theatre import Act
from course_utils.plots import picture
from course_utils.plots.embeddings import Places, WordMap
from course_utils.plots.panels import Curves, Heatmap, Panel
from course_utils.plots.static import Static
from course_utils.plots.style import BLUE, GREY, INK, ORANGE, readable
from course_utils.wording import percent

COLUMNS = 56  # signs in a line of a page
KINDS_OF_PROMPTS = {"need": ("a need decides", ORANGE), "thing": ("a thing's place decides", BLUE)}


class Page:
    r"""A text of several lines in letters of one width: what was given in black, what was written in blue.

    Args:
        axes: where; they are switched off.
        rows: lines that there is room for.
        columns: signs in a line; longer lines go on in the next.

    >>> from course_utils.plots.picture import new_figure
    >>> page = Page(new_figure(4, 2).add_axes((0, 0, 1, 1)), rows=3, columns=10)
    >>> page.update(("ROMEO:", "\nbut soft, what light"))
    >>> page.given[0].get_text(), [line.get_text() for line in page.lines[1:]]
    ('ROMEO:', ['but soft, ', 'what light'])
    """

    def __init__(self, axes: Axes, rows: int, columns: int = COLUMNS):
        self.rows, self.columns = rows, columns
        axes.axis("off")
        axes.set(xlim=(0, 1), ylim=(rows, 0))
        looks: dict[str, Any] = {"family": ["DejaVu Sans Mono"], "fontsize": 9.5, "va": "center"}
        self.lines = [axes.text(0, at + 0.5, "", color=BLUE, **looks) for at in range(rows)]
        self.given = [axes.text(0, at + 0.5, "", color=INK, weight="bold", **looks) for at in range(rows)]

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes."""
        return [*self.lines, *self.given]

    def update(self, content: tuple[str, str], ghost: Any = None) -> None:
        """Show what was given, and what was written after it; a ghost of a text would only be in the way."""
        given, written = content
        text, place = given + written, 0
        shown = lines(text, self.columns, self.rows)
        for at in range(self.rows):
            line = shown[at] if at < len(shown) else ""
            old = min(max(0, len(given) - place), len(line))  # signs of this line that were given
            self.given[at].set_text(readable(line[:old]))
            self.lines[at].set_text(readable(" " * old + line[old:]) if old < len(line) else "")
            place += len(line)
            place += text[place : place + 1] == "\n"


def time_machine_panels(
    figure: Figure, curve: tuple[Sequence[int], Sequence[float]], kinds: Mapping[str, str]
) -> dict[str, Panel]:
    """Four views of one moment: how good the model is, what it writes, where it looks, how its letters lie.

    Args:
        figure: an empty one, 8.4 by 4.0 inches.
        curve: steps and held-out bits of all moments.
        kinds: each letter of the map with its kind.
    """
    steps, bits = curve
    loss = figure.add_axes((0.065, 0.6, 0.33, 0.36), xlim=(-0.03 * steps[-1], 1.03 * steps[-1]))
    loss.set(ylim=(1.5, 1.05 * max(*bits, 1.5)), xlabel="training step", ylabel="bits a letter")
    loss.plot(steps, bits, color=GREY, marker="o", markersize=4, linewidth=1.5)
    page = figure.add_axes((0.44, 0.5, 0.55, 0.48))
    heat = figure.add_axes((0.065, 0.085, 0.3, 0.36))
    heat.tick_params(length=0, labelsize=8)
    heat.set_title("where each letter looks", fontsize=10)
    letters = figure.add_axes((0.5, 0.03, 0.48, 0.41), xticks=[], yticks=[], xlim=(-1.1, 1.1), ylim=(-1.15, 1.15))
    letters.set_title("the letters' vectors: ● vowels  ■ consonants  ▲ capitals", fontsize=10)
    for side in ("left", "bottom"):
        letters.spines[side].set_visible(False)
    return {
        "here": Curves(
            loss, {"here": {"color": ORANGE, "marker": "o", "markersize": 11, "linestyle": "none"}}, ["here"]
        ),
        "page": Page(page, rows=13),
        "weights": Heatmap(heat, (0.0, 1.0)),
        "letters": WordMap(letters, len(kinds)),
    }


def time_machine_contents(scene: Scene, kinds: Mapping[str, str]) -> dict[str, Any]:
    """What `time_machine_panels` show of a scene."""
    names = [readable(sign) for sign in scene.read]
    order = list(dict.fromkeys(kinds.values()))
    widest = float(np.abs(scene.places).max()) or 1.0
    return {
        "here": {"here": ([scene.step], [scene.bits])},
        "page": (scene.given, scene.text),
        "weights": (scene.weights, names, names),
        "letters": Places(list(kinds), scene.places / widest, [order.index(kind) for kind in kinds.values()]),
    }


def theatre_panels(figure: Figure, steps: int, marks: Mapping[str, float]) -> dict[str, Panel]:
    """The bits of a run by step, and the page that the model writes.

    Args:
        figure: an empty one, 8.4 by 3.6 inches.
        steps: of the whole run.
        marks: bits a letter of other models, by name; each is a thin line.
    """
    axes = figure.add_axes((0.065, 0.15, 0.4, 0.8), xlim=(0, steps), ylim=(1.5, 7), xlabel="training step")
    axes.set_ylabel("bits a letter")
    for name, bits in marks.items():
        axes.axhline(bits, color=GREY, linewidth=1, linestyle=":")
        axes.text(steps, bits + 0.05, name, color=GREY, fontsize=9, ha="right")
    looks: dict[str, dict[str, Any]] = {
        "training": {"color": BLUE, "alpha": 0.5, "linewidth": 1, "label": "each training step"},
        "held out": {"color": ORANGE, "marker": "o", "markersize": 4, "linewidth": 2, "label": "unseen plays"},
    }
    page = figure.add_axes((0.5, 0.05, 0.49, 0.9))
    return {"bits": Curves(axes, looks, ["held out"], {"loc": "upper right"}), "page": Page(page, rows=17, columns=50)}


def theatre_contents(act: Act) -> dict[str, Any]:
    """What `theatre_panels` show of a moment."""
    at, bits = zip(*act.held_out, strict=True)
    return {
        "bits": {"training": (range(1, len(act.losses) + 1), act.losses), "held out": (at, bits)},
        "page": (act.given, act.text),
    }


def places_by_step(rows: Sequence[Mapping[str, Any]], prompt: int = 0) -> Static:
    """How likely a model finds each place as the next word, by training step: in one story, and the right one in all.

    Args:
        rows: of ``datasets/runs/tiny_tales_places.csv``.
        prompt: the story of the left picture.

    >>> row = {"prompt": 0, "kind": "need", "place": "shop", "held_out_loss": 5, "seconds": 0, "apple": 0.0, "park": 1}
    >>> rows = [{**row, "step": 0, "shop": 0.25}, {**row, "step": 9, "shop": 0.75}]
    >>> places_by_step(rows).alt[:75]
    'In story 0, shop rises from 25 % to 75 % in 9 steps; apple ends at <0.01 %.'
    """
    own = [row for row in rows if row["prompt"] == prompt]
    steps, right = [row["step"] for row in own], own[0]["place"]
    named = ("step", "prompt", "kind", "place", "held_out_loss", "seconds", "apple")
    figure = picture.new_figure(8.4, 3.4)
    both = [figure.add_axes((left, 0.15, 0.4, 0.75), ylim=(0, 1.02), xlabel="training step") for left in (0.075, 0.57)]
    for place in (name for name in own[0] if name not in named and name != right):
        both[0].plot(steps, [row[place] for row in own], color=GREY, linewidth=1)
    both[0].plot([], [], color=GREY, linewidth=1, label="each other place")
    both[0].plot(steps, [row["apple"] for row in own], color=INK, linestyle=":", linewidth=2, label="apple")
    both[0].plot(steps, [row[right] for row in own], color=ORANGE, linewidth=2.5, label=right)
    both[0].set(ylabel="probability of the next word", title="this story")
    both[0].legend(loc="upper left")
    told = []
    for kind, (words, colour) in KINDS_OF_PROMPTS.items():
        numbers = sorted({row["prompt"] for row in rows if row["kind"] == kind})
        if numbers:
            runs = [[row[row["place"]] for row in rows if row["prompt"] == number] for number in numbers]
            chances = np.array(runs)  # (stories, moments)
            both[1].plot(steps, chances.T, color=colour, linewidth=0.7, alpha=0.5)
            both[1].plot(steps, chances.mean(0), color=colour, linewidth=2.5, label=words)
            told.append(f"{words}, {len(numbers)} stories: {percent(chances[:, -1].mean())} on average")
    both[1].set(title="the right place in many stories")
    both[1].legend(loc="upper left")
    first, last = (percent(own[at][right]) for at in (0, -1))
    return Static(
        figure,
        f"In story {prompt}, {right} rises from {first} to {last} in {steps[-1]} steps; apple ends at "
        f"{percent(max(own[-1]['apple'], 1e-6))}. The right place at the end: {'; '.join(told)}.",
    )


def ablation_table(rows: Sequence[Mapping[str, Any]]) -> Static:
    """Held-out bits of a recipe with one thing changed: a dot for each seed, the best change on top.

    Args:
        rows: of ``datasets/runs/pretraining_ablation.csv``; those of ``"as it is"`` are the recipe itself.

    >>> rows = [{"change": change, "held_out_loss": loss} for change, loss in (("as it is", 1.9), ("GELU", 2.0))]
    >>> ablation_table(rows).alt
    'Bits a letter after the same number of steps, means. as it is 2.74; GELU 2.89.'
    """
    runs: dict[str, list[float]] = {}
    for row in rows:
        runs.setdefault(row["change"], []).append(row["held_out_loss"] / math.log(2))
    order = sorted(runs, key=lambda change: float(np.mean(runs[change])))
    figure = picture.new_figure(8.4, 0.7 + 0.25 * len(order))
    room = 0.55 / figure.get_figheight()
    axes = figure.add_axes((0.31, room, 0.62, 0.98 - room), ylim=(len(order) - 0.4, -0.6))
    axes.axvline(float(np.mean(runs["as it is"])), color=GREY, linewidth=1, linestyle=":")
    for at, change in enumerate(order):
        colour = ORANGE if change == "as it is" else BLUE
        axes.plot(runs[change], [at] * len(runs[change]), "o", color=colour, markersize=6, alpha=0.7)
        axes.text(max(runs[change]) + 0.01, at, f"{np.mean(runs[change]):.2f}", va="center", fontsize=10)
    axes.set_xlabel("bits a letter, held out (fewer is better)")
    axes.set_yticks(range(len(order)), order, fontsize=10)
    axes.tick_params(axis="y", length=0)
    told = "; ".join(f"{change} {np.mean(runs[change]):.2f}" for change in order)
    return Static(figure, f"Bits a letter after the same number of steps, means. {told}.")
