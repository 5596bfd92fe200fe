"""Exercises, quizzes and predictions of notebook 04: backpropagation."""

import random

from course_utils.practice.exercises import Exercise, Wrong, numbers
from course_utils.practice.questions import Option, Question

USED_BY = {"a": "p", "b": "pq", "c": "q", "p": ("r", "loss"), "q": "r", "r": ("loss",), "loss": ()}  # of exercise 04.4


def too_early(order: str) -> list[str]:
    """Names whose turn comes before that of a box that uses them.

    >>> too_early("loss r q p a b c"), too_early("loss p r q a b c")
    ([], ['p'])
    """
    names = order.replace(",", " ").split()
    return [name for place, name in enumerate(names) if set(names[place + 1 :]) & set(USED_BY.get(name, ()))]


def complete(order: str) -> bool:
    """Whether every box has exactly one turn."""
    return sorted(order.replace(",", " ").split()) == sorted(USED_BY)


def shares(generator: random.Random) -> tuple[list[tuple[str, float]]]:
    """Four to eight shares of gradient for three values, in no order; one value gets a single share."""
    count = generator.randint(3, 7)
    names = ["x", "x", *generator.choices("xy", k=count - 2), "z"]
    return (
        [
            (name, share)
            for name, share in zip(
                generator.sample(names, len(names)), numbers(generator, len(names), 0.2, 3), strict=True
            )
        ],
    )


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "04.1", "The chain rule", difficulty=2, importance=5, minutes=6,
        task="`y = (a * x + b) ** 2`. When x grows a little, `a * x + b` grows `a` times as much; when *that* grows a "
        "little, its square grows by two times its value as much. Give the slope of y in x: how many times as much y "
        "grows as x does.",
        stub="def slope(x, a, b):\n    return ...",
        answer="def slope(x, a, b):\n    return 2 * (a * x + b) * a",
        wrong=(
            Wrong("only the outer half is there. Multiply by how much the inside moves with x.", "(a * x + b) * a",
                  "(a * x + b)"),
            Wrong("the slope of the square is taken at x; take it at what is squared, `a * x + b`.", "(a * x + b)",
                  "x"),
            Wrong("the two slopes are added; along a chain they multiply.", "(a * x + b) * a", "(a * x + b) + a"),
        ),
        hints=("Outside: two times what is squared. Inside: `a`.", "Multiply the two: `2 * (a * x + b) * ...`"),
        inputs=lambda r: (r.uniform(-3, 3), r.uniform(1.5, 4), r.uniform(0.5, 3)),
        explanation="However long the chain, each link adds one multiplication. That is backpropagation.",
    ),
    Exercise(
        "04.2", "Backwards through tanh", difficulty=3, importance=4, minutes=6,
        task="A box computed `output = tanh(input)`. The slope of tanh is `1 - output ** 2`. From the right arrives "
        "`gradient`: how much the loss changes with `output`. What does the box hand on to its input?",
        stub="def tanh_backward(output, gradient):\n    return ...",
        answer="def tanh_backward(output, gradient):\n    return gradient * (1 - output**2)",
        wrong=(
            Wrong("what arrives from the right is missing: multiply the box's own slope by `gradient`.",
                  "gradient * (", "("),
            Wrong("tanh is applied to the output a second time; `output` already is tanh of the input.",
                  "1 - output**2", "1 - __import__('math').tanh(output) ** 2"),
            Wrong("the square is missing: the slope of tanh is `1 - output ** 2`.", "output**2", "output"),
            Wrong("the two are added; along a chain slopes multiply.", "gradient * (", "gradient + ("),
        ),
        hints=("The box's own slope times what comes from the right.", "`gradient * (1 - ...)`"),
        inputs=lambda r: (r.choice([-1, 1]) * r.uniform(0.2, 0.95), r.choice([-1, 1]) * r.uniform(1.5, 3)),
        explanation="Where tanh is nearly flat (output near 1 or -1), almost nothing passes: gradients vanish there.",
    ),
    Exercise(
        "04.3", "Used twice", difficulty=2, importance=5, minutes=6,
        task="A value that is used in several places gets a share of gradient from each. `shares` is a list of pairs "
        "such as `('x', 0.5)`. Give a dictionary from each name to its whole gradient.",
        stub="def collect(shares):\n    return ...",
        answer="def collect(shares):\n    total = {}\n    for name, share in shares:\n"
        "        total[name] = total.get(name, 0) + share\n    return total",
        wrong=(
            Wrong("a later share overwrites the earlier ones. Every path by which x reaches the loss counts: add them.",
                  "total.get(name, 0) + share", "share"),
            Wrong("shares are multiplied. Along one path slopes multiply; over several paths they add.",
                  "total.get(name, 0) + share", "total.get(name, 1) * share"),
            Wrong("only the first share is kept; the others count too.", "total.get(name, 0) + share",
                  "total.get(name, share)"),
        ),
        hints=("Start from an empty dictionary and go through the pairs.",
               "`total[name] = total.get(name, 0) + share`"),
        inputs=shares,
        explanation="Forgetting to add is the classic bug of home-made engines; forgetting to start from zero is the "
        "other one.",
    ),
    Exercise(
        "04.4", "In which order?", difficulty=2, importance=4, minutes=4,
        task="With pencil and paper: `p = a * b`, `q = b + c`, `r = p * q`, `loss = r + p`. Draw the seven boxes. "
        "Going backwards, a box may have its turn only after **every box that uses it**. Write down one order in which "
        "all seven have their turn, as a text with blanks between the names.",
        stub="order = ...",
        answer='order = "loss r q p a b c"',
        wrong=(
            Wrong("each of a, b, c, p, q, r and loss must have exactly one turn.", "loss r q p a b c", "loss r q p",
                  when=lambda order: not complete(order)),
            Wrong("the loss must have the first turn: the gradient starts there. (Boxes are *computed* in the other "
                  "direction, with the loss last.)", "loss r q p a b c", "a b c p q r loss",
                  when=lambda order: not order.startswith("loss")),
            Wrong("p comes too early: r uses it as well as the loss, so the share from r is still missing.",
                  "loss r q p a b c", "loss p r q a b c", when=lambda order: too_early(order) == ["p"]),
            Wrong("at least one box has its turn before a box that uses it. Check each box: do all the boxes that it "
                  "has arrows to stand before it?", "loss r q p a b c", "loss r a b c q p",
                  when=lambda order: bool(too_early(order))),
        ),
        hints=("Begin with the loss. Who is used by the loss only?",
               "After the loss comes r; p must wait for r, although the loss uses it directly."),
        passes=lambda order: complete(order) and not too_early(order),
        explanation="Several orders are right, and all give the same gradients. Read backwards, each is an order in "
        "which the boxes can be computed.",
    ),
    Exercise(
        "04.5", "What a gradient costs", difficulty=2, importance=4, minutes=5,
        task="Evaluating the loss takes some `seconds`. Turning every one of N parameters a little takes one "
        "evaluation each, **and one** with nothing turned. A forward and backward pass takes as long as **three** "
        "evaluations, whatever N is. Give both times.",
        stub="def costs(parameters, seconds):\n    return ...",
        answer="def costs(parameters, seconds):\n    return (parameters + 1) * seconds, 3 * seconds",
        wrong=(
            Wrong("the evaluation with nothing turned is missing: N + 1.", "(parameters + 1)", "parameters"),
            Wrong("the backward pass does not take one evaluation per parameter: it visits each box once, and all "
                  "gradients come out together.", "3 * seconds", "3 * parameters * seconds"),
            Wrong("this is the backward pass alone; with the forward pass it takes three evaluations.", "3 * seconds",
                  "2 * seconds"),
        ),
        hints=("With 10 parameters: 11 evaluations one way, 3 the other.", "Two numbers: `return ..., 3 * seconds`."),
        inputs=lambda r: (r.randint(4, 60), r.uniform(0.5, 2)),
        explanation="For the chat model's 134,515,008 parameters: 134,515,009 evaluations against three.",
    ),
)

