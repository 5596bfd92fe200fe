"""TemperatureExplorer: its numbers against plain arithmetic, and its answers to odd input."""

import numpy as np
import pytest
import torch

from course_utils.experiments.next_token import DRAWS, MOST_TOKENS, ROWS, token_name
from course_utils.explorers.sampling import TemperatureExplorer
from course_utils.sampling import next_logits

from .sweep import refuses
from .sweep_sampling import model, tokenizer


def reference(explorer: TemperatureExplorer, temperature: float) -> np.ndarray:
    ids = tokenizer().encode(explorer.prompt)
    logits = next_logits(explorer.model, ids).double().numpy() / temperature
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def test_bars_entropy_and_caption_are_the_softmax_of_the_scores() -> None:
    explorer = TemperatureExplorer(model(), tokenizer(), temperature=0.1)
    result = explorer.result
    expected, plain = reference(explorer, 0.1), reference(explorer, 1.0)
    order = np.argsort(-plain)[:ROWS]
    assert np.allclose(result.after[:-1], expected[order], atol=1e-5)
    assert np.allclose(result.before[:-1], plain[order], atol=1e-6)
    assert result.after.sum() == pytest.approx(1, abs=1e-5) and result.before.sum() == pytest.approx(1, abs=1e-5)
    entropy = -(expected * np.log2(expected)).sum()
    assert result.entropy == pytest.approx(entropy, abs=1e-3)
    assert f"Temperature 0.10, entropy {entropy:.2f} bits" in explorer.says


@pytest.mark.parametrize(
    ("knobs", "left"), [({"top_k": 3}, 3), ({"temperature": 0.0}, 1), ({"temperature": 0.02, "top_p": 0.01}, 1)]
)
def test_what_the_knobs_cut_is_counted_and_hatched(knobs: dict[str, float], left: int) -> None:
    explorer = TemperatureExplorer(model(), tokenizer(), **knobs)
    assert explorer.result.left == left and explorer.result.kept.sum() == left
    assert f"; {left} of {len(tokenizer())} tokens can be drawn" in explorer.says
    assert len(explorer.panels["bars"].cut.get_paths()) == (~explorer.result.kept).sum()


def test_tiny_temperature_cuts_nothing_though_probabilities_vanish() -> None:
    explorer = TemperatureExplorer(model(), tokenizer(), temperature=0.05)
    assert explorer.result.left == len(tokenizer())


def test_twenty_draws_come_from_what_is_left_and_differ_from_press_to_press() -> None:
    explorer = TemperatureExplorer(model(), tokenizer())
    assert len(explorer.result.counts) == 0
    seen = set()
    for _ in range(4):
        explorer.draw_twenty()
        assert explorer.result.counts.sum() == DRAWS
        seen.add(tuple(explorer.result.counts))
    assert len(seen) > 1
    explorer.set(top_k=2)
    assert explorer.result.counts[:2].sum() == DRAWS and len(explorer.panels["bars"].drawn.get_xdata()) == DRAWS
    again = TemperatureExplorer(model(), tokenizer(), top_k=2)
    for _ in range(4):
        again.draw_twenty()
    assert tuple(again.result.counts) == tuple(explorer.result.counts)
    explorer.reset()
    assert len(explorer.result.counts) == 0


def test_empty_prompt_starts_from_the_end_token_or_says_so() -> None:
    assert "empty" in refuses(lambda: TemperatureExplorer(model(), tokenizer(), prompt=""))

    class Ends:
        end, encode = 5, staticmethod(lambda text: [])
        decode, token_bytes = staticmethod(tokenizer().decode), staticmethod(tokenizer().token_bytes)

    explorer = TemperatureExplorer(model(), Ends(), prompt="")
    expected = next_logits(explorer.model, [5]).softmax(-1).topk(ROWS).values
    assert np.allclose(explorer.result.before[:-1], expected.numpy(), atol=1e-6)


def test_prompt_past_the_context_is_a_sentence_and_the_picture_stays() -> None:
    explorer = TemperatureExplorer(model(context=16), tokenizer())
    before = explorer.png
    explorer.inputs["prompt"].value = "cat " * 100
    assert "reads at most 16" in explorer.problem and explorer.png == before
    explorer.inputs["prompt"].value = "a cat"
    assert explorer.problem == "" and explorer.png != before


def test_a_model_that_gives_nan_is_a_sentence() -> None:
    broken = model()
    explorer = TemperatureExplorer(broken, tokenizer())
    with torch.no_grad():
        for weight in broken.parameters():
            weight.fill_(torch.nan)
    assert "NaN" in refuses(lambda: TemperatureExplorer(broken, tokenizer()))
    before = explorer.png
    explorer.inputs["prompt"].value = "something else"
    assert "NaN" in explorer.problem and explorer.png == before


def test_pinned_state_is_marked_on_the_rows_of_the_same_tokens() -> None:
    explorer = TemperatureExplorer(model(), tokenizer(), temperature=0.1)
    pinned = explorer.result.after
    explorer.pin()
    explorer.set(temperature=2.0)
    assert np.allclose(explorer.panels["bars"].ghost.get_xdata(), pinned)
    assert "Pinned: Temperature 0.10" in explorer.says


def test_a_token_that_is_a_part_of_a_character_is_shown_as_its_bytes() -> None:
    (first, *_) = tokenizer().encode("日")
    assert token_name(tokenizer(), first) == "<E6>"
    assert token_name(tokenizer(), tokenizer().encode(" ")[0]) == '"␣"'


def test_a_copied_line_makes_the_same_draws() -> None:
    explorer = TemperatureExplorer(model(), tokenizer(), temperature=0.5)
    explorer.draw_twenty()
    explorer.draw_twenty()
    names = {"model": explorer.model, "tokenizer": tokenizer(), "TemperatureExplorer": TemperatureExplorer}
    copied = eval(explorer.as_python(), names)
    assert copied.says == explorer.says and copied.png == explorer.png and "20 draws" in copied.says


def test_a_prompt_of_too_many_tokens_is_refused_before_the_model_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    explorer = TemperatureExplorer(model(context=10_000), tokenizer())
    before = explorer.png
    monkeypatch.setattr(explorer, "model", None)  # reading would fail
    tokens = len(tokenizer().encode("🎉" * 2000))
    explorer.inputs["prompt"].value = "🎉" * 2000  # few enough characters
    assert explorer.problem == f"The prompt has {tokens:,} tokens and may have {MOST_TOKENS}: please shorten it."
    assert tokens > 2000 and explorer.png == before
