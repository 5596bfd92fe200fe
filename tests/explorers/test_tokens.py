"""TokenExplorer and MergeStepper: against plain encoding and plain merging, and on odd input."""

import html
import re

import pytest

from course_utils.experiments.tokens import LARGEST, first_merges, play_tokenizer
from course_utils.explorers.tokens import KINDS, MOST, MergeStepper, TokenExplorer, shown
from course_utils.tokenizers import BPETokenizer
from course_utils.tokenizers.byte_pair import learn_merges, merge

from .sweep import refuses, silence

ODD = (
    "a",
    "aaaaaaaaaaaaaaa",
    "日本語のトークン mixed العربية 🎉",
    "<b>bold</b> <script>alert(1)</script>",
    " ",
    "\ufffd",
    "\u202eturned",
    "👩\u200d🚀" * 300,
)


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("kind", KINDS)
def test_the_boxes_are_the_tokens_of_plain_encoding(kind: str, text: str) -> None:
    with silence():
        explorer = TokenExplorer(tokenizer=kind, text=text)
    tokenizer = KINDS[kind][0](KINDS[kind][1])
    ids = tokenizer.encode(text)
    assert list(explorer.result.ids) == ids and explorer.result.vocabulary == len(tokenizer)
    boxes = re.findall(r"<ruby>.*?</ruby>", explorer.body.value)
    assert [int(number) for box in boxes for number in re.findall(r"<rt[^>]*>(\d+)</rt>", box)] == ids[:MOST]
    faces = [html.unescape(re.sub(r"<rp>.*|<[^>]+>", "", box)) for box in boxes]
    assert faces == [shown(tokenizer.token_bytes(token)) for token in ids[:MOST]]
    assert explorer.says.startswith(f"{len(text):,} character") and f"{len(ids):,} token" in explorer.says
    assert (f"and {len(ids) - MOST:,} more" in explorer.body.value) == (len(ids) > MOST)
    assert "<script" not in explorer.body.value and "\u202e" not in explorer.body.value
    assert explorer.result.unknown == (0 if "pairs" in kind else ids.count(0))


def test_nothing_is_lost_with_byte_pairs() -> None:
    for kind in ("byte pairs, Shakespeare", "byte pairs, GPT-2"):
        for text in ODD:
            assert b"".join(TokenExplorer(tokenizer=kind, text=text).result.tokens).decode() == text


def test_a_vocabulary_too_small_or_too_large_is_a_sentence_and_the_last_tokens_stay() -> None:
    explorer = TokenExplorer()
    before = explorer.body.value
    for kind in ("byte pairs, GPT-2", "byte pairs, Shakespeare"):
        explorer.set(tokenizer=kind)
        before = explorer.body.value
        explorer.inputs["vocabulary"].value = 100
        assert "A vocabulary of 100 is too small" in explorer.problem and "256 or more" in explorer.problem
        assert explorer.body.value == before
    explorer.inputs["vocabulary"].value = 8000
    assert f"{LARGEST:,} or fewer" in explorer.problem and explorer.body.value == before
    explorer.inputs["vocabulary"].value = 256
    assert explorer.problem == "" and explorer.result.vocabulary == 256
    assert "2,000" in refuses(lambda: TokenExplorer(text="x" * 2001))
    assert "type something" in TokenExplorer(text="").body.value


def test_another_tokenizer_starts_with_its_usual_vocabulary() -> None:
    explorer = TokenExplorer()
    for kind, (_, size) in KINDS.items():
        explorer.set(tokenizer=kind)
        assert explorer.vocabulary == size and explorer.problem == ""


def test_fewer_merges_are_the_first_ones() -> None:
    gpt2 = BPETokenizer.gpt2()
    small = first_merges(gpt2, 300)
    assert list(small.merges) == list(gpt2.merges)[:44] and small.tokens == gpt2.tokens[:300]
    assert first_merges(gpt2, len(gpt2)) is gpt2
    assert list(play_tokenizer(300).merges) == list(play_tokenizer(LARGEST).merges)[:44]


def test_each_click_is_one_merge_of_plain_learning() -> None:
    text = "low low low lower lowest newer"
    explorer = MergeStepper(text=text)
    seen = [len(explorer.result.ids)]
    steps = [step for step in learn_merges(text) if step[1] > 1]
    assert len(steps) > 3
    for number, (pair, count) in enumerate(steps):
        assert f"occurs {count} times" in explorer.says
        joined = [explorer.result.ids[at] for at in sorted(explorer.result.joined)]
        assert set(pair) == set(joined) and len(joined) == 2 * count  # no pair of this text overlaps itself
        expected = merge(explorer.result.ids, pair, 256 + number)
        explorer.press("merge_once")
        assert list(explorer.result.ids) == expected and explorer.merges == number + 1
        seen.append(len(explorer.result.ids))
    assert "No pair occurs twice any more" in explorer.says
    assert "Type a longer text" in refuses(lambda: explorer.press("merge_once"))
    for count in reversed(seen[:-1]):
        explorer.press("take_back")
        assert len(explorer.result.ids) == count
    assert "nothing to undo" in refuses(lambda: explorer.press("take_back"))


@pytest.mark.parametrize("text", ["", *(text for text in ODD if len(text) < 1000)])
def test_the_stepper_lives_with_odd_text(text: str) -> None:
    with silence():
        explorer = MergeStepper(text=text)
        assert b"".join(explorer.result.tokens).decode() == text
        explorer.inputs["merges"].value = explorer.inputs["merges"].max
        assert "<script" not in explorer.body.value and "Traceback" not in explorer.problem
        explorer.inputs["text"].value = "abab abab"
        explorer.inputs["merges"].value = 1
    assert explorer.problem == "" and "After 1 merge" in explorer.says


def test_the_copied_line_makes_the_same_text() -> None:
    steps = MergeStepper(text="日本語 日本語 <b>", merges=2)
    assert eval(steps.as_python()).body.value == steps.body.value
    tokens = TokenExplorer(text="a\nb", tokenizer="words", vocabulary=500)
    assert eval(tokens.as_python()).body.value == tokens.body.value
