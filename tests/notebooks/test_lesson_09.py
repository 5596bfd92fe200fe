"""What lesson 09 says of weights, heads, cuts and lengths is what its cells compute and its records hold."""

import html
import re

import numpy as np
import pytest
import torch

from course_utils import data
from course_utils.experiments.looking import RIVER, Reading, chance_with_cuts
from course_utils.explorers.attention import AttentionByHand
from course_utils.explorers.base import Explorer
from course_utils.practice import exercise, lesson_09
from course_utils.practice.lesson_09 import ANIMAL, FINDS_STREET, IT, LAST, WIDE
from course_utils.practice.questions import lesson_questions
from tests.notebooks.pages import Page

PAGE = Page("09")
CELLS, WORDS, printed, alt, says = PAGE.cells, PAGE.words, PAGE.printed, PAGE.alt, PAGE.says


@pytest.fixture(scope="module")
def reading(names):
    return Reading(names["model"], names["tokenizer"], RIVER)


@pytest.mark.slow
def test_every_picture_runs_again_from_its_copied_line_also_after_moving(names):
    explorers = {cell: got for cell, got in names["shown"].items() if isinstance(got, Explorer)}
    assert list(explorers) == ["first-picture", "by-hand-picture", "it-picture"]
    moves = {
        "first-picture": {
            "text": "<b>日本語</b> bank",
            "cut": "this cell",
            "layer": 3,
            "head": 4,
            "row": 3,
            "column": 1,
        },
        "by-hand-picture": {"words": "a b", "queries": "1; 2", "keys": "3; 4", "value_lists": "0; 1", "divide": False},
        "it-picture": {"cut": "this layer", "layer": 2},
    }
    for cell, explorer in explorers.items():
        explorer.enable()
        for moved in ({}, moves[cell]):
            explorer.set(**moved)
            copied = eval(explorer.as_python(), names)
            assert copied.body.value == explorer.body.value and copied.says == explorer.says
        explorer.reset()


@pytest.mark.slow
def test_the_recorded_captions_are_the_live_ones_and_the_first_has_no_stranger(names):
    for cell in ("first-picture", "it-picture"):
        assert alt(cell) == names["shown"][cell].says
    [output] = CELLS["by-hand-picture"].outputs
    assert names["shown"]["by-hand-picture"].says in html.unescape(output["data"]["text/html"])
    assert not re.search(r"attention|query|key|logit|softmax", alt("first-picture"), re.IGNORECASE)
    assert "“bank” takes 96 % from “river”" in alt("first-picture")
    says("reading-the-picture", "96 of 100 go to *river*")
    assert "**head**" in WORDS["opening"] and WORDS["opening"].index("**head**") < WORDS["opening"].index("Run the box")


def test_no_cell_of_a_learner_holds_a_guard_of_ours():
    assert not any("assert" in cell.source for cell in CELLS.values() if cell.cell_type == "code")


def test_the_paper_the_picture_and_the_prediction_agree():
    now = AttentionByHand().result
    assert "[4.9349, 0.2130]" in printed("checklist-result") and now.results[2] == pytest.approx(
        [4.9349, 0.2130], abs=1e-4
    )
    assert [f"{weight:.2f}" for weight in now.weights[2]] == ["0.11", "0.79", "0.11"]
    assert "0.79" in printed("checklist-weights") and "0.11   0.79   0.11" in printed("masked-table")
    doubled = AttentionByHand(queries="0 0 0 0; 0 1 0 0; 2 2 0 0").result
    assert f"{doubled.weights[2, 1]:.2f}" == "0.96" and round(float(doubled.powers[2, 1]), 1) == 54.6
    assert round(float(now.powers[2, 1]), 2) == 7.39
    says("by-hand-said", "96 %", "7.39 to 1", "54.6 to 1", "(4.93, 0.21) to (0.21, 4.93)")
    loan = AttentionByHand(keys="0 0 0 1; 0 4 1 0; 0 0 1 0", value_lists="0 0; 0 6; 2 2").result
    assert loan.results[2] == pytest.approx([0.2130, 4.9349], abs=1e-4)
    says("by-hand-words", "`0 4 1 0`", "`0 6`")


