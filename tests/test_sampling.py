"""Generation: each knob equals its reference, the loop repeats itself, and text comes out whole."""

import dataclasses
import inspect
import math
import threading

import hypothesis
import pytest
import torch
import transformers
from hypothesis import strategies

from course_utils import sampling
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.tokenizers import BPETokenizer


@pytest.fixture(scope="module")
def tokenizer() -> BPETokenizer:
    return BPETokenizer.train("the cat sat on the mat and the dog sat on the log 日本語 ", vocabulary_size=280)


@pytest.fixture(scope="module")
def model(tokenizer) -> Transformer:
    config = TransformerConfig.preset("tiny", vocabulary=len(tokenizer), context=48, tied_output=False)
    model = Transformer(config, seed=1)
    with torch.no_grad():
        model.unembedding.weight.mul_(20)  # opinions strong enough to tell one distribution from another
    return model.requires_grad_(False)


KNOBS = strategies.fixed_dictionaries(
    {
        "temperature": strategies.sampled_from([0.3, 0.7, 1.0, 2.5]),
        "top_k": strategies.sampled_from([0, 1, 2, 7, 50]),
        "top_p": strategies.sampled_from([1.0, 0.95, 0.5, 0.05]),
        "min_p": strategies.sampled_from([0.0, 0.01, 0.3, 1.0]),
    }
)


@hypothesis.given(knobs=KNOBS, seed=strategies.integers(0, 10_000))
def test_warping_equals_the_reference(knobs, seed):
    logits = 3 * torch.randn(2, 40, generator=torch.Generator().manual_seed(seed))
    expected = transformers.TemperatureLogitsWarper(knobs["temperature"])(None, logits)
    if knobs["top_k"]:
        expected = transformers.TopKLogitsWarper(knobs["top_k"])(None, expected)
    if knobs["top_p"] < 1:
        expected = transformers.TopPLogitsWarper(knobs["top_p"])(None, expected)
    if knobs["min_p"]:
        expected = transformers.MinPLogitsWarper(knobs["min_p"])(None, expected)
    torch.testing.assert_close(sampling.warp(logits, **knobs), expected)


@pytest.mark.parametrize("top_p", [0.1, 0.5, 0.9, 0.99, 0.99999])
@pytest.mark.parametrize("spread", [0.01, 1.0, 6.0])
def test_top_p_equals_the_reference_on_a_vocabulary_of_real_size(top_p, spread):
    logits = spread * torch.randn(2, 5_000, generator=torch.Generator().manual_seed(1)).double()
    expected = transformers.TopPLogitsWarper(top_p)(None, logits)
    torch.testing.assert_close(sampling.keep_top_p(logits, top_p), expected)


@hypothesis.given(penalty=strategies.sampled_from([0.5, 1.0, 1.3, 3.0]), seed=strategies.integers(0, 10_000))
def test_repetition_penalty_equals_the_reference(penalty, seed):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(2, 40, generator=generator)
    ids = torch.randint(40, (2, 15), generator=generator)
    expected = transformers.RepetitionPenaltyLogitsProcessor(penalty)(ids, logits.clone())
    torch.testing.assert_close(sampling.penalise(logits, ids, penalty), expected)


def test_temperature_zero_is_greedy():
    warped = sampling.warp(torch.tensor([[0.0, 2.0, 2.0], [5.0, 1.0, 0.0]]), temperature=0)
    assert warped.softmax(-1).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_sampled_frequencies_follow_the_distribution():
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0]).expand(20_000, 4)
    knobs = sampling.SamplingConfig(temperature=0.7)
    picked = sampling.sample_token(
        logits, torch.zeros(20_000, 1, dtype=torch.int64), knobs, torch.Generator().manual_seed(0)
    )
    expected = (logits[0] / 0.7).softmax(-1)
    assert (torch.bincount(picked, minlength=4) / 20_000 - expected).abs().max() < 0.02


