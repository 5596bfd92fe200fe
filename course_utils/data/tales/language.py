"""Words for people, places and things, and a narrator who knows when *she* or *it* can mean only one of them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Random choices that are the same on every platform and version of Python.

    Only ``random.Random.random`` is used: its numbers are the one thing that Python promises not to change.

    >>> Dice("a seed").pick(["red", "green", "blue"]) == Dice("a seed").pick(["red", "green", "blue"])
    True
    """

    def __init__(self, seed: str):
        self._random = random.Random(seed)

    def chance(self, share: float) -> bool:
        """True with this probability."""
        return self._random.random() < share

    def pick(self, options: Sequence[T]) -> T:
        """One of them, all alike likely."""
        return options[int(self._random.random() * len(options))]

    def sample(self, options: Sequence[T], count: int) -> list[T]:
        """Several different ones, in random order; all of them if there are fewer."""
        left = list(options)
        chosen: list[T] = []
        while left and len(chosen) < count:
            chosen.append(left.pop(int(self._random.random() * len(left))))
        return chosen


@dataclass(frozen=True)
class Person:
    """Someone in a story."""

    name: str
    she: bool

    @property
    def he(self) -> str:
        """The pronoun of a subject."""
        return "she" if self.she else "he"

    @property
    def him(self) -> str:
        """The pronoun of an object."""
        return "her" if self.she else "him"

    @property
    def his(self) -> str:
        """The pronoun of an owner."""
        return "her" if self.she else "his"


@dataclass(frozen=True)
class Place:
    """Somewhere to be."""

    name: str
    preposition: str  # at, in or on
    spots: tuple[str, ...]  # where a thing can lie there: "under a tree"
    room: bool = False  # of the house

    @property
    def within(self) -> str:
        """As in "Anna is in the kitchen"."""
        return f"{self.preposition} the {self.name}"


@dataclass(frozen=True)
class Thing:
    """Something that can be carried."""

    name: str
    form: str = "one"  # "one" kite, "many" boots, "some" bread
    adjective: str = ""  # told when the thing is first named

    @property
    def noun(self) -> str:
        """As in "old map"."""
        return f"{self.adjective} {self.name}".strip()

    @property
    def some(self) -> str:
        """With the article of a thing that is new to the reader.

        >>> Thing("map", adjective="old").some, Thing("boots", "many").some
        ('an old map', 'some boots')
        """
        if self.form != "one":
            return f"some {self.noun}"
        return f"{'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"


def in_tense(text: str, present: bool) -> str:
    """Choose from every ``[present|past]``.

    >>> in_tense("Anna [is|was] glad.", present=False)
    'Anna was glad.'
    """
    return re.sub(r"\[([^|\]]*)\|([^\]]*)\]", r"\1" if present else r"\2", text)


class Narrator:
    """Puts words into templates, and decides between a name and a pronoun.

    A template holds ``[present|past]`` and slots: ``{A}`` is a person as subject (``.him``, ``.his``, and ``.he`` where
    a pronoun sounds best, ``.name`` where only the name will do); ``{P.in}``, ``{P.to}`` or ``{P}`` a place; ``{T}`` a
    thing (``.the`` never becomes *it*, ``.noun`` has no article). *He* or *she* is used only where exactly one person
    of that sex is named in the sentence so far, or, if none is, in the one before; *it* only where exactly one thing is
    named in both.

    >>> narrator = Narrator(Dice("doctest"), present=False)
    >>> anna, kite = Person("Anna", she=True), Thing("kite", adjective="red")
    >>> narrator.sentence("{A} [has|had] {T}.", A=anna, T=kite)
    'Anna had a red kite.'
    >>> narrator.sentence("{A.he} [likes|liked] {T.the}.", A=anna, T=kite)
    'She liked the kite.'
    """

    def __init__(self, dice: Dice, present: bool):
        self.dice, self.present = dice, present
        self.introduced: set[Thing] = set()
        self._before: list[Person | Thing] = []  # named in the sentence before
        self._now: list[Person | Thing] = []
        self._pronouns: dict[Person, int] = {}  # how often each was only a pronoun since the name

    def sentence(self, template: str, **slots: Person | Place | Thing | str) -> str:
        """One sentence, beginning with a capital letter; what it names can be a pronoun in the next."""
        self._now = []
        text = in_tense(template, self.present)
        text = re.sub(r"\{(\w+)(?:\.(\w+))?\}", lambda slot: self._word(slots[slot[1]], slot[2] or ""), text)
        self._before = self._now
        first = 1 if text.startswith('"') else 0
        return text[:first] + text[first].upper() + text[first + 1 :]

    def _word(self, value: Person | Place | Thing | str, form: str) -> str:
        if isinstance(value, Person):
            return self._person(value, form)
        if isinstance(value, Thing):
            return self._thing(value, form)
        if isinstance(value, Place):
            return {"in": value.within, "to": f"to the {value.name}", "": f"the {value.name}"}[form]
        return value

    def _person(self, person: Person, form: str) -> str:
        here = {other for other in self._now if isinstance(other, Person) and other.she == person.she}
        before = {other for other in self._before if isinstance(other, Person) and other.she == person.she}
        clear = (here or before) == {person}
        again = person in here
        tired = self._pronouns.get(person, 0) >= 3 and not again  # three pronouns in a row: say the name again
        wanted = form in ("he", "his") or again or self.dice.chance(0.75)
        self._now.append(person)
        if form == "name" or not clear or tired or not wanted:
            self._pronouns[person] = 0
            return f"{person.name}'s" if form == "his" else person.name
        self._pronouns[person] = self._pronouns.get(person, 0) + (not again)
        return {"him": person.him, "his": person.his}.get(form, person.he)

    def _thing(self, thing: Thing, form: str) -> str:
        near = {other for other in [*self._before, *self._now] if isinstance(other, Thing)}
        clear = near == {thing}
        first, again = thing not in self.introduced, thing in self._now
        self.introduced.add(thing)
        self._now.append(thing)
        if form == "noun":
            return thing.noun if first else thing.name
        if first:
            return thing.some
        if clear and form != "the" and (again or self.dice.chance(0.5)):
            return "them" if thing.form == "many" else "it"
        return f"the {thing.name}"


def listed(words: Iterable[str]) -> str:
    """Words as in speech.

    >>> listed(["a cup", "a map", "a ring"])
    'a cup, a map and a ring'
    """
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
