"""One proof for every exercise of the course: its solution, its stub and its known wrong answers."""

import ast
import copy
import inspect
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from course_utils.practice import exercises, lesson_05, progress
from course_utils.practice.exercises import CASES, all_exercises, exercise, lesson_exercises, lessons

EVERY = pytest.mark.parametrize("task", all_exercises(), ids=lambda task: task.id)
FUNCTIONS = pytest.mark.parametrize("task", [t for t in all_exercises() if t.inputs], ids=lambda task: task.id)
VALUES = pytest.mark.parametrize("task", [t for t in all_exercises() if not t.inputs], ids=lambda task: task.id)


def answers(task, source):
    """What the learner hands to ``check`` after running a cell with this source, or after moving a picture so."""
    namespace = {}
    exec(compile(f"{task.page}\n\n\n{source}", "<cell>", "exec"), namespace)
    if task.picture:
        return [SimpleNamespace(values={name: namespace[name] for name in task.names})]
    return [namespace[name] for name in task.names]


@pytest.fixture(autouse=True)
def real_training(request, monkeypatch):
    """Training takes seconds: most tests score the challenge's settings by their learning rate instead."""
    trains = lesson_05.mean_validation
    if request.node.get_closest_marker("slow") is None:
        monkeypatch.setattr(lesson_05, "mean_validation", lambda **settings: 0.9 - settings["learning_rate"])
    return trains


def lengths(value):
    """The length of a list, and of the lists in it."""
    return (len(value), *(lengths(value[0]) if value else ())) if isinstance(value, list) else ()


def cut(value, sizes):
    """A list as a program would use it that always counts to the same lengths."""
    if not sizes:
        return value
    return [cut(value[place], sizes[1:]) for place in range(sizes[0])]


def test_the_lessons_written_so_far_have_their_exercises():
    counts = {number: len(lesson_exercises(number)) for number in lessons()}
    assert counts["00"] >= 1
    assert all(4 <= count <= 6 for number, count in counts.items() if number != "00"), counts
    ids = [task.id for task in all_exercises()]
    assert len(ids) == len(set(ids)) >= 30
    assert all(exercise(identifier).id == identifier for identifier in ids)
    for number in lessons():
        assert [task.id for task in lesson_exercises(number)] == [f"{number}.{n + 1}" for n in range(counts[number])]


@EVERY
def test_solution_passes(task):
    for _ in range(5):
        result = task.check(*answers(task, task.answer))
        assert result.status == "correct" and result, result
    assert task.solved()


@pytest.mark.parametrize(
    ("identifier", "pattern", "replacement"),
    [
        ("01.1", "seconds - (slope * floor + intercept)", "seconds - slope * floor - intercept"),
        ("01.5", "0.15 * 100 + 1.2", "16.2"),
        ("02.2", "weight_1 = 2.0\nweight_2 = 2.0\nbias = -3.0", "weight_1 = 4.0\nweight_2 = 3.0\nbias = -5.0"),
        ("02.3", "bias = -14.5", "bias = -14.8"),
        ("02.4", "[[1, 1], [1, 1]]\nhidden_biases = [-0.5, -1.5]", "[[2, 2], [3, 3]]\nhidden_biases = [-1, -5]"),
        ("03.2", "zip(parameters, gradient)", "zip(parameters, gradient, strict=True)"),
        ("03.3", "diverges = 0.4", "diverges = 1e35"),
        ("04.1", "up = 4e-6\ndown = 4e-6", "up = 2e-5\ndown = 2e-5"),
        ("04.3", "b = -5.0", "b = -4.4"),
        ("04.4", "-a / b**2", "-(a / b) / b"),
        ("04.5", "error * w for w in weights", "w * error for w in weights[:]"),
        ("12.1", "1 / 64", "0.015625"),
        ("12.2", "temperature = 0.55", "temperature = 0.52"),
        ("12.4", "2.0, 6, 1.0, 0.35", "50, 6, 1, 0.95"),
        ("03.4", "0.00335", "0.00334"),
        ("03.5", "learning_rate = 0.004\nshare = 0.9", "learning_rate = 0.005\nshare = 0.85"),
        ("05.1", "sum(train) / len(train)", "sum(x / len(train) for x in train)"),
        ("05.4", "for epoch, loss in enumerate(losses)", "for epoch, loss in zip(range(len(losses)), losses)"),
    ],
)
def test_another_right_answer_passes(identifier, pattern, replacement):
    task = exercise(identifier)
    assert task.answer.count(pattern) == 1
    for _ in range(5):
        result = task.check(*answers(task, task.answer.replace(pattern, replacement)))
        assert result.status == "correct", result


