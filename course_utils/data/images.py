"""Real images: handwritten digits and photographs, which come with scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

# Where each filled-in form begins in scikit-learn's file order; see `digits`.
FORM_STARTS = (0, 130, 256, 386, 516, 646, 776, 906, 1029, 1157, 1287, 1415, 1545, 1667)


@dataclass(frozen=True)
class Digits:
    """Real handwritten digits in two parts. Images ``(n, 8, 8)`` float32, 0 = paper and 1 = ink; the rest int64."""

    train_images: Tensor
    train_labels: Tensor
    train_forms: Tensor  # which of the 14 filled-in forms each digit comes from
    test_images: Tensor
    test_labels: Tensor
    test_forms: Tensor


def digits(split: str = "stratified", seed: int = 0) -> Digits:
    """1,797 digits that 13 people wrote, 8 x 8 pixels each.

    Args:
        split: ``"stratified"``: 1,347 to train and 450 to test, drawn at random with equal shares of each digit, so the
            same hands write both. ``"by_writer"``: ten forms to train and four to test (about 1,290 and 510 digits).
        seed: draws the split: which digits, or which four forms.

    What is known about the writers: the file's makers say that 13 people, none of whom wrote the original training
    set, filled in these forms. scikit-learn's copy names no writer. But its labels repeat one sequence of 130 digits 14
    times (with up to eight digits missing), so the file is 14 copies of one form, one after another. What is not
    known: who filled in which. As there is one form more than writers, at least one person filled in two, and these may
    fall on both sides of the split; so ``"by_writer"`` separates forms for certain and writers almost.

    Source: E. Alpaydin and C. Kaynak, UCI "Optical recognition of handwritten digits" (1998), test part, from
    ``sklearn.datasets.load_digits``.

    >>> both = digits()
    >>> both.train_images.shape, both.test_labels.shape
    (torch.Size([1347, 8, 8]), torch.Size([450]))
    """
    import torch
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    source = load_digits()
    forms = np.searchsorted(FORM_STARTS, np.arange(len(source.target)), side="right") - 1
    if split == "stratified":
        train, test = train_test_split(
            np.arange(len(source.target)), test_size=450, stratify=source.target, random_state=seed
        )
    elif split == "by_writer":
        held_out = np.random.default_rng(seed).choice(len(FORM_STARTS), size=4, replace=False)
        train, test = (np.flatnonzero(part) for part in (~np.isin(forms, held_out), np.isin(forms, held_out)))
    else:
        raise ValueError(f'split={split!r} is not known; choose "stratified" or "by_writer".')
    images, labels = torch.tensor(source.images / 16, dtype=torch.float32), torch.tensor(source.target)
    form_of = torch.tensor(forms)
    return Digits(*(column[torch.tensor(part)] for part in (train, test) for column in (images, labels, form_of)))


PHOTOGRAPHS = ("china", "flower")


def photographs() -> dict[str, Tensor]:
    """Two real photographs, ``"china"`` (a temple) and ``"flower"``: ``(427, 640, 3)`` float32, 0 to 1, red-green-blue.

    Source: ``sklearn.datasets.load_sample_images``; the photographers' names and licences are in its description.

    >>> {name: tuple(photograph.shape) for name, photograph in photographs().items()}
    {'china': (427, 640, 3), 'flower': (427, 640, 3)}
    """
    import torch
    from sklearn.datasets import load_sample_image

    return {name: torch.tensor(load_sample_image(f"{name}.jpg") / 255, dtype=torch.float32) for name in PHOTOGRAPHS}
