"""Figures as bytes: what is kept between two drawings must never show in the picture."""

import io

import numpy as np
from PIL import Image

from course_utils.plots import picture


def make() -> tuple:
    figure = picture.new_figure(4, 2)
    axes = figure.add_axes((0.1, 0.2, 0.8, 0.6), xlim=(0, 10), ylim=(0, 10))
    (line,) = axes.plot([0, 5, 10], [1, 2, 3])
    return figure, axes, line, axes.text(3, 8, "three")


def test_redrawn_equals_drawn_from_nothing_whatever_changes() -> None:
    figure, axes, line, text = make()
    blitter = picture.Blitter(figure)
    changes = [
        lambda axes, line, text: line.set_ydata([3, 9, 1]),
        lambda axes, line, text: text.set(text="other", position=(6, 6), color="red"),
        lambda axes, line, text: axes.set_ylim(0, 20),
        lambda axes, line, text: axes.set_title("titled"),
        lambda axes, line, text: line.set_ydata([1, 1, 1]),
        lambda axes, line, text: axes.axvline(4, zorder=0),
        lambda axes, line, text: axes.set_xticks([0, 5], ["a", "b"]),
        lambda axes, line, text: text.set_text(""),
    ]
    pictures = [blitter.pixels([line, text])]
    for number in range(1, len(changes) + 1):
        changes[number - 1](axes, line, text)
        pictures.append(blitter.pixels([line, text]))
        other = make()
        for change in changes[:number]:
            change(*other[1:])
        assert np.array_equal(pictures[-1], picture.Blitter(other[0]).pixels(other[2:])), f"change {number}"
        assert not np.array_equal(pictures[-1], pictures[-2]), f"change {number} is not seen"


def test_only_moving_artists_are_drawn_again(monkeypatch) -> None:
    figure, _, line, text = make()
    blitter = picture.Blitter(figure)
    blitter.pixels([line, text])
    monkeypatch.setattr(figure.canvas, "draw", lambda: 1 / 0)
    for height in range(5):
        line.set_ydata([height] * 3)
        text.set_text(str(height))
        blitter.pixels([line, text])


def test_moving_artists_are_found_in_any_nest_and_axes_are_left_out() -> None:
    _, axes, line, text = make()
    bars = axes.bar([1, 2], [3, 4])
    found = list(picture.moving_artists({"axes": axes, "some": [line, {"text": text}], "bars": bars, "none": []}))
    assert found == [line, text, *bars]


def test_png_holds_the_pixels() -> None:
    pixels = picture.pixels(make()[0])
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(picture.png(pixels)))), pixels[..., :3])


def test_still_is_small_even_for_noise_and_holds_a_long_caption() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (440, 920, 4), dtype=np.uint8)
    data, width, height = picture.still(noise, "日本 $x$ <b> " * 40)
    assert len(data) <= picture.STILL_LIMIT
    assert Image.open(io.BytesIO(data)).size == (width, height) and width == 920 and height > 440 + 19 * 3
    plain = picture.pixels(make()[0])
    data, width, height = picture.still(plain, "One line.")
    image = Image.open(io.BytesIO(data))
    assert image.mode == "P" and (width, height) == (400, 235)
    strip = np.asarray(image.convert("RGB"))[200:]
    assert strip.min() < 100 and strip.max() == 255  # words on white
    assert data == picture.still(plain, "One line.")[0]
