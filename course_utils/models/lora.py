"""Low-rank adaptation: train two thin matrices beside a frozen one (Hu et al. 2021, LoRA).

Fine-tuning changes a matrix W by some difference. LoRA writes the difference as a product of two thin matrices,
``W x + scale * up (down x)``: with rank 8, a matrix of 960 by 576 gets 12,288 numbers to learn instead of 552,960.
``up`` starts at zero, so training starts from the model as it was.

>>> from course_utils.models.transformer import Transformer, TransformerConfig
>>> model = Transformer(TransformerConfig(width=64, layers=2))
>>> parts = add_lora(model, rank=4)
>>> list(parts), sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
(['blocks.0.attention.query_key_value', 'blocks.1.attention.query_key_value'], 2048)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_utils import files


class LoraLinear(nn.Module):
    """A frozen linear layer, and a thin way beside it that learns.

    Args:
        linear: stays as it is.
        rank: at most the layer's smaller side.
        alpha: the thin way is multiplied by ``alpha / rank``.
        generator: draws the first weights.

    >>> layer = LoraLinear(nn.Linear(6, 4), rank=2, alpha=2.0, generator=torch.Generator().manual_seed(0))
    >>> inputs = torch.ones(3, 6)
    >>> bool((layer(inputs) == layer.linear(inputs)).all()), layer.down.shape, layer.up.shape
    (True, torch.Size([2, 6]), torch.Size([4, 2]))
    """

    def __init__(self, linear: nn.Linear, rank: int, alpha: float, generator: torch.Generator):
        super().__init__()
        rows, columns = linear.weight.shape
        if not 1 <= rank <= min(rows, columns):
            raise ValueError(
                f"rank={rank} must be between 1 and {min(rows, columns)}, the smaller side of this {rows} x {columns} "
                "matrix; 4 to 16 is usual."
            )
        self.linear = linear.requires_grad_(False)
        self.scale = alpha / rank
        bound = columns**-0.5  # as a linear layer of torch's starts
        self.down = nn.Parameter(torch.empty(rank, columns).uniform_(-bound, bound, generator=generator))
        self.up = nn.Parameter(torch.zeros(rows, rank))

    def forward(self, inputs: Tensor) -> Tensor:
        """``(..., columns)`` to ``(..., rows)``, in the inputs' precision; the thin matrices stay in float32."""
        thin = functional.linear(inputs, self.down.to(inputs.dtype))  # (..., rank)
        return self.linear(inputs) + self.scale * functional.linear(thin, self.up.to(inputs.dtype))

    def change(self) -> Tensor:
        """What the thin way adds to the matrix, ``(rows, columns)`` float32."""
        return self.scale * (self.up @ self.down).detach()


def add_lora(
    model: nn.Module,
    *,
    rank: int = 8,
    alpha: float = 16.0,
    where: Sequence[str] = ("query_key_value",),
    seed: int = 0,
) -> dict[str, LoraLinear]:
    """Freeze a model, and put a thin way beside some of its matrices: those alone learn from now on.

    Args:
        model: is changed in place; every way to call it and to write with it goes through the new layers.
        rank: rows of the thin matrix that goes down; 4 to 16 is usual.
        alpha: the thin way is multiplied by ``alpha / rank``, so that one learning rate serves several ranks.
        where: the last part of the names of the matrices.
        seed: of the first weights.

    Returns:
        the new layers, by name.

    Raises:
        ValueError: if no matrix has such a name, the model has been adapted already, or the rank does not fit.
    """
    _refuse_adapted(model)
    linears = {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Linear)}
    chosen = {name: layer for name, layer in linears.items() if name.rpartition(".")[2] in where}
    if not chosen:
        known = ", ".join(sorted({name.rpartition(".")[2] for name in linears}))
        raise ValueError(f"where={tuple(where)!r} names no matrix of this model; its matrices are: {known}.")
    generator = torch.Generator().manual_seed(seed)
    return _adapt(model, {name: LoraLinear(layer, rank, alpha, generator) for name, layer in chosen.items()})


def lora_layers(model: nn.Module) -> dict[str, LoraLinear]:
    """The adapted layers of a model, by name."""
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, LoraLinear)}


