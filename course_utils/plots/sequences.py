"""Pictures of models that read letter after letter: bits by memory, the score table, recall by distance, seconds."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray

from course_utils.experiments.language_models import Score
from course_utils.plots import picture
from course_utils.plots.panels import Curves, Panel
from course_utils.plots.static import Static
from course_utils.plots.style import BLUE, GREY, INK, ORANGE

LOOKS = ((BLUE, "o"), (ORANGE, "s"), ("#1b9e77", "^"), ("#762a83", "D"))
FURTHEST = 60  # letters back, of the gradients
FAINTEST, STRONGEST = 1e-12, 1e6  # what the picture of gradients shows


def bits_by_memory(bits: Mapping[str, Sequence[float]]) -> Static:
    """Bits per letter on unseen text, against how many letters the model remembers: one line for each smoothing.

    Args:
        bits: by smoothing, for a memory of 0, 1, 2, ... letters.

    >>> bits_by_memory({"add one": [4.8, 3.6, 3.7]}).alt
    'Bits per letter on unseen text, by letters remembered. add one: 4.80, 3.60, 3.70, best with 1.'
    """
    figure = picture.new_figure(8.4, 3.4)
    axes = figure.add_axes((0.08, 0.15, 0.9, 0.8), xlabel="letters remembered", ylabel="bits per letter, unseen plays")
    told = []
    for (name, values), (colour, marker) in zip(bits.items(), LOOKS, strict=False):
        axes.plot(range(len(values)), values, color=colour, marker=marker, linewidth=2, label=name)
        numbers = ", ".join(f"{value:.2f}" for value in values)
        told.append(f"{name}: {numbers}, best with {list(values).index(min(values))}")
    axes.set_xticks(range(max(map(len, bits.values()))))
    axes.set_ylim(0, 1.05 * max(max(values) for values in bits.values()))
    axes.legend(loc="lower left")
    return Static(figure, f"Bits per letter on unseen text, by letters remembered. {'; '.join(told)}.")


def scoreboard(scores: Sequence[Score], own: Sequence[Score] = ()) -> Static:
    """Bits per letter of many models on the same unseen plays, worst first; a thin line spans the runs of one model.

    Args:
        scores: recorded ones.
        own: of models trained on the page, in orange.

    >>> scoreboard([Score("RNN", (2.5, 2.4))], [Score("yours", (3.0,))]).alt
    'Bits per letter on unseen plays. yours 3.00; RNN 2.45 (2 runs).'
    """
    rows = sorted([*scores, *own], key=lambda score: -score.bits)
    figure = picture.new_figure(8.4, 0.9 + 0.28 * len(rows))
    room = 0.55 / figure.get_figheight()
    axes = figure.add_axes((0.31, room, 0.66, 0.98 - room), xlim=(0, 1.18 * rows[0].bits), ylim=(len(rows) - 0.4, -0.6))
    axes.set_xlabel("bits per letter on unseen plays (fewer is better)")
    for at, score in enumerate(rows):
        axes.barh(at, score.bits, 0.7, color=ORANGE if score in own else BLUE)
        axes.plot([min(score.runs), max(score.runs)], [at, at], color=INK, linewidth=2)
        runs = f" ({len(score.runs)} runs)" if len(score.runs) > 1 else ""
        axes.text(max(score.runs) + 0.05, at, f"{score.bits:.2f}{runs}", va="center", fontsize=10)
    axes.set_yticks(range(len(rows)), [score.name for score in rows], fontsize=10)
    axes.tick_params(axis="y", length=0)
    told = "; ".join(
        f"{score.name} {score.bits:.2f}" + (f" ({len(score.runs)} runs)" if len(score.runs) > 1 else "")
        for score in rows
    )
    return Static(figure, f"Bits per letter on unseen plays. {told}.")


def recall_by_distance(
    shares: Mapping[str, Mapping[int, Sequence[float]]], own: tuple[int, float] | None = None, chance: float = 1 / 16
) -> Static:
    """How often a value is recalled, against the tokens that stand between: a line of means, a dot for each run.

    Args:
        shares: by model and distance, one share for each run.
        own: distance and share of a run on the page.
        chance: of a guess.

    >>> recall_by_distance({"RNN": {5: [1.0, 0.5], 10: [0.06]}}).alt
    'Share recalled, by tokens between. RNN: 5: 0.75, 10: 0.06.'
    """
    figure = picture.new_figure(8.4, 3.4)
    axes = figure.add_axes((0.08, 0.15, 0.66, 0.8), xscale="log", ylim=(0, 1.05), ylabel="share recalled")
    told = []
    for (name, runs), (colour, marker) in zip(shares.items(), LOOKS, strict=False):
        means = [mean(each) for each in runs.values()]
        axes.plot(list(runs), means, color=colour, marker=marker, linewidth=2, markersize=8, label=name)
        for distance, each in runs.items():
            axes.plot([distance] * len(each), each, marker, color=colour, markersize=4, linestyle="none")
        told.append(f"{name}: " + ", ".join(f"{far}: {at:.2f}" for far, at in zip(runs, means, strict=True)))
    if own is not None:
        axes.plot(*own, "*", color=INK, markersize=15, linestyle="none", label="your run")
        told.append(f"Your run at {own[0]}: {own[1]:.2f}")
    axes.axhline(chance, color=GREY, linewidth=1, linestyle=":", label="a guess")
    distances = sorted({distance for runs in shares.values() for distance in runs})
    axes.set_xticks(distances, [str(distance) for distance in distances])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("tokens between the value and the question")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return Static(figure, f"Share recalled, by tokens between. {'. '.join(told)}.")


def seconds_by_length(lengths: Sequence[int], seconds: Mapping[str, Sequence[float]]) -> Static:
    """Seconds to read a text, against its length; both axes by powers.

    Args:
        lengths: in tokens.
        seconds: by model, one for each length.

    >>> seconds_by_length([64, 512], {"RNN": [0.004, 0.032]}).alt
    'Milliseconds to read 64 and 512 tokens. RNN: 4.0 and 32.0.'
    """
    figure = picture.new_figure(8.4, 3.4)
    axes = figure.add_axes((0.1, 0.15, 0.66, 0.8), xscale="log", yscale="log", xlabel="letters in the text")
    axes.set_ylabel("milliseconds to read it")
    told = []
    for (name, each), (colour, marker) in zip(seconds.items(), LOOKS, strict=False):
        milliseconds = [1000 * second for second in each]
        axes.plot(lengths, milliseconds, color=colour, marker=marker, linewidth=2, label=name)
        told.append(f"{name}: {milliseconds[0]:.1f} and {milliseconds[-1]:.1f}")
    axes.set_xticks(lengths, [f"{length:,}" for length in lengths])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return Static(figure, f"Milliseconds to read {lengths[0]:,} and {lengths[-1]:,} tokens. {'; '.join(told)}.")


def fade_panels(figure: Figure) -> dict[str, Panel]:
    """One curve of gradients over the letters back, and a dot at the chosen one."""
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


def fade_contents(lengths: NDArray[np.float64], distance: int) -> dict[str, Any]:
    """The curve; a dot that is too low or too high for the picture stands at its edge.

    Args:
        lengths: ``(FURTHEST + 1,)``, how much a letter so many steps back still moves the state.
        distance: of the dot.
    """
    here = np.clip(lengths[distance], FAINTEST, STRONGEST)
    curve = np.clip(lengths, FAINTEST / 10, STRONGEST * 10)
    return {"fade": {"fade": (range(FURTHEST + 1), curve), "here": ([distance], [here])}}
