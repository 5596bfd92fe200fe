"""Can attention alone recall which digit stood with a letter, and does its head look there?

One row a way and seed: see `course_utils.experiments.recall`. Eight pairs of a letter and a digit are read, each as one
token or as two; then each letter is asked for.

Run:  OMP_NUM_THREADS=1 python datasets/make/attention_recall.py     (about two minutes on an idle machine)
Writes datasets/runs/attention_recall.csv
"""

import torch

from course_utils.data import record, shown
from course_utils.experiments.recall import rows

SEEDS = range(5)
HEADER = """\
Which digit stood with the letter? Attention alone after 400 or 1,200 steps of training: one row per run.
command: OMP_NUM_THREADS=1 python datasets/make/attention_recall.py
seeds: 0 to 4   machine: AMD EPYC, AVX-512, 1 thread   date: 2026-11-25
model: width 32, one head a layer, no MLP; rotary positions where a pair is two tokens, else none
training: 32 texts of 8 pairs and 8 questions a step, AdamW 0.005 falling to 0
accuracy: of the questions of 512 fresh texts; a digit at random: 0.1, the most frequent one of the text: 0.30
weight: of a question on the token with the right digit, in the last layer
on_letter: weight of a digit on the letter before it, in the first layer; nan where a pair is one token
"""


def main() -> None:
    """Train every way with every seed; write the table."""
    torch.set_num_threads(1)
    record("attention_recall", HEADER, shown(rows(SEEDS)))


if __name__ == "__main__":
    main()
