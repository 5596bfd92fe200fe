"""A public model is unpacked once, kept whole, and made again when what was kept is damaged."""

import dataclasses
import json
import random
import re

import pytest
import torch
from filelock import FileLock
from safetensors import SafetensorError

from course_utils import assets
from course_utils.files import checksum
from course_utils.models import pretrained
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.tokenizers import BPETokenizer

NAME = "smollm2-135m-instruct"
FILES = ["weights.safetensors", "settings.json", "tokenizer.json"]


@pytest.fixture
def unpacked(tmp_path, monkeypatch):
    """A cache with a small stand-in for the published file; counts how often it is unpacked."""
    source = tmp_path / "published"
    source.mkdir()
    (source / "model.gguf").write_bytes(b"published")

    def path(name, *, thorough):
        assert thorough, "what is unpacked is kept, so every byte of the published file must be right"
        return source

    monkeypatch.setattr(assets, "path", path)
    monkeypatch.setattr(assets, "cache_folder", lambda: tmp_path)
    config = TransformerConfig.preset(
        "smollm2", vocabulary=280, context=32, width=16, layers=1, heads=2, key_value_heads=1
    )
    calls = []

    def read(path, dtype):
        calls.append(dtype)
        weights = {name: weight.to(dtype) for name, weight in Transformer(config, seed=5).state_dict().items()}
        return config, weights, BPETokenizer.train("the cat sat on the mat", vocabulary_size=262)

    monkeypatch.setattr(pretrained, "read_gguf", read)
    return calls


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / f"{NAME}-float32").iterdir())


def same(one: Transformer, other: Transformer) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_the_second_load_unpacks_nothing_and_gives_the_same(unpacked, tmp_path):
    first, tokenizer = pretrained.load(NAME)
    second, again = pretrained.load(NAME)
    assert unpacked == [torch.float32] and same(first, second) and first.config == second.config
    assert tokenizer.encode("the cat") == again.encode("the cat")
    assert not second.training
    pretrained.load(NAME, dtype=torch.bfloat16)
    pretrained.load(NAME, dtype=torch.bfloat16)
    assert unpacked == [torch.float32, torch.bfloat16]
    assert files(tmp_path) == [".lock", *sorted([assets.RECORD, *FILES])]
    plain = tmp_path / "plain"
    plain.write_text("")
    for name in (assets.RECORD, *FILES):
        assert (tmp_path / f"{NAME}-float32" / name).stat().st_mode == plain.stat().st_mode  # others may read it


