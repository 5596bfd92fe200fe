"""A language model of one's own in one file: weights, settings, tokenizer, and how it was made.

The file is a ``.safetensors`` file: numbers only, nothing in it is run. The settings stand in its header as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from course_utils import assets, files
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.tokenizers.words import CharacterTokenizer, TableTokenizer, WordTokenizer

KINDS: dict[str, type[TableTokenizer]] = {"characters": CharacterTokenizer, "words": WordTokenizer}


def save_language_model(
    path: str | Path,
    model: Transformer,
    tokenizer: TableTokenizer,
    *,
    dtype: torch.dtype = torch.float32,
    made: Mapping[str, Any] | None = None,
) -> Path:
    """Write a model and its tokenizer to a ``.safetensors`` file, whole or not at all.

    Args:
        path: of the file; its folder is made if need be.
        model: its weights are rounded to ``dtype``.
        tokenizer: of characters or of words.
        dtype: ``torch.bfloat16`` for half the size.
        made: how it was made: whatever can be written as JSON.

    Raises:
        WriteError: if the disk is full or the folder cannot be written.
        ValueError: if the tokenizer is of another kind.
    """
    from safetensors.torch import save_file

    kind = next((kind for kind, own in KINDS.items() if type(tokenizer) is own), None)
    if kind is None:
        raise ValueError(f"a {type(tokenizer).__name__} cannot be saved with a model; the kinds are {', '.join(KINDS)}")
    words = {
        "config": asdict(model.config),
        "tokenizer": {"kind": kind, "pieces": tokenizer.tokens[1:]},
        "made": dict(made or {}),
    }
    weights = {name: weight.detach().to(dtype).contiguous() for name, weight in model.state_dict().items()}
    with files.whole(path) as unfinished:
        save_file(weights, unfinished, {name: json.dumps(value) for name, value in words.items()})
    return Path(path)


def load_language_model(path: str | Path) -> tuple[Transformer, TableTokenizer, dict[str, Any]]:
    """Read what `save_language_model` wrote.

    Args:
        path: of the file, or the name of a model that comes with the course (``datasets/checkpoints``), as
            ``"shakespeare"``.

    Returns:
        the model in float32 and evaluation mode, its tokenizer, and how it was made.

    Raises:
        ValueError: if there is no such file, it is damaged, or it is of another kind.
    """
    from safetensors import safe_open

    path = _place(path)
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            weights = {name: file.get_tensor(name).float() for name in file.keys()}
    except Exception as error:
        raise ValueError(f"the model file {path.name} is damaged ({error}); save it anew") from error
    if not {"config", "tokenizer"} <= header.keys():
        raise ValueError(
            f"the file {path.name} holds weights and no settings: it was not written by save_language_model; "
            "build its model and use training.load"
        )
    try:
        config = TransformerConfig(**json.loads(header["config"]))
        table = json.loads(header["tokenizer"])
        tokenizer, made = KINDS[table["kind"]](table["pieces"]), json.loads(header.get("made", "{}"))
        with torch.device("meta"):
            model = Transformer(config)
        model.load_state_dict(weights, assign=True)
    except Exception as error:
        raise ValueError(f"the settings in {path.name} do not fit its weights ({error}); save it anew") from error
    if len(tokenizer) != config.vocabulary:
        raise ValueError(
            f"the tokenizer in {path.name} has {len(tokenizer)} tokens and its model {config.vocabulary}; save it anew"
        )
    return model.eval(), tokenizer, made


def checkpoints_folder() -> Path:
    """Where the models that come with the course lie."""
    return assets.project_folder() / "datasets" / "checkpoints"


def _place(path: str | Path) -> Path:
    """The file, or the one of this name among the course's own."""
    if Path(path).is_file():
        return Path(path)
    own = checkpoints_folder() / f"{path}.safetensors"
    if own.is_file():
        return own
    known = ", ".join(sorted(file.stem for file in checkpoints_folder().glob("*.safetensors")))
    raise ValueError(f"there is no model file {path}; train and save one, or choose one of: {known or 'none'}")
