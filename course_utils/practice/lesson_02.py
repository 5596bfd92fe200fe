"""Exercises, quizzes and predictions of notebook 02: neurons and networks."""

import random

from course_utils.practice.exercises import Exercise, Wrong, numbers
from course_utils.practice.questions import Option, Question

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))


def step_network(hidden: list[list[float]], biases: list[float], out: list[float], bias: float) -> list[int]:
    """What two hidden neurons and one output neuron, all steps, say to the four corners."""
    says = []
    for a, b in CORNERS:
        answers = [int(w[0] * a + w[1] * b + c > 0) for w, c in zip(hidden, biases, strict=True)]
        says.append(int(sum(w * answer for w, answer in zip(out, answers, strict=True)) + bias > 0))
    return says


def written(generator: random.Random) -> tuple[list[str], list[str]]:
    """Who wrote each of some digits, and the one, two or three writers to hold out."""
    names = ["Ada", "Ben", "Cleo", "Dov", "Eva"]
    writers = generator.sample(names, 5) + generator.choices(names[:3], k=generator.randint(3, 7))
    return writers, generator.sample(names, generator.randint(1, 3))


def predictions(generator: random.Random) -> tuple[list[int], list[int]]:
    """What a network answered, and the labels, for four to nine examples of three classes."""
    count = generator.randint(4, 9)
    return generator.choices(range(3), k=count), generator.choices(range(3), k=count)


def picture(generator: random.Random) -> tuple[list[list[float]], list[list[float]]]:
    """A picture of four to seven rows and columns, and a filter of 3 x 3."""
    rows, columns = generator.sample(range(4, 8), 2)
    return [numbers(generator, columns) for _ in range(rows)], [numbers(generator, 3) for _ in range(3)]


# A card reads as a card, not as one argument a line.
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
        inputs=lambda r: (numbers(r, n := r.randint(2, 5), -1, 1), numbers(r, n, -1, 1),
                          r.choice([-1, 1]) * r.uniform(0.3, 0.9)),
        explanation="This line, repeated a few million times, is a network.",
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
                  "notice at least one.", "[1, -1]", "[0, 1]", lambda *n: step_network(*n) == [0, 0, 0, 1]),
            Wrong("this is exactly the opposite: 1 where 0 is wanted. Change the signs of the output neuron.",
                  "[1, -1]\noutput_bias = -0.5", "[-1, 1]\noutput_bias = 0.5",
                  lambda *n: step_network(*n) == [1, 0, 0, 1]),
            Wrong("the output is the same for all four inputs. Compare the output neuron's bias with its weights.",
                  "output_bias = -0.5", "output_bias = -5", lambda *n: len(set(step_network(*n))) == 1),
        ),
        hints=('One hidden neuron can say "at least one", the other "both".',
               '"At least one" is weights 1, 1, bias -0.5; "both" the same weights, bias -1.5. Subtract it.'),
        passes=lambda *network: step_network(*network) == [0, 1, 1, 0],
        explanation="One neuron draws one straight line, and no single line does this. Two lines do.",
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
        explanation="`[64, 32, 10]` gives 2,410. Notebook 10 counts GPT-3's 175 billion in the same way.",
    ),
    Exercise(
        "02.4", "Accuracy", difficulty=1, importance=4, minutes=3,
        task="What share of the predictions is right? Give a number between 0 and 1.",
        stub="def accuracy(predicted, labels):\n    return ...",
        answer="def accuracy(predicted, labels):\n"
        "    return sum(p == label for p, label in zip(predicted, labels)) / len(labels)",
        wrong=(
            Wrong("this counts the right predictions; divide by how many there are.", " / len(labels)", ""),
            Wrong("this is the share of mistakes: `==`, not `!=`.", "p == label", "p != label"),
            Wrong("this is a percentage; a share is between 0 and 1.", " / len(labels)", " / len(labels) * 100"),
        ),
        hints=("`p == label` is True or False, and Python adds True as 1.",
               "The sum of those, divided by `len(labels)`."),
        inputs=predictions,
        explanation="Always say **on what** the accuracy was measured: the next exercise shows why.",
    ),
    Exercise(
        "02.5", "Keep writers apart", difficulty=3, importance=5, minutes=7,
        task="One person's sevens look alike. If a network trains on some of them and is tested on the others, the "
             "test "
        "is too easy. Given who **wrote** each digit and the writers to **hold out**, give two lists of positions: the "
        "digits to train on, and those to test on.",
        stub="def split(writers, held_out):\n    return ...",
        answer="def split(writers, held_out):\n"
        "    train = [i for i, writer in enumerate(writers) if writer not in held_out]\n"
        "    test = [i for i, writer in enumerate(writers) if writer in held_out]\n    return train, test",
        wrong=(
            Wrong("the two lists are swapped: held-out writers are for the test.", "return train, test",
                  "return test, train"),
            Wrong("this gives the writers' names; positions are asked for (`enumerate` counts them).", "[i for i,",
                  "[writer for i,"),
            Wrong("this splits by position, so the same writer can be on both sides: leakage.", "return train, test",
                  "return list(range(len(train))), list(range(len(train), len(writers)))"),
            Wrong("held-out digits are also trained on. That is leakage: the test would measure memory.",
                  " if writer not in held_out", ""),
        ),
        hints=("For each position ask: is its writer in `held_out`?",
               "`[i for i, writer in enumerate(writers) if writer in held_out]` is the list to test on."),
        inputs=written,
        explanation="Split by writer, the same network scores about four percentage points less: the honest figure.",
    ),
    Exercise(
        "02.6", "A filter slides over a picture", difficulty=4, importance=4, minutes=8,
        task="Lay a 3 x 3 filter on every place where it fits into the picture, multiply number by number, and add up. "
        "A picture of 6 x 5 numbers gives 4 x 3. With `[[-1, 0, 1]] * 3`, vertical edges light up.",
        stub="def slide(picture, kernel):\n    return ...",
        answer="def slide(picture, kernel):\n    def at(row, column):\n"
        "        return sum(kernel[i][j] * picture[row + i][column + j] for i in range(3) for j in range(3))\n\n"
        "    rows, columns = len(picture) - 2, len(picture[0]) - 2\n"
        "    return [[at(row, column) for column in range(columns)] for row in range(rows)]",
        wrong=(
            Wrong("the filter is flipped upside down and left to right. In mathematics that is called convolution; "
                  "networks do not flip.", "kernel[i][j]", "kernel[2 - i][2 - j]"),
            Wrong("rows and columns of the filter are swapped, so it finds horizontal edges instead of vertical ones.",
                  "kernel[i][j]", "kernel[j][i]"),
            Wrong("the filter stops too early: it fits in `height - 2` rows and `width - 2` "
                  "columns.", "len(picture) - 2, len(picture[0]) - 2", "len(picture) - 3, len(picture[0]) - 3"),
        ),
        hints=("Write the sum for one place first: nine products `kernel[i][j] * picture[row + i][column + j]`.",
               "Then two loops: `row` from 0 to height - 3, `column` from 0 to width - 3."),
        inputs=picture,
        explanation="Nine numbers, used everywhere in the picture. A convolutional network learns which nine.",
    ),
)

