"""WordPiece: how BERT and the sentence encoder cut text (Schuster & Nakajima 2012; Devlin et al. 2019, section 4.1).

Text is made plain first: lower case, no accents. Then it is cut at spaces, at every punctuation sign and around every
Chinese character. Each word is then matched with a fixed vocabulary, greedily: the longest piece that the word begins
with, then the longest that the rest begins with, and so on. A piece inside a word is marked ``##``; a word that cannot
be written at all becomes ``[UNK]``. Unlike byte-pair encoding, this cannot be undone: case and accents are lost.

>>> tokenizer = WordPieceTokenizer.minilm()
>>> [tokenizer.tokens[token] for token in tokenizer.encode("Unbelievably déjà-vu!")]
['un', '##bel', '##ie', '##va', '##bly', 'de', '##ja', '-', 'vu', '!']
"""

import operator
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Self

import regex

from course_utils import assets

LONGEST_WORD = 100  # characters; a longer one becomes unknown
REMEMBERED_WORDS = 200_000

_REMOVED = regex.compile(r"(?![\t\n\r])[\p{C}\ufffd]")  # control and format characters, and those not assigned
_IDEOGRAPH = regex.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002b81f\U0002b920-\U0002ceaf"
    "\U0002f800-\U0002fa1f]"
)
_ACCENTS = regex.compile(r"\p{Mn}+")  # what is left of an accent once it is a character of its own
_WORD = regex.compile(r"[\p{P}$+<=>^`|~]|[^\s\p{P}$+<=>^`|~]+")  # a sign (all of ASCII's count), or a run without


def plain(text: str) -> str:
    r"""Lower case without accents, without control characters, and with spaces around Chinese characters.

    >>> plain("Crème\u200b BRÛLÉE 猫だ")
    'creme brulee  猫 た'
    """
    if not text.isascii():
        text = _IDEOGRAPH.sub(r" \g<0> ", _REMOVED.sub("", text))
        text = _ACCENTS.sub("", unicodedata.normalize("NFD", text)).replace("Σ", "σ")  # lower() would look at its place
        return text.lower()
    return _REMOVED.sub("", text).lower()


class WordPieceTokenizer:
    """Text to token ids with a fixed vocabulary of words and pieces of words.

    Args:
        tokens: the vocabulary in the order of its ids; it holds ``[UNK]``, ``[CLS]``, ``[SEP]`` and ``[PAD]``.

    Attributes:
        end: ``[SEP]``, which ends a text.
        unknown: ``[UNK]``.

    >>> tokenizer = WordPieceTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "play", "##ed", "##s"])
    >>> tokenizer.encode("Played plays, play"), tokenizer.encode_sentence("plays")
    ([4, 5, 4, 6, 1, 4], [2, 4, 6, 3])
    """

    def __init__(self, tokens: Sequence[str]):
        self.tokens = list(tokens)
        self._ids = {token: number for number, token in enumerate(self.tokens)}
        missing = [name for name in ("[UNK]", "[CLS]", "[SEP]", "[PAD]") if name not in self._ids]
        if missing:
            raise ValueError(f"the vocabulary lacks {', '.join(missing)}; BERT's has them all.")
        self.unknown, self.begin, self.end, self.padding = (self._ids[f"[{n}]"] for n in ("UNK", "CLS", "SEP", "PAD"))
        self._remembered: dict[str, list[int]] = {}

    @classmethod
    def minilm(cls) -> Self:
        """The vocabulary of BERT and of the asset ``minilm-l6-v2``: 30,522 tokens.

        >>> len(WordPieceTokenizer.minilm())
        30522
        """
        (file,) = assets.path("minilm-l6-v2").rglob("vocab.txt")
        return cls(file.read_text(encoding="utf-8").split("\n")[:-1])

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        return f"WordPieceTokenizer({len(self):,} tokens)"

    def encode(self, text: str) -> list[int]:
        """Text to token ids; names such as ``[SEP]`` in it are text like any other.

        >>> WordPieceTokenizer.minilm().encode("Hello world")
        [7592, 2088]
        """
        if not isinstance(text, str):
            raise TypeError(f"text must be a string to encode, not {type(text).__name__}.")
        ids: list[int] = []
        for word in _WORD.findall(plain(text)):
            known = self._remembered.get(word)
            ids += self._encode_word(word) if known is None else known
        return ids

    def encode_sentence(self, text: str, max_tokens: int = 256) -> list[int]:
        """As a sentence encoder reads it: ``[CLS]``, the text, ``[SEP]``; cut to ``max_tokens`` with these two."""
        if max_tokens < 2:
            raise ValueError(f"max_tokens={max_tokens} must be at least 2, for [CLS] and [SEP].")
        return [self.begin, *self.encode(text)[: max_tokens - 2], self.end]

    def _encode_word(self, word: str) -> list[int]:
        """The longest piece first, then the longest of what is left; all or ``[UNK]``."""
        ids: list[int] = []
        start = 0
        while start < len(word) <= LONGEST_WORD:
            mark = "##" if start else ""
            for end in range(len(word), start, -1):
                token = self._ids.get(mark + word[start:end])
                if token is not None:
                    ids.append(token)
                    start = end
                    break
            else:
                break
        if start < len(word):
            ids = [self.unknown]
        if len(self._remembered) >= REMEMBERED_WORDS:
            self._remembered.clear()
        self._remembered[word] = ids
        return ids

    def token_bytes(self, token: int) -> bytes:
        """The bytes that a token stands for: a word with a space before it, or a piece without its mark.

        >>> tokenizer = WordPieceTokenizer.minilm()
        >>> [tokenizer.token_bytes(token) for token in tokenizer.encode("Tokenizers")]
        [b' token', b'izer', b's']
        """
        try:
            number = operator.index(token)
        except TypeError:
            raise TypeError(f"a token id is a whole number, not {token!r}.") from None
        if not 0 <= number < len(self.tokens):
            raise ValueError(f"token id {number} is not in this vocabulary; its ids go from 0 to {len(self) - 1}.")
        piece = self.tokens[number]
        return (piece[2:] if piece.startswith("##") else f" {piece}").encode()

    def decode(self, ids: Iterable[int]) -> str:
        """Token ids to text: lower case, without accents, one space between words and signs.

        >>> tokenizer = WordPieceTokenizer.minilm()
        >>> tokenizer.decode(tokenizer.encode("Déjà vu!"))
        'deja vu !'
        """
        return b"".join(map(self.token_bytes, ids)).decode("utf-8").removeprefix(" ")
