"""Training: batches, what is minimised, how, the step itself, and the loop around it.

Five parts, in this order: *batches* (which examples at which step), *objectives* (how wrong the model is on a batch),
the `Recipe` (optimiser, learning rate and its schedule), the `Trainer` (one step; save and resume), and `fit` (the
loop: progress bar, measuring, early stopping). Nothing here draws: a callback such as ``explorers.LiveCurve`` does.

>>> inputs = torch.linspace(-1, 1, 20)[:, None]
>>> batches = shuffled_batches(inputs, 3 * inputs, batch_size=20)
>>> model = nn.Linear(1, 1)
>>> history = fit(
...     model, batches, steps=300, objective=supervised(nn.functional.mse_loss), recipe=Recipe(0.1), progress=False
... )
>>> round(model.weight.item(), 1), history.steps, history.stopped
(3.0, 300, 'finished')
"""

from __future__ import annotations

import copy
import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from course_utils import files

# ------------------------------------------------------------------------------------------------ batches

Batch = Any  # what an objective takes: mostly a pair (inputs, targets)


class Batches(Protocol):
    """The batch of each step: ``batches[step]`` is the same whenever it is asked for.

    So a run is resumed by knowing its step, and process ``rank`` of ``n`` takes ``batches[n * step + rank]``. A list
    will do; it ends where an ``IndexError`` says so.
    """

    def __getitem__(self, step: int, /) -> Batch: ...


