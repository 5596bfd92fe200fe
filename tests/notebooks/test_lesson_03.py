"""What lesson 03 says of its walks, nudges, batches and stuck runs is what its own cells compute."""

import re

import numpy as np
import pytest

from course_utils.explorers.base import Explorer
from course_utils.explorers.descent import DescentExplorer, OptimiserRace
from course_utils.optimisers import descend, momentum
from course_utils.practice.exercises import exercise
from course_utils.practice.lesson_03 import times_lower, tower
from course_utils.practice.questions import predict, quiz
from course_utils.surfaces import SURFACES
from tests.notebooks.pages import Page

PAGE = Page("03")
CELLS, WORDS, alt, says = PAGE.cells, PAGE.words, PAGE.alt, PAGE.says


def test_every_picture_runs_again_from_its_copied_line_also_after_moving(names):
    explorers = {cell: got for cell, got in names["shown"].items() if isinstance(got, Explorer)}
    assert list(explorers) == ["opening-2", "rate-6", "race-6"]
    for explorer in explorers.values():
        explorer.enable()
        for moved in ({}, {"learning_rate": 0.0034, "up": 0.501}):
            explorer.set(**moved)
            copied = eval(explorer.as_python(), names)
            assert copied.png == explorer.png and copied.says == explorer.says
        explorer.reset()


def test_the_recorded_captions_are_the_live_ones(names):
    for cell in ("opening-2", "rate-6", "race-6"):
        [output] = CELLS[cell].outputs
        assert output.metadata["image/png"]["alt"] == names["shown"][cell].says


def test_the_first_picture_does_at_each_rate_what_the_first_screen_says():
    explorer = DescentExplorer(surface="four valleys")
    assert "momentum" not in explorer.says and explorer.inputs["momentum"].layout.display == "none"
    assert len(explorer.tour) == 8 and "shows eight walks" in WORDS["opening-3"]
    explorer.set(learning_rate=0.03)
    late = explorer.result.path.losses[-20:]
    assert explorer.result.path.diverged is None and np.ptp(late) > 1, "it never comes to rest"
    explorer.set(learning_rate=0.1)
    assert re.search(r"diverged at step \d", explorer.says)


def test_the_tour_stops_at_the_saddle_that_the_page_promises():
    explorer = DescentExplorer()
    explorer.visit(5)
    assert "Stop 6 of the **Tour**" in WORDS["many-7"] and explorer.values["up"] == 0.501
    falls = -np.diff(explorer.result.path.losses)
    slowest = int(np.argmin(falls[:30]))
    assert falls[0] > 0.5 and falls[slowest] < 0.01 < 0.1 < falls[slowest:].max(), "falls, nearly stops, falls again"


def test_the_nudges_help_as_the_page_says(names):
    after, gradient, tenth = names["loss_after"], names["gradient"], names["tenth"]
    sizes = gradient.abs().sort(descending=True).values
    assert len(gradient) == 2410 and sizes[0] > 20 * sizes[1205] and "more than 20 times" in WORDS["nudges-3"]
    none = after(0 * gradient)
    assert after(-gradient) < none - 0.2 and after(gradient) > none + 0.2
    assert after(names["by_chance"]) > none
    assert int(tenth.sum()) == 241 and none - after(-gradient * tenth) > none - after(-gradient * (1 - tenth)) > 0


def test_the_three_rates_crawl_work_and_diverge(names):
    landscape, three = names["landscape"], list(names["three"].values())
    assert [path.diverged for path in three] == [None, None, 34] and "At step 34" in WORDS["rate-9"]
    assert three[2].losses[33] <= 10 * landscape.highest < three[2].losses[34]
    floor_of_valley = three[1].losses[1]
    assert three[0].losses[-1] > 10 * floor_of_valley and three[1].losses[0] > 20 * floor_of_valley
    edge = 2 * landscape.learning_rate
    assert "half of the edge works" in WORDS["rate-9"] and 0.0017 == pytest.approx(edge / 2, rel=0.03)
    assert descend(landscape, learning_rate=0.999 * edge, steps=200).first_rise is None
    assert descend(landscape, learning_rate=1.001 * edge, steps=200).first_rise == 1


def test_the_prediction_is_right_about_both_jumps():
    question = predict("03.a").question
    told = " ".join(option.explanation for option in question.options)
    near, far = (descend(tower(), learning_rate=rate, steps=2).losses for rate in (0.0033, 0.0034))
    assert "nearly as high as it began" in told and 0.95 < near[1] / near[0] < 1
    assert "At 0.0034 each jump lands higher" in told and far[0] < far[1] < far[2]