@EVERY
def test_stub_reads_not_attempted(task):
    result = task.check(*answers(task, task.stub))
    assert result.status == "not attempted" and not result
    assert repr(result).startswith("Not attempted yet: " + ("change the" if task.picture else "replace the dots with "))
    assert task.check().status == "not attempted"
    assert not task.solved()


@EVERY
def test_each_known_wrong_answer_gets_its_own_message(task):
    messages = {known.message for known in task.wrong}
    assert len(messages) == len(task.wrong) >= 2
    for known in task.wrong:
        assert known.pattern in task.answer
        for _ in range(5):
            result = task.check(*answers(task, known.source(task.answer)))
            assert (result.status, result.message) == ("not yet", known.message)
    assert not task.solved()


def strange(task):
    """An answer of the right kinds, far from right."""
    if task.picture:
        [picture] = answers(task, task.answer)
        return [SimpleNamespace(values=dict.fromkeys(picture.values, -987.654))]
    other = {int: -987, float: -987.654, str: "banana"}
    return [other.get(type(value), [other]) for value in answers(task, task.answer)]


@EVERY
def test_other_wrong_answers_get_none_of_those_messages(task):
    if task.inputs:
        result = task.check(lambda *arguments: -987.654)
    else:
        result = task.check(*strange(task))
    assert result.status == "not yet"
    if task.inputs:
        assert result.message not in {known.message for known in task.wrong}
        assert task.names[0] in result.message


@EVERY
def test_hints_solution_and_card_are_there(task):
    assert len(task.hints) >= 2
    assert repr(task.hint(1)) != repr(task.hint(2))
    assert (f"{task.picture}.set(" if task.picture else task.answer) in task.solution()._repr_markdown_()
    assert 1 <= task.difficulty <= 5 and 1 <= task.importance <= 5 and 1 <= task.minutes <= 15
    shown = task._repr_markdown_()
    assert task.task in shown and "●" * task.difficulty + "○" * (5 - task.difficulty) in shown and "minute" in shown
    assert "solved" not in shown
    task.check(*answers(task, task.answer))
    assert "solved ✓" in task._repr_markdown_()


@EVERY
def test_cell_is_the_stub_and_its_check(task):
    lines = task.cell.splitlines()
    assert task.picture or task.cell.startswith(task.stub)
    assert lines[-1] == f'exercise("{task.id}").check({task.picture or ", ".join(task.names)})'
    assert len(lines) <= 15
    namespace = {"exercise": exercise, task.picture: answers(task, task.stub)[0]}
    exec("\n".join([task.page, *lines[:-1]]), namespace)
    assert eval(lines[-1], namespace).status == "not attempted"


def refused(task, answer):
    """Whether a check refuses an answer nearly always: at least twice in three checks, on inputs of chance."""
    return sum(task.check(answer).status == "not yet" for _ in range(3)) >= 2


@FUNCTIONS
def test_no_argument_may_be_replaced_by_a_constant(task):
    reference = answers(task, task.answer)[0]
    for place, name in enumerate(inspect.signature(reference).parameters):
        for seed in range(3):
            frozen = task.inputs(random.Random(seed))[place]

            def answer(*arguments, place=place, frozen=frozen):
                return reference(*arguments[:place], copy.deepcopy(frozen), *arguments[place + 1 :])

            assert refused(task, answer), f"{name} may be {frozen!r} for ever"


