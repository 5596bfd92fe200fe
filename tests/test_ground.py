"""The ground of the project: what stands where, and that the README's commands exist."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from course_utils.__main__ import COMMANDS
from course_utils.commands import map

TEXTS = {".py", ".md", ".toml", ".yml", ".yaml", ".txt", ".cff", ".ipynb", ".csv", ".json", ""}
# A folder of one person's machine; Ada is the example that other tests use.
ELSEWHERE = re.compile(r"(?<![\w.:/])/(?:home|Users|root|work|mnt|opt)/(?!ada/)\w+/\w")


def tracked(project: Path) -> list[Path]:
    """The files that git knows; in a folder without git, all files outside hidden folders."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=project, capture_output=True, text=True)
    if done.returncode == 0 and done.stdout:
        return [project / name for name in done.stdout.split("\0") if name and (project / name).is_file()]
    return [file for file in project.rglob("*") if file.is_file() and ".venv" not in file.parts]


def fenced(text: str) -> list[str]:
    """The lines of the shell blocks of a Markdown text, comments taken off."""
    blocks = re.findall(r"```(?:bash|powershell)\n(.*?)```", text, flags=re.DOTALL)
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def make_targets(project: Path) -> set[str]:
    """The targets that the Makefile declares phony, the ones people type."""
    return set(
        re.search(r"^\.PHONY: (.*)$", (project / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1].split()
    )


def test_the_layout_is_the_one_that_the_guides_describe(project: Path) -> None:
    files = "README.md LICENSE CONTRIBUTING.md CHANGELOG.md CITATION.cff Makefile pyproject.toml environment.yml"
    files += " constraints.txt .ci/run notebooks/syllabus.toml datasets/assets.toml docs/glossary.md"
    files += " docs/teaching-guide.md docs/further-reading.md benchmarks/README.md .github/workflows/tests.yml"
    assert [name for name in files.split() if not (project / name).is_file()] == []
    assert (project / ".ci" / "run").stat().st_mode & 0o100 or sys.platform == "win32"


def test_the_readme_shows_the_map_that_the_syllabus_makes(project: Path) -> None:
    readme = (project / "README.md").read_text(encoding="utf-8")
    made = map.with_map(readme, map.course_map(project))
    assert readme == made, "run: make map"
    assert all(f"| {number:02} |" in made for number in range(23))


def test_every_link_inside_the_project_leads_somewhere(project: Path) -> None:
    guides = [file for file in tracked(project) if file.suffix == ".md"]
    assert project / "README.md" in guides
    for guide in guides:
        for target in re.findall(r"\]\(([^)\s]+)\)", guide.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:|#", target):
                assert (guide.parent / target.partition("#")[0]).exists(), f"{guide.name} links to {target}"


def test_every_command_in_the_guides_exists(project: Path) -> None:
    targets = make_targets(project)
    typed = []
    for guide in (project / "README.md", project / "CONTRIBUTING.md", project / "benchmarks" / "README.md"):
        typed += fenced(guide.read_text(encoding="utf-8"))
    assert {"make lab", "make test"} <= set(typed)
    for line in typed:
        words = line.split()
        if words[0] == "make":
            assert words[1] in targets, line
        for module, command in re.findall(r"python -m (course_utils[\w.]*) (\w+)", line):
            assert module != "course_utils" or command in COMMANDS, line
        for script in re.findall(r"\S+\.(?:py|yml|txt)\b", line):
            assert (project / script).exists(), line


@pytest.mark.parametrize("target", ["lab", "test", "check", "lint", "notebooks", "bench", "clean"])
def test_make_knows_its_targets(project: Path, target: str) -> None:
    assert target in make_targets(project)
    done = subprocess.run(["make", "--dry-run", target], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_make_says_in_a_sentence_that_python_is_too_old_or_missing(project: Path, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_bytes((project / "Makefile").read_bytes())
    old = tmp_path / "oldpython"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.1\nexit 1\n', encoding="utf-8")
    old.chmod(0o755)
    for python, said in ((old, "needs Python 3.11 or newer"), ("no-such-python", "There is no 'no-such-python' here")):
        done = subprocess.run(["make", "lab", f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode != 0
        assert said in done.stdout
        assert not (tmp_path / ".venv").exists()


def test_every_week_everything_runs_on_the_newest_torch_and_jupyterlab_too(project: Path) -> None:
    text = (project / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow[True]["schedule"]  # YAML's word "on" means true
    jobs = workflow["jobs"]
    assert "if" not in jobs["everything"] and "schedule" in jobs["newest"]["if"]
    script = "\n".join(step.get("run", "") for step in jobs["newest"]["steps"])
    (left_out,) = re.findall(r"grep -vE '([^']+)' constraints\.txt", script)
    pins = (project / "constraints.txt").read_text(encoding="utf-8").splitlines()
    free = {line.partition("==")[0] for line in pins if re.search(left_out, line)}
    assert {"torch", "jupyterlab", "jupyter_server"} <= free and not {"numpy", "matplotlib", "ipywidgets"} & free
    assert "python -m course_utils test" in script


def test_the_conda_environment_names_python_and_pip_only(project: Path) -> None:
    environment = yaml.safe_load((project / "environment.yml").read_text(encoding="utf-8"))
    plain = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    assert environment["channels"][0] == "conda-forge"
    assert [re.split(r"[=<>]", entry)[0] for entry in plain] == ["python", "pip"]
    (through_pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert through_pip == ["--constraint constraints.txt", "--editable .[test]"]


def test_every_dependency_is_pinned_and_every_pin_fits(project: Path) -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    pins = dict(
        line.split("==")
        for line in (project / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    pins = {canonicalize_name(name): version for name, version in pins.items()}
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = [Requirement(line) for line in declared["dependencies"] + declared["optional-dependencies"]["test"]]
    assert len(required) > 20
    for requirement in required:
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_no_import_is_missing_from_the_list_of_dependencies(project: Path) -> None:
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    allowed = {re.split(r"[<>=!,\[ ]", line)[0].lower().replace("_", "-") for line in declared}
    allowed |= {"ipython", "traitlets", "nbclient", "cycler", "packaging"}  # what JupyterLab and matplotlib bring
    allowed |= {"distributed"}  # a sweep on a cluster looks for it and says in a sentence what is missing
    owners = metadata.packages_distributions()
    found = set()
    for file in (project / "course_utils").rglob("*.py"):
        if file.parent.name != "commands":  # the commands look for what they need and say so in a sentence
            text = file.read_text(encoding="utf-8")
            found |= set(re.findall(r"^\s*(?:import|from) (\w+)(?=[\w. ]*(?:import|,|as|$|#))", text, re.MULTILINE))
    third = {name for name in found if name in owners and name not in sys.stdlib_module_names | {"course_utils"}}
    assert "torch" in third
    missing = {name for name in third if not {o.lower().replace("_", "-") for o in owners[name]} & allowed}
    assert missing == set()


def test_no_file_names_a_folder_of_somebodys_machine(project: Path) -> None:
    files = [file for file in tracked(project) if file.suffix in TEXTS and file.name not in ("test_ground.py",)]
    assert len(files) > 40
    for file in files:
        found = ELSEWHERE.search(file.read_text(encoding="utf-8"))
        assert found is None, f"{file.relative_to(project)}: {found.group()}"
