"""The installation check tells what is missing and what to do about it."""

from collections import namedtuple
from importlib import metadata

from course_utils import assets
from course_utils.practice import installation


def test_a_whole_installation_is_said_to_be_whole():
    found = installation.check_installation()
    assert found.good and repr(found).startswith("Everything the course needs is here. If a box has said NameError,")
    assert "run the boxes above it" in repr(found)
    assert repr(found) in found._repr_html_()
    assert {finding.what for finding in found.findings} == {"Python", "disk", *installation.NEEDED, *assets.manifest()}


def test_a_missing_asset_is_named_with_the_command_that_fetches_it(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_ASSETS", str(tmp_path / "empty" / "deeper"))
    found = installation.check_installation()
    assert not found.good
    assert "shakespeare: not here yet; in a terminal, run python -m course_utils.assets fetch shakespeare" in repr(
        found
    )
    assert "Mend the rows marked ✗" in found._repr_html_()


def test_a_missing_package_and_a_full_disk_are_named(monkeypatch):
    def version(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(installation.metadata, "version", version)
    usage = namedtuple("usage", "total used free")(10, 9, 1)
    monkeypatch.setattr(installation.shutil, "disk_usage", lambda folder: usage)
    words = repr(installation.check_installation())
    assert "torch: not installed" in words and "disk: 0 GB free, and the course wants 2 GB: make some room" in words


def test_a_package_that_does_not_start_is_named(monkeypatch):
    def start(name):
        if name == "torch":
            raise OSError("wrong <processor>")

    monkeypatch.setattr(installation.importlib, "import_module", start)
    found = installation.check_installation()
    assert not found.good and "it does not start (wrong <processor>): run make lab again" in repr(found)
    assert "wrong &lt;processor&gt;" in found._repr_html_()


def test_only_a_live_page_says_that_pictures_work():
    bundle = installation.check_installation()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    still = bundle["text/html"]
    assert "press Shift and Enter" in still and "they work" not in still
    assert "<td>…</td>" in still and "✗" not in still, "nothing is missing, so no row may say so"


def test_text_is_escaped(monkeypatch):
    monkeypatch.setattr(installation, "_python", lambda: installation.Finding(True, "<script>", "<b>"))
    assert "<script>" not in installation.check_installation()._repr_html_()
