"""How fast SmolLM2 writes: ours, the usual library, and the limit that the machine's memory sets.

    python benchmarks/generation.py

For each new token every matrix of the model meets one vector. The limit is those products with nothing around them:
each by the faster of torch's two routines for it. All sides take turns in one process, on two threads.
"""

import functools
import pathlib
import statistics
import time
from collections.abc import Callable

import torch
import transformers

from course_utils import assets, sampling
from course_utils.models import pretrained
from course_utils.models.transformer import Transformer

NAME = "smollm2-135m-instruct"
PROMPT = "Once upon a time, in a town by the sea, there lived a clockmaker who"
TOKENS, ROUNDS = 64, 9
AMX = "amx_bf16" in pathlib.Path("/proc/cpuinfo").read_text() if pathlib.Path("/proc/cpuinfo").exists() else False
GOALS = {torch.float32: 1.15, torch.bfloat16: 1.5 if AMX else 1.3}  # times the library


def seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def taking_turns(sides: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Median seconds of each side; the sides alternate, after one round that does not count."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, action in sides.items():
            spent = seconds(action)
            if number:
                taken[name].append(spent)
    return {name: statistics.median(spent) for name, spent in taken.items()}


def bare_products(model: Transformer) -> dict[str, Callable[[], object]]:
    """Every product of one token, by each of torch's two routines."""
    weights = [
        weight for name, weight in model.named_parameters() if weight.dim() == 2 and name != "token_embedding.weight"
    ]
    weights.append(model.token_embedding.weight)  # tied: it is the output table too
    vectors = {size: torch.randn(size).to(weights[0].dtype) for size in {weight.size(1) for weight in weights}}

    @torch.inference_mode()
    def matrix_vector() -> None:
        for weight in weights:
            torch.mv(weight, vectors[weight.size(1)])

    @torch.inference_mode()
    def matrix_matrix() -> None:
        for weight in weights:
            torch.nn.functional.linear(vectors[weight.size(1)][None], weight)

    return {
        "limit, matrix times vector": lambda: [matrix_vector() for _ in range(8)],
        "limit, matrix times matrix": lambda: [matrix_matrix() for _ in range(8)],
    }


def library(dtype: torch.dtype) -> torch.nn.Module:
    file = next(assets.path(NAME).rglob("*.gguf"))
    return transformers.AutoModelForCausalLM.from_pretrained(
        str(file.parent),
        gguf_file=file.name,
        dtype=dtype,
        local_files_only=True,
        quantization_config=transformers.GgufConfig(dequantize=True),  # ordinary matrices, as ours are
    ).eval()


def speed(dtype: torch.dtype) -> bool:
    """Tokens per second of each side, greedy, after a short prompt. Returns whether the goal is reached."""
    model, tokenizer = pretrained.load(NAME, dtype=dtype)
    peer, ids = library(dtype), tokenizer.encode(PROMPT)
    settings = dict(max_new_tokens=TOKENS, min_new_tokens=TOKENS, do_sample=False, eos_token_id=[], pad_token_id=2)

    def ours() -> list[int]:
        answers = sampling.generate_many(model, tokenizer, ids, 1, temperature=0, max_new_tokens=TOKENS, stop_tokens=[])
        return answers[0].ids

    @torch.inference_mode()
    def theirs() -> list[int]:
        return peer.generate(torch.tensor([ids]), **settings)[0, len(ids) :].tolist()

    same = sum(a == b for a, b in zip(ours(), theirs(), strict=True))
    taken = taking_turns({"ours": ours, "library": theirs, **bare_products(model)})
    limit = 8 / min(taken["limit, matrix times vector"], taken["limit, matrix times matrix"])
    our_speed, library_speed = TOKENS / taken["ours"], TOKENS / taken["library"]
    name = str(dtype).removeprefix("torch.")
    print(
        f"| {name} | {our_speed:.1f} | {library_speed:.1f} | {our_speed / library_speed:.2f} (goal {GOALS[dtype]}) "
        f"| {limit:.1f} | {our_speed / limit:.0%} | {same} of {TOKENS} |"
    )
    return our_speed / library_speed >= GOALS[dtype]


def first_token(dtype: torch.dtype) -> None:
    """Seconds from a prompt to its first token, by the prompt's length."""
    model, _ = pretrained.load(NAME, dtype=dtype)
    generator = torch.Generator().manual_seed(0)
    for length in (8, 64, 256, 1024):
        ids = torch.randint(1000, (length,), generator=generator).tolist()
        greedy = sampling.SamplingConfig(temperature=0)
        taken = taking_turns({"first": lambda: list(sampling.generate_tokens(model, ids, greedy, max_new_tokens=1))}, 5)  # noqa: B023
        print(f"| {length} | {taken['first'] * 1000:.0f} ms | {length / taken['first']:.0f} |")


def cache_gain(dtype: torch.dtype) -> None:
    """How many times faster the key-value cache makes writing, by the number of tokens written."""
    model, tokenizer = pretrained.load(NAME, dtype=dtype)
    for length in (16, 32, 64, 128):
        settings = dict(temperature=0, max_new_tokens=length, stop_tokens=[])
        sides = {
            kind: functools.partial(sampling.generate, model, tokenizer, PROMPT, use_cache=cached, **settings)
            for kind, cached in (("with", True), ("without", False))
        }
        taken = taking_turns(sides, 3)
        print(
            f"| {length} | {taken['with']:.2f} s | {taken['without']:.2f} s | {taken['without'] / taken['with']:.1f} |"
        )


def main() -> int:
    torch.set_num_threads(2)
    print("| precision | ours, tokens/s | library | times | limit | share of the limit | same tokens |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    reached = [speed(dtype) for dtype in (torch.float32, torch.bfloat16)]
    print("\n| prompt tokens (bfloat16) | to the first token | tokens read per second |\n|---:|---:|---:|")
    first_token(torch.bfloat16)
    print("\n| tokens written (bfloat16) | with the cache | without | times |\n|---:|---:|---:|---:|")
    cache_gain(torch.bfloat16)
    return 0 if all(reached) else 1


if __name__ == "__main__":
    raise SystemExit(main())