QUIZZES = (
    Question(
        "02.a", "Which of these do an artificial neuron and a nerve cell have in common?",
        (
            Option("both weigh many signals and answer more strongly when enough comes together",
                   "This much was taken from biology.", right=True),
            Option("both answer with pulses in time",
                   "A nerve cell fires pulses. Ours gives one number, and has no sense of time."),
            Option("both learn by the same method",
                   "Ours learn by gradient descent (notebook 03). How brains learn is an open question."),
            Option("both grow new connections",
                   "Nerve cells do. In our networks the connections stay and their weights change."),
        ),
    ),
    Question(
        "02.d", "A network decides on loans and is right in 97 of 100 past cases. What do you still not know?",
        (
            Option("how it does on people unlike those it learned from",
                   "The test on other people's handwriting showed it: on strangers the score can be lower.",
                   right=True),
            Option("its weights", "You can print every one of them. That does not help much."),
            Option("how often it was right on the past cases", "This is the one thing that you were told."),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "02.b", "A network without a hidden layer makes one straight cut. How many of the XOR points does the **best** "
        "possible cut get right?",
        (
            Option("about half, as good as a coin",
                   "A cut through the middle gets half. A slanting cut that separates one corner from the rest gets "
                   "more. Training does not look for it, though: it lowers the loss, and the loss is lowest where the "
                   "network hardly commits itself. So a trained cut can end near one half."),
            Option("about 70 %",
                   "A slanting cut can separate one corner from the rest. Then most of that corner is right, and most "
                   "of the two corners beside it; the opposite corner is wrong. No straight cut does better. The table "
                   "below shows that training need not even find it.", right=True),
            Option("nearly all, in the right place",
                   "Points in opposite corners belong together. A straight cut that puts two opposite corners on one "
                   "side always has at least part of another corner there, too."),
        ),
    ),
    Question(
        "02.c", "Tested on forms it has never seen, the plain network's share of right answers ...",
        (
            Option("stays about the same: a 7 is a 7",
                   "People write their sevens in different ways, and the network had seen other digits by nearly "
                   "everyone it was tested on."),
            Option("falls by a few percentage points",
                   "The plain network falls from about 97 to about 93 in 100.", right=True),
            Option("falls to about a half",
                   "Much of what it learned holds for other people's digits too: it still reads about 93 in 100."),
        ),
    ),
)
