"""Exercises of notebook 05: training in practice."""

import random

from course_utils.practice.exercises import Exercise, Wrong, numbers


def validation_losses(generator: random.Random) -> tuple[list[float], int]:
    """A validation loss that falls, wavers, rises for long enough to stop, and falls lower again; and a patience."""
    patience = generator.choice([2, 3])
    bumps = [generator.uniform(0.4, 0.6) for _ in range(patience - 1)]
    falls = sorted((generator.uniform(0.7, 2) for _ in range(4)), reverse=True)
    rises = sorted(generator.uniform(0.31, 0.5) for _ in range(patience))
    return [*falls, 0.39, *bumps, 0.3, *rises, 0.2, 0.25], patience


def tried_models(generator: random.Random) -> tuple[list[tuple[str, float, float]]]:
    """Models as (name, validation accuracy, test accuracy); the best on validation is not the best on test."""
    rows = [
        ("A", generator.uniform(0.86, 0.9), generator.uniform(0.78, 0.8)),
        ("B", generator.uniform(0.82, 0.84), generator.uniform(0.9, 0.94)),
        ("C", generator.uniform(0.6, 0.7), generator.uniform(0.5, 0.6)),
    ]
    names = generator.sample(["small", "medium", "large"], 3)
    rows = [(name, *row[1:]) for name, row in zip(names, rows, strict=True)]
    generator.shuffle(rows)
    return (rows,)


