"""AttentionByHand against the model's own attention; AttentionExplorer against capture and edit; odd input to both."""

import html
import re

import numpy as np
import pytest
import torch

from course_utils import interpret
from course_utils.experiments.attention_by_hand import Worked, read_lists
from course_utils.experiments.looking import CUTS, MOST_SHOWN, Reading, can_be_cut, chance_with_cuts
from course_utils.explorers.attention import AttentionByHand, AttentionExplorer
from course_utils.models.transformer import attention, attention_weights
from course_utils.plots.attention import EVERY_HEAD, MAP, THUMBNAILS, pointed_at

from .sweep import refuses, silence
from .sweep_attention import model, tokenizer

TEXT = "The river was wide and cold"


def as_heads(numbers: np.ndarray) -> torch.Tensor:
    return torch.tensor(numbers)[None, None]


@pytest.mark.parametrize("hide", [True, False])
@pytest.mark.parametrize("words", [1, 2, 4])
def test_by_hand_is_the_models_attention(words: int, hide: bool) -> None:
    draw = np.random.default_rng(words)
    queries, keys, values = (draw.normal(size=(words, width)).round(2) for width in (3, 3, 2))
    now = Worked(("a",) * words, queries, keys, values, divide=True, hide=hide, row=0)
    weights = attention_weights(as_heads(queries), as_heads(keys), causal=hide)[0, 0].numpy()
    assert now.weights == pytest.approx(weights) and now.weights.sum(axis=1) == pytest.approx(1)
    assert now.results == pytest.approx(
        attention(as_heads(queries), as_heads(keys), as_heads(values), causal=hide)[0, 0].numpy()
    )
    undivided = Worked(("a",) * words, queries, keys, values, divide=False, hide=hide, row=0)
    assert undivided.scores == pytest.approx(now.scores * 3**0.5)


def test_every_step_of_the_first_picture_is_on_the_page() -> None:
    explorer = AttentionByHand()
    page = re.sub(r"<[^>]+>", " ", html.unescape(explorer.body.value))
    for step in ("1·4 + 1·0 + 0·1 + 0·0 = 4", "÷ √4 = 2", "7.39", "9.39", "79 %", "(4.72, 0)", "(4.93, 0.21)"):
        assert step in page, step
    assert "79 % from river" in explorer.says and "(4.93, 0.21)" in explorer.says
    explorer.set(asker=1)
    assert "the takes 100 % from the." in explorer.says and "hidden" in explorer.body.value
    explorer.set(hide=False)
    assert "hidden" not in re.sub(r"<[^>]+>", " ", explorer.body.value).replace("nothing is hidden", "")


@pytest.mark.parametrize(
    ("moved", "sentence"),
    [
        ({"queries": "1 2; x 4; 0 0"}, "'x' is not a number"),
        ({"queries": "1 2; 3 4"}, "2 lists for 3 words"),
        ({"queries": "1 2; 3; 0 0"}, "same length"),
        ({"queries": "1 2; 3 4; 0 0"}, "queries have 2 numbers and keys 4"),
        ({"keys": "1 nan 0 0; 0 0 0 0; 0 0 0 0"}, "outside -10 to 10"),
        ({"value_lists": "0 0; 11 0; 2 2"}, "outside -10 to 10"),
        ({"value_lists": "1 2 3 4 5; 1 2 3 4 5; 1 2 3 4 5"}, "from 1 to 4 numbers"),
        ({"words": "one two three four five"}, "5 words; give 1 to 4"),
        ({"words": "   "}, "0 words"),
        ({"words": "two words"}, "3 lists for 2 words"),
    ],
)
def test_what_cannot_be_worked_out_is_said_and_the_picture_stays(moved: dict[str, str], sentence: str) -> None:
    explorer = AttentionByHand()
    before = explorer.body.value
    with silence():
        for name, text in moved.items():
            explorer.inputs[name].value = text
    assert sentence in explorer.problem and explorer.body.value == before
    explorer.reset()
    assert explorer.problem == "" and explorer.body.value == before


def test_the_largest_numbers_do_no_harm_and_markup_is_text() -> None:
    explorer = AttentionByHand()
    with silence():
        explorer.set(words="<b> $x$ ||", queries="10 10 10 10;" * 3, keys="10 10 10 10;" * 2 + "-10 -10 -10 -10")
        assert explorer.problem == "" and "nan" not in explorer.says and "&lt;b&gt;" in explorer.body.value
        explorer.set(divide=False, asker=1)
    assert explorer.problem == "" and "takes 100 %" in explorer.says
    assert refuses(lambda: AttentionByHand(queries="1")).startswith("queries: 1 list for 3 words")
    assert read_lists("1,2;3 4;", "keys", 2).tolist() == [[1, 2], [3, 4]]


def test_the_weights_are_those_that_the_model_computes() -> None:
    made = model()
    ids = torch.tensor([tokenizer().encode(TEXT)])
    explorer = AttentionExplorer(made, tokenizer(), text=TEXT, layer=3, head=4, row=5, column=2)
    with interpret.capture(made) as seen, torch.inference_mode():
        logits = made(ids)
    now = explorer.result
    assert torch.tensor(now.weights) == pytest.approx(seen.attention[3][0].numpy(), abs=1e-6)
    assert now.weight == pytest.approx(float(seen.attention[3][0, 4, 5, 2]), abs=1e-6)
    assert now.everywhere[7, 1] == pytest.approx(float(seen.attention[7][0, 1, 5, 2]), abs=1e-6)
    assert max(now.before) == pytest.approx(float(logits[0, -1].softmax(-1).max()), abs=1e-6)
    best = int(seen.attention[3][0, 4, 5].argmax())
    assert f"takes {100 * float(seen.attention[3][0, 4, 5, best]):.0f} % from “{now.names[best]}”" in explorer.says


