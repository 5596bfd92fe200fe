"""A public model is unpacked once, kept whole, and made again when what was kept is damaged."""

import pytest
import torch
from filelock import FileLock

from course_utils import assets
from course_utils.models import pretrained
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.tokenizers import BPETokenizer

NAME = "smollm2-135m-instruct"


@pytest.fixture
def unpacked(tmp_path, monkeypatch):
    """A cache with a small stand-in for the published file; counts how often it is unpacked."""
    source = tmp_path / "published"
    source.mkdir()
    (source / "model.gguf").write_bytes(b"published")
    monkeypatch.setattr(assets, "path", lambda name: source)
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
    assert [name for name in files(tmp_path) if not name.startswith(".")] == [
        "settings.json", "tokenizer.json", "weights.safetensors",
    ]  # fmt: skip


@pytest.mark.parametrize("damaged", ["weights.safetensors", "settings.json", "tokenizer.json"])
@pytest.mark.parametrize("how", ["cut", "rubbish", "gone", "empty"])
def test_a_damaged_file_is_made_again(unpacked, tmp_path, damaged, how):
    whole, _ = pretrained.load(NAME)
    file = tmp_path / f"{NAME}-float32" / damaged
    content = file.read_bytes()
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes({"cut": content[: len(content) // 2], "rubbish": b"\x00\xff" * 40, "empty": b""}[how])
    mended, _ = pretrained.load(NAME)
    assert len(unpacked) == 2 and same(whole, mended)
    pretrained.load(NAME)
    assert len(unpacked) == 2


def test_what_is_kept_begins_on_a_line_of_the_processors_cache(unpacked):
    pretrained.load(NAME)
    model, _ = pretrained.load(NAME)
    first = min(weight.data_ptr() for weight in model.parameters())
    assert first % 64 == 0


def test_another_published_file_is_unpacked_anew_in_every_precision(unpacked, tmp_path):
    for dtype in (torch.float32, torch.bfloat16):
        pretrained.load(NAME, dtype=dtype)
    (tmp_path / "published" / "model.gguf").write_bytes(b"published later")
    for dtype in (torch.float32, torch.bfloat16):
        pretrained.load(NAME, dtype=dtype)
    assert unpacked == [torch.float32, torch.bfloat16] * 2


def test_a_full_disk_costs_time_and_nothing_else(unpacked, tmp_path, monkeypatch):
    def full(*_, **settings):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pretrained, "save_file", full)
    model, _ = pretrained.load(NAME)
    assert model(torch.tensor([[1, 2]])).shape == (1, 2, 280)
    assert [name for name in files(tmp_path) if name.endswith("safetensors")] == []


def test_an_interrupted_write_leaves_no_half_file(unpacked, tmp_path, monkeypatch):
    def interrupted(weights, path, **settings):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrained, "save_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pretrained.load(NAME)
    assert [name for name in files(tmp_path) if "safetensors" in name] == []
    FileLock(tmp_path / f"{NAME}-float32" / ".lock", timeout=1).acquire()


def test_unknown_names_and_precisions_get_a_sentence():
    with pytest.raises(ValueError, match="there is no model 'gpt-5' here; choose smollm2-135m-instruct"):
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
