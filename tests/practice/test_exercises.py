"""What a check says to answers that misbehave."""

import math
import signal
import threading
import time

import numpy as np
import pytest
import torch

from course_utils.practice.exercises import exercise

SOFTMAX = exercise("12.3")
ALARM = pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="Windows has no alarm: there the stop button ends it")


def right(logits, temperature):
    raised = [math.exp(logit / temperature) for logit in logits]
    return [number / sum(raised) for number in raised]


def endless(logits, temperature):
    while True:
        pass


@ALARM
def test_an_endless_answer_is_stopped_and_the_alarm_put_back():
    def mine(signum, frame):
        raise AssertionError("the alarm rang")

    before = signal.signal(signal.SIGALRM, mine)
    timer = signal.setitimer(signal.ITIMER_REAL, 500)
    try:
        started = time.monotonic()
        result = SOFTMAX.check(endless)
        assert result.status == "not yet" and "stopped after 2 seconds" in result.message
        assert 1.5 < time.monotonic() - started < 6
        assert signal.getsignal(signal.SIGALRM) is mine
        assert 400 < signal.getitimer(signal.ITIMER_REAL)[0] < 499
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *timer)


@ALARM
def test_an_endless_answer_that_catches_every_exception_is_stopped():
    def stubborn(logits, temperature):
        while True:
            try:
                while True:
                    pass
            except Exception:
                pass

    assert "stopped after" in SOFTMAX.check(stubborn).message


def test_an_answer_is_checked_in_a_thread_without_a_time_limit():
    found = []
    thread = threading.Thread(target=lambda: found.append(SOFTMAX.check(right)))
    thread.start()
    thread.join(30)
    assert found[0].status == "correct"


@ALARM
def test_the_interrupt_button_passes_through():
    def interrupted(logits, temperature):
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(KeyboardInterrupt):
        SOFTMAX.check(interrupted)
    assert signal.getsignal(signal.SIGALRM) is before


def changes(logits, temperature):
    result = right(logits, temperature)
    logits.sort()
    logits.append(0.0)
    return result


def prints(logits, temperature):
    print("looking at", len(logits))
    return right(logits, temperature)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda logits, temperature: 1 / 0, "raises ZeroDivisionError: division by zero"),
        (lambda logits, temperature: exit(), "raises SystemExit"),
        (lambda logits, temperature: "0.5", "gives a text, where a list is needed"),
        (lambda logits, temperature: 0.5, "gives a number, where a list is needed"),
        (lambda logits, temperature: [right(logits, temperature)], "a list of shape (1, "),
        (lambda logits, temperature: right(logits, temperature)[:-1], "where shape ("),
        (lambda logits, temperature: [[1.0], [1.0, 2.0]], "rows of different lengths"),
        (lambda logits, temperature: [None for _ in logits], "a list holding nothing (None), where a number is needed"),
        (lambda logits, temperature: [float("nan") for _ in logits], "gives [nan, nan"),
        (lambda logits, temperature: iter(logits), "an object of type list_iterator, where a list is needed"),
        (lambda logits, temperature: logits.clear(), "changes what it was given"),
        (changes, "changes what it was given"),
        (lambda logits: logits, "must take two arguments: logits, temperature"),
        ([0.5, 0.5], "hand over the function itself, `softmax` without brackets; this is a list"),
        (None, "hand over the function itself"),
    ],
)
def test_a_misbehaving_answer_gets_one_sentence(answer, said):
    result = SOFTMAX.check(answer)
    assert result.status == "not yet"
    assert said in result.message
    assert "\n" not in repr(result) and len(repr(result)) < 400


def test_an_answer_without_a_return_is_told_so():
    def silent(logits, temperature):
        right(logits, temperature)

    assert "Is there a `return`?" in SOFTMAX.check(silent).message


def test_a_body_of_dots_or_pass_is_not_attempted():
    def dots(logits, temperature): ...

    def documented(logits, temperature):
        """Not written yet."""

    def half(logits, temperature):
        raised = ...
        return [number / 2 for number in logits] + raised

    assert {SOFTMAX.check(each).status for each in (dots, documented, half, ...)} == {"not attempted"}


def test_a_list_holding_itself_is_no_trouble():
    def knot(logits, temperature):
        logits = []
        logits.append(logits)
        return logits

    assert SOFTMAX.check(knot).status == "not yet"
    endless = [1.0]
    endless[0] = endless
    assert "lists inside lists without end" in exercise("01.5").check(endless, 2.0).message
    deep = []
    for _ in range(400):
        deep = [deep]
    assert SOFTMAX.check(lambda logits, temperature: deep).status == "not yet"


