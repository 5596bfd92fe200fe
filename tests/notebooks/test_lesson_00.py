"""What lesson 00 says of the model it loads, and what it promises to someone whose installation is broken."""

import re
import subprocess
import sys

import pytest

from course_utils import assets, sampling
from course_utils.commands import notebooks
from course_utils.practice import lesson_00

PAGE = assets.project_folder() / "notebooks" / "00_start_here.ipynb"


def cells(kind):
    """Sources of the page's cells, by their ids; a line break is a space."""
    return {cell.id: cell.source for cell in notebooks.read(PAGE).cells if cell.cell_type == kind}


@pytest.fixture(scope="module")
def words():
    """The page's text, a line break being a space."""
    return " ".join("\n".join(cells("markdown").values()).split())


@pytest.fixture(scope="module")
def names():
    """The names that the page's boxes leave behind, without those that write at length or ask."""
    found = {}
    for cell_id in ("load-the-model", "temperature", "locked-picture"):
        exec(compile(cells("code")[cell_id], cell_id, "exec"), found)
    return found


def drawn(picture, temperature, times=3):
    """How many of some times twenty draws were the likeliest token, and how many were tokens without a row."""
    picture.reset()
    picture.set(temperature=temperature)
    counts = []
    for _ in range(times):
        picture.press("draw_twenty")
        counts.append(picture.result.counts)
    picture.reset()
    return sum(int(each[0]) for each in counts), sum(int(each[-1]) for each in counts)


def test_the_last_box_says_what_is_missing_where_no_box_before_it_ran():
    [cell] = [cell for cell in notebooks.read(PAGE).cells if cell.id == "check"]
    *lines, last = cell.source.splitlines()
    source = "\n".join(["import sys", "sys.modules['torch'] = None  # import torch fails", *lines, f"print({last})"])
    ran = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("torch: version ") and "run make lab again" in ran.stdout


def test_each_name_on_the_page_is_given_to_one_thing():
    given = [
        re.findall(r"^(?:\s*for )?(\w+)(?:, \w+)? (?:=|in) ", source, re.MULTILINE)
        for cell_id, source in cells("code").items()
    ]
    flat = [name for each in given for name in each]
    assert len(flat) == len(set(flat)) >= 8, sorted(flat)


def test_the_page_speaks_of_no_box_that_is_folded(words):
    assert "fold" not in words


def test_the_page_counts_what_the_model_has(words, names):
    numbers = sum(weight.numel() for weight in names["model"].parameters())
    assert f"{numbers:,}" in words and round(numbers / 1e6) == 135
    assert round(175e9 / numbers, -1) == 1300 and "1,300 times as many" in words
    result = names["first_picture"].result
    assert f"{result.vocabulary:,} that the model knows" in words
    rows = len(result.tokens) - 1
    assert f"there are {result.vocabulary - rows:,} of them" in lesson_00.PREDICTIONS[0].answer.explanation
    assert len("The capital of France is".split()) == 5 and "five words of ours" in words
    assert rows == 12 and "twelve likeliest pieces" in words


def test_entropy_is_0_where_one_token_has_everything(names):
    picture = names["first_picture"]
    picture.set(temperature=0)
    assert picture.result.entropy == 0 and picture.result.after[0] == 1
    picture.reset()


@pytest.mark.slow
def test_heat_does_to_the_second_picture_what_prediction_and_exercises_say(names):
    picture = names["second_picture"]
    bars, entropies = [], []
    for temperature in (0.2, 1, 2):
        picture.set(temperature=temperature)
        bars.append(float(picture.result.after[0]))
        entropies.append(picture.result.entropy)
    assert bars == sorted(bars, reverse=True) and entropies == sorted(entropies)
    assert drawn(picture, 3)[1] >= 55, "at temperature 3, nearly every draw is a token without a row"
    assert drawn(picture, 1)[1] <= 20
    assert drawn(picture, 0) == (60, 0), "at temperature 0, every draw is the same token"
    picture.set(temperature=3, top_k=5)
    assert picture.result.left == 5
    picture.reset()


@pytest.mark.slow
def test_the_game_can_be_won(names, words):
    assert "beat 95 %" in words
    picture = names["first_picture"]
    picture.set(prompt="1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,")
    assert picture.result.before[0] > 0.96
    picture.reset()


@pytest.mark.slow
def test_the_seed_repeats_the_stories_and_another_changes_two(names):
    def stories(seed):
        return [
            sampling.generate(
                names["model"], names["tokenizer"], beginning, temperature=each, max_new_tokens=8, seed=seed
            )
            for each in (0, 0.8, 2.5)
        ]

    beginning = "Once upon a time, there was a small fox who"
    assert beginning in cells("code")["three-temperatures"]
    first, again, other = stories(3), stories(3), stories(4)
    assert first == again
    assert [one == two for one, two in zip(first, other, strict=True)] == [True, False, False]