def test_the_ravine_takes_thousands_of_steps_and_the_bowl_one(names):
    rises = [descend(names["landscape"], learning_rate=0.0017, steps=steps).losses for steps in (1, 500, 5000)]
    above = [losses[-1] - names["best"] for losses in rises]
    start = rises[0][0] - names["best"]
    assert above[0] < start / 20 and above[1] > 1 and above[2] < 0.001
    bowl, same_line = names["bowl"], names["same_line"]
    assert bowl.loss(*same_line) - names["best"] == pytest.approx(start), "both walks begin with one line"
    assert descend(bowl, same_line, learning_rate=0.5, steps=1).losses[-1] - names["best"] < 1e-9
    assert descend(bowl, same_line, learning_rate=0.99, steps=50).first_rise is None, "its edge is 1"
    assert descend(bowl, same_line, learning_rate=1.01, steps=50).first_rise == 1


def test_the_noise_halves_with_four_times_the_batch(names):
    noise = [np.sqrt(((cloud - names["true"]) ** 2).sum(axis=1).mean()) for cloud in names["clouds"].values()]
    assert list(names["clouds"]) == [1, 4, 16]
    assert noise[0] / noise[1] == pytest.approx(2, rel=0.1) and noise[1] / noise[2] == pytest.approx(2, rel=0.1)


def test_walks_on_small_batches_jitter_and_calm_down_as_said():
    found = re.findall(r"on average ([\d.]+) above", CELLS["batch-11"].outputs[0].text)
    twenty_five, five, one, slow = map(float, found)
    assert 0 < twenty_five < five < one and slow < one / 2


def test_the_race_has_another_winner_on_another_surface(names):
    first = {}
    for name in names["race"].surfaces:
        race = OptimiserRace(names["landscape"], surface=name, steps=200)
        known = {walk: step for walk, step in race.result.arrivals.items() if step is not None}
        first[name] = min(known, key=known.get)
        if name == "line through points":
            assert "gradient descent" not in known and known["momentum"] == 63
            assert "momentum arrives at step 63" in WORDS["race-9"]
    assert len({*first.values()}) >= 3 and first["bowl"] == "gradient descent"
    crawling = OptimiserRace(surface="bowl", rates="one for all", learning_rate=0.001, steps=200)
    assert crawling.result.arrivals["Adam"] is None
    assert "Adam with a rate of 0.001 has not" in quiz("03.b").question.options[2].explanation


def test_the_stuck_runs_are_as_the_page_reads_them(names):
    stuck = {
        case: [int((losses > losses.min() + 0.1).sum()) for losses in runs.values()]
        for case, runs in names["cases"].items()
    }
    assert [len(losses) for runs in names["cases"].values() for losses in runs.values()] == [50] * 12
    assert all(counts[2] == 0 for counts in stuck.values()), "of two hundred"
    odd = stuck.pop("tanh neurons, wave")
    assert odd == [3, 21, 0] and all(counts == sorted(counts, reverse=True) for counts in stuck.values())
    small, middle, _ = names["cases"]["tanh neurons, wave"].values()
    assert f"{small.min():.2f}" == "0.88" and ((small < small.min() + 0.01).sum()) == 47
    assert f"{middle.min():.2f}" == "0.07"
    assert abs((names["live"] > names["live"].min() + 0.1).sum() - stuck["sine neurons, wave"][0]) <= 3


def test_the_challenge_can_be_beaten_and_not_without_momentum():
    task = exercise("03.5")
    assert "rate 0.0017 scores 29" in task.task and round(times_lower(0.0017, 0)) == 29
    plain = [times_lower(rate, 0) for rate in np.linspace(0.0005, 0.0034, 59)]
    assert 29 < max(plain) < 35 < task.mark < times_lower(0.004, 0.9) < times_lower(0.0035, 0.95)
    assert descend(tower(), optimiser=momentum, learning_rate=0.004, steps=50).diverged is None


def test_the_paper_exercise_gives_the_right_places():
    places = [1 - rate * 6 for rate in (0.1, 0.3, 0.5)]
    assert np.allclose(places, [0.4, -0.8, -2]) and "to 0.4, to -0.8 and to -2" in exercise("03.3").explanation


def test_one_name_for_each_thing():
    text = " ".join(WORDS.values())
    plain = re.sub(r"\[([^\]]+)\]\(\.\./docs/glossary[^)]*\)", r"\1", text)
    assert not re.search(r"explod|hollow|walker|knob's slope|slope at", text, re.IGNORECASE)
    assert re.findall(r"slope\b.{26}", plain) == ["slope `w` and the intercept `b`"], "a loss has a gradient"
    assert "SGD" not in text[: text.index("stochastic gradient descent")]
    assert "SGD" not in "".join(SURFACES) and all("SGD" not in stop[0].values() for stop in DescentExplorer.tour)
