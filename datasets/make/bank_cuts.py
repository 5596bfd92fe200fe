"""Which of SmolLM2's 270 heads decides, after "... sat down on the bank", whether the model says again which bank?

One row a head: the weight that "bank" gives "river" in it, and the chance of " of" as the next token when this one cell
is cut (the other weights of the row share what is left), and when the whole head is. See
`course_utils.experiments.looking`.

Run:  OMP_NUM_THREADS=1 python datasets/make/bank_cuts.py     (about 2 minutes on an idle machine)
Writes datasets/runs/bank_cuts.csv
"""

import torch

from course_utils.data import record, shown
from course_utils.experiments.looking import cut_rows
from course_utils.models import pretrained

HEADER = """\
Chance of " of" after "The river was wide and cold, and he sat down on the bank", one row for each head that is cut.
command: OMP_NUM_THREADS=1 python datasets/make/bank_cuts.py
seed: none, nothing is drawn   machine: AMD EPYC, AVX-512, 1 thread   date: 2026-11-25
model: SmolLM2-135M-Instruct, float32; layers and heads counted from 0
weight: of the last token on token 1 (" river"); cell, head_cut: the chance with this cell or this head cut
"""


def main() -> None:
    """Cut every cell and every head, one at a time; write the table."""
    torch.set_num_threads(1)
    model, tokenizer = pretrained.load("smollm2-135m-instruct")
    record("bank_cuts", HEADER, shown(cut_rows(model, tokenizer)))


if __name__ == "__main__":
    main()
