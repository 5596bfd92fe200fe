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


def tried_models(generator: random.Random) -> tuple[list[tuple[str, float, float]]]:
    """Models as (name, validation accuracy, test accuracy); the best on validation is not the best on test."""
    best, other = sorted(generator.sample(range(700, 950), 2), reverse=True)
    rows = [(best, generator.randint(600, 690)), (other, generator.randint(700, 950))]
    rows += [(generator.randint(400, 600), generator.randint(400, 590)) for _ in range(generator.randint(1, 5))]
    names = generator.sample(["tiny", "small", "medium", "large", "huge", "deep", "wide"], len(rows))
    models = [(name, validation / 1000, test / 1000) for name, (validation, test) in zip(names, rows, strict=True)]
    mixed = generator.sample(models, len(models))
    if generator.random() < 0.5:  # the best comes last
        mixed.sort(key=lambda model: model is models[0])
    return (mixed,)


def dropped(generator: random.Random) -> tuple[list[float], list[int], float]:
    """Three to eight values, which of them are kept (some are, some are not), and the share that is dropped."""
    count = generator.randint(3, 8)
    kept = generator.sample([1, 0, *generator.choices([1, 1, 0], k=count - 2)], count)
    return numbers(generator, count, 1, 4), kept, generator.choice([0.2, 0.25, 0.3, 0.4, 0.6])


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


def allowed(examples: int, noise: float, width: int, learning_rate: float, *_: float) -> bool:
    """Whether settings of an ``OverfittingLab`` keep to the challenge's task, and can learn at all."""
    return examples == 150 and noise == 20 and 0 < learning_rate <= 0.3


def lab_score(*settings: float) -> float:
    """The score of the settings of an ``OverfittingLab``, in the order of the challenge's stub."""
    named = dict(zip(LAB, settings, strict=True))
    return mean_validation(**{**named, "noise": named["noise"] / 100})  # the lab counts wrong labels in percent


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "05.1", "The test must stay unseen", difficulty=3, importance=5, minutes=7,
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
        inputs=lambda r: (numbers(r, r.randint(3, 7), 0, 4), numbers(r, r.randint(2, 5), 5, 9)),
        explanation="Whatever is computed from data (means, vocabularies, choices) is part of training.",
    ),
    Exercise(
        "05.2", "Choose, then judge", difficulty=2, importance=5, minutes=5,
        task="`models` is a list of `(name, validation, test)`: the share of digits that each model answered "
        "correctly. Choose one model as this notebook does, and give its name and the number you would publish for "
        "it.",
        stub="def choose(models):\n    return ...",
        answer="def choose(models):\n    name, validation, test = max(models, key=lambda model: model[1])\n"
        "    return name, test",
        wrong=(
            Wrong("the model is chosen by its test score, so the test has become a second validation.", "model[1]",
                  "model[2]"),
            Wrong("the score that chose the model is published: it flatters the winner. Publish the test score.",
                  "return name, test", "return name, validation"),
            Wrong("this is the worst model on validation.", "max(", "min("),
        ),
        hints=("One column chooses, the other judges. Which is which?",
               "`max(models, key=lambda model: model[1])` is the model with the best validation score."),
        inputs=tried_models,
        explanation="The test is opened once, for the model that was already chosen.",
    ),
    Exercise(
        "05.3", "Four kinds of parameter", difficulty=1, importance=4, minutes=3,
        task='People call four things a "parameter". Write `"learned"`, `"hyperparameter"`, `"architecture"` or '
        '`"positional"` for: the bias of a neuron; the share that dropout drops; the number of layers; a number that '
        "tells a model where a token stands.",
        stub="bias = ...\ndropout_share = ...\nlayers = ...\nplace = ...",
        answer='bias = "learned"\ndropout_share = "hyperparameter"\nlayers = "architecture"\nplace = "positional"',
        wrong=(
            Wrong("a bias is found by training, like a weight: nobody sets it.", '"learned"', '"hyperparameter"',
                  lambda bias, share, layers, place: bias != "learned"),
            Wrong("the share that dropout drops is chosen before training, and the gradient never changes it.",
                  '"hyperparameter"', '"learned"', lambda bias, share, layers, place: share != "hyperparameter"),
            Wrong("the number of layers is fixed when the model is built: changing it gives another model, with other "
                  "weights.", '"architecture"', '"hyperparameter"',
                  lambda bias, share, layers, place: layers != "architecture"),
            Wrong("numbers that say where a token stands are called positional, whether a formula or training gives "
                  "them.",
                  '"positional"', '"learned"', lambda bias, share, layers, place: place != "positional"),
        ),
        hints=("Ask of each: who sets it, and when?",
               "One is set by training, one by the person who trains, one by the person who builds the model; the last "
               "one belongs to a place in the text."),
        explanation='"134,515,008 parameters" counts the learned kind only.',
    ),
    Exercise(
        "05.4", "Dropout", difficulty=3, importance=4, minutes=6,
        task="During training, dropout sets a share of the values to 0: those where `kept` is 0. The others are scaled "
        "up so that the expected sum stays as it was. `dropped` is the share that is dropped, 0.25 for example. Give "
        "the new values.",
        stub="def drop_out(values, kept, dropped):\n    return ...",
        answer="def drop_out(values, kept, dropped):\n    return [v * k / (1 - dropped) for v, k in zip(values, kept)]",
        wrong=(
            Wrong("the kept values are not scaled up, so after training, when nothing is dropped, every sum is too "
                  "large.", " / (1 - dropped)", ""),
            Wrong("the values are scaled **down**. Fewer of them remain, so each must count for more: divide.",
                  "/ (1 - dropped)", "* (1 - dropped)"),
            Wrong("this divides by the share dropped; divide by the share **kept**, `1 - dropped`.", "(1 - dropped)",
                  "dropped"),
            Wrong("it drops the wrong ones: `kept` is 1 where a value stays.", "v * k", "v * (1 - k)"),
        ),
        hints=("If a quarter is dropped, three quarters remain: by what must they be multiplied?",
               "Each value times its `kept`, divided by `1 - dropped`."),
        inputs=dropped,
        explanation="When training ends, nothing is dropped and nothing needs scaling.",
    ),
    Exercise(
        "05.5", "When to stop", difficulty=4, importance=4, minutes=10,
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
        "05.6", "Can you beat it?", difficulty=3, importance=3, minutes=8,
        task="An open challenge, for as many tries as you like. Find settings in the lab above, for 150 digits with "
        "20 % wrong labels, that do better on validation. The box below reads the settings from the lab and trains "
        "three networks on three draws of digits that the lab does not have; their mean validation accuracy is your "
        "score. The mark to reach is 0.86. Your best score is kept.",
        picture="second_lab",
        stub="examples = 150\nnoise = 20\nwidth = 256\nlearning_rate = 0.03\ndropout = 0.2\nweight_decay = 0.0\n"
        "learning_rate_decay = 1\nearly_stopping = 5\naugmentation = 0\nepochs = 200",
        answer="examples = 150\nnoise = 20\nwidth = 256\nlearning_rate = 0.003\ndropout = 0.0\nweight_decay = 0.0\n"
        "learning_rate_decay = 1\nearly_stopping = 0\naugmentation = 0\nepochs = 200",
        wrong=(
            Wrong("set **digits to learn from** to 150 and **wrong labels** to 20 %, or the scores cannot be compared.",
                  "examples = 150", "examples = 1000", lambda examples, noise, *rest: (examples, noise) != (150, 20)),
            Wrong("with a learning rate of 0 nothing is learned, and above 0.3 the loss only grows.",
                  "learning_rate = 0.003", "learning_rate = 0", lambda e, n, w, rate, *rest: not 0 < rate <= 0.3),
        ),
        hints=("Set dropout and patience to 0, and the learning rate to 0.003. Does it beat the mark?",
               "Start from there and change one thing at a time. Two strong cures together are usually too much."),
        passes=allowed,
        score=lab_score,
        mark=0.86,
        explanation="You chose the settings on validation digits, so the score flatters them a little.",
        seconds=90.0,
    ),
)

