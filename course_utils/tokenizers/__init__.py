"""Tokenizers: text becomes a list of numbers that a model can read, and such a list becomes text again.

`base` says what each of them can do; `byte_pair` holds the kind that GPT-2 and most chat models use, `wordpiece` the
kind that BERT and the sentence encoder use, and `words` the two that one would think of first.
"""

from course_utils.tokenizers.base import TextStream, Tokenizer
from course_utils.tokenizers.byte_pair import BPETokenizer
from course_utils.tokenizers.wordpiece import WordPieceTokenizer
from course_utils.tokenizers.words import CharacterTokenizer, WordTokenizer

__all__ = ["BPETokenizer", "CharacterTokenizer", "TextStream", "Tokenizer", "WordPieceTokenizer", "WordTokenizer"]