@FUNCTIONS
def test_no_length_may_be_a_constant(task):
    reference = answers(task, task.answer)[0]
    for place, name in enumerate(inspect.signature(reference).parameters):
        for seed in range(3):
            sizes = lengths(task.inputs(random.Random(seed))[place])

            def answer(*arguments, place=place, sizes=sizes):
                return reference(*arguments[:place], cut(arguments[place], sizes), *arguments[place + 1 :])

            if sizes:
                assert refused(task, answer), f"{name} may always have length {sizes}"
                if len(sizes) == 2:  # rows and columns, one at a time
                    assert refused(task, lambda *a, s=sizes: answer(*a, sizes=s[:1]))

                    def columns(*arguments, place=place, sizes=sizes):
                        rows = [cut(row, sizes[1:]) for row in arguments[place]]
                        return reference(*arguments[:place], rows, *arguments[place + 1 :])

                    assert refused(task, columns)


@FUNCTIONS
def test_no_result_may_be_a_constant(task):
    reference = answers(task, task.answer)[0]
    for seed in range(3):
        result = reference(*task.inputs(random.Random(seed)))
        assert refused(task, lambda *_, result=result: copy.deepcopy(result))


@pytest.mark.parametrize(
    ("identifier", "pattern", "replacement"),
    [
        ("03.1", "(2 * step)", "0.2"),
        ("04.5", "for a in activations", "for a in activations[:2]"),
        ("04.5", "error * w", "abs(error) * w"),
        ("04.4", "1 / b, ", "1 / abs(b), "),
        ("05.4", "loss < losses[best]", "loss <= losses[best]"),
        ("05.4", "epoch - best >= patience", "epoch - best > patience"),
        ("12.3", "/ temperature", "/ 0.5"),
    ],
)
def test_answers_that_lean_on_one_case_are_refused(identifier, pattern, replacement):
    task = exercise(identifier)
    assert task.answer.count(pattern) == 1
    for _ in range(3):
        assert refused(task, *answers(task, task.answer.replace(pattern, replacement)))


@FUNCTIONS
def test_a_check_draws_many_different_inputs(task):
    drawn = {repr(task.inputs(random.Random(seed))) for seed in range(CASES)}
    assert len(drawn) >= CASES - 1 or task.id == "03.1"  # a fresh curve has no repr of its own


@VALUES
def test_every_value_counts(task):
    if task.score:
        return  # its score says which settings count
    right = answers(task, task.answer)
    values = right[0].values if task.picture else dict(zip(task.names, right, strict=True))
    for name, value in values.items():
        other = "banana" if isinstance(value, str) else [[9, 9], [9, 9]] if task.id == "02.4" else -987.5
        changed = {**values, name: other}
        result = task.check(*([SimpleNamespace(values=changed)] if task.picture else changed.values()))
        assert result.status == "not yet", f"{name} may be anything"


