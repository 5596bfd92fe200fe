"""A lesson's notebook as its tests read it: its cells, what they printed, and the names that they leave behind."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from course_utils import assets
from course_utils.commands import notebooks


@dataclass(frozen=True)
class Page:
    """One notebook, by its number."""

    number: str

    @cached_property
    def path(self) -> Path:
        [path] = (assets.project_folder() / "notebooks").glob(f"{self.number}_*.ipynb")
        return path

    @cached_property
    def cells(self) -> dict[str, NotebookNode]:
        """Every cell by its id."""
        return {cell.id: cell for cell in notebooks.read(self.path).cells}

    @cached_property
    def words(self) -> dict[str, str]:
        """The markdown cells, each in one line."""
        return {
            name: " ".join(cell.source.split()) for name, cell in self.cells.items() if cell.cell_type == "markdown"
        }

    def printed(self, cell: str) -> str:
        """What a cell has printed, as committed."""
        return "".join(output.get("text", "") for output in self.cells[cell].outputs)

    def alt(self, cell: str) -> str:
        """The words of a cell's one stored picture."""
        outputs = [output for output in self.cells[cell].outputs if "image/png" in output.get("data", {})]
        [output] = outputs
        return output.metadata["image/png"]["alt"]

    def says(self, cell: str, *words: str) -> None:
        """The markdown cell holds all these words."""
        for each in words:
            assert each in self.words[cell], each

    def run(
        self, wanted: Callable[[NotebookNode], bool] = lambda cell: True, change: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Run the code cells one after the other, as a kernel would, without drawing or storing anything.

        Args:
            wanted: whether a code cell is run.
            change: what to write in place of what in the sources, such as fewer steps of training.

        Returns:
            the names that the cells leave behind, and under ``shown`` what the last line of each cell shows, by its id.
        """
        names: dict[str, Any] = {}
        shown: dict[str, Any] = {}
        for cell in self.cells.values():
            if cell.cell_type == "code" and wanted(cell):
                source = cell.source
                for old, new in (change or {}).items():
                    source = source.replace(old, new)
                tree = ast.parse(source)
                last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
                exec(compile(tree, cell.id, "exec"), names)
                if last is not None:
                    shown[cell.id] = eval(compile(ast.Expression(last.value), cell.id, "eval"), names)
        return {**names, "shown": shown}
