"""Pretrain a model outside a notebook, from a recipe in JSON: ``python -m course_utils.training RECIPE.json``.

On several processes or machines: ``torchrun --nproc-per-node 2 -m course_utils.training RECIPE.json``. They share each
batch, and the losses are those of one process. What a recipe may hold: `course_utils.training.pretraining.Pretraining`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.distributed as distributed
from filelock import FileLock, Timeout

from course_utils import files
from course_utils.models.checkpoints import save_language_model
from course_utils.models.transformer import Transformer
from course_utils.training.loop import fit
from course_utils.training.pretraining import Pretraining, begin
from course_utils.training.processes import process
from course_utils.training.trainer import History, Trainer


def run(recipe: Path, folder: Path, every: int) -> str:
    """Train by a recipe, or go on with a run that was stopped; returns how it ended, in a sentence.

    Args:
        recipe: the file.
        folder: holds the run: ``setting.json``, checkpoints as of `Trainer.save`, and at the end ``model.safetensors``.
        every: steps from one checkpoint to the next.

    Raises:
        ValueError: if the recipe cannot be, the folder holds another run, or a run that is going on.
        WriteError: if the disk is full or the folder cannot be written.
    """
    if not recipe.is_file():
        raise ValueError(f'There is no recipe {recipe}; write one, as \'{{"text": "plays", "steps": 500}}\'.')
    setting = Pretraining.from_json(recipe.read_text(encoding="utf-8"))
    first = process() == 0
    lock = FileLock(folder / ".lock")
    if first:
        with files.whole(folder / ".writable") as unfinished:
            unfinished.touch()
        (folder / ".writable").unlink()
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise ValueError(f"Another run is going on in {folder}; wait for it, or give --folder another.") from None
    try:
        return _run(setting, folder, every, first)
    finally:
        lock.release()


def _run(setting: Pretraining, folder: Path, every: int, first: bool) -> str:
    trainer, batches, tokenizer = begin(setting)
    if torch.cuda.is_available() and trainer.device == "cpu":
        trainer = Trainer(trainer.model.cuda(), steps=setting.steps, recipe=setting.recipe)
        batches = _OnDevice(batches)
    note = folder / "setting.json"
    if note.is_file():
        if note.read_text(encoding="utf-8") != setting.to_json():
            raise ValueError(f"The folder {folder} holds a run of another recipe; give --folder another.")
        if (folder / "trainer.json").is_file():
            trainer.resume(folder)
    if distributed.is_initialized():
        distributed.barrier()  # all have read before the first one writes
    if first:
        with files.whole(note) as unfinished:
            unfinished.write_text(setting.to_json(), encoding="utf-8")

    def on_step(step: int, history: History) -> None:
        if first and (step + 1) % every == 0:
            trainer.save(folder)

    history = fit(trainer, batches, on_step=on_step, progress=first)
    if first:
        trainer.save(folder)
        assert isinstance(trainer.model, Transformer)
        made = {"setting": setting.to_json(), "step": trainer.step}
        save_language_model(folder / "model.safetensors", trainer.model, tokenizer, made=made)
    loss = f"{history.losses[-1]:.4f}" if history.losses else "none"
    return f"{history.stopped}: {history.steps} of {trainer.steps} steps, loss {loss}, in {folder}"


class _OnDevice:
    """Batches on the graphics card."""

    def __init__(self, batches: object):
        self.batches = batches

    def __getitem__(self, step: int) -> tuple[torch.Tensor, ...]:
        return tuple(part.cuda() for part in self.batches[step])  # type: ignore[index]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m course_utils.training", description="Pretrain a model.")
    parser.add_argument("recipe", type=Path, help="a JSON file, as datasets/checkpoints/shakespeare.json")
    parser.add_argument("--folder", type=Path, help="where the run is kept; the default is beside the recipe")
    parser.add_argument("--every", type=int, default=250, help="steps from one checkpoint to the next")
    given = parser.parse_args(arguments)
    together = "WORLD_SIZE" in os.environ
    if together:
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        ended = run(given.recipe, given.folder or given.recipe.with_suffix(""), max(1, given.every))
    except (ValueError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    finally:
        if together:
            distributed.destroy_process_group()
    if process() == 0 and os.environ.get("RANK", "0") == "0":
        print(ended)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
