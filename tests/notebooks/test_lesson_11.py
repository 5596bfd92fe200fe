"""What lesson 11 says of pretraining is what its cells compute and its records hold."""

import math
import re
from statistics import mean

import pytest

from course_utils import data
from course_utils.data.splits import plays_text
from course_utils.data.tales import headings, lexicon, tiny_tales_text
from course_utils.experiments.language_models import recorded_scores
from course_utils.experiments.pretraining import snapshots
from course_utils.experiments.snapshots import Snapshots
from course_utils.practice import exercise, lesson_11
from tests.notebooks.pages import Page

PAGE = Page("11")
CELLS, WORDS, printed, alt, says = PAGE.cells, PAGE.words, PAGE.printed, PAGE.alt, PAGE.says


def rows(name, **wanted):
    """The recorded rows in which these columns have these values."""
    return [row for row in data.recorded(name).rows if all(row[key] == value for key, value in wanted.items())]


@pytest.mark.slow
def test_the_kept_model_learns_as_the_words_say():
    run = Snapshots(snapshots())
    assert [moment.step for moment in run.moments] == [0, 30, 100, 400, 6000]
    bits = [moment.validation_bits for moment in run.moments]
    assert bits == sorted(bits, reverse=True) and abs(bits[0] - math.log2(80)) < 0.3
    made = run.moments[-1].made
    assert f"{made['test_bits']:.2f}" == "2.13" and round(made["processor_seconds"] / 60) == 12
    scores = {score.name: score.bits for score in recorded_scores()}
    assert made["test_bits"] < min(scores.values()), "the words say that it is below the best of notebook 08"
    says("score-recorded-said", "7.7 million", "2.13 bits", "2.18", "2.14", "566,352 against 828,544", "has 2.21")
    assert sum(weights.numel() for weights in run.moments[-1].model.parameters()) == 828_544
    assert f"{bits[-1]:.2f}" == "2.21"
    [lstm] = rows("language_models", setting="width 256, 6000 steps")
    assert lstm["parameters"] == 566_352 and round(lstm["processor_seconds"] / 60) == 10
    assert 6000 * 10 * 128 == 7_680_000 and 2 < 7_680_000 / len(plays_text("train")) < 2.3
    shares = [run.alike(moment) for moment in run.moments]
    assert shares.index(max(shares)) == 2 and sorted(shares)[-2] < max(shares) - 0.02  # exercise 11.3
    vowels, consonants, capitals = (
        list(run.kinds.values()).count(kind) for kind in ("vowels", "consonants", "capitals")
    )
    letters = vowels + consonants + capitals
    chance = sum(n * (n - 1) for n in (vowels, consonants, capitals)) / (letters * (letters - 1))
    assert f"{chance:.0%}" == "41%" and "41 %" in WORDS["reading-the-picture"]


@pytest.mark.slow
def test_the_start_of_its_writing_is_that_of_random_weights():
    from course_utils.explorers.pretraining import TimeMachine

    first = TimeMachine(Snapshots(snapshots()), moment=0).result.text
    assert "".join(first.split())[:8] in WORDS["opening"] or len(set(first)) > 40


def test_the_stored_run_is_what_the_words_say():
    own = float(re.search(r"your transformer: ([\d.]+)", printed("score-own"))[1])
    scores = {score.name: score.bits for score in recorded_scores()}
    assert scores["table, 5 letters"] < 2.2 < own < 3.0
    assert float(re.search(r"costs ([\d.]+) bits", printed("untrained"))[1]) == pytest.approx(6.32, abs=0.1)
    losses = [float(bits) for bits in re.findall(r": ([\d.]+) bits", printed("loop-plain"))]
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0] - 2
    lengths = [int(length) for length in re.findall(r"(\d+) ['\"]", printed("longest-copy"))]
    assert len(lengths) == 6 and max(lengths) < 30 and max(lengths[:3]) < max(lengths[3:]) + 10


