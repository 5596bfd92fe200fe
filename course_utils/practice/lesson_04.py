"""Exercises of notebook 04: backpropagation."""

import random

from course_utils.practice.exercises import Exercise, Wrong, numbers


def graph(generator: random.Random) -> tuple[list[str], dict[str, list[str]]]:
    """A shuffled order of six nodes, and what each is computed from."""
    inputs = {"a": [], "b": [], "c": ["a", "b"], "d": ["c", "b"], "e": ["c", "d"], "loss": ["e", "a"]}
    return generator.sample(sorted(inputs), 6), inputs


# An exercise reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "04.1", "The chain rule", difficulty=2, importance=5, minutes=6,
        task="`y = (a * x + b) ** 2`. When x grows a little, `a * x + b` grows `a` times as much; when *that* grows a "
        "little, its square grows by two times its value as much. Give the slope of y in x.",
        stub="def slope(x, a, b):\n    return ...",
        answer="def slope(x, a, b):\n    return 2 * (a * x + b) * a",
        wrong=(
            Wrong("only the outer half is there. Multiply by how much the inside moves with x.", "(a * x + b) * a",
                  "(a * x + b)"),
            Wrong("the square's slope is taken at x; take it where the square is, at `a * x + b`.", "(a * x + b)", "x"),
            Wrong("the two slopes are added; a chain multiplies them.", "(a * x + b) * a", "(a * x + b) + a"),
        ),
        hints=("Outside: two times what is squared. Inside: `a`.", "Multiply the two: `2 * (a * x + b) * ...`"),
        inputs=lambda r: (r.uniform(-3, 3), r.uniform(1.5, 4), r.uniform(0.5, 3)),
        because="However long the chain, it is one multiplication a link. That is backpropagation.",
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
        hints=("Own slope times what comes from the right.", "`gradient * (1 - ...)`"),
        inputs=lambda r: (r.choice([-1, 1]) * r.uniform(0.2, 0.95), r.choice([-1, 1]) * r.uniform(1.5, 3)),
        because="Where tanh is nearly flat (output near 1 or -1), almost nothing passes: gradients vanish there.",
    ),
    Exercise(
        "04.3", "Used twice", difficulty=2, importance=5, minutes=6,
        task="A value that is used in several places gets a share of gradient from each. `shares` is a list of pairs "
        'such as `("x", 0.5)`. Give a dictionary from each name to its whole gradient.',
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
        inputs=lambda r: ([(name, share) for name, share in zip("xyxxy", numbers(r, 5, 0.2, 3), strict=True)],),
        because="Forgetting to add is the classic bug of every home-made engine; forgetting to start from zero is the "
        "other.",
    ),
    Exercise(
        "04.4", "In which order?", difficulty=4, importance=4, minutes=10,
        task="Going backwards, a node may have its turn only after **every node that uses it**. `inputs` says what "
        'each node is computed from: `inputs["c"] == ["a", "b"]` means c uses a and b. Given an `order`, list the '
        "nodes (in that order) that come too early.",
        stub="def too_early(order, inputs):\n    return ...",
        answer="def too_early(order, inputs):\n    def waits(node):\n"
        "        later = order[order.index(node) + 1 :]\n        return any(node in inputs[user] for user in later)\n\n"
        "    return [node for node in order if waits(node)]",
        wrong=(
            Wrong("this is the forward order: it asks whether a node's **inputs** come later. Backwards it is its "
                  "**users**.",
                  "node in inputs[user]", "user in inputs[node]"),
            Wrong("this lists the nodes that come in time.", "if waits(node)", "if not waits(node)"),
            Wrong("only the very next node is looked at; a user may stand anywhere later in the order.",
                  "order[order.index(node) + 1 :]", "order[order.index(node) + 1 : order.index(node) + 2]"),
        ),
        hints=("For each node, look for a user (a node that has it among its inputs) that stands later in the order.",
               "`order[order.index(node) + 1 :]` are the nodes that have their turn after it."),
        inputs=graph,
        because="An order with nothing too early is called topological. Any of them gives the same gradients.",
    ),
    Exercise(
        "04.5", "What a gradient costs", difficulty=2, importance=4, minutes=5,
        task="Evaluating the loss takes some `seconds`. Turning every one of N parameters a little takes one "
        "evaluation each, **and one** with nothing turned. A forward and backward pass takes as long as **three** "
        "evaluations, whatever N. Give both times.",
        stub="def costs(parameters, seconds):\n    return ...",
        answer="def costs(parameters, seconds):\n    return (parameters + 1) * seconds, 3 * seconds",
        wrong=(
            Wrong("the evaluation with nothing turned is missing: N + 1.", "(parameters + 1)", "parameters"),
            Wrong("the backward pass does not grow with the number of parameters: it visits each node once, all "
                  "gradients come out together.", "3 * seconds", "3 * parameters * seconds"),
            Wrong("the backward pass alone; the forward pass comes before it: three evaluations.", "3 * seconds",
                  "2 * seconds"),
        ),
        hints=("With 10 parameters: 11 evaluations one way, 3 the other.", "Two numbers: `return ..., 3 * seconds`."),
        inputs=lambda r: (r.randint(4, 60), r.uniform(0.5, 2)),
        because="For the chat model's 134,515,008 parameters: 134,515,009 evaluations against three.",
    ),
)
