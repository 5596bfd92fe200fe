"""Each data set is what its description says."""

import math
import runpy
import subprocess
import sys
from difflib import SequenceMatcher
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from course_utils import assets, data


def test_shakespeare_is_all_plays_unchanged():
    text = data.shakespeare()
    assert len(text) == 5_318_730 and len(set(text)) == 84
    assert text.count("\n## ACT I\n") == 38
    assert 0 == text.index("# A Midsummer Night's Dream") < text.index("# Hamlet") < text.index("# Timon of Athens")
    (hamlet,) = assets.path("shakespeare").rglob("hamlet.md")
    assert hamlet.read_text(encoding="utf-8") in text


def test_speeches_are_all_there_in_order():
    speeches = data.speeches()
    assert len(speeches) == 249
    assert sum(len(speech.text) for speech in speeches) == pytest.approx(12.18e6, rel=1e-3)
    years = [speech.year for speech in speeches]
    assert years == sorted(years) and (years[0], years[-1]) == (1790, 2026)
    assert sum(speech.president == "Abraham Lincoln" for speech in speeches) == 4
    assert all(len(speech.text) > 1000 for speech in speeches)


def test_the_falling_ball_file_is_what_its_maker_makes(project):
    maker = runpy.run_path(str(project / "datasets" / "make" / "falling_ball.py"))
    assert (project / "datasets" / "falling_ball.csv").read_bytes() == maker["table"]().encode()


def test_the_ball_obeys_gravity_and_drag(project):
    """The closed form equals the equation of motion, stepped through in small steps of time."""
    maker = runpy.run_path(str(project / "datasets" / "make" / "falling_ball.py"))
    speed, fallen, step, steps = 0.0, 0.0, 1e-4, 0
    while fallen < 90:
        middle = speed + step / 2 * 9.81 * (1 - (speed / maker["TERMINAL_VELOCITY"]) ** 2)
        fallen += step * middle
        speed += step * 9.81 * (1 - (middle / maker["TERMINAL_VELOCITY"]) ** 2)
        steps += 1
    assert maker["fall_time"](90) == pytest.approx(steps * step, abs=2e-4)
    assert maker["fall_time"](0.01) == pytest.approx(math.sqrt(2 * 0.01 / 9.81), rel=1e-3)  # too short for drag


def test_the_parts_of_the_tower_do_not_overlap():
    measured, between, beyond = (data.falling_ball(part) for part in ("measured", "between", "beyond"))
    assert set(measured.floor.tolist()) == set(range(1, 30, 2))
    assert set(between.floor.tolist()) == set(range(2, 30, 2))
    assert set(beyond.floor.tolist()) == set(range(31, 41))
    for part in (measured, between, beyond):
        assert part.seconds.dtype == torch.float32 and part.seconds.shape == part.floor.shape
        assert torch.equal(part.height, 3 * part.floor)
        assert (part.seconds > 0).all()
    with pytest.raises(ValueError, match="part='below' is not in the falling-ball data; choose one of: measured"):
        data.falling_ball("below")


def same(first: data.Digits, second: data.Digits) -> bool:
    return torch.equal(first.train_images, second.train_images) and torch.equal(first.test_images, second.test_images)


@pytest.mark.parametrize("split", ["stratified", "by_writer"])
def test_digits_come_apart_without_loss_or_overlap(split: str):
    digits = data.digits(split)
    images = torch.cat([digits.train_images, digits.test_images])
    assert images.shape == (1797, 8, 8) and images.dtype == torch.float32
    assert (images.min(), images.max()) == (0, 1)
    assert digits.train_labels.dtype == digits.train_forms.dtype == torch.int64
    ours = sorted(map(tuple, (images.flatten(1) * 16).to(torch.int64).tolist()))
    assert ours == sorted(map(tuple, load_digits().data.astype(int).tolist()))
    assert same(digits, data.digits(split, seed=0)) and not same(digits, data.digits(split, seed=1))


def test_the_stratified_split_has_equal_shares():
    digits = data.digits()
    assert (len(digits.train_labels), len(digits.test_labels)) == (1347, 450)
    shares = [labels.bincount() / len(labels) for labels in (digits.train_labels, digits.test_labels)]
    torch.testing.assert_close(*shares, atol=0.003, rtol=0)


