"""Exercises of notebook 12: sampling."""

import random

from course_utils.practice.exercises import Exercise, Wrong, numbers


def distribution(generator: random.Random, count: int = 5) -> list[float]:
    """Fresh probabilities in no order, all different, that sum to 1."""
    shares = generator.sample(range(5, 60), count)
    return [share / sum(shares) for share in shares]


def written(generator: random.Random) -> tuple[list[int], int, int]:
    """Token ids, the id that stops (sometimes never written), and the most tokens allowed."""
    tokens = [generator.randint(10, 99) for _ in range(8)]
    if generator.random() < 0.6:
        tokens[generator.randint(1, 6)] = 2
    return tokens, 2, generator.randint(3, 7)


# An exercise reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "12.1", "How likely is a whole text?", difficulty=2, importance=4, minutes=5,
        task="The probability of a text is the product of its tokens' probabilities, far too small to write down. So "
        "one adds logarithms: give the **natural log-probability** of the text.",
        stub="def log_probability(probabilities):\n    return ...",
        answer="import math\n\n\ndef log_probability(probabilities):\n"
        "    return sum(math.log(p) for p in probabilities)",
        wrong=(
            Wrong("this is the log of the **sum**. The tokens must all come true, so probabilities multiply and logs "
                  "add.", "sum(math.log(p) for p in probabilities)", "math.log(sum(probabilities))"),
            Wrong("this is the probability itself, without the log; a long enough text of it would round to zero.",
                  "sum(math.log(p) for p in probabilities)", "math.prod(probabilities)"),
            Wrong("this is the mean per token (its negative is the loss of notebook 08); the whole text is asked for.",
                  "in probabilities)", "in probabilities) / len(probabilities)"),
            Wrong("the sign is turned round. Minus the log-probability is called surprise.", "return sum",
                  "return -sum"),
        ),
        hints=("`math.log` of each probability.", "Then `sum(...)`, with nothing before or after it."),
        inputs=lambda r: (numbers(r, r.randint(3, 6), 0.05, 0.95),),
        because="Sums of logs neither vanish nor overflow. Every library scores texts this way.",
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
            Wrong("the minus sign is missing: logs of probabilities are negative, entropy never is.", "-p *", "p *"),
            Wrong("it fails where a probability is 0, because there is no log of 0. Leave those out: they add nothing.",
                  " if p > 0", ""),
            Wrong("each surprise must be weighed by how often it happens: multiply by p.", "-p *", "-1 *"),
        ),
        hints=("`-p * math.log2(p)` for each.", "`for p in probabilities if p > 0` skips the zeros."),
        inputs=lambda r: (r.sample([*distribution(r), 0.0], 6),),
        because="Two equal choices are 1 bit, four are 2. GPT-2's whole vocabulary, all alike, would be 15.6.",
    ),
    Exercise(
        "12.3", "Softmax with a temperature", difficulty=2, importance=5, minutes=6,
        task="Turn logits into probabilities: divide each by the temperature, take `math.exp`, and divide by the sum.",
        stub="def softmax(logits, temperature):\n    return ...",
        answer="import math\n\n\ndef softmax(logits, temperature):\n"
        "    raised = [math.exp(logit / temperature) for logit in logits]\n"
        "    return [number / sum(raised) for number in raised]",
        wrong=(
            Wrong("the temperature is the wrong way round: a high one must even the probabilities out, so divide by "
                  "it.", "logit / temperature", "logit * temperature"),
            Wrong("these do not sum to 1: divide each by the sum of all.", "number / sum(raised)", "number"),
            Wrong("the temperature is applied after the exponential, where the sum divides it out again; it belongs on "
                  "the logits.", "math.exp(logit / temperature)", "math.exp(logit) / temperature"),
            Wrong("the logits themselves are divided by their sum; without `math.exp` some come out negative.",
                  "math.exp(logit / temperature)", "logit / temperature"),
        ),
        hints=("First a list of `math.exp(logit / temperature)`.",
               "Then each of them divided by `sum(...)` of that list."),
        inputs=lambda r: (numbers(r, r.randint(3, 5), -4, 4), r.choice([0.4, 0.5, 0.7, 1.5, 2.0])),
        because="The temperature divides differences between logits: halve it, and every ratio of probabilities is "
        "squared.",
    ),
    Exercise(
        "12.4", "The top-p cut", difficulty=3, importance=5, minutes=8,
        task="Top-p keeps the likeliest tokens, one after the other, **until their probabilities reach** `top_p` "
        "together; the token that reaches it is kept as well. Give the positions kept, likeliest first.",
        stub="def kept(probabilities, top_p):\n    return ...",
        answer="def kept(probabilities, top_p):\n    chosen, together = [], 0.0\n"
        "    for place in sorted(range(len(probabilities)), key=lambda place: -probabilities[place]):\n"
        "        if together < top_p:\n            chosen.append(place)\n        together += probabilities[place]\n"
        "    return chosen",
        wrong=(
            Wrong("the token that crosses `top_p` is left out. Keep it, or a very sure model would keep nothing.",
                  "if together < top_p", "if together + probabilities[place] < top_p"),
            Wrong("the tokens are taken in the order they stand; take the likeliest first.",
                  "sorted(range(len(probabilities)), key=lambda place: -probabilities[place])",
                  "range(len(probabilities))"),
            Wrong("each token is compared with `top_p` on its own. That is nearer to min-p; top-p looks at the running "
                  "sum.", "if together < top_p", "if probabilities[place] >= top_p"),
            Wrong("this starts from the least likely token: sort the other way round.", "-probabilities",
                  "probabilities"),
        ),
        hints=("Sort the positions by probability, largest first, and keep a running sum.",
               "A token is kept if the sum *before* it is still below `top_p`."),
        inputs=lambda r: (distribution(r), r.choice([0.45, 0.6, 0.75, 0.85])),
        because="A sure model keeps one token, an unsure one hundreds: the cut follows the shape of the distribution.",
    ),
    Exercise(
        "12.5", "When to stop", difficulty=2, importance=4, minutes=6,
        task="A model would write for ever. Give the tokens **before** the first `stop`, but never more than `limit` "
        "of them.",
        stub="def until_stop(tokens, stop, limit):\n    return ...",
        answer="def until_stop(tokens, stop, limit):\n"
        "    end = tokens.index(stop) if stop in tokens else len(tokens)\n    return tokens[: min(end, limit)]",
        wrong=(
            Wrong("the stop token is in the result. It is a signal between model and program, not part of the text.",
                  "tokens.index(stop)", "tokens.index(stop) + 1"),
            Wrong("the limit is ignored: a model that never writes `stop` would never end.", "min(end, limit)", "end"),
            Wrong("it fails when `stop` was not written. That happens: then only the limit counts.",
                  " if stop in tokens else len(tokens)", ""),
            Wrong("this looks at the limit only and writes on past the stop.", "min(end, limit)", "limit"),
        ),
        hints=("Where is the first `stop`? `tokens.index(stop)` tells, if `stop in tokens`.",
               "Two ends, the stop and the limit: the smaller one counts."),
        inputs=written,
        because="A chat model learns to write its stop token; `max_new_tokens` is the net below it.",
    ),
    Exercise(
        "12.6", "Against repetition", difficulty=4, importance=3, minutes=9,
        task="The repetition penalty makes every token that was **seen** less likely, once, however often it was seen: "
        "a positive logit is divided by `penalty`, a negative one multiplied. Give the new logits. (`seen` lists "
        "positions, some twice.)",
        stub="def penalised(logits, seen, penalty):\n    return ...",
        answer="def penalised(logits, seen, penalty):\n    new = list(logits)\n    for place in set(seen):\n"
        "        new[place] = new[place] / penalty if new[place] > 0 else new[place] * penalty\n    return new",
        wrong=(
            Wrong("negative logits are divided too. That moves them towards 0 and makes the token **more** likely.",
                  "new[place] / penalty if new[place] > 0 else new[place] * penalty", "new[place] / penalty"),
            Wrong("a token seen twice is punished twice; go through `set(seen)`.", "set(seen)", "seen"),
            Wrong("all tokens are punished, not only those seen.", "set(seen)", "range(len(logits))"),
            Wrong("the penalty is subtracted. That is another recipe, the presence penalty.",
                  "new[place] / penalty if new[place] > 0 else new[place] * penalty", "new[place] - penalty"),
        ),
        hints=("Work on a copy, `list(logits)`, and go through `set(seen)`.",
               "Positive: `/ penalty`. Negative: `* penalty`. Both make the logit smaller."),
        inputs=lambda r: ([3 + r.random(), -2 - r.random(), r.uniform(1, 2), -1.5, 0.5], [0, 1, 1, 0, 2], 1.3),
        because='It is a blunt tool: words that ought to come back, such as "the", are punished as well.',
    ),
)
