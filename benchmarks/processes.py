"""The same training run on one process and on two, one thread each: steps a second, and how far the losses differ.

    python benchmarks/processes.py [--steps 60] [--turns 3]

Both take the same batches (64 windows of 64 characters; two processes take half of each) of a GPT of 4 layers and width
128, with AdamW in float32 through ``python -m course_utils.training`` and ``torchrun`` (gloo). A figure is the median
over the steps after the first ten; runs alternate.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

SETTING = {
    "model": {"preset": "tiny", "width": 128, "layers": 4, "heads": 4, "context": 64, "fused": False},
    "recipe": {"learning_rate": 0.003, "schedule": "linear", "clip": 1.0},
    "batch_size": 64,
}


def run(folder: Path, processes: int, steps: int) -> dict[str, Any]:
    """The history of one run."""
    recipe = folder / "recipe.json"
    recipe.write_text(json.dumps({**SETTING, "steps": steps}), encoding="utf-8")
    start = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else []
    command = [sys.executable, *start, "-m", "course_utils.training", str(recipe), "--folder", str(folder / "run")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return json.loads((folder / "run" / "trainer.json").read_text(encoding="utf-8"))["history"]


def main(steps: int, turns: int) -> None:
    taken: dict[int, list[float]] = {1: [], 2: []}
    losses: dict[int, list[float]] = {}
    for _ in range(turns):
        for processes in taken:
            with tempfile.TemporaryDirectory() as folder:
                history = run(Path(folder), processes, steps)
            ends = history["seconds"]
            taken[processes].append(median(b - a for a, b in itertools.pairwise(ends[9:])))
            losses[processes] = history["losses"]
    one, two = (median(seconds) for seconds in taken.values())
    apart = max(abs(a - b) for a, b in zip(losses[1][:20], losses[2][:20], strict=True))
    print("| processes x threads | ms a step | steps a second |")
    print("|---|---:|---:|")
    print(f"| 1 x 1 | {one * 1e3:.0f} | {1 / one:.1f} |")
    print(f"| 2 x 1 | {two * 1e3:.0f} | {1 / two:.1f} |")
    print(f"{one / two:.2f} times as fast; losses of the first 20 steps differ by {apart:.0e} at most")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--turns", type=int, default=3)
    main(**vars(parser.parse_args()))
