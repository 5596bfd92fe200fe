"""Whether ``labextensions/course-picture-text`` is still needed: it does by hand what JupyterLab leaves out."""

import re
from pathlib import Path

from jupyterlab.commands import get_app_dir


def test_jupyterlab_still_draws_a_stored_picture_without_its_alternative_text() -> None:
    bundles = Path(get_app_dir(), "static").glob("*.js")
    texts = [bundle.read_text(encoding="utf-8", errors="ignore") for bundle in bundles]
    drawing = [
        found
        for text in texts
        for found in re.findall(r'createElement\("img"\).{0,600}?"jp-needs-light-background"', text, re.DOTALL)
    ]
    assert drawing, "JupyterLab draws stored pictures in another way now: look how, and mend this test"
    assert not any(".alt" in found for found in drawing), (
        "JupyterLab sets the alternative text by itself: if it takes it from the output's metadata, delete "
        "course_utils/labextensions and the option that names it in the launcher"
    )
