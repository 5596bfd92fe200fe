"""What happens in a story, event by event, and the world that keeps track of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from course_utils.data.tales import lexicon
from course_utils.data.tales.language import Dice, Narrator, Person, Place, Thing, in_tense


@dataclass(frozen=True)
class Event:
    """One thing that happens or holds; fields that a kind has no use for are empty.

    ======== =============================================================================================
    be       ``who`` is at ``where`` when the story first says so
    go       ``who`` goes to ``where``, with all that he or she carries; ``note`` is the purpose, if told
    own      ``who`` carries ``what`` when the story first says so
    lie      ``what`` lies at ``where``, in the spot ``note``, when the story first says so
    take     ``who`` picks ``what`` up, where both are
    put      ``who`` puts ``what`` down, in the spot ``note``; ``lose`` is the same by mistake
    give     ``who`` gives ``what`` to ``whom``, where both are
    get      ``what`` is new in the world, and ``who`` has it: bought or made at ``where``
    eat      ``who`` eats ``what``, which is no more
    need     ``who`` has to go to ``where``; ``note`` is the purpose
    do       ``who`` does at ``where`` what the purpose was
    feel     ``who`` feels ``note`` because of ``cause``
    miss     ``who`` looks for ``what``; where it is, is not told
    absent   ``who`` is named; where he or she is, is not told
    colour   ``what`` has the colour ``note``
    meet     ``who`` and ``whom`` do something at the same place
    ======== =============================================================================================
    """

    kind: str
    who: str = ""
    what: str = ""
    whom: str = ""
    where: str = ""
    note: str = ""
    cause: str = ""
    when: str = ""  # the time of day of a ``go``, if the sentence says it


@dataclass(frozen=True)
class Sentence:
    """One sentence and what it says."""

    text: str
    events: tuple[Event, ...]


def known_spot(spot: str) -> str:
    """A spot that the reader knows already.

    >>> known_spot("on a chair"), known_spot("by the window")
    ('on the chair', 'by the window')
    """
    return re.sub(r"\ban? ", "the ", spot)


class World:
    """Who is where, who has what, what lies where, and the sentences that have told it so far.

    Args:
        seed: the same seed tells the same story.
    """

    def __init__(self, seed: str):
        self.dice = dice = Dice(seed)
        self.present = dice.chance(0.35)
        self.narrator = Narrator(dice, self.present)
        self.sentences: list[Sentence] = []
        people = dice.sample(lexicon.PEOPLE, 4)
        self.cast, self.elsewhere = people[: 2 if dice.chance(0.45) else 3], people[3]
        rooms = dice.sample(lexicon.ROOMS, dice.pick((0, 2, 3)))
        self.places = dice.sample([*rooms, *dice.sample(lexicon.TOWN, 6 - len(rooms))], 6)
        self.where: dict[Person, Place] = {}
        self.holder: dict[Thing, Person] = {}
        self.spot: dict[Thing, tuple[Place, str]] = {}
        self.used: set[str] = set()  # names of things, feelings of people, causes: each comes once
        self.clock = dice.pick((0, 0, 1, 2, 3, 4))
        self.absent_told = False
        self.last: Person | None = None  # who acted last, and is likely to go on

    def say(self, template: str, *events: Event, link: bool = False, **slots: Person | Place | Thing | str) -> None:
        """Add a sentence; with ``link``, now and then a time or a *then* comes before it."""
        when = ""
        if link and len(self.sentences) > 1:
            if self.clock < len(lexicon.TIMES) and self.dice.chance(0.25):
                when = lexicon.TIMES[self.clock]
                self.clock += self.dice.pick((1, 1, 2, 3))
                template = f"{when}, {template}"
            elif self.dice.chance(0.2):
                template = f"{self.dice.pick(lexicon.LINKS)}, {template}"
        known = set(self.narrator.introduced)
        text = self.narrator.sentence(template, **slots)
        told = [replace(event, when=when) if event.kind == "go" else event for event in events]
        for thing in slots.values():
            if isinstance(thing, Thing) and thing not in known and thing.adjective in lexicon.COLOURS:
                told.append(Event("colour", what=thing.name, note=thing.adjective))
        self.sentences.append(Sentence(text if text[-1] in '.!?"' else f"{text}.", tuple(told)))
        actor = slots.get("A")
        if isinstance(actor, Person) and actor in self.where:
            self.last = actor

    def clause(self, template: str, **slots: Person | Thing) -> str:
        """A cause as an answer gives it: pronouns for the person it is about, {A}, and names for all others."""
        text = in_tense(template, self.present)
        for name, value in slots.items():
            words = (
                {"": value.name, ".name": value.name} if isinstance(value, Person) else {".the": f"the {value.name}"}
            )
            if isinstance(value, Person) and name == "A":
                words = {"": value.he, ".he": value.he, ".him": value.him, ".his": value.his}
            for form, word in words.items():
                text = text.replace(f"{{{name}{form}}}", word)
        return text

    def somebody(self) -> Person:
        """Somebody whose place is known, mostly the one who acted last."""
        if self.last is not None and self.dice.chance(0.5):
            return self.last
        return self.dice.pick([person for person in self.cast if person in self.where])

    def company(self, who: Person) -> list[Person]:
        """Who else is known to be at the same place."""
        return [other for other in self.cast if other != who and self.where.get(other) == self.where.get(who, "")]

    def other_place(self, who: Person) -> Place:
        """Somewhere that this person is not."""
        return self.dice.pick([place for place in self.places if place != self.where.get(who)])

    def thing(self, names: tuple[str, ...] | None = None) -> Thing:
        """A thing that is new in this story."""
        groups = (lexicon.COLOURED, lexicon.PLAIN, lexicon.COLOURED, lexicon.PLAIN, lexicon.MANY)
        name = self.dice.pick([name for name in names or self.dice.pick(groups) if name not in self.used])
        self.used.add(name)
        coloured = name in (*lexicon.COLOURED, *lexicon.COLOURED_MANY)
        adjectives = lexicon.COLOURS if coloured and self.dice.chance(0.8) else lexicon.LOOKS
        adjective = self.dice.pick(adjectives) if self.dice.chance(0.6) and names is None else ""
        return Thing(name, "many" if name in lexicon.MANY else "one", adjective)

    def be(self, who: Person, place: Place) -> Event:
        """Somebody is first seen."""
        self.where[who] = place
        return Event("be", who.name, where=place.name)

    def go(self, who: Person, place: Place, purpose: str = "") -> Event:
        """Somebody moves."""
        self.where[who] = place
        return Event("go", who.name, where=place.name, note=purpose)

    def own(self, who: Person, thing: Thing) -> Event:
        """Somebody has something."""
        self.holder[thing] = who
        return Event("own", who.name, what=thing.name)

    def get(self, who: Person, thing: Thing) -> Event:
        """Somebody buys or makes something."""
        self.holder[thing] = who
        self.used.add(thing.name)
        return Event("get", who.name, what=thing.name, where=self.where[who].name)

    def take(self, who: Person, thing: Thing) -> Event:
        """Somebody picks something up."""
        self.holder[thing] = who
        del self.spot[thing]
        return Event("take", who.name, what=thing.name)

    def put(self, who: Person, thing: Thing, spot: str, kind: str = "put") -> Event:
        """Somebody puts something down, or leaves it behind by mistake."""
        del self.holder[thing]
        self.spot[thing] = (self.where[who], spot)
        return Event(kind, who.name, what=thing.name, note=spot)

    def lie(self, thing: Thing, place: Place, spot: str) -> Event:
        """Something lies there."""
        self.spot[thing] = (place, spot)
        return Event("lie", what=thing.name, where=place.name, note=spot)

    def give(self, who: Person, thing: Thing, whom: Person) -> Event:
        """Something changes hands."""
        self.holder[thing] = whom
        return Event("give", who.name, what=thing.name, whom=whom.name)

    def feel(self, who: Person, feeling: str, cause: str, **slots: Any) -> None:
        """Somebody feels something, and the sentence says why; each feeling once for each person."""
        if f"{who.name} {feeling}" in self.used:
            return
        self.used.add(f"{who.name} {feeling}")
        event = Event("feel", who.name, note=feeling, cause=self.clause(cause, A=who, **slots))
        template = self.dice.pick(
            (f"{{A}} [is|was] {feeling} because {cause}", f"{{A}} [feels|felt] {feeling} because {cause}")
        )
        self.say(template, event, A=who, **slots)
