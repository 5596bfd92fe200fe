import pytest

from course_utils.practice import predict, progress, quiz
from course_utils.practice.questions import WIDGET

NASTY = "<script>alert(1)</script>"


class Explorer:
    """Anything with two methods can be locked."""

    def __init__(self):
        self.unlocked = True

    def enable(self):
        self.unlocked = True

    def disable(self):
        self.unlocked = False


def ask():
    return quiz("02.a", "Which?", {"this": "Because `x`.", "that": "No: **y**.", "both": "No."}, answer="this")


def guess(explorer=None):
    return predict("03.a", "What?", ["up", "down"], answer="down", because="It is steep.", explorer=explorer)


def test_a_quiz_explains_the_option_chosen_and_all_once_it_is_right():
    question = ask()
    question.choose("that")
    assert [bool(said.value) for said in question.said] == [False, True, False]
    assert "Not this one" in question.said[1].value and "<b>y</b>" in question.said[1].value
    question.choose(0)
    assert all(said.value for said in question.said)
    assert "Right." in question.said[0].value and "<code>x</code>" in question.said[0].value
    assert progress.found("quizzes", "02.a")["right"] is True


def test_buttons_do_what_choose_does():
    question = ask()
    question.buttons[2].click()
    assert question.chosen == "both" and "Not this one" in question.said[2].value
    assert progress.found("quizzes", "02.a")["choice"] == "both"


def test_a_quiz_comes_back_as_it_was_left():
    ask().choose("this")
    assert ask().chosen == "this" and all(said.value for said in ask().said)


def test_the_page_without_a_kernel_holds_question_options_and_answers():
    bundle = ask()._repr_mimebundle_()
    assert bundle["text/plain"] == "Quiz 02.a: Which?\n  ( ) this\n  ( ) that\n  ( ) both"
    page = bundle["text/html"]
    assert "Which?" in page and "<details>" in page and "Because <code>x</code>." in page and "No: <b>y</b>." in page
    assert bundle[WIDGET]["model_id"]
    folded = guess()._repr_mimebundle_()
    assert folded["text/plain"] == "Before you go on 03.a: What?\n  ( ) up\n  ( ) down"
    assert "Right is: <b>down</b>. It is steep." in folded["text/html"]


def test_every_text_is_escaped():
    question = quiz(NASTY, NASTY, {NASTY: NASTY, "b": NASTY}, answer="b")
    question.choose("b")
    prediction = predict(NASTY, NASTY, [NASTY, "b"], answer=NASTY, because=NASTY)
    prediction.choose(NASTY)
    pages = [each._repr_mimebundle_()["text/html"] for each in (question, prediction)]
    pages += [said.value for said in question.said] + [prediction.said.value]
    pages += [
        widget.value for each in (question, prediction) for widget in each._view().children if hasattr(widget, "value")
    ]
    assert all("<script" not in page for page in pages)
    assert sum("&lt;script" in page for page in pages) >= 5


def test_a_prediction_locks_the_controls_until_a_guess():
    explorer = Explorer()
    question = guess(explorer)
    assert not explorer.unlocked
    question.buttons[0].click()
    assert explorer.unlocked
    assert "You said: <b>up</b>" in question.said.value and "It is steep." in question.said.value
    assert all(button.disabled for button in [*question.buttons, question.show_me])
    assert progress.found("predictions", "03.a")["right"] is False


def test_show_me_unlocks_without_a_guess():
    explorer = Explorer()
    question = guess(explorer)
    question.show_me.click()
    assert (
        explorer.unlocked and "Right is: <b>down</b>" in question.said.value and "You said" not in question.said.value
    )
    assert progress.found("predictions", "03.a") is None


def test_a_guess_made_before_leaves_the_controls_open():
    guess(Explorer()).choose("down")
    explorer = Explorer()
    assert "That is what happens" in guess(explorer).said.value
    assert explorer.unlocked


def test_a_prediction_without_answer_or_reason_points_to_what_comes_next():
    question = predict("03.b", "What?", ["up", "down"])
    question.choose("up")
    assert "Look at what comes next" in question.said.value
    assert "right" not in progress.found("predictions", "03.b")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: quiz("a", "?", {"x": "y"}, answer="x"), "give two or more, all different"),
        (lambda: quiz("a", "?", {"x": "y", "z": ""}, answer="x"), "an option without an explanation"),
        (lambda: quiz("a", "?", {"x": "y", "z": "w"}, answer="q"), "answer='q' is none of the options of a: x, z"),
        (lambda: predict("a", "?", ["x", "x"]), "all different"),
        (lambda: predict("a", "?", ["x", "y"], explorer=3), "explorer=int cannot be locked"),
        (lambda: ask().choose("none"), "'none' is none of the options of 02.a"),
        (lambda: ask().choose(9), "9 is none of the options"),
    ],
)
def test_a_question_that_cannot_work_says_why(call, said):
    with pytest.raises(ValueError, match=said):
        call()
