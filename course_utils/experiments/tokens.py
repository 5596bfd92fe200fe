"""What lesson 06 measures: tokenizers of the plays, kinds of GPT-2's tokens, and how a chat model counts letters."""

import functools
import re
from collections.abc import Collection

import regex
import tiktoken
import torch
from tiktoken_ext import openai_public

from course_utils import data
from course_utils.models.transformer import Transformer
from course_utils.tokenizers import BPETokenizer

LARGEST = 4000  # tokens that are learned from the plays
LEARNED_FROM = 1_000_000  # characters of the plays
KINDS = (
    "a word with its space", "a word without a space", "a piece of a word", "several words", "a number",
    "other signs", "spaces and line breaks", "a part of a character",
)  # fmt: skip


def first_merges(tokenizer: BPETokenizer, size: int) -> BPETokenizer:
    """The same tokenizer as it was when it had only so many tokens: 256 bytes, and the merges that were learned first.

    >>> first_merges(BPETokenizer.gpt2(), 257).encode(" the")
    [256, 71, 68]
    """
    if size < 256:
        raise ValueError(
            f"A vocabulary of {size} is too small for byte pairs: each of the 256 bytes needs a token of its own. "
            "Choose 256 or more."
        )
    if size >= len(tokenizer):
        return tokenizer
    return BPETokenizer(tokenizer.tokens[:size], list(tokenizer.merges)[: size - 256], pre=tokenizer.pre)


def some_plays() -> str:
    """The first million characters of the 26 plays that this course's models learn from.

    >>> len(some_plays())
    1000000
    """
    return data.plays_text("train")[:LEARNED_FROM]


@functools.lru_cache(maxsize=1)
def _largest() -> BPETokenizer:
    return BPETokenizer.train(some_plays(), LARGEST)


def play_tokenizer(size: int) -> BPETokenizer:
    """Byte pairs learned from `some_plays`, the first ``size`` tokens of them.

    Raises:
        ValueError: fewer than 256, or more than were learned.
    """
    if size > LARGEST:
        raise ValueError(f"From the plays, {LARGEST:,} tokens were learned, not {size:,}: choose {LARGEST:,} or fewer.")
    return _largest() if size == LARGEST else first_merges(_largest(), size)


@functools.lru_cache(maxsize=1)
def known_words() -> frozenset[str]:
    """Every word of the plays and of the speeches, in small letters."""
    texts = (data.shakespeare(), *(speech.text for speech in data.speeches()))
    return frozenset(word for text in texts for word in set(re.findall(r"[^\W\d_]+", text.lower())))


def kind_of_token(token: bytes, words: Collection[str]) -> str:
    r"""Which of `KINDS` a token is; a word is what ``words`` holds.

    >>> words = {"the", "he"}
    >>> [kind_of_token(token, words) for token in (b" The", b"he", b" strawb")]
    ['a word with its space', 'a word without a space', 'a piece of a word']
    >>> [kind_of_token(token, words) for token in (b"123", b" !", b"\n\n", b"the he", "日".encode()[:2])]
    ['a number', 'other signs', 'spaces and line breaks', 'several words', 'a part of a character']
    """
    try:
        text = token.decode()
    except UnicodeDecodeError:
        return "a part of a character"
    body = text.strip()
    if not body:
        return "spaces and line breaks"
    if regex.search(r"\p{L}\s+\p{L}", text):
        return "several words"
    if regex.fullmatch(r"\p{L}+", body):
        whole = "a word with its space" if text[0] == " " else "a word without a space"
        return whole if body.lower() in words else "a piece of a word"
    return "a number" if regex.fullmatch(r"\p{N}+", body) else "other signs"


def tiktoken_gpt2(tokenizer: BPETokenizer) -> tiktoken.Encoding:
    """The library tiktoken with the vocabulary of our GPT-2 tokenizer, and its own way to cut and merge.

    tiktoken would fetch this vocabulary over the network; here it gets the same tokens from the course's files.

    >>> tiktoken_gpt2(BPETokenizer.gpt2()).encode_ordinary("Hello world")
    [15496, 995]
    """
    ranks = {token: number for number, token in enumerate(tokenizer.tokens) if number != tokenizer.end}
    return tiktoken.Encoding("gpt2", pat_str=openai_public.r50k_pat_str, mergeable_ranks=ranks, special_tokens={})


def count_of_letter(model: Transformer, tokenizer: BPETokenizer, word: str, letter: str, *, spelled: bool) -> int:
    """How often a chat model says that a letter stands in a word: 1, 2 or 3, whichever it finds likeliest.

    Args:
        model: a chat model.
        tokenizer: its own.
        word: one word.
        letter: one of its letters.
        spelled: write the word with a space between its letters.
    """
    written = ": " + " ".join(word) if spelled else f" the word {word}"
    question = f"How many times does the letter {letter} occur in{written}?"
    ids = tokenizer.encode_chat([{"role": "user", "content": question}])
    ids += tokenizer.encode(f'The letter "{letter}" occurs ')
    with torch.inference_mode():
        logits = model(torch.tensor([ids]))[0, -1]
    return max((1, 2, 3), key=lambda count: logits[tokenizer.encode(str(count))[0]].item())
