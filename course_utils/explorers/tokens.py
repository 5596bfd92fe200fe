"""Explorers of tokens: any text as the tokens of four tokenizers, and byte-pair encoding one merge at a time."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from course_utils.experiments.merging import Learned, Merge, Merged, after_merges, learn
from course_utils.experiments.tokens import first_merges, play_tokenizer, some_plays
from course_utils.explorers.base import Button, Choice, Html, Slider, Stop, Text, TextExplorer, tag
from course_utils.plots.style import INK, visible
from course_utils.tokenizers import BPETokenizer, CharacterTokenizer, Tokenizer, WordTokenizer

MOST = 500  # tokens that are drawn; of a longer text the others are counted
BOX = f"border:1px solid {INK};border-radius:3px;padding:0 2px;color:{INK};"
FACES = ("background:#dbe9f6", "background:#fde0c8")
NEXT = ";border-width:3px;font-weight:bold"  # of the two tokens that the next merge joins


def shown(token: bytes) -> str:
    r"""A token as a reader can see it: a part of a character as its bytes, a sign without a picture as its number.

    >>> shown(b" the"), shown("日".encode()), shown("日".encode()[:2]), shown("\u202e".encode())
    ('␣the', '日', 'E6 97', 'U+202E')
    """
    try:
        text = visible(token.decode())
    except UnicodeDecodeError:
        return token.hex(" ").upper()
    return "".join(sign if sign.isprintable() else f"U+{ord(sign):04X}" for sign in text)


def boxes(tokens: Sequence[bytes], ids: Sequence[int], joined: Collection[int] = ()) -> Html:
    """Each token in a box with its id above it; every second box is marked.

    Args:
        tokens: their bytes.
        ids: their ids.
        joined: places of the tokens that the next merge joins.

    >>> ">262</rt>" in boxes([b" the"], [262])
    True
    """
    drawn = []
    for at, (token, number) in enumerate(zip(tokens[:MOST], ids, strict=False)):
        look = BOX + FACES[at % 2] + (NEXT if at in joined else "")
        face = tag("mark" if at % 2 else "span", tag("b" if at in joined else "", shown(token)), style=look)
        above = (tag("rp", " ("), tag("rt", str(number), style="font-size:11px"), tag("rp", ") "))
        drawn.append(tag("bdi", tag("ruby", face, *above), " "))  # each by itself, whichever way its script runs
    more = f"… and {len(tokens) - MOST:,} more" if len(tokens) > MOST else ""
    return tag("div", *drawn, more, style="line-height:2.3")


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "token"), counted(1200, "token")
    ('1 token', '1,200 tokens')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


# ------------------------------------------------------------------------------------------------- a text as tokens


@dataclass(frozen=True)
class Encoded:
    """A text and its tokens."""

    text: str
    ids: tuple[int, ...]
    tokens: tuple[bytes, ...]
    unknown: int  # how many of them say only that something unknown stood there
    vocabulary: int

    @property
    def listed(self) -> str:
        """The tokens with their ids, as a sentence can hold them."""
        return ", ".join(f"{shown(token)} ({number})" for token, number in zip(self.tokens, self.ids, strict=True))

    @property
    def sizes(self) -> str:
        """How many characters became how many tokens."""
        return f"{counted(len(self.text), 'character')}, {counted(len(self.ids), 'token')}"


def _words(size: int) -> Tokenizer:
    return WordTokenizer.train(some_plays(), size)


def _characters(size: int) -> Tokenizer:
    return CharacterTokenizer.train(some_plays())


def _gpt2(size: int) -> Tokenizer:
    return first_merges(BPETokenizer.gpt2(), size)


# How each tokenizer is made with a vocabulary of some size, and the size that it has at first.
KINDS: dict[str, tuple[Callable[[int], Tokenizer], int]] = {
    "characters": (_characters, 80),
    "words": (_words, 4000),
    "byte pairs, Shakespeare": (play_tokenizer, 1000),
    "byte pairs, GPT-2": (_gpt2, 50_257),
}
QUESTION, JAPANESE = "How many r are in strawberry?", "イチゴのつづりにrはいくつありますか。"


TOKENS_TOUR: tuple[Stop, ...] = (
    ({"text": QUESTION}, lambda now: f"A chat model reads numbers. This question is {now.sizes}."),
    ({"text": " strawberry"}, lambda now: f"With its space, the word is {now.listed}: one number, no letters."),
    (
        {"text": "strawberry"},
        lambda now: f"Without the space: {now.listed}. Three numbers, and still no single letters.",
    ),
    (
        {"text": QUESTION, "tokenizer": "characters", "vocabulary": 80},
        lambda now: f"One token for each character: {now.sizes}. Each letter is seen, but the text gets long.",
    ),
    (
        {"text": QUESTION, "tokenizer": "words", "vocabulary": 4000},
        lambda now: f"Words, the commonest of the plays: {now.sizes}, but {now.unknown} of them unknown (�).",
    ),
    (
        {"text": QUESTION, "tokenizer": "byte pairs, Shakespeare", "vocabulary": 1000},
        lambda now: f"Pieces learned from Shakespeare: {now.sizes}, and nothing is unknown.",
    ),
    ({"text": JAPANESE}, lambda now: f"The same question in Japanese, for GPT-2: {now.sizes}."),
)


class TokenExplorer(TextExplorer):
    """A text of your own as tokens: what a model reads of it.

    Args:
        start: first values of the controls: text, tokenizer, vocabulary.
    """

    height = 230
    text = Text(QUESTION, rows=3, slow=False)
    tokenizer = Choice(list(KINDS), "byte pairs, GPT-2", slow=True)
    vocabulary = Choice((80, 100, 256, 300, 500, 1000, 2000, 4000, 8000, 16_000, 50_257), 50_257, slow=True)
    tour = TOKENS_TOUR

    def dependent_values(self, name: str, value: Any) -> dict[str, Any]:
        """Each tokenizer starts with its usual size."""
        return {"vocabulary": KINDS[value][1]} if name == "tokenizer" else {}

    def prepare(self, tokenizer: str, vocabulary: int) -> Tokenizer:
        """Return the tokenizer; the first one of the plays takes some seconds."""
        return KINDS[tokenizer][0](vocabulary)

    def compute(self, prepared: Tokenizer, text: str) -> Encoded:
        """Return the tokens of the text."""
        ids = tuple(prepared.encode(text))
        unknown = 0 if isinstance(prepared, BPETokenizer) else ids.count(0)
        return Encoded(text, ids, tuple(map(prepared.token_bytes, ids)), unknown, len(prepared))

    def render(self, result: Encoded) -> str:
        """Each token in its box."""
        return boxes(result.tokens, result.ids) if result.ids else "(The text is empty: type something above.)"

    def caption(self, result: Encoded) -> str:
        """Say how many characters became how many tokens, and how large the vocabulary is."""
        each = f"{len(result.text) / len(result.ids):.2f} characters per token" if result.ids else "nothing to read"
        lost = f", {result.unknown:,} of them unknown" if result.unknown else ""
        return f"{result.sizes}{lost}: {each}. The vocabulary has {result.vocabulary:,} tokens."


# ------------------------------------------------------------------------------------------------- merge by merge


def joins(merge: Merge) -> str:
    """A merge as a sentence can hold it.

    >>> joins(Merge(b" t", b"he", 2))
    '␣t + he'
    """
    return f"{shown(merge.left)} + {shown(merge.right)}"


def comes(now: Merged) -> str:
    """What the next merge joins, in words."""
    return f"{joins(now.next)}, which occurs {now.next.count} times" if now.next else "No pair occurs twice any more"


def latest(now: Merged) -> Html:
    """The tokens; those that the next merge joins have a thick frame. Below, the latest merges."""
    done = [f"{256 + at} = {joins(merge)}, {merge.count} times" for at, merge in enumerate(now.done)]
    made = tag("div", "Latest merges: ", "; ".join(done[-6:][::-1]), style="line-height:1.4") if done else ""
    return tag("", boxes(now.tokens, now.ids, now.joined), made)


MERGES_TOUR: tuple[Stop, ...] = (
    ({"merges": 0}, lambda now: f"At first each byte is a token: {len(now.ids)} of them. Next: {comes(now)}."),
    (
        {"merges": 1},
        lambda now: f"One merge, {len(now.ids)} tokens. The new token can be merged again: {comes(now)}.",
    ),
    ({"merges": 3}, lambda now: f"Three merges, {len(now.ids)} tokens. Next: {comes(now)}."),
    ({"merges": 8}, lambda now: f"Eight merges: {len(now.ids)} tokens, and whole words appear."),
    (
        {"text": "aaabdaaabac", "merges": 3},
        lambda now: f"The example of the textbooks, after three merges: {len(now.ids)} tokens. {comes(now)}.",
    ),
)


class MergeStepper(TextExplorer):
    """Byte-pair encoding learned from a text of your own, one merge for each click.

    Args:
        start: first values of the controls: text, merges.
    """

    height = 270
    text = Text("How much wood would a woodchuck chuck if a woodchuck could chuck wood?", rows=3, maximum=1000)
    merges = Slider(0, 20, 0, label="merges done")
    merge_once = Button("Merge", "do_merge")
    take_back = Button("Undo the last merge", "undo_merge")
    tour = MERGES_TOUR

    def do_merge(self) -> None:
        """Merge once more."""
        if self.merges == len(self.learned.merges):
            raise ValueError("No pair occurs here twice any more, so there is nothing to merge. Type a longer text.")
        self.set(merges=self.merges + 1)

    def undo_merge(self) -> None:
        """Take the last merge back."""
        if self.merges == 0:
            raise ValueError("No merge is done yet, so there is nothing to undo.")
        self.set(merges=self.merges - 1)

    def prepare(self, text: str) -> Learned:
        """Return all merges of this text."""
        return learn(text)

    def dependent_controls(self, prepared: Learned) -> dict[str, Slider]:
        """As many merges as the text has."""
        self.learned = prepared
        return {"merges": Slider(0, max(1, len(prepared.merges)), 0, label="merges done")}

    def compute(self, prepared: Learned, merges: int) -> Merged:
        """Return the text after so many merges."""
        self.learned = prepared
        return after_merges(prepared, merges)

    def render(self, result: Merged) -> str:
        """The tokens, and the latest merges."""
        return latest(result) if result.ids else "(The text is empty: type something above.)"

    def caption(self, result: Merged) -> str:
        """Say how many merges are done, how many tokens are left, and what comes next."""
        size = f"{counted(len(result.text), 'character')}, {counted(len(result.ids), 'token')}"
        following = f"Next: {comes(result)}" if result.next else comes(result)
        return f"After {counted(len(result.done), 'merge')}: {size}. {following}."
