"""Exercises, quizzes and predictions of notebook 12: sampling."""

import random

from course_utils.practice.exercises import Exercise, Wrong, numbers
from course_utils.practice.questions import Option, Question


def distribution(generator: random.Random, count: int = 5) -> list[float]:
    """Fresh probabilities in no order, all different, that sum to 1."""
    shares = generator.sample(range(5, 60), count)
    return [share / sum(shares) for share in shares]


def written(generator: random.Random) -> tuple[list[int], int, int]:
    """Four to ten token ids, the id that stops (sometimes not written), and the most tokens allowed."""
    count, stop = generator.randint(4, 10), generator.randint(2, 9)
    tokens = generator.sample(range(10, 99), count)
    if generator.random() < 0.6:
        tokens[generator.randint(1, count - 1)] = stop
    return tokens, stop, generator.randint(2, count + 1)


def seen_logits(generator: random.Random) -> tuple[list[float], list[int], float]:
    """Four to seven logits of both signs, the positions seen (one of them twice), and a penalty."""
    count = generator.randint(4, 7)
    signs = generator.sample([1, -1, *generator.choices([1, -1], k=count - 2)], count)
    logits = [sign * size for sign, size in zip(signs, numbers(generator, count, 0.5, 4), strict=True)]
    seen = generator.sample(range(count), generator.randint(2, count - 1))
    return logits, generator.sample([*seen, seen[0]], len(seen) + 1), generator.uniform(1.1, 1.6)


# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "12.1", "How likely is a whole text?", difficulty=2, importance=4, minutes=5,
        task="The probability of a text is the product of its tokens' probabilities. For a long text that is smaller "
        "than any number a computer can hold, and rounds to 0. So we add logarithms instead: give the **natural "
        "log-probability** of a text, however long it is.",
        stub="def log_probability(probabilities):\n    return ...",
        answer="import math\n\n\ndef log_probability(probabilities):\n"
        "    return sum(math.log(p) for p in probabilities)",
        wrong=(
            Wrong("this is the log of the **sum**. Every one of the tokens has to be drawn, so probabilities multiply "
                  "and logs add.", "sum(math.log(p) for p in probabilities)", "math.log(sum(probabilities))"),
            Wrong("this is the probability itself, without the log; for a long enough text it rounds to zero.",
                  "sum(math.log(p) for p in probabilities)", "math.prod(probabilities)"),
            Wrong("the product is computed first, and for a long text it rounds to 0, which has no log. Take the log "
                  "of each probability, then add.", "sum(math.log(p) for p in probabilities)",
                  "math.log(math.prod(probabilities))"),
            Wrong("this is the mean per token (its negative is the loss of notebook 08); the whole text is asked for.",
                  "in probabilities)", "in probabilities) / len(probabilities)"),
            Wrong("the sign is the wrong way round. Minus the log-probability is called surprise.", "return sum",
                  "return -sum"),
        ),
        hints=("`math.log` of each probability.", "Then `sum(...)`, with nothing before or after it."),
        inputs=lambda r: (numbers(r, r.choice([3, 4, 5, 6, 2000, 2500]), 0.05, 0.95),),
        explanation="Sums of logs neither vanish nor overflow. Language models are scored this way.",
    ),
    Exercise(
        "12.2", "Entropy in bits", difficulty=3, importance=4, minutes=7,
        task="Entropy says how unsure a distribution is: the sum of $-p\\log_2 p$. A token with probability 0 adds "
        "nothing.",
        stub="def entropy(probabilities):\n    return ...",
        answer="import math\n\n\ndef entropy(probabilities):\n"
        "    return sum(-p * math.log2(p) for p in probabilities if p > 0)",
        wrong=(
            Wrong("this is in nats, with the natural logarithm. For bits take `math.log2`.", "math.log2", "math.log"),
            Wrong("the minus sign is missing: logs of probabilities are negative, but entropy never is.", "-p *",
                  "p *"),
            Wrong("it fails where a probability is 0, because there is no log of 0. Leave those out: they add nothing.",
                  " if p > 0", ""),
            Wrong("each surprise must be weighted by how often it happens: multiply by p.", "-p *", "-1 *"),
        ),
        hints=("`-p * math.log2(p)` for each.", "`for p in probabilities if p > 0` skips the zeros."),
        inputs=lambda r: (r.sample([*distribution(r, n := r.randint(2, 6)), 0.0], n + 1),),
        explanation="Two equal choices are 1 bit, four are 2. GPT-2's 50,257 tokens, all equally likely, would be "
        "15.6.",
    ),
    Exercise(
        "12.3", "Softmax with a temperature", difficulty=2, importance=5, minutes=6,
        task="Turn logits into probabilities: divide each by the temperature, take `math.exp`, and divide by the sum.",
        stub="def softmax(logits, temperature):\n    return ...",
        answer="import math\n\n\ndef softmax(logits, temperature):\n"
        "    raised = [math.exp(logit / temperature) for logit in logits]\n"
        "    return [number / sum(raised) for number in raised]",
        wrong=(
            Wrong("the temperature works the wrong way round: a high one must make the probabilities more equal, so "
                  "divide by it.", "logit / temperature", "logit * temperature"),
            Wrong("these do not sum to 1: divide each by the sum of all.", "number / sum(raised)", "number"),
            Wrong("the temperature is applied after the exponential, where it cancels when you divide by the sum; "
                  "apply it to the logits.", "math.exp(logit / temperature)", "math.exp(logit) / temperature"),
            Wrong("the logits themselves are divided by their sum; without `math.exp` some come out negative.",
                  "math.exp(logit / temperature)", "logit / temperature"),
        ),
        hints=("First a list of `math.exp(logit / temperature)`.",
               "Then each of them divided by `sum(...)` of that list."),
        inputs=lambda r: (numbers(r, r.randint(3, 5), -4, 4), r.choice([0.4, 0.5, 0.7, 1.5, 2.0, 2.5])),
        explanation="The temperature divides differences between logits: halve it, and every ratio of probabilities is "
        "squared.",
    ),
    Exercise(
        "12.4", "The top-p cut", difficulty=3, importance=5, minutes=8,
        task="Top-p keeps the most likely tokens, one after the other, **until their probabilities reach** `top_p` "
        "together; the token that reaches it is kept as well. Give the positions kept, most likely first.",
        stub="def kept(probabilities, top_p):\n    return ...",
        answer="def kept(probabilities, top_p):\n    chosen, together = [], 0.0\n"
        "    for place in sorted(range(len(probabilities)), key=lambda place: -probabilities[place]):\n"
        "        if together < top_p:\n            chosen.append(place)\n        together += probabilities[place]\n"
        "    return chosen",
        wrong=(
            Wrong("the token that crosses `top_p` is left out. Keep it, or a very sure model would keep nothing.",
                  "if together < top_p", "if together + probabilities[place] < top_p"),
            Wrong("the tokens are taken in the order of the list; take the most likely first.",
                  "sorted(range(len(probabilities)), key=lambda place: -probabilities[place])",
                  "range(len(probabilities))"),
            Wrong("each token is compared with `top_p` on its own. That is nearer to min-p; top-p looks at the running "
                  "sum.", "if together < top_p", "if probabilities[place] >= top_p"),
            Wrong("this starts from the least likely token: sort the other way round.", "-probabilities",
                  "probabilities"),
        ),
        hints=("Sort the positions by probability, largest first, and keep a running sum.",
               "A token is kept if the sum *before* it is still below `top_p`."),
        inputs=lambda r: (distribution(r, r.randint(4, 7)), r.choice([0.35, 0.45, 0.6, 0.75, 0.85])),
        explanation="A model that is sure keeps one token, an unsure one hundreds: the cut follows the distribution.",
    ),
    Exercise(
        "12.5", "When to stop", difficulty=2, importance=4, minutes=6,
        task="Left alone, a model would write for ever. Give the tokens **before** the first `stop`, but never "
        "more than `limit` of them.",
        stub="def until_stop(tokens, stop, limit):\n    return ...",
        answer="def until_stop(tokens, stop, limit):\n"
        "    end = tokens.index(stop) if stop in tokens else len(tokens)\n    return tokens[: min(end, limit)]",
        wrong=(
            Wrong("the stop token is in the result. It is a signal between model and program, not part of the text.",
                  "tokens.index(stop)", "tokens.index(stop) + 1"),
            Wrong("the limit is ignored: a model that never writes `stop` would write for ever.", "min(end, limit)",
                  "end"),
            Wrong("it fails when `stop` was not written. That happens: then only the limit counts.",
                  " if stop in tokens else len(tokens)", ""),
            Wrong("this looks only at the limit and goes on past the stop.", "min(end, limit)", "limit"),
        ),
        hints=("Where is the first `stop`? `tokens.index(stop)` says, if `stop in tokens`.",
               "Two ends, the stop and the limit: the smaller one counts."),
        inputs=written,
        explanation="A chat model learns to write its stop token; `max_new_tokens` is there in case it does not.",
    ),
    Exercise(
        "12.6", "Against repetition", difficulty=4, importance=3, minutes=9,
        task="The repetition penalty makes every token that was **seen** less likely, once, however often it was seen: "
        "a positive logit is divided by `penalty`, a negative one multiplied. Give the new logits. (`seen` lists "
        "positions, some of them twice.)",
        stub="def penalised(logits, seen, penalty):\n    return ...",
        answer="def penalised(logits, seen, penalty):\n    new = list(logits)\n    for place in set(seen):\n"
        "        new[place] = new[place] / penalty if new[place] > 0 else new[place] * penalty\n    return new",
        wrong=(
            Wrong("negative logits are divided too. That moves them towards 0 and makes the token **more** likely.",
                  "new[place] / penalty if new[place] > 0 else new[place] * penalty", "new[place] / penalty"),
            Wrong("a token seen twice is punished twice; go through `set(seen)`.", "set(seen)", "seen"),
            Wrong("all tokens are punished, not only those seen.", "set(seen)", "range(len(logits))"),
            Wrong("the penalty is subtracted. That is another method, the presence penalty.",
                  "new[place] / penalty if new[place] > 0 else new[place] * penalty", "new[place] - penalty"),
        ),
        hints=("Work on a copy, `list(logits)`, and go through `set(seen)`.",
               "Positive: `/ penalty`. Negative: `* penalty`. Both make the logit smaller."),
        inputs=seen_logits,
        explanation='It is a blunt tool: words that ought to come back, such as "the", are punished as well.',
    ),
)

