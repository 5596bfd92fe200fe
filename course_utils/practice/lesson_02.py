"""Exercises of notebook 02: neurons and networks."""

import random

from course_utils.practice.exercises import Exercise, Wrong, numbers

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))


def step_network(hidden: list[list[float]], biases: list[float], out: list[float], bias: float) -> list[int]:
    """What two hidden neurons and one output neuron, all steps, say to the four corners."""
    says = []
    for a, b in CORNERS:
        answers = [int(w[0] * a + w[1] * b + c > 0) for w, c in zip(hidden, biases, strict=True)]
        says.append(int(sum(w * answer for w, answer in zip(out, answers, strict=True)) + bias > 0))
    return says


def written(generator: random.Random) -> tuple[list[str], list[str]]:
    """Who wrote each of ten digits, and the writers to hold out."""
    writers = generator.sample(["Ada", "Ben", "Cleo", "Dov", "Eva"], 5) + generator.choices(["Ada", "Ben", "Cleo"], k=5)
    return writers, generator.sample(["Ada", "Ben", "Cleo", "Dov", "Eva"], 2)


# An exercise reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "02.1", "One neuron", difficulty=1, importance=5, minutes=5,
        task="A neuron multiplies each input by its weight, adds everything up, adds its bias, and bends the sum with "
        "`math.tanh`. Write one.",
        stub="import math\n\n\ndef neuron(inputs, weights, bias):\n    return ...",
        answer="import math\n\n\ndef neuron(inputs, weights, bias):\n"
        "    return math.tanh(sum(x * w for x, w in zip(inputs, weights)) + bias)",
        wrong=(
            Wrong("the bias is added after the bend; it belongs inside, with the sum.", ") + bias)", ")) + bias"),
            Wrong("the bias is missing: such a neuron can only ever switch at zero.", " + bias", ""),
            Wrong("nothing bends the sum. Without `math.tanh`, ten layers are no more than one.",
                  "math.tanh(sum(x * w for x, w in zip(inputs, weights)) + bias)",
                  "sum(x * w for x, w in zip(inputs, weights)) + bias"),
            Wrong("each product is bent on its own; add up first, then bend once.",
                  "math.tanh(sum(x * w for x, w in zip(inputs, weights)) + bias)",
                  "sum(math.tanh(x * w) for x, w in zip(inputs, weights)) + bias"),
        ),
        hints=("`zip(inputs, weights)` pairs them up.",
               "`math.tanh(sum(...) + bias)`: the sum and the bias go in together."),
        inputs=lambda r: (numbers(r, 3, -1, 1), numbers(r, 3, -1, 1), r.choice([-0.6, 0.4, 0.7])),
        because="This line, a few million times, is a network.",
    ),
    Exercise(
        "02.2", "Exclusive or, by hand", difficulty=4, importance=5, minutes=8,
        task="Each neuron says 1 if its weighted sum plus bias is above 0, else 0. Choose the numbers of **two hidden "
        "neurons** and one output neuron so that the output is 1 when exactly one of the two inputs is 1. (Each row of "
        "`hidden_weights` belongs to one hidden neuron.)",
        stub="hidden_weights = [[..., ...], [..., ...]]\nhidden_biases = [..., ...]\noutput_weights = [..., ...]\n"
        "output_bias = ...",
        answer="hidden_weights = [[1, 1], [1, 1]]\nhidden_biases = [-0.5, -1.5]\noutput_weights = [1, -1]\n"
        "output_bias = -0.5",
        wrong=(
            Wrong("this says 1 when **at least** one input is 1. Let the second hidden neuron notice (1, 1), and the "
                  "output subtract it.", "[1, -1]", "[1, 0]", lambda *n: step_network(*n) == [0, 1, 1, 1]),
            Wrong("this says 1 only when **both** inputs are 1. That is a job for one hidden neuron; the other should "
                  "notice either.", "[1, -1]", "[0, 1]", lambda *n: step_network(*n) == [0, 0, 0, 1]),
            Wrong("this is exactly the opposite: 1 where 0 is wanted. Turn the signs of the output neuron round.",
                  "[1, -1]\noutput_bias = -0.5", "[-1, 1]\noutput_bias = 0.5",
                  lambda *n: step_network(*n) == [1, 0, 0, 1]),
            Wrong("the output is the same for all four inputs. Look at the output neuron's bias against its weights.",
                  "output_bias = -0.5", "output_bias = -5", lambda *n: len(set(step_network(*n))) == 1),
        ),
        hints=('One hidden neuron can say "at least one", the other "both".',
               '"At least one" is weights 1, 1, bias -0.5; "both" the same weights, bias -1.5. Subtract it.'),
        passes=lambda *network: step_network(*network) == [0, 1, 1, 0],
        because="One neuron draws one straight line, and no single line does this. Two lines do.",
    ),
    Exercise(
        "02.3", "How many parameters?", difficulty=2, importance=4, minutes=5,
        task="A network has layers of the given sizes, inputs first: `[64, 32, 10]` has 64 inputs, 32 hidden neurons "
        "and 10 outputs. Every neuron has a weight for each number that the layer before it hands on, and a bias. How "
        "many numbers are learned?",
        stub="def parameters(sizes):\n    return ...",
        answer="def parameters(sizes):\n"
        "    return sum((before + 1) * after for before, after in zip(sizes, sizes[1:]))",
        wrong=(
            Wrong("the biases are missing: one for every hidden neuron and every output.", "(before + 1) * after",
                  "before * after"),
            Wrong("that is one bias for each layer; every **neuron** has its own.", "(before + 1) * after",
                  "before * after + 1"),
            Wrong("inputs have no biases; count them for the later layers only.", "(before + 1) * after",
                  "before * (after + 1)"),
            Wrong("this counts neurons. Parameters sit on the connections between them.",
                  "(before + 1) * after for before, after in zip(sizes, sizes[1:])", "size for size in sizes"),
        ),
        hints=("From 64 to 32: 64 * 32 weights, and 32 biases.",
               "`zip(sizes, sizes[1:])` gives each layer with the next."),
        inputs=lambda r: ([r.randint(3, 70) for _ in range(r.randint(3, 5))],),
        because="`[64, 32, 10]` gives 2,410. Notebook 10 counts GPT-3's 175 billion in the same way.",
    ),
    Exercise(
        "02.4", "Accuracy", difficulty=1, importance=4, minutes=3,
        task="What share of the predictions is right? Give a number between 0 and 1.",
        stub="def accuracy(predicted, labels):\n    return ...",
        answer="def accuracy(predicted, labels):\n"
        "    return sum(p == label for p, label in zip(predicted, labels)) / len(labels)",
        wrong=(
            Wrong("this counts the right ones; divide by how many there are.", " / len(labels)", ""),
            Wrong("this is the share of mistakes: `==`, not `!=`.", "p == label", "p != label"),
            Wrong("this is in per cent; a share lies between 0 and 1.", " / len(labels)", " / len(labels) * 100"),
        ),
        hints=("`p == label` is True or False, and Python adds True as 1.",
               "The sum of those, divided by `len(labels)`."),
        inputs=lambda r: ([r.randint(0, 2) for _ in range(7)], [r.randint(0, 2) for _ in range(7)]),
        because="Always say accuracy **on what**: the next exercise shows why.",
    ),
    Exercise(
        "02.5", "Keep writers apart", difficulty=3, importance=5, minutes=7,
        task="One person's sevens look alike. If some are trained on and others tested on, the test is too easy. Given "
        "who **wrote** each digit and the writers to **hold out**, give two lists of positions: those to train on, "
        "those to test on.",
        stub="def split(writers, held_out):\n    return ...",
        answer="def split(writers, held_out):\n"
        "    train = [i for i, writer in enumerate(writers) if writer not in held_out]\n"
        "    test = [i for i, writer in enumerate(writers) if writer in held_out]\n    return train, test",
        wrong=(
            Wrong("the two lists are swapped: held-out writers are for the test.", "return train, test",
                  "return test, train"),
            Wrong("this gives the writers' names; positions are asked for (`enumerate` counts them).", "[i for i,",
                  "[writer for i,"),
            Wrong("this splits by position, so a writer can be on both sides: leakage.", "return train, test",
                  "return list(range(len(train))), list(range(len(train), len(writers)))"),
            Wrong("held-out digits are also trained on. That is leakage: the test would measure memory.",
                  " if writer not in held_out", ""),
        ),
        hints=("For each position ask: is its writer in `held_out`?",
               "`[i for i, writer in enumerate(writers) if writer in held_out]` is the test half."),
        inputs=written,
        because="Split by writer, the same network scores several per cent less. That lower figure is the honest one.",
    ),
    Exercise(
        "02.6", "A filter slides over a picture", difficulty=4, importance=4, minutes=8,
        task="Lay a 3 x 3 filter on every place where it fits into the picture, multiply number by number, add up. A "
        "picture of 6 x 5 numbers gives 4 x 3. With `[[-1, 0, 1]] * 3`, upright edges light up.",
        stub="def slide(picture, kernel):\n    return ...",
        answer="def slide(picture, kernel):\n    def at(row, column):\n"
        "        return sum(kernel[i][j] * picture[row + i][column + j] for i in range(3) for j in range(3))\n\n"
        "    rows, columns = len(picture) - 2, len(picture[0]) - 2\n"
        "    return [[at(row, column) for column in range(columns)] for row in range(rows)]",
        wrong=(
            Wrong("the filter is turned upside down and left to right. Mathematicians do that and call it convolution; "
                  "networks do not.", "kernel[i][j]", "kernel[2 - i][2 - j]"),
            Wrong("rows and columns of the filter are swapped, so it finds level edges instead of upright ones.",
                  "kernel[i][j]", "kernel[j][i]"),
            Wrong("the filter hangs over the border or stops early: it fits in `height - 2` rows and `width - 2` "
                  "columns.", "len(picture) - 2, len(picture[0]) - 2", "len(picture) - 3, len(picture[0]) - 3"),
        ),
        hints=("Write the sum for one place first: nine products `kernel[i][j] * picture[row + i][column + j]`.",
               "Then two loops: `row` from 0 to height - 3, `column` from 0 to width - 3."),
        inputs=lambda r: ([numbers(r, 5) for _ in range(6)], [numbers(r, 3) for _ in range(3)]),
        because="Nine numbers, used everywhere in the picture. A convolutional network learns which nine.",
    ),
)
