"""Byte-pair encoding of a text of one's own, one merge after another."""

from dataclasses import dataclass
from itertools import pairwise, takewhile

from course_utils.tokenizers import BPETokenizer
from course_utils.tokenizers.byte_pair import PATTERNS, Pair, byte_alphabet, learn_merges


@dataclass(frozen=True)
class Merge:
    """One merge: the two tokens that become one, and how often they stood side by side."""

    left: bytes
    right: bytes
    count: int


@dataclass(frozen=True)
class Learned:
    """What byte-pair encoding learns from one text: pieces, and the merges whose pair stands there at least twice."""

    text: str
    pieces: tuple[str, ...]
    merges: tuple[tuple[Pair, int], ...]  # each pair with its count
    tokens: tuple[bytes, ...]  # by id

    def merge(self, number: int) -> Merge:
        """The merge of a number, counted from 0."""
        (left, right), count = self.merges[number]
        return Merge(self.tokens[left], self.tokens[right], count)


@dataclass(frozen=True)
class Merged:
    """A text after some merges, and the merge that comes next."""

    text: str
    ids: tuple[int, ...]
    tokens: tuple[bytes, ...]
    joined: frozenset[int]  # places of the tokens that the next merge joins
    done: tuple[Merge, ...]  # the merges so far
    next: Merge | None  # the one to come, if a pair stands twice


def learn(text: str) -> Learned:
    """All merges of a text.

    >>> learn("abab").merge(0)
    Merge(left=b'a', right=b'b', count=2)
    """
    tokens = [bytes([byte]) for byte in byte_alphabet()]
    merges = tuple(takewhile(lambda step: step[1] > 1, learn_merges(text)))
    for (left, right), _ in merges:
        tokens.append(tokens[left] + tokens[right])
    return Learned(text, tuple(PATTERNS["gpt-2"].findall(text)), merges, tuple(tokens))


def after_merges(learned: Learned, merges: int) -> Merged:
    """The text after so many merges.

    >>> after_merges(learn("abab"), 1).tokens
    (b'ab', b'ab')
    """
    if merges > len(learned.merges):
        raise ValueError("No pair of tokens stands twice in this text, so there is nothing to merge: type more.")
    known = {pair: 256 + number for number, (pair, _) in enumerate(learned.merges[:merges])}
    tokenizer = BPETokenizer(learned.tokens[: 256 + merges], known)
    following = learned.merges[merges] if merges < len(learned.merges) else None
    ids: list[int] = []
    joined: set[int] = set()
    for piece in map(tokenizer.encode, learned.pieces):  # no merge crosses from one piece to the next
        places = [at for at, pair in enumerate(pairwise(piece)) if following and pair == following[0]]
        joined |= {len(ids) + at + side for at in places for side in (0, 1)}
        ids += piece
    tokens = tuple(map(tokenizer.token_bytes, ids))
    done = tuple(learned.merge(number) for number in range(merges))
    return Merged(
        learned.text, tuple(ids), tokens, frozenset(joined), done, learned.merge(merges) if following else None
    )