@pytest.mark.parametrize(
    "settings", [{}, {"temperature": 0.0}, {"top_k": 5}, {"top_p": 0.8}, {"repetition_penalty": 1.5}]
)
def test_cache_gives_the_same_tokens(model, tokenizer, settings):
    both = [
        sampling.generate(model, tokenizer, "the cat", seed=4, use_cache=cached, **settings) for cached in (True, False)
    ]
    assert both[0] == both[1] and both[0]


def test_the_seed_decides_the_text_and_nothing_else_does(model, tokenizer):
    before = torch.get_rng_state()
    texts = [sampling.generate(model, tokenizer, "the cat", temperature=1.5, seed=seed) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert torch.equal(torch.get_rng_state(), before)


def test_a_stream_joins_to_the_text_and_stops_when_left(model, tokenizer):
    text = sampling.generate(model, tokenizer, "the cat", temperature=1.5, seed=5)
    assert "".join(sampling.stream(model, tokenizer, "the cat", temperature=1.5, seed=5)) == text
    pieces = sampling.stream(model, tokenizer, "the cat", temperature=1.5, seed=5)
    first = next(pieces)
    pieces.close()
    assert text.startswith(first) and len(first) < len(text)


class Scripted:
    """A language model that writes given tokens whatever it reads: what the settings make of it is then known."""

    context = 1000

    def __init__(self, tokens: list[int], vocabulary: int):
        self.script, self.vocabulary, self.read_calls = tokens, vocabulary, 0

    def start(self, batch, length):
        return Nothing()

    def next_logits(self, ids, state, mask=None):
        self.read_calls += 1
        wanted = self.script[min(self.read_calls, len(self.script)) - 1]
        return torch.nn.functional.one_hot(torch.tensor([wanted] * len(ids)), self.vocabulary).float() * 50


class Nothing:
    """The state of a model that needs only the tokens it is given."""

    def repeat(self, times):
        pass

    def truncate(self, length):
        pass


def write(tokenizer, text: str | bytes, **settings) -> list[str]:
    tokens = tokenizer.encode(text) if isinstance(text, str) else [tokenizer.encode(" ")[0]]
    model = Scripted(tokens, len(tokenizer))
    return list(sampling.stream(model, tokenizer, "x", max_new_tokens=len(tokens), temperature=0, **settings))


def test_half_a_character_is_never_shown(tokenizer):
    text = "日本 🎉 é"
    single = {tokenizer.token_bytes(token): token for token in range(256)}
    tokens = [single[bytes([byte])] for byte in text.encode()]
    model = Scripted(tokens, len(tokenizer))
    pieces = list(sampling.stream(model, tokenizer, "x", max_new_tokens=len(tokens), temperature=0))
    assert "".join(pieces) == text and "\ufffd" not in "".join(pieces) and len(pieces) == len(text)
    model = Scripted(tokens, len(tokenizer))
    cut = list(sampling.stream(model, tokenizer, "x", max_new_tokens=4, temperature=0))
    assert cut == ["日", "\ufffd"]  # the maximum length cut the second one


@pytest.mark.parametrize("stop", ["sat", ["zebra", "sat"], "s", "cat sat", " "])
def test_a_stop_string_ends_the_text_before_it_however_tokens_split_it(tokenizer, stop):
    text = "the cat sat on the mat"
    words = [stop] if isinstance(stop, str) else stop
    expected = text[: min(text.find(word) for word in words if word in text)]
    pieces = write(tokenizer, text, stop=stop)
    assert "".join(pieces) == expected


def test_the_start_of_a_stop_string_that_never_ends_is_given_back(tokenizer):
    assert "".join(write(tokenizer, "the cat sat", stop="saturday")) == "the cat sat"


def test_a_stop_token_ends_the_text(tokenizer):
    tokens = tokenizer.encode("the cat sat on the mat")
    model = Scripted(tokens, len(tokenizer))
    (answer,) = sampling.generate_many(model, tokenizer, "x", 1, temperature=0, stop_tokens=[tokens[2]])
    assert answer.text == tokenizer.decode(tokens[:2]) and answer.finish_reason == "stop" and len(answer.ids) == 3


def test_several_continuations_differ_and_the_first_equals_none_else(model, tokenizer):
    answers = sampling.generate_many(model, tokenizer, "the cat", 5, temperature=2.0, max_new_tokens=12, seed=3)
    assert len({answer.text for answer in answers}) > 1
    assert all(len(answer.ids) == 12 and answer.finish_reason == "length" for answer in answers)
    same = sampling.generate_many(
        model, tokenizer, "the cat", 5, temperature=2.0, max_new_tokens=12, seed=3, use_cache=False
    )
    assert [answer.ids for answer in same] == [answer.ids for answer in answers]


def test_log_probabilities_are_those_of_the_model(model, tokenizer):
    prompt = tokenizer.encode("the cat")
    (answer,) = sampling.generate_many(model, tokenizer, "the cat", 1, temperature=1.7, max_new_tokens=10)
    ids = torch.tensor([prompt + answer.ids])
    expected = model(ids)[0].log_softmax(-1)[len(prompt) - 1 : -1].gather(-1, ids[0, len(prompt) :, None])[:, 0]
    torch.testing.assert_close(torch.tensor(answer.log_probabilities), expected, atol=1e-4, rtol=0)


def test_next_logits_are_the_last_row(model, tokenizer):
    ids = tokenizer.encode("the dog sat")
    torch.testing.assert_close(sampling.next_logits(model, ids), model(torch.tensor([ids]))[0, -1], atol=1e-5, rtol=0)


def test_the_text_ends_where_the_context_does(model, tokenizer):
    prompt = [1] * 40  # of a context of 48
    (answer,) = sampling.generate_many(model, tokenizer, prompt, 1, max_new_tokens=64)
    assert answer.finish_reason == "context" and len(answer.ids) == 9  # the ninth is predicted from a full context
    (answer,) = sampling.generate_many(model, tokenizer, prompt, 1, max_new_tokens=9)
    assert answer.finish_reason == "length"


def test_cancelling_keeps_the_text_so_far(model, tokenizer):
    cancel, seen = threading.Event(), []
    for pieces, answers in sampling.continue_text(model, tokenizer, "the cat", temperature=1.5, cancel=cancel):
        seen += pieces
        if len(answers[0].ids) == 3:
            cancel.set()
    assert answers[0].finish_reason == "cancelled" and len(answers[0].ids) == 3 and "".join(seen) == answers[0].text


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"temperature": -1}, "temperature=-1 is below 0"),
        ({"temperature": math.nan}, "temperature=nan is not a number"),
        ({"temperature": "hot"}, "temperature='hot' is not a number"),
        ({"top_p": 0}, "top_p=0 must be above 0 and at most 1"),
        ({"top_p": 1.5}, "top_p=1.5 must be above 0 and at most 1"),
        ({"top_k": -3}, "top_k=-3 must be a whole number of at least 0"),
        ({"min_p": 2}, "min_p=2 must be from 0 to 1"),
        ({"repetition_penalty": 0}, "repetition_penalty=0 must be above 0"),
        ({"seed": "seven"}, "seed='seven' must be a whole number"),
        ({"seed": 2**70}, "seed=1180591620717411303424 must be below 2**63"),
        ({"max_new_tokens": 0}, "max_new_tokens=0 must be a whole number of at least 1"),
        ({"stop": ""}, "stop='' must be a text"),
        ({"prompt": ""}, "The prompt is empty"),
        ({"prompt": "the cat " * 100}, "this model reads at most 48; shorten it by"),
        ({"prompt": ["the cat", "the dog"]}, "2 prompts cannot share one stream"),
    ],
)
def test_bad_values_get_one_sentence(model, tokenizer, settings, sentence):
    settings = {"prompt": "the cat", **settings}
    with pytest.raises(ValueError) as caught:
        sampling.generate(model, tokenizer, settings.pop("prompt"), **settings)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_a_model_that_gives_nan_gets_one_sentence(tokenizer):
    broken = Transformer(TransformerConfig.preset("tiny", vocabulary=len(tokenizer)))
    with torch.no_grad():
        broken.final_norm.weight.fill_(math.nan)
    with pytest.raises(ValueError, match="not numbers"):
        sampling.generate(broken, tokenizer, "the cat")
    with pytest.raises(ValueError, match="not numbers"):
        sampling.next_logits(broken, [1, 2])