QUIZZES = (
    Question(
        "12.c", "Temperature and maximum length are often listed as hyperparameters of training. Are they?",
        (
            Option("Yes, a model is trained at a temperature",
                   "The model of this page was trained long before you moved the slider, and all its 134,515,008 "
                   "numbers are the same at every temperature."),
            Option("No, they belong to the loop that picks tokens",
                   "They act on the scores after the model has given them. You can change them from one token to the "
                   "next.", right=True),
            Option("Only the maximum length is",
                   "The number of tokens a model can read at once, its context, is fixed in training. The maximum "
                   "length of an answer is a counter in the loop."),
        ),
    ),
    Question(
        "12.d", "The text grows with every token. Why can the keys and values of earlier tokens be kept all the same?",
        (
            Option("Because the model remembers the conversation",
                   "The model itself stores nothing between two tokens. The cache is a table beside it, and the "
                   "program that runs the loop keeps it or throws it away."),
            Option("Because no token looks at later ones",
                   "In a causal model, the keys and values of a token depend only on that token and the ones before "
                   "it, so nothing that is added at the end can change them.", right=True),
            Option("Because they are nearly the same for all tokens",
                   "They differ from token to token. If they did not, attention could not tell the tokens apart."),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "12.a", "At temperature 1, one token is ten times as likely as another. At temperature 0.5 it is ...",
        (
            Option("five times as likely",
                   "That halves the ratio, but a low temperature makes the likely token gain, not lose."),
            Option("twenty times as likely",
                   "Dividing by 0.5 doubles the difference between the **logits**. The exponential turns that into a "
                   "square, not a double."),
            Option("a hundred times as likely",
                   "Dividing logits by 0.5 doubles every difference between them, and the exponential turns a doubled "
                   "difference into a squared ratio: 10 × 10.", right=True),
        ),
    ),
    Question(
        "12.b", "After “I went to the market and bought”, greedy writing goes on for 44 tokens. You will see ...",
        (
            Option("the best story the model can tell",
                   "Greedy takes the most likely token at every step. That does not add up to the most likely text, "
                   "and the most likely text need not be a good one."),
            Option("one sentence again and again",
                   "A sentence that is already in the text makes itself more likely, and greedy has no way out of the "
                   "circle. Holtzman et al. (2020) called it neural text degeneration.", right=True),
            Option("an early end", "To end, the model would have to find its stop token the most likely one. In the "
                   "middle of a circle the next word of the sentence is always more likely."),
        ),
    ),
)
