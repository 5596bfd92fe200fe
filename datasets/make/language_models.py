"""How well do n-grams and recurrent networks guess the next character of plays they have never seen?

One row a model, all on one split of Shakespeare's plays: see `course_utils.experiments.language_models`. The recurrent
networks have one layer and read windows of 64 characters, 32 in a step; their learning rate (0.01, better than 0.003
after 250 steps at width 128, and than 0.005 and 0.002 after 150 steps at width 256) was chosen on the validation plays,
and the test plays were scored once.

Run:  OMP_NUM_THREADS=1 python datasets/make/language_models.py     (about 20 minutes on an idle machine)
Writes datasets/runs/language_models.csv
"""

import torch

from course_utils.data import record, shown
from course_utils.experiments.language_models import RecurrentRun, rows

SHORT_AND_LONG = ((500, 0), (2000, 0), (2000, 1), (2000, 2))  # steps and seed
RUNS = [
    *(RecurrentRun(cell, steps=steps, seed=seed) for steps, seed in SHORT_AND_LONG for cell in ("rnn", "lstm")),
    RecurrentRun("lstm", width=256, steps=6000),  # larger, and trained for longer
]
HEADER = """\
Held-out bits per character of models of the time before transformers: one row per model.
command: OMP_NUM_THREADS=1 python datasets/make/language_models.py
seeds: 0 to 2 at 2,000 steps, else 0   machine: AMD EPYC, AVX-512, 1 thread   date: 2026-11-25
data: 38 plays of Shakespeare, cleaned; 26 to train (3.6 million characters), 6 for validation, 6 for test
parameters: learned numbers; for n-grams, how many different ones of that order were counted
characters_read: in training, repetitions counted; processor_seconds: for n-grams the counting of all orders together
"""


def main() -> None:
    """Train and score every model; write the table."""
    torch.set_num_threads(1)
    record("language_models", HEADER, shown(rows(RUNS)))


if __name__ == "__main__":
    main()
