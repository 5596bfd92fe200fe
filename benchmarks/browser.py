"""Key press on a slider to new pixels on the screen, in JupyterLab in a headless browser.

The clock runs inside the page: from the ``keydown`` event until the frame that holds the new, decoded picture has been
painted. Nothing but the explorer is in the notebook, and no model runs.
"""

import statistics
import sys
import tempfile
from pathlib import Path

import nbformat

from course_utils.commands.browser import find_browser

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.browser.lab import VIEWPORT, Lab, chromium, server

PRESSES = 60
WARM_UP = 10
MEDIAN_GOAL, P95_GOAL = 60.0, 90.0  # milliseconds

EXPLORER = """
from course_utils.explorers import TemperatureExplorer
from course_utils.models import pretrained

TemperatureExplorer(*pretrained.load("smollm2-135m-instruct"))
"""

# Resolves with the milliseconds from the next keydown to the end of the frame that paints the new picture: a message
# posted in an animation frame's callback arrives once that frame is painted.
TIMER = """handle => new Promise(resolve => {
    const explorer = handle.closest('.jp-OutputArea-output');
    handle.addEventListener('keydown', () => {
        const pressed = performance.now();
        const observer = new MutationObserver(async () => {
            const image = explorer.querySelector('img');
            if (!image || image.src === before) return;
            observer.disconnect();
            await image.decode();
            const painted = new MessageChannel();
            painted.port1.onmessage = () => resolve(performance.now() - pressed);
            requestAnimationFrame(() => painted.port2.postMessage(0));
        });
        const before = explorer.querySelector('img').src;
        observer.observe(explorer, {subtree: true, childList: true, attributes: true, attributeFilter: ['src']});
    }, {once: true, capture: true});
})"""


def measure(lab: Lab) -> list[float]:
    """Milliseconds for each key press after the warm-up."""
    (explorer,) = lab.explorers()
    explorer.show()
    slider = explorer.slider("temperature")
    slider.focus()
    handle = slider.element_handle()
    times = []
    for press in range(WARM_UP + PRESSES):
        lab.page.evaluate("([handle, timer]) => { window.took = eval(timer)(handle) }", [handle, TIMER])
        lab.page.keyboard.press("ArrowRight" if press // 20 % 2 == 0 else "ArrowLeft")
        times.append(lab.page.evaluate("() => window.took"))
        lab.page.wait_for_timeout(60)  # a hand is no faster
    return times[WARM_UP:]


def main() -> int:
    """Prints one row of a table; the exit status is 1 if a goal was missed."""
    executable = find_browser()
    if executable is None:
        print("This benchmark needs Chromium, Chrome or Edge.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "notebooks").mkdir()
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(EXPLORER.strip())])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, home / "notebooks" / "bars.ipynb")
        with server(home, home) as address, chromium(executable) as browser:
            lab = Lab(browser.new_page(viewport=VIEWPORT), address, home)
            lab.open("bars.ipynb")
            lab.run_all()
            times = sorted(measure(lab))
    median, p95 = statistics.median(times), times[round(0.95 * (len(times) - 1))]
    print("| key press to new pixels | median | 95 of 100 within | slowest | goal |")
    print("|---|---|---|---|---|")
    goal = f"{MEDIAN_GOAL:.0f} ms, {P95_GOAL:.0f} ms"
    print(f"| {len(times)} presses | {median:.0f} ms | {p95:.0f} ms | {times[-1]:.0f} ms | {goal} |")
    return int(median > MEDIAN_GOAL or p95 > P95_GOAL)


if __name__ == "__main__":
    sys.exit(main())
