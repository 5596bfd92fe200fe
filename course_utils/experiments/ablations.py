"""What each part of a transformer is good for: take it out, train again, and compare. And what order does to it.

The models read characters of Shakespeare's plays; the score is bits per character on plays that they never saw. It also
makes the recorded runs of ``datasets/runs/transformer_ablations.csv``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_utils.data.runs import recorded
from course_utils.experiments.language_models import characters, play_ids
from course_utils.models.initial import stretch
from course_utils.models.transformer import Block, Transformer, TransformerConfig, count_parameters
from course_utils.training import History, Recipe, fit, mean_loss, text_batches

CONTEXT, BATCH = 64, 16
ABLATIONS = (  # the first is whole; the next three differ in how positions are told; the others lack a part
    "rotary positions", "learned positions", "sinusoidal positions", "no positions",
    "no MLP", "no MLP, 12 layers", "no attention", "no residual stream", "no normalisation",
)  # fmt: skip
WHOLE = ABLATIONS[0]


class Nothing(nn.Module):
    """A part that adds nothing to the stream.

    >>> Nothing()(torch.ones(1, 2, 3)).sum()
    tensor(0.)
    """

    def forward(self, stream: Tensor, *others: Any) -> Tensor:
        """Zeros, in the shape of the stream."""
        return torch.zeros_like(stream)


class WithoutResidual(nn.Module):
    """A block that hands on what its parts found, and no longer adds it to what came in."""

    def __init__(self, block: Block):
        super().__init__()
        self.block = block

    def forward(self, stream: Tensor, *others: Any) -> Tensor:
        """``(batch, tokens, width)`` to the same shape; the other arguments as for `Block`."""
        block = self.block
        stream = block.attention(block.attention_norm(stream), *others)
        return block.mlp(block.mlp_norm(stream))


def ablated(name: str, seed: int = 0, *, vocabulary: int | None = None) -> Transformer:
    """A small transformer that lacks one part, untrained.

    It has 4 blocks of width 64 with 4 heads, layer norm, GELU and rotary positions. Without the MLP two thirds of a
    block's parameters are gone; 12 blocks of attention alone have about as many as 4 whole ones.

    Args:
        name: one of `ABLATIONS`.
        seed: of the first weights.
        vocabulary: how many tokens there are; None: the characters of the plays.

    Raises:
        ValueError: if the name is not known.

    >>> [count_parameters(ablated(name, vocabulary=80)) for name in ("rotary positions", "no MLP")]
    [202880, 71296]
    """
    if name not in ABLATIONS:
        raise ValueError(f"ablation={name!r} is not known; choose one of: {'; '.join(ABLATIONS)}.")
    config = TransformerConfig(
        vocabulary=len(characters()) if vocabulary is None else vocabulary,
        context=CONTEXT, width=64, layers=12 if "12 layers" in name else 4, heads=4,
        positions=_POSITIONS.get(name, "rotary"), bias=False,
    )  # fmt: skip
    model = Transformer(config, seed)
    stretch(model, config.width)
    for number, block in enumerate(model.blocks):
        assert isinstance(block, Block)
        if name.startswith("no MLP"):
            _put(block, mlp=Nothing(), mlp_norm=nn.Identity())
        elif name == "no attention":
            _put(block, attention=Nothing(), attention_norm=nn.Identity())
        elif name == "no normalisation":
            _put(block, attention_norm=nn.Identity(), mlp_norm=nn.Identity())
        elif name == "no residual stream":
            model.blocks[number] = WithoutResidual(block)
    if name == "no normalisation":
        _put(model, final_norm=nn.Identity())
    return model


def _put(where: nn.Module, **parts: nn.Module) -> None:
    for name, part in parts.items():
        where.add_module(name, part)


_POSITIONS: dict[str, Any] = {
    "learned positions": "learned", "sinusoidal positions": "sinusoidal", "no positions": "none",
}  # fmt: skip


def train(
    name: str,
    *,
    steps: int = 200,
    seed: int = 0,
    learning_rate: float = 3e-3,
    on_step: Callable[[int, History], bool | None] | None = None,
    evaluate: Callable[[nn.Module], float] | None = None,
    progress: bool = False,
) -> tuple[Transformer, History]:
    """Train one of `ABLATIONS` on random windows of the training plays, 16 of 64 characters in a step.

    Args:
        name: which.
        steps: of AdamW.
        seed: of the first weights and of the windows.
        learning_rate: rises over the first tenth of the steps, then falls evenly to 0.
        on_step: see `course_utils.training.fit`.
        evaluate: see there; it measures every 100 steps.
        progress: show a bar.
    """
    model = ablated(name, seed)
    recipe = Recipe(learning_rate, schedule="linear", warmup=0.1, smoothing=0.99, clip=1.0)
    batches = text_batches(play_ids("train"), BATCH, CONTEXT, seed)
    history = fit(model, batches, steps=steps, recipe=recipe, evaluate=evaluate, on_step=on_step, progress=progress)
    return model, history


def bits(model: nn.Module, part: str = "test", batches: int = 8) -> float:
    """Bits per character on held-out plays, in windows of 64 characters drawn once for all models.

    A window begins with nothing read, so its first characters are hard to guess; scores are for comparing with one
    another, not with models that read on.

    Args:
        model: of the characters of the plays.
        part: ``"validation"`` or ``"test"``.
        batches: of 64 windows, at most 8; all 8 are 32,768 characters.
    """
    return mean_loss(model, _windows(part)[:batches]) / math.log(2)


@lru_cache(maxsize=2)
def _windows(part: str) -> list[tuple[Tensor, Tensor]]:
    batches = text_batches(play_ids(part), 64, CONTEXT, seed=0)
    return [batches[step] for step in range(8)]


def rows(
    names: tuple[str, ...], learning_rates: tuple[float, ...], seeds: range, steps: int, short: int
) -> Iterator[dict[str, Any]]:
    """Every ablation: its learning rate is chosen by short runs on the validation plays, then it is scored.

    A model that lacks a part may want another learning rate, and losing with that of the whole model would prove
    nothing.

    Args:
        names: of `ABLATIONS`.
        learning_rates: to choose from.
        seeds: of the scored runs; the seed after them is for the choice.
        steps: of each scored run.
        short: steps of each run for the choice.

    Yields:
        one row for each measurement of each run: every 100 steps.
    """
    for name in names:
        ends: dict[float, float] = {}
        for rate in learning_rates:
            for row in measured_run(name, "validation", learning_rate=rate, seed=seeds.stop, steps=short):
                ends[rate] = row["bits"]
                yield row
        best = min(ends, key=ends.__getitem__)
        for seed in seeds:
            yield from measured_run(name, "test", learning_rate=best, seed=seed, steps=steps)


def measured_run(name: str, part: str, *, learning_rate: float, seed: int, steps: int) -> Iterator[dict[str, Any]]:
    """One run, scored on one part of the plays every 100 steps: a row for each score."""
    measure = functools.partial(bits, part=part)
    model, history = train(name, steps=steps, seed=seed, learning_rate=learning_rate, evaluate=measure)
    for step, value in history.held_out:
        yield {
            "ablation": name, "parameters": count_parameters(model), "learning_rate": learning_rate, "seed": seed,
            "step": step, "plays": part, "bits": value,
        }  # fmt: skip


def recorded_bits(step: int = 200) -> dict[str, list[float]]:
    """Bits per character of the recorded runs on the test plays, after so many steps: one for each seed.

    >>> len(recorded_bits()[WHOLE])
    3
    """
    found: dict[str, list[float]] = {name: [] for name in ABLATIONS}
    for row in recorded("transformer_ablations").rows:
        if row["plays"] == "test" and row["step"] == step:
            found[row["ablation"]].append(row["bits"])
    return found


@torch.inference_mode()
def changed_by_order(model: Transformer, ids: Tensor, seed: int = 0) -> float:
    """How much the last token's vector changes when the tokens before it are shuffled, as a share of its length.

    Attention is a weighted mean, and a mean does not know the order of what went into it. So without positions, one
    block changes by rounding only, and so does any number of blocks where every token sees all others. Causal blocks
    one above the other are different: there a token can tell how many it sees, and so, from the second block on, the
    order makes a difference (Haviv et al. 2022).

    Args:
        model: causal or an encoder.
        ids: ``(tokens,)`` int64; at least two different ones before the last.
        seed: of the shuffle.

    Returns:
        0 if nothing changed.

    >>> ids = torch.tensor([5, 3, 8, 1, 7, 2])
    >>> models = [Transformer(TransformerConfig(positions=kind, layers=1)) for kind in ("none", "learned")]
    >>> [changed_by_order(model, ids) > 1e-5 for model in models]
    [False, True]
    """
    before = ids[:-1]
    if before.unique().numel() < 2:
        raise ValueError("Shuffling changes nothing: give at least two different tokens before the last one.")
    generator = torch.Generator().manual_seed(seed)
    shuffled = before
    while torch.equal(shuffled, before):
        shuffled = before[torch.randperm(len(before), generator=generator)]
    texts = torch.stack((ids, torch.cat((shuffled, ids[-1:]))))  # (2, tokens)
    one, other = model.hidden_states(texts)[:, -1].double()  # (width) each
    return ((one - other).norm() / one.norm()).item()


def with_heads(model: Transformer, heads: int, key_value_heads: int) -> Transformer:
    """The same trained numbers, read as another number of heads.

    Args:
        model: is left as it is, and shares its numbers with the result.
        heads: of the queries; must divide the width.
        key_value_heads: in proportion to the heads, so that the tables keep their shapes.

    >>> model = Transformer(TransformerConfig(width=64, heads=4))
    >>> other = with_heads(model, 8, 8)
    >>> other.token_embedding.weight is model.token_embedding.weight, other.config.heads
    (True, 8)
    """
    with torch.device("meta"):  # its tables have shapes and no numbers yet
        other = Transformer(replace(model.config, heads=heads, key_value_heads=key_value_heads))
    other.load_state_dict(model.state_dict(keep_vars=True), assign=True)
    return other.eval()


@torch.inference_mode()
def bits_per_token(model: Transformer, ids: Sequence[int]) -> float:
    """Mean surprisal of a text, in bits a token; the first token is given.

    >>> model = Transformer(TransformerConfig(vocabulary=16))
    >>> 3 < bits_per_token(model, [1, 5, 3, 2]) < 5  # a blind guess among 16 costs 4
    True
    """
    tokens = torch.tensor([list(ids)])  # (1, tokens)
    return cross_entropy(model(tokens)[0, :-1], tokens[0, 1:]).item() / math.log(2)


@torch.inference_mode()
def overwritten(model: Transformer, ids: Tensor, layer: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """The next token's probabilities, and those when all vectors between the first and the last are overwritten.

    Behind the last block nothing changes: only the last vector is compared with the table of tokens. Before an earlier
    block it does, because the blocks above it still look at the others. The first vector is spared: many heads look at
    it when they find nothing (an attention sink, Xiao et al. 2023), so the loss of it alone can ruin a model.

    Args:
        model: causal.
        ids: ``(tokens,)`` int64, at least three.
        layer: before which block, from 0; ``layers`` is behind the last.
        seed: of what is written over them: random vectors, each as long as the one it replaces.

    Returns:
        before and after, ``(vocabulary,)`` each.

    Raises:
        ValueError: if there is no such block.

    >>> model, ids = Transformer(TransformerConfig(layers=2)), torch.tensor([5, 3, 8])
    >>> [torch.equal(*overwritten(model, ids, layer)) for layer in (0, 1, 2)]
    [False, False, True]
    """
    layers = len(model.blocks)
    if not 0 <= layer <= layers:
        raise ValueError(f"layer={layer} is not between 0 and {layers}, the number of blocks; {layers} is behind them.")
    generator = torch.Generator().manual_seed(seed)

    def overwrite(stream: Tensor) -> Tensor:
        others = stream[:, 1:-1]
        noise = torch.randn(others.shape, generator=generator).to(others)
        noise *= others.norm(dim=-1, keepdim=True) / noise.norm(dim=-1, keepdim=True)
        return torch.cat((stream[:, :1], noise, stream[:, -1:]), dim=1)

    before = model(ids[None])[0, -1].softmax(-1)
    if layer == layers:
        after = model.unembed(overwrite(model.hidden_states(ids[None])))[0, -1].softmax(-1)
        return before, after
    handle = model.blocks[layer].register_forward_pre_hook(lambda _, inputs: (overwrite(inputs[0]), *inputs[1:]))
    try:
        return before, model(ids[None])[0, -1].softmax(-1)
    finally:
        handle.remove()
