"""What each regulariser does, alone, on few and partly mislabelled digits; and a small search over architectures.

150 real digits to learn from, 20 % of their labels made wrong; 300 others to choose by (validation) and 450 to judge by
(test), both labelled right. Ten seeds draw the digits, the wrong labels, the first weights and the batches. Every run:
200 epochs of batches of 30, gradient descent with momentum 0.9, a network 64-256-10 with ReLU unless the row says so.
The learning rate is the one of four at which the plain network fits its examples best, wrong labels and all, so that
overfitting is plain; the other three are recorded too, because a small one, for as many epochs, is a way of stopping
early. Each regulariser is then switched on alone, at several strengths, and its strength chosen by the mean validation
accuracy. Test accuracy chooses nothing. The search over architectures stops early, as a careful search would.

Run:  OMP_NUM_THREADS=1 python datasets/make/regularisers.py     (about 3 minutes)
Writes datasets/runs/regularisers.csv and datasets/runs/architectures.csv
"""

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from torch import Tensor, nn

from course_utils import data
from course_utils.models.regularisers import Dropout, noisy_labels, shifted, weight_penalty

EXAMPLES, NOISE, EPOCHS, BATCH = 150, 0.2, 200, 30
SEEDS = range(10)
STRENGTHS: dict[str, tuple[Any, ...]] = {
    "dropout": (0.2, 0.5, 0.8),
    "weight_decay": (0.001, 0.003, 0.01, 0.03, 0.1),
    "learning_rate_decay": (0.1, 0.01, 0.001),
    "early_stopping": (5, 20, 50),
    "augmentation": (1, 2),
}
LEARNING_RATES = (0.003, 0.01, 0.03, 0.1)
WIDTHS, DEPTHS, SEARCH_SEEDS = (4, 8, 32, 128, 512), (1, 2, 3), range(5)
CREDIT = """\
# command: OMP_NUM_THREADS=1 python datasets/make/regularisers.py
# seeds: the column seed   machine: 2 CPU cores, 1 used   date: 2026-11-22
# data: scikit-learn's digits; 150 to learn from, 20 % of their labels wrong; 300 validation, 450 test, labelled right
# train_accuracy counts against the labels as given, wrong ones included; right_label_accuracy against the true ones
"""
REGULARISERS_HEADER = f"""\
# Regularisers, each alone: one row per run.
{CREDIT}\
# strength: share dropped; weight of half the sum of squares; last learning rate over the first (exponential decay);
#   epochs without a lower validation loss before stopping (the best weights are kept); furthest shift in pixels;
#   for "none" the learning rate; the one that fits the training labels best is chosen, and used in every other row
# chosen: 1 for the strength with the best mean validation accuracy; epochs: how many had been trained
"""
ARCHITECTURES_HEADER = f"""\
# A search over architectures, with early stopping (20 epochs without a lower validation loss): one row per run.
{CREDIT}\
# width: neurons in each hidden layer; depth: hidden layers; parameters: learned numbers
"""


@dataclass(frozen=True)
class Setting:
    """One way to train."""

    learning_rate: float
    width: int = 256
    depth: int = 1
    dropout: float = 0.0
    weight_decay: float = 0.0
    learning_rate_decay: float = 1.0
    early_stopping: int = EPOCHS
    augmentation: int = 0


