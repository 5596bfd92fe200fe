"""N-gram models agree with a calculation by hand, are distributions, and guess held-out text."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import sampling
from course_utils.models.ngram import AddK, KneserNey, NGramCounts
from course_utils.tokenizers import CharacterTokenizer

A, B, C = 0, 1, 2
TEXT = [A, B, A, B, B, C, A, B, A, A]  # ababbcabaa


def test_counts_are_those_of_a_dictionary():
    counts = NGramCounts(TEXT, vocabulary=3, order=4)
    for n in range(1, 5):
        rows = [tuple(TEXT[start : start + n]) for start in range(len(TEXT) - n + 1)]
        assert counts.distinct(n) == len(set(rows))
        for row in set(rows):
            assert counts.count(row) == rows.count(row)
    assert counts.count([C, C]) == 0 and counts.count([C, C, A]) == 0


def test_left_neighbours_are_counted_without_repetition():
    counts = NGramCounts(TEXT, vocabulary=3, order=3)
    # before a: b, c, a (three); before b: a, b; before c: b.   before ab: b, c; aa: b; ba: a; bb: a; bc: b; ca: b
    assert counts.left[0].tolist() == [3, 2, 1]
    assert dict(zip(counts.keys[1].tolist(), counts.left[1].tolist(), strict=True)) == {
        A * 3 + A: 1, A * 3 + B: 2, B * 3 + A: 1, B * 3 + B: 1, B * 3 + C: 1, C * 3 + A: 1,
    }  # fmt: skip


def test_kneser_ney_by_hand():
    """Bigrams of TEXT: aa 1, ab 3, ba 2, bb 1, bc 1, ca 1.

    Order 2: n1 = 4 (aa, bb, bc, ca), n2 = 1 (ba), so D2 = 4 / 6. Order 1 counts left neighbours: a 3, b 2, c 1; n1 = 1,
    n2 = 1, so D1 = 1/3. Lowest: each token has 1/3.
    """
    low, high = 1 / 3, 4 / 6
    one = {
        A: (3 - low) / 6 + low * 3 / 6 / 3,
        B: (2 - low) / 6 + low * 3 / 6 / 3,
        C: (1 - low) / 6 + low * 3 / 6 / 3,
    }
    assert sum(one.values()) == pytest.approx(1)
    after_a = {  # 4 in all (aa 1, ab 3), 2 different
        A: (1 - high) / 4 + high * 2 / 4 * one[A],
        B: (3 - high) / 4 + high * 2 / 4 * one[B],
        C: high * 2 / 4 * one[C],
    }
    after_c = {A: (1 - high) / 1 + high * one[A], B: high * one[B], C: high * one[C]}  # ca 1
    model = KneserNey(NGramCounts(TEXT, vocabulary=3, order=2))
    assert model.discounts == pytest.approx([low, high])
    assert model.next_probabilities([]) == pytest.approx([one[token] for token in (A, B, C)])
    assert model.next_probabilities([B, A]) == pytest.approx([after_a[token] for token in (A, B, C)])
    assert model.next_probabilities([C]) == pytest.approx([after_c[token] for token in (A, B, C)])
    bits = -sum(map(math.log2, (one[C], after_c[A], after_a[C]))) / 3
    assert model.bits_per_token([C, A, C]) == pytest.approx(bits)


def test_add_k_by_hand():
    model = AddK(NGramCounts(TEXT, vocabulary=3, order=2), k=0.5)
    assert model.next_probabilities([A]) == pytest.approx([1.5 / 5.5, 3.5 / 5.5, 0.5 / 5.5])
    assert model.probabilities([A, B])[1] == pytest.approx(3.5 / 5.5)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("make", [KneserNey, AddK, lambda counts, order: AddK(counts, order, k=0)])
def test_a_text_and_one_next_token_at_a_time_give_the_same(make, order):
    random = np.random.default_rng(0)
    text, other = random.integers(0, 4, 300), random.integers(0, 5, 60)  # token 4 is never seen in training
    model = make(NGramCounts(text, vocabulary=5, order=5), order)
    along = model.probabilities(other)
    for place in range(len(other)):
        if place >= order - 1 or isinstance(model, KneserNey):  # at its start add-k has no history long enough
            following = model.next_probabilities(other[:place].tolist())
            assert following.sum() == pytest.approx(1)
            assert following[other[place]] == pytest.approx(along[place])


@settings(max_examples=60)
@given(st.lists(st.integers(0, 3), min_size=3, max_size=40), st.lists(st.integers(0, 3), max_size=12))
def test_every_history_of_every_text_gives_a_distribution(text, history):
    counts = NGramCounts(text, vocabulary=4, order=3)
    for model in (KneserNey(counts), KneserNey(counts, 1), AddK(counts), AddK(counts, k=0)):
        following = model.next_probabilities(history)
        assert following.min() >= 0 and following.sum() == pytest.approx(1)
        if isinstance(model, KneserNey):
            assert (following > 0).all()


def test_a_large_vocabulary_does_not_overflow():
    random = np.random.default_rng(1)
    text = random.integers(0, 50_257, 2000)
    counts = NGramCounts(text, vocabulary=50_257, order=6)
    assert counts.count(text[100:106].tolist()) == 1
    assert KneserNey(counts).next_probabilities(text[:500].tolist()).argmax() == text[500]


def test_bits_are_infinite_without_smoothing():
    counts = NGramCounts(TEXT, vocabulary=3, order=2)
    assert AddK(counts, k=0).bits_per_token([A, C]) == math.inf
    assert math.isfinite(KneserNey(counts).bits_per_token([A, C]))


def test_it_scores_the_next_token_for_sampling():
    model = KneserNey(NGramCounts(TEXT, vocabulary=3, order=3))
    state = model.start(batch=2, length=10)
    logits = model.next_logits(torch.tensor([[A, B], [A, C]]), state, torch.tensor([[True, True], [False, True]]))
    assert logits.shape == (2, 3)
    assert logits[1].exp().numpy() == pytest.approx(model.next_probabilities([C]), rel=1e-5)
    again = model.next_logits(torch.tensor([[A], [A]]), state)
    assert again[0].exp().numpy() == pytest.approx(model.next_probabilities([A, B, A]), rel=1e-5)


@pytest.mark.parametrize("make", [KneserNey, AddK, lambda counts: AddK(counts, k=0)])
def test_it_writes_what_it_has_seen(make):
    text = "the cat sat. " * 20
    tokenizer = CharacterTokenizer.train(text)
    model = make(NGramCounts(tokenizer.encode(text), len(tokenizer), order=4))
    written = sampling.generate(model, tokenizer, "the c", max_new_tokens=40, temperature=0, seed=0)
    assert "the c" + written == text[:45]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(ids=[0, 5], vocabulary=3, order=1), "token 5 is not in the vocabulary; its tokens are 0 to 2"),
        (dict(ids=[0, 1], vocabulary=3, order=3), "2 tokens are too few for n-grams of 3"),
        (dict(ids=[0, 1], vocabulary=3, order=0), "order=0 from 1 to 16"),
        (dict(ids=[[0, 1]], vocabulary=3, order=1), r"shape \(1, 2\)"),
    ],
)
def test_what_cannot_be_counted_is_refused_in_a_sentence(arguments, words):
    with pytest.raises(ValueError, match=words):
        NGramCounts(**arguments)


def test_wrong_settings_are_refused_in_a_sentence():
    counts = NGramCounts(TEXT, vocabulary=3, order=2)
    with pytest.raises(ValueError, match="order=3 must be from 1 to 2"):
        KneserNey(counts, 3)
    with pytest.raises(ValueError, match="k=-1 must be 0 or more"):
        AddK(counts, k=-1)
    with pytest.raises(ValueError, match="an empty text"):
        KneserNey(counts).bits_per_token([])
