"""The vector of a word by context, and what single heads of the chat model look at."""

import dataclasses

import pytest
import torch

from course_utils.experiments import context
from course_utils.models import pretrained

CAT = "your cat is a lovely cat"
ANIMAL = "The animal didn't cross the street because it was too tired"


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


def look(chat, text: str, layer: int, head: int, query: int, token: int) -> context.Look:
    return context.look(context.attention_by_head(*chat, text), layer, head, query, token)


def test_heads_that_the_lesson_names(chat):
    again = look(chat, CAT, 2, 4, 5, 1)  # the second "cat" at the first
    assert again.weight > 0.6 and again.from_others < 0.05  # 0.72, 0.00
    lovely = look(chat, CAT, 23, 5, 4, 1)  # "lovely" at "cat"
    assert lovely.weight > 0.45 and lovely.from_others > 0.25  # 0.57, but 0.38 from the others too
    it = look(chat, ANIMAL, 13, 8, 8, 1)  # "it" at "animal"
    assert it.weight > 0.65 and it.from_others > 0.45  # 0.75, but 0.55 from the others too: it looks at the subject
    street = look(chat, ANIMAL, 21, 6, 8, 6)  # "it" at "street"
    assert street.weight > 0.45  # 0.56
    assert [(found.layer, found.head) for found in _strongest(chat, ANIMAL, 8, 1)[:1]] == [(13, 8)]


def _strongest(chat, text: str, query: int, token: int) -> list[context.Look]:
    return context.heads_that_look(context.attention_by_head(*chat, text), query, token)


def test_river_right_before_bank_is_found_by_a_head_that_always_looks_one_back(chat):
    best = _strongest(chat, "He swam to the river bank", 5, 4)[0]
    assert (best.layer, best.head) == (16, 0) and best.weight > 0.9 and best.previous > 0.8


def test_a_head_that_looks_from_bank_at_the_word_that_gives_its_meaning(chat):
    river = look(chat, context.RIVER[0], 27, 8, 7, 4)  # "bank" at "river", three tokens before
    money = look(chat, "I put the money in the bank", 27, 8, 6, 3)
    for found in (river, money):
        assert found.weight > 0.5 and found.from_others < 0.05 and found.previous < 0.2  # 0.70 and 0.57
    assert look(chat, "He swam to the river bank", 27, 8, 5, 1).weight > 0.3  # at "swam": 0.35


def test_most_of_the_weight_lies_on_the_first_token(chat):
    assert 0.6 < context.share_on_first(context.attention_by_head(*chat, ANIMAL)) < 0.7


@pytest.mark.slow
def test_induction_and_previous_token_heads(chat):
    induction, previous = context.induction_scores(chat[0])
    assert induction.shape == previous.shape == (30, 9)
    assert divmod(int(induction.argmax()), 9) == (18, 6) and induction.max() > 0.8
    assert divmod(int(previous.argmax()), 9) == (16, 0) and previous.max() > 0.8


def test_the_strongest_heads_come_first():
    weights = torch.zeros(2, 3, 4, 4)
    weights[1, 2, 3, 1], weights[0, 1, 3, 1] = 0.9, 0.4
    found = context.heads_that_look(weights, 3, 1, count=2)
    assert [(each.layer, each.head, round(each.weight, 3)) for each in found] == [(1, 2, 0.9), (0, 1, 0.4)]
    assert dataclasses.replace(found[0], weight=0.9) == context.Look(1, 2, 0.9, 0.0, 0.0, 0.0)


def test_what_is_not_there_is_said(chat):
    _, tokenizer = chat
    with pytest.raises(ValueError, match="'boat' does not stand in 'a river bank'"):
        context.place_of(tokenizer, "a river bank", "boat")
    with pytest.raises(ValueError, match="two senses need two each or more"):
        context.senses_by_layer(*chat, senses=(context.RIVER, context.MONEY[:1]))
    with pytest.raises(ValueError, match="both are from 0 to 3, and nothing looks at what comes later"):
        context.heads_that_look(torch.zeros(1, 1, 4, 4), 1, 2)


def test_a_word_may_be_several_tokens_and_the_last_one_counts(chat):
    _, tokenizer = chat
    text = "the riverbankers of the riverbankers sat"
    place = context.place_of(tokenizer, text, "riverbankers")
    assert tokenizer.decode(tokenizer.encode(text)[: place + 1]) == "the riverbankers of the riverbankers"
