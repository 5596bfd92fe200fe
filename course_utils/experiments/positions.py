"""How a query's score for a key depends on their positions: with waves, with rotary turns, with learned vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course_utils.models.positions import rotary_angles, rotate, sinusoidal

KINDS = {"rotary": "rotary turns", "waves": "waves (added)", "learned": "learned vectors (added)"}
POSITIONS = 256  # in the text
REFERENCE = 64  # the position that every other is compared with
FARTHEST = 63  # tokens between query and key, at most
WIDTH, HEAD_WIDTH = 64, 32  # of a token's vector and of a query, for waves and rotary turns


@dataclass(frozen=True)
class Scored:
    """The scores of one query and one key, both moved through a text together."""

    kind: str
    position: int  # of the query
    distance: int  # tokens from the query back to the key
    pattern: NDArray[np.float64]  # (POSITIONS, columns): what tells positions apart, from -1 to 1
    here: NDArray[np.float64]  # (FARTHEST + 1,) score by distance, of a query at ``position``
    reference: NDArray[np.float64]  # (FARTHEST + 1,) the same at REFERENCE

    @property
    def gap(self) -> float:
        """The largest difference between the two curves."""
        return float(np.abs(self.here - self.reference).max())

    def pair(self) -> str:
        """Say the score of the chosen pair at both positions."""
        here, there = self.here[self.distance], self.reference[self.distance]
        return f"score {here:+.2f} at position {self.position}, {there:+.2f} at position {REFERENCE}".replace("-", "−")

    def described(self) -> str:
        """Say the kind, the pair, and how far the curves are apart."""
        tokens = "1 token" if self.distance == 1 else f"{self.distance} tokens"
        return (
            f"{KINDS[self.kind][0].upper()}{KINDS[self.kind][1:]}: the key {tokens} before the query: {self.pair()}. "
            f"Over all distances, the two curves differ by {self.gap:.2f} at most."
        )


def scored(kind: str, position: int, distance: int, dice: int, learned: Tensor) -> Scored:
    """Score one word's query against another word's key, at every distance, from two positions in the text.

    The words and the two matrices that make a query and a key of a vector are drawn by chance, as in a model before its
    training. The words have the size of whatever is added to them, so that both count.

    Args:
        kind: one of `KINDS`.
        position: of the query, from FARTHEST to POSITIONS - 1.
        distance: the one that is looked at.
        dice: seed of words and matrices.
        learned: a model's table of positions, ``(at least POSITIONS, width)``.

    >>> scored("rotary", 200, 5, 0, torch.zeros(256, 8)).gap < 1e-4  # the distance is all that counts
    True
    >>> scored("waves", 200, 5, 0, torch.zeros(256, 8)).gap > 0.1
    True
    """
    generator = torch.Generator().manual_seed(dice)
    width = learned.size(1) if kind == "learned" else WIDTH

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    words, to_query, to_key = drawn(2, width), *(drawn(2, width, HEAD_WIDTH) / math.sqrt(width))
    if kind == "rotary":
        angles = rotary_angles(POSITIONS, HEAD_WIDTH)
        queries = rotate((words[0] @ to_query).expand(1, 1, POSITIONS, -1), angles)[0, 0]  # (POSITIONS, HEAD_WIDTH)
        keys = rotate((words[1] @ to_key).expand(1, 1, POSITIONS, -1), angles)[0, 0]
        pattern = torch.view_as_real(angles).flatten(1)
    else:
        table = sinusoidal(POSITIONS, width) if kind == "waves" else learned[:POSITIONS].float()  # (POSITIONS, width)
        spread = table.std()
        queries, keys = (
            (word * spread + table) @ matrix for word, matrix in zip(words, (to_query, to_key), strict=True)
        )
        queries, keys = queries / spread, keys / spread  # so that small vectors have scores of the same size
        pattern = table[:, :WIDTH] if kind == "waves" else (table[:, :WIDTH] / (2 * spread)).clamp(-1, 1)
    scores = (queries @ keys.T / math.sqrt(HEAD_WIDTH)).numpy()  # (POSITIONS, POSITIONS)
    back = np.arange(FARTHEST + 1)
    return Scored(
        kind,
        position,
        distance,
        pattern.numpy(),
        scores[position, position - back],
        scores[REFERENCE, REFERENCE - back],
    )