@pytest.mark.parametrize("damaged", [*FILES, assets.RECORD])
@pytest.mark.parametrize("how", ["cut", "rubbish", "gone", "empty", "foreign", "one byte more"])
def test_a_damaged_file_is_made_again(unpacked, tmp_path, damaged, how):
    whole, _ = pretrained.load(NAME)
    file = tmp_path / f"{NAME}-float32" / damaged
    content = file.read_bytes()
    if how == "gone":
        file.unlink()
    elif how == "foreign":
        pretrained.load(NAME, dtype=torch.bfloat16)
        unpacked.clear()
        unpacked.append(torch.float32)
        if damaged in ("tokenizer.json", "settings.json"):
            file.write_bytes((tmp_path / f"{NAME}-bfloat16" / "weights.safetensors").read_bytes())
        else:
            file.write_bytes((tmp_path / f"{NAME}-bfloat16" / damaged).read_bytes())
    else:
        half = content[: len(content) // 2]
        file.write_bytes({"cut": half, "rubbish": b"\x00\xff" * 40, "empty": b"", "one byte more": content + b" "}[how])
    mended, _ = pretrained.load(NAME)
    assert same(whole, mended)
    if (damaged, how) != (assets.RECORD, "one byte more"):  # a space after the record changes nothing that it says
        assert len(unpacked) == 2
    count = len(unpacked)
    pretrained.load(NAME)
    assert len(unpacked) == count


@pytest.mark.parametrize("damaged", FILES)
def test_one_flipped_bit_anywhere_is_noticed(unpacked, tmp_path, damaged):
    whole, tokenizer = pretrained.load(NAME)
    file = tmp_path / f"{NAME}-float32" / damaged
    content = file.read_bytes()
    chance = random.Random(1)
    for time in range(40):
        changed = bytearray(content)
        changed[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        file.write_bytes(changed)
        assert "its content changed" in assets.prepared_fault(file.parent, thorough=True)
        mended, again = pretrained.load(NAME)
        assert len(unpacked) == 2 + time
        assert same(whole, mended) and mended.config == whole.config and again.tokens == tokenizer.tokens
        assert file.read_bytes() == content


def test_one_flipped_bit_in_the_record_changes_no_model(unpacked, tmp_path):
    whole, _ = pretrained.load(NAME)
    file = tmp_path / f"{NAME}-float32" / assets.RECORD
    content = file.read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        file.write_bytes(changed)
        if place % 7 == 0:  # each a load; the rest only has to be noticed or harmless
            assert same(whole, pretrained.load(NAME)[0])
        else:
            assets.prepared_fault(file.parent, thorough=True)


def test_both_halves_of_a_file_in_the_wrong_order_are_noticed(tmp_path):
    file = tmp_path / "file"
    numbers = torch.arange(1 << 16).numpy().tobytes()
    file.write_bytes(numbers)
    before = checksum(file)
    file.write_bytes(numbers[len(numbers) // 2 :] + numbers[: len(numbers) // 2])
    assert checksum(file) != before
    file.write_bytes(numbers[:4096] + bytes(4096) + numbers[8192:])
    assert checksum(file) != before
    file.write_bytes(numbers + bytes(8))
    assert checksum(file) != before


def test_weights_that_do_not_fit_the_settings_are_made_again(unpacked, tmp_path):
    whole, _ = pretrained.load(NAME)
    folder = tmp_path / f"{NAME}-float32"
    settings = json.loads((folder / "settings.json").read_text())
    (folder / "settings.json").write_text(json.dumps({**settings, "layers": 2}))
    record = json.loads((folder / assets.RECORD).read_text())
    assets.record_prepared(folder, record["made_from"], list(record["files"]))  # as if it had been written so
    assert same(whole, pretrained.load(NAME)[0]) and len(unpacked) == 2
    assert json.loads((folder / "settings.json").read_text()) == settings


def test_the_command_line_lists_and_verifies_what_was_unpacked(unpacked, tmp_path, capsys):
    pretrained.load(NAME)
    assert assets.main(["verify"]) == 0
    assert re.search(rf"{NAME}-float32 +whole", capsys.readouterr().out)
    weights = tmp_path / f"{NAME}-float32" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-5] ^= 4
    weights.write_bytes(content)
    assets.main(["list"])
    assert re.search(rf"{NAME}-float32 +0\.. MB  here ", capsys.readouterr().out)
    assert assets.main(["verify"]) == 1
    said = capsys.readouterr().out
    assert (
        f"{NAME}-float32  its file weights.safetensors is damaged (its content changed); it is unpacked again" in said
    )
    pretrained.load(NAME)
    assert assets.main(["verify"]) == 0
    (tmp_path / f"{NAME}-float32" / assets.RECORD).unlink()
    assert assets.main(["verify"]) == 1
    assert f"{NAME}-float32  its file asset.json is missing" in capsys.readouterr().out


def test_two_processes_at_once_unpack_once(unpacked, monkeypatch):
    """The second one waits for the lock and finds the files."""
    pretrained.load(NAME)
    read, looked = pretrained._Prepared.read, []

    def first_look_too_early(prepared):
        looked.append(prepared)
        return None if len(looked) == 1 else read(prepared)

    monkeypatch.setattr(pretrained._Prepared, "read", first_look_too_early)
    pretrained.load(NAME)
    assert len(looked) == 2 and len(unpacked) == 1


def test_what_is_kept_begins_on_a_line_of_the_processors_cache(unpacked):
    pretrained.load(NAME)
    model, _ = pretrained.load(NAME)
    first = min(weight.data_ptr() for weight in model.parameters())
    assert first % 64 == 0


def test_another_published_file_is_unpacked_anew_in_every_precision(unpacked, monkeypatch):
    for dtype in (torch.float32, torch.bfloat16):
        pretrained.load(NAME, dtype=dtype)
    later = dataclasses.replace(assets.find(NAME), sha256="0" * 64)
    monkeypatch.setattr(assets, "find", lambda name: later)
    for dtype in (torch.float32, torch.bfloat16):
        pretrained.load(NAME, dtype=dtype)
    assert unpacked == [torch.float32, torch.bfloat16] * 2


@pytest.mark.parametrize(
    "problem",
    [
        OSError(28, "No space left on device"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
        SafetensorError("Error while serializing: I/O error: Disk quota exceeded (os error 122)"),
    ],
)
def test_a_full_disk_costs_time_and_nothing_else(unpacked, tmp_path, monkeypatch, problem):
    def full(weights, path, **settings):
        path.write_bytes(b"half")
        raise problem

    monkeypatch.setattr(pretrained, "save_file", full)
    with pytest.warns(
        UserWarning, match=r"was not kept in .*-float32 \(.*\) and will be unpacked again .* COURSE_ASSETS"
    ):
        model, _ = pretrained.load(NAME)
    assert model(torch.tensor([[1, 2]])).shape == (1, 2, 280)
    assert files(tmp_path) == [".lock"]
    monkeypatch.undo()


def test_a_cache_that_only_allows_reading_costs_time_and_nothing_else(unpacked, tmp_path):
    (tmp_path / f"{NAME}-float32").write_text("a file stands where the folder should be")
    with pytest.warns(UserWarning, match="was not kept"):
        model, _ = pretrained.load(NAME)
    assert model(torch.tensor([[1, 2]])).shape == (1, 2, 280)


def test_a_damaged_published_file_is_fetched_again_or_gets_the_sentence_with_the_cure(unpacked, monkeypatch):
    def offline(name, *, thorough):
        raise assets.AssetError(f"its file is damaged; run: python -m course_utils.assets fetch {name}")

    monkeypatch.setattr(assets, "path", offline)
    with pytest.raises(assets.AssetError, match=f"python -m course_utils.assets fetch {NAME}"):
        pretrained.load(NAME)


def test_an_interrupted_write_leaves_no_half_file(unpacked, tmp_path, monkeypatch):
    def interrupted(weights, path, **settings):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrained, "save_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pretrained.load(NAME)
    assert files(tmp_path) == [".lock"]
    FileLock(tmp_path / f"{NAME}-float32" / ".lock", timeout=1).acquire()


def test_unknown_names_and_precisions_get_a_sentence():
    with pytest.raises(ValueError, match="no model 'gpt-5' here; choose smollm2-135m-instruct or minilm-l6-v2"):
        pretrained.load("gpt-5")
    with pytest.raises(ValueError, match=r"dtype=torch.int8 is not offered; choose torch.float32 or torch.bfloat16"):
        pretrained.load(NAME, dtype=torch.int8)


def test_the_real_file_says_what_the_preset_says():
    model, tokenizer = pretrained.load(NAME)
    settings = model.config
    assert settings == TransformerConfig.preset("smollm2", norm_epsilon=settings.norm_epsilon)
    assert abs(settings.norm_epsilon - 1e-5) < 1e-10 and len(tokenizer) == settings.vocabulary
    assert tokenizer.end == tokenizer.special["<|im_end|>"]
    assert all(weight.is_contiguous() for weight in model.parameters())


def test_the_sentence_encoder_is_read_as_published_and_damage_is_noticed(monkeypatch):
    model, tokenizer = pretrained.load("minilm-l6-v2")
    assert model.config == TransformerConfig.preset("minilm") and len(tokenizer) == model.config.vocabulary
    assert not model.training
    half, _ = pretrained.load("minilm-l6-v2", dtype=torch.bfloat16)
    assert half.token_embedding.weight.dtype == torch.bfloat16
    asked = []
    whole = assets.path
    monkeypatch.setattr(assets, "path", lambda name, *, thorough=False: asked.append(thorough) or whole(name))
    pretrained.load("minilm-l6-v2")
    assert asked[0], "the weights are used as they are, so every byte must be right"
