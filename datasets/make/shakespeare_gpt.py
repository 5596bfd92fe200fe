"""The Shakespeare GPT of lessons 11 and 12: trained, scored and kept, with snapshots on the way.

Run:  OMP_NUM_THREADS=1 python datasets/make/shakespeare_gpt.py
Writes datasets/checkpoints/shakespeare*.safetensors (weights in bfloat16; settings, command and scores in the header)
and datasets/checkpoints/shakespeare.json, which ``python -m course_utils.training`` takes.
"""

import argparse
import time
from dataclasses import asdict, replace
from typing import Any

import torch

from course_utils import files
from course_utils.experiments.pretraining import SHAKESPEARE, SNAPSHOTS, held_out_bits
from course_utils.models.checkpoints import checkpoints_folder, save_language_model
from course_utils.training import fit
from course_utils.training.pretraining import begin

WATCHED = 50_000  # characters of the validation plays that a snapshot is scored on; the end is scored on all test plays


def main(steps: int, every: int = 200) -> None:
    """Train, and write every file; what was trained so far is kept, and a second start goes on from it."""
    setting = replace(SHAKESPEARE, steps=steps)
    trainer, batches, tokenizer = begin(setting)
    kept = checkpoints_folder() / "run"
    if (kept / "trainer.json").is_file():
        trainer.resume(kept)
    model = trainer.model
    made: dict[str, Any] = {
        "setting": asdict(setting), "command": f"python datasets/make/shakespeare_gpt.py --steps {steps}",
        "machine": "AMD EPYC, AVX-512, 1 thread", "start_bits": 0.0,
    }  # fmt: skip
    made["start_bits"] = round(held_out_bits(type(model)(model.config, setting.seed), "validation", WATCHED), 4)

    def keep(name: str, **more: Any) -> None:
        made.update(step=trainer.step, validation_bits=round(held_out_bits(model, "validation", WATCHED), 4), **more)
        made["processor_seconds"] = round(time.process_time())  # measurements included
        save_language_model(
            checkpoints_folder() / f"{name}.safetensors", model, tokenizer, dtype=torch.bfloat16, made=made
        )
        print(name, made["step"], made["validation_bits"], more, made["processor_seconds"], flush=True)

    def on_step(step: int, _: object) -> None:
        if step + 1 in SNAPSHOTS:
            keep(f"shakespeare-step-{step + 1:05d}")
        if (step + 1) % every == 0:
            trainer.save(kept)

    fit(trainer, batches, on_step=on_step)
    keep("shakespeare", test_bits=round(held_out_bits(model), 4))
    with files.whole(checkpoints_folder() / "shakespeare.json") as unfinished:
        unfinished.write_text(setting.to_json() + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=2400)
    torch.set_num_threads(1)
    main(parser.parse_args().steps)
