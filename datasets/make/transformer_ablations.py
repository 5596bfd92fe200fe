"""What does a small transformer lose when one of its parts is taken out, or when it is told positions in another way?

One row a measurement of a run: see `course_utils.experiments.ablations`. Each model's learning rate is the better of
two after 100 steps, on the validation plays with a seed of its own; then the model is trained with three other seeds
for 200 steps and scored on the test plays.

Run:  OMP_NUM_THREADS=1 python datasets/make/transformer_ablations.py     (about 6 minutes on an idle machine)
Writes datasets/runs/transformer_ablations.csv
"""

import torch

from course_utils.data import record, shown
from course_utils.experiments.ablations import ABLATIONS, rows

LEARNING_RATES, SEEDS, STEPS, SHORT = (3e-3, 1e-2), range(3), 200, 100
HEADER = """\
A small transformer without one of its parts, or told positions in another way: one row per measurement of a run.
command: OMP_NUM_THREADS=1 python datasets/make/transformer_ablations.py
seeds: 0 to 2, and 3 for the choice of the learning rate   machine: AMD EPYC, AVX-512, 1 thread   date: 2026-11-25
data: 38 plays of Shakespeare, cleaned; 26 to train, 6 for validation (the choice), 6 for test (the score)
model: 4 blocks of width 64, 4 heads, 4 x 64 GELU neurons, layer norm before each part, rotary positions, no biases
  first weights are 3.5 times as large as GPT-2's, because the vectors are 12 times as narrow
training: AdamW, 16 windows of 64 characters a step; the learning rate rises for a tenth of the steps, then falls to 0
bits: per character, on 512 windows of 64 characters that begin with nothing read
"""


def main() -> None:
    """Train and score every model; write the table."""
    torch.set_num_threads(1)
    record("transformer_ablations", HEADER, shown(rows(ABLATIONS, LEARNING_RATES, SEEDS, STEPS, SHORT)))


if __name__ == "__main__":
    main()
