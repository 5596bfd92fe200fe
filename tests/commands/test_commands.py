"""The commands: what each does with its words, what it refuses, and how a run of all tests adds up."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course_utils import __main__ as dispatcher
from course_utils.commands import CommandError, lab, map, notebooks
from course_utils.commands import test as testing
from tests.conftest import notebook_of


def test_the_map_links_the_notebooks_that_are_there(project: Path, tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "syllabus.toml").write_bytes((project / "notebooks" / "syllabus.toml").read_bytes())
    (tmp_path / "notebooks" / "09_attention.ipynb").write_text("{}", encoding="utf-8")
    lines = map.course_map(tmp_path).splitlines()
    (linked,) = [line for line in lines if "](notebooks/" in line]
    assert linked.startswith("| 09 | [Attention](notebooks/09_attention.ipynb) |")
    assert sum("*(to come)*" in line for line in lines) == 22


def test_a_readme_without_markers_is_refused() -> None:
    with pytest.raises(CommandError, match="lost the markers"):
        map.with_map("# Course", "table")


def test_a_notebook_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    with pytest.raises(notebooks.NotebookError, match="'07'"):
        testing.wanted_notebooks(tmp_path, {"NOTEBOOKS": "07"})


def test_the_learners_own_options_replace_the_courses(tmp_path: Path) -> None:
    options = lab.lab_options(tmp_path, tmp_path, ["--LabApp.default_url=/lab", "--port=9999"])
    assert [option for option in options if "default_url" in option] == ["--LabApp.default_url=/lab"]
    assert options[-1] == "--port=9999"
    assert "--ContentsManager.pre_save_hook=course_utils.commands.notebooks.pre_save_hook" in options


def test_the_settings_for_jupyterlab_are_ones_it_knows() -> None:
    schemas = Path(sys.prefix) / "share" / "jupyter" / "lab" / "schemas"
    for plugin, settings in lab.LAB_SETTINGS.items():
        package, _, name = plugin.partition(":")
        schema = json.loads((schemas / package / f"{name}.json").read_text(encoding="utf-8"))
        assert set(settings) <= set(schema["properties"])


@pytest.mark.slow
def test_a_failed_stage_fails_the_whole_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_one.py").write_text("def test_good(): pass\n\ndef test_bad(): assert False\n", encoding="utf-8")
    (tmp_path / "test_two.py").write_text("import time\n\ndef test_endless(): time.sleep(60)\n", encoding="utf-8")
    plain = ["-p", "no:cacheprovider"]
    stages = testing.Stages(tmp_path, [])
    stages.run("one", ["test_one.py", *plain])
    two, again = stages.run_side_by_side([("two", ["test_two.py", *plain], 3), ("again", ["test_one.py", *plain], 60)])
    stages.run("three", ["no_such_file.py", *plain])
    assert "1 failed, 1 passed" in again.output and two.counts["failed"] == 1
    assert stages.counts == {"passed": 2, "failed": 4, "skipped": 0}
    assert stages.failures == ["one", "two took longer than 3 s and was stopped", "again", "three"]
    assert "4 failed, 2 passed in" in stages.summary()
    assert "--- three" in capfd.readouterr().out


@pytest.mark.slow
def test_stages_side_by_side_run_at_the_same_time_and_report_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(testing, "WORKERS", 2)
    meets = "import pathlib, time\n\ndef test_meets():\n    pathlib.Path('{0}').touch()\n"
    meets += "    while not pathlib.Path('{1}').exists(): time.sleep(0.05)\n    time.sleep({2})\n"
    (tmp_path / "test_a.py").write_text(meets.format("a", "b", 1), encoding="utf-8")
    (tmp_path / "test_b.py").write_text(meets.format("b", "a", 0), encoding="utf-8")
    stages = testing.Stages(tmp_path, [])
    named = [(name, [f"test_{name}.py", "-p", "no:cacheprovider"], 60.0) for name in ("a", "b")]
    assert [session.name for session in stages.run_side_by_side(named)] == ["a", "b"]
    assert stages.counts["passed"] == 2 and stages.failures == []


@pytest.mark.parametrize(
    ("file", "case", "number"),
    [
        ("test_lesson_09.py", "", "09"),
        ("test_09_attention.py", "", "09"),
        ("test_rules.py", "09_attention", "09"),
        ("test_lessons.py", "09.2-zip(a)", "09"),
        ("test_lesson_04.py", "0.02-0.725", "04"),
        ("test_rules.py", "", None),
        ("test_lessons.py", "0.02-0.725", None),
    ],
)
def test_a_test_belongs_to_the_notebook_in_its_name(file: str, case: str, number: str | None) -> None:
    assert notebook_of(file, case) == number


@pytest.mark.slow
def test_one_notebook_runs_nothing_of_another(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTEBOOKS", "04")
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    command += ["tests/notebooks", "tests/practice", "tests/browser"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    collected = [line for line in done.stdout.splitlines() if "::" in line]
    for part in (
        "test_rules.py",
        "test_practice_cells.py",
        "test_lesson_04.py",
        "test_04_backpropagation.py",
        "[04.1]",
    ):
        assert any(part in line for line in collected), f"{part} is not among {collected}"
    strangers = [line for line in collected if "04" not in line.partition("::")[0] + line.partition("[")[2]]
    assert strangers == []


def test_help_and_a_map_need_no_torch_and_no_jupyter() -> None:
    code = "import sys; from course_utils import __main__; import course_utils.commands.{}; "
    code += "print(*sorted({'torch', 'numpy', 'jupyterlab', 'playwright', 'matplotlib'} & set(sys.modules)))"
    for command in dispatcher.COMMANDS:
        done = subprocess.run([sys.executable, "-c", code.replace("{}", command, 1)], capture_output=True, text=True)
        assert (done.returncode, done.stdout.strip()) == (0, ""), command


def test_help_names_every_command_and_answers_at_once() -> None:
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "course_utils", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and time.monotonic() - began < 5
    assert all(f"  {name} " in done.stdout for name in dispatcher.COMMANDS)


def test_an_unknown_command_is_refused_in_a_sentence() -> None:
    done = subprocess.run([sys.executable, "-m", "course_utils", "bake"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "invalid choice: 'bake'" in done.stderr


def test_a_problem_is_one_sentence_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatcher.main(["notebooks", "check", "99"]) == 1
    assert capsys.readouterr().err.startswith("There is no notebook '99' in notebooks; there are: ")
