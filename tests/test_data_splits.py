"""Held-out texts stay out of training, and cleaning takes away marks and notes, never words."""

import re
from collections import Counter

import pytest

from course_utils import data
from course_utils.data import splits
from course_utils.data.splits import PARTS, addresses, addresses_text, clean_address, clean_play, plays, plays_text


def test_every_play_is_in_one_part_and_every_folder_in_each():
    names = {part: [play.name for play in plays(part)] for part in PARTS}
    assert [len(names[part]) for part in PARTS] == [26, 6, 6]
    assert len({name for part in PARTS for name in names[part]}) == 38
    assert set(names["validation"]) == set(splits.VALIDATION_PLAYS)
    assert set(names["test"]) == set(splits.TEST_PLAYS)
    for part in PARTS:
        assert {play.folder for play in plays(part)} == {
            "comedies", "histories", "problems", "roman", "romances", "tragedies",
        }  # fmt: skip


def test_every_address_is_in_one_part_by_the_last_digit_of_its_year():
    years = {part: [address.year for address in addresses(part)] for part in PARTS}
    assert [len(years[part]) for part in PARTS] == [198, 27, 24]
    assert {year for year in years["validation"] if year % 10} == {1981}
    assert {year % 10 for year in years["test"]} == {5}
    assert not {year % 10 for year in years["train"]} & {0, 5} and 1981 not in years["train"]


@pytest.mark.parametrize(
    ("text", "letters", "repeated"),
    [
        (plays_text, 45, 2),  # lines of a song that two plays sing
        (addresses_text, 80, 6),  # a few paragraphs that quote an earlier message; shorter lines are forms of address
    ],
)
def test_no_long_line_of_a_held_out_text_stands_in_training(text, letters, repeated):
    lines = {part: {line for line in text(part).split("\n") if len(line) > letters} for part in PARTS}
    for part in ("validation", "test"):
        assert len(lines[part]) > 1000
        assert len(lines[part] & lines["train"]) <= repeated, sorted(lines[part] & lines["train"])


@pytest.mark.parametrize("text", [plays_text, addresses_text])
def test_held_out_texts_have_no_character_that_training_lacks(text):
    assert set(text("validation")) | set(text("test")) <= set(text("train"))


def test_cleaned_texts_have_no_marks_left():
    for part in PARTS:
        assert not set(plays_text(part)) & set("*_#\\—\t")
        assert not set(addresses_text(part)) & set("•|_“”‘’—–\t")
        for text in (plays_text(part), addresses_text(part)):
            assert "  " not in text and " \n" not in text and "\n\n\n" not in text and text.endswith("\n")
        assert "[Laughter]" not in addresses_text(part) and "\nAudience member" not in addresses_text(part)


def test_cleaning_keeps_the_words_of_the_plays():
    raw = Counter(re.findall(r"[a-z']+", data.shakespeare().lower()))
    clean = Counter(re.findall(r"[a-z']+", "\n".join(plays_text(part) for part in PARTS).lower()))
    assert clean == raw


def test_cleaning_keeps_nearly_all_words_of_the_addresses():
    raw = len(re.findall(r"\w+", " ".join(speech.text for speech in data.speeches())))
    clean = len(re.findall(r"\w+", " ".join(addresses_text(part) for part in PARTS)))
    assert 0.998 < clean / raw <= 1


def test_a_direction_within_a_speech_keeps_one_pair_of_brackets():
    assert clean_play("_[Aside]_ Ay.\n\n**A & B:**  \nNo\\--yes.") == "[Aside] Ay.\n\nA & B:\nNo--yes.\n"
    assert clean_play("__\\[Sings]_\n_Exit_\n\n_Enter\nROSS_\n") == "[Sings]\n[Exit]\n\n[Enter\nROSS]\n"


def test_an_address_without_notes_stays_as_it_is():
    text = "Fellow-Citizens:\n\nI met 13% more of you (as I said).\n"
    assert clean_address(text) == text


@pytest.mark.parametrize("loader", [plays, addresses])
def test_an_unknown_part_is_refused_in_a_sentence(loader):
    with pytest.raises(ValueError, match="part='held-out' is not known; choose one of: train, validation, test"):
        loader("held-out")
