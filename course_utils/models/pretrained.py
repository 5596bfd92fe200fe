"""Public weights, put into the course's own `Transformer`.

A published model is a list of settings and a table of named matrices. The settings become a `TransformerConfig`; the
matrices keep their numbers and take the names that our class gives them. Nothing else is needed to run them.
"""

import contextlib
import dataclasses
import json
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, overload

import torch
from filelock import FileLock
from safetensors.torch import load_file, save_file
from torch import Tensor

from course_utils import assets, files
from course_utils.bars import progress_bar
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.tokenizers import BPETokenizer
from course_utils.tokenizers.wordpiece import WordPieceTokenizer

Weights = dict[str, Tensor]

# Each public name and ours, for the matrices outside the blocks and then for those of one block.
_GGUF = {"token_embd": "token_embedding", "output_norm": "final_norm", "output": "unembedding"}
_GGUF_BLOCK = {
    "attn_norm": "attention_norm",
    "attn_output": "attention.output",
    "ffn_norm": "mlp_norm",
    "ffn_down": "mlp.down",
}
_GPT2 = {"wte": "token_embedding", "wpe": "position_embedding", "ln_f": "final_norm"}
_GPT2_BLOCK = {
    "ln_1": "attention_norm",
    "attn.c_attn": "attention.query_key_value",
    "attn.c_proj": "attention.output",
    "ln_2": "mlp_norm",
    "mlp.c_fc": "mlp.up",
    "mlp.c_proj": "mlp.down",
}
_LLAMA = {"embed_tokens": "token_embedding", "norm": "final_norm", "lm_head": "unembedding"}
_LLAMA_BLOCK = {
    "input_layernorm": "attention_norm",
    "self_attn.o_proj": "attention.output",
    "post_attention_layernorm": "mlp_norm",
    "mlp.down_proj": "mlp.down",
}
_BERT = {
    "embeddings.word_embeddings": "token_embedding",
    "embeddings.position_embeddings": "position_embedding",
    "embeddings.LayerNorm": "embedding_norm",
}
_BERT_BLOCK = {
    "attention.output.dense": "attention.output",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "mlp.up",
    "output.dense": "mlp.down",
    "output.LayerNorm": "mlp_norm",
}


@overload
def load(name: Literal["minilm-l6-v2"], dtype: torch.dtype = ...) -> tuple[Transformer, WordPieceTokenizer]: ...


@overload
def load(name: Literal["smollm2-135m-instruct"], dtype: torch.dtype = ...) -> tuple[Transformer, BPETokenizer]: ...


def load(
    name: str, dtype: torch.dtype = torch.float32
) -> tuple[Transformer, BPETokenizer] | tuple[Transformer, WordPieceTokenizer]:
    """A public model and its tokenizer, ready to run.

    The first call for the chat model unpacks the published file and keeps the result in the cache of
    `course_utils.assets`; later calls check that and map it into memory, which takes a fraction of a second. What is
    damaged there is unpacked again. The sentence encoder's file is read as it was published.

    Args:
        name: ``smollm2-135m-instruct``, a chat model (Allal et al. 2025), or ``minilm-l6-v2``, a sentence encoder (Wang
            et al. 2020), which writes nothing: call ``hidden_states``, or `course_utils.retrieval.sentence_vectors`.
        dtype: ``torch.float32``, or ``torch.bfloat16`` for half the memory and more speed.

    Returns:
        the model, in evaluation mode, and the tokenizer.

    Raises:
        ValueError: if the name or the precision is unknown.
        AssetError: if the weights are neither in the cache nor to be had.
    """
    if name not in ("smollm2-135m-instruct", "minilm-l6-v2"):
        raise ValueError(f"there is no model {name!r} here; choose smollm2-135m-instruct or minilm-l6-v2")
    if dtype not in (torch.float32, torch.bfloat16):
        raise ValueError(f"dtype={dtype} is not offered; choose torch.float32 or torch.bfloat16")
    if name == "minilm-l6-v2":
        return _sentence_encoder(dtype)
    asset = assets.find(name)
    prepared = _Prepared(assets.cache_folder() / f"{name}-{str(dtype).removeprefix('torch.')}", asset, dtype)
    model, tokenizer = prepared.read() or prepared.make()
    return model.eval(), tokenizer


def _sentence_encoder(dtype: torch.dtype) -> tuple[Transformer, WordPieceTokenizer]:
    """MiniLM from its published file; every byte is compared with its recorded hash first."""
    (file,) = assets.path("minilm-l6-v2", thorough=True).rglob("model.safetensors")
    config = TransformerConfig.preset("minilm")
    weights = {name: weight.to(dtype) for name, weight in from_bert(load_file(file), config).items()}
    return build(config, weights).eval(), WordPieceTokenizer.minilm()


def build(config: TransformerConfig, weights: Mapping[str, Tensor]) -> Transformer:
    """A model that holds these weights, without a copy and without drawing random ones first."""
    with torch.device("meta"):
        model = Transformer(config)
    model.load_state_dict(weights, assign=True)
    return model