def test_strange_objects_get_a_sentence():
    class Strange:
        def tolist(self):
            raise RuntimeError("no list today")

    assert "raises RuntimeError: no list today" in SOFTMAX.check(lambda logits, temperature: Strange()).message
    assert "cannot be read: no list today" in exercise("00.2").check(Strange()).message
    assert "hand over the function itself" in SOFTMAX.check(Strange()).message

    def plants(logits, temperature):
        logits[0] = Strange()

    assert "changes what it was given" in SOFTMAX.check(plants).message


def test_two_lists_of_different_lengths_are_compared_each_with_its_own():
    shift = exercise("05.1")
    assert "a list of length 3, where length 2 is needed" in shift.check(lambda train, test: ([], [], [])).message
    assert (
        "a list holding a list of shape (3,), where shape (5,)"
        in shift.check(lambda train, test: (test, train)).message
    )
    assert "gives a number, where a list" in shift.check(lambda train, test: 3).message


@pytest.mark.parametrize("convert", [torch.tensor, np.array, tuple])
def test_tensors_arrays_and_tuples_are_as_good_as_lists(convert):
    assert SOFTMAX.check(lambda logits, temperature: convert(right(logits, temperature)))


def test_a_float32_tensor_with_a_gradient_passes():
    def answer(logits, temperature):
        return (torch.tensor(logits, requires_grad=True) / temperature).softmax(0)

    assert SOFTMAX.check(answer)


def test_what_an_answer_prints_is_shown_once(capsys):
    assert SOFTMAX.check(prints)
    assert capsys.readouterr().out.count("looking at") == 1


def test_inputs_are_fresh_each_time():
    seen = set()

    def answer(logits, temperature):
        seen.add(tuple(logits))
        return right(logits, temperature)

    SOFTMAX.check(answer)
    first = len(seen)
    SOFTMAX.check(answer)
    assert first >= 10 and len(seen) >= 2 * first - 2


def test_values_of_the_wrong_kind_shape_and_number_get_one_sentence():
    tower, network = exercise("01.5"), exercise("02.2")
    assert "takes two answers (predicted, too_long), and was given one answer." in tower.check(6.06).message
    assert "was given three answers." in tower.check(1, 2, 3).message
    assert "`predicted` is a text, where a number is needed." in tower.check("6.06", 2.02).message
    assert "`predicted` = 7 is too large" in tower.check(7, 2.02).message
    assert (
        "`hidden_weights` is a list of shape (2,), where shape (2, 2)"
        in network.check([1, 1], [0, 0], [1, 1], 0).message
    )
    assert "a list holding a text" in network.check([["1", 1], [1, 1]], [0, 0], [1, 1], 0).message
    assert network.check([[1, -1], [-1, 1]], [-0.5, -0.5], [1, 1], -0.5)
    assert exercise("00.1").check(" Shrinks", "GROWS")
    assert tower.check(torch.tensor(6.06), np.float32(2.02))


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), 1e300, -1e300, 0, 10**400])
def test_a_number_out_of_all_bounds_is_answered(rate):
    result = exercise("03.3").check(rate, rate)
    assert result.status == "not yet" and len(result.message) < 300


def test_an_unfilled_stub_says_the_same_in_every_run():
    assert repr(SOFTMAX.check(...)) == "Not attempted yet: replace the dots by your own code."
    assert repr(exercise("03.3").check(..., ...)) == "Not attempted yet: replace the dots by two numbers."
    assert repr(exercise("00.2").check(...)) == "Not attempted yet: replace the dots by a number."
    four = exercise("02.2").check([[..., ...], [..., ...]], [..., ...], [..., ...], ...)
    assert repr(four) == "Not attempted yet: replace the dots by numbers, in all four lines."
    assert exercise("03.3").check(...)._repr_html_() == exercise("03.3").check(...)._repr_html_()


def test_what_a_learner_returns_cannot_become_html():
    page = SOFTMAX.check(lambda logits, temperature: ["<script>alert(1)</script>"] * len(logits))
    assert "<script>" not in page._repr_html_()
    shown = exercise("00.2").check("<script>")._repr_html_()
    assert "<script>" not in shown


@pytest.mark.parametrize(("asked", "closest"), [("01.9", "01.6"), ("1.2", "01.2"), ("O1.2", "01.2"), ("<b>", "00.1")])
def test_an_unknown_exercise_names_the_closest(asked, closest):
    with pytest.raises(LookupError, match=f"the closest is '{closest}'") as raised:
        exercise(asked)
    assert str(raised.value).count("\n") == 0


def test_a_hint_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"hint\(7\) is not there; exercise 12.3 has hints 1 to 2"):
        SOFTMAX.hint(7)