class ShuffledBatches:
    """Batches without end: each epoch is a new shuffle in which every example comes once. See `shuffled_batches`."""

    def __init__(
        self,
        inputs: Tensor,
        targets: Tensor,
        batch_size: int,
        random: torch.Generator,
        augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
    ):
        if len(inputs) != len(targets) or len(inputs) == 0:
            raise ValueError(
                f"{len(inputs)} inputs and {len(targets)} targets make no batches; give equally many, at least 1."
            )
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size} must be 1 or more.")
        self.inputs, self.targets, self.batch_size, self.augment = inputs, targets, batch_size, augment
        self.steps_per_epoch = -(-len(inputs) // batch_size)  # the last batch of an epoch may be short
        self._random, self._begin = torch.Generator(), random.get_state()
        self._epoch = -1  # the one that was drawn last

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """Inputs ``(batch, ...)`` and targets ``(batch, ...)`` of a step, counting from 0."""
        epoch, place = divmod(_checked(step), self.steps_per_epoch)
        if epoch < self._epoch:
            self._epoch = -1
        while self._epoch < epoch:  # shuffles are drawn one after another, so an earlier one means: from the beginning
            self._draw()
        chosen = self._order[place]
        return self._augmented[place] if self.augment else self.inputs[chosen], self.targets[chosen]

    def _draw(self) -> None:
        """The next epoch: who comes when, and what augmentation makes of the inputs."""
        if self._epoch < 0:
            self._random.set_state(self._begin)
        self._order = torch.randperm(len(self.inputs), generator=self._random).split(self.batch_size)
        if self.augment:
            self._augmented = [self.augment(self.inputs[chosen], self._random) for chosen in self._order]
        self._epoch += 1

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return (self[step] for step in count())


def shuffled_batches(
    inputs: Tensor,
    targets: Tensor,
    batch_size: int,
    seed: int = 0,
    augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
) -> ShuffledBatches:
    """Batches without end: each epoch is a new shuffle in which every example comes once (the last batch may be short).

    Args:
        inputs: ``(examples, ...)``.
        targets: ``(examples, ...)``.
        batch_size: examples in a batch; more than there are means all of them.
        seed: of the shuffles, and of the augmentation.
        augment: changes the inputs of a batch at random, as ``augment(inputs, generator)``.

    >>> batches = shuffled_batches(torch.arange(5), torch.arange(5), batch_size=3)
    >>> [batches[step][0].tolist() for step in range(4)]
    [[4, 0, 1], [3, 2], [3, 4, 0], [1, 2]]
    """
    return ShuffledBatches(inputs, targets, batch_size, torch.Generator().manual_seed(seed), augment)


class TextBatches:
    """Batches without end from one long text, each window from a place drawn at random. See `text_batches`."""

    def __init__(self, ids: Tensor, batch_size: int, context: int, seed: int):
        if batch_size < 1 or context < 1 or seed < 0:
            raise ValueError(
                f"batch_size={batch_size} and context={context} must be 1 or more, and seed={seed} 0 or more."
            )
        if ids.ndim != 1 or len(ids) <= context:
            raise ValueError(
                f"Token ids of shape {tuple(ids.shape)} are too few for windows of {context} tokens and the one after; "
                "give one row of ids, or a smaller context."
            )
        self.ids, self.batch_size, self.context, self.seed = ids, batch_size, context, seed

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets of a step, ``(batch_size, context)`` int64 each; targets are one token further on."""
        random = np.random.default_rng([self.seed, _checked(step)])
        starts = torch.from_numpy(random.integers(len(self.ids) - self.context, size=(self.batch_size, 1)))
        windows = self.ids[starts + torch.arange(self.context + 1)].long()  # (batch_size, context + 1)
        return windows[:, :-1], windows[:, 1:]

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return (self[step] for step in count())


def text_batches(ids: Tensor, batch_size: int, context: int, seed: int = 0) -> TextBatches:
    """Batches without end for a language model: windows of a long text, and the same windows one token further on.

    Args:
        ids: ``(tokens,)``, the whole text.
        batch_size: windows in a batch.
        context: tokens in a window.
        seed: of the places.

    >>> inputs, targets = text_batches(torch.arange(100), batch_size=2, context=5, seed=1)[7]
    >>> inputs.shape, bool((targets == inputs + 1).all())
    (torch.Size([2, 5]), True)
    """
    return TextBatches(ids, batch_size, context, seed)


def _checked(step: int) -> int:
    if step < 0:
        raise ValueError(f"step={step} must be 0 or more: batches are counted from the first step of a run.")
    return step


# ------------------------------------------------------------------------------------------------ objectives

# (model, batch) -> the loss summed over all targets that count, and how many these are. With sums and counts, means
# over several batches, or over a batch that is worked off in pieces, are exact, however many targets are masked.
Objective = Callable[[nn.Module, Batch], tuple[Tensor, int]]


def cross_entropy_loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, int]:
    """The objective of classification: the sum of the targets' surprisal, -ln of their probability.

    Predicting the next token is classification too, with the vocabulary for classes.

    Args:
        model: ``model(inputs)`` gives logits ``(..., classes)``, as ``(batch, tokens, vocabulary)``.
        batch: inputs, and targets ``(...)`` int64; a target of -100 is masked: it does not count.

    >>> model = nn.Embedding.from_pretrained(torch.zeros(4, 8))  # scores 8 tokens alike: each has probability 1/8
    >>> loss, counted = cross_entropy_loss(model, (torch.tensor([0, 1, 2]), torch.tensor([5, 7, -100])))
    >>> round(loss.item() / math.log(2), 4), counted
    (6.0, 2)
    """
    inputs, targets = batch
    logits = model(inputs)
    loss = cross_entropy(logits.flatten(0, -2), targets.flatten(), reduction="sum")
    return loss, int((targets != -100).sum())


def supervised(loss: Callable[[Tensor, Tensor], Tensor]) -> Objective:
    """An objective from a loss ``loss(predictions, targets)`` that is a mean over the examples.

    >>> objective = supervised(nn.functional.mse_loss)
    >>> summed, counted = objective(nn.Identity(), (torch.tensor([1.0, 2.0]), torch.tensor([1.0, 5.0])))
    >>> summed.item(), counted
    (9.0, 2)
    """

    def objective(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, int]:
        inputs, targets = batch
        return loss(model(inputs), targets) * len(targets), len(targets)

    return objective


@torch.no_grad()
def mean_loss(model: nn.Module, batches: Iterable[Batch], objective: Objective = cross_entropy_loss) -> float:
    """The mean over all targets that count in several batches, with the model in ``eval`` mode.

    >>> model = nn.Embedding.from_pretrained(torch.zeros(4, 8))
    >>> held_out = text_batches(torch.arange(100) % 4, batch_size=2, context=5)
    >>> round(mean_loss(model, [held_out[step] for step in range(3)]), 4) == round(math.log(8), 4)
    True
    """
    was_training = model.training
    model.eval()
    try:
        parts = [objective(model, batch) for batch in batches]
    finally:
        model.train(was_training)
    counted = sum(counted for _, counted in parts)
    if counted == 0:
        raise ValueError("No target counts in these batches, so they have no mean; give at least one.")
    return sum(loss.item() for loss, _ in parts) / counted


@torch.no_grad()
def accuracy(model: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    """Share of examples whose largest logit is the right class; ``labels`` is ``(examples,)``."""
    was_training = model.training
    model.eval()
    try:
        return (model(inputs).argmax(dim=-1) == labels).float().mean().item()
    finally:
        model.train(was_training)


# ------------------------------------------------------------------------------------------------ schedules


def constant(step: int, steps: int, final: float = 1.0) -> float:
    """1 all the time."""
    return 1.0


def linear(step: int, steps: int, final: float = 0.0) -> float:
    """From 1 evenly down to ``final``.

    >>> [linear(step, 4) for step in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    """
    return final + (1 - final) * (1 - step / steps)


def cosine(step: int, steps: int, final: float = 0.0) -> float:
    """From 1 down to ``final`` along half a cosine wave (Loshchilov & Hutter 2017, without restarts).

    >>> [round(cosine(step, 4), 2) for step in range(4)]
    [1.0, 0.85, 0.5, 0.15]
    """
    return final + (1 - final) * (1 + math.cos(math.pi * step / steps)) / 2


def exponential(step: int, steps: int, final: float) -> float:
    """From 1 down to ``final``, each step by the same factor.

    >>> [round(exponential(step, 4, final=0.0001), 4) for step in range(4)]
    [1.0, 0.1, 0.01, 0.001]
    """
    return final ** (step / steps)


SCHEDULES: dict[str, Callable[[int, int, float], float]] = {
    "constant": constant, "linear": linear, "cosine": cosine, "exponential": exponential,
}  # fmt: skip
OPTIMISERS = ("AdamW", "SGD")


@dataclass(frozen=True)
class Recipe:
    """How to train: plain values only, so that a recipe can be written down, compared and read again.

    >>> recipe = Recipe(learning_rate=6e-4, schedule="cosine", warmup=0.1, final=0.1)
    >>> [round(recipe.learning_rate_at(step, steps=100), 6) for step in (0, 9, 10, 55)]
    [6e-05, 0.0006, 0.0006, 0.00033]
    >>> Recipe.from_json(recipe.to_json()) == recipe
    True
    """

    learning_rate: float = 1e-3
    optimiser: str = "AdamW"  # one of OPTIMISERS
    weight_decay: float = 0.01  # pull of each step towards 0
    momentum: float = 0.9  # share of the running mean of gradients that is kept; AdamW's first beta
    smoothing: float = 0.999  # share of the running mean of squared gradients that is kept; AdamW's second beta
    schedule: str = "constant"  # one of SCHEDULES: the factor on the learning rate, from 1 down to `final`
    final: float = 0.0  # last learning rate over the highest, where the schedule falls
    warmup: float = 0.0  # share of the steps in which the learning rate first rises evenly
    hold: int = 1  # steps for which the learning rate stays as it is; the steps of an epoch, say
    clip: float | None = None  # gradients longer than this are shortened to it
    accumulation: int = 1  # pieces that a batch is worked off in: the same step in less memory

    def __post_init__(self) -> None:
        for name, known in (("optimiser", OPTIMISERS), ("schedule", tuple(SCHEDULES))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}={getattr(self, name)!r} is not known; choose one of: {', '.join(known)}.")
        below_one = math.nextafter(1, 0)
        for name, low, high in (
            ("learning_rate", 0, math.inf), ("weight_decay", 0, math.inf), ("momentum", 0, below_one),
            ("smoothing", 0, below_one), ("final", 0, 1), ("warmup", 0, 1), ("clip", math.nextafter(0, 1), math.inf),
        ):  # fmt: skip
            value = getattr(self, name)
            if name == "clip" and value is None:
                continue
            if not _is_number(value) or not low <= value <= high or value == math.inf:
                words = {math.inf: "0 or more", below_one: "from 0 to just below 1", 1: "from 0 to 1"}[high]
                words = "above 0, or None for no limit" if name == "clip" else words
                raise ValueError(f"{name}={value!r} must be a number {words}; the usual is {getattr(Recipe, name)}.")
        for name in ("hold", "accumulation"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name}={value!r} must be a whole number from 1 upwards; the usual is 1.")
        if self.schedule == "exponential" and self.final == 0:
            raise ValueError("An exponential schedule never reaches final=0; set final to 0.01, for example.")

    def learning_rate_at(self, step: int, steps: int) -> float:
        """The learning rate of a step of a run of ``steps``, counting from 0."""
        step -= step % self.hold
        warm = round(self.warmup * steps)
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        return self.learning_rate * SCHEDULES[self.schedule](step - warm, steps - warm, self.final)

    def to_json(self) -> str:
        """The recipe as text."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """A recipe from text; what the text leaves out is as usual.

        >>> Recipe.from_json('{"optimiser": "SGD", "clip": 1}').clip
        1
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ValueError(
                f'The recipe is not JSON ({error}); it should read like {{"learning_rate": 0.001}}.'
            ) from error
        known = [entry.name for entry in fields(cls)]
        unknown = [name for name in values if name not in known] if isinstance(values, dict) else [repr(values)]
        if unknown:
            raise ValueError(f"A recipe has no {', '.join(unknown)}; it has: {', '.join(known)}.")
        return cls(**values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# ------------------------------------------------------------------------------------------------ one step


@dataclass
class History:
    """What happened in a run so far, step by step; complete also when it was stopped, or stopped and continued."""

    losses: list[float] = field(default_factory=list)  # of each step's batch, before the step
    seconds: list[float] = field(default_factory=list)  # spent on steps, up to the end of each
    tokens: int = 0  # targets that counted: tokens of text, or examples
    held_out: list[tuple[int, float]] = field(default_factory=list)  # (steps done, what `evaluate` returned)
    stopped: str = ""  # how the last call of `fit` ended, in words

    @property
    def steps(self) -> int:
        """Steps done."""
        return len(self.losses)


class Diverged(ArithmeticError):
    """A loss or a gradient is infinite or not a number; the weights are as they were before this step."""


class Trainer:
    """A run of so many steps: a model, its optimiser, and how far it is. `advance` takes one step.

    Args:
        model: is trained in place; parameters with ``requires_grad=False`` stay as they are.
        steps: how long the whole run is; the schedule of the learning rate ends there.
        objective: what is minimised.
        recipe: how.

    >>> inputs, targets = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [6.0]])
    >>> trainer = Trainer(nn.Linear(1, 1), steps=200, objective=supervised(nn.functional.mse_loss), recipe=Recipe(0.1))
    >>> losses = [trainer.advance((inputs, targets)) for _ in range(200)]
    >>> losses[-1] < 0.01 * losses[0], trainer.step
    (True, 200)
    """

    def __init__(
        self, model: nn.Module, *, steps: int, objective: Objective = cross_entropy_loss, recipe: Recipe | None = None
    ):
        if steps < 0:
            raise ValueError(f"steps={steps} must be 0 or more.")
        self.model, self.steps, self.objective, self.recipe = model, steps, objective, recipe or Recipe()
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        if not self.parameters:
            raise ValueError("The model has nothing to learn: all its parameters are frozen; set requires_grad.")
        self.optimiser = _optimiser(self.parameters, self.recipe)
        self.history = History()

    @property
    def step(self) -> int:
        """Steps done; the next batch is ``batches[trainer.step]``."""
        return self.history.steps

    def advance(self, batch: Batch) -> float:
        """Take one step, and return the batch's mean loss before it.

        Raises:
            Diverged: the loss or the gradient is infinite or not a number. The weights stay as they were.
        """
        if self.step >= self.steps:
            raise ValueError(f"This run is over after its {self.steps} steps; make a Trainer with more steps.")
        begun = time.perf_counter()
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate_at(self.step, self.steps)
        self.optimiser.zero_grad()
        summed, counted, scale = 0.0, 0, 0
        for piece in _pieces(batch, self.recipe.accumulation):
            loss, counts = self.objective(self.model, piece)
            summed, counted, scale = summed + loss.item(), counted + counts, scale or counts
            if not math.isfinite(summed):
                raise self._diverged("loss", summed)
            (loss / max(scale, 1)).backward()  # gradients add up; all pieces are divided by the count of the first
        if counted == 0:
            raise ValueError(f"No target counts in the batch of step {self.step}: all are masked.")
        if counted != scale:  # ... and here by the count of all
            for parameter in self.parameters:
                if parameter.grad is not None:
                    parameter.grad.mul_(scale / counted)
        if self.recipe.clip is not None:
            length = nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip).item()
            if not math.isfinite(length):
                raise self._diverged("gradient", length)
        self.optimiser.step()
        before = self.history.seconds[-1] if self.history.seconds else 0.0
        self.history.losses.append(summed / counted)
        self.history.seconds.append(before + time.perf_counter() - begun)
        self.history.tokens += counted
        return summed / counted

    def _diverged(self, what: str, value: float) -> Diverged:
        return Diverged(f"not finite at step {self.step}: the {what} became {value}; try a smaller learning rate")

    def save(self, folder: str | Path) -> None:
        """Write everything that the rest of the run depends on into a folder, whole or not at all.

        ``trainer.json`` holds recipe and history and names the file of tensors that goes with it: weights, optimiser,
        and random generators of the model's modules (as of ``regularisers.Dropout``).
        """
        from safetensors.torch import save_file

        folder = Path(folder)
        tensors = folder / f"step-{self.step:08d}.safetensors"
        with files.whole(tensors) as unfinished:
            save_file(self._tensors(), unfinished)
        words = {"steps": self.steps, "tensors": tensors.name, "recipe": asdict(self.recipe)}
        with files.whole(
            folder / "trainer.json"
        ) as unfinished:  # from here on the new checkpoint is the one that counts
            unfinished.write_text(json.dumps({**words, "history": asdict(self.history)}, indent=1), encoding="utf-8")
        for other in folder.glob("step-*.safetensors"):
            if other != tensors:
                other.unlink(missing_ok=True)

    def resume(self, folder: str | Path) -> Trainer:
        """Read what `save` wrote, and return the trainer: it goes on as if it had never stopped.

        Model, objective and recipe must be those of the saved run. ``steps`` may differ: a longer run stretches its
        schedule from here on.
        """
        from safetensors.torch import load_file

        folder = Path(folder)
        if not (folder / "trainer.json").is_file():
            raise ValueError(f"There is no saved run in {folder}; train one and call save first.")
        try:
            words = json.loads((folder / "trainer.json").read_text(encoding="utf-8"))
            recipe, history = Recipe.from_json(json.dumps(words["recipe"])), History(**words["history"])
            history.held_out = [(step, value) for step, value in history.held_out]
            tensors = load_file(folder / words["tensors"])
        except Exception as error:
            raise ValueError(
                f"The saved run in {folder} is damaged ({error}); delete the folder and train again."
            ) from error
        if recipe != self.recipe:
            other = [
                entry.name
                for entry in fields(Recipe)
                if getattr(recipe, entry.name) != getattr(self.recipe, entry.name)
            ]
            raise ValueError(f"The run in {folder} has another recipe, in {', '.join(other)}; resume with its own.")
        if history.steps > self.steps:
            raise ValueError(
                f"The run in {folder} is {history.steps} steps on; steps={self.steps} must be at least that."
            )
        expected = {name: tensor.shape for name, tensor in self._tensors().items() if not name.startswith("optimiser.")}
        if expected != {name: tensor.shape for name, tensor in tensors.items() if not name.startswith("optimiser.")}:
            raise ValueError(f"The run in {folder} is of another model; build the one that it was saved with.")
        self._put(tensors)
        self.history = history
        return self

    def _tensors(self) -> dict[str, Tensor]:
        """All tensors of the run, by name: ``model.``, ``optimiser.<parameter>.`` and ``random.`` stand before."""
        found = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for number, state in self.optimiser.state_dict()["state"].items():
            found |= {f"optimiser.{number}.{name}": value for name, value in state.items() if isinstance(value, Tensor)}
        found |= {f"random.{name}": generator.get_state() for name, generator in _generators(self.model).items()}
        return {name: tensor.detach().clone().contiguous() for name, tensor in found.items()}  # nothing shared

    def _put(self, tensors: dict[str, Tensor]) -> None:
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith("optimiser."):
                _, number, key = name.split(".")
                state.setdefault(int(number), {})[key] = tensor
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": state})
        model = {name.removeprefix("model."): tensor for name, tensor in tensors.items() if name.startswith("model.")}
        self.model.load_state_dict(model)
        for name, generator in _generators(self.model).items():
            generator.set_state(tensors[f"random.{name}"])


def _optimiser(parameters: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    settings: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    if recipe.optimiser == "SGD":
        return torch.optim.SGD(parameters, momentum=recipe.momentum, **settings)
    return torch.optim.AdamW(parameters, betas=(recipe.momentum, recipe.smoothing), fused=True, **settings)


def _generators(model: nn.Module) -> dict[str, torch.Generator]:
    """The random generators that modules of the model hold, by name."""
    return {
        f"{path}.{name}": value
        for path, module in model.named_modules()
        for name, value in vars(module).items()
        if isinstance(value, torch.Generator)
    }


def _pieces(batch: Batch, pieces: int) -> Sequence[Batch]:
    """A batch cut along its first dimension, all its tensors alike."""
    return [batch] if pieces == 1 else list(zip(*(part.chunk(pieces) for part in batch), strict=True))


# ------------------------------------------------------------------------------------------------ the loop


def fit(
    model: nn.Module | Trainer,
    batches: Batches,
    *,
    steps: int | None = None,
    objective: Objective | None = None,
    recipe: Recipe | None = None,
    evaluate: Callable[[nn.Module], float] | None = None,
    every: int = 100,
    patience: int | None = None,
    on_step: Callable[[int, History], bool | None] | None = None,
    max_seconds: float | None = None,
    progress: bool = True,
) -> History:
    """Train ``model`` in place, one batch a step.

    Args:
        model: what to train, for a run from its beginning; or a `Trainer`, to begin or to go on with its run.
        batches: ``batches[step]``, as of `shuffled_batches`; training ends early if a list runs out.
        steps: how many, in all.
        objective: what to minimise; the default is `cross_entropy_loss`.
        recipe: how; the default is AdamW with a constant learning rate.
        evaluate: measures the model on held-out data (lower is better), with gradients off and the model in ``eval``
            mode: before the first step, every so often, and at the end.
        every: steps from one measurement to the next.
        patience: stop after this many measurements in a row without a better one (early stopping). Whenever
            ``patience`` is given, the weights of the best measurement are put back at the end.
        on_step: called as ``on_step(step, history)`` after each step, counting from 0; return True to stop.
        max_seconds: stop after this time.
        progress: whether to show a bar with the loss, a running mean of the last 50 steps or so; the environment
            variable TQDM_DISABLE=1 hides every bar.

    Returns:
        The history of the run, earlier calls included. A keyboard interrupt (the stop button) does not raise: the model
        keeps what it learned, the history so far comes back, and ``stopped`` is ``"interrupted"``. A loss that is
        infinite or not a number stops training before it spoils the weights.

    A run that is stopped and continued equals one without a stop, learning rate and all:

    >>> batches = shuffled_batches(torch.eye(4), torch.arange(4), batch_size=2)
    >>> trainer = Trainer(nn.Linear(4, 4), steps=10, recipe=Recipe(0.1, schedule="cosine"))
    >>> fit(trainer, batches, on_step=lambda step, history: step == 3, progress=False).stopped
    'stopped by on_step'
    >>> history = fit(trainer, batches, progress=False)
    >>> history.steps, history.stopped
    (10, 'finished')
    """
    if every < 1 or (patience is not None and (patience < 1 or evaluate is None)):
        raise ValueError(f"every={every} and patience={patience} must be 1 or more, and patience needs evaluate.")
    if not hasattr(batches, "__getitem__"):
        raise ValueError("batches must answer batches[step]: give a list, shuffled_batches(...) or text_batches(...).")
    trainer = _trainer(model, steps, objective, recipe)
    model, history = trainer.model, trainer.history
    best = _Best(model, patience)
    start, was_training, done, smooth = time.perf_counter(), model.training, 0, 0.0
    history.stopped = ""
    bar = tqdm(total=trainer.steps, initial=trainer.step, unit="step") if progress else tqdm(disable=True)
    try:
        if evaluate is not None:
            best.note(_measure(model, evaluate, history))
        model.train()
        while trainer.step < trainer.steps and not history.stopped:
            step = trainer.step
            try:
                batch = batches[step]
            except IndexError:
                history.stopped = "out of batches"
                break
            loss = trainer.advance(batch)
            done += 1
            share = max(0.02, 1 / done)
            smooth = (1 - share) * smooth + share * loss  # in this order no loss is too large for it
            bar.set_postfix(loss=f"{smooth:.4g}", refresh=False)
            bar.update()
            if evaluate is not None and history.steps % every == 0 and best.note(_measure(model, evaluate, history)):
                history.stopped = f"no better for {patience} measurements"
            elif on_step is not None and on_step(step, history):
                history.stopped = "stopped by on_step"
            elif (
                max_seconds is not None and time.perf_counter() - start > max_seconds and history.steps < trainer.steps
            ):
                history.stopped = f"out of time after {max_seconds:g} seconds"
    except Diverged as reason:
        history.stopped = str(reason)
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    finally:
        bar.close()
        model.train(was_training)
    if evaluate is not None and history.stopped != "interrupted":
        best.note(_measure(model, evaluate, history))
    best.restore()
    history.stopped = history.stopped or "finished"
    return history


def _trainer(
    model: nn.Module | Trainer, steps: int | None, objective: Objective | None, recipe: Recipe | None
) -> Trainer:
    """The trainer that was given, or a new one."""
    if isinstance(model, Trainer):
        if (steps, objective, recipe) != (None, None, None):
            raise ValueError("A Trainer has its own steps, objective and recipe: give them where you make it.")
        return model
    if steps is None:
        raise ValueError("How many steps? Say fit(model, batches, steps=500), for example.")
    return Trainer(model, steps=steps, objective=objective or cross_entropy_loss, recipe=recipe)


def _measure(model: nn.Module, evaluate: Callable[[nn.Module], float], history: History) -> float:
    """``evaluate(model)``, in ``eval`` mode and with gradients off; noted in the history, once for each step."""
    if history.held_out and history.held_out[-1][0] == history.steps:
        return history.held_out[-1][1]
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            value = float(evaluate(model))
    finally:
        model.train(was_training)
    history.held_out.append((history.steps, value))
    return value


class _Best:
    """Early stopping: keeps the weights of the best measurement."""

    def __init__(self, model: nn.Module, patience: int | None):
        self.model, self.patience = model, patience
        self.value, self.waited = math.inf, 0
        self.weights: dict[str, Tensor] | None = None

    def note(self, value: float) -> bool:
        """Take in a measurement; True when patience has run out."""
        if self.patience is None:
            return False
        if value < self.value:
            self.value, self.weights, self.waited = value, copy.deepcopy(self.model.state_dict()), 0
        else:
            self.waited += 1
        return self.waited >= self.patience

    def restore(self) -> None:
        if self.weights is not None:
            self.model.load_state_dict(self.weights)


# ------------------------------------------------------------------------------------------------ weights on disk


def save(model: nn.Module, path: str | Path) -> Path:
    """Write the model's weights to a ``.safetensors`` file, whole or not at all."""
    from safetensors.torch import save_model

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    os.close(handle)
    try:
        save_model(model, unfinished)
        os.replace(unfinished, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(unfinished)
    return path


def load(model: nn.Module, path: str | Path) -> nn.Module:
    """Read weights that `save` wrote into a model of the same settings, and return it."""
    from safetensors.torch import load_model

    if not Path(path).is_file():
        raise ValueError(f"There are no weights at {path}; train and save a model there first.")
    try:
        load_model(model, path)
    except Exception as error:
        raise ValueError(
            f"The weights in {path} do not fit this model; build it with the settings it was saved with ({error})."
        ) from error
    return model
