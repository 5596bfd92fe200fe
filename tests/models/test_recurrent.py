"""The recurrent networks written out are torch's, and a text read in pieces gives what it gives in one go."""

import pytest
import torch

from course_utils import sampling
from course_utils.models.decoding import pad_left
from course_utils.models.recurrent import Recurrent, RecurrentConfig, RecurrentLanguageModel
from course_utils.tokenizers import CharacterTokenizer


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
@pytest.mark.parametrize(("inputs", "width", "tokens"), [(3, 5, 7), (8, 8, 1), (16, 32, 60)])
def test_it_equals_torch_forwards_and_backwards(cell, inputs, width, tokens):
    ours = Recurrent(inputs, width, cell, torch.Generator().manual_seed(0)).double()
    with torch.random.fork_rng(devices=[]):
        theirs = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM}[cell](inputs, width, batch_first=True).double()
    theirs.load_state_dict({
        "weight_ih_l0": ours.input_weight, "weight_hh_l0": ours.recurrent_weight, "bias_ih_l0": ours.bias,
        "bias_hh_l0": torch.zeros_like(ours.bias),
    })  # fmt: skip
    texts = [random(4, tokens, inputs).requires_grad_() for _ in range(2)]
    state = tuple(random(4, width, seed=number) for number in range(len(ours.new_state(4))))
    begin = tuple(part[None] for part in state)
    our_outputs, our_end = ours(texts[0], state)
    their_outputs, their_end = theirs(texts[1], begin if cell == "lstm" else begin[0])
    torch.testing.assert_close(our_outputs, their_outputs, rtol=0, atol=1e-6)
    for part, other in zip(our_end, their_end if cell == "lstm" else (their_end,), strict=True):
        torch.testing.assert_close(part, other[0], rtol=0, atol=1e-6)
    weighing = random(*our_outputs.shape, seed=9)
    (our_outputs * weighing).sum().backward()
    (their_outputs * weighing).sum().backward()
    torch.testing.assert_close(texts[0].grad, texts[1].grad, rtol=0, atol=1e-6)
    torch.testing.assert_close(ours.input_weight.grad, theirs.weight_ih_l0.grad, rtol=0, atol=1e-6)
    torch.testing.assert_close(ours.recurrent_weight.grad, theirs.weight_hh_l0.grad, rtol=0, atol=1e-6)
    torch.testing.assert_close(ours.bias.grad, theirs.bias_hh_l0.grad, rtol=0, atol=1e-6)


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_text_in_pieces_is_the_text(cell, layers):
    model = RecurrentLanguageModel(RecurrentConfig(vocabulary=11, width=16, layers=layers, cell=cell), seed=3)
    ids = torch.randint(0, 11, (2, 9), generator=torch.Generator().manual_seed(0))
    whole = model(ids)
    state = model.start(batch=2, length=9)
    torch.testing.assert_close(model.next_logits(ids[:, :4], state), whole[:, 3])
    for place in range(4, 9):
        torch.testing.assert_close(model.next_logits(ids[:, place : place + 1], state), whole[:, place])
    state.truncate(6)
    state.repeat(2)
    torch.testing.assert_close(
        model.next_logits(ids[:, 6:].repeat_interleave(2, dim=0), state), whole[:, -1].repeat_interleave(2, dim=0)
    )
    state.repeat(3)
    again = model.next_logits(ids[:, :1].repeat_interleave(6, dim=0), state)
    torch.testing.assert_close(again, model(torch.cat((ids, ids[:, :1]), dim=1))[:, -1].repeat_interleave(6, dim=0))


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_padding_on_the_left_changes_nothing(cell):
    model = RecurrentLanguageModel(RecurrentConfig(vocabulary=11, width=16, layers=2, cell=cell))
    texts = [torch.tensor([3, 1, 4, 1, 5]), torch.tensor([9, 2])]
    padded, mask = pad_left(texts)
    logits = model.next_logits(padded, model.start(2, 5), mask)
    for row, text in zip(logits, texts, strict=True):
        torch.testing.assert_close(row, model(text[None])[0, -1])


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_it_writes(cell):
    model = RecurrentLanguageModel(RecurrentConfig(vocabulary=257, width=16, cell=cell))
    tokenizer = CharacterTokenizer([chr(number) for number in range(256)])
    text = sampling.generate(model, tokenizer, "It", max_new_tokens=9, seed=1)
    assert len(text) == 9 == len(sampling.generate(model, tokenizer, "It", max_new_tokens=9, seed=2))
    assert text == sampling.generate(model, tokenizer, "It", max_new_tokens=9, seed=1)


def test_later_tokens_change_nothing_before_them():
    model = RecurrentLanguageModel(RecurrentConfig(vocabulary=11, width=16))
    ids = torch.arange(6)[None]
    changed = ids.clone()
    changed[0, 4] = 9
    torch.testing.assert_close(model(ids)[:, :4], model(changed)[:, :4])
    assert not torch.equal(model(ids)[:, 5], model(changed)[:, 5])


def test_the_seed_alone_decides_the_first_weights():
    before = torch.get_rng_state()
    one, same, other = (RecurrentLanguageModel(RecurrentConfig(), seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not torch.equal(one.layers[0].input_weight, other.layers[0].input_weight)


def test_the_keep_bias_opens_the_keep_gate_and_no_other():
    plain, open_gate = (
        Recurrent(4, 3, "lstm", torch.Generator().manual_seed(0), keep_bias=bias) for bias in (0.0, 2.0)
    )
    assert (open_gate.bias - plain.bias).tolist() == pytest.approx([0] * 3 + [2] * 3 + [0] * 6)


@pytest.mark.parametrize(
    ("settings", "words"), [(dict(width=0), "width=0 must be at least 1"), (dict(cell="gru"), "cell='gru' is unknown")]
)
def test_wrong_settings_are_refused_in_a_sentence(settings, words):
    with pytest.raises(ValueError, match=words):
        RecurrentConfig(**settings)
