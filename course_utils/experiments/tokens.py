"""What lesson 06 measures: tokenizers of the plays, kinds of GPT-2's tokens, and who can count letters."""

import functools
import random
import re
from collections.abc import Callable, Collection, Sequence

import regex
import tiktoken
import torch
from tiktoken_ext import openai_public
from torch import Tensor

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


def next_numbers(model: Transformer, tokenizer: BPETokenizer, question: str, begun: str) -> dict[int, float]:
    """The probabilities of 1, 2 and 3 as the next token of a chat model's answer, whose beginning is given.

    Args:
        model: a chat model.
        tokenizer: its own.
        question: what the user asks.
        begun: the first words of the answer.
    """
    ids = tokenizer.encode_chat([{"role": "user", "content": question}]) + tokenizer.encode(begun)
    with torch.inference_mode():
        chances = model(torch.tensor([ids]))[0, -1].softmax(-1)
    return {number: chances[tokenizer.encode(str(number))[0]].item() for number in (1, 2, 3)}


def english_words(seed: int = 0) -> list[str]:
    """The words of four letters or more in the presidents' addresses that are there to train on, in random order."""
    words = sorted(set(re.findall("[a-z]{4,}", data.addresses_text("train"))))
    random.Random(seed).shuffle(words)
    return words


def learn_to_count(
    letter: str, encode: Callable[[str], list[int]], words: Sequence[str], tokens: int, steps: int = 300
) -> Tensor:
    """Learn one number for each token, so that the numbers of a word's tokens add up to how often a letter is in it.

    Args:
        letter: to count.
        encode: a word to token ids.
        words: to learn from.
        tokens: how many there are.
        steps: of Adam, each on all the words.

    Returns:
        ``(tokens,)``, 0 where no word has the token.

    >>> learn_to_count("r", lambda word: list(word.encode()), ["ring", "gin", "err"], 128)[ord("r")].round()
    tensor(1.)
    """
    targets = torch.tensor([float(word.count(letter)) for word in words])
    encoded = [encode(word) for word in words]
    ids = torch.tensor([token for word in encoded for token in word])
    owner = torch.tensor([place for place, word in enumerate(encoded) for _ in word])  # the word of each of these ids
    knobs = torch.zeros(tokens, requires_grad=True)
    optimiser = torch.optim.Adam([knobs], lr=0.1)
    for _ in range(steps):
        guesses = torch.zeros(len(words)).index_add(0, owner, knobs[ids])  # (words,)
        loss = ((guesses - targets) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return knobs.detach()


def counted_letters(encode: Callable[[str], list[int]], knobs: Tensor, word: str) -> int:
    """What a learner of `learn_to_count` says of a word: the sum of its tokens' numbers, rounded."""
    return round(float(knobs[encode(word)].sum()))
