"""Who and what the stories are about: people, places, things, and why somebody has to go somewhere."""

from __future__ import annotations

from dataclasses import dataclass

from course_utils.data.tales.language import Person, Place, Thing

PEOPLE = (
    *(Person(name, she=True) for name in (
        "Anna", "Mia", "Lucy", "Emma", "Nora", "Ella", "Rosa", "Clara", "Alice", "Ruth", "Maya", "Ida", "Jane", "Olga",
        "Sara", "Lena", "Amina", "Yuki", "Leila", "Grace",
    )),
    *(Person(name, she=False) for name in (
        "Tom", "Ben", "Max", "Sam", "Leo", "Jack", "Paul", "Omar", "Hugo", "Peter", "Finn", "Adam", "Noah", "Karim",
        "Ken", "David", "Luis", "Ivan", "Oscar", "Henry",
    )),
)  # fmt: skip

# Who somebody can be to somebody else, by sex.
RELATIONS = {
    True: ("sister", "friend", "neighbour", "cousin", "aunt"),
    False: ("brother", "friend", "neighbour", "cousin", "uncle"),
}

_ROOM = ("on the table", "on a chair", "under the table", "behind the door", "on a shelf", "by the window")
_INSIDE = ("on a chair", "under a chair", "by the window", "near the door", "on a small table", "in a corner")
_GREEN = ("under a tree", "on a bench", "in the grass", "on a stone", "by the path", "beside the gate")
_SHORE = ("on a rock", "beside a boat", "on a bench", "under a tree", "in the sand")
_YARD = ("on a bench", "beside the gate", "by the wall", "near the gate", "on the ground")

ROOMS = (
    Place("kitchen", "in", _ROOM, room=True),
    Place("hall", "in", ("on a chair", "behind the door", "on a shelf", "on the stairs"), room=True),
    Place("bedroom", "in", ("on the bed", "under the bed", "on a chair", "by the window"), room=True),
    Place("attic", "in", ("in a box", "in an old chest", "under a sheet", "by the window"), room=True),
    Place("cellar", "in", ("in a box", "on a shelf", "behind the door", "on the stairs"), room=True),
    Place("garage", "in", ("in a box", "on a shelf", "behind the door", "in a corner"), room=True),
    Place("garden", "in", ("under a tree", "on a bench", "in the grass", "on the wall"), room=True),
    Place("shed", "in", ("in a box", "on a shelf", "behind the door", "in a corner"), room=True),
    Place("study", "in", ("on the desk", "under the desk", "on a shelf", "by the window"), room=True),
)
TOWN = (
    Place("shop", "at", ("on the counter", "near the door", "by the window", "under a chair")),
    Place("library", "at", ("on a shelf", *_INSIDE)),
    Place("school", "at", ("under a desk", *_INSIDE)),
    Place("station", "at", ("on a bench", "under a bench", "beside the clock", "near the door")),
    Place("park", "in", _GREEN),
    Place("beach", "on", ("on a rock", "in the sand", "beside a boat", "under a towel")),
    Place("farm", "at", _YARD),
    Place("museum", "at", ("on a bench", "near the door", "by the window", "in a corner")),
    Place("theatre", "at", ("under a seat", "on a seat", "near the door", "in a corner")),
    Place("clinic", "at", _INSIDE),
    Place("harbour", "at", ("beside a boat", "on a bench", "by the wall", "on the ground")),
    Place("forest", "in", ("under a tree", "on a stone", "in the grass", "by the path")),
    Place("river", "at", ("on a stone", "in the grass", "under a tree", "beside a boat")),
    Place("lake", "at", ("on a stone", "in the grass", "under a tree", "beside a boat")),
    Place("stable", "in", ("in the straw", "behind the door", "on a hook", "in a corner")),
    Place("workshop", "in", ("on a shelf", "in a box", "under the table", "in a corner")),
    Place("café", "at", _INSIDE),
    Place("pool", "at", ("on a bench", "under a bench", "by the wall", "near the door")),
    Place("zoo", "at", _YARD),
    Place("bank", "at", ("on the counter", "near the door", "on a chair", "by the window")),
    Place("airport", "at", ("on a seat", "under a seat", "near the door", "in a corner")),
    Place("bakery", "at", ("on the counter", "near the door", "by the window", "on a chair")),
    Place("market", "at", ("on a table", "under a table", "by the wall", "on the ground")),
)
PLACES = {place.name: place for place in (*ROOMS, *TOWN)}