def test_cells_and_solutions_are_formatted(tmp_path):
    for task in all_exercises():
        (tmp_path / f"cell_{task.id.replace('.', '_')}.py").write_text(task.cell + "\n")
        (tmp_path / f"answer_{task.id.replace('.', '_')}.py").write_text(task.answer + "\n")
    command = [sys.executable, "-m", "ruff", "format", "--diff", "--isolated", "--line-length", "120", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_declaration_takes_at_most_25_lines():
    lengths = {}
    for number in lessons():
        source = Path(exercises.__file__).with_name(f"lesson_{number}.py").read_text("utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Exercise":
                lengths[node.args[0].value] = node.end_lineno - node.lineno + 1
    assert lengths.keys() == {task.id for task in all_exercises()}
    assert max(lengths.values()) <= 25, lengths


# ---------------------------------------------------------------- words that an answer may be, pictures, challenges


def test_a_word_that_is_not_asked_for_is_told_which_are():
    result = exercise("00.1").check("shrink", "grows")
    assert result.message == '`first_bar` = \'shrink\' is not one of the words asked for: write "grows" or "shrinks".'
    assert 'write "wide", "deep" or "small".' in exercise("05.3").check("broad", 75).message


def test_a_question_to_a_picture_reads_the_live_picture():
    from course_utils.experiments import tower
    from course_utils.explorers import LossChooser

    fitter = LossChooser(*tower.drops("measured"), slope=0.1, intercept=2.0, loss="absolute")
    task = exercise("01.3")
    assert task.check(fitter).status == "not attempted"
    fitter.set(slope=0.25)
    assert "much too flat or much too steep" in task.check(fitter).message
    exec(task.solution().text.split("```")[1].removeprefix("python\n"), {"fitter": fitter})
    assert task.check(fitter)
    fitter.set(loss="squared", intercept=0.5, slope=0.1)
    fitter.fit()
    assert "smallest **squared** loss" in task.check(fitter).message


@pytest.mark.parametrize("other", [None, 3, "fitter", {"slope": 0.152, "intercept": 1.18}, SimpleNamespace(values={})])
def test_anything_else_than_the_picture_is_refused(other):
    result = exercise("01.3").check(other)
    assert result.status == "not yet" and "hand over the picture itself: write `fitter`" in result.message


def lab(**changed):
    [picture] = answers(exercise("05.5"), exercise("05.5").answer)
    return SimpleNamespace(values=picture.values | changed)


def test_the_lab_of_the_page_is_where_the_challenge_begins():
    from course_utils.explorers import OverfittingLab

    second_lab = OverfittingLab(early_stopping=5, dropout=0.2)
    assert exercise("05.5").check(second_lab).status == "not attempted"


@pytest.mark.slow
def test_the_challenge_trains_three_networks(real_training):
    assert lesson_05.mean_validation is real_training
    task = exercise("05.5")
    assert task.check(lab()), "three cures together reach the mark"
    assert task.best() > 0.865
    first = {"weight_decay": 0.0, "early_stopping": 5}
    assert task.check(lab(**first, dropout=0.1)).status == "not yet", "close to where it begins does not"
    assert task.check(lab(learning_rate=0.003)).message.startswith("set the learning rate to 0.01 or more")
    small = real_training(learning_rate=0.003)
    assert small == pytest.approx(0.876, abs=0.01) and small > task.mark and "has 0.876" in task.task


def test_a_challenge_keeps_the_best_score_and_can_be_beaten_again(monkeypatch):
    scores = {0.03: 0.87, 0.04: 0.9, 0.05: 0.8, 0.06: float("nan")}
    monkeypatch.setattr(lesson_05, "mean_validation", lambda **settings: scores[settings["learning_rate"]])
    task = exercise("05.5")
    poor = task.check(lab(learning_rate=0.05))
    assert poor.status == "not yet" and "Score 0.800; the mark to reach is 0.865." in poor.message
    assert not task.solved() and task.best() is None
    assert task.check(lab(learning_rate=0.06)).status == "not yet"
    assert "Your best so far." in task.check(lab()).message and task.best() == 0.87
    assert "A new best; it was 0.870." in task.check(lab(learning_rate=0.04)).message
    again = task.check(lab())
    assert again and "Your best is 0.900: can you beat it?" in again.message
    assert progress.found("exercises", "05.5")["best"] == 0.9
    assert "solved ✓ · best score 0.900" in task._repr_markdown_()


def test_a_failing_score_is_a_sentence(monkeypatch):
    def fails(**settings):
        raise ValueError("the loss grew")

    monkeypatch.setattr(lesson_05, "mean_validation", fails)
    assert exercise("05.5").check(lab(learning_rate=0.3)).message == "this answer cannot be scored: the loss grew."
