"""What lesson 00 promises to someone whose installation is broken."""

import subprocess
import sys

from course_utils import assets
from course_utils.commands import notebooks

PAGE = assets.project_folder() / "notebooks" / "00_start_here.ipynb"


def test_the_last_box_says_what_is_missing_where_no_box_before_it_ran():
    [cell] = [cell for cell in notebooks.read(PAGE).cells if cell.id == "check"]
    *lines, last = cell.source.splitlines()
    source = "\n".join(["import sys", "sys.modules['torch'] = None  # import torch fails", *lines, f"print({last})"])
    ran = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("torch: version ") and "run make lab again" in ran.stdout