COLOURS = ("red", "blue", "green", "yellow", "white", "black", "brown", "grey")
LOOKS = ("small", "old", "new", "pretty", "lovely")
# What can be carried, lost and given; those of the first group have colours.
COLOURED = (
    "kite", "ball", "umbrella", "hat", "scarf", "lamp", "basket", "drum", "cup", "bowl", "blanket", "backpack",
    "bucket", "teapot", "vase", "pencil", "notebook", "pillow", "apron", "envelope", "ribbon", "cap", "suitcase",
    "coat",
)  # fmt: skip
PLAIN = (
    "book", "torch", "key", "map", "letter", "flute", "violin", "whistle", "doll", "puzzle", "camera", "watch", "ring",
    "coin", "shell", "feather", "bell", "mirror", "spoon", "brush", "ticket", "rope", "hammer", "comb", "telescope",
    "parcel", "diary", "postcard", "magnet", "compass", "fishing net",
)  # fmt: skip
MANY = ("boots", "gloves", "glasses", "skates", "scissors", "slippers")
FOOD = ("apple", "orange", "pear", "peach", "plum", "sandwich", "pancake", "banana")
COLOURED_MANY = ("boots", "gloves", "slippers")


@dataclass(frozen=True)
class Need:
    """Why somebody has to go to a place."""

    place: str
    cause: str  # a template about {A}, without a full stop
    purpose: str  # answers "why did she go there?"
    outcome: str  # a template of what {A} does there
    gain: Thing | None = None  # what {A} has afterwards


def _buy(cause: str, name: str, form: str = "some") -> Need:
    thing = Thing(name, form)
    return Need("shop", cause, f"to buy {thing.some}", "{A} [buys|bought] {G}", thing)


