"""What the stop button shows: one sentence, and not a page of traceback.

A notebook's stop button raises `KeyboardInterrupt` wherever the code happens to be, which is mostly deep inside a
library. The traceback of that place tells a learner nothing. So in a notebook it is replaced by a sentence; the cells
that were to run after the stopped one are still left out, as always.
"""

import sys
from types import TracebackType
from typing import Any

SENTENCE = "Stopped. What was done until then is kept; run this box again to start it anew."


def show_a_sentence_when_stopped() -> None:
    """In a notebook, show `SENTENCE` in place of the traceback of an interrupt; elsewhere do nothing."""
    ipython = sys.modules.get("IPython")  # not imported: outside a notebook nobody needs it
    shell = ipython.get_ipython() if ipython else None
    if shell is not None and not shell.custom_exceptions:  # somebody else's handler stays
        shell.set_custom_exc((KeyboardInterrupt,), _say)


def _say(shell: Any, kind: type, problem: BaseException, trace: TracebackType, tb_offset: int | None = None) -> None:
    print(SENTENCE)
