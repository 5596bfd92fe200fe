"""The list of sentences is what it says it is, and both scores count what they say."""

import numpy as np

from course_utils.experiments import sentences
from course_utils.experiments.word_vectors import count_words


def test_every_trap_shares_more_words_than_the_partner():
    assert len(sentences.triples()) == 24
    for first, partner, trap in sentences.triples():
        assert sentences.shared_words(first, partner) < sentences.shared_words(first, trap)
    assert len({text for line in sentences.triples() for text in line}) == 72


def test_a_mean_of_words_skips_unknown_words_and_cannot_see_their_order():
    cat, mouse, odd = sentences.mean_of_words(
        count_words(),
        ["The river is near the lake.", "The lake is near the river.", "The xyzzy river is near the lake."],
    )
    assert np.allclose(cat, mouse, atol=1e-6) and np.allclose(cat, odd, atol=1e-6)
    assert np.linalg.norm(cat) == np.float32(1) or abs(np.linalg.norm(cat) - 1) < 1e-5
