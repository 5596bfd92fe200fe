"""Supervised fine-tuning: only answers count, whatever stands beside them in a batch; bad files are refused by line."""

import json
import math

import pytest
import torch
from torch import nn

from course_utils.alignment.sft import Turn, answer_batches, padded, read_conversations, tokens_of
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.tokenizers.words import CharacterTokenizer
from course_utils.training import MASKED, cross_entropy_loss

TOKENIZER = CharacterTokenizer.train("abcdefgh ?.")


def spelled(ids):
    return ["·" if token == MASKED else TOKENIZER.tokens[token] for token in ids.tolist()]


def test_targets_are_the_next_tokens_of_the_answers_and_nothing_else():
    found = tokens_of([Turn("ab?", "cd."), Turn("e?", "f.")], TOKENIZER)
    assert TOKENIZER.decode(found.ids.tolist()) == "ab?cd.e?f"
    assert "".join(spelled(found.targets)) == "··cd.··f."


def test_an_answer_without_a_prompt_gives_its_first_token():
    assert "".join(spelled(tokens_of([Turn("", "abc")], TOKENIZER).targets)) == "bc"


def test_the_loss_is_the_answers_surprisal_worked_out_by_hand():
    class Fixed(nn.Module):
        """Gives every next token the same scores: ln 1, ln 2, ln 3, ..."""

        def forward(self, ids):
            return torch.arange(1.0, len(TOKENIZER) + 1).log().expand(*ids.shape, -1)

    size = len(TOKENIZER)
    whole = size * (size + 1) / 2
    batch = padded([tokens_of([Turn("ab?", "cd")], TOKENIZER), tokens_of([Turn("a", "b")], TOKENIZER)])
    loss, counted = cross_entropy_loss(Fixed(), batch)
    expected = -sum(math.log((TOKENIZER.encode(letter)[0] + 1) / whole) for letter in "cdb")
    assert counted == 3 and loss.item() == pytest.approx(expected, rel=1e-5)


def test_filling_up_changes_no_loss_and_no_gradient():
    examples = [
        tokens_of([Turn(prompt, answer)], TOKENIZER) for prompt, answer in (("ab?", "cd."), ("a", "b"), ("h?", "gg"))
    ]

    def gradients(batches):
        model = Transformer(TransformerConfig(vocabulary=len(TOKENIZER), layers=1, width=16), seed=0)
        total = sum(cross_entropy_loss(model, padded(batch))[0] for batch in batches)
        total.backward()
        return total.item(), [weight.grad for weight in model.parameters()]

    together, alone = gradients([examples]), gradients([[each] for each in examples])
    assert together[0] == pytest.approx(alone[0], rel=1e-5)
    for one, other in zip(together[1], alone[1], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_each_epoch_holds_every_conversation_once_in_another_order():
    letters = "abcdefg"
    batches = answer_batches([[Turn(letter, ".")] for letter in letters], TOKENIZER, 3, seed=5)

    def epoch(number):
        return "".join(TOKENIZER.decode(batches[3 * number + step][0].flatten().tolist()) for step in range(3))

    first, second = epoch(0), epoch(1)
    assert sorted(first) == sorted(second) == sorted(letters) and first != second
    assert first == epoch(0), "a batch is a function of its step"


@pytest.mark.parametrize(
    ("turns", "how", "said"),
    [
        ([], {}, "at least one conversation"),
        ([[]], {}, "at least one prompt"),
        ([[Turn("ab", "")]], {}, "'ab' is empty"),
        ([[Turn("abc", "def")]], {"context": 4}, "5 tokens and the model reads at most 4"),
        ([[Turn("a", "b")]], {"batch_size": 0}, "1 or more"),
    ],
)
def test_what_cannot_be_learned_from_is_refused_in_a_sentence(turns, how, said):
    with pytest.raises(ValueError, match=said):
        answer_batches(turns, TOKENIZER, **{"batch_size": 2, **how})


def test_a_file_is_read_one_conversation_a_line(tmp_path):
    path = tmp_path / "mine.jsonl"
    one, other = (
        {"prompt": "a?", "answer": "こんにちは 🙂"},
        [{"prompt": "b", "answer": "c"}, {"prompt": "d", "answer": "e"}],
    )
    path.write_text(f"{json.dumps(one)}\n\n{json.dumps(other)}\n", encoding="utf-8")
    assert read_conversations(path) == [[Turn("a?", "こんにちは 🙂")], [Turn("b", "c"), Turn("d", "e")]]


GOOD = json.dumps({"prompt": "a", "answer": "b"}).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD + b'\n{"prompt": "a", "ans', "Line 2 of mine.jsonl cannot be read"),
        (b'{"prompt": "a"}', "Line 1 .*answer"),
        (b"7", "Line 1"),
        (GOOD + b"\n\n" + b'{"prompt": "a", "answer": "  "}', "Line 3 .* empty answer"),
        (b"[]", "Line 1 .* empty"),
        (b"\n\n", "holds no example"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_broken_file_is_refused_and_the_line_named(tmp_path, content, said):
    path = tmp_path / "mine.jsonl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=said):
        read_conversations(path)
    with pytest.raises(ValueError, match="There is no file"):
        read_conversations(tmp_path / "none.jsonl")
