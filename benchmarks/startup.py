"""How long a newcomer waits: importing the package, loading the chat model, and a new prompt's first bars.

    python benchmarks/startup.py

Each import and each load is a process of its own, so that nothing is warm but the disk's cache.
"""

import statistics
import subprocess
import sys
import time

import torch

from course_utils.explorers import TemperatureExplorer
from course_utils.models import pretrained

NAME = "smollm2-135m-instruct"
IMPORT = "import course_utils"
OURS = f"pretrained.load('{NAME}', dtype=torch.{{}})"
LIBRARY = f"""
import torch, transformers
from course_utils import assets
file = next(assets.path('{NAME}').rglob('*.gguf'))
settings = dict(gguf_file=file.name, dtype=torch.{{}}, local_files_only=True)
transformers.AutoModelForCausalLM.from_pretrained(
    str(file.parent), quantization_config=transformers.GgufConfig(dequantize=True), **settings
)
transformers.AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name, local_files_only=True)
"""
PROMPTS = [f"The {noun} of France is" for noun in ("capital", "king", "weather", "language", "largest river", "flag")]


def seconds(code: str, before: str = "") -> float:
    """Seconds that ``code`` takes in a new process, after ``before`` has run there."""
    timed = f"{before}\nimport time\nbegan = time.perf_counter()\n{code}\nprint(time.perf_counter() - began)"
    done = subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def prompt_to_bars() -> float:
    """Median seconds from a new prompt to the new picture, with the real model in float32."""
    explorer = TemperatureExplorer(*pretrained.load(NAME))
    taken = []
    for prompt in PROMPTS:
        began = time.perf_counter()
        explorer.set(prompt=prompt)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main(rounds: int = 5) -> int:
    torch.set_num_threads(2)
    libraries = "import torch, transformers, gguf\nfrom course_utils.models import pretrained"
    rows = [("import course_utils, without torch", 0.5, lambda: seconds(IMPORT))]
    for dtype in ("float32", "bfloat16"):
        pretrained.load(NAME, dtype=getattr(torch, dtype))  # the first time unpacks
        rows.append((f"load model and tokenizer, {dtype}", 1.0, lambda d=dtype: seconds(OURS.format(d), libraries)))
    rows.append(("the usual library, float32", None, lambda: seconds(LIBRARY.format("float32"), libraries)))
    taken: dict[str, list[float]] = {name: [] for name, _, _ in rows}
    for _ in range(rounds):
        for name, _, measure in rows:
            taken[name].append(measure())
    rows.append(("a new prompt to its bars, float32", 0.3, None))
    taken[rows[-1][0]] = [prompt_to_bars()]
    print("| what | median | goal |\n|---|---:|---:|")
    missed = False
    for name, goal, _ in rows:
        median = statistics.median(taken[name])
        missed |= goal is not None and median > goal
        print(f"| {name} | {median:.2f} s | {'' if goal is None else f'{goal:.1f} s'} |")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
