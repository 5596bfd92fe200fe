"""Explorers of the transformer: what its parameters are for, and how it is told where each token stands."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from torch import Tensor

from course_utils.experiments.counting import PUBLISHED, Counted, resized, sizes
from course_utils.experiments.positions import FARTHEST, KINDS, POSITIONS, Scored, scored
from course_utils.explorers.base import Choice, FigureExplorer, Slider, Stop
from course_utils.plots.panels import Panel
from course_utils.plots.transformer import count_contents, count_panels, position_contents, position_panels
from course_utils.wording import percent

COUNTING: tuple[Stop, ...] = (
    (
        {"model": "SmolLM2 (2024)", **sizes("SmolLM2 (2024)")},
        lambda now: f"The chat model of notebook 00: {now.total:,} numbers.",
    ),
    (
        {"model": "GPT-2 small (2019)", **sizes("GPT-2 small (2019)")},
        lambda now: f"Another design: {percent(now.share('table of tokens'))} is the table of tokens.",
    ),
    (
        {"model": "GPT-2 small (2019)", **sizes("GPT-2 small (2019)"), "layers": 24},
        lambda now: f"Twice as many layers: the tables stay as they are, the rest doubles. {now.total:,}.",
    ),
    (
        {"model": "GPT-2 small (2019)", **sizes("GPT-2 small (2019)"), "width": 1536, "heads": 12},
        lambda now: f"Twice the width instead: the tables double, the rest grows four times. {now.total:,}.",
    ),
    (
        {"model": "GPT-2 small (2019)", **sizes("GPT-2 small (2019)"), "heads": 6},
        lambda now: f"Half as many heads: nothing changes. {now.total:,}.",
    ),
    (
        {"model": "GPT-2 small (2019)", **sizes("GPT-2 small (2019)"), "context": 8192},
        lambda now: f"It reads eight times as much: only its table of positions grows. {now.total:,}.",
    ),
    (
        {"model": "GPT-3 (2020)", **sizes("GPT-3 (2020)")},
        lambda now: f"GPT-3: the table of tokens is only {percent(now.share('table of tokens'))} of {now.total:,}.",
    ),
)


class ParameterCounter(FigureExplorer):
    """The parameters of a transformer by what they are for, and the memory they take, for sizes of your choice.

    Args:
        start: first values of the controls: model, layers, width, heads, vocabulary, context.
    """

    size = (8.4, 3.3)
    caption_lines = 3
    model = Choice(list(PUBLISHED), label="published model")
    layers = Slider(1, 128, 30)
    width = Slider(64, 16_384, 576, step=64)
    heads = Slider(1, 256, 9)
    vocabulary = Slider(128, 262_144, 49_152, step=128)
    context = Slider(64, 32_768, 8192, step=64)
    tour = COUNTING

    def dependent_values(self, name: str, value: Any) -> dict[str, Any]:
        """A published model brings its sizes; another width has heads of 64 numbers, as GPT-1 and GPT-2 do."""
        if name == "model":
            return sizes(value)
        return {"heads": max(1, value // 64)} if name == "width" else {}

    def compute(self, prepared: None, model: str, **settings: int) -> Counted:
        """Count."""
        return resized(model, **settings)

    def make_panels(self, figure: Figure, result: Counted) -> dict[str, Panel]:
        """A bar for each kind of matrix; beside it, the memory at each precision."""
        return count_panels(figure)

    def contents(self, result: Counted) -> Mapping[str, Any]:
        """The numbers and their memory."""
        return count_contents(result)


class PositionExplorer(FigureExplorer):
    """How the score of a query and a key depends on where both stand, for three ways to tell a model its positions.

    Args:
        learned: a trained model's table of positions, ``(at least 256, width)``.
        start: first values of the controls: kind, position, distance, dice.

    Raises:
        ValueError: if the table is too short.
    """

    size = (8.4, 3.6)
    caption_lines = 3
    kind = Choice(list(KINDS), words=list(KINDS.values()), label="positions as")
    position = Slider(FARTHEST, POSITIONS - 1, 200, label="position of the query")
    distance = Slider(0, FARTHEST, 5, label="tokens back to the key")
    dice = Slider(1, 50, 1, label="roll of the dice")
    tour = (
        ({"kind": "rotary", "position": 64}, lambda now: f"The same position, so both curves are one: {now.pair()}."),
        ({"kind": "rotary", "position": 250}, lambda now: f"Far down the text, and nothing has changed: {now.pair()}."),
        ({"kind": "rotary", "position": 250, "distance": 30}, lambda now: f"Only the distance counts: {now.pair()}."),
        ({"kind": "waves", "position": 65}, lambda now: f"Waves, one position further on: {now.pair()}."),
        (
            {"kind": "waves", "position": 250},
            lambda now: f"Waves, far away: the two curves are up to {now.gap:.2f} apart.",
        ),
        ({"kind": "learned", "position": 250}, lambda now: f"Vectors that MiniLM learned: up to {now.gap:.2f} apart."),
    )

    def __init__(self, learned: Tensor, **start: Any):
        if learned.dim() != 2 or len(learned) < POSITIONS:
            raise ValueError(
                f"learned must be a table of at least {POSITIONS} rows, one for each position; it has the shape "
                f"{tuple(learned.shape)}"
            )
        self.learned = learned.detach()
        super().__init__(**start)

    def compute(self, prepared: None, kind: str, position: int, distance: int, dice: int) -> Scored:
        """Score the pair at every distance, from here and from the reference."""
        return scored(kind, position, distance, dice, self.learned)

    def make_panels(self, figure: Figure, result: Scored) -> dict[str, Panel]:
        """What tells positions apart; beside it, the score by distance."""
        return position_panels(figure)

    def contents(self, result: Scored) -> Mapping[str, Any]:
        """The pattern with both positions marked, and two curves."""
        return position_contents(result)
