"""Writers are killed at random moments; the next start must find everything whole and tidy up.

    python benchmarks/kills.py [--kills 220] [--seed 0]

Five kinds of writer work in processes of their own, over and over, until SIGKILL ends them somewhere: an unpacked
model, a checkpoint, a run of training, the progress file, an asset fetched by pip from a folder. After each kill a new
process starts and does the same work. A *loss* is a start that fails, or finds less or other than what the writer said
it had finished. A *leftover* is any file or folder that the work does not need, after that start. Needs a system with
``fork``.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy  # noqa: F401  here once, so that the processes need not import it again
import torch
from torch import nn

from course_utils import assets, training
from course_utils.models import pretrained
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.practice import progress
from course_utils.tokenizers import BPETokenizer

# Of every 26 kills.
SHARES = {"unpacked model": 6, "checkpoint": 6, "run of training": 6, "progress file": 6, "fetched asset": 2}

Writer = Iterator[int]  # does one piece of work for every number that it yields, and counts them


def sample_asset(name: str, sha256: str, files: int, unpacked: int) -> assets.Asset:
    """Make the manifest hold this asset and no other."""
    asset = assets.Asset(name, name, "1.0", sha256, ("*.txt",), unpacked, files, unpacked, "", "", "")
    assets.manifest = lambda: {name: asset}
    return asset


class UnpackedModel:
    """A model of 13 MB; its record is removed before each turn, so that it is unpacked again."""

    name = "smollm2-135m-instruct"
    needed = frozenset({".lock", assets.RECORD, "weights.safetensors", "tokenizer.json", "settings.json"})

    def __init__(self, folder: Path) -> None:
        os.environ["COURSE_ASSETS"] = str(folder)
        config = TransformerConfig.preset(
            "smollm2", vocabulary=4000, width=256, layers=3, heads=4, key_value_heads=2, mlp_width=768
        )
        model, tokenizer = Transformer(config, seed=1), BPETokenizer.train("the cat sat on the mat", 262)
        published = folder / self.name
        published.mkdir()
        (published / "model.gguf").write_bytes(b"published")
        asset = sample_asset(self.name, sha256="0" * 64, files=1, unpacked=9)
        record = {"wheel": asset.sha256, "files": {"model.gguf": [9, hashlib.sha256(b"published").hexdigest()]}}
        (published / assets.RECORD).write_text(json.dumps(record))
        pretrained.read_gguf = lambda *_: (config, dict(model.state_dict()), tokenizer)
        self.weights = model.state_dict()
        self.folder = folder / f"{self.name}-float32"

    def write(self) -> Writer:
        """Turn after turn."""
        for turn in range(1_000_000):
            (self.folder / assets.RECORD).unlink(missing_ok=True)
            self.start(turn)
            yield turn

    def start(self, _: int) -> None:
        """Raises if the model cannot be had or has other weights."""
        model, _ = pretrained.load(self.name)
        for name, weight in model.state_dict().items():
            assert torch.equal(weight, self.weights[name]), f"{name} has changed"


class Checkpoint:
    """A network of 4 MB, all of its numbers equal to the count of turns."""

    needed = frozenset({"model.safetensors"})

    def __init__(self, folder: Path) -> None:
        self.folder, self.model = folder, nn.Linear(1000, 1000)

    def write(self) -> Writer:
        """Turn after turn."""
        for turn in range(1_000_000):
            with torch.no_grad():
                for weight in self.model.parameters():
                    weight.fill_(turn)
            training.save(self.model, self.folder / "model.safetensors")
            yield turn

    def start(self, finished: int) -> None:
        """Raises if the checkpoint cannot be loaded, is mixed or is older than the last one that was finished."""
        file = self.folder / "model.safetensors"
        if finished >= 0 or file.exists():
            training.load(self.model, file)
            turns = {turn for weight in self.model.parameters() for turn in weight.unique().tolist()}
            assert len(turns) == 1 and turns <= {finished, finished + 1}, f"{turns} instead of {finished}"
        training.save(self.model, file)


class Run:
    """A small transformer in training by Muon and AdamW, saved after every step and resumed to the same losses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.batches = training.text_batches(torch.arange(2000) % 128, batch_size=2, context=8)

    @property
    def needed(self) -> frozenset[str]:
        """The two files of the last step that was saved."""
        words = self.folder / "trainer.json"
        named = json.loads(words.read_text(encoding="utf-8"))["tensors"] if words.is_file() else ""
        return frozenset({"trainer.json", named})

    def trainer(self) -> training.Trainer:
        """The run at its beginning."""
        model = Transformer(TransformerConfig.preset("tiny", width=16, layers=1, heads=2))
        return training.Trainer(model, steps=1_000_000, recipe=training.Recipe(0.01, optimiser="Muon"))

    def write(self) -> Writer:
        """Step after step."""
        trainer = self.trainer()
        for turn in range(1_000_000):
            trainer.advance(self.batches[turn])
            trainer.save(self.folder)
            yield turn

    def start(self, finished: int) -> None:
        """Raises if the run cannot be resumed, is shorter than what was finished, or has other losses."""
        resumed, again = self.trainer(), self.trainer()
        if finished >= 0 or (self.folder / "trainer.json").exists():
            resumed.resume(self.folder)
            assert resumed.step in (finished + 1, finished + 2), f"{resumed.step} steps instead of {finished + 1}"
        for step in range(resumed.step + 1):
            again.advance(self.batches[step])
        resumed.advance(self.batches[resumed.step])
        assert resumed.history.losses == again.history.losses, "the losses have changed"
        resumed.save(self.folder)


