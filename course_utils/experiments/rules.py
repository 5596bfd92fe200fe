"""Telling handwritten threes from eights: by a rule that a person writes, and by one whose numbers come from data."""

from numpy.typing import NDArray

from course_utils import data

SIDE = 8  # pixels


def threes_and_eights(part: str = "train") -> tuple[NDArray, NDArray]:
    """Real digits that show a three or an eight, from `data.digits`.

    Args:
        part: ``"train"``, to learn from, or ``"test"``, held out.

    Returns:
        Images ``(digits, 8, 8)`` with ink from 0 to 1, and labels ``(digits,)``, each 3 or 8.

    >>> images, labels = threes_and_eights("test")
    >>> images.shape, sorted(set(labels.tolist()))
    ((89, 8, 8), [3, 8])
    """
    digits = data.digits()
    known = {"train": (digits.train_images, digits.train_labels), "test": (digits.test_images, digits.test_labels)}
    if part not in known:
        raise ValueError(f"part={part!r} is not known; choose train or test.")
    images, labels = known[part]
    chosen = (labels == 3) | (labels == 8)
    return images[chosen].numpy(), labels[chosen].numpy()


def ink_in(images: NDArray, rows: tuple[int, int], columns: tuple[int, int]) -> NDArray:
    """The ink of each image in a rectangle of pixels, ``(images,)``.

    Args:
        images: ``(images, height, width)``.
        rows: the first and the last, counted from 0.
        columns: the first and the last, counted from 0.

    >>> import numpy as np
    >>> ink_in(np.ones((2, 8, 8)), rows=(3, 5), columns=(0, 2)).tolist()
    [9.0, 9.0]
    """
    return images[:, rows[0] : rows[1] + 1, columns[0] : columns[1] + 1].sum(axis=(1, 2))
