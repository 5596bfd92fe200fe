"""How fast the playground trains and draws while it plays, by the largest network it offers and by its first.

Prints a row of a Markdown table for each. Run it with ``python benchmarks/playground.py``.
"""

import sys
import time

import torch

from course_utils.explorers.playground import NetworkPlayground

LEAST_STEPS, LEAST_PICTURES = 200.0, 20.0  # a second
SECONDS = 5.0
SETTINGS = {
    "first picture (2-4-2)": {},
    "largest (7-8-8-8-8-3)": {
        "data": "three spirals",
        "layers": 4,
        "width": 8,
        **{name: True for name in ("x1_squared", "x2_squared", "x1_x2", "sin_x1", "sin_x2")},
    },
}


def playing(**settings: object) -> tuple[float, float]:
    """Return steps and pictures a second while Play runs, with its worker thread as in a notebook."""
    playground = NetworkPlayground(**settings)
    pictures = 0

    def drawn(_: object) -> None:
        nonlocal pictures
        pictures += 1

    playground.body.observe(drawn, "value")
    begun = time.perf_counter()
    playground.play()
    time.sleep(SECONDS)
    playground.play()  # reads Stop now
    playground.wait(30)
    seconds = time.perf_counter() - begun
    assert not playground.problem, playground.problem
    return playground.result.steps / seconds, pictures / seconds


def main() -> int:
    """Print the figures; fail if a target is missed."""
    torch.set_num_threads(1)
    print(f"| playground, {SECONDS:.0f} s of Play | steps/s | pictures/s | goal |\n|---|---|---|---|")
    missed = False
    for name, settings in SETTINGS.items():
        steps, pictures = playing(**settings)
        print(f"| {name} | {steps:.0f} | {pictures:.1f} | {LEAST_STEPS:.0f} and {LEAST_PICTURES:.0f} |")
        missed |= steps < LEAST_STEPS or pictures < LEAST_PICTURES
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
