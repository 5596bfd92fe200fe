"""Whatever is hooked, wrapped or replaced in a model is obeyed by every way to write with it."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from course_utils import sampling
from course_utils.models.decoding import language_model
from course_utils.models.one_token import is_plain, weights_in_order
from course_utils.models.transformer import MLP, Transformer, TransformerConfig
from course_utils.tokenizers import BPETokenizer

IDS = [5, 6, 7, 8, 9]
TOKENS = 12
GREEDY = sampling.SamplingConfig(temperature=0)


def small() -> Transformer:
    """A model of the Llama family, as the quick path takes it."""
    config = TransformerConfig.preset(
        "smollm2", vocabulary=300, context=64, width=64, layers=3, heads=4, key_value_heads=2, mlp_width=96
    )
    model = Transformer(config, seed=2).requires_grad_(False)
    for weight in model.parameters():
        weight.mul_(4)  # opinions strong enough for a difference to show
    return model


# ---- changes: each takes a model, changes it in place or wraps it, and gives what is then to be used


def silence(*_: object) -> Tensor:
    return torch.zeros_like(_[-1])  # type: ignore[call-overload]


def forward_hook(model: Transformer) -> nn.Module:
    model.blocks[1].attention.register_forward_hook(silence)
    return model


def hook_on_attention_itself(model: Transformer) -> nn.Module:
    model.blocks[0].attention.attend.register_forward_hook(lambda module, inputs, output: output.flip(1))
    return model


def hook_on_the_token_embedding(model: Transformer) -> nn.Module:
    model.token_embedding.register_forward_hook(lambda module, inputs, output: output.roll(3, -1))
    return model


def hook_on_the_final_norm(model: Transformer) -> nn.Module:
    model.final_norm.register_forward_hook(lambda module, inputs, output: output.roll(3, -1))
    return model


def hook_on_the_logits(model: Transformer) -> nn.Module:
    model.register_forward_hook(lambda module, inputs, output: output.roll(7, -1))
    return model


def pre_hook(model: Transformer) -> nn.Module:
    model.blocks[2].mlp.register_forward_pre_hook(lambda module, inputs: (2 * inputs[0].flip(-1),))
    return model


def instance_forward(model: Transformer) -> nn.Module:
    inner = model.blocks[1].mlp.forward
    model.blocks[1].mlp.forward = lambda stream: -2 * inner(stream)
    return model


def instance_forward_of_the_model(model: Transformer) -> nn.Module:
    inner = model.forward
    model.forward = lambda ids, cache=None: inner(ids, cache).roll(7, -1)
    return model


def instance_hidden_states(model: Transformer) -> nn.Module:
    inner = model.hidden_states
    model.hidden_states = lambda *given: inner(*given).roll(3, -1)
    return model


def instance_unembed(model: Transformer) -> nn.Module:
    inner = model.unembed
    model.unembed = lambda stream: inner(stream).roll(7, -1)
    return model


class LowRank(nn.Module):
    """A linear layer and what was learned beside it, as LoRA does it."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self.linear = linear
        generator = torch.Generator().manual_seed(0)
        self.down = torch.randn(2, linear.in_features, generator=generator) / 8
        self.up = torch.randn(linear.out_features, 2, generator=generator)

    def forward(self, stream: Tensor) -> Tensor:
        return self.linear(stream) + stream @ self.down.T @ self.up.T


def replaced_linear(model: Transformer) -> nn.Module:
    model.blocks[0].attention.query_key_value = LowRank(model.blocks[0].attention.query_key_value)
    return model


def a_bias_where_there_was_none(model: Transformer) -> nn.Module:
    old = model.blocks[1].mlp.up
    new = nn.Linear(64, 192).requires_grad_(False)
    new.weight.copy_(old.weight)
    new.bias.copy_(torch.linspace(-3, 3, 192))
    model.blocks[1].mlp.up = new
    return model


def another_norm(model: Transformer) -> nn.Module:
    model.blocks[1].mlp_norm = nn.LayerNorm(64, bias=False)
    return model


