"""Exercises, quizzes and predictions of lesson 02: neurons and networks."""

import math

from course_utils.practice.exercises import Exercise, Wrong, numbers
from course_utils.practice.questions import Option, Question

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))
ROWS = ("..####..", ".######.", ".##--##.", ".##--##.", ".##--##.", ".##--##.", ".######.", "..####..")


def step_network(hidden: list[list[float]], biases: list[float], out: list[float], bias: float) -> list[int]:
    """What two hidden neurons and one output neuron, all with the step activation, answer to the four corners."""
    says = []
    for a, b in CORNERS:
        answers = [int(w[0] * a + w[1] * b + c > 0) for w, c in zip(hidden, biases, strict=True)]
        says.append(int(sum(w * answer for w, answer in zip(out, answers, strict=True)) + bias > 0))
    return says


def corner_answers(weight_1: float, weight_2: float, bias: float) -> list[float]:
    """What a tanh neuron answers to the four corners."""
    return [math.tanh(weight_1 * a + weight_2 * b + bias) for a, b in CORNERS]


def says_both(weight_1: float, weight_2: float, bias: float) -> bool:
    """Whether a tanh neuron is above 0.5 if both inputs are 1, and below -0.5 at the other three corners."""
    *others, both = corner_answers(weight_1, weight_2, bias)
    return both > 0.5 and max(others) < -0.5


def share_of_zeros_right(weights: list[str], bias: float) -> float:
    """The share of the held-out digits of which a neuron with weights drawn by hand says rightly: a 0, or not."""
    from course_utils import data  # here: the other checks need no torch
    from course_utils.experiments.reading import pattern

    digits = data.digits()
    sums = (digits.test_images * pattern("\n".join(weights))).sum(dim=(1, 2)) + float(bias)
    return ((sums > 0) == (digits.test_labels == 0)).double().mean().item()


def drawable(weights: list[str], bias: float) -> bool:
    """Whether the weights are eight rows of eight of the signs that `reading.pattern` knows."""
    return all(len(row) == 8 and set(row) <= set("#-.") for row in weights) and bias == bias


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "02.1", "One neuron", difficulty=1, importance=5, minutes=3,
        task="A neuron multiplies each input by its weight, adds everything up, adds its bias, and passes the sum "
        "through its activation, here `math.tanh`. Write one, for any number of inputs.",
        stub="import math\n\n\ndef neuron(inputs, weights, bias):\n    return ...",
        answer="import math\n\n\ndef neuron(inputs, weights, bias):\n"
        "    return math.tanh(sum(x * w for x, w in zip(inputs, weights)) + bias)",
        wrong=(
            Wrong("the bias is added after the activation; it belongs inside, with the sum.", ") + bias)", ")) + bias"),
            Wrong("the bias is missing: such a neuron can only ever switch at zero.", " + bias", ""),
            Wrong("the activation is missing: pass the whole sum through `math.tanh`.",
                  "math.tanh(sum(x * w for x, w in zip(inputs, weights)) + bias)",
                  "sum(x * w for x, w in zip(inputs, weights)) + bias"),
            Wrong("each product goes through `math.tanh` on its own; add up first, then use it once.",
                  "math.tanh(sum(x * w for x, w in zip(inputs, weights)) + bias)",
                  "sum(math.tanh(x * w) for x, w in zip(inputs, weights)) + bias"),
        ),
        hints=("`zip(inputs, weights)` pairs them up.",
               "`math.tanh(sum(...) + bias)`: the sum and the bias go in together."),
        inputs=lambda r: (numbers(r, n := r.randint(2, 5), -1, 1), numbers(r, n, -1, 1),
                          r.choice([-1, 1]) * r.uniform(0.3, 0.9)),
        explanation="The plain network of this lesson has 138 such neurons, with another activation.",
    ),
    Exercise(
        "02.2", "A neuron that says *both*", difficulty=2, importance=4, minutes=3,
        task="Move the two weights and the bias of the picture above, with the activation `tanh`, so that the neuron "
        "answers **more than 0.5** if both inputs are 1, and **less than −0.5** if one of them, or both, are 0. Move "
        "the inputs to try the four cases. Then run the box below: it reads weights and bias from the picture.",
        picture="one_neuron",
        stub="weight_1 = 1.0\nweight_2 = -2.0\nbias = 0.5",
        answer="weight_1 = 2.0\nweight_2 = 2.0\nbias = -3.0",
        wrong=(
            Wrong("with both inputs 1 the answer is not above 0.5. Both inputs must speak **for**: give both a weight "
                  "above 0, and together they must outweigh the bias.", "bias = -3.0", "bias = -4.0",
                  when=lambda *knobs: corner_answers(*knobs)[3] <= 0.5),
            Wrong("one input alone is enough for this neuron. Lower the bias, so that it takes both.",
                  "bias = -3.0", "bias = -1.0",
                  when=lambda *knobs: corner_answers(*knobs)[3] > 0.5 and max(corner_answers(*knobs)[1:3]) >= -0.5),
        ),
        hints=("Give both inputs the same weight, above 0. The bias must be below 0.",
               "With both weights 2, one input alone adds 2 and both add 4. The bias must lie between."),
        passes=says_both,
        explanation="The line now separates the corner (1, 1) from the other three.",
    ),
    Exercise(
        "02.3", "Draw the weights", difficulty=2, importance=5, minutes=5,
        task="Open challenge: draw the weights of one neuron that tells a 0 from every other digit, as eight rows of "
        "eight signs (`#` is 1, `-` is −2, `.` is 0), and choose its **bias**. The neuron says *0* if its weighted sum "
        "plus bias is above 0. The score is the share of the 450 held-out digits that it gets right. A neuron that "
        "never says *0* scores 0.900; the ring and hole of this lesson, with the bias −6.7, score 0.964. Reach "
        "**0.98**, then try to beat your own score.",
        stub='weights = ["..####..", ..., ..., ..., ..., ..., ..., ...]\nbias = ...',
        answer="weights = [\n" + "".join(f'    "{row}",\n' for row in ROWS) + "]\nbias = -14.5",
        wrong=(
            Wrong("each row has eight signs, and each of them is `#`, `-` or `.`.", "..####..", "..####",
                  when=lambda weights, bias: not drawable(weights, 0)),
            Wrong("nothing speaks against a 0. Where does a 0 have no ink? Put some `-` there.",
                  "--", "..", when=lambda weights, bias: drawable(weights, 0) and "-" not in "".join(weights)),
        ),
        hints=("Begin with the ring and the hole of this lesson. What if the ring is thicker, and the bias lower?",
               "Make the ring two pixels thick all round, with `.######.` in row 2. Try biases from -13 to -15."),
        passes=lambda weights, bias: drawable(weights, bias) and "-" in "".join(weights),
        score=share_of_zeros_right, mark=0.98,
        explanation="With every try these held-out digits helped you to choose, so now only new ones would be an "
        "honest test.", seconds=20.0,
    ),
    Exercise(
        "02.4", "Exclusive or, with pencil and paper", difficulty=3, importance=5, minutes=5,
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
)