def test_the_spread_and_the_largest_weight_are_those_of_the_words():
    rows = re.findall(
        r"(\d+) numbers: spread +([\d.]+) +largest weight ([\d.]+), divided ([\d.]+)", printed("why-divide-numbers")
    )
    assert [row[0] for row in rows] == ["4", "64", "1024"]
    for width, spread, _, divided in rows:
        assert float(spread) == pytest.approx(int(width) ** 0.5, abs=0.2) and 0.28 < float(divided) < 0.35
    assert [row[2] for row in rows[1:]] == ["0.86", "0.97"]
    says("why-divide-said", "2, 8, 32", "0.86 of the weight at 64 numbers, and 0.97 at 1,024", "about 0.3")


def test_the_mask_keeps_its_promise():
    lines = printed("mask-promise").splitlines()
    assert len(lines) == 6 and all(line.endswith("the same") for line in lines[:-1]) and lines[-1].endswith("changed")


@pytest.mark.slow
def test_the_trained_head_looks_where_the_answer_is(names):
    run = names["learned"]
    assert run.accuracy > 0.99 and run.weight > 0.9
    says(
        "train-one-head-said",
        "right in more than 99",
        "more than 0.9 of its weight",
        "about 30 of 100",
        "at least 99.9 % and 0.92",
    )
    recorded = [row for row in data.recorded("attention_recall").rows if row["tokens_a_pair"] == 1]
    assert len(recorded) == 5 and min(row["accuracy"] for row in recorded) >= 0.999
    assert min(row["weight"] for row in recorded) > 0.92
    found = re.findall(
        r"(untrained|trained): ([\d.]+) on the right token on average, the largest weight there in (\d)",
        alt("one-head-picture"),
    )
    (_, before, _), (_, after, best) = found
    assert float(before) < 0.2 and float(after) > 0.85 and best == "8"
    assert "rows and columns of the three learned tables, one below the other: 96 32" in printed("train-one-head")
    says("train-one-head-said", "3 × 32 rows and 32 columns")


@pytest.mark.slow
def test_one_head_looks_at_words_that_go_with_a_bank(names):
    rows = re.findall(r"(\w+) +([\d.]+) +([\d.]+)$", printed("head-test"), re.MULTILINE)
    bank, chair = ({word: float(row[at]) for word, *row in rows} for at in (0, 1))
    assert list(bank) == list(names["named"])
    for table, last in ((bank, "bank"), (chair, "chair")):
        texts = [RIVER.replace("river", word).replace("bank", last) for word in table]
        live = names["weights_on"](names["model"], names["tokenizer"], texts, layer=9, head=2, word=1)
        assert list(table.values()) == pytest.approx(live, abs=0.02)
    assert min(bank[word] for word in ("river", "lake", "loan")) > 0.7 > 0.45 > bank["money"]
    assert max(bank[word] for word in ("house", "table", "winter", "teacher")) < bank["money"]
    assert min(bank, key=bank.get) == "teacher" and chair["river"] < 0.06
    assert sorted(chair, key=chair.get)[-2:] == ["teacher", "table"] and bank["river"] > bank["lake"] > bank["loan"]
    says("head-test-said", "*money* gets only 0.40", "least from *teacher*")


@pytest.mark.slow
def test_heads_that_look_one_back_and_the_first_token_are_as_told(names, reading):
    shares = [int(share) for share in re.findall(r"all heads: (\d+)%", printed("other-heads"))]
    assert min(shares) == 48 and max(shares) == 70
    says("other-heads-said", "between 48 % (in the play) and 70 %", "*bank* takes 96 % from *river*")
    before = re.findall(r"takes (\d+)% from the one before it, .*; mean of all rows (\d+)%", printed("other-heads"))
    last, means = ([int(pair[at]) for pair in before] for at in (0, 1))
    assert last[:3] == [64, 96, 90] and min(last) > 50 and (min(means), max(means)) == (74, 88)
    says("other-heads-said", "between 74 and 88 %", "it would be 6 % and 29 %")
    even = [int(share) for share in re.findall(r"spread evenly: (\d+)%", printed("other-heads"))]
    assert even == [17, 29, 29, 6] and even[shares.index(48)] == 6 and even[shares.index(70)] == 29
    assert reading.weights[:, :, 1:, 0].mean() == pytest.approx(0.61, abs=0.01)
    last = reading.weights[16, 0, -1]
    assert last[1] < 0.005 and last[-2] == pytest.approx(0.64, abs=0.01), "quiz 09.c"


