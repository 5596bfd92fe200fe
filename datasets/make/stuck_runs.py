"""How often does gradient descent get stuck, when a network has 2, 20 or 2,000 parameters?

The networks are alike but for their size. A neuron has two parameters, a weight and a bias; the answer is the sum of
the neurons, added and subtracted in turn, over the square root of their number. Two kinds of neuron (tanh, sine) learn
two curves (a wave, a step) from 24 points; one tanh neuron can follow the step and one sine neuron the wave, so the
smallest network is not too small for its task in two of the four cases. Each network descends from 50 random starts,
1,500 steps of plain gradient descent on all points, at the learning rate that served 10 other starts best. The networks
and their training: `course_utils.optimisers.descend_from_many`.

Loss: the mean squared error over the variance of the curve (1 = no better than answering 0 or the mean).
Stuck: the final loss lies more than 0.1 above the best of the same network's 50.

Run:  OMP_NUM_THREADS=1 python datasets/make/stuck_runs.py     (about 3 minutes; writes datasets/runs/stuck_runs.csv)
"""

from course_utils.data import record
from course_utils.optimisers import CURVES, NEURONS, descend_from_many

SEED = 0
STARTS = 50
STEPS = 1500
MARGIN = 0.1
LEARNING_RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
PARAMETERS = (2, 20, 2000)
HEADER = """\
How often gradient descent gets stuck, by number of parameters: one row per run.
command: OMP_NUM_THREADS=1 python datasets/make/stuck_runs.py
seed: 0   machine: 2 CPU cores, 1 used   date: 2026-11-22
neuron, curve: what was trained to follow what; parameters: learned numbers; learning_rate: tuned on 10 other starts
start: 0 to 49; first_loss, late_loss, final_loss: mean squared error over the curve's variance at step 0, 1350, 1500
stuck: 1 if final_loss is more than 0.1 above the lowest final_loss of the same neuron, curve and parameters
"""


def main() -> None:
    """Tune, run and record every case."""
    rows = []
    for neuron in NEURONS:
        for curve in CURVES:
            for parameters in PARAMETERS:
                tried = {
                    rate: descend_from_many(neuron, curve, parameters, rate, 10, STEPS, SEED + 1)[-1].nan_to_num(1e9)
                    for rate in LEARNING_RATES
                }
                rate = min(tried, key=lambda rate: tried[rate].mean().item())
                losses = descend_from_many(neuron, curve, parameters, rate, STARTS, STEPS, SEED)
                first, late, final = losses[0], losses[STEPS * 9 // 10], losses[-1]
                stuck = ~(final <= final[final.isfinite()].min() + MARGIN)
                print(
                    f"{neuron:5} {curve:5} {parameters:5}  rate {rate:<5} best {final.min():.4f} "
                    f"median {final.median():.4f} worst {final.max():.4f} stuck {int(stuck.sum()):2} of {STARTS}",
                    flush=True,
                )
                named = {"first_loss": first, "late_loss": late, "final_loss": final}
                rows += [
                    {"neuron": neuron, "curve": curve, "parameters": parameters, "learning_rate": rate, "start": start}
                    | {name: f"{each[start]:.5f}" for name, each in named.items()}
                    | {"stuck": int(stuck[start])}
                    for start in range(STARTS)
                ]
    record("stuck_runs", HEADER, rows)


if __name__ == "__main__":
    main()