@dataclasses.dataclass(frozen=True)
class _Prepared:
    """A model unpacked once: settings and tokenizer as JSON, weights as safetensors, and the record of `assets`."""

    folder: Path
    asset: assets.Asset
    dtype: torch.dtype

    def read(self) -> tuple[Transformer, BPETokenizer] | None:
        """What was unpacked before; None if that is missing, damaged or made from something else.

        Every byte is compared with its recorded checksum: a flipped bit would give a model that runs and is wrong. Half
        a gigabyte takes a twentieth of a second, mostly hidden behind the tokenizer.
        """
        files.sweep(self.folder)
        with ThreadPoolExecutor(1) as pool:
            fault = pool.submit(assets.prepared_fault, self.folder, self._made_from(), thorough=True)
            try:
                tokenizer = BPETokenizer.load(self.folder / "tokenizer.json")
                weights = load_file(self.folder / "weights.safetensors")
                if fault.result() is not None:
                    return None
                config = TransformerConfig(**json.loads((self.folder / "settings.json").read_text("utf-8")))
                return build(config, weights), tokenizer
            except Exception:  # damage has many shapes; whatever it is, the files are made again
                return None

    def make(self) -> tuple[Transformer, BPETokenizer]:
        """Unpack the published file, and keep the result if the cache can be written; one process at a time does so."""
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError, NotImplementedError):  # a full or read-only disk, or one without locks
                self.folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(FileLock(self.folder / ".lock"))
                if found := self.read():  # another process unpacked it while this one waited
                    return found
            source = next(assets.path(self.asset.name, thorough=True).rglob("*.gguf"))
            config, weights, tokenizer = read_gguf(source, self.dtype)
            try:
                self._keep(config, weights, tokenizer)
            except OSError as problem:
                warnings.warn(
                    f"The unpacked model was not kept in {self.folder} ({problem.strerror}) and will be unpacked again "
                    "next time; free some space there, or set COURSE_ASSETS to a folder of yours.",
                    stacklevel=3,
                )
            return build(config, weights), tokenizer

    def _keep(self, config: TransformerConfig, weights: Weights, tokenizer: BPETokenizer) -> None:
        with files.whole(self.folder / "weights.safetensors") as unfinished:
            save_aligned(weights, unfinished)
        tokenizer.save(self.folder / "tokenizer.json")
        with files.whole(self.folder / "settings.json") as unfinished:
            unfinished.write_text(json.dumps(dataclasses.asdict(config)), "utf-8")
        assets.record_prepared(
            self.folder, self._made_from(), ["weights.safetensors", "tokenizer.json", "settings.json"]
        )

    def _made_from(self) -> list[str | int]:
        """All that decides about the content of the files."""
        return [self.asset.sha256, str(self.dtype), _LAYOUT]


_LAYOUT = 4  # of the files kept; raise it when names or tables change, and old ones are made again


def save_aligned(weights: Mapping[str, Tensor], path: Path) -> None:
    """Save as safetensors with the first matrix at a multiple of 64 bytes, a line of the processor's cache.

    Matrices that are mapped into memory are then read a fifth faster. The header before them is made longer by a note.
    """
    save_file(dict(weights), path, metadata={"padding": ""})
    with path.open("rb") as file:
        start = 8 + int.from_bytes(file.read(8), "little")  # eight bytes of length, then the header, a multiple of 8
    if start % 64:
        save_file(dict(weights), path, metadata={"padding": " " * (64 - start % 64)})


def read_gguf(path: Path, dtype: torch.dtype) -> tuple[TransformerConfig, Weights, BPETokenizer]:
    """Settings, weights and tokenizer of a Llama-type model in the GGUF format.

    Its matrices are stored in about five bits a number (types Q4_1 and Q8_0); here they become numbers again.

    Args:
        path: the file.
        dtype: precision to turn the weights into.

    Returns:
        what `build` takes, and the tokenizer with its chat template.
    """
    import gguf

    reader = gguf.GGUFReader(path)
    field = {name: entry.contents() for name, entry in reader.fields.items()}
    kind, words = field["general.architecture"], "tokenizer.ggml."
    config = TransformerConfig(
        vocabulary=len(field[words + "tokens"]),
        context=field[f"{kind}.context_length"],
        width=field[f"{kind}.embedding_length"],
        layers=field[f"{kind}.block_count"],
        heads=field[f"{kind}.attention.head_count"],
        key_value_heads=field[f"{kind}.attention.head_count_kv"],
        mlp_width=field[f"{kind}.feed_forward_length"],
        norm="rms",
        norm_epsilon=field[f"{kind}.attention.layer_norm_rms_epsilon"],
        positions="rotary",
        rotary_base=field[f"{kind}.rope.freq_base"],
        activation="swiglu",
        bias=False,
        tied_output=not any(tensor.name == "output.weight" for tensor in reader.tensors),
    )
    numbers = {
        tensor.name: torch.from_numpy(gguf.quants.dequantize(tensor.data, tensor.tensor_type).copy()).to(dtype)
        for tensor in progress_bar(reader.tensors, desc="Unpacking the model (once)", unit="matrix")
    }
    weights = {name: weight.contiguous() for name, weight in from_gguf(numbers, config).items()}
    tokenizer = BPETokenizer.from_gguf_fields(
        field[words + "tokens"],
        field[words + "merges"],
        field[words + "token_type"],
        pre=field[words + "pre"],
        end=field[words + "eos_token_id"],
        chat_template=field["tokenizer.chat_template"],
    )
    return config, weights, tokenizer


