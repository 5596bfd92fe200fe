"""What lesson 07 says of words, scores, sums and sentences is what its own cells compute."""

import re

import numpy as np
import pytest
import torch

from course_utils.data.splits import addresses
from course_utils.experiments import sentences, word_vectors
from course_utils.experiments.word_vectors import WordSpace
from course_utils.explorers.base import Explorer
from course_utils.explorers.embeddings import AnalogyExplorer
from course_utils.models.embeddings import PASSAGE
from course_utils.practice.exercises import exercise
from course_utils.practice.lesson_07 import CAT, answer_of, nearness_to_the_cat
from course_utils.practice.questions import quiz
from course_utils.retrieval import sentence_vectors
from tests.notebooks.pages import Page

PAGE = Page("07")
CELLS, WORDS, printed, alt, says = PAGE.cells, PAGE.words, PAGE.printed, PAGE.alt, PAGE.says
QUICK = 200  # steps of training here instead of 3,000, so that the page runs again in seconds


@pytest.fixture(scope="module")
def names(own_progress):
    """The names that the lesson's cells leave behind, after few steps of training."""
    return PAGE.run(change={"guess_words(steps=3000)": f"guess_words(steps={QUICK})"})


def test_every_picture_runs_again_from_its_copied_line_also_after_moving(names):
    explorers = {cell: got for cell, got in names["shown"].items() if isinstance(got, Explorer)}
    assert list(explorers) == ["opening-2", "game-6", "sums-2"]
    moves = {
        "opening-2": {"word": "gold", "show": "its neighbours"},
        "game-6": {"step": QUICK},
        "sums-2": {"own": True},
    }
    for cell, explorer in explorers.items():
        for moved in ({}, moves[cell]):
            explorer.set(**moved)
            copied = eval(explorer.as_python(), names)
            assert copied.png == explorer.png and copied.says == explorer.says
        explorer.reset()


def test_the_recorded_captions_are_the_live_ones(names):
    for cell in ("opening-2", "sums-2"):
        [output] = CELLS[cell].outputs
        assert output.metadata["image/png"]["alt"] == names["shown"][cell].says


def test_no_cell_of_a_learner_holds_a_guard_of_ours():
    assert not any("assert" in cell.source for cell in CELLS.values() if cell.cell_type == "code")


def test_the_speeches_and_lists_are_those_of_the_first_screen(names):
    years = [address.year for address in addresses("train")]
    assert (len(years), years[0], years[-1]) == (198, 1791, 2026) and "198 yearly speeches" in WORDS["opening-1"]
    groups = [members for members in word_vectors.groups().values() for _ in members]
    by_chance = np.mean([(len(members) - 1) / 7434 for members in groups])
    assert len(groups) == 124 and len(word_vectors.groups()) == 12 and 0.0005 < by_chance < 0.0015
    opening = names["shown"]["opening-2"]
    assert len(opening.tour) == 6 and "shows six views" in WORDS["opening-3"]
    for word in ("gold", "judge", "cotton"):
        opening.set(word=word)
        assert opening.problem == ""
    opening.reset()


def test_the_dot_product_misleads_and_the_cosine_does_not(names):
    vector, length = names["vector"], names["length"]
    assert vector("river") @ vector("lake") > vector("lake") @ vector("lake") and length("river") > length("lake")
    units, rows = names["counted"].units(), [names["counted"].row(word) for word in ("river", "lake", "tax")]
    cosines = units[rows] @ units[rows].T
    assert cosines[0, 1] > 0.7 and abs(cosines[0, 2]) < 0.1


def test_softmax_squares_the_ratio(names):
    ratios = {name: float(names["softmax"](z)[0] / names["softmax"](z)[8]) for name, z in names["changed"].items()}
    assert ratios["the scores"] == pytest.approx(10, rel=0.01) and ratios["all doubled"] == pytest.approx(100, rel=0.01)
    assert ratios["5 added to all"] == pytest.approx(ratios["the scores"], rel=1e-4)
    assert "blim is  99.5 times" in printed("softmax-4")


def test_one_pair_by_hand_is_softmax_with_a_zero_and_learns(names):
    pairs = names["pairs"].detach()
    both = torch.stack([pairs, torch.zeros(2)]).softmax(0)[0]
    chances = [int(found) for found in re.findall(r"(\d+)%", printed("game-2"))]
    assert chances[-2:] == [round(100 * float(chance)) for chance in both]
    assert chances[::2] == sorted(chances[::2]) and chances[1::2] == sorted(chances[1::2], reverse=True)


