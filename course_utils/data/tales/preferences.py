"""Pairs of replies to a question, and the judge that says which is better, as people's clicks would."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from course_utils.data.tales.language import Dice
from course_utils.data.tales.questions import NOT_TOLD, Question

POLITE = ("Gladly.", "With pleasure.", "Good question!", "Thank you for asking.", "I am happy to help.")
RUDE = ("Can you not read?", "That is easy.", "What a silly question!", "Why do you ask me?")
LONGEST = 20  # words in a reply that still counts as brief
WEIGHTS = {"true": 4.0, "complete": 1.0, "polite": 1.0, "brief": 1.0}


@dataclass(frozen=True)
class Verdict:
    """What the judge thinks of one reply."""

    true: bool  # it says what the story says, and nothing else instead
    complete: bool  # a whole sentence, not a word or two
    polite: bool  # a friendly phrase, and no rude one
    brief: bool  # at most LONGEST words

    @property
    def score(self) -> float:
        """From 0 to 7: truth counts more than all the rest together."""
        return sum(weight for name, weight in WEIGHTS.items() if getattr(self, name))


def judge(question: Question, reply: str) -> Verdict:
    """The hidden judge: it sees the right answer and asks four things of a reply.

    *True*: the right answer stands in it, or the right sentence, and no other answer of the same sort that the story
    names. *Complete*: the right answer stands there as a whole sentence. *Polite*: one of the phrases of `POLITE` and
    none of `RUDE`. *Brief*: 1 to `LONGEST` words. Only truth and completeness depend on the question.

    >>> place = "where is a person"
    >>> asked = Question(place, "Where is Tom at the end?", "Tom is {}.", "in the park", (1,), ("at the zoo",))
    >>> judge(asked, "Gladly. Tom is in the park.").score, judge(asked, "In the park.").score
    (7.0, 5.0)
    >>> judge(asked, "Gladly. Tom is at the zoo.")
    Verdict(true=False, complete=False, polite=True, brief=True)
    """
    core = reply
    for phrase in (*POLITE, *RUDE):
        core = core.replace(phrase, " ")
    complete = _holds(core, question.sentence)
    rest = core.replace(question.sentence, " ")  # the right sentence may name things that are wrong as an answer
    wrong = any(_holds(rest, other) for other in question.wrong)
    if question.right:
        wrong = wrong or _holds(core, NOT_TOLD)
    words = len(re.findall(r"\w+", reply))
    return Verdict(
        true=(complete or _holds(core, question.answer)) and not wrong,
        complete=complete,
        polite=any(phrase in reply for phrase in POLITE) and not any(phrase in reply for phrase in RUDE),
        brief=0 < words <= LONGEST,
    )


def _holds(text: str, words: str) -> bool:
    """Whether some words stand in a text, whatever the case of the first letter."""
    bare = re.escape(words.strip().rstrip("."))
    return bool(re.search(rf"(?<!\w){bare}(?!\w)", text, re.IGNORECASE))


@dataclass(frozen=True)
class Preference:
    """Two replies to one question; the judge gives the first a higher score."""

    question: Question
    better: str
    worse: str


def replies(question: Question, story: Sequence[str], dice: Dice) -> list[str]:
    """Some replies, each true or not, a whole sentence or not, polite, rude or neither, brief or not.

    Args:
        question: what is asked.
        story: its sentences, of which a long-winded reply repeats some.
        dice: which.
    """
    found = []
    for _ in range(4):
        said = question.right
        if dice.chance(0.45):
            said = dice.pick([other for other in (*question.wrong, "") if other != question.right] or [question.right])
        reply = question.long(said) if dice.chance(0.6) else question.short(said)
        manner = dice.pick((*POLITE, *RUDE, "", "", "", ""))
        if dice.chance(0.25):
            reply = " ".join([*(line for line in dice.sample(story, 3) if '"' not in line), reply])
        found.append(f"{manner} {reply}".strip())
    return found


def pairs(question: Question, story: Sequence[str], dice: Dice) -> list[Preference]:
    """At most one pair of replies that the judge tells apart."""
    options = replies(question, story, dice)
    scored = [(judge(question, reply).score, reply) for reply in options]
    apart = [(a, b) for a in scored for b in scored if a[0] > b[0]]
    if not apart:
        return []
    (_, better), (_, worse) = dice.pick(apart)
    return [Preference(question, better, worse)]