def another_epsilon(model: Transformer) -> nn.Module:
    model.blocks[0].attention_norm.eps = model.blocks[1].mlp_norm.eps = model.final_norm.eps = 0.5
    return model


class Skipped(nn.Module):
    def forward(self, stream: Tensor, *rest: object) -> Tensor:
        return stream


def a_block_left_out(model: Transformer) -> nn.Module:
    model.blocks[2] = Skipped()
    return model


def fewer_blocks(model: Transformer) -> nn.Module:
    model.blocks = model.blocks[:2]
    return model


def other_weights(model: Transformer) -> nn.Module:
    model.blocks[1].mlp.down.weight.mul_(-1)
    return model


class Halved(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return -weight.flip(0)


def parametrised(model: Transformer) -> nn.Module:
    parametrize.register_parametrization(model.blocks[1].mlp.down, "weight", Halved())
    return model


class LouderMLP(MLP):
    def forward(self, stream: Tensor) -> Tensor:
        return -3 * super().forward(stream)


def subclassed_part(model: Transformer) -> nn.Module:
    model.blocks[1].mlp.__class__ = LouderMLP
    return model


class Shifted(Transformer):
    def forward(self, ids: Tensor, *given: object) -> Tensor:
        return super().forward(ids, *given).roll(7, -1)  # type: ignore[arg-type]


def subclassed_model(model: Transformer) -> nn.Module:
    model.__class__ = Shifted
    return model


class Wrapper(nn.Module):
    """Knows nothing of caches."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.inner = model

    def forward(self, ids: Tensor) -> Tensor:
        return self.inner(ids).roll(7, -1)


class PassesOn(Wrapper):
    """Gives the inner model's attributes as its own, as many wrappers do."""

    def __getattr__(self, name: str) -> object:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.inner, name)


@contextmanager
def hook_on_every_module() -> Iterator[None]:
    def double(module: nn.Module, inputs: object, output: Tensor) -> Tensor | None:
        return -output if isinstance(module, MLP) else None

    with nn.modules.module.register_module_forward_hook(double):
        yield