QUIZZES = (
    Question(
        "02.a", "A neuron has the weight 1 on a ring of pixels and 0 everywhere else. Which image has the largest "
        "sum?",
        (
            Option("a 0 that somebody wrote", "About half of its ink lies on the ring. No 0 of ours covers all of the "
                   "ring: the largest sum is 15.0, and the square has 24."),
            Option("a square that is black all over",
                   "Every pixel of the ring is 1, the most there can be. Nothing in these weights objects to the ink "
                   "elsewhere.", right=True),
            Option("blank paper", "Every pixel is 0, so the sum is 0, the smallest that this neuron can have."),
        ),
    ),
    Question(
        "02.d", "A network decides on loans and was right in 97 of 100 past cases. What does this number tell you?",
        (
            Option("it will be right in 97 of 100 new cases",
                   "Only if the new people are like those of the past cases. On other people's handwriting, the score "
                   "of this lesson fell."),
            Option("it was mostly right, on people like those",
                   "That is all. How it does on others, and for which reasons it decides, the number does not say.",
                   right=True),
            Option("it decides for good reasons",
                   "A score says how often an answer is right, never why. That is the black box."),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "02.b", "Ten neurons, one for each digit, learn from paper and chalk together. How many of the held-out digits "
        "will they read correctly, of both kinds?",
        (
            Option("nearly as many as before",
                   "The shapes are the same, and you read both with ease. But every pixel has changed, and these ten "
                   "neurons add up pixels."),
            Option("about half: one of the two kinds",
                   "That is what giving up one kind would bring. But training counts every sure mistake, and there are "
                   "equally many of both kinds. What helps on paper hurts in chalk, and it ends in between."),
            Option("hardly more than by guessing: 10 to 20 in 100",
                   "With ten digits, a guess is right 10 times in 100, and these neurons do hardly better.",
                   right=True),
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
