"""How far back can a recurrent network and attention recall one token, after 300 steps of training?

One row a model, distance and seed: see `course_utils.experiments.distance`. The text begins with one of 16 values, then
as many tokens follow as the distance says, then a question; the score is the share of 512 fresh texts whose value the
model names. Chance is 0.0625.

Run:  OMP_NUM_THREADS=1 python datasets/make/recall_by_distance.py     (about 4 minutes on an idle machine)
Writes datasets/runs/recall_by_distance.csv
"""

import torch

from course_utils.data import record, shown
from course_utils.experiments.distance import rows

DISTANCES, SEEDS = (5, 10, 20, 40, 80), range(3)
HEADER = """\
Share of values recalled across a distance, after 300 steps of training: one row per run.
command: OMP_NUM_THREADS=1 python datasets/make/recall_by_distance.py
seeds: 0 to 2   machine: AMD EPYC, AVX-512, 1 thread   date: 2026-11-25
model: one layer of width 64 (attention: two layers, 4 heads, rotary positions); batch 32, AdamW 0.003 falling to 0
recalled: of 512 fresh texts; chance is 0.0625, and there a model names one value whatever it read
  a low share means not learned in 300 steps, not that it cannot be learned
"""


def main() -> None:
    """Train every model at every distance; write the table."""
    torch.set_num_threads(1)
    record("recall_by_distance", HEADER, shown(rows(DISTANCES, SEEDS)))


if __name__ == "__main__":
    main()
