"""What a check says to answers that misbehave."""

import importlib.util
import math
import os
import re
import signal
import threading
import time

import numpy as np
import pytest
import torch

from course_utils.practice.exercises import all_exercises, exercise

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
    for _ in range(5):
        message = shift.check(lambda train, test: ([0.0] * 9 + train, test)).message
        assert re.search(r"a list holding a list of shape \((\d+),\), where shape \((\d),\) is needed", message)
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
    tower, network = exercise("01.5"), exercise("02.4")
    assert "takes two answers (predicted, too_high), and was given one answer." in tower.check(6.06).message
    assert "was given three answers." in tower.check(1, 2, 3).message
    assert "`predicted` is a text, where a number is needed." in tower.check("6.06", 2.02).message
    assert "`predicted` = 20 is too large" in tower.check(20, 2.02).message
    assert (
        "`hidden_weights` is a list of shape (2,), where shape (2, 2)"
        in network.check([1, 1], [0, 0], [1, 1], 0).message
    )
    assert "a list holding a text" in network.check([["1", 1], [1, 1]], [0, 0], [1, 1], 0).message
    assert network.check([[1, -1], [-1, 1]], [-0.5, -0.5], [1, 1], -0.5)
    assert exercise("00.1").check(" Shrinks", "GROWS")
    assert tower.check(torch.tensor(16.2), np.float32(0.9))


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), 1e300, -1e300, 0, 10**400])
def test_a_number_out_of_all_bounds_is_answered(rate):
    result = exercise("03.3").check(rate, rate)
    assert result.status == "not yet" and len(result.message) < 300


def test_an_unfilled_stub_says_the_same_in_every_run():
    assert repr(SOFTMAX.check(...)) == "Not attempted yet: replace the dots with your own code."
    assert repr(exercise("03.3").check(..., ...)) == "Not attempted yet: replace the dots with two numbers."
    assert repr(exercise("00.2").check(...)) == "Not attempted yet: replace the dots with a number."
    four = exercise("02.4").check([[..., ...], [..., ...]], [..., ...], [..., ...], ...)
    assert repr(four) == "Not attempted yet: replace the dots with numbers, in all four lines."
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
    with pytest.raises(ValueError, match=r"exercise 12.3 has no hint\(7\); its hints are 1 to 2"):
        SOFTMAX.hint(7)


# ---------------------------------------------------------------- answers that mean harm


class EqualToAll(float):
    """Says yes to every comparison."""

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __lt__ = __le__ = __gt__ = __ge__ = __eq__
    __hash__ = float.__hash__
    __float__ = __add__ = __sub__ = __abs__ = lambda self, *_: self


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("not even this")


class SameAsAll(type):
    """The class of classes that say they are every other class."""

    def __eq__(cls, other):
        return True

    __hash__ = type.__hash__


class Double(metaclass=SameAsAll):
    def __eq__(self, other):
        return True


class NoClass:
    @property
    def __class__(self):
        raise RuntimeError("no class today")

    def __getattr__(self, name):
        raise RuntimeError("no attributes today")


class NoWay(list):
    def __iter__(self):
        raise RuntimeError("no way in")

    def __len__(self):
        raise RuntimeError("no length")

    def __eq__(self, other):
        return True


class Endless(list):
    def __iter__(self):
        while True:
            yield 1.0


class Slow:
    @property
    def __class__(self):
        while True:
            pass

    def tolist(self):
        while True:
            pass


def throws(error):
    def answer(logits, temperature):
        raise error

    return answer


@pytest.mark.parametrize(
    "harmful", ["EqualToAll(7)", "Double()", "NoClass()", "NoWay([7.0])", "Endless([7.0])", "10**5000", "-(10**5000)"]
)
def test_no_value_is_correct_because_it_says_so(harmful):
    harmful = eval(harmful)  # pytest would stumble over them
    assert exercise("00.2").check(harmful).status == "not yet"
    assert exercise("01.5").check(harmful, harmful).status == "not yet"
    assert exercise("03.3").check(0.4, harmful).status == "not yet"
    assert SOFTMAX.check(lambda logits, temperature: [harmful for _ in logits]).status == "not yet"
    assert SOFTMAX.check(lambda logits, temperature: harmful).status == "not yet"
    assert len(repr(exercise("00.2").check(harmful))) < 300


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (GeneratorExit("out"), "raises GeneratorExit: out"),
        (type("Own", (BaseException,), {})("mine"), "raises Own: mine"),
        (Mute(), "raises Mute: no message"),
        (ValueError("\ud800 half a pair"), "raises ValueError: ? half a pair"),
        (ValueError("long " * 100_000), "raises ValueError: long long"),
    ],
)
def test_whatever_an_answer_raises_is_one_sentence(error, said):
    result = SOFTMAX.check(throws(error))
    assert result.status == "not yet" and said in result.message and len(result.message) < 500
    result._repr_html_().encode("utf-8")


@ALARM
def test_an_endless_answer_that_catches_even_the_alarm_is_stopped():
    def deaf(logits, temperature):
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass

    assert "it was stopped after" in SOFTMAX.check(deaf).message


@ALARM
@pytest.mark.parametrize("check", [lambda: exercise("00.2").check(Slow()), lambda: SOFTMAX.check(lambda *_: Slow())])
def test_reading_an_answer_counts_as_its_time(check):
    started = time.monotonic()
    message = check().message
    assert time.monotonic() - started < 20
    assert "it was stopped after" in message or "an object of type Slow" in message
    assert "Kernel" in message or "Slow" in message


def test_the_sentence_about_a_stopped_answer_says_what_cannot_be_stopped():
    message = SOFTMAX.check(endless).message
    assert "One long step inside Python itself" in message and "**Restart Kernel**" in message
    assert SOFTMAX.check(right), "the kernel goes on"


def test_too_many_items_and_too_deep_lists_are_refused_at_once():
    few = [0.0] * 10
    for _ in range(12):
        few = [few] * 10  # a million million items in a kilobyte
    assert "more than 10,000 items" in exercise("01.5").check(few, 1).message
    assert "more than 10,000 items" in SOFTMAX.check(lambda logits, temperature: [0.0] * 20_000).message


def test_true_is_no_number():
    assert exercise("00.2").check(True).message == "`different_tokens` is True or False, where a number is needed."


def test_a_function_that_hides_its_signature_is_still_called():
    class Callable:
        __signature__ = property(lambda self: 1 / 0)

        def __call__(self, logits, temperature):
            return right(logits, temperature)

    assert SOFTMAX.check(Callable())
    assert "hand over the function itself" in SOFTMAX.check(NoClass()).message


def test_a_sample_of_the_hostile_benchmark(project, monkeypatch):
    monkeypatch.setattr("course_utils.practice.lesson_05.mean_validation", lambda **_: 0.5)
    spec = importlib.util.spec_from_file_location("hostile_answers", project / "benchmarks" / "hostile_answers.py")
    benchmark = importlib.util.module_from_spec(spec)
    own = os.environ["COURSE_PROGRESS"]
    monkeypatch.setenv("COURSE_PROGRESS", own)  # the benchmark sets its own; put ours back, now and at the end
    spec.loader.exec_module(benchmark)
    os.environ["COURSE_PROGRESS"] = own
    for task, said, seconds in benchmark.attack(len(all_exercises()) * 3, seed=1):
        assert said in ("not yet", "not attempted"), f"{task.id}: {said}"
        assert seconds < benchmark.SLOWEST
