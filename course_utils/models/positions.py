"""Where a token stands: attention alone cannot tell, so the model must be told.

Three ways to tell it: a fixed pattern of waves added to each vector, a learned vector added to each vector
(an ``nn.Embedding``, so no code here), and a rotation of queries and keys.
"""

import torch
from torch import Tensor


def sinusoidal(tokens: int, width: int) -> Tensor:
    """Waves of many lengths, one pair of numbers for each (Vaswani et al. 2017, section 3.5).

    Args:
        tokens: how many positions to describe.
        width: size of one token's vector; even.

    Returns:
        ``(tokens, width)``: sines in the even columns, cosines in the odd ones.

    Raises:
        ValueError: if ``width`` is odd.

    >>> sinusoidal(3, 4)[0]
    tensor([0., 1., 0., 1.])
    """
    if width % 2:
        raise ValueError(f"width={width} must be even, because each wave needs a sine and a cosine; try {width + 1}")
    angles = wave_angles(tokens, width, base=10_000.0)  # (tokens, width / 2)
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1).float()


def rotary_angles(tokens: int, head_width: int, base: float = 10_000.0) -> Tensor:
    """By how much rotary positions turn each pair of numbers at each position (Su et al. 2021, eq. 15).

    Args:
        tokens: how many positions to describe.
        head_width: size of one head's query; even.
        base: larger bases turn more slowly and tell positions apart over longer texts.

    Returns:
        ``(tokens, head_width / 2)`` complex numbers ``cos(angle) + i sin(angle)``: multiplying by one turns a point
        of the plane by its angle.

    Raises:
        ValueError: if ``head_width`` is odd.

    At position 0 nothing turns; at position 1 the first pair turns by one radian, the second by a hundredth of it:

    >>> rotary_angles(2, 4)
    tensor([[1.0000+0.0000j, 1.0000+0.0000j],
            [0.5403+0.8415j, 0.9999+0.0100j]])
    """
    if head_width % 2:
        raise ValueError(f"head_width={head_width} must be even, because rotation takes pairs; try {head_width + 1}")
    angles = wave_angles(tokens, head_width, base)  # (tokens, head_width / 2)
    return torch.polar(torch.ones_like(angles), angles).to(torch.complex64)


def rotate(vectors: Tensor, rotary: Tensor) -> Tensor:
    """Turn each pair of numbers ``(x, y)``, read as the point ``x + iy`` of a plane, by its token's angle.

    The dot product of a query and a key turned this way depends on the distance between their tokens and on nothing
    else about their positions.

    Here a pair is two neighbours, as in the paper and in GGUF files. Most other checkpoints (Llama's, as
    ``transformers`` stores them) pair number ``i`` with number ``i + head_width / 2``. Both are the same model with the
    rows of its query and key matrices in another order, and `pretrained.from_llama` reorders them.

    Args:
        vectors: ``(batch, heads, tokens, head_width)`` queries or keys.
        rotary: rows of `rotary_angles`, ``(tokens, head_width / 2)`` or any shape that broadcasts against
            ``(batch, heads, tokens, head_width / 2)``.

    Returns:
        The same shape and precision as ``vectors``.

    >>> quarter = torch.polar(torch.ones(1, 1), torch.full((1, 1), torch.pi / 2))
    >>> rotate(torch.tensor([[3.0, 4.0]]), quarter).round()
    tensor([[-4.,  3.]])
    """
    points = torch.view_as_complex(vectors.float().unflatten(-1, (-1, 2)))  # (..., tokens, head_width / 2)
    return torch.view_as_real(points * rotary).flatten(-2).type_as(vectors)


def wave_angles(tokens: int, width: int, base: float) -> Tensor:
    """Angle of wave ``i`` at position ``p``: ``p / base ** (2 i / width)``, in radians, float64.

    >>> wave_angles(2, 4, base=100.0)
    tensor([[0.0000, 0.0000],
            [1.0000, 0.1000]], dtype=torch.float64)
    """
    speeds = base ** -(torch.arange(0, width, 2, dtype=torch.float64) / width)  # (width / 2)
    return torch.outer(torch.arange(tokens, dtype=torch.float64), speeds)
