"""Explorers of generation: how the next token is chosen."""

from typing import Any

from matplotlib.figure import Figure

from course_utils.experiments.next_token import NextToken, Scores, next_token, scores
from course_utils.explorers.base import Button, FigureExplorer, Slider, Stop, Text
from course_utils.models.transformer import Transformer
from course_utils.plots.bars import PairedBars, PairedRows
from course_utils.plots.panels import Panel
from course_utils.tokenizers import BPETokenizer
from course_utils.wording import percent


def _favourite(result: NextToken) -> str:
    best = int(result.after[:-1].argmax())
    return f"{result.tokens[best]} has {percent(result.after[best])}"


def _bits(result: NextToken) -> str:
    return f"The entropy is {result.entropy:.1f} bits"


def _left(result: NextToken) -> str:
    return f"{result.left:,} tokens" if result.left > 1 else "1 token"


OWN = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}  # the model's own distribution
HOT = OWN | {"temperature": 2.0}
TOUR: tuple[Stop, ...] = (
    (OWN, lambda now: f"Temperature 1: the model's own probabilities. {_favourite(now)}. {_bits(now)}."),
    (
        OWN | {"temperature": 0.5},
        lambda now: f"Temperature 0.5: the likeliest gains. {_favourite(now)}. {_bits(now)}.",
    ),
    (OWN | {"temperature": 0.0}, lambda now: f"Temperature 0: {_favourite(now)}, so every draw is the same."),
    (HOT, lambda now: f"Temperature 2: {_favourite(now)}; the {now.tokens[-1]} share {percent(now.after[-1])}."),
    (HOT | {"top_k": 5}, lambda now: f"Still temperature 2, with top-k 5: {now.left} tokens can be drawn."),
    (HOT | {"top_p": 0.5}, lambda now: f"Top-p 0.5 keeps half of the probability: {_left(now)} can be drawn."),
    (HOT | {"min_p": 0.3}, lambda now: f"Min-p 0.3 compares with the likeliest token: {_left(now)} can be drawn."),
)


class TemperatureExplorer(FigureExplorer):
    """How temperature, top-k, top-p and min-p reshape the distribution of the next token.

    Args:
        model: any ``Transformer``.
        tokenizer: the model's tokenizer.
        start: first values of the controls: prompt, temperature, top_k, top_p, min_p.
    """

    size = (8.4, 4.0)
    prompt = Text("The capital of France is")
    temperature = Slider(0.0, 3.0, 1.0, step=0.05, label="temperature (0 = greedy)")
    top_k = Slider(0, 50, 0, label="top-k (0 = all)")
    top_p = Slider(0.01, 1.0, 1.0, step=0.01, label="top-p (1 = all)")
    min_p = Slider(0.0, 0.5, 0.0, step=0.01, label="min-p (0 = all)")
    draw_twenty = Button("Draw twenty", "draw_again")
    tour = TOUR

    def __init__(self, model: Transformer, tokenizer: BPETokenizer, **start: Any):
        self.model, self.tokenizer = model, tokenizer
        super().__init__(**start)

    def restart(self) -> None:
        """No draws yet."""
        self.seed = 0

    def draw_again(self) -> None:
        """Draw twenty tokens with the next seed."""
        self.seed += 1

    def drawn(self, times: int) -> "TemperatureExplorer":
        """Press *Draw twenty* so many times, as the copied line does; returns the explorer."""
        for _ in range(times):
            self.press("draw_twenty")
        return self

    def as_python(self) -> str:
        """Return the line of Python that makes an explorer in this state, with its draws."""
        return super().as_python() + (f".drawn({self.seed})" if self.seed else "")

    def prepare(self, prompt: str) -> Scores:
        """Return the model's scores for the token after the prompt."""
        return scores(self.model, self.tokenizer, prompt)

    def compute(self, prepared: Scores, temperature: float, top_k: int, top_p: float, min_p: float) -> NextToken:
        """Return the distribution before and after the knobs."""
        return next_token(prepared, temperature, top_k, top_p, min_p, self.seed)

    def make_panels(self, figure: Figure, result: NextToken) -> dict[str, Panel]:
        """Two bars for each likely token, and a dot for each draw."""
        return {"bars": PairedBars(figure, len(result.tokens), (0.27, 0.07, 0.71, 0.85))}

    def contents(self, result: NextToken) -> dict[str, PairedRows]:
        """A row for each likely token and one for the others."""
        kept, counts = result.kept.tolist(), result.counts.tolist()
        return {"bars": PairedRows(result.tokens, result.before, result.after, kept, counts, result.ids)}
