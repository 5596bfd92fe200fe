"""The trainer: one step of training, and everything that must be kept to go on with a run later; weights on disk."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from course_utils import files
from course_utils.training.batches import Batch
from course_utils.training.muon import Muon
from course_utils.training.objectives import Objective, cross_entropy_loss
from course_utils.training.precision import bfloat16_gains
from course_utils.training.processes import process, processes, total
from course_utils.training.recipe import Recipe


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
    """A loss or a gradient is infinite or not a number; the weights are as they were before this step.

    The message names the step, and the layer in which it arose.
    """


class Trainer:
    """A run of so many steps: a model, its optimisers, and how far it is. `advance` takes one step.

    Under ``torchrun`` each process works off its share of every batch, and gradients are added up over all: the steps
    are those of one process, to rounding. All processes must begin with the same weights.

    Args:
        model: is trained in place; parameters with ``requires_grad=False`` stay as they are.
        steps: how long the whole run is; the schedule of the learning rate ends there.
        objective: what is minimised.
        recipe: how.

    >>> from course_utils.training import supervised
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
        self.optimisers = _optimisers(model, self.recipe)
        self.history = History()
        self.device = self.parameters[0].device.type
        low = {"float32": False, "bfloat16": True}
        threads = torch.get_num_threads()
        self.bfloat16 = low.get(self.recipe.precision) or (
            self.recipe.precision == "auto" and bfloat16_gains(self.device, threads)
        )

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
        share = self.recipe.share_at(self.step, self.steps)
        for optimiser in self.optimisers:
            optimiser.zero_grad()
            for group in optimiser.param_groups:
                group["lr"] = share * group["highest"]
        summed, counted, scale = 0.0, 0, 0
        for piece in _pieces(batch, processes() * self.recipe.accumulation)[process() :: processes()]:
            loss, counts = self._loss(piece)
            summed, counted, scale = summed + loss.item(), counted + counts, scale or counts
            if not math.isfinite(summed):
                raise self._diverged("loss", summed, self._first_not_finite(piece))
            (loss / max(scale, 1)).backward()  # gradients add up; all pieces are divided by the count of the first
        gradients = [parameter.grad for parameter in self.parameters if parameter.grad is not None]
        if processes() > 1:
            summed, counted = total(gradients, max(scale, 1), summed, counted)
            scale = 1
        if counted == 0:
            raise ValueError(f"No target counts in the batch of step {self.step}: all are masked.")
        if counted != scale:  # ... and here by the count of all
            for gradient in gradients:
                gradient.mul_(scale / counted)
        if self.recipe.clip is not None:
            length = nn.utils.get_total_norm(gradients)
            if not length.isfinite():
                raise self._diverged("gradient", length.item(), self._last_bad_gradient())
            nn.utils.clip_grads_with_norm_(self.parameters, self.recipe.clip, length)
        for optimiser in self.optimisers:
            optimiser.step()
        before = self.history.seconds[-1] if self.history.seconds else 0.0
        self.history.losses.append(summed / counted)
        self.history.seconds.append(before + time.perf_counter() - begun)
        self.history.tokens += counted
        return summed / counted

    def _loss(self, piece: Batch) -> tuple[Tensor, int]:
        """The objective, with products in bfloat16 if the recipe says so; weights and sums stay in float32."""
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bfloat16):
            return self.objective(self.model, piece)

    def _diverged(self, what: str, value: float, layer: str) -> Diverged:
        where = f", first in {layer}" if layer else ""
        return Diverged(
            f"not finite at step {self.step}: the {what} became {value}{where}; try a smaller learning rate"
        )

    def _first_not_finite(self, piece: Batch) -> str:
        """The first layer on the way forward whose result is not finite; empty if all are and the loss alone is not."""
        found: list[str] = []

        def watch(name: str) -> Any:
            def hook(module: nn.Module, inputs: Any, result: Any) -> None:
                if isinstance(result, Tensor) and not result.isfinite().all():
                    found.append(name)

            return hook

        handles = [layer.register_forward_hook(watch(name)) for name, layer in self.model.named_modules() if name]
        states = {name: generator.get_state() for name, generator in _generators(self.model).items()}
        try:
            with torch.no_grad():
                self._loss(piece)
        finally:
            for handle in handles:
                handle.remove()
            for name, generator in _generators(self.model).items():
                generator.set_state(states[name])
        return found[0] if found else ""

    def _last_bad_gradient(self) -> str:
        """The last layer whose gradient is not finite: gradients arise from the last layer to the first."""
        bad = [
            name
            for name, weight in self.model.named_parameters()
            if weight.grad is not None and not weight.grad.isfinite().all()
        ]
        return bad[-1].rpartition(".")[0] if bad else ""

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
        for place, optimiser in enumerate(self.optimisers):
            for number, state in optimiser.state_dict()["state"].items():
                kept = {name: value for name, value in state.items() if isinstance(value, Tensor)}
                found |= {f"optimiser.{place}.{number}.{name}": value for name, value in kept.items()}
        found |= {f"random.{name}": generator.get_state() for name, generator in _generators(self.model).items()}
        return {name: tensor.detach().clone().contiguous() for name, tensor in found.items()}  # nothing shared

    def _put(self, tensors: dict[str, Tensor]) -> None:
        states: list[dict[int, dict[str, Tensor]]] = [{} for _ in self.optimisers]
        for name, tensor in tensors.items():
            if name.startswith("optimiser."):
                _, place, number, key = name.split(".")
                states[int(place)].setdefault(int(number), {})[key] = tensor
        for optimiser, state in zip(self.optimisers, states, strict=True):
            optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
        model = {name.removeprefix("model."): tensor for name, tensor in tensors.items() if name.startswith("model.")}
        self.model.load_state_dict(model)
        for name, generator in _generators(self.model).items():
            generator.set_state(tensors[f"random.{name}"])


def _optimisers(model: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """What moves the parameters: one optimiser, or Muon for the matrices inside and AdamW for the rest.

    A matrix inside goes from one hidden vector to another. A table of tokens does not, nor does the last layer, which
    makes scores (Jordan et al. 2024).
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    decay, betas = recipe.weight_decay, (recipe.momentum, recipe.smoothing)
    if recipe.optimiser == "SGD":
        found: list[torch.optim.Optimizer] = [
            torch.optim.SGD(parameters, recipe.learning_rate, momentum=recipe.momentum, weight_decay=decay)
        ]
    elif recipe.optimiser == "AdamW":
        found = [torch.optim.AdamW(parameters, recipe.learning_rate, betas, weight_decay=decay, fused=True)]
    else:
        layers = [layer for name, layer in model.named_modules() if isinstance(layer, nn.Linear)]
        scores = getattr(model, "unembedding", layers[-1] if layers else None)
        inside = [layer.weight for layer in layers if layer is not scores and layer.weight.requires_grad]
        if not inside:
            raise ValueError("Muon moves the matrices inside a network, and this model has none; take AdamW.")
        rest = [parameter for parameter in parameters if all(parameter is not weight for weight in inside)]
        found = [Muon(inside, recipe.learning_rate, recipe.momentum, decay)]
        if rest:
            betas = (recipe.beside_momentum, recipe.smoothing)
            found.append(torch.optim.AdamW(rest, recipe.beside, betas, weight_decay=decay, fused=True))
    for optimiser in found:
        for group in optimiser.param_groups:
            group["highest"] = group["lr"]
    return found


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
