"""The course's commands: ``python -m course_utils lab`` opens it, ``python -m course_utils test`` checks all of it.

``make lab`` and ``make test`` call these, so that conda and Windows users get the same.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

from course_utils import assets
from course_utils.commands import CommandError

COMMANDS = {
    "lab": "open the course in JupyterLab; what follows goes to JupyterLab",
    "test": "run everything that CI runs; what follows goes to pytest",
    "check": "lint and the quick tests; what follows goes to pytest",
    "lint": "ruff and mypy",
    "notebooks": "execute notebooks and store their outputs: notebooks [run|check] [NOTEBOOK...]",
    "map": "rewrite the README's map of the course",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils",
        description=(__doc__ or "").partition("\n")[0],
        epilog="\n".join(f"  {name:<10} {about}" for name, about in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("command", choices=COMMANDS)
    parsed, extra = parser.parse_known_args(arguments)
    command = importlib.import_module(f"course_utils.commands.{parsed.command}")  # only what this command needs
    try:
        return command.run(extra)
    except (CommandError, assets.AssetError) as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
