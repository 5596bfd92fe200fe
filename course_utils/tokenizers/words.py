"""Two simple tokenizers: each character a token, or each word a token. What the vocabulary lacks becomes *unknown*.

>>> characters = CharacterTokenizer.train("the cat sat")
>>> characters.encode("cash"), characters.decode(characters.encode("cash"))
([3, 2, 6, 5], 'cash')
>>> words = WordTokenizer.train("the cat sat on the mat. The cat ate.", vocabulary_size=4)
>>> [words.tokens[token] for token in words.encode("the cat barked.")]
['�', ' cat', '�', '.']
"""

import operator
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Self

import regex

UNKNOWN = "\ufffd"  # the sign that Unicode has for a character that could not be read

# One word, one number or one run of signs, each with the space before it; the spaces that are left. As GPT-2 cuts text.
_WORD = regex.compile(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")


class TableTokenizer:
    """Text to token ids by looking up each of its pieces in a table; a subclass says what the pieces are.

    Args:
        pieces: the vocabulary without the unknown token, in the order of its ids, from 1 on.

    Attributes:
        tokens: all tokens; 0 is the unknown one.
        unknown: its id.
        end: None; no token ends a text.
    """

    unknown = 0
    end: int | None = None

    def __init__(self, pieces: Sequence[str]):
        self.tokens = [UNKNOWN, *pieces]
        self._ids = {piece: token for token, piece in enumerate(self.tokens)}
        if len(self._ids) < len(self.tokens):
            raise ValueError("the vocabulary holds one piece twice, or the unknown sign; each must come once.")

    @staticmethod
    def split(text: str) -> Iterable[str]:
        """The pieces of a text; joined they are the text."""
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self):,} tokens)"

    def encode(self, text: str) -> list[int]:
        """Text to token ids, 0 for each piece that the vocabulary lacks."""
        if not isinstance(text, str):
            raise TypeError(f"text must be a string to encode, not {type(text).__name__}.")
        return [self._ids.get(piece, self.unknown) for piece in self.split(text)]

    def token_bytes(self, token: int) -> bytes:
        """The bytes (UTF-8) of a token's piece; those of � for the unknown token."""
        try:
            number = operator.index(token)
        except TypeError:
            raise TypeError(f"a token id is a whole number, not {token!r}.") from None
        if not 0 <= number < len(self.tokens):
            raise ValueError(f"token id {number} is not in this vocabulary; its ids go from 0 to {len(self) - 1}.")
        return self.tokens[number].encode("utf-8", errors="replace")

    def decode(self, ids: Iterable[int]) -> str:
        """Token ids to text, with � for each unknown piece."""
        return b"".join(map(self.token_bytes, ids)).decode("utf-8")


class CharacterTokenizer(TableTokenizer):
    """Each character is a token."""

    @classmethod
    def train(cls, text: str) -> Self:
        """A vocabulary of all characters of a text, in the order of Unicode.

        >>> CharacterTokenizer.train("banana").tokens[1:]
        ['a', 'b', 'n']
        """
        return cls(sorted(set(text) - {UNKNOWN}))

    @staticmethod
    def split(text: str) -> Iterable[str]:
        """See `TableTokenizer`."""
        return text


class WordTokenizer(TableTokenizer):
    """Each word with the space before it is a token, and so is each run of punctuation, digits or spaces."""

    @classmethod
    def train(cls, text: str, vocabulary_size: int) -> Self:
        """The most frequent words of a text.

        Args:
            text: what to learn from.
            vocabulary_size: tokens in all, with the unknown one; a short text may give fewer.

        Raises:
            ValueError: if not even one word has room.

        >>> WordTokenizer.train("one two two three three three", vocabulary_size=3).tokens[1:]
        [' three', ' two']
        """
        if vocabulary_size < 2:
            raise ValueError(f"vocabulary_size={vocabulary_size} must be at least 2: one unknown token and one word.")
        counts = Counter(cls.split(text))
        del counts[UNKNOWN]
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        return cls(ranked[: vocabulary_size - 1])

    @staticmethod
    def split(text: str) -> Iterable[str]:
        """See `TableTokenizer`."""
        return _WORD.findall(text)
