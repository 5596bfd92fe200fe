"""Word vectors by guessing, beside gensim's Word2Vec: the presidents' addresses, skip-gram, one thread each.

    python benchmarks/word_vectors.py

gensim is not a part of the course; ``pip install --editable ".[bench]"`` brings it, and without it only our side runs.
The same words, and for both 100 numbers a vector, a window of 8 that is never shortened, words thinned above a share of
0.0003, strangers drawn by frequency to the power of 0.75, and as many passes over the text. Two things differ by
nature: ours scores every pair against 128 strangers that a step's pairs share, gensim against 5 of its own; and ours
takes Adam with a falling rate, gensim plain gradient descent with one. *Words* are those left after thinning: each is
once the middle of a window. Both are judged by the course's two lists, so that speed bought with quality shows.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from course_utils.experiments.word_vectors import WIDTH, analogy_score, corpus, group_score
from course_utils.models.embeddings import PASSAGE, RARE, Vectors, skipgram_vectors, thinned

try:
    from gensim.models import Word2Vec
except ImportError:
    Word2Vec = None

WINDOW, STEPS, BATCH = 8, 3000, 64
SENTENCE = 1000  # words that gensim gets in a row; no window reaches over the end


def main() -> None:
    """Train with both in turns, and print medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    words, ids = corpus()
    left = len(thinned(ids, len(words), seed=0))
    passes = max(1, round(STEPS * BATCH * PASSAGE / left))
    text = [words[number] for number in ids]
    sentences = [text[start : start + SENTENCE] for start in range(0, len(text), SENTENCE)]

    def ours(seed: int) -> tuple[Vectors, int]:
        vectors = skipgram_vectors(ids, len(words), WIDTH, window=WINDOW, steps=STEPS, batch=BATCH, seed=seed)
        return vectors, STEPS * BATCH * PASSAGE

    def theirs(seed: int) -> tuple[Vectors, int]:
        model = Word2Vec(
            vector_size=WIDTH, window=WINDOW, sg=1, hs=0, negative=5, ns_exponent=0.75, sample=RARE, min_count=1,
            workers=1, seed=seed, shrink_windows=False,
        )  # fmt: skip
        model.build_vocab(sentences)
        read, _ = model.train(sentences, total_examples=len(sentences), epochs=passes)
        return model.wv[words], read

    candidates: dict[str, Callable[[int], tuple[Vectors, int]]] = {"ours": ours}
    if Word2Vec is None:
        print('gensim is not here, so only our side runs; pip install --editable ".[bench]" brings it.')
    else:
        candidates["gensim"] = theirs
    taken: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in candidates}
    for seed in range(rounds):
        for name, train in candidates.items():
            began = time.perf_counter()
            vectors, read = train(seed)
            seconds = time.perf_counter() - began
            score = group_score(words, vectors), analogy_score(words, vectors)["score"]
            taken[name].append((seconds, read / seconds, *score))
    print(f"{len(ids):,} words of text, {left:,} after thinning, {passes} passes; median of {rounds}, one thread")
    print("\n| | seconds | words per second | group score | analogies |\n|---|---:|---:|---:|---:|")
    for name, rows in taken.items():
        seconds, speed, group, analogy = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"| {name} | {seconds:.1f} | {speed:,.0f} | {group:.1%} | {analogy:.1%} |")


if __name__ == "__main__":
    main()
