"""The quick way to read one token gives what the ordinary way gives."""

import pytest
import torch

from course_utils import sampling
from course_utils.models import decoding
from course_utils.models.decoding import read_token, weights_in_order
from course_utils.models.transformer import Transformer, TransformerConfig


def small(**changes) -> Transformer:
    config = TransformerConfig.preset(
        "smollm2", vocabulary=300, context=64, width=64, layers=3, heads=4, key_value_heads=2, mlp_width=96, **changes
    )
    model = Transformer(config, seed=2).requires_grad_(False)
    for weight in model.parameters():
        weight.mul_(4)  # opinions strong enough for a difference to show
    return model


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("tied_output", [True, False])
def test_one_token_at_a_time_equals_all_at_once(fused, tied_output):
    model = small(fused=fused, tied_output=tied_output)
    ids = torch.randint(300, (1, 30), generator=torch.Generator().manual_seed(0))
    cache = model.new_cache(30)
    model.hidden_states(ids[:, :10], cache)
    read = torch.cat([read_token(model, weights_in_order(model), int(token), cache) for token in ids[0, 10:]])
    torch.testing.assert_close(read, model(ids)[0, 10:], atol=1e-3, rtol=1e-4)


def test_text_is_equal_token_for_token(monkeypatch):
    model, settings = small(), dict(continuations=1, max_new_tokens=50, seed=1)
    knobs = sampling.SamplingConfig(temperature=0.9)

    def write() -> list[int]:
        return [int(token) for token, _ in sampling.generate_tokens(model, [5, 6, 7], knobs, **settings)]

    quick = write()
    monkeypatch.setattr(decoding, "weights_in_order", lambda model: None)
    assert quick == write() and len(set(quick)) > 5


@pytest.mark.parametrize(
    "other", [dict(bias=True), dict(norm="layer"), dict(positions="none"), dict(activation="gelu"), dict(causal=False)]
)
def test_other_settings_take_the_ordinary_way(other):
    assert weights_in_order(small())
    assert weights_in_order(small(**other)) is None
    assert weights_in_order(torch.nn.Linear(2, 2)) is None


def test_bfloat16_stays_close_to_float32():
    model = small()
    ids = torch.randint(300, (1, 20), generator=torch.Generator().manual_seed(0))
    exact = model(ids)[0, -1]
    half = small().bfloat16()
    cache = half.new_cache(20)
    half.hidden_states(ids[:, :-1], cache)
    quick = read_token(half, weights_in_order(half), int(ids[0, -1]), cache)[0].float()
    ordinary = half(ids)[0, -1].float()
    assert (quick - exact).norm() <= 1.5 * (ordinary - exact).norm() + 1e-3
