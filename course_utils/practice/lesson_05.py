"""Exercises, quizzes and predictions of notebook 05: training in practice."""

import functools
import random

from course_utils.practice.exercises import Exercise, Wrong, numbers
from course_utils.practice.questions import Option, Question

LAB = (
    "examples", "noise", "width", "learning_rate", "dropout", "weight_decay", "learning_rate_decay", "early_stopping",
    "augmentation", "epochs",
)  # fmt: skip
DRAWS = (10, 11, 12)  # of the digits that the challenge is scored on; the lab's own draws are 0 to 9


def validation_losses(generator: random.Random) -> tuple[list[float], int]:
    """A loss that falls, waits, reaches a minimum, rises until it is time to stop, and falls lower again; a patience.

    Waiting epochs are at least as high as the best so far, one of them exactly as high: a tie does not beat it.
    """
    patience = generator.randint(2, 5)

    def above(best: float, count: int) -> list[float]:
        higher = [best, *(best + generator.uniform(0.05, 0.3) for _ in range(count - 1))]
        return generator.sample(higher, count)

    falls = sorted((generator.uniform(0.7, 2) for _ in range(generator.randint(2, 15))), reverse=True)
    first, lowest = generator.uniform(0.45, 0.6), generator.uniform(0.3, 0.4)
    later = [generator.uniform(0.75, 1) for _ in range(generator.choice([0, patience]))]
    return [*falls, first, *above(first, patience - 1), lowest, *above(lowest, patience), *later, 0.2, 0.25], patience


def train_and_test(generator: random.Random) -> tuple[list[float], list[float]]:
    """Two lists of different lengths, the test numbers larger than the training numbers."""
    training, test = generator.sample(range(2, 8), 2)
    return numbers(generator, training, 0, 4), numbers(generator, test, 5, 9)


@functools.lru_cache(maxsize=64)
def mean_validation(**settings: float) -> float:
    """The mean validation accuracy of three networks trained with these settings, on three draws of the digits."""
    from course_utils.experiments.overfitting import RunConfig, TrainingRun  # torch takes a second to load

    scores = []
    for draw in DRAWS:
        run = TrainingRun(RunConfig(**settings), draw)  # type: ignore[arg-type]
        run.train()
        scores.append(run.accuracies()["validation_accuracy"])
    return sum(scores) / len(scores)


@functools.lru_cache(maxsize=64)
def ends(examples: int, noise: float, width: int, seed: int) -> tuple[float, float]:
    """Accuracy in training and in validation after the 200 epochs of a run, with ``noise`` in percent."""
    from course_utils.experiments.overfitting import RunConfig, TrainingRun  # torch takes a second to load

    run = TrainingRun(RunConfig(examples=examples, noise=noise / 100, width=width), seed)
    run.train()
    found = run.accuracies()
    return found["train_accuracy"], found["validation_accuracy"]


def perfect_and_useless(*settings: int) -> bool:
    """Whether a network gives back its labels and knows little about other digits."""
    training, validation = ends(*settings)
    return training >= 0.99 and validation <= 0.3


def allowed(examples: int, noise: float, width: int, learning_rate: float, *_: float) -> bool:
    """Whether settings of an ``OverfittingLab`` keep to the challenge's task, and can learn at all."""
    return examples == 150 and noise == 20 and 0.01 <= learning_rate <= 0.3


