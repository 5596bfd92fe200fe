"""What lesson 06 says of tokens, bytes, merges and languages is what its cells compute."""

import html
import re
from collections import Counter
from itertools import pairwise

import pytest
from tiktoken_ext import openai_public

from course_utils import data
from course_utils.experiments.tokens import english_words, play_tokenizer, some_plays
from course_utils.explorers.base import Explorer
from course_utils.practice import exercise, lesson_06
from course_utils.tokenizers import BPETokenizer
from course_utils.tokenizers.byte_pair import PATTERNS, byte_alphabet
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
    assert all(4 < float(re.search(r"([\d.]+) characters per token", line)[1]) for line in lines[1:])
    says("two-ideas-said", "19 of 100 tokens", "more than four characters")


def test_a_byte_s_id_is_not_its_number():
    assert list(byte_alphabet()).index(ord("a")) == 64 and ord("a") == 97
    says("steps-said", "*a* has the id 64, while its byte is 97")
    says("bytes-said", "*日* costs three")


@pytest.mark.slow
def test_the_merges_of_shakespeare_are_those_of_the_words(names):
    shakespeare = names["shakespeare"]
    assert [shakespeare.decode([token]) for token in (256, 267, 700, 999)] == [" t", " the", "EUS", " play"]
    says("shakespeare-said", "The twelfth makes *the*", "the last one ` play`", "`EUS`")
    assert "THESEUS" in names["plays"] and len(shakespeare) == 1000
    says("shakespeare", "256 bytes and 744 merges")
    assert "helicopter" in names["speech"] and "helicopter" not in names["plays"].lower()
    assert "2.25 characters per token; decodes back to the same text: True" in printed("read-speech")
    assert "Japanese: 0.33 characters per token" in printed("read-speech")
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
    assert "28,311,552 of the model's 134,515,008 numbers" in printed("the-row")
    assert 28_311_552 / 134_515_008 == pytest.approx(1 / 5, abs=0.02)
    says("the-said", "about a fifth")


def test_the_chat_model_hardly_prefers_any_number():
    line = r"occur in(.*?)\? +truly (\d); +1: +(\d+)% +2: +(\d+)% +3: +(\d+)%"
    lines = re.findall(line, printed("count-letters"))
    assert len(lines) == 6
    shares = {asked.strip(" :").removeprefix("the word "): list(map(int, numbers)) for asked, _, *numbers in lines}
    whole = [shares[word] for word in ("strawberry", "pepper", "tree")]
    assert all(max(each) == each[0] and each.count(each[0]) == 1 for each in whole)  # "1 is the likeliest every time"
    assert shares["s t r a w b e r r y"] == pytest.approx([20, 21, 21], abs=1)  # a photo finish
    assert max(shares["t r e e"]) == shares["t r e e"][2] and max(shares["p e p p e r"]) == shares["p e p p e r"][0]
    says("count-letters-said", "20, 21 and 21 %", "for *tree*, which has one r, 3 is ahead too")
    assert "occurs 1 time" in printed("count-letters")
    says("opening", "it answers: once")


@pytest.mark.slow
def test_at_the_photo_finish_three_is_ahead(names):
    question = "How many times does the letter r occur in: s t r a w b e r r y?"
    shares = names["next_numbers"](names["model"], names["chat"], question, 'The letter "r" occurs ')
    assert max(shares, key=shares.get) == 3  # 21.0 against 20.8 and 20.2 %


def test_letters_teach_counting_and_tokens_do_not():
    lines = re.findall(r"([\d,]+) words, (.+?) *: +(\d+)% right; (\d)", printed("learn-letters"))
    right = {(size, name): (int(share), int(guess)) for size, name, share, guess in lines}
    assert [right[size, "letters"] for size in ("100", "1,000", "10,000")] == [(100, 3)] * 3
    assert [right[size, "GPT-2's tokens"] for size in ("100", "1,000", "10,000")] == [(50, 0), (53, 0), (69, 0)]
    assert "words without any r: 51%" in printed("learn-letters")
    says("learn-letters-said", "100 words are enough", "only 69 %", "half of the new words have no r")
    known = english_words()
    assert "strawberry" not in known and len(known) > 12_000
    assert len(lesson_06.gpt2().encode(" strawberry")) == 1


