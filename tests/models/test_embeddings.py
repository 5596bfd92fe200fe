"""Counting is what its formulas say, guessing learns who stands near whom, and geometry finds it again."""

import math

import numpy as np
import pytest
import torch
from scipy import sparse

from course_utils.models.embeddings import (
    SkipGram,
    analogy,
    nearest,
    neighbour_counts,
    positive_mutual_information,
    ppmi_vectors,
    read_words,
    skipgram_vectors,
    unit,
)


def twins(pairs=12, length=100_000, seed=0):
    """A text in which words 2 i and 2 i + 1 stand in the same company, and each pair in company of its own.

    Passages are long, because skip-gram leaves out nineteen in twenty words where all are so frequent.
    """
    random = np.random.default_rng(seed)
    topic = np.repeat(random.integers(pairs, size=length // 500), 500)
    return 2 * topic + random.integers(2, size=len(topic))


def test_words_are_read_in_lower_case_by_frequency():
    words, ids = read_words("It's the END. The end, it's — 'the' end? No: rare", least=2)
    assert words == ["end", "the", "it's"]
    assert ids.tolist() == [2, 1, 0, 1, 0, 2, 1, 0]


def test_neighbours_are_counted_both_ways_within_the_window():
    table = neighbour_counts(np.array([0, 1, 2, 0]), vocabulary=3, window=2).toarray()
    assert table.tolist() == [[0, 2, 2], [2, 0, 1], [2, 1, 0]]


def test_mutual_information_by_hand():
    counts = sparse.csr_array([[0.0, 6.0, 2.0], [6.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    table = positive_mutual_information(counts, flatten=1).toarray()
    assert table[0, 1] == pytest.approx(math.log((6 / 16) / (8 / 16 * 6 / 16)))
    assert table[0, 2] == pytest.approx(math.log((2 / 16) / (8 / 16 * 2 / 16)))
    flattened = positive_mutual_information(counts, flatten=0.5).toarray()
    below = 8**0.5 + 6**0.5 + 2**0.5
    assert flattened[0, 2] == pytest.approx(max(0, math.log((2 / 16) / (8 / 16 * 2**0.5 / below))))


def test_the_skip_gram_loss_and_its_gradient_are_the_formulas():
    generator = torch.Generator().manual_seed(0)
    model = SkipGram(vocabulary=7, width=3).double()
    with torch.no_grad():
        model.middle.normal_(generator=generator)
        model.nearby.normal_(generator=generator)
    passages, strangers = torch.tensor([[0, 4, 1, 2], [2, 5, 5, 3]]), torch.tensor([3, 6, 6])
    loss = model(passages, strangers, window=2)
    pairs = [(i, j) for i in range(4) for j in range(4) if 0 < abs(i - j) <= 2]
    total = torch.zeros((), dtype=torch.float64)
    for passage in passages:
        for i, j in pairs:
            score = model.middle[passage[i]] @ model.nearby[passage[j]]
            total = total - torch.log(torch.sigmoid(score)) / len(pairs) / 2
        for word in passage:
            for stranger in strangers:
                score = model.middle[word] @ model.nearby[stranger]
                total = total - torch.log(torch.sigmoid(-score)) / (3 * 8)
    torch.testing.assert_close(loss, total)
    torch.testing.assert_close(
        torch.autograd.grad(loss, model.middle, retain_graph=True)[0],
        torch.autograd.grad(total, model.middle, retain_graph=True)[0],
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda ids: ppmi_vectors(ids, 24, width=12),
        lambda ids: skipgram_vectors(ids, 24, width=12, steps=150, batch=8),
    ],
)
def test_words_in_the_same_company_end_up_together(make):
    vectors = make(twins())
    assert vectors.shape == (24, 12) and vectors.dtype == np.float32
    found = [nearest(vectors, vectors[word], 1, without=[word])[0] for word in range(24)]
    assert sum(neighbour == word ^ 1 for word, neighbour in enumerate(found)) >= 22


def test_the_seed_decides_and_the_global_state_is_left_alone():
    ids, before = twins(length=10_000), torch.get_rng_state()
    first, again, other = (skipgram_vectors(ids, 24, width=8, steps=20, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_training_stops_when_it_is_told_to():
    seen = []
    skipgram_vectors(
        twins(length=10_000), 24, steps=20, on_step=lambda step, loss, vectors: seen.append(step) or step == 3
    )
    assert seen == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="words are left of the text, too few for passages of 32"):
        skipgram_vectors(np.array([0, 1, 0]), 2)


def test_nearest_asks_for_the_direction_and_not_the_length():
    vectors = np.array([[1, 0], [100, 90], [0.9, 0.1], [0, 0]], dtype=np.float32)
    assert nearest(vectors, vectors[0], n=9, without=[0]) == [2, 1, 3]
    assert np.isfinite(unit(vectors)).all()


def test_an_analogy_never_answers_with_its_own_words():
    vectors = np.array([[1, 0], [1, 0.1], [1, 0.2], [0, 1]], dtype=np.float32)
    assert analogy(vectors, 0, 1, 2) == [3]