PROMPTS = ["the cat sat on the mat and", "the", "日本語 the dog"]


@pytest.mark.parametrize(
    "settings", [{"temperature": 0}, {"temperature": 1.5}, {"repetition_penalty": 1.5}, {"top_p": 0.8, "min_p": 0.01}]
)
@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize("continuations", [1, 3])
def test_several_prompts_at_once_get_what_each_gets_by_itself(model, tokenizer, settings, use_cache, continuations):
    settings = dict(max_new_tokens=12, seed=2, use_cache=use_cache, **settings)
    together = sampling.generate_many(model, tokenizer, PROMPTS, continuations, **settings)
    apart = [
        answer
        for prompt in PROMPTS
        for answer in sampling.generate_many(model, tokenizer, prompt, continuations, **settings)
    ]
    assert len(together) == 3 * continuations
    for one, other in zip(together, apart, strict=True):
        assert (one.ids, one.text, one.finish_reason) == (other.ids, other.text, other.finish_reason)
        assert one.log_probabilities == pytest.approx(other.log_probabilities, abs=1e-4)


def test_a_long_prompt_that_fills_the_context_does_not_shorten_the_others(model, tokenizer):
    prompts = [[1] * 40, [2] * 5, [3] * 47]  # of a context of 48
    settings = dict(max_new_tokens=30, temperature=1.0, stop_tokens=[])
    for use_cache in (True, False):
        together = sampling.generate_many(model, tokenizer, prompts, use_cache=use_cache, **settings)
        assert [len(answer.ids) for answer in together] == [9, 30, 2]
        assert [answer.finish_reason for answer in together] == ["context", "length", "context"]
        for prompt, answer in zip(prompts, together, strict=True):
            (alone,) = sampling.generate_many(model, tokenizer, prompt, 1, **settings)
            assert answer.ids == alone.ids


