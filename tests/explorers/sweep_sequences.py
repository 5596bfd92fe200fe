"""How to make the explorers of sequences for the sweep: a few lines in place of the plays."""

import functools

from course_utils.explorers.sequences import GradientFade, NGramExplorer
from course_utils.models.ngram import NGramCounts
from course_utils.tokenizers import CharacterTokenizer

from .sweep import factory

LINES = "I have to go to the store. I have to go to town. To be or not to be, that is the question.\n" * 3


@functools.cache
def counted() -> tuple[NGramCounts, CharacterTokenizer]:
    tokenizer = CharacterTokenizer.train(LINES)
    return NGramCounts(tokenizer.encode(LINES), len(tokenizer), 6), tokenizer


@factory(NGramExplorer)
def letters() -> NGramExplorer:
    return NGramExplorer(*counted())


@factory(GradientFade)
def fade() -> GradientFade:
    return GradientFade()
