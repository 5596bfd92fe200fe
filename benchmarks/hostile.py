"""Ten thousand hostile actions over all explorers: odd texts and numbers, buttons, pins, tours.

After each action the picture is whole, its text is escaped, no warning is printed and no bug is told. It prints what
was done, and every failure with the seed that repeats it: ``python benchmarks/hostile.py [actions]``.
"""

import importlib
import sys
import time
from pathlib import Path

import torch

PROJECT = Path(__file__).resolve().parents[1]
AT_ONCE = 100  # actions on one explorer before a new one is made


def main() -> int:
    """Strike, print, and fail if anything was found."""
    sys.path.insert(0, str(PROJECT))
    torch.set_num_threads(1)
    hostile = importlib.import_module("tests.explorers.hostile")
    sweep = importlib.import_module("tests.explorers.sweep")
    for path in sorted((PROJECT / "tests" / "explorers").glob("sweep_*.py")):
        importlib.import_module(f"tests.explorers.{path.stem}")
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rounds = -(-wanted // (AT_ONCE * len(sweep.FACTORIES)))
    failures, total = [], 0
    for kind, make in sweep.FACTORIES.items():
        begun, done = time.perf_counter(), hostile.Counter()
        for seed in range(rounds):
            try:
                done += hostile.hammer(make(), AT_ONCE, seed)
            except AssertionError as error:
                failures.append(str(error))
                print(f"  {error}", flush=True)
        refused = done.pop("refused", 0)
        total += sum(done.values())
        print(
            f"{kind.__name__:<22} {sum(done.values()):6,} actions, {refused:6,} of them answered with a sentence, "
            f"{time.perf_counter() - begun:5.0f} s",
            flush=True,
        )
    print(f"{total:,} actions, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
