"""``python -m course_utils lab`` (``make lab``): opens the course in JupyterLab."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import MutableMapping, Sequence
from pathlib import Path

from course_utils import assets
from course_utils.commands import CommandError, need, say

# JupyterLab's defaults for a learner: no question about news, no request for updates, text
# pages as pages. They go into a folder of their
# own, below the learner's own settings, which are neither read nor written here.
LAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"markdown": "Markdown Preview"}},  # the glossary
}


def lab_options(folder: Path, settings: Path, extra: Sequence[str]) -> list[str]:
    """The options JupyterLab is started with; any that ``extra`` sets as well is left to ``extra``.

    >>> lab_options(Path("course"), Path("settings"), ["--ServerApp.root_dir=elsewhere", "--no-browser"])[-2:]
    ['--ServerApp.root_dir=elsewhere', '--no-browser']
    """
    options = {
        "--ServerApp.root_dir": str(folder),
        "--LabApp.default_url": "/lab/tree/notebooks/00_start_here.ipynb",
        "--LabApp.app_settings_dir": str(settings),
        # pictures with their text
        "--LabApp.extra_labextensions_path": str(Path(__file__).resolve().parents[1] / "labextensions"),
        "--ContentsManager.pre_save_hook": "course_utils.commands.notebooks.pre_save_hook",
        "--ServerApp.kernel_websocket_connection_class": "course_utils.commands.server.PromptConnection",
    }
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options["--ServerApp.allow_root"] = "True"  # a container's only user; the server still asks for its token
    given = {option.partition("=")[0] for option in extra}
    return [f"{name}={value}" for name, value in options.items() if name not in given] + list(extra)


def run(extra: Sequence[str]) -> int:
    """Fetches the real texts and models, then opens JupyterLab on notebook 00; ``extra`` goes to JupyterLab."""
    project = assets.project_folder()
    need("jupyterlab", "pip install -c constraints.txt -e .")
    if os.environ.get("ASSETS") == "later":
        say("The real texts and models are fetched later, each by the first cell that needs it (ASSETS=later).")
    else:
        fetch_assets(required=False)
    quiet_threads(os.environ)
    from jupyterlab.labapp import LabApp  # imported late: the other commands do without

    with tempfile.TemporaryDirectory(prefix="course-lab-") as folder:
        settings = Path(folder) / "settings"
        settings.mkdir()
        (settings / "overrides.json").write_text(json.dumps(LAB_SETTINGS), encoding="utf-8")
        LabApp.launch_instance(lab_options(project, settings, extra))
    return 0


def fetch_assets(*, required: bool) -> None:
    """Fetches every asset that is not in the cache yet.

    Args:
        required: stop if something could not be fetched; otherwise the notebook that needs it will ask again.

    Raises:
        CommandError: something is missing and ``required``.
    """
    say("Fetching the real texts and models (about 185 MB, once) ...")
    code = subprocess.call([sys.executable, "-m", "course_utils.assets", "fetch", "--all"])
    if code and required:
        raise CommandError("The real texts and models could not all be fetched, and the tests need them: see above.")
    if code:
        say("Some are missing, see above. The notebooks that need them will ask for them again.")


def quiet_threads(environment: MutableMapping[str, str]) -> None:
    """Lets waiting threads sleep: kernel, server and browser share two cores, and a spinning thread starves them."""
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
