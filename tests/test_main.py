"""The commands: the examples in their docstrings (pytest leaves those of a ``__main__`` out), and what they refuse."""

import doctest
import json
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import __main__ as commands
from course_utils import notebooks


def test_the_examples_in_the_docstrings_run() -> None:
    done = doctest.testmod(commands)
    assert done.attempted >= 4 and done.failed == 0


def test_the_map_links_the_notebooks_that_are_there(project: Path, tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "syllabus.toml").write_bytes((project / "notebooks" / "syllabus.toml").read_bytes())
    (tmp_path / "notebooks" / "09_attention.ipynb").write_text("{}", encoding="utf-8")
    lines = commands.course_map(tmp_path).splitlines()
    (linked,) = [line for line in lines if "](notebooks/" in line]
    assert linked.startswith("| 09 | [Attention](notebooks/09_attention.ipynb) |")
    assert sum("*(to come)*" in line for line in lines) == 20


def test_a_readme_without_markers_is_refused() -> None:
    with pytest.raises(commands.CommandError, match="lost the markers"):
        commands.with_map("# Course", "table")


def test_a_notebook_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    with pytest.raises(notebooks.NotebookError, match="'07'"):
        commands.wanted_notebooks(tmp_path, {"NOTEBOOKS": "07"})


def test_the_learners_own_options_replace_the_courses(tmp_path: Path) -> None:
    options = commands.lab_options(tmp_path, tmp_path, ["--LabApp.default_url=/lab", "--port=9999"])
    assert [option for option in options if "default_url" in option] == ["--LabApp.default_url=/lab"]
    assert options[-1] == "--port=9999"
    assert "--ContentsManager.pre_save_hook=course_utils.notebooks.pre_save_hook" in options


def test_the_settings_for_jupyterlab_are_ones_it_knows() -> None:
    schemas = Path(sys.prefix) / "share" / "jupyter" / "lab" / "schemas"
    for plugin, settings in commands.LAB_SETTINGS.items():
        package, _, name = plugin.partition(":")
        schema = json.loads((schemas / package / f"{name}.json").read_text(encoding="utf-8"))
        assert set(settings) <= set(schema["properties"])


@pytest.mark.slow
def test_a_failed_stage_fails_the_whole_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_one.py").write_text("def test_good(): pass\n\ndef test_bad(): assert False\n", encoding="utf-8")
    (tmp_path / "test_two.py").write_text("import time\n\ndef test_endless(): time.sleep(60)\n", encoding="utf-8")
    stages = commands.Stages(tmp_path, [])
    stages.pytest("one", ["test_one.py", "-p", "no:cacheprovider"])
    stages.pytest("two", ["test_two.py", "-p", "no:cacheprovider"], seconds=3)
    stages.pytest("three", ["no_such_file.py", "-p", "no:cacheprovider"])
    assert stages.counts == {"passed": 1, "failed": 3, "skipped": 0}
    assert stages.failures == ["one", "two took longer than 3 s and was stopped", "three"]
    assert "3 failed, 1 passed in" in stages.summary()
    assert "--- three" in capfd.readouterr().out


def test_an_unknown_command_is_refused_in_a_sentence() -> None:
    done = subprocess.run([sys.executable, "-m", "course_utils", "bake"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "invalid choice: 'bake'" in done.stderr
