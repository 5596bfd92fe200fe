"""Pretraining from a file of settings to a saved model, in a notebook, a terminal and on two processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from course_utils import files
from course_utils.data.splits import addresses_text, plays_text
from course_utils.data.tales import tiny_tales_text
from course_utils.models.checkpoints import load_language_model, save_language_model
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.sampling import generate
from course_utils.tokenizers import BPETokenizer
from course_utils.tokenizers.words import CharacterTokenizer, WordTokenizer
from course_utils.training import Recipe, __main__, fit
from course_utils.training.pretraining import Pretraining, begin, held_out_bits, pretrain, read_text

TEXT = "the cat sat on the mat and the dog sat on the log; " * 40
MODEL = {"preset": "tiny", "width": 16, "layers": 1, "heads": 2, "context": 16, "earlier_tokens": 2, "logit_cap": 15.0}
RECIPE = {"optimiser": "Muon", "learning_rate": 0.02, "schedule": "linear", "clip": 1.0}


def setting(**changes) -> Pretraining:
    return Pretraining(**{"model": MODEL, "recipe": Recipe(**RECIPE), "steps": 20, "batch_size": 4, **changes})


def written(folder: Path, **changes) -> Path:
    """A recipe and its text on disk."""
    folder.mkdir(exist_ok=True)
    (folder / "text.txt").write_text(TEXT, encoding="utf-8")
    values = {"text": str(folder / "text.txt"), "model": MODEL, "recipe": RECIPE, "steps": 20, "batch_size": 4}
    (folder / "recipe.json").write_text(json.dumps({**values, **changes}), encoding="utf-8")
    return folder / "recipe.json"


def losses(folder: Path) -> list[float]:
    return json.loads((folder / "trainer.json").read_text(encoding="utf-8"))["history"]["losses"]


# ---- the setting


def test_a_setting_survives_json_and_names_what_it_does_not_know():
    assert Pretraining.from_json(setting(words=30).to_json()) == setting(words=30)
    assert Pretraining.from_json("{}") == Pretraining()
    for text, says in (
        ("{", "not JSON"),
        ('{"stpes": 3}', "no stpes; it has: text, words, model, recipe, steps"),
        ('{"recipe": {"lr": 3}}', "A recipe has no lr; it has: learning_rate"),
        ('{"model": {"depth": 3}}', "A model has no setting depth; it has: preset, context"),
        ('{"model": {"heads": 5}}', "heads=5 must divide width=64"),
        ('{"model": 3}', "model=3 must be a table of settings"),
        ('{"steps": "many"}', "steps='many' must be a whole number from 0"),
        ('{"batch_size": 0}', "batch_size=0 must be a whole number from 1"),
    ):
        with pytest.raises(ValueError, match=says):
            Pretraining.from_json(text)


def test_texts_that_cannot_be_get_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="There is no text 'nothing': give the path of a text file, or one of: plays"):
        read_text("nothing")
    (tmp_path / "picture").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not a text in UTF-8"):
        read_text(str(tmp_path / "picture"))
    with pytest.raises(ValueError, match=r"shape \(16,\) are too few for windows of 16 tokens"):
        begin(setting(), TEXT[:16])


@pytest.mark.parametrize(
    ("name", "whole"), [("plays", plays_text), ("addresses", addresses_text), ("tiny tales", tiny_tales_text)]
)
def test_the_course_texts_are_read_by_name_and_hold_nothing_out_of_the_training_part(name, whole):
    assert read_text(name) == whole("train")
    assert whole("test")[:200] not in read_text(name)


def test_a_model_learns_writes_and_is_scored():
    model, tokenizer, history = pretrain(setting(steps=150), TEXT, progress=False)
    ids = torch.tensor(tokenizer.encode(TEXT[:500]))
    assert history.stopped == "finished" and held_out_bits(model, ids) < 0.5
    assert generate(model, tokenizer, "the cat sat", max_new_tokens=4, temperature=0) == " on "


def test_held_out_bits_counts_every_token_once_with_half_a_context_before_it():
    config = TransformerConfig.preset("tiny", context=8, vocabulary=20)
    model, seen = Transformer(config, seed=2).eval(), []
    ids = torch.randint(20, (41,), generator=torch.Generator().manual_seed(0))
    for end in range(1, 41):
        window = 1 if end == 0 else max(0, (end - 5) // 4) * 4  # where the window of this target begins
        logits = model(ids[None, window:end])[0, -1]
        seen.append(-logits.log_softmax(-1)[ids[end]].item() / 0.6931471805599453)
    assert held_out_bits(model, ids) == pytest.approx(sum(seen) / len(seen), rel=1e-5)


# ---- a model in a file


def test_a_model_its_settings_and_its_letters_survive_the_disk(tmp_path):
    for tokenizer in (CharacterTokenizer.train(TEXT), WordTokenizer.train(TEXT, 9)):
        config = TransformerConfig.preset("tiny", vocabulary=len(tokenizer), earlier_tokens=1, logit_cap=9.0)
        model = Transformer(config, seed=4)
        save_language_model(tmp_path / "new" / "gpt.safetensors", model, tokenizer, made={"steps": 3})
        again, letters, made = load_language_model(tmp_path / "new" / "gpt.safetensors")
        ids = torch.tensor([letters.encode("the cat sat")])
        assert torch.equal(again(ids), model(ids)) and letters.tokens == tokenizer.tokens and made == {"steps": 3}
        assert not again.training
    path = save_language_model(tmp_path / "half.safetensors", model, tokenizer, dtype=torch.bfloat16)
    assert path.stat().st_size < 0.6 * (tmp_path / "new" / "gpt.safetensors").stat().st_size
    torch.testing.assert_close(load_language_model(path)[0](ids), model(ids), atol=0.05, rtol=0.05)
    with pytest.raises(ValueError, match="a BPETokenizer cannot be saved"):
        save_language_model(path, model, BPETokenizer.train("abc abc", 260))


def test_a_damaged_or_foreign_model_file_is_a_sentence(tmp_path):
    tokenizer = CharacterTokenizer.train("ab")
    model = Transformer(TransformerConfig.preset("tiny", vocabulary=3))
    path = save_language_model(tmp_path / "gpt.safetensors", model, tokenizer)
    whole = path.read_bytes()
    from safetensors.torch import save_file

    save_language_model(tmp_path / "other.safetensors", model, CharacterTokenizer.train("abcd"))
    save_file({"weight": torch.ones(2)}, tmp_path / "foreign.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.safetensors").write_bytes(b"")
    (tmp_path / "garbled.safetensors").write_bytes(whole.replace(b"relu_squared", b"relu_sqXared"))
    for name, says in {
        "cut": "cut.safetensors is damaged", "empty": "empty.safetensors is damaged",
        "foreign": "holds weights and no settings", "garbled": "settings in garbled.safetensors do not fit",
        "other": "the tokenizer in other.safetensors has 5 tokens and its model 3", "none": "there is no model file",
    }.items():  # fmt: skip
        with pytest.raises(ValueError, match=says):
            load_language_model(tmp_path / f"{name}.safetensors")


# ---- the command


def test_the_command_trains_saves_and_goes_on(tmp_path, capsys):
    recipe = written(tmp_path / "one")
    assert __main__.main([str(recipe), "--every", "7"]) == 0
    assert "finished: 20 of 20 steps" in capsys.readouterr().out
    model, letters, made = load_language_model(tmp_path / "one" / "recipe" / "model.safetensors")
    assert made["step"] == 20 and "cat" in letters.decode(letters.encode("cat"))
    trainer, batches, _ = begin(Pretraining.from_json(recipe.read_text(encoding="utf-8")))
    assert losses(tmp_path / "one" / "recipe") == fit(trainer, batches, progress=False).losses
    assert torch.equal(model.token_embedding.weight, trainer.model.token_embedding.weight)
    assert __main__.main([str(recipe)]) == 0, "a run that is over stays as it is"


def test_the_command_says_in_a_sentence_what_cannot_be(tmp_path, capsys, monkeypatch):
    recipe = written(tmp_path)
    cases = [
        (written(tmp_path / "key", speed=3), [], "has no speed; it has: text"),
        (written(tmp_path / "short", model={**MODEL, "context": 4000}), [], "too few for windows of 4000"),
        (tmp_path / "nothing.json", [], "There is no recipe"),
    ]
    for path, more, says in cases:
        assert __main__.main([str(path), *more]) == 1
        assert says in capsys.readouterr().err
    assert __main__.main([str(recipe)]) == 0
    other = written(tmp_path, steps=25)
    assert __main__.main([str(other)]) == 1
    assert "holds a run of another recipe; give --folder another" in capsys.readouterr().err
    before = losses(tmp_path / "recipe")
    written(tmp_path)
    with __main__.FileLock(tmp_path / "recipe" / ".lock"):
        assert __main__.main([str(recipe)]) == 1
    assert "Another run is going on in" in capsys.readouterr().err
    kept = next((tmp_path / "recipe").glob("step-*.safetensors"))
    kept.write_bytes(kept.read_bytes()[:-40])
    assert __main__.main([str(recipe)]) == 1
    assert "is damaged" in capsys.readouterr().err and losses(tmp_path / "recipe") == before


def test_a_disk_that_fills_is_a_sentence_and_the_last_checkpoint_stands(tmp_path, capsys, monkeypatch):
    recipe, saves = written(tmp_path), []
    save_file = __import__("safetensors.torch").torch.save_file

    def fills(tensors, file, *more):
        saves.append(file)
        if len(saves) > 2:
            Path(file).write_bytes(b"half")
            raise OSError(28, "No space left on device")
        save_file(tensors, file, *more)

    monkeypatch.setattr("safetensors.torch.save_file", fills)
    assert __main__.main([str(recipe), "--every", "5"]) == 1
    assert "was not written: the disk is full; free some space" in capsys.readouterr().err
    assert len(losses(tmp_path / "recipe")) == 10
    monkeypatch.undo()
    assert __main__.main([str(recipe)]) == 0, "with room again, it goes on"
    trainer, batches, _ = begin(Pretraining.from_json(recipe.read_text(encoding="utf-8")))
    assert losses(tmp_path / "recipe") == fit(trainer, batches, progress=False).losses


def command(*arguments: object, processes: int = 1) -> list[str]:
    start = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else []
    return [sys.executable, *start, "-m", "course_utils.training", *map(str, arguments)]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_run_goes_on_to_the_same_losses(tmp_path, project):
    recipe = written(tmp_path, steps=60)
    environment = {**os.environ, "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}
    folder = tmp_path / "recipe"
    child = subprocess.Popen(command(recipe, "--every", 1), cwd=project, env=environment)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (folder / "trainer.json").is_file():
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert __main__.main([str(recipe)]) == 0
    trainer, batches, _ = begin(Pretraining.from_json(recipe.read_text(encoding="utf-8")))
    assert losses(folder) == fit(trainer, batches, progress=False).losses
    assert not [entry for entry in folder.iterdir() if entry.name.startswith(files.UNFINISHED)]


def test_two_processes_give_the_losses_of_one(tmp_path, project):
    # Shares of 3 and 2. Not Muon: it rounds to bfloat16, where the last digit of a sum decides more.
    recipe = written(tmp_path, batch_size=5, recipe={"learning_rate": 0.003, "clip": 1.0, "schedule": "linear"})
    environment = {**os.environ, "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}
    two = command(recipe, "--folder", tmp_path / "two", processes=2)
    subprocess.run(two, cwd=project, env=environment, check=True, capture_output=True)
    assert __main__.main([str(recipe), "--folder", str(tmp_path / "one")]) == 0
    one, both = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(both) == 20 and both == pytest.approx(one, abs=1e-4) and both != one
    a, b = (load_language_model(tmp_path / name / "model.safetensors")[0] for name in ("one", "two"))
    for mine, other in zip(a.parameters(), b.parameters(), strict=True):
        torch.testing.assert_close(mine, other, atol=1e-3, rtol=0)
