"""From a slider's move to the picture, in the kernel: an explorer against ``interact`` with a new pyplot figure.

Both draw the same bars from the same numbers, by turns, in one process. Then every explorer of the package, moved by
its own fast sliders. Run it with ``python benchmarks/explorers.py``.
"""

import contextlib
import importlib
import io
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from IPython.core.interactiveshell import InteractiveShell

PROJECT = Path(__file__).resolve().parents[1]
TARGET, SHARE = 25.0, 0.5  # milliseconds, and the most of interact's time that an explorer may take
MOVES = 60


def milliseconds(action: Callable[[], object]) -> float:
    """How long an action takes, in processor time of this one thread: other programs' work does not count."""
    begun = time.process_time()
    action()
    return (time.process_time() - begun) * 1e3


def against_interact() -> tuple[float, float]:
    """Return the median milliseconds of the explorer and of ``interact``."""
    matplotlib.use("module://matplotlib_inline.backend_inline")
    InteractiveShell.instance()
    import ipywidgets
    from matplotlib import pyplot

    from course_utils.explorers.sampling import TemperatureExplorer
    from course_utils.models.transformer import Transformer, TransformerConfig
    from course_utils.plots.bars import PairedBars
    from course_utils.tokenizers import BPETokenizer

    torch.manual_seed(0)
    tokenizer = BPETokenizer.gpt2()
    model = Transformer(TransformerConfig(vocabulary=len(tokenizer), context=64, width=16, layers=1, heads=2))
    ours = TemperatureExplorer(model, tokenizer, temperature=0.05, top_p=0.9)

    def picture(temperature: float) -> None:
        knobs = ours.values | {"temperature": temperature}
        prepared = next(iter(ours._prepared.values()))
        result = ours.compute(prepared, **{name: knobs[name] for name in knobs if name != "prompt"})
        figure = pyplot.figure(figsize=ours.size, dpi=100)
        bars = PairedBars(figure, len(result.tokens), (0.27, 0.07, 0.71, 0.85))
        bars.update(ours.contents(result)["bars"])
        print(ours.caption(result))
        pyplot.show()

    slider = ipywidgets.FloatSlider(value=1.0, min=0.0, max=3.0, step=0.01)
    times: tuple[list[float], list[float]] = ([], [])
    with contextlib.redirect_stdout(io.StringIO()):  # what interact shows goes to a page in a notebook
        ipywidgets.interact(picture, temperature=slider)
        for move in range(MOVES):
            value = 0.02 + 0.04 * move
            times[0].append(milliseconds(lambda value=value: setattr(ours.inputs["temperature"], "value", value)))
            times[1].append(milliseconds(lambda value=value: setattr(slider, "value", value)))
    assert ours.temperature == slider.value and not ours.problem
    return statistics.median(times[0][5:]), statistics.median(times[1][5:])


def pulled(control: Any) -> list[float]:
    """Values that a slider takes when it is pulled from one end to the other and back."""
    spaced = np.geomspace if control.log else np.linspace
    values = [control.check(type(control.start)(value)) for value in spaced(control.low, control.high, 30)]
    return [*values, *reversed(values)]


def every_explorer() -> dict[str, float]:
    """Return the median milliseconds of a move of each explorer's fast sliders, made as the tests make them."""
    sys.path.insert(0, str(PROJECT))
    sweep = importlib.import_module("tests.explorers.sweep")
    for path in sorted((PROJECT / "tests" / "explorers").glob("sweep_*.py")):
        importlib.import_module(f"tests.explorers.{path.stem}")
    medians = {}
    for kind, make in sweep.FACTORIES.items():
        explorer = make()
        for name, control in explorer.controls.items():
            if control.slow or not hasattr(control, "low"):
                continue
            widget = explorer.inputs[name]
            values = pulled(control)
            times = [milliseconds(lambda v=v, widget=widget: setattr(widget, "value", v)) for v in values]
            medians[f"{kind.__name__}.{name}"] = statistics.median(times[4:])
            explorer.reset()
    return medians


def main() -> int:
    """Print the figures; fail if a target is missed."""
    torch.set_num_threads(1)  # what a slider computes is small; waiting threads would only disturb
    ours, theirs = against_interact()
    print(f"slider to picture, median of {MOVES}: explorer {ours:.1f} ms, interact with a new figure {theirs:.1f} ms")
    print(f"  share {ours / theirs:.2f} (at most {SHARE}), target {TARGET:.0f} ms")
    medians = every_explorer()
    for name, median in medians.items():
        print(f"  {name:<40} {median:6.1f} ms")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    every_explorer()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"peak memory, all of it once more: {grown:+.1f} MB")
    missed = [name for name, median in medians.items() if median > TARGET]
    if ours > TARGET or ours > SHARE * theirs or missed:
        print(f"MISSED: {', '.join(missed) or 'explorer against interact'}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
