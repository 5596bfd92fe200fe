"""Executes the course's notebooks and holds them to its rules.

``python -m course_utils notebooks 00 12`` (``make notebooks``) executes notebooks from a clean kernel, each in its
own folder, and stores their outputs: pictures as small palette PNGs, no live widgets (a view without its kernel shows
an error where the picture should be), nothing that changes from run to run. A file is written only if it keeps every
rule, and only if more changed than the outputs of cells tagged ``nbval-ignore-output``: running again gives no diff.
Seconds per notebook are printed and kept in ``artefacts/notebook_seconds.json``.

``python -m course_utils notebooks check`` applies the rules to the files as they are.

Progress bars are for people: the course draws them with ``bars.progress_bar``, and ``kernel_environment`` sets
``TQDM_DISABLE``, so that no bar reaches a stored output. Anything else on stderr is a warning somebody should read, and
is refused.
"""

import argparse
import base64
import copy
import io
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course_utils import assets, files
from course_utils.commands import CommandError

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
IGNORED = "nbval-ignore-output"  # tag of a cell whose outputs may differ between runs
MOST_LINES = 20  # of one code cell
MOST_BYTES = 60_000  # of one picture
CELL_SECONDS = 600  # a cell that takes longer hangs
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python", "pygments_lexer": "ipython3"}
KEPT_CELL_METADATA = ("tags", "editable")
MACHINE_PATH = re.compile(r"(?<![\w.:/])(?:/home/|/Users/|/root/|/tmp/|/private/var/)\w|\b[A-Za-z]:\\\\?Users\b")
BAR = re.compile(r"\d+%\|")


class NotebookError(CommandError):
    """A notebook cannot be read or executed; the message is one sentence."""


# ---------------------------------------------------------------- reading and writing


def read(path: Path) -> NotebookNode:
    """The notebook in ``path``.

    Raises:
        NotebookError: if there is none, or it is not a valid notebook.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except FileNotFoundError as problem:
        raise NotebookError(f"There is no notebook {path.name}.") from problem
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as problem:
        reason = str(problem).partition("\n")[0]
        raise NotebookError(f"{path.name} is not a valid notebook: {reason}") from problem
    return notebook


def write(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` whole or not at all."""
    with files.whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")


# ---------------------------------------------------------------- executing


def kernel_environment(progress: Path) -> dict[str, str]:
    """Environment variables for a kernel whose outputs are stored or compared.

    Args:
        progress: where practice keeps its progress meanwhile; a file that is not there means a learner's first day.
    """
    return {**os.environ, "TQDM_DISABLE": "1", "OMP_WAIT_POLICY": "PASSIVE", "COURSE_PROGRESS": str(progress)}


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """A copy of the notebook, executed from a clean kernel in ``folder``.

    Raises:
        NotebookError: if a cell fails, hangs or kills the kernel; the traceback goes to stderr.
    """
    import nbclient  # here, because learners save notebooks (see pre_save_hook) without the test extra
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    fresh = copy.deepcopy(notebook)
    client = nbclient.NotebookClient(
        fresh,
        kernel_name=KERNEL["name"],
        timeout=CELL_SECONDS,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    with tempfile.TemporaryDirectory() as scratch:
        try:
            client.execute(env=kernel_environment(Path(scratch) / "progress.json"))
        except CellExecutionError as problem:
            print(problem.traceback, file=sys.stderr)
            number = 1 + next(i for i, cell in enumerate(fresh.cells) if _has_error(cell))
            reason = problem.evalue.partition("\n")[0]
            raise NotebookError(f"{_place(number, fresh)} raises {problem.ename}: {reason}") from problem
        except CellTimeoutError as problem:
            raise NotebookError(f"a cell ran for more than {CELL_SECONDS} s and was stopped") from problem
        except RuntimeError as problem:  # nbclient's and jupyter_client's word for a kernel that ended
            raise NotebookError(f"the kernel died ({str(problem).partition(chr(10))[0]})") from problem
    return fresh


# ---------------------------------------------------------------- cleaning


def clean(notebook: NotebookNode) -> None:
    """Remove from an executed notebook, in place, all that differs between runs or needs a live kernel."""
    notebook.metadata = nbformat.from_dict({"kernelspec": dict(KERNEL), "language_info": dict(LANGUAGE)})
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in KEPT_CELL_METADATA if key in cell.metadata}
        )
        if cell.cell_type == "code":
            cell.outputs = [output for output in _merged(cell.outputs) if output.get("data") != {}]