def test_the_places_are_those_of_the_record():
    last = rows("tiny_tales_places", step=800)
    needs, things = ([row for row in last if row["kind"] == kind] for kind in ("need", "thing"))
    assert len(needs) == len(things) == 12 and len(lexicon.PLACES) == 32
    assert f"{mean(row[row['place']] for row in needs):.0%}" == "93%"
    assert f"{mean(row[row['place']] for row in things):.0%}" == "7%"
    assert f"{last[0][last[0]['place']]:.0%}" == "99%" and max(row["apple"] for row in last) <= 1e-4
    early = rows("tiny_tales_places", prompt=0, step=400)[0]
    assert f"{max(early[place] for place in lexicon.PLACES):.0%}" == f"{early['farm']:.0%}" == "26%"
    kept = [[place for place in lexicon.PLACES if row[place] > 0.01] for row in things]
    assert (min(map(len, kept)), max(map(len, kept))) == (13, 18)
    assert all(row["place"] in places for row, places in zip(things, kept, strict=True))
    says("places-said", "to 99 %", "93 % on average", "7 % on average", "13 to 18 of the 32 places", "26 %")
    tales = tiny_tales_text("train", 300)
    for story in headings(24):
        assert story.prompt not in tales


def test_the_ablation_says_what_the_words_say():
    losses = {}
    for row in data.recorded("pretraining_ablation").rows:
        losses.setdefault(row["change"], []).append(row["held_out_loss"] / math.log(2))
    means = {change: mean(found) for change, found in losses.items()}
    own = means["as it is"]
    assert all(len(found) == 3 for found in losses.values())
    assert max(means, key=means.get) == "AdamW at 0.003 for all"
    assert f"{means['without earlier tokens'] - own:.2f}" == "0.48" and "0.48 bits" in WORDS["ablation-said"]
    for change in ("GELU", "learned positions", "two earlier tokens"):
        assert 0.03 <= round(means[change] - own, 2) <= 0.04
    for change in ("shortcut", "normalised queries and keys"):
        assert 0.02 <= round(own - means[change], 2) <= 0.03
    named = {"as it is", "AdamW at 0.003 for all", "without earlier tokens", "GELU", "learned positions",
             "two earlier tokens", "shortcut", "normalised queries and keys"}  # fmt: skip
    others = means.keys() - named - {"float32"}
    assert len(others) == 7 and all(abs(means[change] - own) < 0.006 for change in others)
    seconds = {change: mean(row["processor_seconds"] for row in rows("pretraining_ablation", change=change))
               for change in ("as it is", "float32")}  # fmt: skip
    assert 1.4 < seconds["float32"] / seconds["as it is"] < 1.7


def test_operations_and_years_are_those_of_the_words():
    assert (
        f"{6 * 174.6e9 * 300e9:.2e}" == "3.14e+23"
        and f"{6 * 175e9 * 300e9:.2e}" == "3.15e+23"
        and "3.15e+23" in printed("gpt-3")
    )
    assert round(3.15e23 / 989e12 / (24 * 3600) / 1000) == 4 and "four days" in WORDS["gpt-3-said"]
    assert round(3.15e23 / 989e12 / (365 * 24 * 3600)) == 10 and "10 years" in printed("gpt-3")
    slow, fast = (float(re.search(rf"{way}: +([\d.]+) ms", printed("three-ways"))[1]) for way in ("loop", "command"))
    assert slow > 1000 * fast
    assert "the same ten losses: True" in printed("resume") and printed("halves").endswith("True\n")


@pytest.mark.slow
def test_the_challenge_holds():
    task = exercise("11.5")
    assert lesson_11.theatre_bits(2, 64, 0.01, 100) == pytest.approx(2.67, abs=0.05) and "2.67" in task.task
    assert lesson_11.theatre_bits(1, 192, 0.003, 100) > task.mark + 0.05
