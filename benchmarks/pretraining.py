"""Seconds from random weights to one held-out loss: the widely used plain recipe against the course's.

    python benchmarks/pretraining.py [--text FILE] [--threads 2] [--seeds 3] [--target 1.89]

Both read the same characters (1.1 million of Shakespeare, or FILE), nine tenths to train and one to measure, and guess
each character from at most 64. *Plain*: GPT-2 blocks without biases, 4 layers of width 128 with 4 heads; AdamW at 1e-3,
betas 0.9 and 0.99, weight decay 0.1, 100 steps of warm-up, cosine to 1e-4 at step 2,000, clip 1.0, float32, 12 windows
a step; written as the loop it is on the course's own class. *Ours*: the same size, `RECIPE` below. A measurement (mean
surprisal of the whole held-out tenth, in nats, float32 for both) is not counted in the seconds. A run ends at the first
one at or below the target.
"""

import argparse
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_utils.data import plays_text
from course_utils.experiments.pretraining import FAST, MODEL
from course_utils.models.transformer import Transformer, TransformerConfig, count_parameters
from course_utils.tokenizers.words import CharacterTokenizer
from course_utils.training import text_batches
from course_utils.training.pretraining import Pretraining, begin

CONTEXT = 64
RECIPE = Pretraining(model={**MODEL, "context": CONTEXT}, recipe=FAST, steps=170, batch_size=16)


def plain(ids: Tensor, vocabulary: int, seed: int) -> Iterator[nn.Module]:
    """The plain recipe: yields the model after every step."""
    steps, warm, highest, lowest = 2000, 100, 1e-3, 1e-4
    config = TransformerConfig.preset(
        "gpt2", vocabulary=vocabulary, context=CONTEXT, width=128, layers=4, heads=4, bias=False
    )
    model = Transformer(config, seed)
    matrices = [weight for weight in model.parameters() if weight.dim() >= 2]
    gains = [weight for weight in model.parameters() if weight.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": gains, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=highest, betas=(0.9, 0.99), fused=True)
    batches = text_batches(ids, 12, CONTEXT, seed)
    for step in range(steps):
        fall = (1 + math.cos(math.pi * (step - warm) / (steps - warm))) / 2
        rate = highest * (step + 1) / warm if step < warm else lowest + (highest - lowest) * fall
        for group in optimiser.param_groups:
            group["lr"] = rate
        inputs, targets = batches[step]
        loss = cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        yield model


def ours(text: str, seed: int) -> Iterator[nn.Module]:
    """The course's recipe: yields the model after every step."""
    setting = Pretraining(**{**vars(RECIPE), "seed": seed})
    trainer, batches, _ = begin(setting, text)
    for step in range(setting.steps):
        trainer.advance(batches[step])
        yield trainer.model


@torch.no_grad()
def held_out_loss(model: nn.Module, ids: Tensor) -> float:
    """Mean surprisal in nats of every character of a text, cut into windows side by side."""
    windows = ids[: len(ids) // (CONTEXT + 1) * (CONTEXT + 1)].view(-1, CONTEXT + 1)
    nats = 0.0
    for part in windows.split(256):
        nats += cross_entropy(model(part[:, :-1]).flatten(0, 1), part[:, 1:].flatten(), reduction="sum").item()
    return nats / windows[:, 1:].numel()


def race(
    run: Callable[[], Iterator[nn.Module]], held_out: Tensor, target: float, due: Callable[[int], bool]
) -> tuple[float, float, int, float]:
    """Seconds and processor seconds until a measurement is at or below the target, the step, and the loss there.

    ``due(step)`` says whether to measure after so many steps. Seconds are infinite if the run never gets there.
    """
    seconds = processor = 0.0
    steps, lowest, models = 0, math.inf, run()
    while True:
        begun, begun_processor = time.perf_counter(), time.process_time()
        model = next(models, None)
        seconds, processor = seconds + time.perf_counter() - begun, processor + time.process_time() - begun_processor
        if model is None:
            return math.inf, math.inf, steps, lowest
        steps += 1
        if due(steps):
            lowest = min(lowest, loss := held_out_loss(model, held_out))
            if loss <= target:
                return seconds, processor, steps, loss


def main(text: Path | None, threads: int, seeds: int, target: float) -> None:
    torch.set_num_threads(threads)
    whole = plays_text("train")[:1_115_394] if text is None else text.read_text(encoding="utf-8")
    cut = len(whole) * 9 // 10
    tokenizer = CharacterTokenizer.train(whole[:cut])
    ids, held_out = (torch.tensor(tokenizer.encode(part)) for part in (whole[:cut], whole[cut:]))
    size = count_parameters(Transformer(RECIPE.config(len(tokenizer))))
    print(
        f"{len(whole):,} characters, {len(tokenizer)} different; {threads} threads; target {target}; {size:,} weights"
    )
    print("| seed | recipe | steps | loss | seconds | processor seconds |")
    print("|---:|---|---:|---:|---:|---:|")
    runs: dict[str, tuple[Callable[[int], Iterator[nn.Module]], Callable[[int], bool]]] = {
        "plain": (lambda seed: plain(ids, len(tokenizer), seed), lambda step: step % 20 == 0 and step >= 800),
        "ours": (lambda seed: ours(whole[:cut], seed), lambda step: step % 5 == 0 and step >= RECIPE.steps // 2),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for seed in range(seeds):
        for name, (run, due) in runs.items():
            seconds, processor, steps, loss = race(lambda run=run, seed=seed: run(seed), held_out, target, due)
            taken[name].append((seconds, processor))
            print(f"| {seed} | {name} | {steps} | {loss:.4f} | {seconds:.1f} | {processor:.1f} |", flush=True)
    for place, what in enumerate(("seconds", "processor seconds")):
        slow, fast = (median(times[place] for times in taken[name]) for name in runs)
        print(f"{what}, medians: plain {slow:.1f}, ours {fast:.1f}, ratio {slow / fast:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--text", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--target", type=float, default=1.89)
    main(**vars(parser.parse_args()))
