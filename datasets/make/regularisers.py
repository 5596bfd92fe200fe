"""What each regulariser does, alone, on few and partly mislabelled digits; and a small search over architectures.

150 real digits to learn from, 20 % of their labels made wrong; 300 others to choose by (validation) and 450 to judge by
(test), both labelled right. Ten seeds draw the digits, the wrong labels, the first weights and the batches. Every run:
200 epochs of batches of 30, gradient descent with momentum 0.9, a network 64-256-10 with ReLU unless the row says so.
The learning rate is the one of four at which the plain network fits its examples best, wrong labels and all, so that
overfitting is plain; the other three are recorded too, because a small one, for as many epochs, is a way of stopping
early. Each regulariser is then switched on alone, at several strengths, and its strength chosen by the mean validation
accuracy; all of it at that learning rate, and again at the smallest one. Test accuracy chooses nothing. The search over
architectures stops early, as a careful search would.

Run:  OMP_NUM_THREADS=1 python datasets/make/regularisers.py     (about 6 minutes)
Writes datasets/runs/regularisers.csv and datasets/runs/architectures.csv
"""

from collections.abc import Iterator
from dataclasses import replace
from statistics import mean
from typing import Any

from course_utils.data import record
from course_utils.experiments.overfitting import RunConfig, TrainingRun, network
from course_utils.training import accuracy

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
PROVENANCE = """\
command: OMP_NUM_THREADS=1 python datasets/make/regularisers.py
seeds: {first} to {last}   machine: 2 CPU cores, 1 used   date: {date}
data: scikit-learn's digits; 150 to learn from, 20 % of their labels wrong; 300 validation, 450 test, labelled right
train_accuracy counts against the labels as given, wrong ones included; right_label_accuracy against the true ones
"""
REGULARISERS_HEADER = f"""\
Regularisers, each alone: one row per run.
{PROVENANCE.format(first=SEEDS[0], last=SEEDS[-1], date="2026-11-25")}\
strength: share dropped; weight of half the sum of squares; last learning rate over the first (exponential decay);
  epochs without a lower validation loss before stopping (the best weights are kept); furthest shift in pixels;
  for "none" the learning rate; the one that fits the training labels best is chosen
learning_rate: of the cures, the chosen one and the smallest; each cure is tuned at both
chosen: 1 for the strength with the best mean validation accuracy at its learning rate; epochs: how many were trained
wrong_given_back: how many of the 30 wrong labels the trained network gives as its answer
"""
ARCHITECTURES_HEADER = f"""\
A search over architectures, with early stopping (20 epochs without a lower validation loss): one row per run.
{PROVENANCE.format(first=SEARCH_SEEDS[0], last=SEARCH_SEEDS[-1], date="2026-11-22")}\
width: neurons in each hidden layer; depth: hidden layers; parameters: learned numbers
"""


def train(setting: RunConfig, seed: int) -> dict[str, float]:
    """Train once; the accuracies at the end, or at the best epoch with early stopping."""
    trial = TrainingRun(setting, seed)
    trial.train()
    given_back = accuracy(trial.network, trial.images[trial.wrong], trial.noisy_labels[trial.wrong])
    return {
        "epochs": len(trial.rows) - 1,
        **trial.accuracies(),
        "wrong_given_back": round(given_back * int(trial.wrong.sum())),
    }


def regulariser_rows() -> Iterator[dict[str, Any]]:
    """Every regulariser at every strength and two learning rates, with every seed; the learning rate is tuned first."""
    baselines = {rate: [train(RunConfig(rate), seed) for seed in SEEDS] for rate in LEARNING_RATES}
    best = max(baselines, key=lambda rate: mean(run["train_accuracy"] for run in baselines[rate]))
    trials: list[tuple] = [("none", rate, runs, rate) for rate, runs in baselines.items()]
    for rate in (best, min(LEARNING_RATES)):
        for name, strengths in STRENGTHS.items():
            for strength in strengths:
                setting = replace(RunConfig(rate), **{name: strength})
                trials.append((name, strength, [train(setting, seed) for seed in SEEDS], rate))
    for name, strength, runs, rate in trials:
        rivals = [others for other, _, others, its in trials if (other, its) == (name, rate)]
        chosen = rate == best if name == "none" else runs is max(rivals, key=mean_validation)  # the first of equals
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


def mean_validation(runs: list[dict[str, float]]) -> float:
    """By which a strength is chosen."""
    return mean(run["validation_accuracy"] for run in runs)


def architecture_rows() -> Iterator[dict[str, Any]]:
    """Every width with every depth, stopped early; each takes the learning rate that suits it best on validation."""
    for depth in DEPTHS:
        for width in WIDTHS:
            tried = {
                rate: [train(RunConfig(rate, width, depth, early_stopping=20), seed) for seed in SEARCH_SEEDS]
                for rate in (0.01, 0.1)
            }
            rate = max(tried, key=lambda rate: mean_validation(tried[rate]))
            parameters = sum(p.numel() for p in network(RunConfig(rate, width, depth), 0).parameters())
            report(f"width {width} depth {depth} rate {rate}", tried[rate])
            for seed, run in zip(SEARCH_SEEDS, tried[rate], strict=True):
                yield {
                    "width": width,
                    "depth": depth,
                    "parameters": parameters,
                    "learning_rate": rate,
                    "seed": seed,
                    **{column: value for column, value in run.items() if column != "wrong_given_back"},
                }


def report(title: str, runs: list[dict[str, float]]) -> None:
    """One line of means, to watch by."""
    print(f"{title:50}", *(f"{name} {mean(run[name] for run in runs):.3f}" for name in runs[0]), flush=True)


if __name__ == "__main__":
    record("regularisers", REGULARISERS_HEADER, regulariser_rows())
    record("architectures", ARCHITECTURES_HEADER, architecture_rows())
