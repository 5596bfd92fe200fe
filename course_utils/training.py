"""The training loop, and what belongs to it: batches, learning-rate schedules, early stopping, saving weights.

It knows no pictures: a callback such as ``explorers.LiveCurve`` draws, and a progress bar shows how far it is.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from course_utils import files

Schedule = Callable[[int, int], float]  # (step, steps) -> factor on the learning rate
Loss = Callable[[Tensor, Tensor], Tensor]  # (predictions, targets) -> one number


@dataclass
class History:
    """What happened in a call of `fit`, step by step; complete also when training was stopped."""

    losses: list[float] = field(default_factory=list)  # of each step's batch, before the step
    seconds: list[float] = field(default_factory=list)  # since the start of the call, at the end of each step
    tokens: int = 0  # targets seen: tokens of text, or examples
    held_out: list[tuple[int, float]] = field(default_factory=list)  # (steps done, what `evaluate` returned)
    stopped: str = "finished"  # or why it ended early, in words

    @property
    def steps(self) -> int:
        """Steps done."""
        return len(self.losses)


def fit(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    steps: int,
    loss: Loss | None = None,
    optimiser: torch.optim.Optimizer | None = None,
    learning_rate: float = 1e-3,
    weight_decay: float = 0.01,
    schedule: Schedule | None = None,
    evaluate: Callable[[nn.Module], float] | None = None,
    every: int = 100,
    patience: int | None = None,
    on_step: Callable[[int, History], bool | None] | None = None,
    max_seconds: float | None = None,
    progress: bool = True,
) -> History:
    """Train ``model`` in place, one batch a step.

    Args:
        model: ``model(inputs)`` gives predictions.
        batches: pairs of inputs and targets, as from `shuffled_batches`; training ends early if they run out.
        steps: how many.
        loss: of predictions and targets; the default is cross-entropy over the last dimension of the predictions.
        optimiser: the default is a new AdamW. Pass the same one again to continue an earlier call; its learning rate
            then starts from the one it was made with.
        learning_rate: of the default optimiser.
        weight_decay: of the default optimiser.
        schedule: factor on the learning rate, such as `cosine`; the default is constant.
        evaluate: measures the model on held-out data (lower is better), with gradients off and the model in ``eval``
            mode: before the first step, every so often, and at the end.
        every: steps from one measurement to the next.
        patience: stop after this many measurements in a row without a better one (early stopping). Whenever
            ``patience`` is given, the weights of the best measurement are put back at the end.
        on_step: called as ``on_step(step, history)`` after each step, counting from 0; return True to stop.
        max_seconds: stop after this time.
        progress: whether to show a bar; the environment variable TQDM_DISABLE=1 hides every bar.

    Returns:
        The history. A keyboard interrupt (the stop button) does not raise: the model keeps what it learned, the history
        so far comes back, and ``stopped`` is ``"interrupted"``. A loss that is infinite or not a number stops training
        before it spoils the weights.

    >>> model = nn.Linear(1, 1)
    >>> inputs = torch.linspace(-1, 1, 20)[:, None]
    >>> batches = shuffled_batches(inputs, 3 * inputs, batch_size=20)
    >>> history = fit(model, batches, steps=300, loss=nn.functional.mse_loss, learning_rate=0.1, progress=False)
    >>> round(model.weight.item(), 1), history.steps, history.stopped
    (3.0, 300, 'finished')
    """
    if steps < 0:
        raise ValueError(f"steps={steps} must be 0 or more.")
    if every < 1 or (patience is not None and (patience < 1 or evaluate is None)):
        raise ValueError(f"every={every} and patience={patience} must be 1 or more, and patience needs evaluate.")
    if optimiser is None:
        optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay, fused=True)
    loss = loss or classification_loss
    history = History()
    best = _Best(model, patience)
    full_rates = [group.setdefault("initial_lr", group["lr"]) for group in optimiser.param_groups]
    start = time.perf_counter()
    was_training = model.training
    bar = tqdm(total=steps, unit="step") if progress else tqdm(disable=True)
    try:
        if evaluate is not None:
            best.note(measure(model, evaluate, history))
        model.train()
        for step, (inputs, targets) in zip(range(steps), batches, strict=False):
            for group, rate in zip(optimiser.param_groups, full_rates, strict=True):
                group["lr"] = rate * (schedule(step, steps) if schedule else 1.0)
            batch_loss = loss(model(inputs), targets)
            value = batch_loss.item()
            if not math.isfinite(value):
                history.stopped = f"not finite at step {step}: the loss became {value}; try a smaller learning rate"
                break
            optimiser.zero_grad()
            batch_loss.backward()
            optimiser.step()

            history.losses.append(value)
            history.seconds.append(time.perf_counter() - start)
            history.tokens += targets.numel()
            bar.update()
            if evaluate is not None and history.steps % every == 0:
                bar.set_postfix(loss=f"{value:.3f}", refresh=False)
                if best.note(measure(model, evaluate, history)):
                    history.stopped = f"no better for {patience} measurements"
                    break
            if on_step is not None and on_step(step, history):
                history.stopped = "stopped by on_step"
                break
            if max_seconds is not None and time.perf_counter() - start > max_seconds and history.steps < steps:
                history.stopped = f"out of time after {max_seconds:g} seconds"
                break
        else:
            if history.steps < steps:
                history.stopped = "out of batches"
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    finally:
        bar.close()
        for group, rate in zip(optimiser.param_groups, full_rates, strict=True):
            group["lr"] = rate
        model.train(was_training)
    if evaluate is not None and history.stopped != "interrupted" and history.held_out[-1][0] != history.steps:
        best.note(measure(model, evaluate, history))
    best.restore()
    return history


def classification_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean surprise at the right answers (cross-entropy, in nats).

    Args:
        logits: ``(..., classes)``, for example ``(batch, classes)`` or ``(batch, tokens, vocabulary)``.
        targets: ``(...)`` int64; a target of -100 does not count.
    """
    return cross_entropy(logits.flatten(0, -2), targets.flatten())


