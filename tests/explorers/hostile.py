"""Random hostile hands on an explorer: odd texts and numbers, buttons, pins, tours, and widgets fed with nonsense."""

import random
from collections import Counter
from typing import Any

import ipywidgets as widgets
import traitlets

from course_utils.explorers.base import Button, Choice, Explorer, Slider, Text, Toggle

from . import sweep

TEXTS = (
    *sweep.TEXTS, "👩‍🚀" * 300, "~" * 400 + "x", "(" * 300, "a**a**a**9999", "1e999*x", "$x^{$", "\x00", "1e999, -0, Z",
    '"><img src=x onerror=alert(1)>', "&lt;script&gt;", "__import__('os')", "ab" * 900, "\ufeff", "𝒳" * 50,
)  # fmt: skip
VALUES = (
    None, "", "abc", float("nan"), float("inf"), -1, 10**400, 1e308, -1e308, 1e-320, True, [0.5], ["bowl"], {}, (1, 2),
    b"x", "0.5", object(), 0.1 + 0.2, 3,
)  # fmt: skip


def odd_value(control: Any, draw: random.Random) -> Any:
    """Something that could stand in a control: mostly what it takes, sometimes not."""
    if draw.random() < 0.2:
        return draw.choice(VALUES)
    if isinstance(control, Slider):
        return draw.choice([control.low, control.high, draw.uniform(control.low, control.high), control.high * 2, -1e9])
    if isinstance(control, Choice):
        return draw.choice(control.options)
    if isinstance(control, Toggle):
        return draw.random() < 0.5
    assert isinstance(control, Text)
    text = draw.choice([*TEXTS, control.start, "".join(chr(draw.randint(1, 0x10FFFF)) for _ in range(20))])
    return text if draw.random() < 0.7 else text[: draw.randint(0, len(text))]


def strike(explorer: Explorer, draw: random.Random) -> str:
    """Do one thing; return its name."""
    buttons = [name for name in explorer.buttons]
    kind = draw.choice(["move"] * 6 + ["cell"] * 3 + ["press"] * 2 * bool(buttons) + ["pin", "unpin", "reset", "undo",
                       "copy", "still", "tour", "widget", "lock"])  # fmt: skip
    name = draw.choice(list(explorer.controls))
    value = odd_value(explorer.controls[name], draw)
    if kind == "move":
        try:
            explorer.inputs[name].value = value
        except (traitlets.TraitError, TypeError):
            pass  # the widget itself has no place for it: no browser could send it (a list fails on a tuple)
    elif kind == "cell":
        other = draw.choice([*explorer.controls, "nothing"])
        try:
            explorer.set(**{other: draw.choice(VALUES), name: value})
        except ValueError as error:
            assert "\n" not in str(error) and len(str(error)) < 700, error
    elif kind == "press":
        button = draw.choice(buttons)
        explorer.buttons[button].click()
        if isinstance(getattr(type(explorer), button), Button) and explorer.working:
            if draw.random() < 0.5:
                explorer.buttons[draw.choice(buttons)].click()
            explorer.cancel.set()
            assert explorer.wait(60), f"{button} does not stop"
    elif kind == "tour" and explorer.tour_bar is not None:
        draw.choice(explorer.tour_bar.buttons).click()
    elif kind == "widget":
        feed(explorer, draw)
    elif kind == "still":
        explorer._repr_mimebundle_()
    elif kind == "copy":
        explorer.as_python()
    elif kind == "lock":
        explorer.disable()
        explorer.enable()
    elif kind in ("pin", "unpin", "reset", "undo"):
        getattr(explorer, kind)()
    return kind


def feed(explorer: Explorer, draw: random.Random) -> None:
    """Give one of the explorer's own widgets something that its page would never send."""
    known = [*explorer.inputs.values(), *explorer.buttons.values()]
    waiting, own = [explorer.widget], []
    while waiting:
        widget = waiting.pop()
        waiting += getattr(widget, "children", ())
        if not isinstance(widget, widgets.Box | widgets.HTML | widgets.Button | widgets.Text) and widget not in known:
            own.append(widget)
    for widget in own:
        trait = draw.choice([name for name in ("place", "at", "ink", "stroke", "copy") if widget.has_trait(name)])
        nonsense = draw.choice(
            [[], [0.5], [0.5, 0.5], [2.0, -3.0], [1e308, 0.0], ["a", "b"], "", "zz", "f" * 256, 7, None]
        )
        try:
            setattr(widget, trait, nonsense)
        except traitlets.TraitError:
            pass


def hammer(explorer: Explorer, strikes: int, seed: int = 0) -> Counter[str]:
    """Strike many times; after each the picture is whole, nothing unescaped, no bug told. Return what was done."""
    draw, done = random.Random(seed), Counter[str]()
    with sweep.silence():
        for number in range(strikes):
            try:
                done[strike(explorer, draw)] += 1
                sweep.check(explorer)
            except Exception as error:
                raise AssertionError(f"{type(explorer).__name__}, seed {seed}, strike {number}: {error!r}") from error
            done["refused"] += bool(explorer.problem)
    explorer.reset()
    assert explorer.problem == "", f"Reset does not bring a good picture back: {explorer.problem}"
    return done