def test_the_penalty_does_not_see_padding(model, tokenizer):
    settings = dict(temperature=0, repetition_penalty=1e9, max_new_tokens=8)  # what occurred never comes again
    prompts = [[1, 2, 3, 4, 5, 6, 7, 8], [7]]
    _, answer = sampling.generate_many(model, tokenizer, prompts, **settings)
    (alone,) = sampling.generate_many(model, tokenizer, [7], 1, **settings)
    assert answer.ids == alone.ids and len(set(answer.ids)) == 8

    class Zero:  # likes token 0, with which prompts are padded
        context = None
        start = Scripted.start

        def next_logits(self, ids, state, mask=None):
            return (torch.arange(280.0) == 0).float().expand(len(ids), 280) + 1

    for answer, expected in zip(sampling.generate_many(Zero(), tokenizer, prompts, **settings), (0, 0), strict=True):
        assert answer.ids[0] == expected != answer.ids[1]


def test_every_setting_stands_in_every_signature():
    """So that Shift-Tab shows them, and one default is everybody's."""
    settings = {name: each.default for name, each in inspect.signature(sampling.generate).parameters.items()}
    assert {"max_new_tokens", "temperature", "top_k", "top_p", "stop", "seed", "use_cache"} < set(settings)
    for function in (sampling.stream, sampling.generate_many, sampling.continue_text):
        others = {name: each.default for name, each in inspect.signature(function).parameters.items()}
        assert {name: others[name] for name in settings} == settings
        assert set(others) - set(settings) <= {"continuations"}
    for field in dataclasses.fields(sampling.SamplingConfig):
        assert settings[field.name] == field.default


def test_a_tokenizer_without_chats_says_so(model, tokenizer):
    class Plain:
        end = None
        encode, decode, token_bytes = tokenizer.encode, tokenizer.decode, tokenizer.token_bytes

        def __len__(self):
            return len(tokenizer)

    text = sampling.generate(model, Plain(), "the cat", seed=1)
    assert text == sampling.generate(model, tokenizer, "the cat", seed=1)
    with pytest.raises(ValueError, match="encodes texts but not chats"):
        sampling.generate(model, Plain(), [{"role": "user", "content": "the cat"}])
