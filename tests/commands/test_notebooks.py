"""The tool that executes and checks notebooks, on small notebooks made here and run in a real kernel."""

import asyncio
import base64
import copy
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from course_utils import assets
from course_utils.commands import notebooks

PICTURE = (
    "import io, matplotlib.figure\n"
    "from IPython.display import display\n"
    "figure = matplotlib.figure.Figure(figsize=(3, 2))\n"
    "figure.subplots().plot([1, 3, 2])\n"
    "png = io.BytesIO(); figure.savefig(png)\n"
    "data = {'image/png': png.getvalue(), 'text/plain': 'a curve', 'application/vnd.jupyter.widget-view+json': {}}\n"
    "display(data, raw=True, metadata={'image/png': {'alt': 'a curve with one peak'}})"
)


def words(text: str = "Some words.") -> nbformat.NotebookNode:
    return new_markdown_cell(text)


def code(source: str, *tags: str) -> nbformat.NotebookNode:
    return new_code_cell(source, metadata={"tags": list(tags)} if tags else {})


def lesson(*cells: nbformat.NotebookNode) -> nbformat.NotebookNode:
    return new_notebook(cells=[words("# A lesson"), *cells])


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with an empty folder of notebooks."""
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr(assets, "project_folder", lambda: tmp_path)
    return tmp_path


def save(project: Path, notebook: nbformat.NotebookNode, name: str = "00_small") -> Path:
    path = project / "notebooks" / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path


def executed(*cells: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A lesson as a run would have stored it, so far as the rules look at it."""
    notebook = lesson(*cells)
    count = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
    notebook.metadata = nbformat.from_dict({"kernelspec": notebooks.KERNEL})
    return notebook


def png(width: int = 30, noise: bool = False) -> str:
    """A base64 picture; noise cannot be compressed."""
    pixels = np.random.default_rng(0).integers(0, 256, (width, width, 3), dtype=np.uint8) * noise
    stream = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(stream, "png")
    return base64.b64encode(stream.getvalue()).decode()


def test_a_run_stores_outputs_and_a_second_run_changes_nothing(project, capsys):
    path = save(
        project,
        lesson(
            code("from tqdm import tqdm\nfor n in tqdm(range(3)):\n    print(n)"),
            words(),
            code(PICTURE),
            words(),
            code("import time\ntime.time()", notebooks.IGNORED),
            words(),
            code("import pathlib, os\npathlib.Path.cwd().name, os.path.exists(os.environ['COURSE_PROGRESS'])"),
        ),
    )
    assert notebooks.run(["run"]) == 0
    first = path.read_bytes()
    stored = notebooks.read(path)
    assert notebooks.faults(stored) == []
    assert [cell.execution_count for cell in stored.cells if cell.cell_type == "code"] == [1, 2, 3, 4]
    bar, picture, clock, place = [cell.outputs for cell in stored.cells if cell.cell_type == "code"]
    assert [(output.name, output.text) for output in bar] == [("stdout", "0\n1\n2\n")]
    assert set(picture[0].data) == {"image/png", "text/plain"}
    assert picture[0].metadata["image/png"]["alt"] == "a curve with one peak"
    assert Image.open(io.BytesIO(base64.b64decode(picture[0].data["image/png"]))).mode == "P"
    assert place[0].data["text/plain"] == "('notebooks', False)"
    assert stored.metadata == {"kernelspec": notebooks.KERNEL, "language_info": notebooks.LANGUAGE}
    assert float(clock[0].data["text/plain"]) > 0

    assert notebooks.run(["run"]) == 0
    assert path.read_bytes() == first
    assert "100%" not in capsys.readouterr().err
    assert set(json.loads((project / "artefacts" / "notebook_seconds.json").read_text())) == {"00_small"}
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.slow
def test_what_a_run_stores_passes_strict_nbval(project):
    path = save(project, lesson(code("for n in range(3):\n    print(n)"), words(), code(PICTURE)))
    assert notebooks.run([]) == 0
    command = [sys.executable, "-m", "pytest", "-q", "-p", "nbval.plugin", "--nbval", "--nbval-current-env", path.name]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # pytest and nbval alone start sooner
    ran = subprocess.run(command, cwd=path.parent, env=environment, capture_output=True, text=True, timeout=300)
    assert "2 passed" in ran.stdout, ran.stdout


