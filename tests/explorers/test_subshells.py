"""Whether ``explorers/subshells.py`` is still needed: it works around one private name of ipykernel."""

import inspect

import ipywidgets as widgets
from ipykernel.comm import comm
from ipykernel.kernelbase import Kernel

from course_utils.explorers.subshells import answer_during_cells


def test_ipykernel_still_asks_the_widgets_channel_for_a_thread() -> None:
    asks = "_reply_subshell_for" in inspect.getsource(Kernel) and hasattr(comm.BaseComm, "_reply_subshell_for")
    assert asks, (
        "ipykernel no longer chooses the thread by `_reply_subshell_for`: if a slider answers while a cell runs "
        "(tests/browser/test_start_here.py), delete course_utils/explorers/subshells.py and this test"
    )


def test_every_channel_inside_a_widget_is_reached() -> None:
    class Channel:
        _reply_subshell_for = print

    inside, outside = widgets.HTML(), widgets.VBox()
    outside.children = (widgets.HBox([inside]),)
    inside.comm = outside.comm = None
    answer_during_cells(outside)  # without a kernel there is no channel, and nothing to do
    channel = Channel()
    inside._comm = None
    object.__setattr__(inside, "_trait_values", {**inside._trait_values, "comm": channel})
    answer_during_cells(outside)
    assert channel._reply_subshell_for is None
