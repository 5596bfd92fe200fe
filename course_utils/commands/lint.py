"""``python -m course_utils lint`` (``make lint``): style, formatting and types."""

import subprocess
import sys
from collections.abc import Sequence

from course_utils import assets
from course_utils.commands import need, say


def run(_: Sequence[str] = ()) -> int:
    """Ruff over code, tests and notebooks, then mypy over the package; the exit status."""
    need("ruff", "pip install -c constraints.txt -e '.[test]'")
    project = assets.project_folder()
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        say("$ " + " ".join(command))
        if code := subprocess.call([sys.executable, "-m", *command], cwd=project):
            return code
    return 0
