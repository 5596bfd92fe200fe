"""A whole GPT in plain Python, one number at a time, on the engine of lesson 04: nothing is hidden in a library.

It is the `Transformer` of lesson 10 with one block, learned positions, RMS norm (its gains left at 1), squared ReLU and
no biases; a test loads its numbers into that class and finds the same loss and the same gradients.

>>> model = ScalarGPT("abc", width=4, heads=2, context=5)
>>> len(model.weights()), round(model.loss("abba").data, 1)  # ln 4: three letters and the end of a word, all alike
(228, 1.4)
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from course_utils.autodiff import Value
from course_utils.optimisers import Memory, adam

Vector = list[Value]
Matrix = list[Vector]


def dot(left: Vector, right: Vector) -> Value:
    """The sum of the products, number by number."""
    total = left[0] * right[0]
    for one, other in zip(left[1:], right[1:], strict=True):
        total = total + one * other
    return total


def times(matrix: Matrix, vector: Vector) -> Vector:
    """A matrix times a vector: one dot product for each row."""
    return [dot(row, vector) for row in matrix]


def add(left: Vector, right: Vector) -> Vector:
    """Two vectors added, number by number."""
    return [one + other for one, other in zip(left, right, strict=True)]


def norm(vector: Vector) -> Vector:
    """The vector over the root of its mean square."""
    scale = (dot(vector, vector) / len(vector) + 1e-5) ** -0.5
    return [number * scale for number in vector]


def softmax(scores: Vector) -> Vector:
    """Shares that add up to 1; the largest score is taken off first, so that no power overflows."""
    largest = max(score.data for score in scores)
    powers = [(score - largest).exp() for score in scores]
    total = sum(powers[1:], powers[0])
    return [power / total for power in powers]


class ScalarGPT:
    """One block between a table of letters and a score for each next letter.

    Args:
        letters: the alphabet; the end of a word is one more token, 0, and stands before each word too.
        width: size of one token's vector.
        heads: attentions side by side; must divide width.
        context: letters in the longest word, and one.
        seed: of the first weights.
    """

    def __init__(self, letters: str, width: int = 8, heads: int = 2, context: int = 8, seed: int = 0):
        if width % heads:
            raise ValueError(f"heads={heads} must divide width={width}.")
        self.tokens, self.width, self.heads, self.context = ["", *letters], width, heads, context
        draw = random.Random(seed)

        def matrix(rows: int, columns: int) -> Matrix:
            return [[Value(draw.gauss(0, 0.1)) for _ in range(columns)] for _ in range(rows)]

        self.letter_table, self.position_table = matrix(len(self.tokens), width), matrix(context, width)
        self.query, self.key, self.value, self.output = (matrix(width, width) for _ in range(4))
        self.up, self.down = matrix(4 * width, width), matrix(width, 4 * width)

    def weights(self) -> Vector:
        """All that is learned, as one list."""
        tables = (self.letter_table, self.position_table, self.query, self.key, self.value, self.output)
        return [number for table in (*tables, self.up, self.down) for row in table for number in row]

    def attention(self, stream: Matrix) -> Matrix:
        """What each token fetches from itself and the tokens before it."""
        inputs, size = [norm(vector) for vector in stream], self.width // self.heads
        queries, keys, values = ([times(m, vector) for vector in inputs] for m in (self.query, self.key, self.value))
        fetched = []
        for place, query in enumerate(queries):
            mixed: Vector = []
            for start in range(0, self.width, size):  # each head has its own part of the vectors
                part = slice(start, start + size)
                scores = [dot(query[part], key[part]) * size**-0.5 for key in keys[: place + 1]]
                shares = softmax(scores)
                mixed += [dot(shares, [value[i] for value in values[: place + 1]]) for i in range(*part.indices(10**6))]
            fetched.append(times(self.output, mixed))
        return fetched

    def mlp(self, vector: Vector) -> Vector:
        """A hidden layer of neurons, each the square of what is above 0."""
        return times(self.down, [total.relu() ** 2 for total in times(self.up, norm(vector))])

    def logits(self, ids: Sequence[int]) -> Matrix:
        """A score for each next token, after each token: one list of ``len(tokens)`` scores for each id."""
        stream = [add(self.letter_table[token], self.position_table[place]) for place, token in enumerate(ids)]
        stream = [add(vector, found) for vector, found in zip(stream, self.attention(stream), strict=True)]
        stream = [add(vector, self.mlp(vector)) for vector in stream]
        return [times(self.letter_table, norm(vector)) for vector in stream]

    def encode(self, word: str) -> list[int]:
        """A word's ids, the end of a word before and behind it."""
        if len(word) >= self.context:
            raise ValueError(f"{word!r} has {len(word)} letters; at most {self.context - 1} fit.")
        return [0, *(self.tokens.index(letter) for letter in word), 0]

    def loss(self, word: str) -> Value:
        """Mean surprisal of a word's letters and its end, in nats."""
        ids = self.encode(word)
        shares = [softmax(scores)[token] for scores, token in zip(self.logits(ids[:-1]), ids[1:], strict=True)]
        surprisals = [-share.log() for share in shares]
        return sum(surprisals[1:], surprisals[0]) / len(surprisals)

    def write(self, seed: int = 0) -> str:
        """A word of its own, letter by letter."""
        draw, ids = random.Random(seed), [0]
        while len(ids) < self.context and (len(ids) == 1 or ids[-1]):
            shares = [share.data for share in softmax(self.logits(ids)[-1])]
            ids += draw.choices(range(len(self.tokens)), shares)
        return "".join(self.tokens[token] for token in ids)


def train(
    model: ScalarGPT,
    words: Sequence[str],
    steps: int = 100,
    learning_rate: float = 0.02,
    on_step: Callable[[int, float], bool | None] | None = None,
) -> list[float]:
    """One word a step, in turn, by Adam; returns each step's loss before it. ``on_step`` may return True to stop.

    >>> model = ScalarGPT("ab", width=4, context=4)
    >>> losses = train(model, ["ab"], steps=40)
    >>> losses[-1] < losses[0] / 2
    True
    """
    weights, losses = model.weights(), []
    memories: list[Memory] = [{} for _ in weights]
    for step in range(steps):
        loss = model.loss(words[step % len(words)])
        loss.backward()
        losses.append(loss.data)
        rate = learning_rate * (1 - step / steps)
        for weight, memory in zip(weights, memories, strict=True):
            weight.data = adam(weight.data, weight.gradient or 0.0, memory, rate)
            weight.gradient = None  # the next word may not use it
        if on_step is not None and on_step(step, loss.data):
            break
    return losses