def test_a_changed_cell_is_stored_again(project):
    path = save(project, lesson(code("1 + 1")))
    assert notebooks.run(["run", "0"]) == 0
    stored = notebooks.read(path)
    stored.cells[1].source = "1 + 2"
    identity = stored.cells[1].id
    nbformat.write(stored, path)
    assert notebooks.run(["run", "00"]) == 0
    cell = notebooks.read(path).cells[1]
    assert (cell.outputs[0].data["text/plain"], cell.id) == ("3", identity)


def test_a_cell_that_fails_is_named_and_nothing_is_written(project, capsys):
    path = save(project, lesson(code("print('before')"), words(), code("1 / 0")))
    before = path.read_bytes()
    assert notebooks.run(["run"]) == 1
    printed = capsys.readouterr()
    assert printed.out == "00_small: cell 4 ('1 / 0') raises ZeroDivisionError: division by zero.\n"
    assert "Traceback" in printed.err
    assert path.read_bytes() == before


def test_a_kernel_that_dies_is_one_sentence(project, capsys):
    save(project, lesson(code("import os\nos._exit(1)")))
    assert notebooks.run(["run"]) == 1
    assert "00_small: the kernel died" in capsys.readouterr().out


def test_a_cell_that_hangs_is_stopped(project, capsys, monkeypatch):
    monkeypatch.setattr(notebooks, "CELL_SECONDS", 2)
    save(project, lesson(code("import time\ntime.sleep(60)")))
    assert notebooks.run(["run"]) == 1
    assert "00_small: a cell ran for more than 2 s and was stopped" in capsys.readouterr().out


def test_a_refused_notebook_is_not_written(project, capsys):
    path = save(project, lesson(code("import warnings\nwarnings.warn('old')")))
    before = path.read_bytes()
    assert notebooks.run(["run"]) == 1
    assert "cell 2 ('import warnings') wrote to stderr" in capsys.readouterr().out
    assert path.read_bytes() == before


def test_a_broken_source_is_refused_before_it_runs(project, monkeypatch, capsys):
    save(project, lesson(code("1"), code("2")))
    monkeypatch.setattr(notebooks, "execute", lambda *_: pytest.fail("it ran"))
    assert notebooks.run(["run"]) == 1
    assert capsys.readouterr().out == "00_small: cell 3 ('2') follows another code cell; put words between them.\n"


def test_check_runs_nothing_and_reports_every_fault(project, monkeypatch, capsys):
    save(project, lesson(code("1;"), words("### Deep")))
    (project / "notebooks" / "01_torn.ipynb").write_text('{"cells": [')
    monkeypatch.setattr(notebooks, "execute", lambda *_: pytest.fail("it ran"))
    assert notebooks.run(["check"]) == 1
    printed = capsys.readouterr().out
    for part in ("ends in ';'", "level 3 below level 1", "not executed", "kernelspec", "01_torn.ipynb is not a valid"):
        assert part in printed
    with pytest.raises(
        notebooks.NotebookError, match="There is no notebook '07' in notebooks; there are: 00_small, 01_"
    ):
        notebooks.run(["check", "07"])


def test_notebooks_are_chosen_by_number_name_or_file(tmp_path):
    for name in ("00_start", "09_attention", "12_sampling"):
        (tmp_path / f"{name}.ipynb").touch()
    names = ["9", "00_start", "notebooks/12_sampling.ipynb"]
    assert [[path.stem for path in notebooks.chosen(tmp_path, [name])] for name in names] == [
        ["09_attention"],
        ["00_start"],
        ["12_sampling"],
    ]
    assert len(notebooks.chosen(tmp_path, [])) == 3


