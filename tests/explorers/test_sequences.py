"""NGramExplorer and GradientFade: their numbers against plain counting and autograd, and their answers to odd input."""

import html
import re

import pytest
import torch

from course_utils.experiments.distance import gradient_by_distance
from course_utils.experiments.next_letter import MEMORY, SMOOTHINGS, WRITTEN, ngram_model
from course_utils.explorers.sequences import GradientFade, NGramExplorer
from course_utils.models.ngram import AddK, KneserNey
from course_utils.plots.sequences import FURTHEST

from .sweep import refuses, silence
from .sweep_sequences import LINES, counted

ODD = (
    "a",
    "aaaaaaaaaaaaaaa",
    "日本語のトークン mixed العربية 🎉",
    "<b>bold</b> <script>alert(1)</script>",
    " ",
    "\ufffd",
    "🎉" * 900,
)


def plain_counts(text: str, after: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for at in range(len(text) - len(after)):
        if text[at : at + len(after)] == after:
            following = text[at + len(after)]
            found[following] = found.get(following, 0) + 1
    return found


@pytest.mark.parametrize("remembers", range(MEMORY + 1))
def test_the_table_is_what_plain_counting_gives(remembers: int) -> None:
    explorer = NGramExplorer(*counted(), beginning="I have to go to t", remembers=remembers, unseen="none")
    now = explorer.result
    known = "I have to go to t"[17 - remembers :]
    counts = plain_counts(LINES, known)
    assert now.remembered == known and now.before + now.remembered == explorer.beginning
    assert now.possible == len(counts)
    for letter, chance, count in zip(now.letters, now.chances, now.counts, strict=True):
        assert count == counts.get(letter, 0)
        assert chance == pytest.approx(count / sum(counts.values()))
    assert sum(now.chances) + now.rest == pytest.approx(1)
    assert f"{now.possible} of {now.vocabulary} letters have a chance" in explorer.says


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_the_three_smoothings_are_those_of_the_models(smoothing: str) -> None:
    counts, tokenizer = counted()
    explorer = NGramExplorer(counts, tokenizer, beginning="be", unseen=smoothing, remembers=2)
    model = {"none": AddK(counts, 3, k=0), "add one": AddK(counts, 3, k=1), "Kneser-Ney": KneserNey(counts, 3)}
    chances = model[smoothing].next_probabilities(tokenizer.encode("be"))
    assert explorer.result.chances == pytest.approx(sorted(chances, reverse=True)[: len(explorer.result.chances)])
    assert explorer.result.possible == (chances > 0).sum()


def test_what_it_writes_follows_the_dice_and_with_nothing_for_the_unseen_only_what_was_seen() -> None:
    explorer = NGramExplorer(*counted(), beginning="I have", remembers=3, unseen="none")
    sample = explorer.result.sample
    assert len(sample) == WRITTEN
    text = "I have" + sample
    assert all(text[at : at + 4] in LINES for at in range(3, len(text) - 3))
    explorer.set(dice=2)
    assert explorer.result.sample != sample
    explorer.set(dice=1)
    assert explorer.result.sample == sample
    assert html.escape(sample) in explorer.body.value and html.escape(sample) in explorer.still()[0]["text/html"]


def test_a_beginning_shorter_than_the_memory_is_all_that_is_remembered() -> None:
    for beginning in ("", "I", "I "):
        for smoothing in SMOOTHINGS:
            explorer = NGramExplorer(*counted(), beginning=beginning, remembers=5, unseen=smoothing)
            assert explorer.result.remembered == beginning and explorer.problem == ""
            model = ngram_model(counted()[0], len(beginning) + 1, smoothing)
            chances = model.next_probabilities(counted()[1].encode(beginning))
            assert explorer.result.chances[0] == pytest.approx(chances.max())
    assert "It remembers nothing." in NGramExplorer(*counted(), beginning="").says
    assert "It remembers 1 letter: " in NGramExplorer(*counted(), beginning="I").says


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_to_learn_from_are_learned_or_refused_in_a_sentence(text: str) -> None:
    explorer = NGramExplorer(*counted())
    with silence():
        explorer.inputs["own_text"].value = text
        for smoothing in SMOOTHINGS:
            for remembers in range(MEMORY + 1):
                explorer.set(unseen=smoothing, remembers=remembers)
                if remembers < len(text):
                    assert explorer.problem == ""
                else:
                    assert f"too few for a memory of {remembers}" in explorer.problem
                assert "<script" not in explorer.body.value + explorer.caption_line.value
    explorer.set(own_text="", remembers=2)
    assert explorer.problem == "" and explorer.result.vocabulary == counted()[0].vocabulary


def test_one_repeated_letter_is_certain_and_an_unknown_sign_never_came() -> None:
    explorer = NGramExplorer(*counted(), own_text="a" * 40, beginning="aaaa", remembers=3, unseen="none")
    assert explorer.result.letters[0] == "a" and explorer.result.chances[0] == 1 and explorer.result.possible == 1
    explorer.set(beginning="日本語")
    assert '"日本語" never came' in explorer.says and "日本語" in explorer.body.value
    assert "500" in refuses(lambda: NGramExplorer(*counted(), beginning="x" * 501))


def test_the_gradients_are_those_of_autograd_by_hand() -> None:
    fade = GradientFade(cell="RNN", scale=2.0, distance=7)
    expected = gradient_by_distance("rnn", FURTHEST, scale=2.0)
    assert torch.allclose(torch.tensor(fade.result.lengths), expected) and fade.result.here == float(expected[7])
    fade.set(cell="LSTM, keep bias 2")
    assert fade.result.here == float(gradient_by_distance("lstm", FURTHEST, scale=2.0, keep_bias=2.0)[7])


def test_the_caption_says_the_factor_and_the_dot_stays_in_the_picture() -> None:
    fade = GradientFade(cell="RNN", distance=20)
    said = re.search(r"1/([\d,]+) as much", fade.says)
    assert said and 1 / int(said[1].replace(",", "")) == pytest.approx(fade.result.here, rel=0.05)
    fade.set(distance=FURTHEST)
    assert "less than 1/1,000,000,000,000 as much" in fade.says
    (height,) = fade.panels["fade"].lines["here"].get_ydata()
    assert height == 1e-12
    fade.set(scale=4.0, distance=1)
    assert "1 step back" in fade.says