def _merged(outputs: list[NotebookNode]) -> Iterator[NotebookNode]:
    """Outputs with neighbouring pieces of one stream joined, widget views dropped and pictures made small."""
    last = None
    for output in outputs:
        if output.output_type == "stream":
            if last is not None and last.output_type == "stream" and last.name == output.name:
                last.text += output.text
                continue
        elif "data" in output:
            output.data.pop(WIDGET_VIEW, None)
            if "image/png" in output.data:
                output.data["image/png"] = _small_png(output.data["image/png"])
        if last is not None:
            yield last
        last = output
    if last is not None:
        yield last


def _small_png(encoded: str) -> str:
    """A base64 PNG with at most 256 colours, on white, without text chunks: the same bytes for the same pixels."""
    from PIL import Image  # here, because saving a notebook needs none of it

    image: Image.Image = Image.open(io.BytesIO(base64.b64decode(encoded)))
    if image.mode != "P":
        picture = image.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture)
        image = white.convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    image.info.clear()
    small = io.BytesIO()
    image.save(small, "png", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def same_but_for_ignored_outputs(one: NotebookNode, other: NotebookNode) -> bool:
    """Whether two notebooks are equal, leaving out the outputs of cells tagged ``nbval-ignore-output``."""
    blanked = []
    for notebook in (one, other):
        notebook = copy.deepcopy(notebook)
        for cell in notebook.cells:
            if cell.cell_type == "code" and IGNORED in _tags(cell):
                cell.outputs = []
        blanked.append(nbformat.writes(notebook))
    return blanked[0] == blanked[1]


def pre_save_hook(model: dict[str, Any], **_: Any) -> None:
    """For Jupyter's contents manager: drop a live widget's view where the output has a still picture or page as well.

    A saved view has no saved state: the next reader would see an error in place of the still.
    """
    if model.get("type") != "notebook" or model["content"].get("nbformat") != 4:
        return
    for cell in model["content"]["cells"]:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if "image/png" in data or "text/html" in data:
                data.pop(WIDGET_VIEW, None)


# ---------------------------------------------------------------- the rules


def faults(notebook: NotebookNode) -> list[str]:
    """Every broken rule of a stored notebook, each in one sentence."""
    return [*source_faults(notebook), *output_faults(notebook)]


def source_faults(notebook: NotebookNode) -> list[str]:
    """Broken rules that can be seen without running the notebook."""
    found = []
    if not notebook.cells or notebook.cells[0].cell_type != "markdown":
        found.append("the first cell is not words; open with a title and a question")
    level, before = 0, None
    for number, cell in enumerate(notebook.cells, start=1):
        place, lines = _place(number, notebook), cell.source.strip().splitlines()
        if cell.cell_type == "markdown":
            for heading in _heading_levels(cell.source):
                if heading > level + 1:
                    found.append(f"{place} has a heading of level {heading} below level {level}; use level {level + 1}")
                level = heading
            for image in re.findall(r"!\[\s*\]|<img(?![^>]*\balt=[\"'][^\"'])[^>]*>", cell.source):
                found.append(f"{place} has an image without alt text ({image[:30]}); say what it shows")
        else:
            if before == "code":
                found.append(f"{place} follows another code cell; put words between them")
            if len(lines) > MOST_LINES:
                found.append(
                    f"{place} has {len(lines)} lines and the limit is {MOST_LINES}; split it or import the code"
                )
            if lines and lines[-1].rstrip().endswith(";") and IGNORED not in _tags(cell):
                found.append(f"{place} ends in ';', which hides the output that is checked; remove it")
        if path := _machine_path(cell.source):
            found.append(f"{place} names a path of this machine ({path}); build it from course_utils")
        before = cell.cell_type
    return found


def output_faults(notebook: NotebookNode) -> list[str]:
    """Broken rules of what a run stored: outputs, their order, and the notebook's metadata."""
    found = []
    if notebook.metadata.get("kernelspec", {}).get("name") != KERNEL["name"]:
        found.append("the kernelspec is not 'python3', so JupyterLab would ask for a kernel; run 'make notebooks'")
    if "widgets" in notebook.metadata:
        found.append("the metadata holds the state of widgets; run 'make notebooks'")
    count = 0
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code":
            continue
        place = _place(number, notebook)
        count += 1
        if cell.execution_count is None:
            found.append(f"{place} is a code cell that was not executed; run 'make notebooks', or remove it if empty")
        elif cell.execution_count != count:
            found.append(f"{place} was executed out of order; run 'make notebooks'")
        for output in cell.outputs:
            found += [f"{place} {what}" for what in _faults_of_output(output)]
    return found


def _faults_of_output(output: NotebookNode) -> Iterator[str]:
    if output.output_type == "error":
        yield f"raised {output.ename}; mend it"
        return
    if output.get("name") == "stderr":
        yield f"wrote to stderr ({output.text.strip().splitlines()[0][:60]!r}); remove the cause"
        return
    data = output.get("data", {})
    texts = [output.get("text", ""), *(value for kind, value in data.items() if kind.startswith("text/"))]
    for text in texts:
        if path := _machine_path(text):
            yield f"shows a path of this machine ({path}); show the name alone"
        if BAR.search(text):
            yield "shows a progress bar; draw it with bars.progress_bar, which is silent when notebooks are stored"
    if WIDGET_VIEW in data:
        yield "holds a live widget; run 'make notebooks'"
    for kind, value in data.items():
        if kind.startswith("image/"):
            size = len(value.encode()) if kind == "image/svg+xml" else len(base64.b64decode(value))
            if size > MOST_BYTES:
                yield f"has a picture of {size:,} bytes and the limit is {MOST_BYTES:,}; make it smaller or simpler"
            if not str(output.metadata.get(kind, {}).get("alt", "")).strip():
                yield f"has a picture without alt text; give the output metadata {{'{kind}': {{'alt': ...}}}}"
    for tag in re.findall(r"<img\b[^>]*>", data.get("text/html", "")):
        if not re.search(r"\balt=[\"']?[^\"'\s>]", tag):
            yield "has an <img> without alt text; say what it shows"
        if len(tag) * 3 / 4 > MOST_BYTES:
            yield f"has an <img> of {len(tag) * 3 // 4:,} bytes and the limit is {MOST_BYTES:,}; make it smaller"


def compared_share(notebook: NotebookNode) -> float:
    """The share of code cells with output whose output is compared when the notebook is tested; 1.0 if none has any."""
    tags = [_tags(cell) for cell in notebook.cells if cell.cell_type == "code" and cell.outputs]
    return sum(IGNORED not in cell for cell in tags) / len(tags) if tags else 1.0


def _tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def _has_error(cell: NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", ()))


def _place(number: int, notebook: NotebookNode) -> str:
    lines = notebook.cells[number - 1].source.strip().splitlines() or ["empty"]
    return f"cell {number} ({lines[0][:40]!r})"


def _heading_levels(markdown: str) -> list[int]:
    r"""Levels of the headings, those in code fences left out.

    >>> _heading_levels("# One\n```\n# no heading\n```\n### Three")
    [1, 3]
    """
    words = re.sub(r"^(```|~~~).*?^\1", "", markdown, flags=re.MULTILINE | re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#{1,6})\s", words, flags=re.MULTILINE)]


def _machine_path(text: str) -> str | None:
    """The first path in ``text`` that only this machine has.

    >>> _machine_path("see /home/ada/course") is None, _machine_path("see https://example.org/home/ada")
    (False, None)
    """
    for folder in (assets.project_folder(), Path.home(), assets.cache_folder(), Path(sys.prefix)):
        if len(folder.parts) > 2 and str(folder) in text:
            return str(folder)
    found = MACHINE_PATH.search(text)
    return found.group() + "..." if found else None


# ---------------------------------------------------------------- the command line


def store(paths: list[Path], timings: Path) -> int:
    """Execute and store notebooks; the exit status is 1 if any could not be stored."""
    status = 0
    for path in paths:
        started = time.perf_counter()
        try:
            committed = read(path)
            sentences = source_faults(committed)
            if not sentences:  # a run that would be refused anyway is not worth a minute
                fresh = execute(committed, path.parent)
                clean(fresh)
                sentences = faults(fresh)
        except NotebookError as problem:
            sentences = [str(problem)]
        seconds = time.perf_counter() - started
        for sentence in sentences:
            print(f"{path.stem}: {sentence}.")
        if sentences:
            status = 1
            continue
        unchanged = not faults(committed) and same_but_for_ignored_outputs(committed, fresh)
        if not unchanged:
            write(path, nbformat.writes(fresh) + "\n")
        share = compared_share(fresh)
        print(
            f"{path.stem}: {seconds:.1f} s, {share:.0%} compared, {'unchanged' if unchanged else 'written'}", flush=True
        )
        _record_seconds(timings, path.stem, seconds)
    return status


def report(paths: list[Path]) -> int:
    """Print every broken rule of the notebooks as they are; the exit status is 1 if there is one."""
    status = 0
    for path in paths:
        try:
            sentences = faults(read(path))
        except NotebookError as problem:
            sentences = [str(problem)]
        for sentence in sentences:
            print(f"{path.stem}: {sentence}.")
            status = 1
    return status


def _record_seconds(timings: Path, name: str, seconds: float) -> None:
    timings.parent.mkdir(exist_ok=True)
    try:
        known = json.loads(timings.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        known = {}
    write(timings, json.dumps({**known, name: round(seconds, 1)}, indent=1, sort_keys=True) + "\n")


def chosen(folder: Path, names: list[str]) -> list[Path]:
    """The notebooks in ``folder`` by number (``09``), name or file; all of them if ``names`` is empty.

    Raises:
        NotebookError: if a name fits none.
    """
    there = sorted(folder.glob("*.ipynb"))
    for name in names:
        if not any(_fits(path, name) for path in there):
            listed = ", ".join(path.stem for path in there) or "none"
            raise NotebookError(f"There is no notebook {name!r} in {folder.name}; there are: {listed}")
    return [path for path in there if not names or any(_fits(path, name) for name in names)]


def _fits(path: Path, name: str) -> bool:
    wanted = name.rpartition("/")[2].removesuffix(".ipynb")
    return path.stem == wanted or path.stem.startswith(f"{wanted.zfill(2)}_")


def run(extra: Sequence[str]) -> int:
    """``[run|check] [NOTEBOOK...]``: executes and stores, or reports; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m course_utils notebooks", description=run.__doc__)
    parser.add_argument("words", nargs="*", metavar="[run|check] [NOTEBOOK...]", help="run is meant if neither is said")
    words = parser.parse_args(extra).words
    command = words.pop(0) if words[:1] in (["run"], ["check"]) else "run"
    project = assets.project_folder()
    paths = chosen(project / "notebooks", words)
    return report(paths) if command == "check" else store(paths, project / "artefacts" / "notebook_seconds.json")