def lab_score(*settings: float) -> float:
    """The score of the settings of an ``OverfittingLab``, in the order of the challenge's stub."""
    named = dict(zip(LAB, settings, strict=True))
    return mean_validation(**{**named, "noise": named["noise"] / 100})  # the lab counts wrong labels in percent


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "05.1", "The test must stay unseen", difficulty=2, importance=5, minutes=4,
        task="Before training, numbers are often shifted so that their mean is 0. A mean is computed from data, and "
        "here is the quieter leak: if the test numbers help to compute it, training has seen something of the test. "
        "Shift the training numbers **and** the test numbers without such a leak. Give both lists.",
        stub="def shift(train, test):\n    return ...",
        answer="def shift(train, test):\n    mean = sum(train) / len(train)\n"
        "    return [x - mean for x in train], [x - mean for x in test]",
        wrong=(
            Wrong("the mean is taken over both lists: the test has leaked into training.", "sum(train) / len(train)",
                  "sum(train + test) / len(train + test)"),
            Wrong("the test numbers are shifted by their own mean. A single new example would then always become 0: "
                  "use the training mean.", "x - mean for x in test", "x - sum(test) / len(test) for x in test"),
            Wrong("the test numbers are not shifted, so the model meets numbers on another scale than it learned.",
                  "[x - mean for x in test]", "test"),
            Wrong("both are shifted by the mean of the **test** numbers: look at training data only.",
                  "sum(train) / len(train)", "sum(test) / len(test)"),
        ),
        hints=("One mean is enough. Of which list?",
               "`mean = sum(train) / len(train)`; subtract it from the numbers of both lists."),
        inputs=train_and_test,
        explanation="Whatever is computed from data (means, vocabularies, choices) is part of training.",
    ),
    Exercise(
        "05.2", "Perfect, and useless", difficulty=2, importance=4, minutes=3,
        task="Find settings for the first picture with which the training accuracy ends at 99 % or more, while the "
        "validation accuracy ends at 30 % or less. Somebody who looks only at training would be delighted.",
        picture="lab",
        stub="examples = 150\nnoise = 20\nwidth = 256\nseed = 0",
        answer="examples = 150\nnoise = 85\nwidth = 256\nseed = 0",
        wrong=(
            Wrong("with so few wrong labels, the network still learns what digits look like. What must you spoil "
                  "further?", "noise = 85", "noise = 10", lambda examples, noise, *rest: 0 <= noise <= 40 < examples),
            Wrong("so few neurons cannot even learn the training labels by heart: give the network more.",
                  "width = 256", "width = 1", lambda examples, noise, width, seed: width in (1, 4)),
        ),
        hints=("The labels need not have anything to do with the images. The network will learn them anyway.",
               "Leave 150 digits and 256 neurons, and move **wrong labels** far to the right."),
        passes=perfect_and_useless,
        explanation="A training score of 100 % can stand beside a validation score near guessing.",
        seconds=60.0,
    ),
    Exercise(
        "05.3", "Choose, then judge", difficulty=2, importance=5, minutes=3,
        task='Three networks, with the accuracy of each on five folds and on the test digits:\n\n- `"wide"`: folds '
        '80 %, 80 %, 70 %, 70 %, 70 %; test 75 %\n- `"deep"`: folds 90 %, 60 %, 60 %, 70 %, 70 %; test 71 %\n'
        '- `"small"`: folds 60 %, 70 %, 70 %, 80 %, 80 %; test 78 %\n\nWhich network do you choose, and which '
        "percentage do you publish for it?",
        stub="chosen = ...\npublished = ...",
        answer='chosen = "wide"\npublished = 75',
        wrong=(
            Wrong("that network has the best single fold. Compare the means of all five folds.", '"wide"', '"deep"',
                  lambda chosen, published: chosen == "deep"),
            Wrong("that network has the best test score. If the test chooses, it has become a second validation.",
                  '"wide"', '"small"', lambda chosen, published: chosen == "small"),
            Wrong("the mean of the folds chose the network, so it flatters. Publish what the test says.", "75", "74"),
            Wrong("that is its best fold. Publish what the test says.", "75", "80"),
            Wrong("write the percentage itself, not a share of 1.", "75", "0.75"),
        ),
        hints=("Add up the five folds of each network. The test digits may not help to choose.",
               "The sums are 370, 350 and 360. The number to publish is the test score of the network you chose."),
        explanation="That another network would have scored better on the test is something you learn too late.",
    ),
    Exercise(
        "05.4", "When to stop", difficulty=3, importance=4, minutes=5,
        task="Early stopping: go through the validation losses epoch by epoch and remember the best so far. Stop once "
        "`patience` epochs **in a row** have not beaten it. Give the **number of the best epoch** (from 0), whose "
        "weights are kept.",
        stub="def best_epoch(losses, patience):\n    return ...",
        answer="def best_epoch(losses, patience):\n    best = 0\n    for epoch, loss in enumerate(losses):\n"
        "        if loss < losses[best]:\n            best = epoch\n        elif epoch - best >= patience:\n"
        "            break\n    return best",
        wrong=(
            Wrong("this is the epoch where training stops. The weights to keep are those of the best epoch before it.",
                  "return best", "return epoch"),
            Wrong("this looks at all epochs, also those after the stop: at that time nobody knows that the loss will "
                  "fall again.", "break", "pass"),
            Wrong("it stops too early, at the first epoch that is worse. Wait until `patience` of them have come in a "
                  "row.", "epoch - best >= patience", "epoch - best >= 1"),
            Wrong("this is the best loss; the number of its epoch is asked for.", "return best", "return losses[best]"),
            Wrong("an epoch that only equals the best loss does not beat it: the waiting goes on.",
                  "loss < losses[best]", "loss <= losses[best]"),
        ),
        hints=("Keep `best`, the number of the best epoch. When is `epoch - best` too large?",
               "`if loss < losses[best]: best = epoch`, else stop as soon as `epoch - best >= patience`."),
        inputs=validation_losses,
        explanation="The stop cannot look ahead. A larger patience misses fewer lower losses, and costs more epochs.",
    ),
    Exercise(
        "05.5", "Can cures catch up?", difficulty=3, importance=3, minutes=5,
        task="An open challenge, for as many tries as you like. Find settings in the lab above, for 150 digits with "
        "20 % wrong labels and with a **learning rate of 0.01 or more**, that do better on validation. The box below "
        "reads the settings from the lab and trains three networks on three draws of digits that the lab does not "
        "have; their mean validation accuracy is your score. The mark to reach is 0.865. The learning rate 0.003, "
        "without a cure, has 0.876 on the same draws. Your best score is kept.",
        picture="second_lab",
        stub="examples = 150\nnoise = 20\nwidth = 256\nlearning_rate = 0.03\ndropout = 0.2\nweight_decay = 0.0\n"
        "learning_rate_decay = 1\nearly_stopping = 5\naugmentation = 0\nepochs = 200",
        answer="examples = 150\nnoise = 20\nwidth = 256\nlearning_rate = 0.03\ndropout = 0.2\nweight_decay = 0.03\n"
        "learning_rate_decay = 1\nearly_stopping = 20\naugmentation = 0\nepochs = 200",
        wrong=(
            Wrong("set **digits to learn from** to 150 and **wrong labels** to 20 %, or the scores cannot be compared.",
                  "examples = 150", "examples = 1000", lambda examples, noise, *rest: (examples, noise) != (150, 20)),
            Wrong("set the learning rate to 0.01 or more (and to 0.3 at most): what a small one does alone, you know.",
                  "learning_rate = 0.03", "learning_rate = 0.003", lambda e, n, w, rate, *_: not 0.01 <= rate <= 0.3),
        ),
        hints=("Which cures were close to the best in the comparison? Try two of those together.",
               "Try weight decay 0.03 with a patience of 20, then a little dropout. Change one thing at a time."),
        passes=allowed, score=lab_score, mark=0.865,
        explanation="You chose the settings on validation digits, so the score flatters them a little.",
        seconds=90.0,
    ),
)

