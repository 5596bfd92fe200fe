import pytest

from course_utils.practice import predict, progress, quiz
from course_utils.practice.exercises import lessons
from course_utils.practice.questions import WIDGET, Option, Prediction, Question, Quiz, lesson_questions

NASTY = "<script>alert(1)</script>"
QUESTION = Question("02.a", "Which?", (Option("this", "Because `x`.", right=True), Option("that", "No: **y**."),
                                       Option("both", "Not that.")))  # fmt: skip
GUESS = Question("03.a", "What?", (Option("up", "It is not light."), Option("down", "It is steep.", right=True),
                                   Option("away", "Nothing pulls.")))  # fmt: skip


class Explorer:
    """Anything with two methods can be locked."""

    def __init__(self):
        self.unlocked = True

    def enable(self):
        self.unlocked = True

    def disable(self):
        self.unlocked = False


def ask():
    return Quiz(QUESTION)


def guess(explorer=None):
    return Prediction(GUESS, explorer)


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
    assert "Not this one" in question.said[2].value
    assert progress.found("quizzes", "02.a")["choice"] == "both"


def test_a_quiz_comes_back_as_it_was_left():
    ask().choose("this")
    assert all(said.value for said in ask().said)


def test_a_choice_whose_words_were_changed_since_counts_as_none(own_progress):
    progress.record("predictions", "03.a", choice="sideways", right=False)
    explorer = Explorer()
    guess(explorer)
    assert not explorer.unlocked


def test_the_page_without_a_kernel_holds_question_options_and_answers():
    bundle = ask()._repr_mimebundle_()
    assert bundle["text/plain"] == "Quiz 02.a: Which?\n  ( ) this\n  ( ) that\n  ( ) both"
    page = bundle["text/html"]
    assert "Which?" in page and "<details>" in page and "Because <code>x</code>." in page and "No: <b>y</b>." in page
    assert bundle[WIDGET]["model_id"]
    folded = guess()._repr_mimebundle_()
    assert folded["text/plain"] == "Before you go on 03.a: What?\n  ( ) up\n  ( ) down\n  ( ) away"
    before, _, after = folded["text/html"].partition("<details>")
    assert "steep" not in before and "<b>down</b>: ✓ <b>This is what happens.</b> It is steep." in after


def test_every_text_is_escaped():
    card = Question(NASTY, NASTY, (Option(NASTY, NASTY, right=True), Option("b", NASTY)))
    question, prediction = Quiz(card), Prediction(card, None)
    question.choose("b")
    prediction.choose(NASTY)
    pages = [each._repr_mimebundle_()["text/html"] for each in (question, prediction)]
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
    assert "Your guess: <b>up</b>." in question.told.value and "controls are unlocked" in question.told.value
    assert "This is not what happens" in question.said[0].value and "It is not light." in question.said[0].value
    assert "This is what happens" in question.said[1].value and "It is steep." in question.said[1].value
    assert question.said[2].value == "" and question.show_me.disabled
    assert progress.found("predictions", "03.a")["right"] is False


def test_after_the_guess_every_option_explains_itself_and_the_guess_stays():
    question = guess(Explorer())
    question.buttons[0].click()
    recorded = progress.found("predictions", "03.a")
    assert not any(button.disabled for button in question.buttons)
    question.buttons[2].click()
    question.buttons[1].click()
    assert "Nothing pulls." in question.said[2].value and all(said.value for said in question.said)
    assert "Your guess: <b>up</b>." in question.told.value
    assert progress.found("predictions", "03.a") == recorded
    again = guess()
    assert "Your guess: <b>up</b>." in again.told.value and again.said[2].value == ""


def test_show_me_unlocks_without_a_guess():
    explorer = Explorer()
    question = guess(explorer)
    question.show_me.click()
    assert explorer.unlocked and "It is steep." in question.said[1].value and "Your guess" not in question.told.value
    question.buttons[0].click()  # whoever has seen the answer can no longer guess
    assert "It is not light." in question.said[0].value and "Your guess" not in question.told.value
    assert progress.found("predictions", "03.a") is None


def test_a_guess_made_before_leaves_the_controls_open():
    guess(Explorer()).choose("down")
    explorer = Explorer()
    assert "This is what happens" in guess(explorer).said[1].value
    assert explorer.unlocked


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Question("a", "?", (Option("x", "y", right=True),)), "give two or more, all different"),
        (lambda: Question("a", "?", (Option("x", "y", right=True), Option("x", "z"))), "all different"),
        (lambda: Question("a", "?", (Option("x", "y", right=True), Option("z", ""))), "without an explanation"),
        (lambda: Question("a", "?", (Option("x", "y"), Option("z", "w"))), "has 0 right options; mark one"),
        (lambda: guess(3), "explorer=int cannot be locked"),
        (lambda: ask().choose("none"), "'none' is none of the options of 02.a: this, that, both"),
        (lambda: ask().choose(9), "9 is none of the options"),
        (lambda: ask().choose(-1), "-1 is none of the options"),
    ],
)
def test_a_question_that_cannot_work_says_why(call, said):
    with pytest.raises(ValueError, match=said):
        call()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: quiz("02.z"), "there is no quiz '02.z'; the closest is '02."),
        (lambda: predict("02.a"), "there is no prediction '02.a'; the closest is '"),
        (lambda: quiz(None), "there is no quiz 'None'"),
    ],
)
def test_an_unknown_question_names_the_closest(call, said):
    with pytest.raises(LookupError, match=said):
        call()


def test_every_question_of_the_course_can_be_asked():
    asked = {"quizzes": quiz, "predictions": predict}
    seen = []
    for number in lessons():
        for kind, cards in lesson_questions(number).items():
            for card in cards:
                assert asked[kind](card.id).question is card and card.id.startswith(f"{number}.")
                seen.append(card.id)
        letters = sorted(identifier for identifier in seen if identifier.startswith(number))
        assert letters == [f"{number}.{'abcdefgh'[place]}" for place in range(len(letters))] and len(letters) >= 2
    assert len(set(seen)) == len(seen)
