"""Tokenizers: text becomes a list of numbers that a model can read, and such a list becomes text again.

`base` says what each of them can do; `byte_pair` holds the kind that GPT-2 and most chat models use.
"""

from course_utils.tokenizers.base import TextStream, Tokenizer
from course_utils.tokenizers.byte_pair import BPETokenizer

__all__ = ["BPETokenizer", "TextStream", "Tokenizer"]
