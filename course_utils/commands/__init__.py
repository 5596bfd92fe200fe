"""The course's commands, one module each: what ``python -m course_utils COMMAND`` runs, and so ``make COMMAND``.

Nothing here imports torch, so that every command answers at once.
"""

import importlib.util


class CommandError(Exception):
    """Something the person at the keyboard can mend; its message is one sentence."""


def need(module: str, cure: str) -> None:
    """Stops with one sentence if a module is not installed.

    >>> need("no_such_module", "pip install it")
    Traceback (most recent call last):
    course_utils.commands.CommandError: no_such_module is not installed here; run: pip install it
    """
    if not importlib.util.find_spec(module):
        raise CommandError(f"{module} is not installed here; run: {cure}")


def say(sentence: str) -> None:
    """Prints a line at once, so that it stands before what a child process prints."""
    print(sentence, flush=True)
