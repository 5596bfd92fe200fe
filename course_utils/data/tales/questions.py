"""Questions about a story, with the answers that its events give and the sentences that each answer rests on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from course_utils.data.tales import lexicon
from course_utils.data.tales.language import Dice
from course_utils.data.tales.world import Event, Sentence

NOT_TOLD = "The story does not say."
KINDS = (
    "where is a person", "where is a thing", "who has", "what has", "who gave", "who got", "who forgot", "who made",
    "where first", "where before", "where forgotten", "why go", "why feel", "when", "colour",
    "is a person there", "is a thing there", "does a person have", "did a person give",
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A question about one story; `facts` says how many of its sentences must be put together.

    >>> frame = "Anna is {}."
    >>> question = Question("where is a person", "Where is Anna at the end?", frame, "in the park", (0, 3))
    >>> question.answer, question.sentence, question.facts
    ('In the park.', 'Anna is in the park.', 2)
    """

    kind: str  # one of KINDS
    text: str
    frame: str  # the answer as a sentence, with {} for what was asked
    right: str  # what belongs there; "" if the story does not say
    support: tuple[int, ...] = ()  # the sentences of the story that the answer rests on
    wrong: tuple[str, ...] = ()  # what else of the same sort the story names

    @property
    def answer(self) -> str:
        """The short answer: "In the kitchen."."""
        return self.short(self.right)

    @property
    def sentence(self) -> str:
        """The same as a whole sentence: "Anna is in the kitchen."."""
        return self.long(self.right)

    @property
    def facts(self) -> int:
        """How many sentences must be put together; 0 if the story does not say."""
        return len(self.support)

    def short(self, what: str) -> str:
        """An answer, right or wrong, in few words."""
        return f"{what[0].upper()}{what[1:]}." if what else NOT_TOLD

    def long(self, what: str) -> str:
        """An answer, right or wrong, as a sentence."""
        if not what:
            return NOT_TOLD
        if what in ("yes", "no"):
            says, denies = self.frame.split("|")
            return f"Yes, {says}." if what == "yes" else f"No, {denies}."
        said = self.frame.replace("{}", what)
        return said[0].upper() + said[1:]


@dataclass
class Record:
    """A story read event by event: who was where and who had what, with the sentence that says so."""

    places: dict[str, list[tuple[int, str]]] = field(default_factory=dict)  # person -> (sentence, place)
    holders: dict[str, list[tuple[int, str]]] = field(default_factory=dict)  # thing -> (sentence, person or "")
    lying: dict[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)  # thing -> place, and what says so
    lost: list[tuple[int, int, str, str, str]] = field(
        default_factory=list
    )  # sentence, sentence of the place, who, thing, place
    events: list[tuple[int, Event]] = field(default_factory=list)

    @classmethod
    def of(cls, sentences: Sequence[Sentence]) -> Record:
        """Read a story."""
        record = cls()
        for number, sentence in enumerate(sentences):
            for event in sentence.events:
                record._add(number, event)
        return record

    def _add(self, number: int, event: Event) -> None:
        self.events.append((number, event))
        kind, who, what = event.kind, event.who, event.what
        if kind in ("be", "go"):
            self.places.setdefault(who, []).append((number, event.where))
        elif kind in ("own", "take", "get", "give"):
            self.holders.setdefault(what, []).append((number, event.whom or who))
            self.lying.pop(what, None)
        elif kind == "lie":
            self.holders[what] = [(number, "")]
            self.lying[what] = (event.where, (number,))
        elif kind in ("put", "lose"):
            self.holders[what].append((number, ""))
            came, place = self.places[who][-1]
            self.lying[what] = (place, tuple(sorted({came, number})))
            if kind == "lose":
                self.lost.append((number, came, who, what, place))
        elif kind == "eat":
            del self.holders[what]

    def having(self, who: str) -> list[tuple[int, str]]:
        """What somebody has in the end, and the sentence that says so."""
        return [(steps[-1][0], thing) for thing, steps in self.holders.items() if steps[-1][1] == who]

    def of_kind(self, *kinds: str) -> Iterator[tuple[int, Event]]:
        """The events of some kinds."""
        return ((number, event) for number, event in self.events if event.kind in kinds)

    def place_of(self, thing: str) -> tuple[str, tuple[int, ...]]:
        """Where a thing is in the end, and the sentences that say so."""
        number, holder = self.holders[thing][-1]
        if not holder:
            return self.lying[thing]
        came, place = self.places[holder][-1]
        return place, tuple(sorted({number, came}))


