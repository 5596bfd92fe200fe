"""Attention written out against torch's fused kernel, by length: SmolLM2's nine heads, alternating in one process.

Prints a table of medians and ratios for reading and for training (forward and backward), and what the table of weights
alone takes in memory, which the fused kernel never holds whole.
"""

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.models.transformer import attention, fused_attention

HEADS, KEY_VALUE_HEADS, HEAD_WIDTH = 9, 3, 64
LENGTHS = (16, 64, 256, 1024, 2048)
ROUNDS = 7
SECONDS = 0.02  # a measurement repeats short work until it takes about so long

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]


def tensors(length: int, train: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Random query, key and value ``(1, heads, length, head_width)``."""
    generator = torch.Generator().manual_seed(0)
    heads = (HEADS, KEY_VALUE_HEADS, KEY_VALUE_HEADS)
    query, key, value = (torch.randn(1, each, length, HEAD_WIDTH, generator=generator) for each in heads)
    return query.requires_grad_(train), key.requires_grad_(train), value.requires_grad_(train)


def once(attend: Attend, length: int, train: bool, times: int) -> float:
    """Mean seconds of one call, over a few."""
    given = tensors(length, train)
    begin = time.perf_counter()
    with torch.set_grad_enabled(train):
        for _ in range(times):
            mixed = attend(*given)
            if train:
                torch.autograd.grad(mixed.sum(), given)
    return (time.perf_counter() - begin) / times


def main() -> None:
    print(f"{torch.get_num_threads()} threads; medians of {ROUNDS} rounds; times = written out / fused")
    for train in (False, True):
        print(f"\n| tokens ({'training' if train else 'reading'}) | written out | fused | times | weights |")
        print("|---:|---:|---:|---:|---:|")
        for length in LENGTHS:
            candidates: tuple[Attend, ...] = (attention, fused_attention)
            times = max(1, round(SECONDS / max(once(attention, length, train, 1), 1e-6)))
            seconds: list[list[float]] = [[], []]
            for _ in range(ROUNDS):  # both in each round, so that a busy moment hits both
                for taken, attend in zip(seconds, candidates, strict=True):
                    taken.append(once(attend, length, train, times))
            written, fused = (1000 * statistics.median(taken) for taken in seconds)
            megabytes = 4 * HEADS * length**2 / 1e6
            print(
                f"| {length:,} | {written:,.2f} ms | {fused:,.2f} ms | {written / fused:.1f} | {megabytes:,.2f} MB |",
                flush=True,
            )


if __name__ == "__main__":
    main()