@contextmanager
def pre_hook_on_every_module() -> Iterator[None]:
    def turn(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        return (-2 * inputs[0], *inputs[1:]) if isinstance(module, MLP) else None

    with nn.modules.module.register_module_forward_pre_hook(turn):
        yield


@contextmanager
def exchanged_method_of_a_class() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        inner = MLP.forward
        patch.setattr(MLP, "forward", lambda self, stream: -2 * inner(self, stream))
        yield


CHANGES: list[Callable[[Transformer], nn.Module]] = [
    forward_hook,
    hook_on_attention_itself,
    hook_on_the_token_embedding,
    hook_on_the_final_norm,
    hook_on_the_logits,
    pre_hook,
    instance_forward,
    instance_forward_of_the_model,
    instance_hidden_states,
    instance_unembed,
    replaced_linear,
    a_bias_where_there_was_none,
    another_norm,
    another_epsilon,
    a_block_left_out,
    fewer_blocks,
    other_weights,
    parametrised,
    subclassed_part,
    subclassed_model,
    Wrapper,
    PassesOn,
]
EVERYWHERE = [hook_on_every_module, pre_hook_on_every_module, exchanged_method_of_a_class]


# ---- ways to write: each takes a model and gives the tokens after IDS


@torch.inference_mode()
def by_hand(model: nn.Module) -> list[int]:
    """What the others are compared with: call the model, take the likeliest token, and again."""
    ids = list(IDS)
    for _ in range(TOKENS):
        ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    return ids[len(IDS) :]


def one_text(model: nn.Module) -> list[int]:
    rounds = sampling.generate_tokens(model, IDS, GREEDY, max_new_tokens=TOKENS)
    return [int(token) for token, _ in rounds]


def without_cache(model: nn.Module) -> list[int]:
    rounds = sampling.generate_tokens(model, IDS, GREEDY, max_new_tokens=TOKENS, use_cache=False)
    return [int(token) for token, _ in rounds]


def three_side_by_side(model: nn.Module) -> list[int]:
    rounds = sampling.generate_tokens(model, IDS, GREEDY, continuations=3, max_new_tokens=TOKENS)
    return [int(tokens[2]) for tokens, _ in rounds]


def two_prompts(model: nn.Module) -> list[int]:
    rounds = sampling.generate_tokens(model, [IDS[::-1], IDS], GREEDY, max_new_tokens=TOKENS)
    return [int(tokens[1]) for tokens, _ in rounds]


def one_after_another(model: nn.Module) -> list[int]:
    ids = list(IDS)
    for _ in range(TOKENS):
        ids.append(int(sampling.next_logits(model, ids).argmax()))
    return ids[len(IDS) :]


def with_a_reader(model: nn.Module) -> list[int]:
    reader, ids = sampling.Reader(model), list(IDS)
    for _ in range(TOKENS):
        ids.append(int(reader.logits(ids).argmax()))
    return ids[len(IDS) :]


WAYS = [one_text, without_cache, three_side_by_side, two_prompts, one_after_another, with_a_reader]


@pytest.mark.parametrize("write", WAYS)
@pytest.mark.parametrize("change", CHANGES)
def test_every_way_to_write_obeys_what_was_changed(write, change):
    changed = change(small())
    expected = by_hand(changed)
    assert expected != by_hand(small())
    assert write(changed) == expected


@pytest.mark.parametrize("write", WAYS)
@pytest.mark.parametrize("everywhere", [*EVERYWHERE, nullcontext])
def test_every_way_to_write_obeys_what_was_changed_for_all_modules(write, everywhere):
    model = small()
    before = by_hand(model)
    with everywhere():
        expected = by_hand(model)
        assert (expected != before) == (everywhere is not nullcontext)
        assert write(model) == expected
    assert write(model) == before


@pytest.mark.parametrize("pad_with_a_longer_prompt", [True, False])
def test_prompts_of_unequal_lengths_obey_hooks_too(pad_with_a_longer_prompt):
    model = forward_hook(hook_on_the_logits(small()))
    other = [11] * 9 if pad_with_a_longer_prompt else [11, 12]
    rounds = sampling.generate_tokens(model, [other, IDS], GREEDY, max_new_tokens=TOKENS)
    assert [int(tokens[1]) for tokens, _ in rounds] == by_hand(model)


def test_a_hook_that_comes_in_the_middle_of_a_text_is_obeyed_from_the_next_token_on():
    model, found = small(), []
    for number, (token, _) in enumerate(sampling.generate_tokens(model, IDS, GREEDY, max_new_tokens=TOKENS)):
        found.append(int(token))
        if number == 3:
            handle = model.register_forward_hook(lambda module, inputs, output: torch.eye(300)[42] + 0 * output)
        if number == 6:
            handle.remove()
    assert found[:4] == by_hand(small())[:4] and found[4:7] == [42] * 3 and found[7] != 42


def test_a_reader_forgets_what_it_read_when_the_model_changes():
    model = small()
    reader = sampling.Reader(model)
    for change in (lambda: None, lambda: other_weights(model), lambda: forward_hook(model)):
        change()
        for ids in (IDS, IDS[:3], [*IDS, 1]):
            torch.testing.assert_close(reader.logits(ids), sampling.next_logits(model, ids), atol=1e-3, rtol=1e-4)


def test_the_quick_path_is_for_plain_models_alone():
    assert weights_in_order(small()) and is_plain(small())
    for change in CHANGES:
        if change not in (other_weights, fewer_blocks):  # read_token reads these where they stand
            assert weights_in_order(change(small())) is None, change
    copied = copy.deepcopy(small())
    copied.register_full_backward_hook(lambda *_: None)
    assert weights_in_order(copied)
    for everywhere in EVERYWHERE:
        with everywhere():
            assert weights_in_order(small()) is None


# ---- models that are no transformers


class RandomTable:
    """Scores that depend on the last two tokens by chance."""

    context = None

    def __init__(self, vocabulary: int):
        self.table = torch.randn(vocabulary, vocabulary, generator=torch.Generator().manual_seed(0))

    def start(self, batch: int, length: int) -> "LastToken":
        return LastToken()

    def next_logits(self, ids: Tensor, state: "LastToken", mask: Tensor | None = None) -> Tensor:
        return self.table[ids[:, -1]]


class LastToken:
    """All that a bigram needs to know comes with the next call."""

    def repeat(self, times: int) -> None: ...
    def truncate(self, length: int) -> None: ...


class Bigram(RandomTable):
    """Counts how often each token followed each."""

    def __init__(self, ids: list[int], vocabulary: int):
        counts = torch.full((vocabulary, vocabulary), 0.01)
        for one, other in pairwise(ids):
            counts[one, other] += 1
        self.table = (counts / counts.sum(1, keepdim=True)).log()


class Recurrent(nn.Module):
    """A small recurrent network: its state is one vector for each text, so padding must be skipped."""

    context = None

    def __init__(self, vocabulary: int):
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.table = nn.Parameter(torch.randn(vocabulary, 8, generator=generator))
        self.again = nn.Parameter(torch.randn(8, 8, generator=generator) / 3)

    def start(self, batch: int, length: int) -> "Vectors":
        return Vectors([torch.zeros(batch, 8)])

    def next_logits(self, ids: Tensor, state: "Vectors", mask: Tensor | None = None) -> Tensor:
        for place in range(ids.size(1)):
            vector = torch.tanh(self.table[ids[:, place]] + state.history[-1] @ self.again)
            if mask is not None:
                vector = torch.where(mask[:, place, None], vector, state.history[-1])
            state.history.append(vector)
        return 3 * state.history[-1] @ self.table.T


class Vectors:
    def __init__(self, history: list[Tensor]):
        self.history = history

    def repeat(self, times: int) -> None:
        self.history = [vector.repeat_interleave(times, 0) for vector in self.history]

    def truncate(self, length: int) -> None:
        self.history = self.history[: length + 1]


@pytest.mark.parametrize("model", [RandomTable(260), Bigram([5, 6, 7, 8, 5, 6, 9, 5] * 9, 260), Recurrent(260)])
def test_whatever_scores_the_next_token_can_write(model):
    tokenizer = BPETokenizer.train("the cat sat on the mat " * 9, 260)
    settings = dict(temperature=0.9, max_new_tokens=20, seed=3)
    text = sampling.generate(model, tokenizer, [5, 6, 7], **settings)
    assert text and text == "".join(sampling.stream(model, tokenizer, [5, 6, 7], **settings))
    assert text == sampling.generate(model, tokenizer, [5, 6, 7], use_cache=False, **settings)
    prompts = [[5, 6, 7], [8], [9, 5]]
    together = sampling.generate_many(model, tokenizer, prompts, 2, **settings)
    apart = [answer for ids in prompts for answer in sampling.generate_many(model, tokenizer, ids, 2, **settings)]
    assert [answer.ids for answer in together] == [answer.ids for answer in apart]
    reader = sampling.Reader(model)
    for ids in ([5, 6, 7], [5, 6], [5, 6, 7, 8]):
        torch.testing.assert_close(reader.logits(ids), sampling.next_logits(model, ids), atol=1e-5, rtol=1e-4)


def test_a_bigram_writes_what_it_has_counted():
    model = Bigram([5, 6, 7, 8, 5, 6, 9, 5, 6, 7], 300)
    assert [int(token) for token, _ in sampling.generate_tokens(model, [5], GREEDY, max_new_tokens=4)] == [6, 7, 8, 5]


def test_a_wrapper_has_the_context_of_what_it_wraps():
    assert language_model(Wrapper(small())).context == 64 and language_model(RandomTable(9)).context is None
    with pytest.raises(ValueError, match="reads at most 64"):
        sampling.next_logits(Wrapper(small()), [1] * 65)
