"""How well do word vectors group words, and solve analogies, by counting and by guessing?

One row a method, window and seed: see `course_utils.experiments.word_vectors`. The vectors are learned from the
presidents' yearly addresses of the training years. The seed draws the randomised decomposition, or the first vectors,
passages and strangers.

Run:  OMP_NUM_THREADS=1 python datasets/make/word_vectors.py     (about 5 minutes on an idle machine)
Writes datasets/runs/word_vectors.csv
"""

import torch

from course_utils.data import record, shown
from course_utils.experiments.word_vectors import rows

SEEDS = range(3)
HEADER = """\
Word vectors judged by fixed lists: one row per method, window and seed.
command: OMP_NUM_THREADS=1 python datasets/make/word_vectors.py
seeds: 0 to 2   machine: AMD EPYC, AVX-512, 1 thread   date: 2026-11-25
data: training years of the presidents' addresses; words that come 10 times or more, about 7,400; 1.5 million tokens
window: how many words away a neighbour may stand
group_score: share of the 5 nearest of all words that are of the word's own group (datasets/word_groups.csv)
analogy_score: share of 372 questions (datasets/word_analogies.csv) answered right by b - a + c
analogy_neighbour: the same when the answer is the word nearest to c, without any arithmetic
"""


def main() -> None:
    """Make and judge every set of vectors; write the table."""
    torch.set_num_threads(1)
    record("word_vectors", HEADER, shown(rows(SEEDS)))


if __name__ == "__main__":
    main()
