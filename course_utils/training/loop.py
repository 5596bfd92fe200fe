"""The loop around the steps: progress bar, measuring, early stopping, and ways to end early."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from course_utils.bars import progress_bar
from course_utils.training.batches import Batches
from course_utils.training.objectives import Objective, cross_entropy_loss
from course_utils.training.recipe import Recipe
from course_utils.training.trainer import Diverged, History, Trainer


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

    >>> from course_utils.training import shuffled_batches
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
    shown = {"total": trainer.steps, "initial": trainer.step, "unit": "step"} if progress else {"disable": True}
    bar = progress_bar(**shown)
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
            if not bar.disable:
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
    if evaluate is not None and history.stopped != "interrupted" and history.held_out[-1][0] != history.steps:
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
    """``evaluate(model)``, in ``eval`` mode and with gradients off; noted in the history, one entry for a step."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            value = float(evaluate(model))
    finally:
        model.train(was_training)
    if history.held_out and history.held_out[-1][0] == history.steps:  # an earlier call ended here
        history.held_out.pop()  # and may have put older weights back since it measured
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