def test_a_good_notebook_has_no_faults():
    good = executed(
        code("1"), words("## Two\n```python\n#### not a heading\n```"), words("### Three"), code("2"), words("## Two")
    )
    assert notebooks.faults(good) == []


@pytest.mark.parametrize(
    ("cells", "part"),
    [
        ([code("1;")], "ends in ';'"),
        ([code("1  ;  \n")], "ends in ';'"),
        ([code("\n".join(["x = 1"] * 21))], "has 21 lines and the limit is 20"),
        ([code("1"), code("2")], "put words between"),
        ([words("### Deep")], "level 3 below level 1; use level 2"),
        ([code("open('/home/ada/data.csv')")], "path of this machine (/home/a...)"),
        ([words("It lies in C:\\Users\\ada.")], "path of this machine"),
        ([words("![](picture.png)")], "image without alt text"),
        ([words("<img src='a.png' alt=''>")], "image without alt text"),
    ],
)
def test_faults_of_the_source(cells, part):
    found = notebooks.faults(executed(*cells))
    assert len(found) == 1 and part in found[0] and "\n" not in found[0]


def test_an_ignored_cell_may_end_in_a_semicolon_and_twenty_lines_are_allowed():
    fine = executed(
        code("1;", notebooks.IGNORED), words("See https://example.org/home/ada."), code("\n".join(["x = 1"] * 20))
    )
    assert notebooks.faults(fine) == []


@pytest.mark.parametrize(
    ("output", "part"),
    [
        (new_output("error", ename="ValueError", evalue="no", traceback=[]), "raised ValueError"),
        (new_output("stream", name="stderr", text="warning"), "wrote to stderr ('warning')"),
        (new_output("stream", text=f"{Path.home()}/thing /tmp/ipykernel_1/2.py"), "path of this machine"),
        (new_output("display_data", {"text/html": "<p>/Users/ada/x</p>"}), "path of this machine"),
        (new_output("display_data", {"text/plain": "  0%|          | 0/3 [00:00<?, ?it/s]"}), "progress bar"),
        (new_output("display_data", {"image/png": png()}), "picture without alt text"),
        (new_output("display_data", {"image/png": png()}, metadata={"image/png": {"alt": " "}}), "without alt text"),
        (
            new_output("display_data", {"image/png": png(200, noise=True)}, metadata={"image/png": {"alt": "noise"}}),
            "the limit is 60,000",
        ),
        (new_output("display_data", {"text/html": "<img src='x.png'>"}), "<img> without alt text"),
        (new_output("display_data", {"text/html": f"<img alt='x' src='{'a' * 90_000}'>"}), "the limit is 60,000"),
        (new_output("display_data", {notebooks.WIDGET_VIEW: {}, "text/plain": "x"}), "live widget"),
    ],
)
def test_faults_of_an_output(output, part):
    notebook = executed(code("1"))
    notebook.cells[1].outputs = [output]
    found = notebooks.faults(notebook)
    assert len(found) == 1 and part in found[0] and "\n" not in found[0]


def test_faults_of_the_run():
    good = executed(code("1"), words(), code("2"))
    broken = {
        "not executed": copy.deepcopy(good),
        "out of order": copy.deepcopy(good),
        "kernelspec": copy.deepcopy(good),
    }
    broken["not executed"].cells[3].execution_count = None
    broken["out of order"].cells[3].execution_count = 7
    del broken["kernelspec"].metadata["kernelspec"]
    for part, notebook in broken.items():
        found = notebooks.faults(notebook)
        assert len(found) == 1 and part in found[0]
    good.metadata["widgets"] = {}
    assert "state of widgets" in notebooks.faults(good)[0]
    assert "first cell is not words" in notebooks.faults(new_notebook(cells=[]))[0]


