"""DrawADigit: paper to pixels to answers, each against plain arithmetic; undo, clear, blank and full paper."""

import re

import numpy as np
import pytest
import torch

from course_utils import data, training
from course_utils.experiments.drawing import SIDE, TWO, WIDEST, as_text, counted, framed, from_text, ink
from course_utils.explorers.drawing import DrawADigit
from course_utils.models.convnet import ConvNet, ConvNetConfig
from course_utils.models.mlp import MLP, MLPConfig

from .sweep import refuses
from .sweep_drawing import draw_a_digit

STROKES = {
    0: [[(16, 5), (10, 10), (10, 22), (16, 27), (22, 22), (22, 10), (16, 5)]],
    3: [[(10, 6), (20, 6), (14, 14), (21, 20), (16, 27), (9, 25)]],
    4: [[(14, 4), (8, 18), (22, 18)], [(18, 10), (18, 28)]],
    5: [[(21, 5), (11, 5), (11, 14), (18, 13), (21, 20), (17, 27), (9, 26)]],
    7: [[(9, 6), (23, 6), (14, 28)]],
    8: [[(16, 15), (11, 10), (16, 5), (21, 10), (16, 15), (10, 22), (16, 28), (22, 22), (16, 15)]],
}
FULL = "f" * (SIDE * SIDE // 4)


def test_drawing_as_text_and_back() -> None:
    paper = np.random.default_rng(0).integers(0, 2, (SIDE, SIDE)).astype(np.uint8)
    assert np.array_equal(from_text(as_text(paper)), paper)
    assert as_text(np.zeros((SIDE, SIDE))) == "" and not from_text("").any() and from_text(FULL).all()
    for bad in ("xyz", "ff", FULL + "ff"):
        assert "draw it on the paper" in refuses(lambda bad=bad: from_text(bad))


def test_ink_is_every_dot_within_the_pen_of_the_stroke() -> None:
    paper = ink([[(8, 10), (24, 10)]], pen=2.0)
    for row in range(SIDE):
        for column in range(SIDE):
            x, y = column + 0.5, row + 0.5
            away = np.hypot(max(8 - x, 0, x - 24), y - 10)
            assert paper[row, column] == (away <= 2.0)


def test_blocks_are_counted_as_the_makers_of_the_digits_did() -> None:
    paper = np.random.default_rng(1).integers(0, 2, (SIDE, SIDE))
    image = counted(paper)
    for row in range(8):
        for column in range(8):
            block = [paper[4 * row + i, 4 * column + j] for i in range(4) for j in range(4)]
            assert image[row, column] == sum(block) / 16


def test_the_frame_is_filled_from_top_to_bottom_and_no_wider_than_real_digits() -> None:
    real = data.digits().train_images > 0
    assert real.any(2)[:, [0, -1]].all(), "real digits reach from the top row to the bottom row"
    assert (real.any(1).sum(1) <= 6).float().mean() > 0.85, "most are at most 6 of 8 columns wide"
    for strokes in ([[(3, 3), (3, 8)]], [[(2, 16), (30, 16)]], *STROKES.values()):
        whole = framed(ink(strokes))
        columns = np.flatnonzero(whole.any(0))
        assert whole.shape == (SIDE, SIDE) and whole.any(1).all()
        assert columns[-1] - columns[0] < WIDEST and abs(columns[0] - (SIDE - 1 - columns[-1])) <= 1
    assert not framed(from_text("")).any()


def test_bars_and_caption_are_the_networks_own_answers() -> None:
    explorer = draw_a_digit()
    image = torch.tensor(counted(framed(from_text(TWO))), dtype=torch.float32)[None]
    assert np.array_equal(explorer.result.image, image[0].numpy())
    for row, network in enumerate((explorer.plain, explorer.convolutional)):
        logits = network(image)[0].detach().double().numpy()
        shares = np.exp(logits) / np.exp(logits).sum()
        assert np.allclose(explorer.result.shares[row], shares, atol=1e-5)
        assert np.allclose([bar.get_width() for bar in explorer.panels["bars"].bars[row]], shares, atol=1e-5)
    assert re.search(r"; \d\d % of the paper is inked\.$", explorer.says)
    read = [int(word) for word in re.findall(r"reads (\d)|one (\d)", explorer.says)[0] if word]
    assert read == [explorer.result.shares[0].argmax()]
    first, second, hidden, _ = (layer[0].detach().numpy() for layer in explorer.convolutional.activations(image))
    assert np.array_equal(explorer.result.maps[0], first) and np.array_equal(explorer.result.maps[1], second)
    assert np.array_equal(explorer.result.hidden, hidden)


def test_the_copied_line_makes_the_same_picture() -> None:
    explorer = draw_a_digit()
    explorer.paper.ink = as_text(ink(STROKES[5]))
    explorer.set(to_frame=False)
    plain, convolutional = explorer.plain, explorer.convolutional
    copy = eval(explorer.as_python(), {"DrawADigit": DrawADigit, "plain": plain, "convolutional": convolutional})
    assert copy.says == explorer.says and copy.png == explorer.png and copy.paper.ink == explorer.paper.ink


@pytest.mark.parametrize("widths", [(64, 10), (64, 7, 5, 300, 10), (64, 5000, 10)])
def test_networks_of_other_sizes_fit_into_the_picture(widths: tuple[int, ...]) -> None:
    config = ConvNetConfig(size=8, channels=(200, 90), hidden=3000)
    explorer = DrawADigit(MLP(MLPConfig(widths)), ConvNet(config))
    assert explorer.problem == "" and len(explorer.result.plain) == len(widths) - 2
    explorer.wipe()
    assert explorer.problem == "" and "paper is blank" in explorer.says


def test_trained_networks_read_what_is_drawn() -> None:
    digits = data.digits()
    plain, convolutional = MLP(MLPConfig((64, 64, 10))), ConvNet(ConvNetConfig(size=8))
    for network in (plain, convolutional):
        batches = training.shuffled_batches(digits.train_images, digits.train_labels, 64)
        recipe = training.Recipe(learning_rate=5e-3, schedule="cosine")
        training.fit(network, batches, steps=300, recipe=recipe, progress=False)
    explorer = DrawADigit(plain, convolutional)
    read = {}
    for digit, strokes in STROKES.items():
        explorer.set(drawing=as_text(ink(strokes)))
        read[digit] = explorer.result.shares.argmax(1).tolist()
    right = sum(answer == digit for digit, answers in read.items() for answer in answers)
    assert right >= 10, read  # of 12


@pytest.mark.parametrize(("drawing", "words"), [("", "The paper is blank: draw"), (FULL, "full of ink")])
def test_blank_and_full_paper_are_a_sentence_with_the_networks_answer(drawing: str, words: str) -> None:
    explorer = draw_a_digit()
    explorer.paper.ink = drawing
    assert words in explorer.says and "must answer even" in explorer.says and explorer.problem == ""
    explorer.paper.ink = TWO
    assert explorer.says.startswith("The plain network reads")


def test_strokes_are_taken_back_one_by_one_and_clear_too() -> None:
    explorer = draw_a_digit()
    drawings = [as_text(ink(STROKES[digit])) for digit in (3, 5)]
    for drawing in drawings:
        explorer.paper.past = [*explorer.paper.past, explorer.drawing]  # as the page does where a stroke begins
        for part in (as_text(ink([[(9, 9)]])), drawing):  # a stroke arrives in pieces
            explorer.paper.ink = part
    explorer.wipe()
    assert explorer.drawing == "" and explorer.paper.ink == ""
    for drawing in (drawings[1], drawings[0], TWO):
        explorer.undo_stroke()
        assert explorer.drawing == explorer.paper.ink == drawing
    explorer.undo_stroke()  # nothing is left to take back
    assert explorer.drawing == TWO and explorer.problem == ""


def test_what_the_paper_sends_is_checked() -> None:
    explorer = draw_a_digit()
    before = explorer.png
    explorer.paper.ink = "<script>"
    assert "A drawing is 256 signs" in explorer.problem and explorer.png == before
    explorer.paper.ink = ""
    assert explorer.problem == ""


def test_reset_undoes_drawing_and_pin_marks_the_earlier_answers() -> None:
    explorer = draw_a_digit()
    explorer.pin()
    explorer.paper.ink = ""
    assert "Pinned: The plain network reads" in explorer.says
    for stroke, shares in zip(explorer.panels["bars"].strokes, explorer.pinned.shares, strict=True):
        assert np.array_equal(stroke.get_xdata(), shares)
    explorer.reset()
    assert explorer.paper.ink == TWO and f"drawing='{TWO}'" not in explorer.as_python()


def test_a_network_that_answers_nan_is_a_sentence() -> None:
    explorer = draw_a_digit()
    with torch.no_grad():
        explorer.plain.layers[0].weight.fill_(torch.nan)
    explorer.buttons["wipe"].click()
    assert "NaN" in explorer.problem
