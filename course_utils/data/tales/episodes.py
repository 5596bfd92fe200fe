"""The episodes that stories are made of: errands, things lost and found, given, made, fetched and eaten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from course_utils.data.tales import lexicon
from course_utils.data.tales.language import Person, Place, Thing
from course_utils.data.tales.world import Event, Sentence, World, known_spot

# Things and needs for which nobody "needs to head to" a place in any story, so that `heading` can ask about them.
HELD_OUT_THINGS = frozenset((*lexicon.COLOURED, *lexicon.PLAIN, *lexicon.MANY)[1::2])
HELD_OUT_NEEDS = lexicon.NEEDS[1::2]

MOVES = (
    "{A} [goes|went] {P.to}",
    "{A} [walks|walked] {P.to}",
    "{A} [hurries|hurried] {P.to}",
    "{A} [runs|ran] {P.to}",
    "{A} [makes|made] {A.his} way {P.to}",
)


class Teller(World):
    """Tells a story. A method that tells an episode returns False, and says nothing, where it does not fit."""

    def tell(self) -> list[Sentence]:
        """The whole story: a beginning, several episodes and sometimes an end."""
        episodes: list[Callable[[], bool]] = [
            self.move, self.move, self.visit, self.visit, self.errand, self.errand, self.lose, self.lose,
            self.hand_over, self.hand_over, self.hand_over, self.swap, self.put_down, self.put_down,
            self.pick_up, self.pick_up, self.fetch, self.fetch,
            self.make, self.eat, self.miss, self.mood, self.mood, self.far_away, self.together,
            self.appear, self.appear,
        ]  # fmt: skip
        length = self.dice.pick((6, 7, 8, 9, 10))
        self.open()
        while len(self.sentences) < length:
            self.dice.pick(episodes)()
        if self.dice.chance(0.3):
            self.say(self.dice.pick(lexicon.ENDINGS), A=self.somebody())
        return self.sentences

    def open(self) -> None:
        """The first two or three sentences: who is where, and who has what."""
        dice, hero, second, place = self.dice, self.cast[0], self.cast[1], self.places[0]
        relation = dice.pick(lexicon.RELATIONS[second.she])
        weather, day = dice.pick(lexicon.WEATHER), dice.pick(lexicon.DAYS)
        self.used.add(relation)
        slots: dict[str, Any] = {"A": hero, "B": second, "P": place}
        if dice.chance(0.45):
            self.say(dice.pick((
                "{A.name} and {B.name} [are|were] {P.in}",
                f"{{A}} [is|was] {{P.in}} with {{A.his}} {relation} {{B}}",
                f"it [is|was] a {weather} {day}, and {{A.name}} and {{B.name}} [are|were] {{P.in}}",
                f"on a {weather} {day}, {{A.name}} and {{B.name}} [meet|met] {{P.in}}",
                f"{{A}} and {{A.his}} {relation} {{B}} [are|were] together {{P.in}}",
            )), self.be(hero, place), self.be(second, place), **slots)  # fmt: skip
        else:
            self.say(dice.pick((
                "{A} [is|was] {P.in}",
                f"it [is|was] a {weather} {day}, and {{A}} [is|was] {{P.in}}",
                f"one {weather} {day}, {{A}} [is|was] {{P.in}}",
                "{A} [is|was] alone {P.in}",
                f"{{A}} [enjoys|enjoyed] the {weather} {day} {{P.in}}",
            )), self.be(hero, place), **slots)  # fmt: skip
            slots["P"] = other = self.other_place(hero)
            self.say(dice.pick((
                "{B} [is|was] {P.in}",
                f"{{A.his}} {relation} {{B}} [is|was] {{P.in}}",
                "meanwhile, {B} [is|was] {P.in}",
                f"{{B}}, {{A.his}} {relation}, [is|was] {{P.in}}",
            )), self.be(second, other), **slots)  # fmt: skip
        if dice.chance(0.7):
            self.possess(dice.pick((hero, second)))

    def possess(self, who: Person) -> None:
        """Somebody is seen with a thing."""
        thing, absent = self.thing(), self.elsewhere
        if not self.absent_told and self.dice.chance(0.2):
            self.absent_told = True
            relation = self.dice.pick(lexicon.RELATIONS[absent.she])
            template = self.dice.pick((
                f"{{A}} [has|had] {{T}} from {{A.his}} {relation} {{C}}",
                f"{{A}} [carries|carried] {{T}}, a present from {{A.his}} {relation} {{C}}",
            ))  # fmt: skip
            self.say(template, self.own(who, thing), Event("absent", absent.name), A=who, T=thing, C=absent)
            return
        ways: tuple[str, ...] = (
            "{A} [has|had] {T}",
            "{A} [carries|carried] {T}",
            "{A} [has|had] brought {T}",
            "{A} [has|had] {T} with {A.him}",
        )
        way = "{A} also [has|had] {T}" if who in self.holder.values() else self.dice.pick(ways)
        self.say(way, self.own(who, thing), A=who, T=thing)

    def appear(self) -> bool:
        """The third person of the story is first seen, or somebody is seen with a thing."""
        new = [person for person in self.cast if person not in self.where]
        if not new:
            if len(self.holder) + len(self.spot) < 3:
                self.possess(self.somebody())
                return True
            return False
        host, place, who = self.dice.pick(self.cast[:2]), self.dice.pick(self.places), new[0]
        relation = self.dice.pick([name for name in lexicon.RELATIONS[who.she] if name not in self.used])
        ways: tuple[str, ...] = (
            "{A} [is|was] {P.in}",
            "at that time, {A} [is|was] {P.in}",
            f"{{A}}, {{B.name}}'s {relation}, [is|was] {{P.in}}",
            f"{{B.his}} {relation} {{A}} [is|was] {{P.in}}",
        )
        self.say(self.dice.pick(ways), self.be(who, place), A=who, B=host, P=place)
        if self.dice.chance(0.4):
            self.possess(who)
        return True

    def move(self) -> bool:
        """Somebody goes somewhere, alone, with a friend or with a thing; why is not told."""
        who = self.somebody()
        place, things = self.other_place(who), [thing for thing, holder in self.holder.items() if holder == who]
        friends = self.company(who)
        if things and self.dice.chance(0.6):
            ways: tuple[str, ...] = (
                "{A} [takes|took] {T} {P.to}",
                "{A} [carries|carried] {T} {P.to}",
                "{A} [goes|went] {P.to} with {T.the}",
            )
            self.say(self.dice.pick(ways), self.go(who, place), link=True, A=who, P=place, T=self.dice.pick(things))
        elif friends and self.dice.chance(0.6):
            ways = ("{A.name} and {B.name} [go|went] {P.to} together", "{A.name} and {B.name} [walk|walked] {P.to}",
                    "{A} [goes|went] {P.to}, and {B.name} [comes|came] along")  # fmt: skip
            friend = self.dice.pick(friends)
            self.say(
                self.dice.pick(ways), self.go(who, place), self.go(friend, place), link=True, A=who, B=friend, P=place
            )
        else:
            self.say(self.dice.pick(MOVES), self.go(who, place), link=True, A=who, P=place)
        return True

    def visit(self) -> bool:
        """Somebody goes where somebody else is, to see him or her."""
        who = self.somebody()
        others = [other for other in self.cast if other in self.where and self.where[other] != self.where[who]]
        if not others:
            return False
        host = self.dice.pick(others)
        place, verb = self.where[host], self.dice.pick(("visit", "see", "meet", "help", "look for"))
        ways: tuple[str, ...] = (
            f"{{A}} [goes|went] {{P.to}} to {verb} {{B.name}}",
            f"{{A}} [walks|walked] {{P.to}} to {verb} {{B.name}}",
            f"to {verb} {{B.name}}, {{A.name}} [goes|went] {{P.to}}",
        )
        self.say(self.dice.pick(ways), self.go(who, place, f"to {verb} {host.name}"), A=who, B=host, P=place)
        return self.dice.chance(0.6) and (self.hand_over() if self.dice.chance(0.6) else self.together())

    def errand(self) -> bool:
        """Somebody needs something, goes where it is to be had, and does what there was to do."""
        who, known = self.somebody(), {place.name for place in self.places}
        fitting = [need for need in lexicon.NEEDS if need.place in known - {self.where[who].name}]
        fitting = [need for need in fitting if need.purpose not in self.used]
        if not fitting:
            return False
        need = self.dice.pick(fitting)
        self.used.add(need.purpose)
        place = lexicon.PLACES[need.place]
        needed = Event("need", who.name, where=place.name, note=need.purpose)
        outcome = [Event("do", who.name, where=place.name)]
        if need.gain is not None:
            outcome = [self.get(who, need.gain)]
            outcome[0] = Event("get", who.name, what=need.gain.name, where=place.name)
        words: dict[str, Any] = {"A": who, "P": place}
        if need.gain is not None:
            words["G"] = need.gain
        self.say(need.cause, A=who)
        ways = ["{A} [needs|needed] to go {P.to}", "{A} [has|had] to go {P.to}", "{A} [decides|decided] to walk {P.to}",
                "so {A} [sets|set] out {P.to}", f"so {{A}} [goes|went] {{P.to}} {need.purpose}"]  # fmt: skip
        if need not in HELD_OUT_NEEDS:
            ways += ["{A} [needs|needed] to head {P.to}"] * 3
        way = self.dice.pick(ways)
        if way.startswith("so"):
            self.say(way, needed, self.go(who, place, need.purpose), A=who, P=place)
        else:
            self.say(way, needed, A=who, P=place)
            if self.dice.chance(0.35):
                self.say("{P.in}, " + need.outcome, self.go(who, place, need.purpose), *outcome, **words)
                return True
            moves = ("{A} [goes|went] there at once", "{A} [puts|put] on {A.his} shoes and [goes|went] there",
                     "{A} [does|did] not wait long and [goes|went] {P.to}", "{A} [hurries|hurried] there",
                     *MOVES[:3])  # fmt: skip
            self.say(self.dice.pick(moves), self.go(who, place, need.purpose), A=who, P=place)
        if need.gain is not None or self.dice.chance(0.8):
            self.say(self.dice.pick(("", "", "there ")) + need.outcome, *outcome, **words)
        return True

    def lose(self) -> bool:
        """Somebody leaves a thing behind; perhaps somebody finds it, and perhaps it comes back."""
        owned = [(who, thing) for thing, who in self.holder.items()]
        if not owned:
            return False
        who, thing = self.dice.pick(owned)
        here, there = self.where[who], self.other_place(who)
        spot = self.dice.pick(here.spots)
        self._leave_behind(who, thing, spot, there)
        if self.dice.chance(0.45):
            gone = "[are|were]" if thing.form == "many" else "[is|was]"
            ways: tuple[str, ...] = (
                "{A} [looks|looked] for {T.the}, but [finds|found] nothing",
                f"there {{A}} [notices|noticed] that {{T.the}} {gone} gone",
                "{A} [searches|searched] everywhere for {T.the}",
            )
            self.say(self.dice.pick(ways), A=who, T=thing)
        if self.dice.chance(0.6):
            feeling = self.dice.pick(("sad", "upset", "worried", "unhappy"))
            self.feel(who, feeling, "{A.he} [has|had] lost {T.the}", T=thing)
        finders = [other for other in self.cast if other != who and other in self.where]
        words: dict[str, Any] = {"T": thing, "S": known_spot(spot), "P": here}
        if not finders or self.dice.chance(0.35):
            if self.dice.chance(0.5):
                ways = ("{A} [goes|went] back {P.to} and [finds|found] {T.the} {S}",
                        "{A} [runs|ran] back {P.to}, and there {A.he} [finds|found] {T.the} {S}",
                        "{A} [returns|returned] {P.to} and [finds|found] {T.the} {S}")  # fmt: skip
                self.say(self.dice.pick(ways), self.go(who, here), self.take(who, thing), link=True, A=who, **words)
                self.feel(who, "relieved", "{A.he} [has|had] found {T.the}", T=thing)
            return True
        finder = self.dice.pick(finders)
        if self.where[finder] == here:
            ways = ("{A} [finds|found] {T.the} {S}", "{A} [discovers|discovered] {T.the} {S}")
            self.say(self.dice.pick(ways), self.take(finder, thing), A=finder, **words)
        else:
            ways = ("{A} [comes|came] {P.to} and [finds|found] {T.the} {S}",
                    "{A} [walks|walked] {P.to} and [discovers|discovered] {T.the} {S}",
                    "{A} [goes|went] {P.to}, and there {A.he} [finds|found] {T.the} {S}")  # fmt: skip
            self.say(
                self.dice.pick(ways), self.go(finder, here), self.take(finder, thing), link=True, A=finder, **words
            )
        if self.dice.chance(0.55):
            ways = ("{A} [goes|went] {P.to} and [gives|gave] {T} back to {B.him}",
                    "{A} [brings|brought] {T} to {B.him} {P.in}",
                    "{A} [hurries|hurried] {P.to} and [hands|handed] {T} to {B.him}")  # fmt: skip
            self.say(self.dice.pick(ways), self.go(finder, there), self.give(finder, thing, who), A=finder, B=who,
                     T=thing, P=there)  # fmt: skip
            if self.dice.chance(0.6):
                feeling = self.dice.pick(("relieved", "grateful", "glad"))
                self.feel(who, feeling, "{B.name} [has|had] brought back {T.the}", B=finder, T=thing)
        return True

    def _leave_behind(self, who: Person, thing: Thing, spot: str, there: Place) -> None:
        """Somebody forgets a thing and goes on, in one sentence or two."""
        words: dict[str, Any] = {"A": who, "T": thing, "S": spot, "P": there}
        if self.dice.chance(0.5):
            ways: tuple[str, ...] = (
                "{A} [forgets|forgot] {T} {S} and [goes|went] {P.to}",
                "{A} [leaves|left] {T} {S} by mistake and [goes|went] {P.to}",
                "without thinking, {A} [leaves|left] {T} {S} and [walks|walked] {P.to}",
            )
            self.say(self.dice.pick(ways), self.put(who, thing, spot, "lose"), self.go(who, there), **words)
            return
        ways = ("{A} [forgets|forgot] {T} {S}", "by mistake, {A} [leaves|left] {T} {S}",
                "{A} [does|did] not notice that {A.he} [has|had] left {T} {S}")  # fmt: skip
        self.say(self.dice.pick(ways), self.put(who, thing, spot, "lose"), **words)
        self.say(self.dice.pick(MOVES), self.go(who, there), link=True, A=who, P=there)

    def hand_over(self) -> bool:
        """A thing changes hands, asked for or not."""
        owned = [(who, thing) for thing, who in self.holder.items() if self.company(who)]
        if not owned:
            return False
        who, thing = self.dice.pick(owned)
        whom = self.dice.pick(self.company(who))
        asked, this = self.dice.chance(0.3), "These are" if thing.form == "many" else "This is"
        if asked:
            wishes = ('"May I have {T.the}, {A.name}?" [asks|asked] {B.name}',
                      '"Could I use {T.the} today?" [asks|asked] {B.name}',
                      "{B} [asks|asked] {A.him} for {T.the}")  # fmt: skip
            self.say(self.dice.pick(wishes), A=who, B=whom, T=thing)
            ways: tuple[str, ...] = (
                '"Of course," [says|said] {A.name} and [hands|handed] {T.the} to {B.him}',
                "{A} [gives|gave] {T} to {B.him}",
                "so {A} [lets|let] {B.him} have {T.the}",
                '"Here you are," [says|said] {A.name} and [gives|gave] {T.the} to {B.him}',
            )
        else:
            ways = ("{A} [gives|gave] {T} to {B.him}", "{A} [hands|handed] {T} to {B.him}",
                    "{A} [passes|passed] {T} to {B.him}", "{A} [gives|gave] {B.him} {T.the}",
                    f'"{this} for you," [says|said] {{A.name}} and [gives|gave] {{T.the}} to {{B.him}}')  # fmt: skip
        quiet = not asked and self.dice.chance(0.8)
        way = self.dice.pick([way for way in ways if not quiet or not way.startswith('"')])
        self.say(way, self.give(who, thing, whom), link=quiet, A=who, B=whom, T=thing)
        if self.dice.chance(0.4):
            feeling = self.dice.pick(("glad", "happy", "grateful", "delighted"))
            same = who.she == whom.she  # then "given him" could mean both
            cause = "{A.he} now [has|had] {T.the}" if same else "{B.name} [has|had] given {A.him} {T.the}"
            self.feel(whom, feeling, cause, B=who, T=thing)
        elif self.dice.chance(0.4):
            thanks = ("{B} [thanks|thanked] {A.him}", "{B} [thanks|thanked] {A.him} with a smile",
                      '"Thank you so much!" [says|said] {B.name}')  # fmt: skip
            self.say(self.dice.pick(thanks), A=who, B=whom)
        return True

    def swap(self) -> bool:
        """Two who are at the same place exchange what they have."""
        pairs = [
            (one, other) for one, who in self.holder.items() for other, whom in self.holder.items()
            if whom in self.company(who)
        ]  # fmt: skip
        if not pairs:
            return False
        one, other = self.dice.pick(pairs)
        who, whom = self.holder[one], self.holder[other]
        ways: tuple[str, ...] = (
            "{A} [gives|gave] {T.the} to {B.him} and [gets|got] {U.the} in return",
            "{A} [exchanges|exchanged] {T.the} with {B.him} for {U.the}",
            "{A} [swaps|swapped] {T.the} with {B.him} for {U.the}",
        )
        self.say(self.dice.pick(ways), self.give(who, one, whom),
                 self.give(whom, other, who), link=True, A=who, B=whom, T=one, U=other)  # fmt: skip
        return True

    def put_down(self) -> bool:
        """Somebody puts a thing somewhere and mostly goes on."""
        owned = [(who, thing) for thing, who in self.holder.items()]
        if not owned:
            return False
        who, thing = self.dice.pick(owned)
        spot, there = self.dice.pick(self.where[who].spots), self.other_place(who)
        secret = spot.startswith(("under", "behind", "in a", "in an"))
        put = self.dice.pick(("[puts|put]", "[leaves|left]", "[hides|hid]" if secret else "[lays|laid]"))
        words: dict[str, Any] = {"A": who, "T": thing, "S": spot, "P": there}
        event = self.put(who, thing, spot)
        if self.dice.chance(0.55):
            self.say(
                f"{{A}} {put} {{T}} {{S}} and [goes|went] {{P.to}}", event, self.go(who, there), link=True, **words
            )
            return True
        self.say(f"{{A}} {put} {{T}} {{S}}", event, link=True, **words)
        company = self.company(who)
        if company and self.dice.chance(0.4):
            verb, it = ("are", "They are") if thing.form == "many" else ("is", "It is")
            self.say(f'"Where {verb} {{T.the}}?" [asks|asked] {{B.name}}', B=self.dice.pick(company), T=thing)
            self.say(f'"{it} {{S}}," [says|said] {{A.name}}', A=who, S=known_spot(spot))
        return True

    def pick_up(self) -> bool:
        """Somebody takes a thing that lies somewhere, and mostly carries it on."""
        if not self.spot or self.dice.chance(0.3):
            place, thing = self.dice.pick(self.places), self.thing()
            self._notice(thing, place, self.dice.pick(place.spots))
        thing, who = self.dice.pick(list(self.spot)), self.somebody()
        place, _ = self.spot[thing]
        if any(event.what == thing.name and event.who == who.name for event in self.sentences[-1].events):
            return False  # put down a moment ago
        if self.where[who] == place:
            ways: tuple[str, ...] = ("{A} [picks|picked] up {T.the}", "{A} [takes|took] {T}")
            self.say(self.dice.pick(ways), self.take(who, thing), link=True, A=who, T=thing)
        else:
            ways = ("{A} [goes|went] {P.to} and [takes|took] {T.the}",
                    "{A} [comes|came] {P.to} and [picks|picked] up {T.the}",
                    "{A} [walks|walked] {P.to} and [takes|took] {T.the} from there")  # fmt: skip
            self.say(
                self.dice.pick(ways), self.go(who, place), self.take(who, thing), link=True, A=who, T=thing, P=place
            )
        if self.dice.chance(0.6):
            there = self.other_place(who)
            ways = ("{A} [takes|took] {T} {P.to}", "{A} [carries|carried] {T} {P.to}",
                    "with {T.the} in {A.his} hands, {A.he} [goes|went] {P.to}")  # fmt: skip
            self.say(self.dice.pick(ways[: 3 if self.last == who else 2]), self.go(who, there), A=who, T=thing, P=there)
        return True

    def _notice(self, thing: Thing, place: Place, spot: str) -> None:
        """The story says where a thing lies."""
        they, be = ("[lie|lay]", "[are|were]") if thing.form == "many" else ("[lies|lay]", "[is|was]")
        ways: tuple[str, ...] = (
            f"there {be} {{T}} {{S}} {{P.in}}",
            f"{{T}} {they} {{S}} {{P.in}}",
            "somebody [has|had] left {T} {S} {P.in}",
        )
        self.say(self.dice.pick(ways), self.lie(thing, place, spot), T=thing, S=spot, P=place)

    def fetch(self) -> bool:
        """Somebody asks for a thing that lies elsewhere, and somebody else goes for it."""
        pairs = [(who, other) for who in self.cast for other in self.company(who)]
        if not pairs:
            return False
        who, asker = self.dice.pick(pairs)
        here = self.where[who]
        lying = [thing for thing, (place, _) in self.spot.items() if place != here and thing.form != "some"]
        if not lying or self.dice.chance(0.3):
            new, far = self.thing(), self.other_place(who)
            self._notice(new, far, self.dice.pick(far.spots))
            lying = [new]
        thing = self.dice.pick(lying)
        there, spot = self.spot[thing]
        words: dict[str, Any] = {"A": who, "T": thing, "P": there, "S": known_spot(spot)}
        wishes = ('"Could you bring me {T.the}, {A.name}?" [asks|asked] {B.name}',
                  "{B} [asks|asked] {A.him} to fetch {T.the}",
                  '"I need {T.the}," [says|said] {B.name} to {A.him}', "{B} [wants|wanted] {T.the}")  # fmt: skip
        self.say(self.dice.pick(wishes), A=who, B=asker, T=thing)
        purpose = f"to fetch the {thing.name}"
        if self.dice.chance(0.5):
            ways = ["{A} [needs|needed] to go {P.to}", "so {A} [has|had] to go {P.to}"]
            if thing.name not in HELD_OUT_THINGS:
                ways += ["{A} [needs|needed] to head {P.to}"] * 2
            self.say(self.dice.pick(ways), Event("need", who.name, where=there.name, note=purpose), A=who, P=there)
        ways = ["{A} [goes|went] {P.to} and [takes|took] {T.the}",
                "{A} [hurries|hurried] {P.to} and [picks|picked] up {T.the}",
                "{A} [runs|ran] {P.to} and [finds|found] {T.the} {S}"]  # fmt: skip
        self.say(self.dice.pick(ways), self.go(who, there, purpose), self.take(who, thing), link=True, **words)
        if self.dice.chance(0.7):
            ways = ["{A} [comes|came] back {P.to} and [gives|gave] {T} to {B.him}",
                    "{A} [brings|brought] {T.the} {P.to} and [hands|handed] {T} to {B.him}",
                    "{A} [returns|returned] {P.to} and [gives|gave] {B.him} {T.the}"]  # fmt: skip
            self.say(self.dice.pick(ways), self.go(who, here), self.give(who, thing, asker), link=True, A=who, B=asker,
                     T=thing, P=here)  # fmt: skip
            if self.dice.chance(0.5):
                feeling = self.dice.pick(("grateful", "pleased", "glad"))
                self.feel(asker, feeling, "{B.name} [has|had] fetched {T.the}", B=who, T=thing)
        return True

    def make(self) -> bool:
        """Somebody makes a thing."""
        who, (template, thing) = self.somebody(), self.dice.pick(lexicon.MADE)
        if thing.name in self.used:
            return False
        self.say(template, self.get(who, thing), link=True, A=who, T=thing)
        if self.dice.chance(0.4):
            self.feel(who, "proud", "{A.he} [has|had] made {T.the} without help", T=thing)
        return True

    def eat(self) -> bool:
        """Somebody has something to eat, and eats it or not."""
        who, food = self.somebody(), self.thing(lexicon.FOOD)
        self.say(self.dice.pick(("{A} [has|had] {T}", "{A} [has|had] brought {T}")), self.own(who, food), A=who, T=food)
        if self.dice.chance(0.5):
            ways: tuple[str, ...] = (
                "{A} [eats|ate] {T} slowly",
                "{A} [is|was] hungry and [eats|ate] {T}",
                "{A} [sits|sat] down and [eats|ate] {T}",
            )
            self.say(self.dice.pick(ways), Event("eat", who.name, what=food.name), link=True, A=who, T=food)
            del self.holder[food]
        return True

    def miss(self) -> bool:
        """Somebody looks for a thing, and the story does not say where it is."""
        if "miss" in self.used:
            return False
        self.used.add("miss")
        who, thing = self.somebody(), self.thing()
        ways: tuple[str, ...] = (
            "{A} [cannot|could not] find {A.his} {T.noun} anywhere",
            "{A} [is|was] looking for {A.his} {T.noun}",
            "{A} [looks|looked] everywhere for {A.his} {T.noun}",
        )
        self.say(self.dice.pick(ways), Event("miss", who.name, what=thing.name), A=who, T=thing)
        if self.dice.chance(0.4):
            feeling = self.dice.pick(("worried", "cross", "upset"))
            self.feel(who, feeling, "{A.he} [cannot|could not] find {T.the}", T=thing)
        return True

    def mood(self) -> bool:
        """Somebody feels something for a reason of their own."""
        who, (feeling, cause) = self.somebody(), self.dice.pick(lexicon.MOODS)
        if cause in self.used or f"{who.name} {feeling}" in self.used:
            return False
        self.used.add(cause)
        self.feel(who, feeling, cause)
        return True

    def far_away(self) -> bool:
        """Somebody is thought of whose place is not told."""
        who, absent = self.somebody(), self.elsewhere
        if self.absent_told:
            return False
        self.absent_told = True
        relation = self.dice.pick(lexicon.RELATIONS[absent.she])
        ways: tuple[str, ...] = (
            f"{{A}} [thinks|thought] of {{A.his}} {relation} {{C}}",
            f"{{A}} [misses|missed] {{A.his}} {relation} {{C}}",
            f"{{A.his}} {relation} {{C}} [has|had] not written for a long time",
            f"{{A}} [hopes|hoped] that {{A.his}} {relation} {{C}} [will|would] call soon",
        )
        self.say(self.dice.pick(ways), Event("absent", absent.name), A=who, C=absent)
        return True

    def together(self) -> bool:
        """Two do something at the same place."""
        pairs = [(who, other) for who in self.cast for other in self.company(who)]
        template = self.dice.pick(lexicon.TOGETHER)
        if not pairs or template in self.used:
            return False
        who, other = self.dice.pick(pairs)
        self.used.add(template)
        self.say(template, Event("meet", who.name, whom=other.name), link=True, A=who, B=other)
        return True