NEEDS = (
    _buy("{A} [is|was] hungry, and there [is|was] no bread", "bread"),
    _buy("{A} [wants|wanted] to make tea, but there [is|was] no milk", "milk"),
    _buy("{A} [wants|wanted] to wash {A.his} hands, but there [is|was] no soap", "soap"),
    _buy("{A} [wants|wanted] to make jam, but there [is|was] no sugar in the jar", "sugar"),
    _buy("{A} [wants|wanted] to cook supper, but the rice [is|was] all gone", "rice"),
    _buy("{A} [wants|wanted] to write, but there [is|was] no more paper", "paper"),
    _buy("it [gets|got] dark early, and {A} [has|had] no candles", "candles", "many"),
    _buy("{A} [wants|wanted] to fry some eggs, but the butter [is|was] finished", "butter"),
    Need("library", "{A} [has|had] read all {A.his} books", "to borrow a new book",
         "{A} [borrows|borrowed] a new book"),
    Need("library", "{A} [wants|wanted] to know more about the stars", "to read about the stars",
         "{A} [reads|read] about the stars for an hour"),
    Need("library", "{A} [needs|needed] a quiet desk where {A.he} [can|could] read", "to find a quiet desk",
         "{A} [finds|found] a quiet desk and [begins|began] to read"),
    Need("library", "{A} [has|had] borrowed three novels, and {A.he} [has|had] finished them all",
         "to return three novels", "{A} [returns|returned] the three novels"),
    Need("school", "{A} [has|had] a spelling test", "to take a spelling test", "{A} [spells|spelled] every word well"),
    Need("school", "{A} [teaches|taught] music, and the class [is|was] waiting", "to teach music",
         "{A} [teaches|taught] the class a new song"),
    Need("school", "{A} [has|had] a lesson about plants", "to learn about plants",
         "{A} [learns|learned] how plants drink water"),
    Need("school", "the teacher [wants|wanted] to speak to {A.him} about {A.his} homework", "to talk to the teacher",
         "{A} [talks|talked] to the teacher about the homework"),
    Need("station", "{A.his} grandmother [is|was] coming by train", "to meet the train",
         "{A} [waits|waited] until the train [comes|came] in"),
    Need("station", "{A} [wants|wanted] to travel to the city by train", "to ask about the trains",
         "{A} [asks|asked] when the next train [leaves|left]"),
    Need("station", "the train [leaves|left] in half an hour, and {A} [has|had] a seat in it", "to catch a train",
         "{A} [sits|sat] down and [waits|waited] for the train"),
    Need("park", "{A.his} dog [needs|needed] a walk", "to walk the dog", "{A} [lets|let] the dog run in the grass"),
    Need("park", "{A} [wants|wanted] to play on the swings", "to play on the swings",
         "{A} [swings|swung] higher and higher"),
    Need("park", "{A} [wants|wanted] to feed the ducks in the pond", "to feed the ducks", "{A} [feeds|fed] the ducks"),
    Need("beach", "{A} [wants|wanted] to build a castle of sand", "to build a castle of sand",
         "{A} [builds|built] a castle with four towers"),
    Need("beach", "{A} [wants|wanted] to jump over the waves of the sea", "to jump over the waves",
         "{A} [jumps|jumped] over the waves"),
    Need("beach", "{A} [collects|collected] shells, and the tide [is|was] low", "to collect shells",
         "{A} [finds|found] more shells than ever before"),
    Need("farm", "{A} [wants|wanted] to see the new lambs", "to see the new lambs",
         "{A} [strokes|stroked] the smallest lamb"),
    Need("farm", "the cows [have|had] to be milked, and {A} [has|had] promised to help", "to milk the cows",
         "{A} [milks|milked] the cows"),
    Need("farm", "the hens [have|had] laid many eggs, and {A} [has|had] promised to collect them",
         "to collect the eggs", "{A} [collects|collected] the eggs one by one"),
    Need("museum", "{A} [wants|wanted] to see the bones of a dinosaur", "to see the bones of a dinosaur",
         "{A} [looks|looked] at the huge bones"),
    Need("museum", "{A} [loves|loved] old paintings", "to look at old paintings",
         "{A} [looks|looked] at the old paintings"),
    Need("museum", "{A} [is|was] writing about old coins and [has|had] never seen one", "to look at old coins",
         "{A} [looks|looked] at coins from long ago"),
    Need("theatre", "{A} [has|had] a seat for the play", "to see a play", "{A} [watches|watched] the play"),
    Need("theatre", "{A} [sings|sang] in a choir, and the concert [begins|began] soon", "to sing in a concert",
         "{A} [sings|sang] in the first row"),
    Need("theatre", "{A} [plays|played] the king on the stage, and the guests [are|were] waiting", "to play the king",
         "{A} [plays|played] the king very well"),
    Need("clinic", "{A} [has|had] a sore throat", "to see the doctor about a sore throat",
         "the doctor [tells|told] {A.him} to drink hot tea"),
    Need("clinic", "{A} [has|had] a bad cough", "to see the doctor about a cough",
         "the doctor [listens|listened] to {A.his} cough"),
    Need("clinic", "{A} [has|had] hurt {A.his} foot", "to show the doctor a sore foot",
         "the doctor [looks|looked] at {A.his} foot"),
    Need("harbour", "a great ship [is|was] coming in, and {A} [wants|wanted] to watch it", "to watch a great ship",
         "{A} [watches|watched] the great ship come in"),
    Need("harbour", "{A.his} grandfather [is|was] coming back from the sea", "to meet the boat",
         "{A} [waits|waited] for the boat and [waves|waved]"),
    Need("harbour", "{A} [has|had] promised to paint a sailing boat", "to paint a sailing boat",
         "{A} [paints|painted] the boat from end to end"),
    Need("forest", "{A} [wants|wanted] to look for mushrooms", "to look for mushrooms",
         "{A} [finds|found] a dozen mushrooms"),
    Need("forest", "{A} [wants|wanted] to hear the owls", "to hear the owls", "{A} [hears|heard] two owls"),
    Need("forest", "the fire [is|was] going out, and {A} [needs|needed] dry wood", "to gather dry wood",
         "{A} [gathers|gathered] dry wood"),
    Need("river", "{A} [wants|wanted] to see the old stone bridge", "to see the old stone bridge",
         "{A} [looks|looked] at the old stone bridge"),
    Need("river", "{A} [wants|wanted] to catch a trout", "to catch a trout", "{A} [catches|caught] a small trout"),
    Need("lake", "the ice [is|was] thick, and {A} [wants|wanted] to skate", "to skate on the ice",
         "{A} [skates|skated] round and round"),
    Need("lake", "{A} [wants|wanted] to row to the little island", "to row to the island",
         "{A} [rows|rowed] to the island and back"),
    Need("stable", "nobody [has|had] fed {A.his} horse", "to feed the horse", "{A} [feeds|fed] the horse"),
    Need("stable", "{A} [wants|wanted] to ride the pony", "to ride the pony", "{A} [rides|rode] the pony"),
    Need("stable", "{A.his} horse [needs|needed] fresh straw", "to bring the horse fresh straw",
         "{A} [gives|gave] the horse fresh straw"),
    Need("workshop", "{A.his} bicycle [has|had] a flat tyre", "to mend a bicycle", "{A} [mends|mended] the bicycle"),
    Need("workshop", "a chair [has|had] lost a leg, and {A} [wants|wanted] to repair it", "to repair a chair",
         "{A} [repairs|repaired] the chair"),
    Need("workshop", "{A} [wants|wanted] to build a house for the birds", "to build a house for the birds",
         "{A} [builds|built] a house for the birds"),
    Need("café", "{A} [wants|wanted] a cup of hot chocolate", "to drink hot chocolate",
         "{A} [drinks|drank] hot chocolate"),
    Need("café", "{A} [is|was] meeting an old friend for coffee", "to meet a friend for coffee",
         "{A} [talks|talked] with the old friend over coffee"),
    Need("pool", "{A} [has|had] a swimming lesson", "to take a swimming lesson", "{A} [swims|swam] ten lengths"),
    Need("pool", "{A} [wants|wanted] to learn to dive", "to learn to dive", "{A} [dives|dived] again and again"),
    Need("zoo", "{A} [wants|wanted] to see the elephants", "to see the elephants",
         "{A} [watches|watched] the elephants"),
    Need("zoo", "{A} [has|had] never seen a lion", "to see a lion", "{A} [sees|saw] a lion"),
    Need("zoo", "the penguins [are|were] fed at this hour, and {A} [loves|loved] penguins", "to see the penguins",
         "{A} [laughs|laughed] at the penguins"),
    Need("bank", "{A} [has|had] no money left", "to get some money", "{A} [gets|got] some money"),
    Need("bank", "{A.his} money box [is|was] full", "to pay in some money", "{A} [pays|paid] in all the coins"),
    Need("airport", "{A.his} plane [leaves|left] in two hours", "to catch a plane", "{A} [looks|looked] at the planes"),
    Need("airport", "{A.his} aunt [is|was] flying in from far away", "to meet the plane",
         "{A} [waits|waited] for the plane"),
    Need("bakery", "{A.his} mother's birthday [is|was] the next day, and there [is|was] no cake yet", "to order a cake",
         "{A} [orders|ordered] a large cake"),
    Need("bakery", "{A} [wants|wanted] fresh rolls straight from the oven", "to get fresh rolls",
         "{A} [gets|got] six warm rolls"),
    Need("market", "{A} [keeps|kept] bees and [has|had] ten jars of honey to sell", "to sell honey",
         "{A} [sells|sold] all the honey"),
    Need("market", "{A} [has|had] grown more beans than {A.he} [can|could] eat and [wants|wanted] to sell some",
         "to sell beans", "{A} [sells|sold] the beans"),
)  # fmt: skip

