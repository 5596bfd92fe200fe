"""The live loss curve, outside and inside a notebook."""

from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from course_utils.explorers.live import LiveCurve, running_mean

from .sweep import silence


def test_curve_follows_the_history() -> None:
    history = SimpleNamespace(losses=[], held_out=[])
    curve = LiveCurve(every=0)
    pictures = set()
    with silence():
        for step in range(100):
            history.losses.append(3 / (step + 1))
            if step % 10 == 9:
                history.held_out.append((step + 1, 4 / (step + 1)))
            curve(step, history)
            pictures.add(curve.png)
    assert len(pictures) > 50
    assert curve.says == f"Step 100: loss {np.mean(history.losses[-10:]):.3f}, from 3.000 at the first; held out 0.040."
    bottom, top = curve._axes.get_ylim()
    assert bottom <= 0.03 and top >= 4 / 10
    assert list(curve.artists["held out"].get_xdata()) == list(range(10, 101, 10))


def test_a_run_that_diverges_is_told_and_drawn_without_a_warning() -> None:
    curve = LiveCurve(every=0)
    with silence():
        curve(5, SimpleNamespace(losses=[1.0, 1e30, 1e300, float("inf"), float("nan"), float("nan")]))
    assert curve.says == "Step 6: loss is not a number since step 4: the training has diverged."


def test_log_axis_and_a_long_run() -> None:
    curve = LiveCurve("error", every=0, log=True)
    with silence():
        curve(0, SimpleNamespace(losses=list(np.geomspace(10, 1e-6, 100_000))))
        curve(1, SimpleNamespace(losses=[1.0, 0.0]))
    assert curve._axes.get_yscale() == "log" and len(curve.artists["each"].get_xdata()) == 2


def test_pictures_take_a_small_share_of_the_time() -> None:
    curve, history, drawn = LiveCurve(every=60), SimpleNamespace(losses=[1.0]), []
    update = curve.update
    curve.update = lambda: (drawn.append(1), update())  # type: ignore[method-assign]
    for step in range(1000):
        curve(step, history)
    assert len(drawn) == 1


def test_running_mean_equals_the_mean_of_a_window() -> None:
    losses = np.random.default_rng(0).random(400)
    expected = [losses[max(0, end - 25) : end].mean() for end in range(1, 401)]
    assert np.allclose(running_mean(losses), expected)


def test_in_a_notebook_the_cell_keeps_the_last_picture() -> None:
    train = """
from types import SimpleNamespace
from course_utils.explorers import LiveCurve
history, curve = SimpleNamespace(losses=[]), LiveCurve(every=0)
for step in range(30):
    history.losses.append(1 / (step + 1))
    curve(step, history)
"""
    interrupted = "history.losses.append(0.5); curve(30, history); raise KeyboardInterrupt"
    cells = [nbformat.v4.new_code_cell(train), nbformat.v4.new_code_cell(interrupted)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, allow_errors=True, kernel_name="python3").execute()
    for cell, step in zip(notebook.cells, (30, 31), strict=True):
        pictures = [output for output in cell.outputs if output.output_type == "display_data"]
        assert len(pictures) == 1, cell.outputs
        assert pictures[0].metadata["image/png"]["alt"].startswith(f"Step {step}:")
        assert pictures[0].data["text/plain"] == "LiveCurve: a curve that training draws"
    assert not [output for output in notebook.cells[0].outputs if output.output_type in ("error", "stream")]


@pytest.mark.parametrize("label", ["$x^{$", "\ud800", "日本", "<script>"])
def test_any_label_is_drawn(label: str) -> None:
    curve = LiveCurve(label, every=0)
    with silence():
        curve(0, SimpleNamespace(losses=[1.0]))
    assert curve.says.endswith("1.000, from 1.000 at the first.")


@pytest.mark.parametrize("log", [False, True])
def test_losses_near_the_largest_number_are_drawn_and_training_goes_on(log: bool) -> None:
    curve = LiveCurve(every=0, log=log)
    with silence():
        curve(0, SimpleNamespace(losses=[1e308, 1.7e308, -1.7e308, 1e-320, 1.0] * 9, held_out=[(3, 1.7e308)]))
    assert curve.says.startswith("Step 45: loss")