def test_a_step_has_as_many_pairs_as_the_page_says():
    place = torch.arange(PASSAGE)
    near = ((place[:, None] - place).abs() <= 8).sum() - PASSAGE
    assert 64 * int(near) == pytest.approx(28_000, rel=0.01) and "about 28,000 pairs" in WORDS["game-3"]


def test_the_training_went_as_the_page_reads_it(names):
    steps = re.findall(r"step +(\d+): group score +([\d.]+)%", printed("game-4"))
    scores = {int(step): float(score) for step, score in steps}
    assert scores[0] < 1 and scores[100] < scores[300] < scores[3000] and scores[3000] > 40
    first, last = map(float, re.findall(r"loss ([\d.]+) in the first ten steps, ([\d.]+)", printed("game-4"))[0])
    assert 0.8 * first < last < first
    trained = names["trained"]
    months, family = ([trained.row(word) for word in word_vectors.groups()[group]] for group in ("months", "family"))

    def apart(step):
        units = trained.units(step)
        within = (units[months] @ units[months].T).mean() + (units[family] @ units[family].T).mean()
        return within / 2 - (units[months] @ units[family].T).mean()

    assert apart(QUICK) > 2 * apart(0)


def test_counts_and_chance_are_those_of_the_table():
    rows = re.findall(r"(\w+) +and (\w+) *: +(\d+) times, +([\d.]+) times", printed("count-1"))
    found = {(one, other): (int(count), float(times)) for one, other, count, times in rows}
    assert found["river", "the"][0] == 300 and found["river", "mouth"][0] == 17
    assert found["river", "the"][1] < 2 < 100 < found["river", "mouth"][1]


METHODS = ("PPMI + SVD", "skip-gram")


def key(run):
    return run["method"], run["window"]


def test_words_that_never_meet_are_alike_by_their_company(names):
    text = printed("company-1")
    for company, river, lake in (("ohio", 10, 5), ("illinois", 9, 3), ("michigan", 3, 3)):
        assert re.search(rf"{company} *: +{river} times near river, {lake} times near lake", text)
    assert "river and lake: near each other 10 times" in text
    assert "january and november: near each other 0 times, cosine 0.70" in text
    assert re.search(r"gold and silver: .* cosine 0.92", text)
    says("company-2", "10 times", "0.70")


def test_the_kinds_of_question_are_counted(names):
    kinds = word_vectors.analogy_kinds(names["counted"].words, names["counted"].vectors)
    assert sum(asked for asked, *_ in kinds.values()) == 372
    for kind, (asked, summed, alone) in kinds.items():
        assert re.search(rf"{kind} *: the sum finds +{summed} of {asked}, the neighbour +{alone}\n", printed("sums-8"))
    assert kinds["plural"][1] < kinds["plural"][2] + 3 and kinds["past"][2] == 0
    assert "with the question's own words allowed: 19%" in printed("table-1") and "19 % are right" in WORDS["table-2"]


def test_a_power_of_89_is_too_large_and_softmax_of_smaller_scores_is_the_same(names):
    assert torch.isinf(torch.exp(torch.tensor(89.0))) and torch.isfinite(torch.exp(torch.tensor(88.0)))
    large = torch.tensor([100.0, 99.0])
    torch.testing.assert_close(names["softmax"](large - large.max()), large.softmax(0))


def test_counting_is_better_and_faster_in_the_recorded_runs(names):
    runs = names["runs"].rows
    counting, guessing = ([run for run in runs if key(run) == (name, 8)] for name in METHODS)
    for window in (2, 8):  # "at every window"
        group = {name: [run["group_score"] for run in runs if key(run) == (name, window)] for name in METHODS}
        assert min(group[METHODS[0]]) > max(group[METHODS[1]])
    slow, fast = ([run["processor_seconds"] for run in some] for some in (guessing, counting))
    assert 8 < np.median(slow) / np.median(fast) < 14 and "about ten times as fast" in WORDS["count-4"]
    wide = [
        round(100 * np.mean([run["group_score"] for run in runs if key(run) == (METHODS[0], n)])) for n in (2, 4, 8)
    ]
    assert max(wide) - min(wide) <= 3  # "for counting, the window hardly matters"
    gain = np.mean([run["analogy_score"] - run["analogy_neighbour"] for run in guessing])
    assert gain < 0.01 and "no better than the neighbour" in WORDS["sums-9"]
    shares = [[round(100 * run[f"analogy_{kind}"]) for run in counting] for kind in ("neighbour", "score")]
    assert [(min(each), max(each)) for each in shares] == [(22, 25), (28, 29)]
    says("sums-9", "22 to 25 %", "28 to 29 %")
    narrow = np.mean([run["group_score"] for run in runs if key(run) == (METHODS[1], 2)])
    assert narrow < 0.85 * np.mean([run["group_score"] for run in guessing])