def _either(words: Iterable[str]) -> re.Pattern[str]:
    """Finds any of these words."""
    return re.compile(r"\b(?:" + "|".join(words) + r")\b")


_NAME = _either(person.name for person in lexicon.PEOPLE)
_PLACE = _either(rf"(?<=the ){place}" for place in lexicon.PLACES)


def within(place: str) -> str:
    """As in "Anna is in the kitchen"."""
    return lexicon.PLACES[place].within


class Asker:
    """All the questions that a story allows, by kind; `ask` picks some of them.

    Args:
        sentences: the story.
        present: whether it is told in the present tense.
        dice: for what is asked.
    """

    def __init__(self, sentences: Sequence[Sentence], present: bool, dice: Dice):
        self.sentences = sentences
        self.record, self.present, self.dice = Record.of(sentences), present, dice
        self.text = text = " ".join(sentence.text for sentence in sentences)
        self.people = list(dict.fromkeys(_NAME.findall(text)))
        self.seen = list(dict.fromkeys(_PLACE.findall(text)))
        self.things = [event.what for _, event in self.record.of_kind("own", "get", "lie", "miss")]
        self.missing = [event.what for _, event in self.record.of_kind("miss")]
        self.absent = [event.who for _, event in self.record.of_kind("absent")]
        self.many = {*lexicon.MANY, "socks", "candles"}

    def _is(self, thing: str) -> str:
        return "are" if thing in self.many else "is"

    def _at(self, kind: str, text: str, frame: str, place: str, support: tuple[int, ...]) -> Question:
        """A question whose answer is a place; "" if it is not told."""
        wrong = [within(other) for other in self.seen if other != place and f"the {other}" not in text]
        return Question(kind, text, frame, place and within(place), support, tuple(wrong))

    def _of(self, kind: str, text: str, frame: str, right: str, options: Iterable[str], *support: int) -> Question:
        """A question whose answer is one of some words; "" if it is not told."""
        wrong = tuple(word for word in dict.fromkeys(options) if word != right and word not in text)
        return Question(kind, text, frame, right, tuple(sorted(set(support))), wrong)

    def where_is_a_person(self) -> Iterator[Question]:
        """Where somebody is in the end."""
        for who in (*self.record.places, *self.absent):
            came, place = self.record.places[who][-1] if who in self.record.places else (-1, "")
            support = (came,) if place else ()
            yield self._at("where is a person", f"Where is {who} at the end?", f"{who} is {{}}.", place, support)

    def where_is_a_thing(self) -> Iterator[Question]:
        """Where a thing is in the end, lying or carried."""
        for thing in (*self.record.holders, *self.missing):
            place, support = ("", ()) if thing in self.missing else self.record.place_of(thing)
            text, frame = f"Where {self._is(thing)} the {thing} at the end?", f"the {thing} {self._is(thing)} {{}}."
            yield self._at("where is a thing", text, frame, place, support)

    def who_has(self) -> Iterator[Question]:
        """Who has a thing in the end."""
        for thing in (*self.record.holders, *self.missing):
            text, frame = f"Who has the {thing} at the end?", f"{{}} has the {thing}."
            if thing in self.missing:
                yield self._of("who has", text, frame, "", self.people)
                continue
            number, who = self.record.holders[thing][-1]
            yield self._of("who has", text, frame, who or "nobody", self.people, number)

    def what_has(self) -> Iterator[Question]:
        """What somebody has in the end, one thing or nothing."""
        things = [f"the {thing}" for thing in self.things]
        for who in (*self.record.places, *self.absent):
            text, frame, having = f"What does {who} have at the end?", f"{who} has {{}}.", self.record.having(who)
            if who in self.absent:
                yield self._of("what has", text, frame, "", things)
            elif len(having) == 1:
                yield self._of("what has", text, frame, f"the {having[0][1]}", things, having[0][0])
            elif not having:
                gone = [n for n, event in self.record.of_kind("give", "put", "lose", "eat") if event.who == who]
                if gone:
                    yield self._of("what has", text, frame, "nothing", things, gone[-1])

    def _once(self, kind: str, events: str, words: Callable[[Event], tuple[str, str, str]]) -> Iterator[Question]:
        """A question about each event of a kind whose answer no other such event could be; its answer is a person."""
        found = [(number, words(event)) for number, event in self.record.of_kind(events)]
        found = [entry for entry in found if sum(name not in entry[1][0] for name in self.people) > 1]  # else no choice
        for number, (text, frame, right) in found:
            if sum(other[0] == text for _, other in found) == 1:
                yield self._of(kind, text, frame, right, self.people, number)

    def who_gave(self) -> Iterator[Question]:
        """From whom a thing came."""
        return self._once("who gave", "give", lambda event: (
            f"Who gave the {event.what} to {event.whom}?", f"{{}} gave the {event.what} to {event.whom}.", event.who,
        ))  # fmt: skip

    def who_got(self) -> Iterator[Question]:
        """To whom a thing went."""
        return self._once("who got", "give", lambda event: (
            f"Who got the {event.what} from {event.who}?", f"{{}} got the {event.what} from {event.who}.", event.whom,
        ))  # fmt: skip

    def who_forgot(self) -> Iterator[Question]:
        """Who left a thing behind by mistake."""
        return self._once("who forgot", "lose", lambda event: (
            f"Who forgot the {event.what}?", f"{{}} forgot the {event.what}.", event.who,
        ))  # fmt: skip

    def who_made(self) -> Iterator[Question]:
        """Who bought or made a thing."""
        return self._once("who made", "get", lambda event: (
            f"Who {_got(event)} the {event.what}?", f"{{}} {_got(event)} the {event.what}.", event.who,
        ))  # fmt: skip

    def where_first(self) -> Iterator[Question]:
        """Where somebody was when the story began."""
        for who, steps in self.record.places.items():
            if len(steps) > 1:
                number, place = steps[0]
                yield self._at(
                    "where first", f"Where was {who} at first?", f"{who} was {{}} at first.", place, (number,)
                )

    def where_before(self) -> Iterator[Question]:
        """Where somebody came from."""
        for who, steps in self.record.places.items():
            for (earlier, place), (number, goal) in pairwise(steps):
                if sum(other == goal for _, other in steps) == 1:
                    text, frame = (
                        f"Where was {who} before going to the {goal}?",
                        f"{who} was {{}} before going to the {goal}.",
                    )
                    yield self._at("where before", text, frame, place, tuple(sorted({earlier, number})))

    def where_forgotten(self) -> Iterator[Question]:
        """Where a thing was left behind by mistake."""
        lost = list(self.record.lost)
        for number, came, who, thing, place in lost:
            if sum(other[2:4] == (who, thing) for other in lost) == 1:
                text, frame = f"Where did {who} forget the {thing}?", f"{who} forgot the {thing} {{}}."
                yield self._at("where forgotten", text, frame, place, tuple(sorted({came, number})))

    def why_go(self) -> Iterator[Question]:
        """Why somebody went somewhere, told or not."""
        moves = list(self.record.of_kind("go"))
        purposes = sorted({event.note for _, event in moves if event.note})
        busy = {number for number, event in self.record.events if event.kind in ("take", "give", "do", "get")}
        for number, event in moves:
            if sum((other.who, other.where) == (event.who, event.where) for _, other in moves) == 1:
                text, frame = (
                    f"Why did {event.who} go to the {event.where}?",
                    f"{event.who} went to the {event.where} {{}}.",
                )
                needs = [
                    n for n, need in self.record.of_kind("need") if (need.who, need.where) == (event.who, event.where)
                ]
                if event.note:
                    yield self._of("why go", text, frame, event.note, purposes, number, *needs[:1])
                elif not {number, number + 1} & busy:  # else what happens there could be a reason
                    yield self._of("why go", text, frame, "", purposes)

    def why_feel(self) -> Iterator[Question]:
        """Why somebody felt something."""
        be, felt = "is" if self.present else "was", list(self.record.of_kind("feel"))
        causes = [f"because {event.cause}" for _, event in felt]
        for (number, event), cause in zip(felt, causes, strict=True):
            text, frame = f"Why {be} {event.who} {event.note}?", f"{event.who} {be} {event.note} {{}}."
            yield self._of("why feel", text, frame, cause, causes, number)

    def when(self) -> Iterator[Question]:
        """At what time of day somebody went somewhere."""
        moves = list(self.record.of_kind("go"))
        times = [event.when for _, event in moves if event.when]
        for number, event in moves:
            if event.when and sum((other.who, other.where) == (event.who, event.where) for _, other in moves) == 1:
                text, frame = (
                    f"When did {event.who} go to the {event.where}?",
                    f"{event.who} went to the {event.where} {{}}.",
                )
                yield self._of("when", text, frame, event.when, times, number)

    def colour(self) -> Iterator[Question]:
        """What colour a thing has, told or not."""
        told = {event.what: (number, event.note) for number, event in self.record.of_kind("colour")}
        colours = [note for _, note in told.values()]
        for thing in self.things:
            text, frame = f"What colour {self._is(thing)} the {thing}?", f"the {thing} {self._is(thing)} {{}}."
            if thing in told:
                yield self._of("colour", text, frame, told[thing][1], colours, told[thing][0])
            elif thing in (*lexicon.COLOURED, *lexicon.COLOURED_MANY):
                yield self._of("colour", text, frame, "", colours)

    def _yes_or_no(self, kind: str, text: str, frame: str, yes: bool, *support: int) -> Question:
        """A question for yes or no, the frame being what each says; no support means that the story does not say."""
        right = ("yes" if yes else "no") if support else ""
        return self._of(kind, text, frame, right, ("yes", "no"), *support)

    def _one_of(self, right: str, others: Sequence[str]) -> str:
        """What to ask about: the truth, or something else."""
        wrong = [other for other in others if other != right]
        return right if right and (not wrong or self.dice.chance(0.5)) else self.dice.pick(wrong)

    def is_a_person_there(self) -> Iterator[Question]:
        """Whether somebody is at a place in the end, one that he or she was at before or another."""
        for who in (*self.record.places, *self.absent):
            steps = self.record.places.get(who, [])
            came, place = steps[-1] if steps else (-1, "")
            asked = self._one_of(place, [other for _, other in steps[:-1] if other != place] or self.seen)
            frame = f"{who} is {within(asked)}|{who} is not {within(asked)}"
            support = [came] if steps else []
            yield self._yes_or_no(
                "is a person there", f"Is {who} {within(asked)} at the end?", frame, asked == place, *support
            )

    def is_a_thing_there(self) -> Iterator[Question]:
        """Whether a thing is at a place in the end."""
        for thing in (*self.record.holders, *self.missing):
            place, support = ("", ()) if thing in self.missing else self.record.place_of(thing)
            asked, be = self._one_of(place, self.seen), self._is(thing)
            frame = f"the {thing} {be} {within(asked)}|the {thing} {be} not {within(asked)}"
            text = f"{be.capitalize()} the {thing} {within(asked)} at the end?"
            yield self._yes_or_no("is a thing there", text, frame, asked == place, *support)

    def does_a_person_have(self) -> Iterator[Question]:
        """Whether somebody has a thing in the end."""
        for thing in (*self.record.holders, *self.missing):
            number, holder = self.record.holders[thing][-1] if thing in self.record.holders else (-1, "")
            asked = self._one_of(holder, list(self.record.places))
            frame = f"{asked} has the {thing}|{asked} does not have the {thing}"
            text = f"Does {asked} have the {thing} at the end?"
            support = [number] if number >= 0 else []
            yield self._yes_or_no("does a person have", text, frame, asked == holder, *support)

    def did_a_person_give(self) -> Iterator[Question]:
        """Whether somebody gave a thing to somebody, or it was the other way round."""
        given = list(self.record.of_kind("give"))
        told = {(event.who, event.what, event.whom) for _, event in given}
        for number, event in given:
            who, whom = (event.who, event.whom) if self.dice.chance(0.5) else (event.whom, event.who)
            frame = f"{who} gave the {event.what} to {whom}|{who} did not give the {event.what} to {whom}"
            text = f"Did {who} give the {event.what} to {whom}?"
            yield self._yes_or_no("did a person give", text, frame, (who, event.what, whom) in told, number)

    def ask(self, count: int) -> list[Question]:
        """Some questions, each of another kind; those that a shortcut answers are asked less often.

        A question is kept with a chance of 35 % if the story does not say or the answer is yes or no, and of 60 % if it
        is nobody or nothing. If the answer is named last, first or most often in the story, the chance is 40, 25 or
        15 %, the more of these hold.
        """
        chosen: list[Question] = []
        for kind in self.dice.sample(KINDS, len(KINDS)):
            found = list(getattr(self, kind.replace(" ", "_"))())
            if not found or len(chosen) == count:
                continue
            question, keep = self.dice.pick(found), 1.0
            if not question.right:
                keep = 0.35
            elif question.right in ("nobody", "nothing"):
                keep = 0.6
            elif question.right in ("yes", "no"):
                keep = 0.35  # a coin would be right half of the time
            elif named := named_in(self.sentences, question, set(self.things)):
                usual = (named[-1], named[0], max(named, key=named.count))
                keep = (1.0, 0.4, 0.25, 0.15)[usual.count(question.right)]
            if self.dice.chance(keep):
                chosen.append(question)
        return chosen


