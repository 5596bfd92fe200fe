"""JupyterLab as a learner meets it: started by ``python -m course_utils lab``, driven in a headless browser."""

import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Locator, Page, sync_playwright

VIEWPORT = {"width": 1366, "height": 768}  # a small laptop, a school's projector
HIGHEST = 640  # pixels of height for an explorer: a notebook has 647 in such a window
BROWSER_OPTIONS = [
    "--no-sandbox",  # a container's root cannot have Chromium's sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TOKEN = "a-token-for-the-tests"

# What of an explorer is cut off or stands beyond its right side. Fields to type in and lists that scroll are left out.
CUT = """explorer => {
    const all = [...explorer.querySelectorAll("*")].filter((part) => part.checkVisibility({visibilityProperty: true}));
    const name = (part) => `${part.tagName.toLowerCase()}.${part.className} "${(part.innerText ?? "").slice(0, 40)}"`;
    const right = explorer.getBoundingClientRect().right + 1, brush = document.createElement("canvas").getContext("2d");
    const found = [];
    for (const part of all) {
        if (part.getBoundingClientRect().right > right) found.push(`${name(part)} stands beyond the right side`);
        if (part.matches("select, button")) {
            brush.font = getComputedStyle(part).font;
            const words = part.matches("select") ? part.selectedOptions[0]?.text ?? "" : part.innerText;
            const wide = brush.measureText(words).width + 20;  // an arrow, or air at both sides
            if (wide > part.clientWidth + 1) found.push(`${words} is cut: ${wide} wide in ${part.clientWidth}`);
        } else if (part.matches("input:not(.widget-readout), textarea")) continue;
        else if (part.clientWidth && part.scrollWidth > part.clientWidth + 1)
            found.push(`${name(part)} is ${part.scrollWidth} wide in ${part.clientWidth}`);
    }
    for (const part of explorer.querySelectorAll(".course-caption, .course-tour, .course-status"))
        if (part.scrollHeight > part.clientHeight + 1)
            found.push(`${name(part)} is ${part.scrollHeight} high in ${part.clientHeight}`);
    return found;
}"""

# Words of an explorer that are hard to read: their contrast to what they stand on is below 3 (WCAG 2.2, 1.4.3).
FAINT = """explorer => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => {
        const [r, g, b] = numbers(colour).slice(0, 3).map((c) => c / 255 <= 0.04045 ? c / 255 / 12.92
            : ((c / 255 + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (part) => {
        for (; part; part = part.parentElement) {
            const colour = getComputedStyle(part).backgroundColor;
            if ((numbers(colour)[3] ?? 1) > 0.5) return colour;
        }
        return "rgb(255, 255, 255)";
    };
    const found = [];
    for (const part of explorer.querySelectorAll("*")) {
        const own = [...part.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
        const locked = part.closest("[disabled], .widget-inline-hbox:has([disabled])");
        if (locked || !part.checkVisibility({visibilityProperty: true})) continue;
        if (!own && !part.matches("input:not([type=range]):not([type=checkbox])")) continue;
        const [one, other] = [light(getComputedStyle(part).color), light(behind(part))].sort((a, b) => b - a);
        const contrast = (one + 0.05) / (other + 0.05);
        if (contrast < 3) found.push(`${(part.innerText || part.className).slice(0, 40)}: ${contrast.toFixed(1)}`);
    }
    return found;
}"""

# The notebook in front, its cells and its kernel, as JupyterLab itself knows them: cells out of sight count too.
PANEL = "window.jupyterapp?.shell?.currentWidget"
CELLS = f"""() => {PANEL}.content.widgets.map(cell => ({{
    type: cell.model.type,
    source: cell.model.sharedModel.getSource(),
    running: cell.model.executionState === 'running',
    count: cell.model.type === 'code' ? cell.model.executionCount : null,
    outputs: cell.model.type === 'code' ? cell.model.outputs.toJSON() : [],
}}))"""
READY = f"{PANEL}?.context?.isReady && !document.querySelector('.jp-NotebookPanel .jp-Spinner')"
KERNEL = f"() => {PANEL}?.sessionContext?.session?.kernel?.status ?? 'none'"


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def server(folder: Path, home: Path) -> Iterator[str]:
    """``python -m course_utils lab`` on ``folder``; settings, trust and progress in ``home``; gives its address."""
    port = free_port()
    environment = {
        **os.environ,
        "ASSETS": "later",  # the test command has fetched them; a notebook asks for its own
        "COURSE_PROGRESS": str(home / "progress.json"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
    }
    command = [sys.executable, "-m", "course_utils", "lab", "--no-browser", f"--ServerApp.port={port}"]
    command += [f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={TOKEN}"]
    command += ["--LabApp.expose_app_in_browser=True"]
    home.mkdir(parents=True, exist_ok=True)
    log = home / "server.log"
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            command, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/api?token={TOKEN}", process, log)
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)  # the server and its kernels, which this function started
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(address: str, process: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    """Waits until the server answers; its own log is the message if it ends instead."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, f"JupyterLab ended at once:\n{log.read_text(encoding='utf-8')}"
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError), urllib.request.urlopen(address):
            return
        time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not answer within {seconds} s:\n{log.read_text(encoding='utf-8')}")


@contextlib.contextmanager
def chromium(executable: str) -> Iterator[Browser]:
    """A headless browser without a profile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=BROWSER_OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Lab:
    """One JupyterLab window: open a notebook, run it, turn its sliders, look at its pictures."""

    page: Page
    address: str
    artefacts: Path
    console: list[str] = field(default_factory=list)  # what the browser's console called an error

    def __post_init__(self) -> None:
        self.page.set_default_timeout(30_000)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.console.append(f"uncaught: {error}"))

    def _heard(self, message: object) -> None:
        if message.type == "error":
            self.console.append(f"{message.text} ({message.location.get('url', '')})")

    # ------------------------------------------------------------ opening and running

    def open(self, notebook: str) -> None:
        """Opens a notebook as its address does, alone in the window, and waits until its cells are there."""
        self.page.goto(f"{self.address}/lab/tree/notebooks/{notebook}?reset&token={TOKEN}")
        opened = f"path => {PANEL}?.context?.path === path && {READY}"
        self.page.wait_for_function(opened, arg=f"notebooks/{notebook}", timeout=60_000)

    def goto_front_door(self) -> None:
        """Opens the server's own address, as the browser does that ``lab`` starts."""
        self.page.goto(f"{self.address}/?token={TOKEN}")
        self.page.wait_for_function(f"() => {READY}", timeout=60_000)

    def front(self) -> str:
        """The file name of the notebook in front."""
        return self.page.evaluate(f"() => {PANEL}.context.path").removeprefix("notebooks/")

    def trusted(self) -> bool:
        """Whether JupyterLab trusts every cell of the notebook in front."""
        return self.page.evaluate(f"() => {PANEL}.content.widgets.every(cell => cell.model.trusted)")

    def save(self) -> None:
        """Saves the notebook in front."""
        self.page.evaluate(f"() => {PANEL}.context.save()")

    def menu(self, menu: str, item: str) -> None:
        """Chooses an item of a menu, as a hand with a mouse does."""
        self.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{menu}$")).click()
        self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{re.escape(item)}$")).click()

    def wait_for_kernel(self, seconds: float = 60) -> None:
        """Waits for a kernel that has nothing to do."""
        self.page.wait_for_function(f"() => ({KERNEL})() === 'idle'", timeout=seconds * 1000)

    def run_all(self, seconds: float = 180) -> float:
        """Run All through the menu; waits for the last cell and returns the seconds it took."""
        self.wait_for_kernel()
        began = time.monotonic()
        self.menu("Run", "Run All Cells")
        self.wait_until_run(seconds)
        return time.monotonic() - began

    def wait_until_run(self, seconds: float = 180) -> None:
        """Waits until every code cell with something in it has run and the kernel is idle."""
        end = time.monotonic() + seconds
        while True:
            waiting = [
                cell
                for cell in self.cells()
                if cell["type"] == "code" and cell["source"].strip() and (cell["running"] or cell["count"] is None)
            ]
            if not waiting and self.page.evaluate(KERNEL) == "idle":
                return
            if time.monotonic() > end:
                raise AssertionError(f"after {seconds:.0f} s still not run: {waiting[:1]}\n{self.why_stuck()}")
            self.page.wait_for_timeout(200)

    def why_stuck(self) -> str:
        """What the browser and the server know of a cell that does not end; the kernel is aborted for its tracebacks.

        ipykernel has Python print every thread's lines on such a signal, into the server's log.
        """
        status = f"kernel {self.page.evaluate(KERNEL)}, {self.page.locator('.jp-Dialog').all_inner_texts()}"
        port = urllib.parse.urlsplit(self.address).port
        servers = [each for each in psutil.process_iter() if f"--ServerApp.port={port}" in each.cmdline()]
        kernels = [each for server in servers for each in server.children() if "ipykernel_launcher" in each.cmdline()]
        used = [f"kernel {each.pid} {each.status()}: {each.cpu_times()}, {each.memory_info()}" for each in kernels]
        for each in kernels:
            each.send_signal(signal.SIGABRT)
        time.sleep(2)
        logs = [Path(each.environ()["JUPYTER_RUNTIME_DIR"]).parent / "server.log" for each in servers]
        return "\n".join([status, *used, *(log.read_text(encoding="utf-8")[-6000:] for log in logs), *self.console])

    def running(self) -> bool:
        """Whether a cell is running. (The kernel's own state says idle as soon as a slider was answered meanwhile.)"""
        return any(cell["running"] for cell in self.cells())

    def wait_until_running(self) -> None:
        """Waits until the kernel is at work on a cell."""
        self.page.wait_for_function(f"() => ({KERNEL})() === 'busy'")

    def shut_kernel(self) -> None:
        """Ends the kernel of the notebook in front, if it has one."""
        self.page.evaluate(f"() => {PANEL}?.sessionContext?.shutdown()")

    def append_and_run(self, source: str) -> None:
        """Adds a code cell at the end and runs it as Shift-Enter does, without waiting for it."""
        self.page.evaluate(
            f"""source => {{
                const panel = {PANEL}, model = panel.content.model.sharedModel;
                model.insertCell(model.cells.length, {{cell_type: 'code', source}});
                panel.content.activeCellIndex = model.cells.length - 1;
                window.jupyterapp.commands.execute('notebook:run-cell');
            }}""",
            source,
        )

    def run_added(self, source: str, seconds: float = 60) -> "ExplorerView":
        """Adds a cell that shows one explorer, runs it, and gives that explorer."""
        self.append_and_run(source)
        last = f"{PANEL}.content.widgets.at(-1)"
        self.page.wait_for_function(f"() => {last}.node.querySelector('.course-explorer img')", timeout=seconds * 1000)
        self.page.evaluate(f"() => {last}.node.classList.add('added-by-a-test')")
        view = ExplorerView(self, self.page.locator(".added-by-a-test .jp-OutputArea-output:has(.course-explorer)"))
        view.show()
        return view

    def remove_cells_from(self, first: int) -> None:
        """Takes the cells from this place on out of the notebook."""
        self.page.evaluate(
            f"first => {{ const model = {PANEL}.content.model.sharedModel;"
            " if (model.cells.length > first) model.deleteCellRange(first, model.cells.length); }",
            first,
        )

    def check(self) -> None:
        """After Run All: no cell failed, and every explorer has a picture, words for it, and a sentence under it."""
        assert self.errors() == []
        explorers = self.explorers()
        texts = self.page.locator(".course-explorer")  # an explorer may be a text, without a picture
        assert explorers or texts.count(), "no explorer is on the page"
        for number, explorer in enumerate(explorers):
            explorer.screenshot(f"{self.front().removesuffix('.ipynb')}-explorer-{number}")
            assert explorer.alt(), "the picture has no text for those who cannot see it"
            assert explorer.caption().strip(), "the picture has no sentence under it"
        assert self.console == []

    def stop(self) -> None:
        """Presses the toolbar's stop button."""
        self.page.locator("[data-command='notebook:interrupt-kernel']").locator("visible=true").first.click()

    def cells(self) -> list[dict]:
        """Every cell: its type, source, execution count, whether it is running, its outputs."""
        return self.page.evaluate(CELLS)

    def errors(self) -> list[str]:
        """The errors that cells ended with."""
        return [
            f"cell {number}: {output['ename']}: {output['evalue']}"
            for number, cell in enumerate(self.cells())
            for output in cell["outputs"]
            if output["output_type"] == "error"
        ]

    # ------------------------------------------------------------ explorers

    def explorers(self) -> list["ExplorerView"]:
        """The explorers on the page, pictures and texts, each one output; a `LiveCurve` has no controls and is none."""
        self._draw_everything()
        outputs = self.page.locator(".jp-OutputArea-output:has(.course-explorer)")
        return [ExplorerView(self, outputs.nth(index)) for index in range(outputs.count())]

    def stills(self) -> list[dict]:
        """The pictures that stand in the outputs as images: their text and size on the screen."""
        self._draw_everything()
        return self.page.locator(".jp-OutputArea-output.jp-RenderedImage img").evaluate_all(
            "images => images.map(image => ({alt: image.alt, width: image.clientWidth, height: image.clientHeight}))"
        )

    def _draw_everything(self) -> None:
        """Scrolls through the notebook once: JupyterLab draws a cell only when it comes into sight."""
        count = len(self.cells())
        for index in range(count):
            self.page.evaluate(f"index => {PANEL}.content.scrollToItem(index, 'auto')", index)
            self.page.wait_for_timeout(40)

    def resize(self, zoom: float = 1.0, column: float | None = None) -> None:
        """Gives the page as many pixels as the browser's zoom leaves of 1366 x 768, or ``column`` to each output."""
        width, height = (round(VIEWPORT[side] / zoom) for side in ("width", "height"))
        if column:
            width += round(column - self.column())
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.wait_for_timeout(300)  # JupyterLab lays out its panels

    def column(self) -> float:
        """The width of an output."""
        return self.page.locator(".jp-OutputArea-output:visible").first.bounding_box()["width"]

    def dark(self, dark: bool = True) -> None:
        """Chooses JupyterLab's dark theme, or the light one."""
        theme = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
        self.page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light", arg="false" if dark else "true"
        )

    def screenshot(self, name: str) -> Path:
        """A picture of the window in ``artefacts/``."""
        self.artefacts.mkdir(parents=True, exist_ok=True)
        file = self.artefacts / f"{name}.png"
        self.page.screenshot(path=file)
        return file


@dataclass
class ExplorerView:
    """One explorer on the page."""

    lab: Lab
    output: Locator

    @property
    def image(self) -> Locator:
        """The picture."""
        return self.output.locator("img").first

    @property
    def body(self) -> Locator:
        """The picture, or the text of an explorer that writes."""
        return self.output.locator("img, .course-text").first

    def show(self) -> None:
        """Scrolls to it."""
        self.body.scroll_into_view_if_needed()

    def pixels(self) -> str:
        """A hash of the picture's pixels as the browser decoded them."""
        shown = self.image.evaluate(
            """async image => {
                await image.decode();
                const canvas = document.createElement('canvas');
                canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
                canvas.getContext('2d').drawImage(image, 0, 0);
                return canvas.toDataURL();
            }"""
        )
        return hashlib.sha256(shown.encode()).hexdigest()

    def wait_for_new_pixels(self, before: str, seconds: float = 15) -> str:
        """Waits until the picture differs from ``before`` and its sentence is there too; returns the new hash.

        Picture and sentence arrive in two messages; the picture's text is the sentence that belongs to it.
        """
        end = time.monotonic() + seconds
        while (now := self.pixels()) == before:
            assert time.monotonic() < end, f"the picture did not change within {seconds} s"
            self.lab.page.wait_for_timeout(30)
        while one_line(self.alt()) != one_line(self.caption()):
            assert time.monotonic() < end, f"the picture says {self.alt()!r} and the caption {self.caption()!r}"
            self.lab.page.wait_for_timeout(30)
        return now

    def height(self) -> float:
        """The height of the whole explorer on the screen, in pixels."""
        return self.output.bounding_box()["height"]

    def cut(self) -> list[str]:
        """What of it is cut off or stands beyond its right side."""
        self.show()
        return self.output.locator(".course-explorer").evaluate(CUT)

    def faint(self) -> list[str]:
        """Words of it that are hard to read on what they stand on."""
        return self.output.locator(".course-explorer").evaluate(FAINT)

    def alt(self) -> str:
        """What a screen reader says of the picture; a text says itself what it shows, so this is its caption."""
        if self.output.locator("img").count():
            return self.image.get_attribute("alt") or ""
        self.show()
        return one_line(self.caption())

    def caption(self, seconds: float = 15) -> str:
        """The sentence under the picture, which a screen reader reads when it changes."""
        line, end = self.output.locator(".course-caption[aria-live]").first, time.monotonic() + seconds
        while not (said := line.inner_text()):  # a cell that comes into sight is drawn before its words
            assert time.monotonic() < end, f"no caption within {seconds} s"
            self.lab.page.wait_for_timeout(30)
        return said

    def wait_for_number(self, number: float, seconds: float = 15) -> None:
        """Waits until the caption says this number."""
        end = time.monotonic() + seconds
        while number not in numbers(self.caption()):
            assert time.monotonic() < end, f"{number} does not stand in the caption: {self.caption()}"
            self.lab.page.wait_for_timeout(30)

    def slider_value(self, label: str) -> float:
        """Where a slider stands, as the number beside it says."""
        return float(self.row(label).locator(".widget-readout").input_value())

    def row(self, label: str) -> Locator:
        """The slider with this label: its handle with all that stands beside it."""
        return self.slider(label).locator("xpath=ancestor::*[contains(@class, 'course-slider')][1]")

    def slider(self, label: str) -> Locator:
        """The handle of the slider with this label."""
        return self.output.locator(handle(label))

    def locked(self, label: str) -> bool:
        """Whether this slider cannot be moved, because a prediction comes first."""
        return self.row(label).locator("[disabled]").count() > 0

    def wait_until_free(self, label: str, seconds: float = 15) -> None:
        """Waits until this slider can be moved: the kernel unlocks it after the answer to a prediction."""
        end = time.monotonic() + seconds
        while self.locked(label):
            assert time.monotonic() < end, f"{label} is still locked after {seconds} s"
            self.lab.page.wait_for_timeout(30)

    def press(self, label: str, key: str, times: int = 1) -> None:
        """Puts the keyboard on a slider that can be moved, waiting until it can, and presses a key."""
        self.wait_until_free(label)
        self.slider(label).focus()
        for _ in range(times):
            self.lab.page.keyboard.press(key)

    def screenshot(self, name: str) -> None:
        """A picture of this explorer in ``artefacts/``."""
        self.lab.artefacts.mkdir(parents=True, exist_ok=True)
        self.show()
        self.output.screenshot(path=self.lab.artefacts / f"{name}.png")


def handle(label: str) -> str:
    """Where to find a slider's handle: by how the name begins that a screen reader says, in capitals or not."""
    return f'.course-slider input[type=range][aria-label^="{label}" i]'


def one_line(text: str) -> str:
    r"""The text with each run of white space as one space.

    >>> one_line(" two\n words ")
    'two words'
    """
    return " ".join(text.split())


def numbers(sentence: str) -> list[float]:
    """The numbers in a caption.

    >>> numbers("at temperature 0.20 the entropy is 1.5 bits")
    [0.2, 1.5]
    """
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", sentence)]


def read_notebook(file: Path) -> dict:
    """A notebook file as JSON."""
    return json.loads(file.read_text(encoding="utf-8"))
