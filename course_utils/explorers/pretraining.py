"""Explorers of pretraining: a run watched live, and a run looked at again from its first step to its last."""

import math
import threading
import time
from typing import Any

from matplotlib.figure import Figure

from course_utils.experiments.snapshots import READ, WRITTEN, Prepared, Scene, Snapshots, write_on
from course_utils.experiments.theatre import Act, Rehearsal, Stage
from course_utils.explorers.base import Button, Choice, FigureExplorer, Slider, Stop, Text
from course_utils.plots.panels import Panel
from course_utils.plots.pretraining import theatre_contents, theatre_panels, time_machine_contents, time_machine_panels

KEPT, SECONDS = 6, 2.0  # runs that the theatre remembers, and seconds from one page to the next
MARKS = {"letters counted, no memory": 4.83, "a memory of five letters": 2.18}  # of notebook 08, Kneser-Ney


class TrainingTheatre(FigureExplorer):
    """Train a small model on the plays and watch it learn to write; stop it, look, and let it go on.

    Args:
        start: first values of the controls: layers, width, learning_rate, steps, beginning, dice.
    """

    size = (8.4, 3.6)
    caption_lines = 2
    layers = Slider(1, 6, 2)
    width = Choice([16, 32, 64, 128, 192], 64)
    learning_rate = Choice([0.001, 0.003, 0.01, 0.03, 0.1], 0.01, label="learning rate")
    steps = Choice([100, 200, 400, 800], 200, label="steps in all")
    beginning = Text("ROMEO:", slow=False, label="it writes on from", maximum=120)
    dice = Slider(1, 20, 1, label="roll of the dice")
    start = Button("Train", "train", worker=True)

    def restart(self) -> None:
        """Stop, and forget all runs."""
        with self.lock:
            self.cancel.set()
            self.runs: dict[Stage, Rehearsal] = {}

    def run(self, stage: Stage) -> Rehearsal:
        """The run with these settings; a new one if there is none yet."""
        if stage not in self.runs:
            self.runs = dict([*self.runs.items()][1 - KEPT :])
            self.runs[stage] = Rehearsal(stage)
        return self.runs[stage]

    def train(self, steps: int | None = None) -> None:
        """Train to the end, for so many steps, or until Stop; a cell may call it too."""
        stopping = self.cancel if self.working else threading.Event()
        with self.lock:
            if stopping.is_set():  # Reset was pressed before this thread came to work
                return
            run = self.run(self.stage)
        end, seen = run.history.steps + (steps or math.inf), [time.monotonic()]

        def on_step() -> bool:
            if self.working and time.monotonic() - seen[0] > SECONDS:
                self.refresh()
                seen[0] = time.monotonic()
            return stopping.is_set() or run.history.steps >= end

        run.play(on_step)
        self.refresh()

    def trained(self, steps: int | None = None) -> "TrainingTheatre":
        """Train, or only so many ``steps`` as after Stop, as the copied line does; returns the explorer."""
        self.train(steps)
        return self

    def as_python(self) -> str:
        """Return the line of Python that makes an explorer in this state, and trains where this one has."""
        done, of = len(self.result.losses), self.result.stage.steps
        return super().as_python() + (f".trained({'' if done == of else done})" if done else "")

    def compute(self, prepared: None, beginning: str, dice: int, **stage: Any) -> Act:
        """Return the present moment of the run with these settings."""
        if not beginning:
            raise ValueError("The model needs something to write on from: type at least one letter.")
        self.stage = Stage(**stage)
        return self.run(self.stage).act(beginning, dice)

    def layout_key(self, result: Act) -> int:
        """The steps on the axis."""
        return result.stage.steps

    def make_panels(self, figure: Figure, result: Act) -> dict[str, Panel]:
        """Bits by step beside the page that the model writes."""
        return theatre_panels(figure, result.stage.steps, MARKS)

    def contents(self, result: Act) -> dict[str, Any]:
        """The run so far, and its latest page."""
        return theatre_contents(result)


def moments_tour(moments: int) -> tuple[Stop, ...]:
    """A stop for each moment of a training, and one at another head; all with computed numbers."""

    def after(now: Scene) -> str:
        return f"After {now.step:,} steps: {now.bits:.2f} bits a letter. Read what it writes, and look at the map."

    def head(now: Scene) -> str:
        return f"Another head of the last layer: it gives {now.weights.diagonal(-1).mean():.0%} to the letter before."

    return (
        ({"moment": 0}, lambda now: f"Random weights: {now.bits:.2f} bits a letter. Every sign is about as likely."),
        *(({"moment": at}, after) for at in range(1, moments)),
        ({"moment": moments - 1, "head": 1}, head),
    )


class TimeMachine(FigureExplorer):
    """One slider through a training: what the model writes, where it looks, and how its letters lie, all together.

    Args:
        run: copies of a model, made while it was trained.
        start: first values of the controls: moment, beginning, dice, layer, head.
    """

    size = (8.4, 4.0)
    caption_lines = 2
    moment = Slider(0, 1, 0, label="moment of the training", slow=True)
    beginning = Text("But soft, what light", label="it writes on from", maximum=120)
    dice = Slider(1, 20, 1, label="roll of the dice", slow=True)
    layer = Slider(0, 1, 0)
    head = Slider(0, 1, 0)

    def __init__(self, run: Snapshots, **start: Any):
        self.run, config = run, run.moments[-1].model.config
        self.made_with = run.name
        self.moment = Slider(0, len(run) - 1, len(run) - 1, label="moment of the training", slow=True)
        last = config.layers - 1
        self.layer, self.head = Slider(0, last, last), Slider(0, config.heads - 1, 0)
        self.tour = moments_tour(len(run))
        super().__init__(**start)

    def prepare(self, moment: int, beginning: str, dice: int) -> Prepared:
        """Let that copy of the model write, and note where each head looks."""
        if not beginning:
            raise ValueError("The model needs something to write on from: type at least one letter.")
        now = self.run.moments[moment]
        text = write_on(now.model, now.tokenizer, beginning, WRITTEN, dice)
        return Prepared(now, beginning, text, self.run.weights(now, beginning[-READ:]))

    def compute(self, prepared: Prepared, layer: int, head: int) -> Scene:
        """Return one moment, seen by one head."""
        return self.run.scene(prepared, layer, head)

    def make_panels(self, figure: Figure, result: Scene) -> dict[str, Panel]:
        """Four views: bits by step, what the model writes, where a head looks, and a map of the letters."""
        return time_machine_panels(figure, self.run.curve, self.run.kinds)

    def contents(self, result: Scene) -> dict[str, Any]:
        """The same moment in all four."""
        return time_machine_contents(result, self.run.kinds)