def from_gguf(numbers: Mapping[str, Tensor], config: TransformerConfig) -> Weights:
    """Matrices of a Llama-type model under GGUF's names, under ours. Its rotary pairs are neighbours, as ours are."""
    weights = _rename(numbers, _GGUF, "blk.{}.", _GGUF_BLOCK, config)
    for layer in range(config.layers):
        old, new = f"blk.{layer}.", f"blocks.{layer}."
        weights[new + "attention.query_key_value.weight"] = torch.cat(
            [numbers[f"{old}attn_{part}.weight"] for part in ("q", "k", "v")]
        )
        weights[new + "mlp.up.weight"] = torch.cat([numbers[f"{old}ffn_{part}.weight"] for part in ("gate", "up")])
    return weights


def from_gpt2(numbers: Mapping[str, Tensor], config: TransformerConfig) -> Weights:
    """Matrices of GPT-2 under the names of its public checkpoints, under ours.

    They are stored input first, so that all but the tables are turned.
    """
    numbers = {name.removeprefix("transformer."): weight for name, weight in numbers.items()}
    weights = _rename(numbers, _GPT2, "h.{}.", _GPT2_BLOCK, config)
    turned = ("query_key_value.weight", "attention.output.weight", "mlp.up.weight", "mlp.down.weight")
    return {name: weight.T if name.endswith(turned) else weight for name, weight in weights.items()}


def from_llama(numbers: Mapping[str, Tensor], config: TransformerConfig) -> Weights:
    """Matrices of a Llama-type model under the names of its public checkpoints, under ours.

    There, a rotary pair is a number of a head's first half and one of its second; ours are neighbours.
    """
    numbers = {name.removeprefix("model."): weight for name, weight in numbers.items()}
    weights = _rename(numbers, _LLAMA, "layers.{}.", _LLAMA_BLOCK, config)
    for layer in range(config.layers):
        old, new = f"layers.{layer}.", f"blocks.{layer}."
        query, key, value = (numbers[f"{old}self_attn.{part}_proj.weight"] for part in "qkv")
        weights[new + "attention.query_key_value.weight"] = torch.cat(
            [_pairs_together(query, config.heads), _pairs_together(key, config.kv_heads), value]
        )
        weights[new + "mlp.up.weight"] = torch.cat([numbers[f"{old}mlp.{part}_proj.weight"] for part in ("gate", "up")])
    return weights


def from_bert(numbers: Mapping[str, Tensor], config: TransformerConfig) -> Weights:
    """Matrices of a BERT encoder under the names of its public checkpoints, under ours.

    BERT adds a third vector to each token, which tells a pair's first sentence from its second. Here every text is one
    sentence, so that vector is always the first of the two, and it is added to the position's once and for all.
    """
    numbers = {name.removeprefix("bert."): weight for name, weight in numbers.items()}
    weights = _rename(numbers, _BERT, "encoder.layer.{}.", _BERT_BLOCK, config)
    first_sentence = numbers["embeddings.token_type_embeddings.weight"][0]
    weights["position_embedding.weight"] = weights["position_embedding.weight"] + first_sentence
    for layer in range(config.layers):
        old, new = f"encoder.layer.{layer}.attention.self.", f"blocks.{layer}.attention.query_key_value."
        for kind in ("weight", "bias"):
            weights[new + kind] = torch.cat([numbers[f"{old}{part}.{kind}"] for part in ("query", "key", "value")])
    return weights


def _pairs_together(weight: Tensor, heads: int) -> Tensor:
    """Reorder each head's rows from (all first members, all second members) to neighbours.

    >>> _pairs_together(torch.arange(4.0)[:, None], heads=1).T
    tensor([[0., 2., 1., 3.]])
    """
    return weight.unflatten(0, (heads, 2, -1)).transpose(1, 2).flatten(0, 2)


def _rename(
    numbers: Mapping[str, Tensor],
    outside: Mapping[str, str],
    prefix: str,
    inside: Mapping[str, str],
    config: TransformerConfig,
) -> Weights:
    """Our names for the weights, and biases where there are some, that need no other change."""
    pairs = {old: new for old, new in outside.items() if new != "unembedding" or not config.tied_output}
    for layer in range(config.layers):
        pairs.update({prefix.format(layer) + old: f"blocks.{layer}.{new}" for old, new in inside.items()})
    return {
        f"{new}.{kind}": numbers[f"{old}.{kind}"]
        for old, new in pairs.items()
        for kind in ("weight", "bias")
        if f"{old}.{kind}" in numbers
    }
