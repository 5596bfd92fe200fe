"""The stop button in a real kernel: one sentence, no traceback, and the kernel goes on."""

import time
from collections.abc import Iterator

import pytest
from jupyter_client.manager import start_new_kernel

from course_utils.stopping import SENTENCE

ENDLESS = "import time\nprint('begun', flush=True)\nfor _ in range(600):\n    time.sleep(0.1)"


@pytest.fixture
def kernel() -> Iterator[tuple]:
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=120)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client, code: str, on_begin=lambda: None) -> tuple[str, list[dict]]:
    """What a cell printed, and its other messages, until the kernel is idle again."""
    sent, printed, others = client.execute(code), "", []
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["parent_header"].get("msg_id") != sent:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "status" and content["execution_state"] == "idle":
            return printed, others
        if kind == "stream":
            printed += content["text"]
            if "begun" in content["text"]:
                on_begin()
        elif kind not in ("status", "execute_input"):
            others.append(message)


@pytest.mark.slow
def test_a_stopped_cell_shows_one_sentence_and_the_kernel_goes_on(kernel) -> None:
    manager, client = kernel

    def stop() -> None:
        time.sleep(0.5)
        manager.interrupt_kernel()

    printed, others = run(client, ENDLESS, stop)
    assert any(message["msg_type"] == "error" for message in others), "without the course there is a traceback"

    run(client, "import course_utils")
    printed, others = run(client, ENDLESS, stop)
    assert printed.splitlines() == ["begun", SENTENCE] and others == []
    printed, others = run(client, "1 / 0")
    assert [message["content"]["ename"] for message in others] == ["ZeroDivisionError"], "true errors are still shown"
    assert run(client, "print(6 * 7)")[0] == "42\n"
