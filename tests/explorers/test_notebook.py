"""An explorer in a real kernel: how a cell shows it, and what a slider does there."""

import base64
import io

import nbformat
from nbclient import NotebookClient
from PIL import Image

CODE = """
from course_utils.explorers.base import FigureExplorer, Slider
class Dot(FigureExplorer):
    height = Slider(0, 9, 1)
    def compute(self, prepared, height):
        return 1 / (9 - height)
    def draw(self, figure, result):
        if not self.artists:
            self.artists["dot"], = figure.add_axes((0.1, 0.1, 0.8, 0.8), ylim=(0, 2)).plot([0], [0], "o")
        self.artists["dot"].set_ydata([result])
    def caption(self, result):
        return f"Height {result:.3f} & no more."
dot = Dot()
"""


def run(*sources: str) -> list[list[nbformat.NotebookNode]]:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, allow_errors=True, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


def test_display_and_last_expression_show_the_same_and_errors_stay_in_the_widget() -> None:
    made, last, shown, slider, broken = run(
        CODE, "dot", "display(dot)", "dot.inputs['height'].value = 9; dot.problem", "Dot(height=9)"
    )
    assert made == []
    for outputs in (last, shown):
        (output,) = outputs
        assert set(output.data) == {"application/vnd.jupyter.widget-view+json", "text/plain", "image/png"}
        assert output.data["text/plain"] == "Dot: interactive picture"
        assert output.metadata["image/png"]["alt"] == "Height 0.125 & no more."
        size = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))).size
        assert size == (output.metadata["image/png"]["width"], output.metadata["image/png"]["height"])
    assert [output.output_type for output in slider] == ["execute_result"]
    assert slider[0].data["text/plain"] == "'Something went wrong: ZeroDivisionError: division by zero'"
    assert broken[0].output_type == "error" and broken[0].ename == "ZeroDivisionError"