class Progress:
    """One exercise after the other is solved."""

    needed = frozenset({"progress.json", "progress.json.lock"})

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        os.environ["COURSE_PROGRESS"] = str(folder / "progress.json")

    def write(self) -> Writer:
        """Turn after turn."""
        for turn in range(1_000_000):
            progress.record("exercises", str(turn))
            yield turn

    def start(self, finished: int) -> None:
        """Raises if an exercise that was recorded is not there."""
        missing = {str(turn) for turn in range(finished + 1)} - set(progress.solved())
        assert not missing, f"{len(missing)} entries are lost"
        progress.record("exercises", "next start")
        assert not progress.take_notices()


class FetchedAsset:
    """Two files of 4 MB, fetched by pip from a wheel in a folder; they are removed before each turn."""

    needed = frozenset({".lock", "sample"})

    def __init__(self, folder: Path) -> None:
        self.contents = {f"sample/{name}.txt": random.Random(name).randbytes(1 << 22) for name in ("one", "two")}
        wheel = folder / "sample-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, content in self.contents.items():
                archive.writestr(name, content)
            information = {"METADATA": "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n"}
            information |= {"WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n", "RECORD": ""}
            for name, text in information.items():
                archive.writestr(f"sample-1.0.dist-info/{name}", text)
        sample_asset("sample", hashlib.sha256(wheel.read_bytes()).hexdigest(), files=2, unpacked=2 << 22)
        self.folder = folder / "cache"
        os.environ |= {"COURSE_ASSETS": str(self.folder), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}
        os.environ["TQDM_DISABLE"] = "1"

    def write(self) -> Writer:
        """Turn after turn."""
        for turn in range(1_000_000):
            (self.folder / "sample" / assets.RECORD).unlink(missing_ok=True)
            self.start(turn)
            yield turn

    def start(self, _: int) -> None:
        """Raises if the asset cannot be had or has another content."""
        folder = assets.path("sample", thorough=True)
        for name, content in self.contents.items():
            assert (folder / name).read_bytes() == content, f"{name} has changed"


def forked(work: Callable[[], None]) -> int:
    """A new process that does ``work``; returns its number."""
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        status = 1
        try:
            work()
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(status)
    return process


def kill_one(kind: type, turns: int, seconds: float) -> tuple[bool, bool, list[str]]:
    """Let a writer begin in an empty folder and kill it ``seconds`` after it has finished so many turns.

    Returns:
        whether it left half-written files, whether the next start found all whole, and what that start left over.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        return _kill_one(kind(Path(name)), turns, seconds)


def _kill_one(
    writer: UnpackedModel | Checkpoint | Run | Progress | FetchedAsset, turns: int, seconds: float
) -> tuple[bool, bool, list[str]]:
    read, write = os.pipe()

    def work() -> None:
        for _ in writer.write():
            os.write(write, b".")

    process = forked(work)
    done = len(os.read(read, turns)) if turns else 0
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        finished = done + len(told.read()) - 1  # turns are counted from 0
    half = bool(entries(writer.folder, writer.needed))
    _, status = os.waitpid(forked(lambda: writer.start(finished)), 0)
    return half, status == 0, entries(writer.folder, writer.needed)


def entries(folder: Path, needed: frozenset[str]) -> list[str]:
    """What is in the folder and not needed."""
    return sorted({entry.name for entry in folder.iterdir()} - needed) if folder.exists() else []


def two_turns(kind: type) -> float:
    """Seconds of two turns of a writer that nobody kills."""
    with tempfile.TemporaryDirectory() as name:
        turns = kind(Path(name)).write()
        next(turns)
        begun = time.perf_counter()
        next(turns)
        next(turns)
        return time.perf_counter() - begun


def main(kills: int = 220, seed: int = 0) -> int:
    torch.set_num_threads(1)  # processes that are forked cannot use the threads of the first one
    chance = random.Random(seed)
    kinds = dict(zip(SHARES, (UnpackedModel, Checkpoint, Run, Progress, FetchedAsset), strict=True))
    print("| writer | one turn | kills | half a file on the disk | losses | leftovers after the next start |")
    print("|---|---:|---:|---:|---:|---:|")
    losses = leftovers = 0
    for name, kind in kinds.items():
        count = max(1, round(kills * SHARES[name] / sum(SHARES.values())))
        span = two_turns(kind)
        # Every other kill waits until there is something to lose.
        results = [kill_one(kind, number % 2, chance.uniform(0, span)) for number in range(count)]
        half, lost = sum(half for half, _, _ in results), sum(not whole for _, whole, _ in results)
        left = [file for _, _, files in results for file in files]
        losses, leftovers = losses + lost, leftovers + len(left)
        print(f"| {name} | {span / 2 * 1e3:.0f} ms | {count} | {half} | {lost} | {len(left)} |", flush=True)
        if left:
            print(json.dumps(left), file=sys.stderr)
    return int(losses + leftovers > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=220)
    parser.add_argument("--seed", type=int, default=0)
    raise SystemExit(main(**vars(parser.parse_args())))
