"""The sentences in English and Japanese: as many in each language and register, all different, all what they say."""

import csv
import unicodedata
from collections import Counter

import pytest
import regex

from course_utils import data

REGISTERS = ("casual", "polite", "formal", "technical", "poetic", "proverb", "names and numbers", "story")


@pytest.fixture(scope="module")
def rows():
    return data.translations()


def test_there_are_eight_sentences_of_each_register(rows):
    assert Counter(row.register for row in rows) == dict.fromkeys(REGISTERS, 8)


def test_no_sentence_is_empty_or_comes_twice(rows):
    for language in ("english", "japanese"):
        sentences = [getattr(row, language) for row in rows]
        assert all(sentence == sentence.strip() and len(sentence) > 5 for sentence in sentences)
        assert len(set(sentences)) == len(sentences)


def test_each_column_is_in_its_language(rows):
    for row in rows:
        assert row.english.isascii() and row.english[-1] in ".?!"
        assert regex.search(r"\p{Hiragana}|\p{Katakana}", row.japanese) or row.register == "proverb"
        assert regex.fullmatch(r"[\p{Han}\p{Hiragana}\p{Katakana}ー、。？0-9,.:]+", row.japanese), row.japanese
        assert row.japanese[-1] in "。？"


def test_numbers_written_in_digits_stand_in_both(rows):
    for row in rows:
        if row.register == "names and numbers":
            numbers = {
                language: Counter(regex.findall(r"\d", getattr(row, language))) for language in ("english", "japanese")
            }
            assert numbers["english"] and set(numbers["english"]) & set(numbers["japanese"])


def test_the_file_is_plain_utf_8_in_composed_form(project):
    raw = (project / "datasets" / "translations.csv").read_bytes()
    text = raw.decode("utf-8")
    assert not raw.startswith(b"\xef\xbb\xbf") and "\r" not in text and text.endswith("\n")
    assert unicodedata.normalize("NFC", text) == text
    assert [row["id"] for row in csv.DictReader(text.splitlines())] == [str(number) for number in range(1, 65)]