QUIZZES = (
    Question(
        "04.b", "You call our `backward(square)` a second time, on the same boxes. What does `a.gradient` show?",
        (
            Option("the same as before",
                   "It would, if every walk began with empty gradients, as the package's does. Ours adds with `+=` to "
                   "what is already there."),
            Option("a wrong number: what was there is counted again",
                   "The old gradients are still in the boxes, are handed on once more, and are added. torch adds in "
                   "the same way, which is why training loops there say `zero_grad()`.", right=True),
            Option("an error",
                   "Unfortunately not. Nothing fails; the numbers are wrong and nobody is told. That makes this bug "
                   "common."),
        ),
    ),
    Question(
        "04.c", "“During training, the computer tries each knob in turn and keeps the changes that help.” What is "
        "wrong with this sentence?",
        (
            Option("Nothing; that is how training works",
                   "It would take months for one step of the chat model, as you have just computed. No knob is tried "
                   "at all."),
            Option("The knobs are tried at random, not in turn",
                   "There are methods that do this, and they are slow, for the reason you saw: a direction drawn at "
                   "random hardly goes downhill."),
            Option("Nothing is tried: one walk backwards gives the gradient of every knob",
                   "The gradients follow from the calculation that was made anyway. Then all knobs turn together.",
                   right=True),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "04.a", "Stepping backwards through `x*x + 3*x` at x = 2, which numbers arrive at x?",
        (
            Option("2 and 3, together 5",
                   "The product `x*x` uses x twice, so it hands over a number twice."),
            Option("2 and 2 and 3, together 7",
                   "The product `x*x` has two inputs, and both are x. Each gets the value of the other one: 2. The "
                   "product `3*x` hands over 3. Three paths, added: 7. Turning x by 0.001 moves the result by "
                   "0.007001.", right=True),
            Option("2 and 2 and 3, the largest counts: 3",
                   "Every path carries part of the change, so none of them may be left out: they add up."),
        ),
    ),
)