# Feelings that nothing else in the story brings about: the feeling and a template of its cause.
MOODS = (
    ("happy", "it [is|was] {A.his} birthday"),
    ("happy", "the sun [is|was] shining at last"),
    ("happy", "{A.he} [has|had] got a kind letter"),
    ("happy", "{A.his} grandmother [is|was] coming on Sunday"),
    ("tired", "{A.he} [has|had] slept badly"),
    ("tired", "{A.he} [has|had] worked in the fields all week"),
    ("tired", "the baby next door [has|had] cried all night"),
    ("excited", "the holidays [begin|began] the next day"),
    ("excited", "{A.he} [has|had] been chosen for the team"),
    ("excited", "the circus [is|was] coming to town"),
    ("nervous", "{A.he} [has|had] to give a speech that night"),
    ("nervous", "the dentist [has|had] asked {A.him} to come back"),
    ("nervous", "{A.he} [has|had] never flown before"),
    ("cross", "the rain [has|had] spoiled the picnic"),
    ("cross", "somebody [has|had] eaten all the cherries"),
    ("cross", "the bus [has|had] left without {A.him}"),
    ("sad", "{A.his} best friend [is|was] moving away"),
    ("sad", "the summer [is|was] nearly over"),
    ("sad", "{A.his} team [has|had] lost again"),
    ("proud", "{A.he} [has|had] won a race"),
    ("proud", "{A.he} [has|had] learned to whistle"),
    ("proud", "{A.his} roses [are|were] the finest in the street"),
    ("afraid", "{A.he} [hears|heard] thunder far away"),
    ("afraid", "a large dog [is|was] barking at {A.him}"),
    ("afraid", "the lights [have|had] gone out"),
    ("surprised", "it [has|had] snowed in the night"),
    ("surprised", "an owl [is|was] looking at {A.him}"),
    ("surprised", "the clock [has|had] struck thirteen"),
)