QUIZZES = (
    Question(
        "05.b", "The network in the first picture learned from 150 digits, in batches of 30, for 200 epochs. How many "
        "steps?",
        (
            Option("200", "That is the number of epochs. Each epoch has several steps."),
            Option("1,000", "150 / 30 = 5 steps in each epoch, times 200 epochs. Each digit was seen 200 times.",
                   right=True),
            Option("6,000", "That is 200 times 30. The number of batches in an epoch is 150 / 30."),
            Option("30,000", "That is how many times a digit was shown, 150 times 200. A step shows 30 of them at "
                   "once."),
        ),
    ),
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
        "05.c", "After 200 epochs, how many of the 30 wrong labels will the network give back, exactly as it was told?",
        (
            Option("none: it sees that they do not fit",
                   "Nothing in the loss says which labels to believe. A wrong label costs as much as a true one."),
            Option("about half of them",
                   "The loss can fall as long as a wrong label is left to learn, so training goes on learning them."),
            Option("all 30", "19,210 knobs are plenty to remember 150 labels. Nothing in the loss says which labels to "
                   "believe.", right=True),
        ),
    ),
    Question(
        "05.d", "Without a cure, 72 % of the test digits are answered correctly (mean of ten seeds). And with each "
        "cure alone?",
        (
            Option("one is far ahead of the others", "The best cure is less than three percentage points ahead of the "
                   "weakest."),
            Option("all five help, by 9 to 12 percentage points",
                   "All five work against the same problem, learning wrong labels by heart. Once that is prevented, "
                   "little is left to gain.", right=True),
            Option("two help, three make it worse", "Even the weakest of the five gains nine percentage points, at the "
                   "strength that was chosen on validation."),
        ),
    ),
)
