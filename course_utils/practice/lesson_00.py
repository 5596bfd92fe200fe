"""Exercises of notebook 00: reading an explorer."""

from course_utils.practice.exercises import Exercise, Wrong

# An exercise reads as a card, not as one argument a line.
# fmt: off
EXERCISES = (
    Exercise(
        "00.1", "What the temperature does", difficulty=1, importance=5, minutes=2,
        task="Raise the temperature in the picture above from 0.2 to 2. What happens to the longest bar, and what to "
        'the entropy in the caption? Write `"grows"` or `"shrinks"` for each.',
        stub="longest_bar = ...\nentropy = ...",
        answer='longest_bar = "shrinks"\nentropy = "grows"',
        wrong=(
            Wrong("that is what happens on the way down, from 2 to 0.2. Move the handle to the right and look again.",
                  'longest_bar = "shrinks"\nentropy = "grows"', 'longest_bar = "grows"\nentropy = "shrinks"'),
            Wrong("the bars share 100 %: when the longest gives some away, others get it, and the choice is less sure. "
                  "Read the entropy at 0.2 and at 2.", 'entropy = "grows"', 'entropy = "shrinks"'),
            Wrong("both cannot grow: entropy says how unsure the model is, and a longer first bar makes it surer.",
                  'longest_bar = "shrinks"', 'longest_bar = "grows"'),
        ),
        hints=("Look at the longest bar only, at 0.2, at 1 and at 2.",
               "Entropy is small when one bar has nearly everything, large when many bars are alike."),
        because="A high temperature evens the bars out; entropy counts that in bits.",
    ),
    Exercise(
        "00.2", "Temperature zero", difficulty=1, importance=4, minutes=2,
        task="At temperature 0, the model writes the next token twenty times, each time from the same prompt. How many "
        "*different* tokens will it write?",
        stub="different_tokens = ...",
        answer="different_tokens = 1",
        wrong=(
            Wrong("twenty draws need not differ. At temperature 0 nothing is left to chance: which token is taken each "
                  "time?", "= 1", "= 20"),
            Wrong("temperature 0 does not silence the model; it always takes the likeliest token.", "= 1", "= 0"),
        ),
        hints=("Set the temperature to 0 and press the button that draws twenty.",
               "At 0 the longest bar has 100 %. How many tokens can then be drawn?"),
        because="Temperature 0 is called greedy: always the likeliest token, the same every time.",
    ),
)
