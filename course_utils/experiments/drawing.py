"""Drawings of digits: strokes to paper, paper to the networks' input, and what every layer answers to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from course_utils.models.convnet import ConvNet
from course_utils.models.mlp import MLP
from course_utils.wording import percent

SIDE = 32  # the paper is SIDE x SIDE dots, as the bitmaps were from which the 8 x 8 digits were made
BLOCK = 4  # dots counted into one number of the 8 x 8 image
WIDEST = 24  # dots: few of the real digits are wider
PEN = 2.3  # radius of the pen in dots: about 30 % of a real digit's paper is ink


def ink(strokes: Sequence[Sequence[tuple[float, float]]], pen: float = PEN) -> np.ndarray:
    """Paper with strokes on it, ``(SIDE, SIDE)`` of 0 and 1.

    Args:
        strokes: each a list of points ``(across, down)``, from 0 to SIDE, joined by straight lines.
        pen: the radius in dots.

    >>> int(ink([[(16, 16)]], pen=1.0).sum())
    4
    """
    middles = np.arange(SIDE) + 0.5
    dots = np.stack(np.meshgrid(middles, middles), axis=-1)  # (SIDE, SIDE, across and down)
    paper = np.zeros((SIDE, SIDE), dtype=bool)
    for stroke in strokes:
        for start, end in zip(stroke, [*stroke[1:], stroke[-1]], strict=True):
            begin, along = np.array(start, dtype=float), np.array(end, dtype=float) - np.array(start, dtype=float)
            share = ((dots - begin) @ along / max(along @ along, 1e-9)).clip(0, 1)
            paper |= np.linalg.norm(dots - begin - share[..., None] * along, axis=-1) <= pen
    return paper.astype(np.uint8)


def as_text(paper: np.ndarray) -> str:
    """Paper as 256 hexadecimal signs, four dots each, row by row; "" if it is blank."""
    return np.packbits(paper.ravel()).tobytes().hex() if paper.any() else ""


def from_text(text: str) -> np.ndarray:
    """The inverse of `as_text`.

    Raises:
        ValueError: the text is no drawing.
    """
    if not text.strip():
        return np.zeros((SIDE, SIDE), np.uint8)
    try:
        dots = bytes.fromhex(text)
    except ValueError:
        dots = b""
    if len(dots) * 8 != SIDE * SIDE:
        raise ValueError(
            f"A drawing is {SIDE * SIDE // 4} signs of 0-9 and a-f, not {text!r:.40}: draw it on the paper."
        )
    return np.unpackbits(np.frombuffer(dots, np.uint8)).reshape(SIDE, SIDE)


def framed(paper: np.ndarray) -> np.ndarray:
    """The drawing scaled to the paper's full height (but at most WIDEST dots wide), in the middle.

    So were the real digits prepared: in scikit-learn's copy all 1,797 reach from the top to the bottom row.

    >>> framed(ink([[(10, 12), (10, 20)]])).any(axis=1).all().item()
    True
    """
    rows, columns = np.flatnonzero(paper.any(1)), np.flatnonzero(paper.any(0))
    if not len(rows):
        return paper
    cut = paper[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    width = min(WIDEST, max(1, round(cut.shape[1] * SIDE / cut.shape[0])))
    down, across = ((np.arange(size) + 0.5) / size for size in (SIDE, width))
    scaled = cut[(down * cut.shape[0]).astype(int)][:, (across * cut.shape[1]).astype(int)]
    left = (SIDE - width) // 2
    return np.pad(scaled, ((0, 0), (left, SIDE - width - left)))


def counted(paper: np.ndarray) -> np.ndarray:
    """Inked dots in each block of 4 x 4, divided by 16: ``(8, 8)`` from 0 to 1, the networks' input.

    >>> counted(np.ones((SIDE, SIDE))).shape
    (8, 8)
    """
    blocks = paper.reshape(SIDE // BLOCK, BLOCK, SIDE // BLOCK, BLOCK)
    return blocks.sum(axis=(1, 3)) / BLOCK**2


TWO = as_text(ink([[(10, 9), (13, 6), (19, 6), (22, 10), (20, 15), (11, 26), (22, 26)]]))


@dataclass(frozen=True)
class Answers:
    """What the networks make of a drawing."""

    drawing: str
    inked: float  # share of the paper
    image: np.ndarray  # (8, 8) from 0 to 1
    plain: tuple[np.ndarray, ...]  # each hidden layer of the plain network, (neurons,)
    maps: tuple[np.ndarray, ...]  # each convolution, (channels, side, side)
    hidden: np.ndarray  # (neurons,) the convolutional network's last hidden layer
    shares: np.ndarray  # (2, 10) probabilities: plain, convolutional

    def described(self) -> str:
        """What each network reads, and that they answer to anything."""
        plain, other = self.shares.argmax(1)
        says = (
            f"The plain network reads {plain} ({percent(self.shares[0, plain])}), the convolutional one {other} "
            f"({percent(self.shares[1, other])})"
        )
        if self.inked == 0:
            return f"The paper is blank: draw a digit. A network must answer even to nothing. {says}."
        if self.inked > 0.8:
            return f"The paper is full of ink, which is no digit: press Clear. A network must answer even so. {says}."
        return f"{says}; {percent(self.inked)} of the paper is inked."


@torch.no_grad()
def answer(plain: MLP, convolutional: ConvNet, drawing: str, to_frame: bool) -> Answers:
    """Return what every layer of two networks answers to a drawing.

    Args:
        plain: reads 8 x 8 numbers.
        convolutional: likewise.
        drawing: text as `as_text` writes it.
        to_frame: scale the drawing as `framed` does.

    Raises:
        ValueError: the text is no drawing, or a network answers no numbers.
    """
    paper = from_text(drawing)
    image = counted(framed(paper) if to_frame else paper)
    inputs = torch.tensor(image, dtype=torch.float32)[None]  # (1, 8, 8)
    _, *layers = plain.activations(inputs)
    *maps, hidden, last = convolutional.activations(inputs)
    shares = torch.stack([layers[-1][0], last[0]]).softmax(-1)
    if not shares.isfinite().all():
        raise ValueError("A network answers NaN, not numbers: train it again, with a smaller learning rate.")
    return Answers(
        drawing=as_text(paper),
        inked=float(paper.mean()),
        image=image,
        plain=tuple(layer[0].numpy() for layer in layers[:-1]),
        maps=tuple(layer[0].numpy() for layer in maps),
        hidden=hidden[0].numpy(),
        shares=shares.numpy(),
    )
