"""The floors of the package: a module imports from its own floor or a lower one, never in a circle."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

# The highest floor that each module may import from, and the floor it stands on; the longest matching name counts.
FLOORS = {
    "course_utils": 0,
    "course_utils.assets": 0,
    "course_utils.bars": 0,
    "course_utils.data": 0,
    "course_utils.files": 0,
    "course_utils.stopping": 0,
    "course_utils.wording": 0,
    "course_utils.autodiff": 1,
    "course_utils.models": 1,
    "course_utils.optimisers": 1,
    "course_utils.scaling": 1,
    "course_utils.surfaces": 1,
    "course_utils.tokenizers": 1,
    "course_utils.alignment": 2,
    "course_utils.experiments": 2,
    "course_utils.interpret": 2,
    "course_utils.retrieval": 2,
    "course_utils.sampling": 2,
    "course_utils.tools": 2,
    "course_utils.training": 2,
    "course_utils.plots": 3,
    "course_utils.explorers": 4,
}
# Beside the floors: the highest floor that each may import from, and what else beside the floors it may import.
BESIDE = {"course_utils.practice": 2, "course_utils.commands": 0, "course_utils.__main__": 0}
NEIGHBOURS = {"course_utils.__main__": {"course_utils.commands"}}


def modules(package: Path) -> dict[str, Path]:
    """Every module of the package: dotted name -> file."""
    found = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(name: str, file: Path, known: set[str], *, at_start: bool = False) -> set[str]:
    """The modules of the package that one module imports, anywhere in its file or, ``at_start``, while it is loaded."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    nodes = list(ast.walk(tree))
    if at_start:
        later = {
            id(inner)
            for node in nodes
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for inner in ast.walk(node)
        }
        nodes = [node for node in nodes if id(node) not in later]
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            found |= {f"{source}.{alias.name}" if f"{source}.{alias.name}" in known else source for alias in node.names}
    return {module for module in found if module in known and module != name}


def longest(name: str, table: dict[str, int]) -> str | None:
    """The entry of ``table`` that is the module itself or the nearest package around it."""
    return max((entry for entry in table if name == entry or name.startswith(entry + ".")), key=len, default=None)


def violations(package: Path) -> list[str]:
    """One sentence for every import that climbs, every module without a floor, and a circle if there is one."""
    files = modules(package)
    found = []
    edges = {}
    for name, file in files.items():
        beside, own = longest(name, BESIDE), longest(name, FLOORS)
        if beside is None and own == "course_utils" and name != "course_utils":
            found.append(f"{name} stands on no floor; give it one in tests/test_layering.py")
            continue
        highest = BESIDE[beside] if beside else FLOORS[own]
        for target in sorted(imports(name, file, set(files))):
            within = longest(target, BESIDE)
            if within and within not in {beside, *NEIGHBOURS.get(name, ())}:
                found.append(f"{name} imports {target}, which stands beside the floors")
            elif not within and FLOORS[longest(target, FLOORS)] > highest:
                found.append(f"{name} imports {target}, which stands above floor {highest}")
        edges[name] = imports(name, file, set(files), at_start=True)
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as circle:
        found.append(f"a circle of imports: {' -> '.join(circle.args[1])}")
    return found


def test_every_import_goes_downwards_and_never_in_a_circle(project: Path) -> None:
    assert len(modules(project / "course_utils")) > 10
    assert violations(project / "course_utils") == []


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        (
            {"data/__init__.py": "from course_utils import sampling\n"},
            "course_utils.data imports course_utils.sampling",
        ),
        (
            {"data/__init__.py": "def late():\n    import course_utils.plots\n"},
            "course_utils.data imports course_utils.plots",
        ),
        ({"models/mlp.py": "from ..training import fit\n"}, "course_utils.models.mlp imports course_utils.training"),
        ({"practice/page.py": "from course_utils.plots import show\n"}, "course_utils.practice.page imports"),
        ({"plots/bars.py": "from course_utils import practice\n"}, "stands beside the floors"),
        ({"practice/page.py": "from course_utils.commands import lab\n"}, "stands beside the floors"),
        ({"commands/lab.py": "from course_utils import sampling\n"}, "course_utils.commands.lab imports"),
        ({"data/drawings.py": "from course_utils.models import mlp\n"}, "course_utils.data.drawings imports"),
        ({"files.py": "def late():\n    from course_utils import training\n"}, "course_utils.files imports"),
        (
            {"tokenizers/characters.py": "from course_utils.sampling import x\n"},
            "course_utils.tokenizers.characters imports",
        ),
        ({"data/__init__.py": "from .. import assets\n", "assets.py": "from . import data\n"}, "a circle of imports"),
        ({"gadgets.py": ""}, "course_utils.gadgets stands on no floor"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, planted: dict[str, str], said: str) -> None:
    package = tmp_path / "course_utils"
    plain = "__init__ assets files sampling training models/mlp plots/bars practice/page commands/lab data/drawings"
    folders = "models plots practice commands data tokenizers"
    for name in [*plain.split(), "tokenizers/characters", *(f"{folder}/__init__" for folder in folders.split())]:
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / f"{name}.py").write_text("", encoding="utf-8")
    assert violations(package) == []
    for name, source in planted.items():
        (package / name).write_text(source, encoding="utf-8")
    assert [sentence for sentence in violations(package) if said in sentence]


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, course_utils; print(*sorted({'torch', 'numpy', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_no_data_folder_poses_as_a_package(project: Path) -> None:
    assert not (project / "datasets" / "__init__.py").exists()
