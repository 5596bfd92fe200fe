"""Training on the digits: ours against scikit-learn's ``MLPClassifier``, to the same test accuracy in the same run.

Usage: ``python benchmarks/digits.py``. Prints a Markdown table of medians; the two take turns.
"""

import statistics
import time
import warnings
from collections.abc import Callable

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from course_utils import data, training
from course_utils.models.mlp import MLP, MLPConfig

GOAL = 0.97  # test accuracy at which the clock stops
HIDDEN = (128, 64)
BATCH = 64
LEARNING_RATE = 3e-3
MOST_EPOCHS = 60
REST = 0.3  # seconds before each turn: the threads of the one before still spin, and take a core from the next


def seconds_of_ours(digits: data.Digits, seed: int) -> float:
    """Train our MLP, testing after each epoch as below; seconds until the goal."""
    start = time.perf_counter()
    model = MLP(MLPConfig((64, *HIDDEN, 10)), seed)
    batches = training.shuffled_batches(digits.train_images, digits.train_labels, BATCH, seed)
    reached = []

    def test(step: int, history: training.History) -> bool:
        if (step + 1) % batches.steps_per_epoch == 0 and training.accuracy(
            model, digits.test_images, digits.test_labels
        ) >= GOAL:
            reached.append(time.perf_counter() - start)
        return bool(reached)

    steps, recipe = MOST_EPOCHS * batches.steps_per_epoch, training.Recipe(LEARNING_RATE)
    training.fit(model, batches, steps=steps, recipe=recipe, on_step=test, progress=False)
    return reached[0] if reached else float("inf")


def seconds_of_sklearn(digits: data.Digits, seed: int) -> float:
    """The same network, batches and learning rate in scikit-learn, one epoch at a time."""
    images, labels = digits.train_images.flatten(1).numpy(), digits.train_labels.numpy()
    test_images, test_labels = digits.test_images.flatten(1).numpy(), digits.test_labels.numpy()
    start = time.perf_counter()
    model = MLPClassifier(HIDDEN, batch_size=BATCH, learning_rate_init=LEARNING_RATE, random_state=seed)
    for _ in range(MOST_EPOCHS):
        model.partial_fit(images, labels, classes=range(10))
        if model.score(test_images, test_labels) >= GOAL:
            return time.perf_counter() - start
    return float("inf")


def main(seeds: int = 40) -> dict[str, float]:
    """Alternate the two over several seeds; print and return the medians in seconds."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    contenders: dict[str, Callable[[data.Digits, int], float]] = {
        "course_utils": seconds_of_ours,
        "scikit-learn MLPClassifier": seconds_of_sklearn,
    }
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for seed in range(-1, seeds):  # the first round warms up
        digits = data.digits(seed=max(seed, 0))
        for name, contender in contenders.items():
            time.sleep(REST)
            seconds = contender(digits, max(seed, 0))
            if seed >= 0:
                times[name].append(seconds)
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"Seconds to {GOAL:.0%} test accuracy, median of {seeds} seeds, {torch.get_num_threads()} threads\n")
    print("| trained by | seconds | share of scikit-learn's |\n|---|---:|---:|")
    for name, seconds in medians.items():
        print(f"| {name} | {seconds:.2f} | {seconds / medians['scikit-learn MLPClassifier']:.2f} |")
    return medians


if __name__ == "__main__":
    main()