# An exercise reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "05.1", "The test must stay unseen", difficulty=3, importance=5, minutes=7,
        task="Before training, numbers are shifted so that their mean is 0. Shift the training numbers **and** the "
        "test numbers, without letting the test leak into training. Give both lists.",
        stub="def shift(train, test):\n    return ...",
        answer="def shift(train, test):\n    mean = sum(train) / len(train)\n"
        "    return [x - mean for x in train], [x - mean for x in test]",
        wrong=(
            Wrong("the mean is taken over both lists: the test has leaked into training.", "sum(train) / len(train)",
                  "sum(train + test) / len(train + test)"),
            Wrong("the test is shifted by its own mean. One new example would then always become 0: use the training "
                  "mean.", "x - mean for x in test", "x - sum(test) / len(test) for x in test"),
            Wrong("the test is not shifted, so the model meets numbers on another scale than it learned.",
                  "[x - mean for x in test]", "test"),
            Wrong("both are shifted by the mean of the **test**: look at training data only.",
                  "sum(train) / len(train)", "sum(test) / len(test)"),
        ),
        hints=("One mean is enough. Of which list?",
               "`mean = sum(train) / len(train)`; subtract it from the numbers of both lists."),
        inputs=lambda r: (numbers(r, 5, 0, 4), numbers(r, 3, 5, 9)),
        because="Whatever is computed from data (means, vocabularies, choices) is part of training.",
    ),
    Exercise(
        "05.2", "Choose, then judge", difficulty=2, importance=5, minutes=5,
        task="`models` is a list of `(name, validation, test)`: the share of digits that each model answered right. "
        "Choose one model as the lesson does, and give its name and the number you would publish for it.",
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
        because="The test is opened once, for the model that was already chosen.",
    ),
    Exercise(
        "05.3", "Four kinds of parameter", difficulty=1, importance=4, minutes=3,
        task='People say "parameter" of four things. Write `"learned"`, `"hyperparameter"`, `"architecture"` or '
        '`"positional"` for: the bias of a neuron; the share that dropout drops; the number of layers; a number that '
        "tells a model where a token stands.",
        stub="bias = ...\ndropout_share = ...\nlayers = ...\nplace = ...",
        answer='bias = "learned"\ndropout_share = "hyperparameter"\nlayers = "architecture"\nplace = "positional"',
        wrong=(
            Wrong("a bias is found by training, like a weight: nobody sets it.", '"learned"', '"hyperparameter"',
                  lambda bias, share, layers, place: bias != "learned"),
            Wrong("the share that dropout drops is chosen before training and the gradient never moves it.",
                  '"hyperparameter"', '"learned"', lambda bias, share, layers, place: share != "hyperparameter"),
            Wrong("the number of layers is fixed when the model is built: changing it gives another model, with other "
                  "weights.", '"architecture"', '"hyperparameter"',
                  lambda bias, share, layers, place: layers != "architecture"),
            Wrong("numbers that say where a token stands are called positional, whether a formula or training gives "
                  "them.",
                  '"positional"', '"learned"', lambda bias, share, layers, place: place != "positional"),
        ),
        hints=("Ask of each: who sets it, and when?",
               "Training sets one, the person who trains one, the person who builds one; the last belongs to a place "
               "in the text."),
        because='"134,515,008 parameters" counts the learned kind only.',
    ),
    Exercise(
        "05.4", "Dropout", difficulty=3, importance=4, minutes=6,
        task="While training, dropout sets a share of the values to 0: those where `kept` is 0. The others are scaled "
        "up so that the expected sum stays as it was. `dropped` is the share that is dropped, 0.25 say. Give the new "
        "values.",
        stub="def drop_out(values, kept, dropped):\n    return ...",
        answer="def drop_out(values, kept, dropped):\n    return [v * k / (1 - dropped) for v, k in zip(values, kept)]",
        wrong=(
            Wrong("the kept values are not scaled up, so after training, with all values there, every sum is too "
                  "large.", " / (1 - dropped)", ""),
            Wrong("the values are scaled **down**. Fewer of them remain, so each must count for more: divide.",
                  "/ (1 - dropped)", "* (1 - dropped)"),
            Wrong("this divides by the share dropped; divide by the share **kept**, `1 - dropped`.", "(1 - dropped)",
                  "dropped"),
            Wrong("it drops the others: `kept` is 1 where a value stays.", "v * k", "v * (1 - k)"),
        ),
        hints=("If a quarter is dropped, three quarters remain: by what must they be multiplied?",
               "Each value times its `kept`, divided by `1 - dropped`."),
        inputs=lambda r: (numbers(r, 6, 1, 4), r.sample([1, 1, 1, 1, 0, 0], 6), r.choice([0.2, 0.25, 0.3, 0.4])),
        because="When training ends nothing is dropped and nothing needs scaling.",
    ),
    Exercise(
        "05.5", "Weight decay", difficulty=2, importance=4, minutes=5,
        task="With weight decay, a step does two things to a weight w: the usual step against the slope, and a pull "
        "towards 0 of `learning_rate * decay * w`. Give the new weight.",
        stub="def step(w, slope, learning_rate, decay):\n    return ...",
        answer="def step(w, slope, learning_rate, decay):\n"
        "    return w - learning_rate * slope - learning_rate * decay * w",
        wrong=(
            Wrong("the pull goes away from 0: weights grow. Subtract it.", "- learning_rate * decay",
                  "+ learning_rate * decay"),
            Wrong("the pull is the same for large and small weights; it should be in proportion to w.", "decay * w",
                  "decay"),
            Wrong("the pull is not scaled by the learning rate.", "- learning_rate * decay", "- decay"),
            Wrong("there is no pull: this is the usual step.", " - learning_rate * decay * w", ""),
        ),
        hints=("Start from the usual step, `w - learning_rate * slope`.", "Then subtract `learning_rate * decay * w`."),
        inputs=lambda r: (r.choice([-1, 1]) * r.uniform(1.5, 4), r.uniform(0.5, 3), *r.choices([0.1, 0.3], k=2)),
        because="A weight that no example defends fades away; one that matters holds its ground.",
    ),
    Exercise(
        "05.6", "When to stop", difficulty=4, importance=4, minutes=10,
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
            Wrong("this looks at all epochs, also those after the stop: nobody knows at that time that the loss falls "
                  "again.", "break", "pass"),
            Wrong("it stops too early, at the first epochs that are worse. Count until `patience` of them are in a "
                  "row.", "epoch - best >= patience", "epoch - best >= 1"),
            Wrong("this is the best loss; the number of its epoch is asked for.", "return best", "return losses[best]"),
        ),
        hints=("Keep `best`, the number of the best epoch. When is `epoch - best` too large?",
               "`if loss < losses[best]: best = epoch`, else stop as soon as `epoch - best >= patience`."),
        inputs=validation_losses,
        because="The stop cannot look ahead. It may miss a lower loss; patience is the price paid to miss fewer.",
    ),
)
