"""Training, whatever is trained.

Five parts, each a file: `batches` (which examples at which step), `objectives` (how wrong the model is on a batch),
`recipe` (optimiser, learning rate and its schedule), `trainer` (one step; save and resume) and `loop` (`fit`: progress
bar, measuring, early stopping). `pretraining` puts a text and a transformer to it; ``python -m course_utils.training``
does that outside a notebook. `muon`, `precision` and `processes` are for speed. Nothing here draws: a callback such as
``explorers.LiveCurve`` does.

>>> import torch
>>> inputs = torch.linspace(-1, 1, 20)[:, None]
>>> batches = shuffled_batches(inputs, 3 * inputs, batch_size=20)
>>> model, objective = torch.nn.Linear(1, 1), supervised(torch.nn.functional.mse_loss)
>>> history = fit(model, batches, steps=300, objective=objective, recipe=Recipe(learning_rate=0.1), progress=False)
>>> round(model.weight.item(), 1), history.steps, history.stopped
(3.0, 300, 'finished')
"""

from course_utils.training.batches import Batch, Batches, ShuffledBatches, TextBatches, shuffled_batches, text_batches
from course_utils.training.loop import fit
from course_utils.training.muon import Muon
from course_utils.training.objectives import MASKED, Objective, accuracy, cross_entropy_loss, mean_loss, supervised
from course_utils.training.recipe import OPTIMISERS, SCHEDULES, Recipe, constant, cosine, exponential, linear
from course_utils.training.trainer import Diverged, History, Trainer, load, save

__all__ = [
    "MASKED", "OPTIMISERS", "SCHEDULES",
    "Batch", "Batches", "Diverged", "History", "Muon", "Objective", "Recipe", "ShuffledBatches", "TextBatches",
    "Trainer", "accuracy", "constant", "cosine", "cross_entropy_loss", "exponential", "fit", "linear", "load",
    "mean_loss", "save", "shuffled_batches", "supervised", "text_batches",
]  # fmt: skip
