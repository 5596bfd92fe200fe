"""What lesson 06 says of tokens, bytes, merges and languages is what its cells compute."""

import html
import re
from collections import Counter

import pytest
from tiktoken_ext import openai_public

from course_utils import data
from course_utils.explorers.base import Explorer
from course_utils.practice import exercise, lesson_06
from course_utils.tokenizers.byte_pair import byte_alphabet
from tests.notebooks.pages import Page

PAGE = Page("06")
CELLS, printed, alt, says = PAGE.cells, PAGE.printed, PAGE.alt, PAGE.says


@pytest.mark.slow
def test_every_picture_runs_again_from_its_copied_line_also_after_moving(names):
    explorers = {cell: got for cell, got in names["shown"].items() if isinstance(got, Explorer)}
    assert list(explorers) == ["first-picture", "make-steps"]
    moves = {
        "first-picture": {"text": "日本語 abc", "tokenizer": "byte pairs, Shakespeare", "vocabulary": 300},
        "make-steps": {"text": "abab abab <b>", "merges": 1},
    }
    for cell, explorer in explorers.items():
        [output] = CELLS[cell].outputs
        assert explorer.says in html.unescape(output["data"]["text/html"])
        for moved in ({}, moves[cell]):
            explorer.set(**moved)
            copied = eval(explorer.as_python(), names)
            assert copied.body.value == explorer.body.value and copied.says == explorer.says
        explorer.reset()


def test_no_cell_of_a_learner_holds_a_guard_of_ours():
    assert not any("assert" in cell.source for cell in CELLS.values() if cell.cell_type == "code")


def test_the_first_picture_is_as_the_words_have_it():
    [output] = CELLS["first-picture"].outputs
    assert "29 characters, 7 tokens" in output["data"]["text/html"]
    says("reading-the-picture", "These seven numbers")


def test_unknown_words_are_counted():
    lines = printed("two-ideas-tried").splitlines()
    assert data.speeches()[-1].year == 2026
    unknown = [float(line.split()[-2].rstrip("%")) for line in lines]
    assert round(unknown[2]) == 19 and unknown[2] < unknown[1]
    assert all(4 < float(re.search(r"([\d.]+) characters a token", line)[1]) for line in lines[1:])
    says("two-ideas-said", "19 of 100 tokens", "more than four characters")


def test_a_byte_s_id_is_not_its_number():
    assert list(byte_alphabet()).index(ord("a")) == 64 and ord("a") == 97
    says("steps-said", "*a* has the id 64 and the byte 97")
    says("bytes-said", "*日* costs three")


@pytest.mark.slow
def test_the_merges_of_shakespeare_are_those_of_the_words(names):
    shakespeare = names["shakespeare"]
    assert [shakespeare.decode([token]) for token in (256, 267, 700, 999)] == [" t", " the", "EUS", " play"]
    says("shakespeare-said", "The twelfth makes *the*", "the word *play*", "`EUS`")
    assert "THESEUS" in names["plays"] and len(shakespeare) == 1000
    says("shakespeare", "256 bytes and 744 merges")
    assert "helicopter" in names["speech"] and "helicopter" not in names["plays"].lower()
    assert "2.25 characters a token; comes back whole: True" in printed("read-speech")
    assert "Japanese: 0.33 characters a token" in printed("read-speech")
    says("read-speech-said", "2.25 characters", "three tokens")


def test_our_tokens_are_tiktoken_s():
    lines = printed("parity").splitlines()
    assert len(lines) == 6 and all(line.startswith("True ") for line in lines)


@pytest.mark.slow
def test_the_row_of_the_and_its_neighbours(names):
    assert names["table"].shape == (49_152, 576) and names["the"] == 260
    says("the-said", "576 numbers")
    says("the", "49,152 tokens")
    assert "strawberry" in printed("the-row")


def test_the_chat_model_counts_as_the_words_say():
    answers = re.findall(r"truly (\d), says (\d), spelled out (\d)", printed("count-letters"))
    assert [whole for _, whole, _ in answers] == ["1"] * 5
    assert [spelled for *_, spelled in answers] == ["3", "1", "1", "3", "1"]
    assert [truth for truth, *_ in answers] == ["3", "2", "3", "1", "1"]
    says("count-letters-said", "1 every time", "right for *tree* and *window* only", "says 3 for *strawberry*")
    says("count-letters-said", "3 for *tree* too, and 1 for *banana* and *pepper*")


