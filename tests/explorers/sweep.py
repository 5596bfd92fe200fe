"""Every explorer goes through the same hands: every control over its range, odd texts, pin, reset, still."""

import ast
import contextlib
import html
import importlib
import io
import logging
import pkgutil
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image

import course_utils.explorers
from course_utils.explorers.base import Button, Choice, Explorer, FigureExplorer, Slider, Text, TextExplorer, Toggle
from course_utils.plots.picture import STILL_LIMIT

TEXTS = (
    "",
    " ",
    "a" * 100_000,
    "日本語のトークン",
    "مرحبا بالعالم",
    "👩‍🚀 🎉",
    "<script>alert(1)</script>",
    "$x$ \\frac{1}{0} $",
    "line\nbreak\ttab\x07bell\u202eturned",
    "\ud800",
    "The capital of France is",
)

FACTORIES: dict[type[Explorer], Callable[[], Explorer]] = {}


def factory(kind: type[Explorer]) -> Callable[[Callable[[], Explorer]], Callable[[], Explorer]]:
    """Register the function under it as the way to make a ``kind`` for the sweep."""

    def register(make: Callable[[], Explorer]) -> Callable[[], Explorer]:
        FACTORIES[kind] = make
        return make

    return register


def explorers() -> set[type[Explorer]]:
    """Every explorer of the package."""
    for module in pkgutil.iter_modules(course_utils.explorers.__path__, "course_utils.explorers."):
        importlib.import_module(module.name)
    found, waiting = set(), [FigureExplorer, TextExplorer]
    while waiting:
        children = waiting.pop().__subclasses__()
        waiting += children
        found |= {kind for kind in children if kind.__module__.startswith("course_utils.explorers.")}
    found = {kind for kind in found if kind.compute is not Explorer.compute}  # else it is a base of explorers
    return {kind for kind in found if getattr(importlib.import_module(kind.__module__), kind.__name__, None) is kind}


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Fail on any warning, and on anything logged as one or written to stderr: a notebook would show it."""
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stderr(heard):
            warnings.simplefilter("always")
            yield
    finally:
        logging.getLogger().removeHandler(handler)
    said = heard.getvalue() + "".join(f"{warning.message}\n" for warning in caught)
    assert said == "", said


def check(explorer: Explorer) -> None:
    """What holds at any moment: a picture of the same size with its caption, or a sentence; nothing unescaped."""
    assert not explorer.problem.startswith("Something went wrong"), explorer.problem
    tag = explorer.body.value
    assert explorer.says
    if isinstance(explorer, FigureExplorer):
        width, height = (round(100 * inches) for inches in explorer.size)
        assert f'width="{width}" height="{height}"' in tag and 'decoding="sync"' in tag
        assert Image.open(io.BytesIO(explorer.png)).size == (width, height)
        assert f'alt="{html.escape(explorer.says)}"' in tag
    assert not re.search(r"\b(nan|inf)\b", explorer.says)
    for widget in (explorer.body, explorer.caption_line, explorer.status, explorer.details_box):
        assert "<script" not in widget.value
    assert len(explorer.problem) <= 300 and "Traceback" not in explorer.problem


def shows(explorer: Explorer) -> tuple[Any, ...]:
    """All that a learner sees of the state."""
    return explorer.body.value, explorer.says, explorer.details_box.value, explorer.problem


def range_of(control: Any) -> list[Any]:
    """Both ends of a control and values between them."""
    if isinstance(control, Slider):
        if control.log:
            return list(np.geomspace(control.low, control.high, 5).clip(control.low, control.high))
        between = [control.low + part * (control.high - control.low) for part in (0.25, 0.5, 0.75)]
        return [control.low, *(map(int, between) if control.whole else between), control.high]
    if isinstance(control, Choice):
        return control.options
    if isinstance(control, Toggle):
        return [True, False]
    assert isinstance(control, Text)
    return list(TEXTS)


def sweep(explorer: Explorer, seconds: float = 60) -> None:
    """Move everything that an explorer has; fail on whatever a learner should never see."""
    with silence():
        check(explorer)
        assert explorer.problem == ""
        first = shows(explorer)
        for name in list(explorer.controls):
            seen = {first}
            for value in range_of(explorer.controls[name]):
                explorer.inputs[name].value = value
                check(explorer)
                seen.add(shows(explorer))
            assert len(seen) > 1, f"{name} changes nothing that a learner could see"
            explorer.reset()
            assert shows(explorer) == first, f"after moving {name}, Reset does not bring the first picture back"
        for name, button in explorer._declared(Button).items():
            explorer.press(name)
            if button.worker:
                explorer.press(name)  # reads Stop now
                assert explorer.wait(seconds), f"{name} does not stop"
            check(explorer)
        explorer.reset()
        redrawn_alike(explorer)
        pinning(explorer)
        touring(explorer)
        still(explorer)
        ast.parse(explorer.as_python())


def redrawn_alike(explorer: Explorer) -> None:
    """A picture updated in place is the picture that an empty figure gives."""
    if not isinstance(explorer, FigureExplorer):
        return  # a text is written anew at every move
    for end in ("low", "high"):
        moved = {name: getattr(got, end) for name, got in explorer.controls.items() if isinstance(got, Slider)}
        explorer.set(**moved)
        if explorer.problem:
            continue
        updated = explorer.pixels
        explorer.clear()
        explorer.refresh()
        assert np.array_equal(updated, explorer.pixels), f"updated in place, the picture at {moved} is another one"
    explorer.reset()


def pinning(explorer: Explorer) -> None:
    """Pin, move everything, unpin: the caption tells of the pinned state, and all goes back."""
    first = shows(explorer)
    explorer.pin()
    check(explorer)
    assert explorer.says != first[1]
    for name, control in explorer.controls.items():
        explorer.inputs[name].value = range_of(control)[-1]
        check(explorer)
    explorer.reset()
    explorer.unpin()
    assert shows(explorer) == first


def touring(explorer: Explorer) -> None:
    """Every stop of the tour has its picture and its sentence, whichever way one comes; leaving gives all back."""
    if not explorer.tour:
        return
    assert 4 <= len(explorer.tour) <= 8
    ends = {name: got.high for name, got in explorer.controls.items() if isinstance(got, Slider)}
    ends |= {name: got.options[-1] for name, got in explorer.controls.items() if isinstance(got, Choice) and not ends}
    explorer.set(**dict([next(iter(ends.items()))]))
    before, values = shows(explorer), explorer.values
    bar = explorer.tour_bar
    assert bar is not None
    bar.tour.click()
    stops = []
    for number, (state, _) in enumerate(explorer.tour):
        assert explorer.tour_stop == number and explorer.problem == ""
        check(explorer)
        moved = {name: value for name, value in state.items() if name in explorer.controls}
        assert {name: explorer.values[name] for name in moved} == moved
        stops.append((shows(explorer), bar.sentence.value))
        assert f"{number + 1}/{len(explorer.tour)}" in bar.sentence.value and len(bar.sentence.value) < 260
        assert not re.search(r"\b(nan|inf|None)\b|<script", bar.sentence.value)
        bar.next.click()
    assert len(set(stops)) == len(stops), "two stops look the same"
    assert explorer.tour_stop is None and shows(explorer) == before and explorer.values == values
    explorer.visit(len(stops) - 1)
    for number in range(len(stops) - 2, -1, -1):
        bar.back.click()
        assert (shows(explorer), bar.sentence.value) == stops[number], f"stop {number} looks different from behind"
    bar.tour.click()
    assert explorer.tour_stop is None and shows(explorer) == before and explorer.values == values
    explorer.reset()


def still(explorer: Explorer) -> None:
    """What a saved notebook keeps."""
    data, metadata = explorer._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.widget.model_id
    if isinstance(explorer, TextExplorer):
        assert data["text/plain"] == f"{type(explorer).__name__}: interactive text"
        assert explorer.says in html.unescape(data["text/html"]) and "<script" not in data["text/html"]
        return
    assert data["text/plain"] == f"{type(explorer).__name__}: interactive picture"
    assert len(data["image/png"]) <= STILL_LIMIT
    assert metadata["image/png"]["alt"] == explorer.says
    size = Image.open(io.BytesIO(data["image/png"])).size
    assert size == (metadata["image/png"]["width"], metadata["image/png"]["height"])


def refuses(make: Callable[[], Any]) -> str:
    """Return the one sentence that making an explorer fails with."""
    try:
        make()
    except ValueError as error:
        sentence = str(error)
        assert "\n" not in sentence and len(sentence) < 300
        return sentence
    raise AssertionError("nothing was refused")