@torch.no_grad()
def merge(model: nn.Module) -> dict[str, LoraLinear]:
    """Add each thin way to its matrix: the model is an ordinary one again, as fast as before, and answers the same.

    Returns:
        the adapted layers, which `unmerge` takes.

    >>> model = nn.Sequential(nn.Linear(6, 4))
    >>> first = model[0]
    >>> _ = add_lora(model, rank=2, where=["0"])["0"].up.data.fill_(1.0)
    >>> adapted = merge(model)
    >>> type(model[0]).__name__, bool((model[0].weight == first.weight).all())
    ('Linear', False)
    >>> unmerge(model, adapted)
    >>> model[0].linear is first
    True
    """
    adapted = lora_layers(model)
    merged: dict[str, nn.Module] = {}
    for name, layer in adapted.items():
        rows, columns = layer.linear.weight.shape
        with torch.device("meta"):
            whole = nn.Linear(columns, rows, bias=layer.linear.bias is not None)
        weight = (layer.linear.weight.float() + layer.change()).to(layer.linear.weight.dtype)
        whole.weight, whole.bias = nn.Parameter(weight, requires_grad=False), layer.linear.bias
        merged[name] = whole
    _put(model, merged)
    return adapted


def unmerge(model: nn.Module, adapted: Mapping[str, LoraLinear]) -> None:
    """Put back what `merge` returned: every bit is as it was before."""
    _put(model, adapted)


def remove_lora(model: nn.Module) -> None:
    """Take the thin ways away: the model is as it was before `add_lora`, and frozen."""
    _put(model, {name: layer.linear for name, layer in lora_layers(model).items()})


def save_lora(path: str | Path, model: nn.Module) -> Path:
    """Write the thin matrices to a ``.safetensors`` file, whole or not at all.

    Args:
        path: of the file.
        model: adapted, not merged.
    """
    from safetensors.torch import save_file

    layers = lora_layers(model)
    if not layers:
        raise ValueError("There is nothing to save: this model has no adapted layer (add_lora makes them).")
    tensors = {f"{name}.{part}": getattr(layer, part).detach() for name, layer in layers.items() for part in _PARTS}
    scales = {name: layer.scale for name, layer in layers.items()}
    with files.whole(path) as unfinished:
        save_file(tensors, unfinished, {"lora": json.dumps(scales)})
    return Path(path)


def load_lora(path: str | Path, model: nn.Module) -> dict[str, LoraLinear]:
    """Adapt a model with what `save_lora` wrote. Nothing is changed if it does not fit.

    Raises:
        ValueError: if there is no such file, it is damaged, or it was made for another model.
    """
    from safetensors import safe_open

    path = Path(path)
    if not path.is_file():
        raise ValueError(f"There is no adapter file {path}; train one and call save_lora.")
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        scales = json.loads(header["lora"])
        parts = {name: [tensors[f"{name}.{part}"] for part in _PARTS] for name in scales}
    except Exception as error:
        raise ValueError(
            f"The adapter file {path.name} is damaged or of another kind ({error}); train anew."
        ) from error
    _refuse_adapted(model)
    own = dict(model.named_modules())
    adapted: dict[str, LoraLinear] = {}
    for name, (down, up) in parts.items():
        linear = own.get(name)
        if not isinstance(linear, nn.Linear) or linear.weight.shape != (len(up), down.shape[1]):
            has = f"{tuple(linear.weight.shape)}" if isinstance(linear, nn.Linear) else "no matrix"
            raise ValueError(
                f"The adapter {path.name} is for another model: it adapts {name} of {(len(up), down.shape[1])}, "
                f"and this model has {has} there."
            )
        layer = LoraLinear(linear, len(down), 1.0, torch.Generator())
        layer.scale = scales[name]
        layer.down, layer.up = nn.Parameter(down), nn.Parameter(up)
        adapted[name] = layer
    return _adapt(model, adapted)


_PARTS = ("down", "up")


def _refuse_adapted(model: nn.Module) -> None:
    if lora_layers(model):
        raise ValueError("This model has been adapted already; merge it, or load it anew.")


def _adapt(model: nn.Module, adapted: dict[str, LoraLinear]) -> dict[str, LoraLinear]:
    """Put the layers in; they learn, and nothing else does."""
    model.requires_grad_(False)  # before the layers are in it
    _put(model, adapted)
    return adapted


def _put(model: nn.Module, layers: Mapping[str, nn.Module]) -> None:
    for name, layer in layers.items():
        place, _, last = name.rpartition(".")
        setattr(model.get_submodule(place), last, layer.train(model.training))
