"""Seconds to read a text, by its length: recurrent networks, which go token by token, and attention, all at once.

    python benchmarks/sequence.py

The models are those of the recall task (one recurrent layer of width 64; attention: two layers, 4 heads), untrained,
with one text. Beside our written-out loop stands torch's own compiled LSTM. Each number is the fastest of a few rounds
in which all models take turns, because a busy machine only ever adds time. "Training" goes back for the gradients too.
"""

import time
from collections.abc import Callable

import torch

from course_utils.experiments.distance import VOCABULARY, seconds_to_read

LENGTHS = (64, 256, 1024, 4096)
ROUNDS = 7


def torch_lstm(length: int, train: bool) -> float:
    """Seconds for torch's own LSTM with the same table before and the same scores behind it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        table, layer = torch.nn.Embedding(VOCABULARY, 64), torch.nn.LSTM(64, 64, batch_first=True)
        output = torch.nn.Linear(64, VOCABULARY)
        ids = torch.randint(VOCABULARY, (1, length))
    begin = time.perf_counter()
    with torch.set_grad_enabled(train):
        scores = output(layer(table(ids))[0])
        if train:
            scores.sum().backward()
    return time.perf_counter() - begin


def main() -> None:
    """Measure and print both tables."""
    models: dict[str, Callable[[int, bool], float]] = {
        "RNN": lambda length, train: seconds_to_read("RNN", length, repeats=1, train=train),
        "LSTM": lambda length, train: seconds_to_read("LSTM", length, repeats=1, train=train),
        "torch's LSTM": torch_lstm,
        "attention": lambda length, train: seconds_to_read("attention", length, repeats=1, train=train),
    }
    print(f"{torch.get_num_threads()} threads; milliseconds for one text (tokens per second)")
    for train in (False, True):
        print(f"\n| {'training' if train else 'reading'} | " + " | ".join(f"{length:,}" for length in LENGTHS) + " |")
        print("|---|" + "---:|" * len(LENGTHS))
        taken: dict[tuple[str, int], list[float]] = {(name, length): [] for name in models for length in LENGTHS}
        for _ in range(ROUNDS):
            for (name, length), seconds in taken.items():
                seconds.append(models[name](length, train))
        for name in models:
            fastest = [min(taken[name, length]) for length in LENGTHS]
            cells = [f"{1000 * m:,.1f} ({n / m:,.0f})" for m, n in zip(fastest, LENGTHS, strict=True)]
            print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