def test_sums_end_where_the_page_says(names):
    sums = names["sums"]
    assert sums.result.best[0][0] == "wife" == sums.result.alone
    sums.visit(2)
    assert sums.values["own"] and sums.result.best[0][0] == "french"
    sums.visit(len(sums.tour) - 1)
    assert sums.values["formula"] == "woman - man + king" and sums.result.best[0][0] == "netherlands"
    sums.visit(None)
    assert "its own words not left out: 0.3% right" in printed("sums-8")
    counted = word_vectors.analogy_score(names["counted"].words, names["counted"].vectors)
    assert counted["score"] == pytest.approx(0.277, abs=0.01) and counted["neighbour"] == pytest.approx(0.164, abs=0.01)
    assert "from 16 to 28 %" in WORDS["sums-9"]


def test_the_words_of_a_sum_are_nearest_to_it_in_nearly_every_question(names):
    counted = names["counted"]
    units, near = counted.units(), 0
    for _, *question in word_vectors.analogies():
        a, b, c, _ = (counted.row(word) for word in question)
        near += int((units @ (units[b] - units[a] + units[c])).argmax()) in (a, b, c)
    assert near / len(word_vectors.analogies()) > 0.9
    assert "1 of the 372 questions" in quiz("07.b").question.options[0].explanation
    open_score = word_vectors.analogy_score(counted.words, counted.vectors, own=True)["score"]
    assert round(open_score * len(word_vectors.analogies()), 6) == 1


def test_the_real_table_does_what_the_page_says(names):
    table = names["table"]
    assert AnalogyExplorer(table, formula="woman - man + king").result.best[0][0] == "queen"
    assert len(names["asked"]) == 300 and "74 % of 300 questions" in WORDS["table-2"]
    score = word_vectors.analogy_score(table.words, table.vectors)
    assert score["score"] > 0.65 > 0.5 > score["neighbour"]
    model, ids = names["chat_model"], names["ids"]
    with torch.inference_mode():
        torch.testing.assert_close(names["logits"], model(ids)[0, -1], atol=1e-3, rtol=1e-4)
    paris, london = (names["tokenizer"].encode(word)[0] for word in (" Paris", " London"))
    assert float(names["logits"][paris] - names["logits"][london]) == pytest.approx(4.2, abs=0.3)
    assert names["chances"][paris] > 50 * names["chances"][london]


def test_the_sentences_are_found_and_trapped_as_the_page_says(names):
    first, partner, trap = (sentence_vectors(column).numpy() for column in names["texts"])
    assert sentences.found_again(first, partner) == 1
    assert 0.15 < sentences.not_trapped(first, partner, trap) < 0.45
    for space in (names["counted"], names["table"]):
        means = [sentences.mean_of_words(space, column) for column in names["texts"]]
        assert sentences.not_trapped(*means) == 0 and sentences.found_again(*means[:2]) < 0.75
    cat, mouse = sentence_vectors(names["pair"])
    assert float(cat @ mouse) == pytest.approx(0.986, abs=0.004)


def test_gold_and_january_keep_the_company_that_the_close_tells_of(names):
    assert dict(names["counted"].nearest("gold", 8))["silver"] == pytest.approx(0.92, abs=0.015)
    counted = names["counted"]
    assert float(counted.units()[counted.row("january")] @ counted.units()[counted.row("july")]) == pytest.approx(
        0.80, abs=0.015
    )


def test_the_picture_of_the_fourth_exercise_can_be_moved_to_its_answer(names, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    sums = names["sums"]
    assert exercise("07.4").check(sums).status == "not attempted"
    for formula in ("she - he + son", "wife - husband + son"):  # daughter is nearest to son without any sum
        sums.set(formula=formula)
        assert sums.result.best[0][0] == answer_of(formula) == "daughter" == sums.result.alone
        assert not exercise("07.4").check(sums)
    sums.set(formula="son - father + mother")
    assert sums.result.best[0][0] == "daughter" and sums.result.alone == "boy" and exercise("07.4").check(sums)
    sums.set(formula="woman - man + king")
    assert not exercise("07.4").check(sums)
    sums.reset()


def test_the_challenge_can_be_beaten_again():
    good = nearness_to_the_cat("Kitty is asleep upon a couch.")
    assert exercise("07.5").mark + 0.03 < good < 0.95 and nearness_to_the_cat(CAT) == pytest.approx(1)


def test_a_random_table_knows_nothing(names):
    assert isinstance(names["random_words"], WordSpace)
    assert word_vectors.group_score(names["random_words"].words, names["random_words"].vectors) < 0.02
    eyes = eval(names["random_words"].name, names)
    assert eyes is names["random_words"], "its copied line names it"