def measure(model: nn.Module, evaluate: Callable[[nn.Module], float], history: History) -> float:
    """Note ``evaluate(model)`` in the history, with the model in ``eval`` mode and gradients off."""
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


# ------------------------------------------------------------------------------------------------ batches


def shuffled_batches(
    inputs: Tensor, targets: Tensor, batch_size: int, seed: int = 0
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without end: each epoch is a new shuffle in which every example comes once (the last batch may be short).

    Args:
        inputs: ``(examples, ...)``.
        targets: ``(examples, ...)``.
        batch_size: examples in a batch; more than there are means all of them.
        seed: of the shuffles.

    >>> batches = shuffled_batches(torch.arange(5), torch.arange(5), batch_size=3)
    >>> [len(next(batches)[0]) for _ in range(4)]
    [3, 2, 3, 2]
    """
    if len(inputs) != len(targets) or len(inputs) == 0:
        raise ValueError(
            f"{len(inputs)} inputs and {len(targets)} targets make no batches; give equally many, at least 1."
        )
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size} must be 1 or more.")
    return _shuffled_batches(inputs, targets, batch_size, torch.Generator().manual_seed(seed))


def _shuffled_batches(inputs, targets, batch_size, generator):
    while True:
        for chosen in torch.randperm(len(inputs), generator=generator).split(batch_size):
            yield inputs[chosen], targets[chosen]


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


def cosine(step: int, steps: int) -> float:
    """From 1 down to 0 along half a cosine wave (Loshchilov & Hutter 2017, without restarts).

    >>> [round(cosine(step, 4), 2) for step in range(4)]
    [1.0, 0.85, 0.5, 0.15]
    """
    return (1 + math.cos(math.pi * step / steps)) / 2


def warmup_then_linear(share: float = 0.1) -> Schedule:
    """A schedule that rises evenly to 1 during the first ``share`` of the steps, then falls evenly to 0.

    >>> schedule = warmup_then_linear(0.5)
    >>> [schedule(step, 4) for step in range(4)]
    [0.5, 1.0, 1.0, 0.5]
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share={share} of the steps must be from 0 to 1; try 0.1.")

    def schedule(step: int, steps: int) -> float:
        warm = max(1, round(share * steps))
        return min((step + 1) / warm, (steps - step) / max(1, steps - warm), 1.0)

    return schedule


# ------------------------------------------------------------------------------------------------ weights on disk


def save(model: nn.Module, path: str | Path) -> Path:
    """Write the model's weights to a ``.safetensors`` file, whole or not at all.

    Raises:
        WriteError: if the disk is full or the folder cannot be written.
    """
    from safetensors.torch import save_model

    with files.whole(path) as unfinished:
        save_model(model, str(unfinished))
    return Path(path)


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
