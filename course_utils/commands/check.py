"""``python -m course_utils check`` (``make check``): the developer's loop, under three minutes."""

import os
import subprocess
import sys
from collections.abc import Sequence

from course_utils import assets
from course_utils.commands import lint
from course_utils.commands.test import SIDE_BY_SIDE, one_thread

QUICK = ("-m", "not slow", "tests", "course_utils", "--ignore=tests/browser", "--ignore=tests/parity")


def run(extra: Sequence[str]) -> int:
    """Lint, then every test that is quick, so no browser and no notebook; ``extra`` goes to pytest."""
    if code := lint.run():
        return code
    command = [sys.executable, "-m", "pytest", "-q", *SIDE_BY_SIDE, *QUICK, *extra]
    return subprocess.call(command, cwd=assets.project_folder(), env=one_thread(dict(os.environ)))
