"""Numbers that the texts of exercises, quizzes and predictions give are what the course's own code computes."""

import math
import re
from statistics import mean

import numpy as np
import pytest
import torch

from course_utils import data
from course_utils.autodiff import Value
from course_utils.experiments import tower
from course_utils.experiments.reading import pattern
from course_utils.experiments.rules import threes_and_eights
from course_utils.models.transformer import TransformerConfig
from course_utils.practice import lesson_12
from course_utils.practice.exercises import exercise
from course_utils.practice.lesson_01 import share_right
from course_utils.practice.lesson_02 import ROWS, share_of_zeros_right
from course_utils.practice.questions import predict, quiz


def explanations(question):
    return " ".join(option.text + ": " + option.explanation for option in question.question.options)


def test_01_the_fall_from_floor_100():
    assert "takes 15.3 seconds" in exercise("01.5").task
    assert tower.fall_time(100, tower.TERMINAL_SPEED).round(1) == 15.3
    assert "RMSE of 0.14 seconds. Here it is off by almost one second" in exercise("01.5").explanation
    assert round(tower.rmse(lambda floor: 0.15 * floor + 1.2, "between"), 2) == 0.14
    assert 0.8 < 0.15 * 100 + 1.2 - 15.3 < 1


def test_01_a_the_best_single_number():
    times = np.array([3.56, 3.62, 4.62])
    assert times.mean().round(2) == 3.93
    said = explanations(predict("01.a"))
    assert round((4.62 - 3.6) ** 2, 2) == 1.04 and "squared residual of 1.04" in said
    assert round(((times - 3.93) ** 2).sum(), 2) == 0.71 and "all three together have 0.71" in said
    assert all(abs((other - 4.62) ** 2 - 1) < 0.15 for other in (3.56, 3.62))


def test_01_b_the_law_without_air():
    assert 0.5 < tower.rmse(lambda floor: np.sqrt(2 * 3 * floor / 9.81), "between") < 1
    assert "more than half a second" in explanations(quiz("01.b"))


def test_01_6_the_score_to_start_from():
    assert f"Ours has {share_right([3, 5], [0, 2], 1):.3f}" in exercise("01.6").task
    assert len(threes_and_eights("train")[1]) == 268 and "the 268 digits" in exercise("01.6").task


def test_02_a_real_zeros_and_a_black_square_on_the_ring():
    ring = pattern("\n".join(["..####..", ".##..##.", *[".#....#."] * 4, ".##..##.", "..####.."]))
    digits = data.digits()
    images = torch.cat([digits.train_images, digits.test_images])
    zeros = images[torch.cat([digits.train_labels, digits.test_labels]) == 0]
    largest, share = (zeros * ring).sum(dim=(1, 2)).max().item(), ((zeros * ring).sum() / zeros.sum()).item()
    said = explanations(quiz("02.a"))
    assert f"the largest sum is {largest:.1f}, and the square has {ring.sum():.0f}" in said
    assert 0.45 < share < 0.55 and "About half of its ink" in said


def test_02_3_the_scores_to_start_from():
    ring_and_hole = ["..####..", ".##..##.", *[".#.--.#."] * 4, ".##..##.", "..####.."]
    scores = {bias: share_of_zeros_right(ring_and_hole, bias) for bias in (-5.6, -6.7, -7.8, -100)}
    assert f"scores {scores[-100]:.3f}; the ring and hole" in exercise("02.3").task
    assert f"with the bias −6.7, score {scores[-6.7]:.3f}" in exercise("02.3").task
    assert max(scores.values()) == scores[-6.7] < exercise("02.3").mark
    biases = (-13, -14, -15)
    thick = [share_of_zeros_right(list(ROWS), bias) for bias in biases]
    assert max(thick) > exercise("02.3").mark and "from -13 to -15" in exercise("02.3").hints[1]


def test_04_a_three_paths():
    x = Value(2.0)
    (x * x + 3 * x).backward()
    assert x.gradient == 7 and "0.007001" in explanations(predict("04.a"))
    assert (2.001**2 + 3 * 2.001) - (2**2 + 3 * 2) == pytest.approx(0.007001)


def test_05_b_parameters():
    assert f"64 × 256 + 256 + 256 × 10 + 10 = {64 * 256 + 256 + 256 * 10 + 10:,} parameters" in explanations(
        predict("05.b")
    )


def test_05_3_the_means_of_the_folds():
    task = exercise("05.3")
    rows = re.findall(r'`"(\w+)"`: folds ([\d %,]+); test (\d+) %', task.task)
    folds = {name: [int(share) for share in re.findall(r"\d+", shares)] for name, shares, _ in rows}
    assert [len(shares) for shares in folds.values()] == [5, 5, 5]
    sums = {name: sum(shares) for name, shares in folds.items()}
    assert max(sums, key=sums.get) == "wide" and "{}, {} and {}".format(*sums.values()) in task.hints[1]
    assert max(folds, key=lambda name: max(folds[name])) == "deep" and max(rows, key=lambda row: row[2])[0] == "small"
    assert dict((name, test) for name, _, test in rows)["wide"] in task.answer
    assert any(wrong.replacement == str(sums["wide"] // 5) for wrong in task.wrong)


def test_05_d_the_recorded_gain_of_each_cure():
    rows = data.recorded("regularisers").rows
    chosen = {}
    for row in rows:
        if row["chosen"] and row["learning_rate"] == 0.03:
            chosen.setdefault(row["setting"], []).append(row["test_accuracy"])
    nothing = mean(chosen.pop("none"))
    gains = [100 * (mean(runs) - nothing) for runs in chosen.values()]
    assert len(gains) == 5 and round(100 * nothing) == 72 and "72 %" in predict("05.d").question.text
    assert predict("05.d").question.answer.text == "all five help, by 9 to 12 percentage points"
    assert 8.5 < min(gains) < max(gains) < 12.5 and max(gains) - min(gains) < 3.5  # as rounded: 9, 12 and about 3


def test_12_ratio_and_the_best_possible_variety():
    odds = [math.exp(math.log(ratio) / 2) for ratio in (10, 1)]
    assert f"√10 is about {odds[0] / odds[1]:.1f}" in explanations(predict("12.a"))
    assert f"{(math.log2(2) + math.log2(6)) / 2:.2f}" in exercise("12.4").explanation
    assert sum(lesson_12.SURE) == pytest.approx(1) and sum(lesson_12.OPEN) == pytest.approx(1)
    for chance in (*lesson_12.SURE, *lesson_12.OPEN):
        assert re.search(rf"\b{100 * chance:g}\b", exercise("12.4").task)
    assert f"{TransformerConfig.preset('smollm2').vocabulary - 12:,}" in explanations(predict("00.a"))
