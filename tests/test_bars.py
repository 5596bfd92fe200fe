"""Progress bars: on stderr in a terminal, on stdout in a notebook, where stderr is painted red."""

import sys

import nbformat
from nbclient import NotebookClient

from course_utils.bars import progress_bar


def test_in_a_terminal_a_bar_leaves_stdout_alone(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert list(progress_bar(range(3), disable=False)) == [0, 1, 2]
    said = capsys.readouterr()
    assert "3/3" in said.err and said.out == ""


def test_in_a_notebook_a_bar_is_no_error(monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "")
    source = "from course_utils.bars import progress_bar\nfor _ in progress_bar(range(3)):\n    pass"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert {output["name"] for output in notebook.cells[0].outputs} == {"stdout"}
    assert "3/3" in "".join(output["text"] for output in notebook.cells[0].outputs)
