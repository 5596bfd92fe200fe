"""Exercises, quizzes and predictions of notebook 10: the transformer."""

import random

from course_utils.practice.exercises import Exercise, Wrong
from course_utils.practice.questions import Option, Question

GPT2 = "GPT-2 small (2019)"


def some_sizes(generator: random.Random) -> tuple[int, int, int, int]:
    """Fresh settings of a small GPT."""
    return generator.randint(1, 9), generator.randint(4, 50), generator.randint(60, 900), generator.randint(8, 70)


def table_share(model: str, layers: int, width: int, heads: int, vocabulary: int, context: int) -> float:
    """The part of all parameters that stands in the table of tokens, as the picture has it."""
    from course_utils.experiments.counting import resized

    return resized(model, layers, width, heads, vocabulary, context).share("table of tokens")


def saved(layers: int, width: int, heads: int, neurons: int) -> float:
    """Bits a letter that a model of these settings saves after its short training."""
    from course_utils.experiments.budget import bits_saved

    return bits_saved(*(int(number) for number in (layers, width, heads, neurons)))


def cost(layers: int, width: int, heads: int, neurons: int) -> int:
    """Parameters of such a model."""
    from course_utils.experiments.budget import budget_config
    from course_utils.scaling import parameters

    return parameters(budget_config(layers, width, heads, neurons))


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "10.1", "One block of a larger GPT-2, on paper", difficulty=2, importance=5, minutes=4,
        task="For pencil and paper, or a pocket calculator. GPT-2 medium has a width of 1,024, and each of its MLPs "
        "has 4,096 neurons. How many numbers does **one** block hold in its attention (queries, keys, values, output: "
        "four tables of 1,024 × 1,024, each with 1,024 biases), in its MLP (1,024 to 4,096 and back, each with its "
        "biases), and in its two layer norms (for each of the 1,024 numbers a gain and a number that is added)?",
        stub="attention_numbers = ...\nmlp_numbers = ...\nnorm_numbers = ...",
        answer="attention_numbers = 4 * 1024 * 1024 + 4 * 1024\nmlp_numbers = 2 * 1024 * 4096 + 4096 + 1024\n"
        "norm_numbers = 2 * 2 * 1024",
        wrong=(
            Wrong("these are the numbers of GPT-2's smallest size, in the list of the page. Here the width is 1,024.",
                  "1024 * 1024 + 4 * 1024", "768 * 768 + 4 * 768", when=lambda *got: got[0] == 2_362_368),
            Wrong("the biases are missing from attention: 1,024 for each of its four tables.", " + 4 * 1024", "",
                  when=lambda attention, mlp, norm: attention == 4_194_304),
            Wrong("heads do not multiply the tables: all 16 together fill one 1,024 × 1,024 table of queries.",
                  "4 * 1024 * 1024", "16 * 4 * 1024 * 1024", when=lambda *got: got[0] > 60_000_000),
            Wrong("the MLP has 4,096 biases on the way up and 1,024 on the way down.", " + 4096 + 1024", "",
                  when=lambda attention, mlp, norm: mlp == 8_388_608),
            Wrong("a block has *two* layer norms, and each has a gain and an added number for each of 1,024.",
                  "2 * 2 * 1024", "2 * 1024", when=lambda attention, mlp, norm: norm == 2048),
        ),
        hints=("Attention: four tables of 1,024 × 1,024, and four times 1,024 biases.",
               "The MLP has two tables of 1,024 × 4,096. 4,198,400 is the first answer."),
        explanation="12,596,224 numbers in a block, and two thirds of them are in the MLP.", tolerance=1e-9,
    ),
    Exercise(
        "10.2", "Count any GPT", difficulty=2, importance=5, minutes=3,
        task="Write the count of a whole GPT. In these GPTs an MLP has `4 * width` neurons. So **a block** has "
        "`4 * width**2 + 4 * width` numbers in attention, `8 * width**2 + 5 * width` in the MLP, and `4 * width` in "
        "its norms, as you added up on paper. Beside the blocks there are the **table of tokens**, `vocabulary` rows "
        "of `width` numbers, the **table of positions**, `context` rows, and **one last layer norm** with `2 * width` "
        "numbers. With GPT-2's settings, `count(12, 768, 50257, 1024)` is 124,439,808.",
        stub="def count(layers, width, vocabulary, context):\n    return ...",
        answer="def count(layers, width, vocabulary, context):\n"
        "    block = 12 * width**2 + 13 * width\n"
        "    return layers * block + vocabulary * width + context * width + 2 * width",
        wrong=(
            Wrong("one block is counted, not `layers` of them.", "layers * block", "block"),
            Wrong("the table of positions is missing.", " + context * width", ""),
            Wrong("the last layer norm, behind the blocks, is missing.", " + 2 * width", ""),
            Wrong("there is one table of tokens. The scores at the end use it a second time, so count it once.",
                  "vocabulary * width", "2 * vocabulary * width"),
        ),
        hints=("Add four things: all blocks, two tables, one norm.",
               "All blocks: `layers * (12 * width**2 + 13 * width)`. A table: rows times `width`."),
        inputs=some_sizes,
        explanation="Together a block has 12 × width² + 13 × width numbers. Try `count(96, 12288, 50257, 2048)`, the "
        "published settings of GPT-3.",
    ),
    Exercise(
        "10.3", "Half table, half blocks", difficulty=2, importance=3, minutes=3, picture="counter",
        task="A question about the first picture. Choose **GPT-2 small (2019)**. Leave its layers, vocabulary and "
        "context as they are, and move the **width**, until the table of tokens holds **between 45 % and 55 %** of all "
        "parameters.",
        stub='model = "SmolLM2 (2024)"\nlayers = 30\nwidth = 576\nheads = 9\nvocabulary = 49152\ncontext = 8192',
        answer=f'model = "{GPT2}"\nlayers = 12\nwidth = 320\nheads = 5\nvocabulary = 50257\ncontext = 1024',
        wrong=(
            Wrong("choose **GPT-2 small (2019)** in the list, and leave its layers, vocabulary and context.",
                  "layers = 12", "layers = 6",
                  when=lambda *sizes: (*sizes[:2], *sizes[4:]) != (GPT2, 12, 50_257, 1024)),
            Wrong("the table holds less than 45 %. The blocks grow with the square of the width, the table does not.",
                  "width = 320", "width = 640", when=lambda *sizes: table_share(*sizes) < 0.45),
            Wrong("the table holds more than 55 %. That is a narrow model; make it wider.",
                  "width = 320", "width = 160", when=lambda *sizes: table_share(*sizes) > 0.55),
        ),
        hints=("Make it narrower: in a narrow model nearly everything is table.",
               "A block has about 12 × width² numbers, the table 50,257 × width. They balance somewhere below 400."),
        passes=lambda model, layers, width, heads, vocabulary, context: (
            (model, layers, vocabulary, context) == (GPT2, 12, 50_257, 1024)
            and 0.45 <= table_share(model, layers, width, heads, vocabulary, context) <= 0.55
        ),
        explanation="Small models are mostly table: in GPT-2 small it still holds 31 %, in GPT-3 0.35 %.",
    ),
    Exercise(
        "10.4", "Spend 60,000 numbers", difficulty=3, importance=3, minutes=5,
        task="An open challenge, alone or in a pair. You may spend 60,000 parameters on a transformer that reads "
        "Shakespeare letter by letter (80 letters, rotary positions, RMS norm). Choose its layers, its width, its "
        "heads and the neurons in each MLP. The table costs 80 × width, each block 4 × width² + 2 × width × neurons + "
        "2 × width, and the last norm one width. Width divided by heads must be a whole, even number. "
        "Training takes 150 steps. Your score is how many bits a letter it saves on unseen plays, against a blind "
        "guess among 80. One layer of width 24 with 2 heads and 96 neurons costs 8,904 and saves 2.86. "
        "The mark is 3.0.",
        stub="layers, width, heads, neurons = ..., ..., ..., ...",
        answer="layers, width, heads, neurons = 2, 48, 4, 190",
        wrong=(
            Wrong("this model costs more than 60,000 parameters. A block costs 4 × width² for attention and "
                  "2 × width × neurons for its MLP.", "2, 48, 4, 190", "3, 64, 4, 256",
                  when=lambda *sizes: cost(*sizes) > 60_000),
            Wrong("the heads must divide the width into equal parts, and each part must hold an even number.",
                  "2, 48, 4, 190", "2, 48, 5, 190",
                  when=lambda layers, width, heads, neurons: bool(width % heads or width // heads % 2)),
        ),
        hints=("The example leaves 51,096 unspent. Where do they help most: layers, width or neurons?",
               "Begin with two layers of width 40, 4 heads and 160 neurons, which cost 41,800. Then make it wider."),
        passes=lambda layers, width, heads, neurons: cost(layers, width, heads, neurons) <= 60_000,
        score=saved, mark=3.0, seconds=120.0,
        explanation="No formula gives the best shape: people try, on small models. (One seed: 0.05 may be chance.)",
    ),
)

QUIZZES: tuple[Question, ...] = ()

PREDICTIONS = (
    Question(
        "10.a", "A model without positions, in which each token sees all others, reads two texts with the same tokens "
        "in another order. The last token is the same. How far apart are its two vectors?",
        (
            Option("clearly apart, because the meaning differs",
                   "Nothing in this model can notice the order, so the meaning cannot differ for it."),
            Option("slightly apart, because different tokens are now neighbours",
                   "To notice what is near, a model must know where each token stands."),
            Option("not apart at all",
                   "Each vector is made of weighted means, and a mean does not know the order.", right=True),
        ),
    ),
    Question(
        "10.b", "Which of these costs the small model most, if it is taken out before training?",
        (
            Option("normalisation", "It is missed: 0.17 bits a letter more. One part is missed ten times as much."),
            Option("the MLP", "Without it the model needs 0.27 bits a letter more. Another part is missed far more."),
            Option("attention", "Letters that see only themselves cost 0.57 bits more. One part is missed far more."),
            Option("the residual stream, the plus",
                   "Without it the model learns next to nothing in these steps: it needs 1.73 bits a letter more.",
                   right=True),
        ),
    ),
    Question(
        "10.c", "The trained chat model gets 18 heads in place of 9, with all its numbers kept. How well does it "
        "guess a text?",
        (
            Option("about as well as before",
                   "The tables have the same shape, but each number in them was learned for a head of 64 numbers."),
            Option("better, because more heads see more",
                   "More heads may help if they are there from the start of training. These were never trained."),
            Option("hardly better than a blind guess",
                   "Each number was learned for its place in one of 9 heads. The heads are cut in another way now; the "
                   "test below shows what that costs.", right=True),
        ),
    ),
)
