"""Sentence vectors go by meaning and not by words; padding counts for nothing."""

import pytest
import torch

from course_utils.retrieval import mean_vectors, sentence_vectors


def test_meaning_counts_more_than_shared_words():
    asked, same, words = sentence_vectors(
        ["The doctor gave me some pills.", "I received medicine from a physician.", "The doctor gave me some books."]
    )
    far = sentence_vectors(["Interest rates were raised again."])[0]
    assert asked @ same > 0.5 > 0.2 > asked @ far
    assert asked @ words > asked @ far


def test_the_order_of_words_counts():
    cat, mouse = sentence_vectors(["The cat ate the mouse.", "The mouse ate the cat."])
    assert 0.9 < cat @ mouse < 0.999


def test_order_and_number_of_texts_do_not_matter():
    texts = [f"{'very ' * n}long" for n in range(70)]
    found = sentence_vectors(texts)
    assert torch.allclose(found[:3], sentence_vectors(texts[:3]), atol=1e-5)
    assert torch.allclose(found, sentence_vectors(texts[::-1]).flip(0), atol=1e-5)
    assert sentence_vectors([]).shape == (0, 384)


def test_one_text_instead_of_a_list_is_refused_in_a_sentence():
    with pytest.raises(TypeError, match=r"takes a list of texts, not one text: write \[text\]"):
        sentence_vectors("a text")


def test_padding_counts_for_nothing():
    states = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    found = mean_vectors(states, mask)
    states[1, 2:] = 1e6
    assert torch.equal(found, mean_vectors(states, mask))
    torch.testing.assert_close(found[1] / found[1].norm(), states[1, :2].mean(0) / states[1, :2].mean(0).norm())