@pytest.mark.parametrize("seed", range(5))
def test_split_by_writer_keeps_forms_whole(seed: int):
    digits = data.digits("by_writer", seed)
    learn, held_out = set(digits.train_forms.tolist()), set(digits.test_forms.tolist())
    assert (len(learn), len(held_out), learn & held_out) == (10, 4, set())


def test_each_form_repeats_the_first_ones_digits():
    """What the split by writer rests on: the file is one form filled in 14 times, with a few digits missing."""
    labels = load_digits().target.tolist()
    bounds = [*data.FORM_STARTS, len(labels)]
    first = labels[: bounds[1]]
    assert len(first) == 130
    for begin, end in pairwise(bounds):
        assert 122 <= end - begin <= 130
        alike = SequenceMatcher(None, first, labels[begin:end], autojunk=False).get_matching_blocks()
        assert sum(block.size for block in alike) >= end - begin - 2  # the same digits in the same order, bar a slip


def test_an_unknown_split_gets_a_sentence():
    with pytest.raises(ValueError, match="split='random' is not known"):
        data.digits("random")


def test_drawings_are_varied_and_no_two_are_equal():
    sheet = data.drawings(2000)
    assert sheet.images.shape == (2000, 32, 32) and sheet.images.dtype == torch.float32
    assert len(np.unique(sheet.images.flatten(1).numpy(), axis=0)) == 2000
    assert sheet.images.min() == 0 and 0.9 < sheet.images.max() <= 1
    assert 0.45 < sheet.labels.float().mean() < 0.55
    ink = sheet.images.mean(dim=(1, 2))
    assert 0.02 < ink.min() and ink.max() < 0.5 and ink.std() > 0.02
    assert 0.07 < ink.mean() < 0.2  # the same on every machine, give or take a pixel


def test_drawings_depend_on_the_seed_alone():
    few, many, others = data.drawings(20), data.drawings(40), data.drawings(20, seed=1)
    assert torch.equal(few.images, many.images[:20]) and torch.equal(few.labels, many.labels[:20])
    assert not any(torch.equal(one, other) for one in few.images for other in others.images)
    with pytest.raises(ValueError, match="n=0 drawings"):
        data.drawings(0)


def test_photographs_are_photographs():
    photographs = data.photographs()
    assert list(photographs) == ["china", "flower"]
    for photograph in photographs.values():
        assert photograph.shape == (427, 640, 3) and photograph.dtype == torch.float32
        assert 0 <= photograph.min() < 0.05 and 0.95 < photograph.max() <= 1
        assert len(photograph.flatten().unique()) > 200


def test_importing_data_does_not_import_torch():
    command = "import sys, course_utils.data; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], capture_output=True, text=True).stdout.strip() == "False"


@pytest.mark.parametrize("name", ["regularisers", "architectures", "stuck_runs"])
def test_recorded_runs_say_how_they_were_made_and_number_their_seeds(name: str) -> None:
    runs = data.recorded(name)
    command, machine = runs.provenance.splitlines()
    assert command.startswith("command: OMP_NUM_THREADS=1 python datasets/make/") and "machine:" in machine
    assert command in runs.header and "#" not in runs.header
    if name != "stuck_runs":
        seeds = sorted({row["seed"] for row in runs.rows})
        assert seeds == list(range(len(seeds))) and f"seeds: 0 to {seeds[-1]} " in machine
    kinds = {type(row[column]) for row in runs.rows for column in ("learning_rate", "test_accuracy") if column in row}
    assert kinds and kinds <= {float, int}


def test_what_is_recorded_is_read_back_and_written_like_the_files_there_are(tmp_path, monkeypatch, project):
    here = project / "datasets" / "runs"
    contents = {name: (here / f"{name}.csv").read_bytes() for name in ("regularisers", "architectures")}
    before = {name: data.recorded(name) for name in contents}
    monkeypatch.setattr(assets, "project_folder", lambda: tmp_path)
    for name, runs in before.items():
        path = data.record(name, runs.header, runs.rows)
        assert data.recorded(name) == runs
        assert path.read_bytes() == contents[name]
    with pytest.raises(ValueError, match="no recorded runs named 'walks'; choose one of: architectures, regularisers"):
        data.recorded("walks")
