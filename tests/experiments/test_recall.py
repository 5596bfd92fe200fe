"""The recall task of lesson 09: what attention alone learns, live and in the recorded runs."""

import pytest
import torch

from course_utils import data, interpret
from course_utils.experiments import recall


@pytest.mark.parametrize("separate", [False, True])
def test_a_text_asks_for_what_it_says(separate):
    ids, digits, places = recall.RecallTexts(separate, 64, seed=3)[7]
    for text, answers, where in zip(ids, digits, places, strict=True):
        names = recall.token_names(text, separate=separate)
        said = names[: -recall.PAIRS]
        if separate:
            said = [letter + digit for letter, digit in zip(said[::2], said[1::2], strict=True)]
        known = dict(said)  # letter -> digit, of two characters each
        asked = [name.rstrip("?") for name in names[-recall.PAIRS :]]
        assert sorted(asked) == sorted(known) and len(known) == recall.PAIRS
        assert [int(known[letter]) for letter in asked] == answers.tolist()
        assert [int(names[place][-1]) for place in where] == answers.tolist()
    again, other = recall.RecallTexts(separate, 64, seed=3), recall.RecallTexts(separate, 64, seed=4)
    assert torch.equal(again[7][0], ids) and not torch.equal(again[8][0], ids) and not torch.equal(other[7][0], ids)


def test_the_model_is_attention_alone():
    model = recall.recall_model(True, 2)
    ids = recall.RecallTexts(True, 4, 0)[0][0]
    with interpret.capture(model) as seen:
        expected = model(ids)
    stream = seen.stream[0]
    for block in model.blocks:
        stream = stream + block.attention(block.attention_norm(stream), model.fixed_positions()[:24])
    torch.testing.assert_close(model.unembed(model.final_norm(stream)), expected, atol=1e-5, rtol=1e-4)


def test_pairs_as_one_token_are_recalled_by_one_layer_that_looks_where_the_answer_is():
    """Also: without the weight on the right token the answer is gone, so the head's look is what answers."""
    run = recall.recall(separate=False, layers=1, seed=0)
    assert run.accuracy > 0.99 and run.weight > 0.9
    ids, digits, places = recall.RecallTexts(False, 1, seed=0)[recall.TEST_STEP]
    question = recall.PAIRS
    with interpret.edit(run.model, set_weights={(0, 0, question, int(places[0, 0])): 0.0}), torch.inference_mode():
        scores = recall.answer_scores(run.model, ids)[0]
    assert scores[0].argmax() != digits[0, 0]
    assert torch.equal(scores[1:].argmax(-1), digits[0, 1:])


def runs(tokens_a_pair: int, layers: int, steps: int) -> list[dict]:
    rows = data.recorded("attention_recall").rows
    return [
        row for row in rows if (row["tokens_a_pair"], row["layers"], row["steps"]) == (tokens_a_pair, layers, steps)
    ]


def test_recorded_runs_hold_what_the_lesson_says():
    pairs, one_layer, two_layers = runs(1, 1, 400), runs(2, 1, 400), runs(2, 2, 400)
    assert len(pairs) == len(one_layer) == len(two_layers) == 5
    assert all(row["accuracy"] > 0.99 and row["weight"] > 0.9 for row in pairs)
    assert all(row["accuracy"] < 0.35 and row["weight"] < 0.2 for row in one_layer)  # the baseline is 0.30
    solved = [row for row in two_layers if row["accuracy"] > 0.99]
    assert len(solved) == 3, "two of five seeds are not there yet"
    assert all(row["weight"] > 0.9 and row["on_letter"] > 0.85 for row in solved)
    long = runs(2, 2, 1200)
    assert len(long) == 5 and all(row["accuracy"] > 0.99 for row in long)
    assert sum(row["weight"] > 0.9 for row in long) == 2, "the answer is right, though the weight is spread"
    assert all(row["accuracy"] < 0.35 for row in runs(2, 1, 1200))
