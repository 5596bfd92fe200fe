"""A sweep keeps every run that has ended, makes what is missing, and gives the same rows wherever it runs."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import pytest

from course_utils.experiments.scaling_runs import ScalingRun, best_rates, main_runs, measure, rate_runs, token_ids
from course_utils.experiments.sweep import kept, name_of, sweep


@dataclass(frozen=True)
class Setting:
    width: int
    seed: int = 0


RUNS = [Setting(width) for width in (3, 1, 2)]


def counting(calls):
    """A measure that leaves a mark for each call; defined here, so that other processes get it by value."""

    def measured(setting):
        import os
        import time

        with open(calls, "a") as file:
            file.write(f"{setting.width} {os.getpid()}\n")
        time.sleep(0.2)
        return {"width": setting.width, "square": setting.width**2}

    return measured


@pytest.mark.parametrize("workers", [1, 2])
def test_every_run_is_measured_once_and_rows_come_in_order(tmp_path, workers):
    calls = tmp_path / "calls"
    expected = [{"width": width, "square": width**2} for width in (3, 1, 2)]
    assert sweep(RUNS, counting(calls), tmp_path / "runs", workers=workers) == expected
    assert sweep(RUNS, counting(calls), tmp_path / "runs", workers=workers) == expected
    assert sorted(line.split()[0] for line in calls.read_text().splitlines()) == ["1", "2", "3"]


def test_a_file_cut_short_is_measured_again(tmp_path):
    calls, folder = tmp_path / "calls", tmp_path / "runs"
    sweep(RUNS, counting(calls), folder, workers=1)
    (folder / f"{name_of(RUNS[1])}.json").write_text('{"width": 1, "squ')
    (folder / f"{name_of(RUNS[2])}.json").write_text("7")
    assert kept(folder, RUNS[1]) is None and kept(folder, RUNS[2]) is None
    assert [row["square"] for row in sweep(RUNS, counting(calls), folder, workers=1)] == [9, 1, 4]
    assert len(calls.read_text().splitlines()) == 5


def test_what_ended_before_a_failure_is_kept(tmp_path):
    def fails(setting):
        if setting.width == 1:
            raise RuntimeError("no memory")
        return {"width": setting.width}

    with pytest.raises(RuntimeError, match="no memory"):
        sweep(RUNS, fails, tmp_path, workers=1)
    assert kept(tmp_path, RUNS[0]) == {"width": 3}


def test_a_killed_sweep_goes_on_where_it_was(tmp_path):
    program = (
        "import sys, time\n"
        "from dataclasses import dataclass\n"
        "from course_utils.experiments.sweep import sweep\n"
        "@dataclass(frozen=True)\n"
        "class Setting:\n    width: int\n    seed: int = 0\n"
        "def measured(setting):\n    time.sleep(0.3)\n    return {'width': setting.width}\n"
        "sweep([Setting(width) for width in range(50)], measured, sys.argv[1], workers=1)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while len(list(tmp_path.glob("*.json"))) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = sorted(tmp_path.glob("*.json"))
    assert 2 <= len(there) < 50
    assert [json.loads(file.read_text())["width"] for file in there] == [
        int(file.stem.split(",")[0].removeprefix("width=")) for file in there
    ]


@pytest.mark.parametrize(("how", "said"), [({"backend": "spark"}, "loky, dask"), ({"workers": 0}, "1 or more")])
def test_a_wrong_request_is_refused_in_a_sentence(tmp_path, how, said):
    with pytest.raises(ValueError, match=said):
        sweep(RUNS, measure, tmp_path, **how)


def test_a_dask_cluster_gives_the_same_rows_though_a_worker_is_killed(tmp_path):
    calls, folder, runs = tmp_path / "calls", tmp_path / "runs", [Setting(width) for width in range(16)]

    def kill_one_worker():
        end = time.monotonic() + 120
        while time.monotonic() < end and len(list(folder.glob("*.json"))) < 3:
            time.sleep(0.02)
        os.kill(int(calls.read_text().splitlines()[-1].split()[1]), signal.SIGKILL)

    killer = threading.Thread(target=kill_one_worker)
    killer.start()
    rows = sweep(runs, counting(calls), folder, workers=2, backend="dask")
    killer.join()
    assert rows == [{"width": width, "square": width**2} for width in range(16)]
    began = [line.split()[1] for line in calls.read_text().splitlines()]
    assert len(set(began)) >= 3, "two workers, and the one that took the place of the killed one"
    assert len(began) > 16, "the run that the killed worker was at was begun again"


def test_a_run_of_the_scaling_sweep_is_deterministic_and_named_by_its_settings():
    run = ScalingRun("rate", "transformer", "plays", "clean", 9_600, 3, 0.02, 1)
    first, second = measure(run), measure(run)
    del first["processor_seconds"], second["processor_seconds"]
    assert first == second
    assert first["flops"] == 6 * 9_600 * 3 * 24 * 64
    assert len({name_of(each) for each in rate_runs()}) == len(rate_runs())


def test_the_best_rate_is_the_one_with_the_lowest_loss():
    row = {"purpose": "rate", "model": "lstm", "corpus": "plays", "parameters": 10_368, "characters": 600 * 24 * 64}
    rows = [
        row | {"learning_rate": 0.01, "loss": 2.0},
        row | {"learning_rate": 0.02, "loss": 1.9},
        row | {"learning_rate": 0.04, "loss": float("nan")},
        row | {"learning_rate": 0.08, "loss": 1.5, "purpose": "sweep"},
    ]
    assert best_rates(rows) == {("lstm", 10_368, 600): 0.02}


def test_the_scored_runs_are_those_of_the_issue():
    runs = main_runs({(run.model, run.parameters, run.steps): 0.02 for run in rate_runs()})
    for corpus in ("plays", "addresses"):
        chosen = {
            (run.parameters, run.steps, run.seed) for run in runs if (run.purpose, run.corpus) == ("sweep", corpus)
        }
        assert len({size for size, _, _ in chosen}) >= 6
        assert len({steps for _, steps, _ in chosen}) >= 3 and {seed for _, _, seed in chosen} == {0, 1}
    for run in runs:
        if run.purpose == "budget":
            flops = 6 * run.parameters * run.steps * 1536
            assert min(abs(flops / budget - 1) for budget in (1.5e11, 6e11, 2.4e12)) < 0.02


def test_texts_of_equal_length_differ_only_in_what_they_are_named_after():
    clean, shuffled, duplicated = (token_ids("plays", "train", text) for text in ("clean", "shuffled", "duplicated"))
    assert len(shuffled) == len(clean) and not shuffled.equal(clean)
    assert shuffled.bincount().equal(clean.bincount())
    assert abs(len(duplicated) / len(clean) - 1) < 0.01
    assert duplicated[:20_000].equal(duplicated[20_000:40_000])
