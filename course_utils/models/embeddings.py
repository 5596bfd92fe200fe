"""Word vectors: words that stand among the same words get vectors that point the same way.

Two roads to them. *Counting*: how much more often two words stand near each other than chance would have it (positive
pointwise mutual information), and the directions in which that table varies most (singular value decomposition; Levy &
Goldberg 2014). *Guessing*: two vectors a word, trained to tell the words that stand near it from words drawn at random
(skip-gram with negative sampling; Mikolov et al. 2013). Both roads lead to nearly the same place.

>>> words, ids = read_words("the cat sat on the mat, the dog sat on the rug", least=2)
>>> words
['the', 'on', 'sat']
>>> vectors = ppmi_vectors(ids, len(words), width=2, window=2)
>>> vectors.shape
(3, 2)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from torch import Tensor, nn
from torch.nn.functional import embedding, softplus
from tqdm import tqdm

Vectors = NDArray[np.float32]  # (words, width)
PASSAGE = 32  # words in a row that skip-gram reads at once, so that one product of matrices scores all pairs in it
STRANGERS, NEGATIVES = 128, 1  # words drawn in a step of skip-gram, and how much they weigh against one neighbour
RARE = 3e-4  # words more frequent than this share of the text are thinned out


def read_words(text: str, least: int = 10) -> tuple[list[str], NDArray[np.int64]]:
    """The words of a text in lower case, the most frequent first, and the text as their numbers.

    Args:
        text: any text; everything but letters and apostrophes within words separates words.
        least: words that stand in the text fewer times than this are left out, as if they were not there.

    Returns:
        the words, and ``(tokens,)`` int64.
    """
    found = re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower())
    counts = Counter(found)
    words = sorted((word for word, count in counts.items() if count >= least), key=lambda word: (-counts[word], word))
    number = {word: place for place, word in enumerate(words)}
    return words, np.array([number[word] for word in found if word in number], dtype=np.int64)


# ------------------------------------------------------------------------------------------------ counting


def neighbour_counts(ids: NDArray[np.int64], vocabulary: int, window: int) -> sparse.csr_array:
    """How often each word stands at most ``window`` places from each other: ``(vocabulary, vocabulary)``, symmetric.

    >>> neighbour_counts(np.array([0, 1, 0]), vocabulary=2, window=1).toarray()
    array([[0., 2.],
           [2., 0.]])
    """
    both = sparse.csr_array((vocabulary, vocabulary))
    for distance in range(1, window + 1):
        once = np.ones(len(ids) - distance)
        both += sparse.coo_array((once, (ids[:-distance], ids[distance:])), shape=(vocabulary, vocabulary)).tocsr()
    return both + both.T.tocsr()


def positive_mutual_information(counts: sparse.csr_array, flatten: float = 0.75) -> sparse.csr_array:
    """``max(0, log(p(word, neighbour) / (p(word) p(neighbour))))``: how far two words seek each other's company.

    Args:
        counts: from `neighbour_counts`.
        flatten: the power that makes rare neighbours count less (Levy, Goldberg & Dagan 2015, section 3.2).

    >>> together = positive_mutual_information(sparse.csr_array([[0.0, 2.0], [2.0, 0.0]]), flatten=1)
    >>> together.toarray().round(3)  # twice as often as chance: log 2
    array([[0.   , 0.693],
           [0.693, 0.   ]])
    """
    table = counts.tocoo()
    words = counts.sum(axis=1)
    neighbours = words**flatten
    expected = words[table.row] * neighbours[table.col] / neighbours.sum()
    information = np.maximum(np.log(table.data / expected), 0)
    return sparse.coo_array((information, (table.row, table.col)), shape=counts.shape).tocsr()


def ppmi_vectors(
    ids: NDArray[np.int64], vocabulary: int, width: int = 100, window: int = 4, power: float = 0.5, seed: int = 0
) -> Vectors:
    """Word vectors from counts: the strongest directions of the table of positive mutual information.

    Args:
        ids: ``(tokens,)``, the text as word numbers.
        vocabulary: how many words there are.
        width: numbers in a vector; fewer if there are fewer words.
        window: how far neighbours may stand.
        power: of the singular values that scale the directions; 0.5 keeps the strongest few from ruling all.
        seed: of the randomised decomposition.

    Returns:
        ``(vocabulary, width)`` float32.
    """
    table = positive_mutual_information(neighbour_counts(ids, vocabulary, window))
    directions, strengths, _ = randomized_svd(table, min(width, vocabulary - 1), n_iter=2, random_state=seed)
    return (directions * strengths**power).astype(np.float32)


# ------------------------------------------------------------------------------------------------ guessing


class SkipGram(nn.Module):
    """Two vectors a word, one for when it stands in the middle and one for when it stands nearby.

    Args:
        vocabulary: how many words there are.
        width: numbers in a vector.
        seed: of the random starting vectors; the neighbours' start at 0.

    >>> model = SkipGram(vocabulary=10, width=4)
    >>> loss = model(torch.tensor([[1, 2, 3], [3, 4, 5]]), torch.tensor([6, 7, 8]), window=1)
    >>> round(loss.item(), 4)  # two guesses of even chances: 2 log 2
    1.3863
    """

    def __init__(self, vocabulary: int, width: int, seed: int = 0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.middle = nn.Parameter(torch.empty(vocabulary, width).uniform_(-0.5, 0.5, generator=generator) / width)
        self.nearby = nn.Parameter(torch.zeros(vocabulary, width))

    def vectors(self) -> Vectors:
        """One vector a word, ``(vocabulary, width)``: the one for the middle; not a copy, so training changes it."""
        return self.middle.detach().numpy()

    def forward(self, passages: Tensor, strangers: Tensor, window: int) -> Tensor:
        """The loss: the surprisal, in nats, that neighbours are neighbours and that strangers are not.

        Args:
            passages: ``(passages, length)``, pieces of the text; each word is the middle of a window once.
            strangers: ``(strangers,)`` words drawn at random; all words of a step share them.
            window: how far neighbours may stand.

        Returns:
            the mean over the pairs of neighbours, and `NEGATIVES` times the mean over the strangers.
        """
        middle = embedding(passages, self.middle)  # (passages, length, width)
        place = torch.arange(passages.size(1))
        distance = (place[:, None] - place).abs()  # (length, length)
        near = ((distance > 0) & (distance <= window)).float()
        together = middle @ embedding(passages, self.nearby).mT  # (passages, length, length)
        apart = middle.flatten(0, 1) @ embedding(strangers, self.nearby).T  # (passages * length, strangers)
        pairs = near.sum() * len(passages)
        return (softplus(-together) * near).sum() / pairs + NEGATIVES * softplus(apart).mean()


def thinned(ids: NDArray[np.int64], vocabulary: int, seed: int) -> NDArray[np.int64]:
    """The text with most of its very frequent words left out, each with a chance of ``1 - sqrt(RARE / frequency)``.

    Args:
        ids: ``(tokens,)``, the text as word numbers.
        vocabulary: how many words there are.
        seed: of the choice.

    >>> len(thinned(np.zeros(1000, dtype=np.int64), vocabulary=1, seed=0))  # one word is the whole text
    23
    """
    frequency = np.bincount(ids, minlength=vocabulary) / len(ids)
    keep = np.minimum(1, np.sqrt(RARE / np.maximum(frequency, 1e-12)))
    return ids[np.random.default_rng(seed).random(len(ids)) < keep[ids]]


def skipgram_vectors(
    ids: NDArray[np.int64],
    vocabulary: int,
    width: int = 100,
    window: int = 8,
    steps: int = 3000,
    batch: int = 64,
    learning_rate: float = 0.04,
    seed: int = 0,
    on_step: Callable[[int, float, Vectors], bool | None] | None = None,
) -> Vectors:
    """Word vectors from guessing: skip-gram with negative sampling, trained with Adam, the learning rate falling to 0.

    Strangers are drawn in proportion to their frequency to the power of 0.75, and frequent words are left out with a
    chance of ``1 - sqrt(0.0003 / frequency)`` before windows are laid (both: Mikolov et al. 2013, section 2).

    Args:
        ids: ``(tokens,)``, the text as word numbers.
        vocabulary: how many words there are.
        width: numbers in a vector.
        window: how far neighbours may stand.
        steps: of training.
        batch: passages of `PASSAGE` words in a step.
        learning_rate: the first.
        seed: of everything random.
        on_step: called with the step, its loss and the vectors so far (copy what you keep); True ends the training.

    Returns:
        ``(vocabulary, width)`` float32.
    """
    generator = torch.Generator().manual_seed(seed)
    kept = torch.from_numpy(thinned(ids, vocabulary, seed))
    if len(kept) <= PASSAGE:
        raise ValueError(f"{len(kept)} words are left of the text, too few for passages of {PASSAGE}; give more text.")
    drawing = torch.from_numpy((np.bincount(ids, minlength=vocabulary) / len(ids)) ** 0.75)
    model = SkipGram(vocabulary, width, seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / steps)
    for step in tqdm(range(steps), unit="step"):
        starts = torch.randint(len(kept) - PASSAGE, (batch, 1), generator=generator)
        strangers = torch.multinomial(drawing, STRANGERS, replacement=True, generator=generator)
        loss = model(kept[starts + torch.arange(PASSAGE)], strangers, window)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if on_step is not None and on_step(step, loss.item(), model.vectors()):
            break
    return model.vectors()


# ------------------------------------------------------------------------------------------------ geometry


def unit(vectors: Vectors) -> Vectors:
    """The same directions with length 1, so that a dot product is a cosine; a vector of zeros stays.

    >>> unit(np.array([[3.0, 4.0]], dtype=np.float32))
    array([[0.6, 0.8]], dtype=float32)
    """
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1)).astype(np.float32)


def nearest(vectors: Vectors, target: NDArray[np.float32], n: int = 5, without: Sequence[int] = ()) -> list[int]:
    """The rows that point most nearly where ``target`` points, by cosine, the nearest first.

    Args:
        vectors: ``(words, width)``.
        target: ``(width,)``.
        n: how many.
        without: rows that do not count, as the word that was asked about.

    >>> nearest(np.eye(3, dtype=np.float32), np.array([1.0, 0.5, 0.0], dtype=np.float32), n=2, without=[0])
    [1, 2]
    """
    cosines = unit(vectors) @ unit(target)
    cosines[list(without)] = -np.inf
    return np.argsort(-cosines, kind="stable")[: min(n, len(vectors) - len(set(without)))].tolist()


def analogy(vectors: Vectors, a: int, b: int, c: int, n: int = 1) -> list[int]:
    """A is to b as c is to what? The rows nearest to ``b - a + c``, of unit vectors, without these three.

    >>> plane = np.array([[0, 1], [1, 1], [0, 2], [1, 2.0], [-1, 0]], dtype=np.float32)
    >>> analogy(plane, 0, 1, 2)
    [3]
    """
    one = unit(vectors)
    return nearest(one, one[b] - one[a] + one[c], n, without=(a, b, c))