def test_neighbouring_streams_become_one_and_the_order_stays():
    notebook = executed(code("1"))
    pieces = [new_output("stream", text="a\n"), new_output("stream", text="b\n")]
    notebook.cells[1].outputs = [
        *pieces,
        new_output("display_data", {"text/plain": "x"}),
        new_output("stream", text="c\n"),
    ]
    notebooks.clean(notebook)
    assert [output.get("text", "display") for output in notebook.cells[1].outputs] == ["a\nb\n", "display", "c\n"]


def test_cleaning_drops_what_differs_between_runs_and_keeps_tags():
    cell = code("1", "concept:loss")
    cell.metadata.update({"execution": {"iopub.execute_input": "2026"}, "collapsed": False, "scrolled": True})
    notebook = executed(cell)
    notebook.metadata["widgets"] = {"state": {}}
    notebook.cells[1].outputs = [new_output("display_data", {notebooks.WIDGET_VIEW: {"model_id": "1"}})]
    notebooks.clean(notebook)
    assert notebook.cells[1].metadata == {"tags": ["concept:loss"]}
    assert notebook.cells[1].outputs == []
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_small_pictures_look_the_same_and_making_them_smaller_twice_changes_nothing():
    gradient = np.linspace(0, 255, 200 * 200 * 3).reshape(200, 200, 3).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(gradient).save(stream, "png")
    small = notebooks._small_png(base64.b64encode(stream.getvalue()).decode())
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(small))).convert("RGB"), dtype=float)
    assert np.abs(seen - gradient).max() <= 8
    assert notebooks._small_png(small) == small


def test_transparent_pictures_become_white_behind():
    stream = io.BytesIO()
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(stream, "png")
    small = notebooks._small_png(base64.b64encode(stream.getvalue()).decode())
    assert Image.open(io.BytesIO(base64.b64decode(small))).convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_only_outputs_of_ignored_cells_may_differ():
    one = executed(code("1"), words(), code("2", notebooks.IGNORED))
    other = copy.deepcopy(one)
    other.cells[3].outputs = [new_output("stream", text="0.1 s")]
    assert notebooks.same_but_for_ignored_outputs(one, other)
    other.cells[1].outputs = [new_output("stream", text="0.1 s")]
    assert not notebooks.same_but_for_ignored_outputs(one, other)


def test_the_compared_share_counts_cells_with_output():
    notebook = executed(code("1"), words(), code("2", notebooks.IGNORED), words(), code("3"))
    assert notebooks.compared_share(notebook) == 1.0
    for number in (1, 3):
        notebook.cells[number].outputs = [new_output("stream", text="x")]
    assert notebooks.compared_share(notebook) == 0.5


def test_saving_drops_a_live_widget_only_where_a_still_remains():
    notebook = executed(code("1"), words(), code("2"))
    view = {notebooks.WIDGET_VIEW: {"model_id": "1"}}
    notebook.cells[1].outputs = [new_output("display_data", {**view, "image/png": "x", "text/plain": "still"})]
    notebook.cells[3].outputs = [
        new_output("display_data", {**view, "text/plain": "only"}),
        new_output("stream", text="x"),
    ]
    notebooks.pre_save_hook(model={"type": "notebook", "content": notebook}, path="x.ipynb", contents_manager=None)
    assert set(notebook.cells[1].outputs[0].data) == {"image/png", "text/plain"}
    assert set(notebook.cells[3].outputs[0].data) == {notebooks.WIDGET_VIEW, "text/plain"}
    notebooks.pre_save_hook(model={"type": "file", "content": "text"}, path="x.txt", contents_manager=None)


def test_jupyter_calls_the_hook_when_it_saves(tmp_path):
    from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager as Manager

    notebook = executed(code("1"))
    notebook.cells[1].outputs = [new_output("display_data", {notebooks.WIDGET_VIEW: {}, "image/png": "x"})]
    manager = Manager(root_dir=str(tmp_path), pre_save_hook="course_utils.commands.notebooks.pre_save_hook")
    asyncio.run(manager.save({"type": "notebook", "format": "json", "content": notebook}, "saved.ipynb"))
    assert set(notebooks.read(tmp_path / "saved.ipynb").cells[1].outputs[0].data) == {"image/png"}
