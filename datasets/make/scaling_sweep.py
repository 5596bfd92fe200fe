"""How does the held-out loss fall with the size of a model, with the text it reads, and with the arithmetic it costs?

One row a run: see `course_utils.experiments.scaling_runs`. First short runs choose the learning rate of each size on
the validation text; then every model is trained and scored on the test text. Stop it whenever you like: it goes on
where it was.

Run:  OMP_NUM_THREADS=1 python datasets/make/scaling_sweep.py --workers 2 [--backend dask --scheduler ADDRESS]
Writes datasets/runs/scaling_sweep.csv
"""

import argparse
from pathlib import Path

from course_utils.data import record
from course_utils.experiments.scaling_runs import best_rates, main_runs, measure, rate_runs
from course_utils.experiments.sweep import BACKENDS, sweep

HEADER = """\
Language models of many sizes on more and less text: one row per run.
command: OMP_NUM_THREADS=1 python datasets/make/scaling_sweep.py --workers 2
seeds: 0 and 1 (0 to 2 for purpose quality), 2 for the choice of the rate   machine: AMD EPYC, AVX-512, 2 cores
date: 2026-11-25
data: 38 plays of Shakespeare, 249 addresses of presidents, cleaned and split by course_utils.data.splits; characters
  purpose rate is scored on the validation text, everything else on the test text
models: transformer with rotary positions, RMS norm, squared ReLU, no biases; widths of 20 to 144 in 2 to 4 layers
  LSTM of one layer; parameters are counted outside the tables of characters
training: 24 windows of 64 characters a step; Muon with AdamW at 0.01 beside it (transformer), AdamW (LSTM)
  the learning rate falls evenly to 0
flops: 6 x parameters x characters   loss: nats a character, each guessed from at least 32 before it
right_k: share of places of the test text from which k characters in a row are guessed right
"""


def main() -> None:
    """Tune, train and score every model; write the table."""
    parser = argparse.ArgumentParser(description="The sweep of lesson 13.")
    parser.add_argument("--workers", type=int, default=2, help="processes side by side")
    parser.add_argument("--backend", choices=BACKENDS, default="loky", help="processes here, or a Dask cluster")
    parser.add_argument("--scheduler", help="address of a running Dask cluster")
    parser.add_argument("--folder", default="artefacts/scaling_sweep", help="where ended runs are kept")
    given = parser.parse_args()
    how = {"workers": given.workers, "backend": given.backend, "scheduler": given.scheduler}
    tuned = sweep(rate_runs(), measure, Path(given.folder), **how)
    rows = sweep(main_runs(best_rates(tuned)), measure, Path(given.folder), **how)
    record("scaling_sweep", HEADER, tuned + rows, decimals=6)


if __name__ == "__main__":
    main()