QUIZZES = (
    Question(
        "05.e", "You report the best validation score of 200 networks. A colleague reports the test score of the one "
        "network that they had chosen before. Whose number says more about new digits?",
        (
            Option("mine: it rests on more experiments",
                   "With more tries the best of them is luckier. The number that chose it flatters it."),
            Option("the colleague's",
                   "Those digits chose nothing. Open your test digits once, for your winner, and your number is as "
                   "good.", right=True),
            Option("both alike: no network learned from those digits",
                   "The networks did not. You did, 200 times."),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "05.a", "1,000 random guessers. The best of them on 300 validation digits: how does it do there, and on 450 "
        "test digits?",
        (
            Option("10 % on both", "That is what all of them do on average. But this one was chosen for its luck."),
            Option("clearly more than 10 % on validation, about 10 % on test",
                   "Among 1,000, somebody is lucky. The luck belongs to the validation digits and does not carry over "
                   "to new ones.", right=True),
            Option("clearly more than 10 % on both",
                   "It would have to know something about digits. It only guesses, so on new digits it is right one "
                   "time in ten."),
        ),
    ),
    Question(
        "05.b", "After 200 epochs, how many of the 30 wrong labels will the network give back, exactly as it was told?",
        (
            Option("none: it sees that they do not fit",
                   "Nothing in the loss says which labels to believe. A wrong label costs as much as a true one."),
            Option("about half of them",
                   "The loss can fall as long as a wrong label is left to learn, so training goes on learning them."),
            Option("all 30", "64 × 256 + 256 + 256 × 10 + 10 = 19,210 parameters are plenty to remember 150 labels. "
                   "Nothing in the loss says which labels to believe.", right=True),
        ),
    ),
    Question(
        "05.c", "One learning rate, five folds of 30 digits, so five networks and five scores. How far apart are the "
        "best and the worst of the five?",
        (
            Option("about one percentage point", "One digit of 30 counts for more than three points."),
            Option("about four percentage points", "That is about one digit more or less. Thirty digits are a small "
                   "sample, and chance does more than that."),
            Option("eight percentage points or more", "Each score rests on 30 digits, and each network has learned "
                   "from others. That is why the mean of all five says more than one of them.", right=True),
        ),
    ),
    Question(
        "05.d", "Without a cure, 72 % of the test digits are answered correctly (mean of ten seeds). And with each "
        "cure alone?",
        (
            Option("one is far ahead of the others", "The best cure is about three percentage points ahead of the "
                   "weakest."),
            Option("all five help, by 9 to 12 percentage points",
                   "At this learning rate all five work against the same problem, learning wrong labels by heart. Once "
                   "that is prevented, little is left to gain.", right=True),
            Option("two help, three make it worse", "Even the weakest of the five gains about nine percentage points, "
                   "at the strength that was chosen on validation."),
        ),
    ),
)
