"""The vector of a word by context."""

import pytest

from course_utils.experiments import context
from course_utils.models import pretrained


@pytest.fixture(scope="module")
def chat():
    return pretrained.load("smollm2-135m-instruct")


@pytest.fixture(scope="module")
def senses(chat):
    return context.senses_by_layer(*chat)


def test_only_what_stands_before_the_word_tells_the_senses_apart(chat):
    _, tokenizer = chat
    for text in context.RIVER + context.MONEY:
        ids = tokenizer.encode(text)
        assert [tokenizer.decode([token]) for token in ids[-2:]] == [" the", " bank"], text
        assert context.place_of(tokenizer, text, "bank") == len(ids) - 1


def test_the_table_knows_one_bank_and_the_layers_make_two(senses):
    assert senses.within.shape == senses.between.shape == senses.nearest.shape == (31,)
    assert senses.within[0] == pytest.approx(1) and senses.between[0] == pytest.approx(1)
    assert (senses.within[2:] > senses.between[2:]).all()
    assert senses.within[9] > 0.93 and senses.between[9] < 0.85  # 0.96 and 0.81
    assert (senses.nearest[5:] == 1).all()  # each sentence's nearest is of its own sense


def test_senses_that_are_the_same_are_not_told_apart(chat):
    """A control: river sentences divided at random differ no more between the halves than within."""
    mixed = context.senses_by_layer(*chat, senses=(context.RIVER[::2], context.RIVER[1::2]))
    assert (mixed.within - mixed.between).abs().max() < 0.05
    assert mixed.nearest[5:].mean() < 0.8


def test_what_is_not_there_is_said(chat):
    _, tokenizer = chat
    with pytest.raises(ValueError, match="'boat' does not stand in 'a river bank'"):
        context.place_of(tokenizer, "a river bank", "boat")
    with pytest.raises(ValueError, match="two senses need two each or more"):
        context.senses_by_layer(*chat, senses=(context.RIVER, context.MONEY[:1]))


def test_a_word_may_be_several_tokens_and_the_last_one_counts(chat):
    _, tokenizer = chat
    text = "the riverbankers of the riverbankers sat"
    place = context.place_of(tokenizer, text, "riverbankers")
    assert tokenizer.decode(tokenizer.encode(text)[: place + 1]) == "the riverbankers of the riverbankers"
