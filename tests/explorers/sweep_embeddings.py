"""How to make the explorers of word vectors for the sweep: small vectors of the listed words, at three steps."""

import functools

import numpy as np

from course_utils.experiments.word_vectors import WordSpace, groups
from course_utils.explorers.embeddings import AnalogyExplorer, EmbeddingMap

from .sweep import factory


@functools.cache
def space() -> WordSpace:
    """Words of the groups and of the tours; a group's words point one way at the end, and any way at the start."""
    random = np.random.default_rng(0)
    listed = groups()
    more = "she he ships french france spain woman man king march".split()
    words = list(dict.fromkeys([word for members in listed.values() for word in members] + more))
    first = random.normal(size=(len(words), 24)).astype(np.float32)
    last = first.copy()
    for number, members in enumerate(listed.values()):
        for word in members:
            last[words.index(word), number] += 6
    return WordSpace("space", words, {0: first, 100: (first + last) / 2, 200: last})


@factory(EmbeddingMap)
def word_map() -> EmbeddingMap:
    return EmbeddingMap(space(), projection="cosine with two words")  # elsewhere the axes' words decide nothing


@factory(AnalogyExplorer)
def sums() -> AnalogyExplorer:
    return AnalogyExplorer(space())
