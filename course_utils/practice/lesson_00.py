"""Exercises, quizzes and predictions of notebook 00: reading an explorer."""

from course_utils.practice.exercises import Exercise, Wrong
from course_utils.practice.questions import Option, Question

# A card reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "00.1", "What the temperature does", difficulty=1, importance=5, minutes=2,
        task="In the second picture, press **Reset**. Then raise the temperature from 0.2 to 2. What happens to the "
        'orange bar of the first token, and what happens to the entropy? Write `"grows"` or `"shrinks"` for each.',
        stub="first_bar = ...\nentropy = ...",
        answer='first_bar = "shrinks"\nentropy = "grows"',
        wrong=(
            Wrong("that is what happens on the way down, from 2 to 0.2. Start at 0.2 and move to the right.",
                  'first_bar = "shrinks"\nentropy = "grows"', 'first_bar = "grows"\nentropy = "shrinks"'),
            Wrong("the bars share 100 %: when the first bar gives some away, others get it, and the choice is less "
                  "certain. Read the entropy at 0.2 and at 2.", 'entropy = "grows"', 'entropy = "shrinks"'),
            Wrong("they cannot both grow: the entropy says how unsure the next draw is, and a longer first bar makes "
                  "it more certain.", 'first_bar = "shrinks"', 'first_bar = "grows"'),
        ),
        hints=("Look at the bar of the first token only, at 0.2, at 1 and at 2.",
               "The entropy is small when one token has nearly everything, and large when many are about equal."),
        explanation="A high temperature makes the tokens more equal, so the draw is less certain. The entropy measures "
        "that in bits.",
    ),
    Exercise(
        "00.2", "Temperature zero", difficulty=1, importance=4, minutes=1,
        task="Think first, then try it: at temperature 0, you press **Draw twenty**. How many *different* tokens are "
        "among the twenty?",
        stub="different_tokens = ...",
        answer="different_tokens = 1",
        wrong=(
            Wrong("twenty draws need not differ. At temperature 0 nothing is left to chance: which token is taken each "
                  "time?", "= 1", "= 20"),
            Wrong("at temperature 0 the model still writes: it always takes the likeliest token.", "= 1", "= 0"),
        ),
        hints=("Set the temperature to 0 and press **Draw twenty**.",
               "At 0 the longest bar has 100 %. How many tokens can then be drawn?"),
        explanation="Temperature 0 is called greedy: always the likeliest token, the same one every time.",
    ),
)

QUIZZES = (
    Question(
        "00.b",
        "You ask the same question twice at temperature 0.8, with a different seed each time, and get two different "
        "answers. Why?",
        (
            Option("The model has learned from your first question",
                   "Its numbers do not change while you talk to it. What you typed is only part of the text that it "
                   "continues."),
            Option("Each token is drawn at random, with the model's probabilities",
                   "The model gives probabilities, and a random draw decides. Once two answers differ in one token, "
                   "what follows differs too.", right=True),
            Option("It looked in a different place for the second answer",
                   "Nothing is looked up: the same numbers are multiplied both times. At temperature 0, where nothing "
                   "is left to chance, both answers are the same."),
        ),
    ),
)

PREDICTIONS = (
    Question(
        "00.a", "You raise the temperature from 1 to 3 and draw twenty tokens. What will most of the twenty be?",
        (
            Option("the likeliest token",
                   "That happens at low temperatures. A high temperature takes probability away from the likeliest "
                   "token."),
            Option("a mix of the twelve tokens that have a row of their own",
                   "The twelve do become more equal, but the tokens of the last row gain as well, and there are far "
                   "more of those."),
            Option("tokens from the last row, which stands for all the others",
                   "Each of the others is very unlikely, but there are 49,140 of them. At temperature 3 they share "
                   "enough of the probability to win nearly every draw. That is why a text falls apart.",
                   right=True),
        ),
    ),
)