@pytest.mark.slow
def test_bank_becomes_two_words_by_attention(names):
    alike, silent, other, chair = (names[name] for name in ("alike", "silent", "other", "chair"))
    assert float(alike.within[0]) == pytest.approx(1, abs=1e-6) == float(alike.between[0])
    assert float(alike.within[-1]) == pytest.approx(0.969, abs=0.01) and float(alike.between[-1]) == pytest.approx(
        0.815, abs=0.02
    )
    gap = (alike.within - alike.between).tolist()
    assert max(gap[:5]) < 0.005 < 0.01 < min(gap[5:]), "from about the fifth layer on"
    says("meaning-said", "0.969", "0.815", "fifth layer")
    assert float(silent.between[-1]) == pytest.approx(1, abs=1e-4)
    within, between = float(chair.within[-1]), float(chair.between[-1])
    assert (within, between) == pytest.approx((0.991, 0.966), abs=0.003)
    assert (alike.within[-1] - alike.between[-1]) / (within - between) == pytest.approx(6.1, abs=0.5)
    says("no-attention-said", "0.991 and 0.966", "six times as wide", "1.000 and 1.000")
    assert float(other.nearest[1]) <= 0.6 and all(share == 1 for share in other.nearest[5:].tolist())


@pytest.mark.slow
def test_the_row_of_it_cannot_know_how_the_sentence_ends_and_the_last_row_can(names):
    tired, wide = (Reading(names["model"], names["tokenizer"], text) for text in (ANIMAL, WIDE))
    assert (tired.names[IT], tired.names[1], tired.names[6]) == ("it", "animal", "street")
    assert (tired.names[LAST], wide.names[LAST]) == ("tired", "wide") and LAST + 1 == len(tired.names)
    moved = [abs(tired.weights[:, :, row] - wide.weights[:, :, row]).max() for row in (IT, LAST)]
    assert moved[0] < 1e-4 < 0.3 < moved[1]
    found = [float(line.split()[-1]) for line in printed("it-two-ends").splitlines()]
    assert found == pytest.approx(moved, abs=0.02)
    assert "“it” takes 38 % from “animal”" in alt("it-picture")
    says("it-said", "38 % from *animal*")
    says("it-two-ends-said", "does not move at all", "38 % from *animal*")
    street = np.argwhere(wide.weights[:, :, LAST, 6] > 0.4)
    assert [tuple(each) for each in street.tolist()] == [FINDS_STREET]
    assert tired.weights[*FINDS_STREET, LAST, 6] == pytest.approx(0.06, abs=0.01), "explanation of 09.4"
    animal = [reading.weights[13, 8, LAST, 1] for reading in (tired, wide)]
    assert animal == pytest.approx([0.40, 0.55], abs=0.01), "explanation of 09.4"
    assert names["tired"].text == ANIMAL
    names["tired"].set(text=WIDE)
    assert "“it” takes 38 % from “animal”" in names["tired"].says, "the held row stays, and so does what it shows"
    names["tired"].set(row=LAST, column=6, layer=FINDS_STREET[0], head=FINDS_STREET[1])
    assert exercise("09.4").check(names["tired"])
    names["tired"].reset()


