"""Run All on an untouched notebook: every exercise, a quiz and a locked picture, in a real kernel."""

import nbformat
import pytest
from nbclient import NotebookClient

from course_utils.practice.exercises import all_exercises
from course_utils.practice.questions import WIDGET

ASK = """
from course_utils.practice import course_map, exercise, predict, quiz

class Picture:
    locked = False
    def enable(self): self.locked = False
    def disable(self): self.locked = True

    values = {}

picture = Picture()
quiz("00.b")
"""


def run_all():
    cells = [ASK, 'predict("00.a", picture)', "picture.locked"]
    for task in all_exercises():
        if task.picture:  # the picture of the page, as it is first shown
            first = f"{task.picture}.values = dict({', '.join(task.stub.splitlines())})"
            cells += [f"{task.picture} = Picture()\n{first}\n" + f'exercise("{task.id}")', task.cell]
        else:
            cells += [f'exercise("{task.id}")', f"{task.page}\n\n\n{task.cell}"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in [*cells, "course_map()"]])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


@pytest.mark.slow
def test_an_untouched_notebook_runs_through_and_says_the_same_each_time():
    first, second = run_all(), run_all()
    for outputs in first + second:
        assert [output.output_type for output in outputs] == ["execute_result"]
    shown = [[{**outputs[0].data, WIDGET: None} for outputs in each] for each in (first, second)]
    assert shown[0] == shown[1]
    texts = [data["text/plain"] for data in shown[0]]
    assert sum(text.startswith("Not attempted yet: ") for text in texts) == len(all_exercises())
    assert texts[2] == "True"  # the controls wait for a guess, the cells do not
    assert WIDGET in first[0][0].data and WIDGET in first[1][0].data
