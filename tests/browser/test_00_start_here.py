"""Notebook 00 in JupyterLab, by keyboard and mouse: what a newcomer does in the first two minutes."""

import json
from pathlib import Path

from course_utils.stopping import SENTENCE
from tests.browser.lab import PANEL, ExplorerView, Lab, numbers, read_notebook

NOTEBOOK = "00_start_here.ipynb"
WAKE = "This is a still. Run this box to make it live."
LONG_CELL = "import time\nfor _ in range(1200):\n    time.sleep(0.1)"


def temperature(lab: Lab) -> ExplorerView:
    """The first explorer with a temperature."""
    return next(explorer for explorer in lab.explorers() if explorer.slider("temperature").count())


def test_the_address_of_the_server_opens_notebook_00_and_nothing_pops_up(untrusted: Lab) -> None:
    untrusted.goto_front_door()
    assert untrusted.front() == NOTEBOOK
    untrusted.wait_for_kernel()
    untrusted.page.wait_for_timeout(3000)  # the question about news came within two seconds where it was not off
    assert untrusted.page.locator(".jp-Dialog, .Toastify__toast").count() == 0
    assert untrusted.console == []


def test_a_slider_moved_by_keyboard_changes_picture_and_caption_and_nothing_jumps(lab: Lab) -> None:
    explorer = temperature(lab)
    explorer.show()
    height, seen = explorer.height(), explorer.pixels()
    lab.screenshot("00_start_here")
    for key in ("ArrowLeft", "ArrowLeft", "ArrowRight", "Home", "End"):
        explorer.press("temperature", key)
        seen = explorer.wait_for_new_pixels(seen)
        explorer.wait_for_number(explorer.slider_value("temperature"))
        assert explorer.height() == height
    assert explorer.slider_value("temperature") in numbers(explorer.alt()), "the picture's text lags behind"
    assert lab.errors() == [] and lab.console == []
    explorer.screenshot("00-hottest")


def test_stop_ends_a_running_cell_and_the_kernel_and_the_slider_live_on(lab: Lab) -> None:
    explorer = temperature(lab)
    lab.append_and_run(LONG_CELL)
    lab.wait_until_running()
    explorer.show()
    before = explorer.pixels()
    explorer.press("temperature", "ArrowLeft", times=3)
    explorer.wait_for_new_pixels(before)  # although the cell is still running
    assert lab.running(), "the long cell was over before the slider moved"
    lab.stop()
    lab.wait_until_run(30)
    assert lab.errors() == []
    assert SENTENCE in "".join(output.get("text", "") for output in lab.cells()[-1]["outputs"])

    lab.append_and_run("print(6 * 7)")
    lab.wait_until_run(30)
    assert lab.cells()[-1]["outputs"][0]["text"].strip() == "42"
    before = explorer.pixels()
    explorer.press("temperature", "ArrowRight")
    explorer.wait_for_new_pixels(before)
    assert lab.console == []


def test_printed_words_are_not_broken_in_the_middle(lab: Lab) -> None:
    lab.append_and_run("print('word ' * 60)")
    lab.wait_until_run(30)
    printed = lab.page.locator(".jp-OutputArea-output pre", has_text="word word").last
    assert printed.evaluate("text => getComputedStyle(text).wordBreak") == "normal"
    assert printed.evaluate("text => text.clientHeight > 20 && text.scrollWidth <= text.clientWidth"), "it must wrap"


def test_a_progress_bar_is_not_painted_as_an_error(lab: Lab) -> None:
    lab.append_and_run(
        "from course_utils.bars import progress_bar\nfor _ in progress_bar(range(3), disable=False):\n    pass"
    )
    lab.wait_until_run(30)
    assert {output.get("name") for output in lab.cells()[-1]["outputs"]} == {"stdout"}