@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_is_the_edit_of_that_name_and_leaves_no_trace(cut: str) -> None:
    made = model()
    ids = torch.tensor([tokenizer().encode(TEXT)])
    explorer = AttentionExplorer(made, tokenizer(), text=TEXT, layer=3, head=4, row=5, column=2, cut=cut)
    edits = {
        "nothing": {},
        "this cell": {"set_weights": {(3, 4, 5, 2): 0.0}},
        "this head": {"zero_heads": [(3, 4)]},
        "this layer": {"zero_heads": [(3, head) for head in range(5)]},
    }[cut]
    with torch.inference_mode(), interpret.edit(made, **edits):
        after = made(ids)[0, -1].softmax(-1)
    with torch.inference_mode():
        before = made(ids)[0, -1].softmax(-1)
    now = explorer.result
    shown = [name.strip('"') for name in now.tokens]
    assert len(shown) == 5 and sorted(now.before, reverse=True) == list(now.before)
    for chance, expected in ((now.before, before), (now.after, after)):
        assert all(min(abs(expected - each)) < 1e-6 for each in chance)
    assert (now.before == now.after) is (cut == "nothing")
    assert ("Cut:" in explorer.says) is (cut != "nothing")


def test_a_cell_that_cannot_be_cut_is_said_and_nothing_breaks() -> None:
    explorer = AttentionExplorer(model(), tokenizer(), text=TEXT, cut="this cell", row=2, column=4)
    assert "comes later, so it is hidden anyway" in explorer.says and explorer.result.before == explorer.result.after
    explorer.set(row=0, column=0)
    assert "sees nothing else" in explorer.says and explorer.problem == ""
    assert not can_be_cut(0, 0) and can_be_cut(1, 1)


def test_long_texts_say_what_is_left_out_and_odd_ones_are_told() -> None:
    explorer = AttentionExplorer(model(), tokenizer())
    with silence():
        explorer.set(text="the bank " * 200)
        assert len(explorer.result.names) == MOST_SHOWN and explorer.result.left_out > 0
        assert f"the first {MOST_SHOWN} of {MOST_SHOWN + explorer.result.left_out} tokens" in explorer.says
        explorer.set(text="a")
        assert len(explorer.result.names) == 1 and explorer.problem == "" and "takes 100 %" in explorer.says
        explorer.set(cut="this layer")
        explorer.inputs["text"].value = ""
        assert "The text is empty" in explorer.problem
        for text in ("<script>alert(1)</script>", "日本語のトークン", "مرحبا 🎉", "$x^{$"):
            explorer.set(text=text)
            assert explorer.problem == "" and "<script" not in explorer.body.value + explorer.caption_line.value
    for wrong in ({"layer": 21}, {"head": -1}, {"row": 99}, {"cut": "all"}):
        assert refuses(lambda wrong=wrong: AttentionExplorer(model(), tokenizer(), text=TEXT, **wrong))


def test_small_models_and_broken_ones() -> None:
    explorer = AttentionExplorer(model(layers=1, heads=1), tokenizer(), text=TEXT)
    assert explorer.result.everywhere.shape == (1, 1)
    broken = model(layers=2)
    broken.blocks[1].mlp.down.weight.data.fill_(float("nan"))
    assert "no number" in refuses(lambda: AttentionExplorer(broken, tokenizer(), text=TEXT))


def test_a_press_chooses_a_cell_a_head_and_a_thumbnail() -> None:
    explorer = AttentionExplorer(model(), tokenizer(), text=TEXT)
    tokens = len(explorer.result.names)

    def press(frame: tuple[float, ...], right: float, down: float) -> None:
        explorer.pointer.place = [frame[0] + right * frame[2], frame[1] + (1 - down) * frame[3]]

    press(MAP, 1.5 / tokens, 3.5 / tokens)
    assert (explorer.row, explorer.column) == (3, 1)
    press(EVERY_HEAD, 7.5 / 21, 2.5 / 5)
    assert (explorer.layer, explorer.head) == (7, 2)
    press(THUMBNAILS, 4.4 / 5, 0.5)
    assert (explorer.layer, explorer.head) == (7, 4)
    before = explorer.values
    explorer.pointer.place = [0.999, 0.001]
    assert explorer.values == before and pointed_at([0.0, 0.0], 3, 1, 1) == {}


def test_a_moved_control_redraws_no_background(monkeypatch: pytest.MonkeyPatch) -> None:
    explorer = AttentionExplorer(model(), tokenizer())
    explorer.set(layer=4)
    monkeypatch.setattr(type(explorer.figure), "draw", lambda *_: pytest.fail("the whole figure was drawn anew"))
    explorer.set(layer=5, head=1)
    explorer.set(row=3, column=1)


def test_chances_with_heads_cut_are_those_of_edit() -> None:
    made, reading = model(), Reading(model(), tokenizer(), TEXT)
    (token,) = tokenizer().encode(" and")
    assert chance_with_cuts(made, tokenizer(), TEXT, " and") == pytest.approx(float(reading.before[token]))
    cut = chance_with_cuts(made, tokenizer(), TEXT, " and", [(3, 4)])
    assert cut == pytest.approx(float(reading.after("this head", 3, 4, 0, 0)[token]))
