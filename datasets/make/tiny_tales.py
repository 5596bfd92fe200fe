"""Train the base model of the tiny tales, and record where it thinks somebody needs to head to while it learns.

Run:  OMP_NUM_THREADS=1 python datasets/make/tiny_tales.py     (about 5 minutes of one idle core)
Writes datasets/checkpoints/tiny_tales.safetensors and its .json, tiny_tales-step-*.safetensors (weights on the way),
and datasets/runs/tiny_tales_places.csv
      python datasets/make/tiny_tales.py --shortcuts           (a minute)
Writes datasets/runs/tiny_tales_shortcuts.csv
"""

import argparse
import copy
import json
import time
from dataclasses import asdict

import torch

from course_utils import files
from course_utils.data import record, shown, tiny_tales
from course_utils.data.tales import headings
from course_utils.experiments import tiny_tales as lesson
from course_utils.models.checkpoints import checkpoints_folder, save_language_model
from course_utils.models.transformer import Transformer, count_parameters

STEPS, SEED = 800, 0
MOMENTS = (0, 10, 20, 40, 60, 80, 100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600, 650, 700, 750, 800)
COMMAND = "OMP_NUM_THREADS=1 python datasets/make/tiny_tales.py"
MACHINE = "AMD EPYC, AVX-512, 1 thread, beside other work"
DATE = "2026-11-25"
PLACES = f"""\
Where does she need to head to? The probability of each place, and of "apple", as the next word, while a small
transformer learns tiny tales: one row per moment and held-out prompt.
command: {COMMAND}
seed: {SEED}   machine: {MACHINE}   date: {DATE}
prompt: number in course_utils.data.tales.headings({lesson.PROMPTS})
kind, place: whether a need or a thing decides, and the right place
held_out_loss: nats per token of the validation stories; seconds: of processor time spent on training so far
"""
SHORTCUTS = f"""\
Questions about tiny tales, answered in ways that do not follow the story, and how varied the stories are.
command: {COMMAND} --shortcuts
seeds: none, the stories are numbered   machine: any   date: {DATE}
3,000 training stories, 500 test stories
shortcut: share of the test stories' questions answered right; variety: of the training stories, and against
the test stories
"""


def shortcuts() -> None:
    """Measure what guessing reaches, and how varied the stories are."""
    train, test = tiny_tales("train", 3000), tiny_tales("test")
    rows = [{"what": "shortcut", "name": name, "value": value} for name, value in lesson.shortcuts(train, test).items()]
    rows += [{"what": "variety", "name": name, "value": value} for name, value in lesson.variety(train, test).items()]
    record("tiny_tales_shortcuts", SHORTCUTS, shown(rows), decimals=5)


def main() -> None:
    """Train the model; write weights, facts and probabilities."""
    torch.set_num_threads(1)
    prompts, table, started = headings(lesson.PROMPTS), [], 0.0
    lost = 0.0  # seconds spent on looking at the model
    kept: dict[int | None, Transformer] = {}

    def look(model: Transformer, step: int, history: lesson.History) -> None:
        nonlocal lost
        if step in MOMENTS:
            begun = time.process_time()
            model.eval()
            loss, chances = lesson.held_out_loss(model), lesson.place_probabilities(model, prompts)
            model.train()
            for row in chances:
                table.append({"step": step, "held_out_loss": loss, "seconds": begun - started - lost, **row})
            right = sum(row[row["place"]] for row in chances) / len(chances)
            apple = sum(row["apple"] for row in chances) / len(chances)
            if step in lesson.SNAPSHOTS:
                kept[step] = copy.deepcopy(model)
            print(
                step,
                round(loss, 3),
                f"right place {right:.3f} apple {apple:.5f}",
                round(begun - started - lost),
                flush=True,
            )
            lost += time.process_time() - begun

    lesson.tale_ids("train"), lesson.tale_ids("validation")
    started = time.process_time()
    first, _ = lesson.train(0)
    look(first, 0, lesson.History())
    model, history = lesson.train(STEPS, seed=SEED, on_step=look)
    seconds = time.process_time() - started - lost
    made = {
        "what": "the base model of the tiny tales; course_utils.experiments.tiny_tales.load() reads it",
        "command": COMMAND,
        "seed": SEED,
        "machine": MACHINE,
        "date": DATE,
        "processor_seconds": round(seconds),
        "parameters": count_parameters(model),
        "steps": history.steps,
        "tokens_read": history.tokens,
        "recipe": asdict(lesson.RECIPE),
        "batch_size": lesson.BATCH,
        "config": asdict(lesson.config()),
    }
    kept[None] = model
    for step, copied in kept.items():
        path = checkpoints_folder() / f"{lesson.checkpoint(step)}.safetensors"
        facts = {**made, "steps": step or history.steps}
        save_language_model(path, copied, lesson.words(), dtype=torch.bfloat16, made=facts)
    made["held_out_loss"] = {
        part: round(lesson.held_out_loss(lesson.load()[0], part), 4) for part in ("validation", "test")
    }
    with files.whole(checkpoints_folder() / "tiny_tales.json") as unfinished:
        unfinished.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    record("tiny_tales_places", PLACES, table, decimals=5)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shortcuts", action="store_true")
    shortcuts() if parser.parse_args().shortcuts else main()
