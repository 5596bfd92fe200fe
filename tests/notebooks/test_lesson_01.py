"""What lesson 01 says of its lines, polynomials, laws and rules is what its own cells compute."""

import re

import numpy as np
import pytest

from course_utils.experiments import tower
from course_utils.experiments.rules import ink_in, threes_and_eights
from course_utils.explorers import PolynomialFitter
from course_utils.models import regression
from course_utils.plots.static import Static
from tests.notebooks.pages import Page

PAGE = Page("01")
WORDS, says = PAGE.words, PAGE.says


def test_the_first_screen_explains_the_words_of_the_first_caption(names):
    caption = names["shown"]["first-picture"].says
    for word in ("slope", "intercept", "residual", "loss"):
        assert f"**{word}**" in WORDS["opening"] and word in caption.lower()
    assert not re.search("huber|absolute|RMSE", caption + WORDS["opening"])
    assert not hasattr(type(names["shown"]["first-picture"]), "loss"), "the choice of a loss comes later"


def test_settings_of_a_line_differ_as_said(names):
    line, settings = names["line"], [(0.10, 2.0), (0.15, 1.2), (0.20, 0.5)]
    at_16, at_40 = ([round(line(number, *setting), 1) for setting in settings] for number in (16, 40))
    assert np.ptp(at_16) == pytest.approx(0.1) and np.ptp(at_40) == pytest.approx(2.5)
    floor, seconds = tower.drops("measured")
    losses = [regression.squared_error(line(floor, *at), seconds) for at in [(0.10, 2.0), (0.15, 1.2), (0.15, 2.0)]]
    assert min(losses) == losses[1] and losses[2] > 5 * losses[1]
    late = seconds[floor == 15] - line(15, 0.15, 1.2)
    assert max(abs(late[:2])) < 0.2 and late[2] > 1


def test_the_squared_loss_settles_far_from_every_drop():
    floor, seconds = tower.drops("measured")
    assert np.abs(seconds[floor == 15] - seconds[floor == 15].mean()).min() > 0.3
    told = PAGE.printed("late-share").splitlines()  # test_fitting computes the shares by another way
    assert told == [
        "4 drops of 45 make up 72% of the squared loss",
        "4 drops of 45 make up 43% of the absolute loss",
    ]


def test_high_degrees_learn_sixteen_drops_by_heart():
    def errors(**settings):
        result = PolynomialFitter(**settings).result
        return result.training, result.held_out

    own, held_out = errors(degree=15)
    assert (np.abs(held_out[1:7] - own[1:7]) < 0.06).all() and (held_out[7:] > 2 * own[7:]).all(), "up to degree 6"
    assert own[15] < 1e-6 and f"{held_out[15]:.2f}" == "4.30"
    assert "4.30 seconds on the others" in WORDS["polynomial-read"] and "off by 4.30 seconds" in WORDS["close"]
    assert (
        f"with 60 of them, the held-out error of degree 15 is {errors(points=60)[1][15]:.2f}"
        in WORDS["polynomial-read"]
    )
    assert f"without noise it is {errors(noise=0.0)[1][15]:.2f}." in WORDS["polynomial-read"]


def test_degree_5_is_closer_to_its_own_drops_and_further_off_between():
    parabola, five = (regression.fit_polynomial(*tower.drops("measured"), degree) for degree in (2, 5))
    assert tower.rmse(five, "measured") < tower.rmse(parabola, "measured")
    assert tower.rmse(five, "between") > tower.rmse(parabola, "between")


def test_models_agree_between_the_floors_and_part_beyond(names):
    models = names["models"]
    near, far = ({name: tower.rmse(model, part) for name, model in models.items()} for part in ("between", "beyond"))
    assert max(near, key=near.get) == "law without air" and near["law without air"] > 0.5
    good = [near[name] for name in ("parabola", "degree 9", "network", "law with air")]
    assert max(good) < 0.1
    truth = tower.rmse(lambda floor: tower.fall_time(floor, tower.TERMINAL_SPEED), "between")
    assert truth > 0.8 * max(near[name] for name in ("parabola", "degree 9", "network", "law with air")), (
        "the stopwatch"
    )
    assert far["degree 9"] > 120, "more than two minutes"
    assert models["degree 9"](np.array([40.0]))[0] < -100, "below zero"
    assert far["law with air"] < 0.1 < 0.15 < far["line"] < far["parabola"] < 0.4 and near["line"] > near["parabola"]
    assert 0.4 < far["network"] < 1 and len({*map(round, models["network"](np.array([50.0, 70.0, 100.0])))}) == 1, (
        "flat"
    )
    assert models["parabola"](100) < models["parabola"](60)
    assert near["law with air"] > near["parabola"] - 0.005, "the drops between do not tell which one to trust"


def test_both_digit_rules_are_chosen_on_the_same_digits(names):
    images, labels = threes_and_eights("train")
    assert (len(labels), len(threes_and_eights("test")[1])) == (268, 89)
    rights = [((ink_in(images, (3, 5), (0, 2)) > ink) == (labels == 8)).sum() for ink in (1, 0.95)]
    assert rights[1] == max(names["right"]) > rights[0]
    count, new = names["count_right"], (names["new_images"], names["new_labels"])
    assert count((3, 5), (0, 2), 0.95, *new) - count((3, 5), (0, 2), 1, *new) == 1
    assert len(names["weights"]) == 48 and (names["answers"] == names["new_labels"]).all()
    best = np.argsort(names["by_pixel"].ravel())[-2:]
    assert {(int(at) // 8, int(at) % 8) for at in best} == {(5, 2), (5, 3)}, "left, in the lower half"
    assert isinstance(names["shown"]["learned-code"], Static)