def named_in(sentences: Sequence[Sentence], question: Question, things: set[str]) -> list[str]:
    """What of the answer's sort some sentences name, in order and as often as they do, without what is in the question.

    Shortcuts pick from it without following the story: the last, the first, the most frequent one.

    Args:
        sentences: of a story, or only some of them.
        question: about that story.
        things: what there is in that story.
    """
    sort, text = question.kind.split()[0], " ".join(sentence.text for sentence in sentences)
    found: list[str] = []
    if question.kind in ("why go", "why feel", "when", "colour"):
        kind = {"why go": "go", "when": "go", "why feel": "feel", "colour": "colour"}[question.kind]
        told = [event for sentence in sentences for event in sentence.events if event.kind == kind]
        found = [
            event.when if sort == "when" else f"because {event.cause}" if event.cause else event.note for event in told
        ]
    elif sort == "who":
        found = _NAME.findall(text)
    elif sort == "where":
        found = [within(place) for place in _PLACE.findall(text)]
    elif sort == "what":
        found = [word for word in re.findall(r"the \w+(?: net)?", text) if word[4:] in things]
    return [word for word in found if word and word.split(" the ")[-1] not in question.text]


def _got(event: Event) -> str:
    return "made" if event.what in _MADE else "bought"


_MADE = {thing.name for _, thing in lexicon.MADE}
