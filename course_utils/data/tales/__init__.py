"""Tiny tales: short English stories about people who carry, give, lose and find things, made up as they are asked for.

Behind every sentence stands an `Event`, so that every question has an answer that can be computed. The files, from the
bottom: `language` (words, pronouns), `lexicon` (people, places, things, needs), `world` (events and who has what),
`episodes` (the stories), `questions`, `preferences` (replies and their judge).

>>> tale = tiny_tales("test", 3)[0]
>>> len(tale.sentences) == len(tale.text.split(". ")) or '"' in tale.text
True
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from course_utils.data.splits import PARTS
from course_utils.data.tales import lexicon
from course_utils.data.tales.episodes import HELD_OUT_NEEDS, HELD_OUT_THINGS, Teller
from course_utils.data.tales.language import Dice, Narrator, Thing
from course_utils.data.tales.preferences import Preference, Verdict, judge, pairs
from course_utils.data.tales.questions import Asker, Question
from course_utils.data.tales.world import Event, Sentence

__all__ = [
    "TALES", "Event", "Heading", "Preference", "Question", "Sentence", "Tale", "Verdict", "headings", "judge",
    "tiny_tales", "tiny_tales_text",
]  # fmt: skip

TALES = {"train": 8000, "validation": 500, "test": 500}  # stories in each part, unless asked otherwise


@dataclass(frozen=True)
class Tale:
    """One story. It is a function of its part and number, and of nothing else."""

    part: str
    number: int
    present: bool  # told in the present tense
    sentences: tuple[Sentence, ...]

    @cached_property
    def text(self) -> str:
        """The story, one paragraph."""
        return " ".join(sentence.text for sentence in self.sentences)

    def questions(self, count: int = 4) -> list[Question]:
        """Some questions with answers, each of another kind; fewer than ``count`` if the story allows no more."""
        dice = Dice(f"tiny tales {self.part} {self.number} questions")
        return Asker(self.sentences, self.present, dice).ask(count)

    def preferences(self, count: int = 4) -> list[Preference]:
        """A pair of replies, the better one first, to most of the story's questions."""
        dice = Dice(f"tiny tales {self.part} {self.number} preferences")
        lines = [sentence.text for sentence in self.sentences]
        return [pair for question in self.questions(count) for pair in pairs(question, lines, dice)]


def tiny_tales(part: str = "train", n: int | None = None) -> list[Tale]:
    """The stories of one part; no story is in two.

    Args:
        part: ``"train"``, ``"validation"`` or ``"test"``.
        n: how many; a larger number only adds to them. As many as `TALES` says by default.

    Raises:
        ValueError: if there is no such part, or ``n`` is below 1.

    >>> [len(tiny_tales(part, 2)) for part in ("train", "validation", "test")]
    [2, 2, 2]
    """
    if part not in PARTS:
        raise ValueError(f"part={part!r} is not known; choose one of: {', '.join(PARTS)}.")
    n = TALES[part] if n is None else n
    if n < 1:
        raise ValueError(f"n={n} stories cannot be told; ask for at least 1.")
    return [_tale(part, number) for number in range(n)]


@lru_cache(maxsize=20_000)
def _tale(part: str, number: int) -> Tale:
    teller = Teller(f"tiny tales {part} {number}")
    return Tale(part, number, teller.present, tuple(teller.tell()))


def tiny_tales_text(part: str = "train", n: int | None = None) -> str:
    r"""The stories of one part as one text to train a language model on, a blank line between them.

    Three stories in sixteen are followed by up to three questions without answers, as on a worksheet; one in sixteen by
    questions with their answers. So a model of this text has met questions, and mostly more questions after them.

    Args:
        part: ``"train"``, ``"validation"`` or ``"test"``.
        n: how many stories, as in `tiny_tales`.

    >>> tiny_tales_text("validation", 1).endswith(".\n\n")
    True
    """
    return "".join(f"{page}\n\n" for tale in tiny_tales(part, n) for page in _page(tale))


def _page(tale: Tale) -> Iterator[str]:
    """A story, perhaps with questions below."""
    lines = [tale.text]
    if tale.number % 16 == 5:
        for question in tale.questions(3):
            lines += [f"Question: {question.text}", f"Answer: {question.answer}"]
    elif tale.number % 8 in (1, 5):
        lines += [f"Question: {question.text}" for question in tale.questions(3)]
    yield "\n".join(lines)


@dataclass(frozen=True)
class Heading:
    """A story that breaks off before the name of the place somebody needs to head to."""

    prompt: str  # ends with "needs to head to the"
    place: str  # where
    kind: str  # "need": what is sold or done there decides; "thing": what lies there decides


def headings(n: int = 60, seed: int = 0) -> list[Heading]:
    """Held-out prompts that end with "needs to head to the"; the story so far decides which place comes next.

    Half of them are of needs (nobody is ever told to *head* anywhere for these in `tiny_tales`, only to go), half of
    things that lie somewhere; each names another place before, too.

    Args:
        n: how many.
        seed: of the people, places and things.

    >>> headings(1)[0].prompt.endswith(" needs to head to the")
    True
    """
    dice = Dice(f"tiny tales headings {seed}")
    return [_need_heading(dice) if number % 2 == 0 else _thing_heading(dice) for number in range(n)]


def _need_heading(dice: Dice) -> Heading:
    need, (who,) = dice.pick(HELD_OUT_NEEDS), dice.sample(lexicon.PEOPLE, 1)
    here = dice.pick([place for place in lexicon.PLACES.values() if place.name != need.place])
    narrator = Narrator(dice, present=True)
    lines = [
        narrator.sentence("{A} [is|was] {P.in}.", A=who, P=here),
        narrator.sentence(f"{need.cause}.", A=who),
        narrator.sentence("{A.he} [needs|needed] to head to the", A=who),
    ]
    return Heading(" ".join(lines), need.place, "need")


def _thing_heading(dice: Dice) -> Heading:
    who, asker = dice.sample(lexicon.PEOPLE, 2)
    here, there = dice.sample(list(lexicon.PLACES.values()), 2)
    thing = Thing(dice.pick(sorted(HELD_OUT_THINGS - set(lexicon.MANY))))
    narrator = Narrator(dice, present=True)
    lines = [
        narrator.sentence("{A.name} and {B.name} [are|were] {P.in}.", A=who, B=asker, P=here),
        narrator.sentence("there [is|was] {T} {S} {P.in}.", T=thing, S=dice.pick(there.spots), P=there),
        narrator.sentence('"I need {T.the}," [says|said] {B.name} to {A.name}.', A=who, B=asker, T=thing),
        narrator.sentence("{A.he} [needs|needed] to head to the", A=who),
    ]
    return Heading(" ".join(lines), there.name, "thing")