def test_digits_are_cut_as_the_words_say():
    text = " ".join(printed("digits").split())
    assert "1234 GPT-2: 12 34 " in text and "12345 GPT-2: 123 45 the chat model: 1 2 3 4 5" in text
    says("digits-said", "12 and 34", "123 and 45")


@pytest.mark.slow
def test_japanese_costs_what_the_words_say(names):
    english, japanese = names["totals"]["english"], names["totals"]["japanese"]
    assert (sum(english), sum(japanese)) == (675, 1780) and all(map(int.__lt__, english, japanese))
    assert f"{1780 / 675:.1f}" == "2.6"
    says("languages-said", "1,780 against 675", "2.6 times", "3,735 against 3,003", "4.4 bytes", "2.1 bytes")
    says("opening", "fewer than half as many characters")
    assert "3,735 bytes" in printed("languages-picture") and "3,003 bytes" in printed("languages-picture")
    assert 3003 / 675 == pytest.approx(4.4, abs=0.06) and 3735 / 1780 == pytest.approx(2.1, abs=0.05)
    characters = [sum(len(getattr(row, side)) for row in data.translations()) for side in ("english", "japanese")]
    assert 2 * characters[1] < characters[0] and characters[1] == 1271
    says("close", "1,271 characters of Japanese GPT-2 needs 1,780 tokens")


def test_the_ratio_follows_the_text_that_the_merges_were_learned_from():
    line = r"([\d,]+) merges from (.+?) *: +([\d,]+) tokens in English, +([\d,]+) in Japanese, ([\d.]+) to 1"
    rows = {name: (here, there, ratio) for _, name, here, there, ratio in re.findall(line, printed("learn-japanese"))}
    assert [row[2] for row in rows.values()] == ["2.57", "2.38", "0.57", "1.11"]
    assert rows["english"][0] == "773" and rows["both"][0] == "813"
    assert printed("learn-japanese").count(" 444 merges") == 3
    says("learn-japanese-said", "444 merges", "2.38 times", "GPT-2's 2.57", "1.11", "813 tokens in place of 773")


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
    says("kinds-said", "55 % are whole words", "43 % with the space", "at most 39 % are pieces", "344 tokens")
    says("kinds-said", "No token is several words")


def test_two_pairs_are_nearly_as_frequent_as_the_answer_to_06_a_says():
    counts: Counter[str] = Counter()
    for word, times in Counter(PATTERNS["gpt-2"].findall(some_plays())).items():
        for pair in pairwise(word):
            counts["".join(pair)] += times
    assert (counts[" t"], counts["th"]) == (20_361, 19_925) and max(counts, key=counts.get) == " t"
    [first] = [option for option in lesson_06.PREDICTIONS[0].options if option.text == "t and h"]
    assert "19,925" in first.explanation and "20,361" in first.explanation


def test_the_new_words_of_06_3_are_cut_by_the_merges_in_their_order():
    tokens = [bytes([byte]) for byte in byte_alphabet()]
    merges = {}
    for left, right in (("e", "r"), ("l", "o"), ("lo", "w"), ("w", "er"), ("n", "e")):
        merges[tokens.index(left.encode()), tokens.index(right.encode())] = len(tokens)
        tokens.append((left + right).encode())
    tokenizer = BPETokenizer(tokens, merges)
    cut = [[tokenizer.decode([token]) for token in tokenizer.encode(word)] for word in ("lower", "newer")]
    assert cut == [["low", "er"], ["ne", "wer"]]
    assert f"lower = {cut[0]}\nnewer = {cut[1]}".replace("'", '"') == exercise("06.3").answer


def test_the_challenge_and_its_words_hold():
    task = exercise("06.5")
    first = [play_tokenizer(276).decode([token]) for token in range(256, 276)]
    assert f"{lesson_06.saved(first):.3f}" == "0.186" and "save 0.186" in task.task
    assert task.mark == 0.14 < lesson_06.saved(first)