def network(setting: Setting, seed: int) -> nn.Sequential:
    """Images ``(batch, 8, 8)`` in, scores ``(batch, 10)`` out."""
    layers: list[nn.Module] = [nn.Flatten()]
    inputs = 64
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for layer in range(setting.depth):
            layers += [nn.Linear(inputs, setting.width), nn.ReLU(), Dropout(setting.dropout, seed=1000 * seed + layer)]
            inputs = setting.width
        return nn.Sequential(*layers, nn.Linear(inputs, 10))


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share answered right."""
    return (model(images).argmax(1) == labels).float().mean().item()


def train(setting: Setting, seed: int) -> dict[str, float]:
    """Train once; the accuracies at the end, or at the best epoch with early stopping."""
    digits = data.digits(seed=seed)
    images, right = digits.train_images[:EXAMPLES], digits.train_labels[:EXAMPLES]
    kept_back = slice(EXAMPLES, EXAMPLES + 300)
    validation_images, validation_labels = digits.train_images[kept_back], digits.train_labels[kept_back]
    random = torch.Generator().manual_seed(seed)
    given = noisy_labels(right, NOISE, random)
    model = network(setting, seed)
    optimiser = torch.optim.SGD(model.parameters(), lr=setting.learning_rate, momentum=0.9)
    best_loss, best_weights, best_epoch = float("inf"), model.state_dict(), 0
    for epoch in range(1, EPOCHS + 1):
        optimiser.param_groups[0]["lr"] = setting.learning_rate * setting.learning_rate_decay ** ((epoch - 1) / EPOCHS)
        for batch in torch.randperm(EXAMPLES, generator=random).split(BATCH):
            shown = shifted(images[batch], random, setting.augmentation) if setting.augmentation else images[batch]
            loss = nn.functional.cross_entropy(model(shown), given[batch])
            if setting.weight_decay:
                loss = loss + weight_penalty(model.parameters(), setting.weight_decay)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if setting.early_stopping < EPOCHS:
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(validation_images), validation_labels)
            model.train()
            if loss.item() < best_loss:
                best_loss, best_epoch = loss.item(), epoch
                best_weights = {name: weight.clone() for name, weight in model.state_dict().items()}
            elif epoch - best_epoch >= setting.early_stopping:
                break
    if setting.early_stopping < EPOCHS:
        model.load_state_dict(best_weights)
    model.eval()
    with torch.no_grad():
        return {
            "epochs": epoch,
            "train_accuracy": accuracy(model, images, given),
            "right_label_accuracy": accuracy(model, images, right),
            "validation_accuracy": accuracy(model, validation_images, validation_labels),
            "test_accuracy": accuracy(model, digits.test_images, digits.test_labels),
        }


def regulariser_rows() -> Iterator[dict]:
    """Every regulariser at every strength with every seed; the learning rate is tuned first."""
    baselines = {rate: [train(Setting(rate), seed) for seed in SEEDS] for rate in LEARNING_RATES}
    best = max(baselines, key=lambda rate: mean(run["train_accuracy"] for run in baselines[rate]))
    trials: list[tuple] = [("none", rate, runs, rate) for rate, runs in baselines.items()]
    for name, strengths in STRENGTHS.items():
        for strength in strengths:
            setting = replace(Setting(best), **{name: strength})
            trials.append((name, strength, [train(setting, seed) for seed in SEEDS], best))
    score = {(name, strength): mean(run["validation_accuracy"] for run in runs) for name, strength, runs, _ in trials}
    for name, strength, runs, rate in trials:
        highest = max(value for key, value in score.items() if key[0] == name)
        chosen = rate == best if name == "none" else score[name, strength] == highest
        report(f"{name} {strength} rate {rate} chosen {chosen}", runs)
        for seed, run in zip(SEEDS, runs, strict=True):
            yield {
                "setting": name,
                "strength": strength,
                "chosen": int(chosen),
                "learning_rate": rate,
                "seed": seed,
                **run,
            }


def architecture_rows() -> Iterator[dict]:
    """Every width with every depth, stopped early; each takes the learning rate that suits it best on validation."""
    for depth in DEPTHS:
        for width in WIDTHS:
            tried = {
                rate: [train(Setting(rate, width, depth, early_stopping=20), seed) for seed in SEARCH_SEEDS]
                for rate in (0.01, 0.1)
            }
            rate = max(tried, key=lambda rate: mean(run["validation_accuracy"] for run in tried[rate]))
            parameters = sum(p.numel() for p in network(Setting(rate, width, depth), 0).parameters())
            report(f"width {width} depth {depth} rate {rate}", tried[rate])
            for seed, run in zip(SEARCH_SEEDS, tried[rate], strict=True):
                yield {
                    "width": width,
                    "depth": depth,
                    "parameters": parameters,
                    "learning_rate": rate,
                    "seed": seed,
                    **run,
                }


def report(title: str, runs: list[dict[str, float]]) -> None:
    """One line of means, to watch by."""
    print(f"{title:50}", *(f"{name} {mean(run[name] for run in runs):.3f}" for name in runs[0]), flush=True)


def write(name: str, header: str, rows: list[dict]) -> None:
    """All rows into ``datasets/runs``, or none."""
    text = io.StringIO(newline="")
    text.write(header)
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()} for row in rows
    )
    target = Path(__file__).resolve().parent.parent / "runs" / name
    half = target.with_suffix(".half")
    half.write_text(text.getvalue(), encoding="utf-8")
    os.replace(half, target)


if __name__ == "__main__":
    write("regularisers.csv", REGULARISERS_HEADER, list(regulariser_rows()))
    write("architectures.csv", ARCHITECTURES_HEADER, list(architecture_rows()))