def test_a_link_of_the_map_opens_a_tab_and_a_closed_page_asks_what_the_lesson_says(
    untrusted: Lab, project: Path
) -> None:
    source = "\n".join(
        text for cell in read_notebook(project / "notebooks" / NOTEBOOK)["cells"] for text in cell["source"]
    )
    untrusted.open(NOTEBOOK)
    untrusted.wait_for_kernel()
    untrusted.page.wait_for_timeout(2000)  # the page counts as changed as soon as its kernel has said its version
    untrusted.page.get_by_role("link", name="01 · Models and loss").last.click()
    tab = untrusted.page.locator(".lm-TabBar-tab", has_text=NOTEBOOK)
    untrusted.page.locator(".lm-TabBar-tab", has_text="01_models_and_loss.ipynb").wait_for()
    tab.locator(".lm-TabBar-tabCloseIcon").click()
    buttons = untrusted.page.locator(".jp-Dialog button").all_inner_texts()
    assert {"Discard", "Save"} <= set(buttons) and "**Save**" in source and "**Discard**" in source
    untrusted.page.locator(".jp-Dialog button", has_text="Cancel").click()
    assert tab.count() == 1


def test_saving_keeps_the_stills_and_no_widget_views(lab: Lab, home: Path) -> None:
    lab.save()
    saved = read_notebook(home / "notebooks" / NOTEBOOK)
    assert "application/vnd.jupyter.widget" not in json.dumps(saved)
    assert "widgets" not in saved["metadata"]
    outputs = [output for cell in saved["cells"] for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_untrusted_and_never_run_it_shows_its_stills_with_text(untrusted: Lab, project: Path) -> None:
    committed = read_notebook(project / "notebooks" / NOTEBOOK)
    stills = [
        output["metadata"]["image/png"]["alt"]
        for cell in committed["cells"]
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert stills, "the committed notebook has no stills"
    untrusted.open(NOTEBOOK)
    assert not untrusted.trusted()
    shown = untrusted.stills()
    assert [still["alt"] for still in shown] == stills
    assert untrusted.page.locator(".course-asleep").all_text_contents() == [WAKE] * len(stills)
    assert all(still["width"] > 200 and still["height"] > 50 for still in shown)
    assert untrusted.page.locator(".jp-OutputArea-output .jupyter-widgets").count() == 0
    untrusted.screenshot("00-untrusted")
    assert untrusted.console == []


def test_after_a_restart_an_explorer_says_how_to_wake_it(untrusted: Lab) -> None:
    untrusted.open(NOTEBOOK)
    untrusted.wait_for_kernel()
    view = untrusted.run_added("from course_utils.explorers.neurons import NeuronExplorer\nNeuronExplorer()")
    untrusted.page.evaluate(f"() => {PANEL}.sessionContext.session.kernel.restart()")
    said = view.output.locator(".course-status [role=alert]")
    said.wait_for()
    assert (
        said.inner_text() == "The kernel that drew this is gone. Run the boxes above, then this box, to make it live."
    )
    view.screenshot("00-after-a-restart")
    untrusted.wait_for_kernel()
    untrusted.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")
    view.output.locator(".course-asleep").wait_for(state="detached")
    seen = view.pixels()
    view.press("bias", "ArrowRight")
    view.wait_for_new_pixels(seen)


def test_jupyterlab_alone_still_draws_pictures_without_their_text(lab: Lab) -> None:
    alt = lab.page.evaluate(
        f"""async () => {{
            const renderer = {PANEL}.content.rendermime.createRenderer('image/jpeg');  // the course draws only PNG
            const metadata = {{'image/jpeg': {{alt: 'a dot'}}}};
            await renderer.renderModel({{data: {{'image/jpeg': ''}}, metadata, trusted: true}});
            return renderer.node.querySelector('img').alt;
        }}"""
    )
    assert alt == "", (
        "JupyterLab gives pictures their text now: remove course_utils/labextensions and its option in lab.py"
    )


def test_a_term_leads_to_its_row_of_the_glossary(untrusted: Lab) -> None:
    untrusted.open("04_backpropagation.ipynb")
    page = untrusted.page
    page.locator(".jp-RenderedMarkdown a[href*='glossary.md']", has_text="neuron").first.click()
    row = page.locator(".jp-MarkdownViewer tr", has=page.get_by_role("cell", name="neuron", exact=True))
    row.wait_for()
    page.wait_for_timeout(500)
    assert row.evaluate(
        "row => { const at = row.getBoundingClientRect(); return at.top >= 0 && at.bottom <= innerHeight }"
    )