# What somebody can make: a template of the making, and the thing.
MADE = (
    ("{A} [paints|painted] {T}", Thing("picture")),
    ("{A} [draws|drew] {T} of the village", Thing("plan")),
    ("{A} [knits|knitted] {T}", Thing("socks", "many", "warm")),
    ("{A} [folds|folded] {T} out of card", Thing("swan", adjective="tiny")),
    ("{A} [writes|wrote] {T} about the moon", Thing("poem")),
    ("{A} [cuts|cut] {T} out of gold foil", Thing("butterfly")),
    ("{A} [makes|made] {T} from acorns", Thing("necklace")),
    ("{A} [carves|carved] {T} from a piece of wood", Thing("duck", adjective="little")),
    ("{A} [sews|sewed] {T}", Thing("bag", adjective="pretty")),
    ("{A} [ties|tied] daisies into {T}", Thing("crown")),
)

DAYS = ("morning", "day", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEATHER = ("sunny", "rainy", "windy", "cold", "warm", "foggy", "cloudy", "bright", "quiet", "mild")
TIMES = (
    "after breakfast", "at ten o'clock", "at noon", "after lunch", "at two o'clock",
    "in the afternoon", "at four o'clock", "before supper", "in the evening", "after supper",
)  # fmt: skip
LINKS = ("then", "later", "soon", "after a while", "a little later", "some time later", "not long after")

# What two who are at the same place can do there, and how a story can end.
TOGETHER = (
    "{A.name} and {B.name} [talk|talked] for a long time",
    "{A.name} and {B.name} [sing|sang] an old song",
    "{A.name} and {B.name} [play|played] a guessing game",
    "{A.name} and {B.name} [tell|told] each other jokes",
    "{A.name} and {B.name} [laugh|laughed] until they [are|were] out of breath",
    "{A} [tells|told] {B.him} a story about a clever fox",
    "{A} [asks|asked] {B.him} a riddle, and {B.he} [guesses|guessed] it at once",
    "{B} [teaches|taught] {A.him} a new game",
    "{A} [shows|showed] {B.him} a trick",
    "{B} [tells|told] {A.him} about a strange dream",
)
ENDINGS = (
    "it [has|had] been a good day",
    "{A} [hums|hummed] a little tune",
    "{A} [smiles|smiled]",
    "{A} [looks|looked] up at the clouds and [smiles|smiled]",
    '"What a day!" [says|said] {A.name}',
    "{A} [knows|knew] that {A.he} [will|would] remember this day",
    "{A} [yawns|yawned] and [closes|closed] {A.his} eyes for a moment",
    "{A} [whistles|whistled] and [thinks|thought] about the day",
    "the first star [comes|came] out, and {A} [makes|made] a wish",
    "the church bells [ring|rang], and {A} [counts|counted] them",
    "a bird [sings|sang], and {A} [listens|listened]",
    "{A} [sits|sat] down and [rests|rested]",
    "{A} [counts|counted] the days until Sunday",
    '"Tomorrow will be even better," [says|said] {A.name}',
    "a cat [comes|came] by, and {A} [strokes|stroked] it",
    "{A} [thinks|thought] of supper",
)