def test_digits_are_cut_as_the_words_say():
    text = " ".join(printed("digits").split())
    assert "1234 GPT-2: 12 34 " in text and "12345 GPT-2: 123 45 the chat model: 1 2 3 4 5" in text
    says("digits-said", "12 and 34", "123 and 45")


@pytest.mark.slow
def test_japanese_costs_what_the_words_say(names):
    english, japanese = names["totals"]["english"], names["totals"]["japanese"]
    assert (sum(english), sum(japanese)) == (675, 1774) and all(map(int.__lt__, english, japanese))
    assert f"{1774 / 675:.1f}" == "2.6"
    says("languages-said", "1,774 against 675", "2.6 times", "3,714 against 3,003", "4.4 bytes", "2.1 bytes")
    says("opening", "2.6 times", "fewer than half as many characters")
    assert "3,714 bytes" in printed("languages-picture") and "3,003 bytes" in printed("languages-picture")
    assert 3003 / 675 == pytest.approx(4.4, abs=0.06) and 3714 / 1774 == pytest.approx(2.1, abs=0.05)
    characters = [sum(len(getattr(row, side)) for row in data.translations()) for side in ("english", "japanese")]
    assert 2 * characters[1] < characters[0]
    gpt2, learned, equal = map(int, re.findall(r": (\d+) tokens", printed("learn-japanese")))
    assert learned < gpt2 < 1.05 * learned and printed("learn-japanese").count("444 merges") == 2
    assert equal == 773 and f"{learned / equal:.1f}" == "1.1"
    says("learn-japanese-said", "444 merges", "slightly fewer tokens", "773 tokens", "from 2.6 times to 1.1")
    # exercise 06.4: characters of Japanese that one token of GPT-2 holds
    assert characters[1] / sum(japanese) == pytest.approx(0.7, abs=0.03)


def test_a_larger_vocabulary_gains_less_and_less():
    lines = dict(re.findall(r"(unseen plays|Japanese): (256: [^a-zA-Z]+)\.", alt("tradeoff-picture")))
    plays, japanese = (
        {size: float(each) for size, each in re.findall(r"([\d,]+): (\d\.\d\d)", lines[name])}
        for name in ("unseen plays", "Japanese")
    )
    gains = [plays["1,000"] - plays["500"], plays["2,000"] - plays["1,000"], plays["4,000"] - plays["2,000"]]
    assert [f"{gain:.2f}" for gain in gains] == ["0.40", "0.32", "0.23"]
    says("tradeoff-said", "0.40", "0.32", "0.23", "100,276", "200,018")
    assert len(set(japanese.values())) == 1
    source = open(openai_public.__file__, encoding="utf-8").read()
    assert "100276" in source and "200018" in source


@pytest.mark.slow
def test_the_kinds_of_tokens_are_counted(names):
    found, whole = names["found"], 50_256
    assert isinstance(found, Counter) and found.total() == whole
    with_space, without = found["a word with its space"], found["a word without a space"]
    assert round(100 * (with_space + without) / whole) == 55 and round(100 * with_space / whole) == 43
    assert round(100 * found["a piece of a word"] / whole) == 39 and found["several words"] == 0
    assert found["a part of a character"] == 344
    says("kinds-said", "55 % of the", "43 % with the space", "at most 39 % are pieces", "344 tokens")
    says("kinds-said", "No token is several words")
    parts = [
        token
        for row in data.translations()
        for token in map(names["gpt2"].token_bytes, names["gpt2"].encode(row.japanese))
    ]
    small = sum(
        len(token.decode("utf-8", errors="replace")) == 1 or "\ufffd" in token.decode("utf-8", errors="replace")
        for token in parts
    )
    assert small > len(parts) / 2  # "most tokens of a Japanese text are parts of characters or single characters"


def test_the_challenge_and_its_words_hold():
    gpt2 = lesson_06.gpt2()
    one = [token.decode()[1:] for token in gpt2.tokens if re.fullmatch(b" [a-z]+", token)]
    best = max(map(len, one))
    assert best == 18 and {word for word in one if len(word) == best} == {"disproportionately", "telecommunications"}
    task = exercise("06.5")
    assert "18 letters" in task.explanation and lesson_06.letters_of_one_token("telecommunications") == 18 > task.mark
    assert len([word for word in one if len(word) >= task.mark]) > 100  # it can be found without a search
    assert 38_597_376 == 50_257 * 768 and f"{100 * 38_597_376 / 124_439_808:.0f}" == "31"
