"""One private name of ipykernel 7, kept here alone: which thread answers a widget while a cell runs.

ipykernel 7.4 gives a message to the thread that last wrote to the widget, which is often the one that is busy with the
cell, so that a slider is dead until the cell ends (``Kernel.shell_channel_thread_main``). A channel without this method
is answered in the thread that the browser asks for, which is what we want. ``tests/explorers/test_subshells.py`` says
when this file is no longer needed.
"""

import ipywidgets as widgets


def answer_during_cells(widget: widgets.Widget) -> None:
    """Have a widget and all inside it answered while a cell runs, in the thread that the browser asks for."""
    if widget.comm is not None:
        widget.comm._reply_subshell_for = None
    for child in getattr(widget, "children", ()):
        answer_during_cells(child)