@pytest.mark.slow
def test_the_cut_of_the_cell_brings_of_back_and_the_cut_of_a_head_says_less(names, reading):
    model, tokenizer = names["model"], names["tokenizer"]
    (of,) = tokenizer.encode(" of")
    table = {
        word: chances for word, *chances in re.findall(r"(\w+) +([\d.]+)% +([\d.]+)% +([\d.]+)%", printed("cut-table"))
    }
    assert list(table) == ["river", "lake", "loan", "house", "teacher"]
    for word, chances in table.items():
        text = RIVER.replace("river", word)
        live = [chance_with_cuts(model, tokenizer, text, " of", cut) for cut in ([], [(9, 2)])]
        live.insert(1, float(Reading(model, tokenizer, text).after("this cell", 9, 2, 13, 1)[of]))
        assert [float(chance) / 100 for chance in chances] == pytest.approx(live, abs=0.01)
    assert table["river"] == ["36.5", "55.6", "59.2"] and table["loan"] == ["25.7", "32.7", "31.0"]
    assert table["teacher"] == ["72.0", "73.6", "73.1"]
    says("cut-said", "from 36.5 % to 55.6 %", "to 59.2 %", "73.6 % and 73.1 %, from 72.0 %", "weight of 0.72",
         "from 25.7 % to 32.7 % and 31.0 %")  # fmt: skip
    runs = data.recorded("bank_cuts").rows
    assert len(runs) == 270 and [(run["layer"], run["head"]) for run in runs] == [divmod(at, 9) for at in range(270)]
    strongest = max(runs, key=lambda run: run["cell"])
    brightest = sorted(runs, key=lambda run: -run["weight"])[:2]
    assert (strongest["layer"], strongest["head"]) == (brightest[0]["layer"], brightest[0]["head"]) == (9, 2)
    assert (brightest[1]["layer"], brightest[1]["head"]) == (10, 8) and round(brightest[1]["weight"], 2) == 0.59
    before = float(reading.before[of])
    assert max(runs, key=lambda run: abs(run["cell"] - before)) == strongest
    little = [sum(abs(run[kind] - before) < 0.01 for run in runs) for kind in ("cell", "head_cut")]
    assert little[0] == 256 and 95 <= little[1] <= 100
    says("every-cut-said", "weight of 0.59", "36.8 %", "256 of the 270", "about 100 of the 270", "0.06", "55.5 %")
    assert round(100 * brightest[1]["cell"], 1) == 36.8
    far = next(run for run in runs if (run["layer"], run["head"]) == (18, 0))
    assert round(far["weight"], 2) == 0.06 and round(100 * far["head_cut"], 1) == 55.5
    assert sorted(runs, key=lambda run: -run["head_cut"])[:2] == [strongest, far], "nearly as high"
    for run in (strongest, brightest[1], far, runs[100]):
        cell, whole = (
            float(reading.after(cut, run["layer"], run["head"], 13, 1)[of]) for cut in ("this cell", "this head")
        )
        assert (cell, whole) == pytest.approx((run["cell"], run["head_cut"]), abs=0.005)


@pytest.mark.slow
def test_the_challenge_can_be_met_and_its_words_hold():
    task = exercise("09.5")
    assert lesson_09.chance_of_of([]) == pytest.approx(36.5, abs=0.5)
    alone = [lesson_09.chance_of_of([pair]) for pair in ((9, 2), (18, 0), (11, 6))]
    assert alone == pytest.approx([59.2, 55.5, 49.4], abs=0.5)
    assert lesson_09.chance_of_of([(9, 2), (18, 0), (11, 6)]) == pytest.approx(90.2, abs=0.5)
    weights = {(run["layer"], run["head"]): round(run["weight"], 2) for run in data.recorded("bank_cuts").rows}
    assert (weights[18, 0], weights[11, 6]) == (0.06, 0.02), "explanation of 09.5"
    assert lesson_09.chance_of_of([(9, 2), (11, 6), (12, 5)]) > task.mark + 3 > task.mark > alone[0] + 10
    assert not lesson_09.are_heads([[9, 2], [9, 2]]) and not lesson_09.are_heads([[30, 0]])


def test_lengths_and_cells_of_the_prose():
    says("cost-said", "8,192", "67 million", "18 billion")
    rows = re.findall(r"([\d,]+) tokens: +([\d,]+) cells in one head, +([\d,]+) in 270", printed("cost-cells"))
    numbers = [[int(number.replace(",", "")) for number in row] for row in rows]
    assert [tokens for tokens, _, _ in numbers] == [1024, 2048, 4096, 8192]
    assert all((cells, every) == (tokens**2, 270 * tokens**2) for tokens, cells, every in numbers)
    assert [round(numbers[-1][1] / 1e6), round(numbers[-1][2] / 1e9)] == [67, 18]


def test_the_questions_have_their_numbers():
    cards = {card.id: card for kind in lesson_questions("09").values() for card in kind}
    assert set(cards) == {"09.a", "09.b", "09.c"}
    assert torch.tensor([0.0, 2.0, 0.0]).exp()[1].item() == pytest.approx(7.4, abs=0.02)
