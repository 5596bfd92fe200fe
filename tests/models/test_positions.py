"""Each kind of positions keeps its promise."""

import pytest
import torch
from torch import Tensor

from course_utils.models.positions import rotary_angles, rotate, sinusoidal
from course_utils.models.transformer import Transformer, TransformerConfig


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("base", [10_000.0, 100_000.0])
def test_rotary_scores_depend_on_the_distance_and_on_nothing_else(base: float) -> None:
    query, key = draw(4, 1, 32), draw(4, 1, 32, seed=1)
    turns = rotary_angles(300, 32, base)
    queries, keys = (rotate(vectors.expand(4, 300, 32), turns).double() for vectors in (query, key))
    scores = queries @ keys.transpose(1, 2)  # (pairs, query's place, key's place)
    size = scores.abs().amax()
    for distance in range(-299, 300):
        along = scores.diagonal(distance, 1, 2)  # (pairs, places that are this far apart)
        assert (along - along[:, :1]).abs().max() < 1e-4 * size, distance
    by_distance = torch.stack([scores.diagonal(distance, 1, 2)[:, 0] for distance in range(300)])
    assert (by_distance.std(dim=0) > 0.05 * by_distance.abs().amax(dim=0)).all()  # and on the distance they do depend


def test_rotation_keeps_every_length() -> None:
    vectors = draw(2, 50, 16)
    turned = rotate(vectors, rotary_angles(50, 16))
    torch.testing.assert_close(turned.norm(dim=-1), vectors.norm(dim=-1))
    torch.testing.assert_close(turned[:, 0], vectors[:, 0])  # at position 0 nothing turns
    assert not torch.allclose(turned[:, 1], vectors[:, 1], atol=0.1)


def test_a_whole_rotary_model_sees_distances_only() -> None:
    """All positions moved along: the same vectors come out of every layer."""
    model = Transformer(TransformerConfig.preset("tiny", context=64))
    ids = torch.randint(128, (1, 10), generator=torch.Generator().manual_seed(0))
    plain = model.hidden_states(ids)
    table = model.fixed_positions()
    model._positions = table.roll(-37, 0)  # as if the text began at position 37
    torch.testing.assert_close(model.hidden_states(ids), plain, atol=1e-4, rtol=1e-4)
    model._positions = table[::3]  # as if two tokens were left out between any two
    assert not torch.allclose(model.hidden_states(ids), plain, atol=1e-2)


@pytest.mark.parametrize("width", [8, 64, 128])
def test_sinusoidal_products_depend_on_the_distance_and_are_largest_at_zero(width: int) -> None:
    waves = sinusoidal(200, width).double()
    products = waves @ waves.T
    for distance in range(200):
        along = products.diagonal(distance)
        assert (along - along[0]).abs().max() < 1e-4 * width
        assert along[0] == pytest.approx(products[distance, 0].item(), abs=1e-4 * width)  # both directions alike
    torch.testing.assert_close(products.diagonal(), torch.full((200,), width / 2, dtype=torch.float64))
    assert (products[0, 1:] < width / 2 - 1e-3).all()


def test_sinusoidal_positions_a_step_apart_differ_by_one_turn_everywhere() -> None:
    """Moving on by some places is the same rotation wherever one starts (Vaswani et al. 2017, section 3.5)."""
    waves = torch.view_as_complex(sinusoidal(120, 16).double().unflatten(1, (-1, 2)).flip(-1).contiguous())
    for step in (1, 7, 50):
        turns = waves[step:] / waves[:-step]  # (places, pairs)
        torch.testing.assert_close(turns, turns[:1].expand_as(turns), atol=1e-4, rtol=0)


def test_no_two_sinusoidal_positions_are_alike() -> None:
    apart = torch.cdist(sinusoidal(1024, 64), sinusoidal(1024, 64)) + 10 * torch.eye(1024)
    assert apart.min() > 0.5


def test_learned_positions_are_rows_of_a_table_that_training_changes() -> None:
    model = Transformer(TransformerConfig(positions="learned", context=16, layers=1))
    ids = torch.randint(256, (2, 6), generator=torch.Generator().manual_seed(0))
    model(ids).logsumexp(-1).sum().backward()
    gradient = model.position_embedding.weight.grad
    assert gradient is not None and (gradient[:6].abs().sum(dim=1) > 0).all()
    assert (gradient[6:] == 0).all()  # a row that was never read has learned nothing
    assert model.position_embedding.weight.shape == (16, 64)


def test_learned_positions_are_added_to_the_tokens_and_nothing_else() -> None:
    config = TransformerConfig(positions="learned", context=16, layers=2)
    learned, without = Transformer(config), Transformer(TransformerConfig(positions="none", context=16, layers=2))
    without.load_state_dict({name: weight for name, weight in learned.state_dict().items() if name[:8] != "position"})
    ids = torch.randint(256, (1, 6), generator=torch.Generator().manual_seed(0))
    assert not torch.allclose(learned(ids), without(ids), atol=1e-3)
    with torch.no_grad():
        learned.position_embedding.weight.zero_()
    torch.testing.assert_close(learned(ids), without(ids))


@pytest.mark.parametrize("kind", ["sinusoidal", "rotary", "none"])
def test_only_learned_positions_are_parameters(kind: str) -> None:
    names = [name for name, _ in Transformer(TransformerConfig(positions=kind)).named_parameters()]  # type: ignore[arg-type]
    assert not [name for name in names if "position" in name]
    learned = [name for name, _ in Transformer(TransformerConfig(positions="learned")).named_parameters()]
    assert sorted(set(learned) - set(names)) == ["position_embedding.weight"]
