"""What every tokenizer can do, and text from tokens that arrive one at a time."""

import codecs
from collections.abc import Iterable
from typing import Protocol


class Tokenizer(Protocol):
    """Text to token ids and back.

    A tokenizer of chats also has ``encode_chat(messages) -> list[int]``.

    Attributes:
        end: id of the token that ends a text or an answer, or None.
    """

    end: int | None

    def __len__(self) -> int:
        """How many different tokens there are."""

    def encode(self, text: str) -> list[int]:
        """Text to token ids."""

    def decode(self, ids: Iterable[int]) -> str:
        """Token ids to text."""

    def token_bytes(self, token: int) -> bytes:
        """The bytes (UTF-8) that a token stands for; one token may hold only a part of a character."""


class TextStream:
    """Text from tokens that arrive one at a time; half a character is held back until the rest is there.

    >>> from course_utils.tokenizers import BPETokenizer
    >>> tokenizer = BPETokenizer.gpt2()
    >>> stream = TextStream(tokenizer)
    >>> [stream.push(token) for token in tokenizer.encode("Hi 宮!")] + [stream.finish()]
    ['Hi', ' ', '', '宮', '!', '']
    """

    def __init__(self, tokenizer: Tokenizer):
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, token: int) -> str:
        """The text that this token completes; may be empty."""
        return self._decoder.decode(self._tokenizer.token_bytes(token))

    def finish(self) -> str:
        """What is left at the end: � if the last character never came whole, else nothing."""
        return self._decoder.decode(b"", final=True)
