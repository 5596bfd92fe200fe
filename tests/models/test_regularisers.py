"""Each regulariser against its definition and against torch's own."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from course_utils.data import recorded
from course_utils.models.regularisers import Dropout, dropout, noisy_labels, shifted, weight_penalty

PROJECT = Path(__file__).parents[2]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_dropout_follows_torchs_definition(share):
    values = torch.randn(400, 500, generator=generator(1)) + 3
    ours = dropout(values, share, generator(2))
    torch.manual_seed(3)
    theirs = nn.functional.dropout(values, share)
    for result in (ours, theirs):  # kept values are scaled alike, and as many are dropped: five standard errors
        kept = result != 0
        torch.testing.assert_close(result[kept], values[kept] / (1 - share))
        assert (~kept).float().mean().item() == pytest.approx(share, abs=5 * (share * (1 - share) / 200_000) ** 0.5)
    assert ours.mean().item() == pytest.approx(values.mean().item(), rel=0.03)
    rows = (ours == 0).float().mean(1)  # each value is dropped on its own, not row by row
    assert rows.std().item() == pytest.approx((share * (1 - share) / 500) ** 0.5, rel=0.2)


def test_dropout_passes_gradients_only_through_what_it_kept():
    values = torch.randn(1000, generator=generator()).requires_grad_()
    result = dropout(values, 0.25, generator())
    result.sum().backward()
    torch.testing.assert_close(values.grad, torch.where(result == 0, 0.0, 1 / 0.75))


def test_the_dropout_layer_works_in_training_only_and_repeats_with_its_seed():
    values = torch.ones(50, 8)
    first, second, other = Dropout(0.5, seed=1), Dropout(0.5, seed=1), Dropout(0.5, seed=2)
    begun = torch.random.get_rng_state()
    draws = [first(values), first(values)]
    assert not torch.equal(draws[0], draws[1])
    assert torch.equal(draws[0], second(values))
    assert not torch.equal(draws[0], other(values))
    assert torch.equal(torch.random.get_rng_state(), begun)
    assert first.eval()(values) is values
    assert Dropout(0.0)(values) is values


def test_weight_penalty_moves_weights_as_torchs_weight_decay_does():
    torch.manual_seed(0)
    ours, theirs = (nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    inputs, targets = torch.randn(20, 3, generator=generator()), torch.randn(20, 2, generator=generator(1))
    plain = torch.optim.SGD(ours.parameters(), lr=0.1)
    tables = [p for p in theirs.parameters() if p.ndim > 1]
    vectors = [p for p in theirs.parameters() if p.ndim == 1]
    decayed = torch.optim.SGD([{"params": tables, "weight_decay": 0.05}, {"params": vectors}], lr=0.1)
    begun = ours[0].weight.detach().clone()
    for _ in range(50):
        plain.zero_grad()
        (nn.functional.mse_loss(ours(inputs), targets) + weight_penalty(ours.parameters(), 0.05)).backward()
        plain.step()
        decayed.zero_grad()
        nn.functional.mse_loss(theirs(inputs), targets).backward()
        decayed.step()
    assert (ours[0].weight - begun).abs().max() > 0.05
    for our, their in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(our, their, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("furthest", [0, 1, 2, 7])
def test_every_shifted_image_is_the_image_rolled_with_zeros_let_in(furthest):
    images = torch.rand(300, 8, 9, generator=generator()) + 0.1
    before = images.clone()
    result = shifted(images, generator(5), furthest)
    assert torch.equal(images, before)
    assert result.shape == images.shape
    moves = set()
    for image, moved in zip(images, result, strict=True):
        matches = []
        for down in range(-furthest, furthest + 1):
            for right in range(-furthest, furthest + 1):
                expected = torch.zeros_like(image)
                target = expected[max(down, 0) : 8 + min(down, 0), max(right, 0) : 9 + min(right, 0)]
                target.copy_(image[max(-down, 0) : 8 - max(down, 0), max(-right, 0) : 9 - max(right, 0)])
                if torch.equal(moved, expected):
                    matches.append((down, right))
        assert len(matches) == 1
        moves.add(matches[0])
    if furthest <= 2:
        assert len(moves) == (2 * furthest + 1) ** 2  # every move occurs


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
def test_exactly_the_share_of_labels_is_wrong_and_evenly_so(share):
    labels = torch.randint(0, 10, (5000,), generator=generator())
    spoilt = noisy_labels(labels, share, generator(1))
    wrong = spoilt != labels
    assert wrong.sum().item() == round(share * 5000)
    assert spoilt.min() >= 0
    assert spoilt.max() <= 9
    if share:
        away = torch.bincount((spoilt - labels)[wrong] % 10, minlength=10)
        expected = wrong.sum().item() / 9
        assert away[0] == 0
        assert (away[1:] - expected).abs().max() < 5 * expected**0.5
    assert torch.equal(noisy_labels(labels, share, generator(1)), spoilt)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: dropout(torch.ones(2), 1.0, generator()), "dropout share 1.0 must be from 0 to just below 1"),
        (lambda: Dropout(-0.1), "dropout share -0.1 must be"),
        (lambda: Dropout(float("nan")), "dropout share nan must be"),
        (lambda: weight_penalty([torch.ones(2, 2)], -1), "strength=-1 must be"),
        (lambda: weight_penalty([], 1), "no table of weights"),
        (
            lambda: shifted(torch.ones(1, 8, 8), generator(), 8),
            "furthest=8 must be at least 0 and below the image's side, 8",
        ),
        (lambda: noisy_labels(torch.zeros(3).long(), 1.2, generator()), "label noise 1.2 must be from 0 to 1"),
        (lambda: noisy_labels(torch.zeros(3).long(), 0.5, generator(), classes=1), "classes=1"),
    ],
)
def test_bad_settings_get_one_sentence(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_the_record_holds_every_setting_with_ten_seeds_and_one_choice_each_made_on_validation():
    rows = recorded("regularisers").rows
    settings = {row["setting"] for row in rows}
    assert settings == {"none", "dropout", "weight_decay", "learning_rate_decay", "early_stopping", "augmentation"}
    for setting, rate in [("none", None), *((cure, rate) for cure in settings - {"none"} for rate in (0.03, 0.003))]:
        own = [row for row in rows if row["setting"] == setting and rate in (None, row["learning_rate"])]
        validation = {}
        for strength in {row["strength"] for row in own}:
            runs = [row for row in own if row["strength"] == strength]
            assert {row["seed"] for row in runs} == set(range(10))
            validation[strength] = sum(row["validation_accuracy"] for row in runs)
        chosen = {row["strength"] for row in own if row["chosen"] == 1}
        assert len(chosen) == 1
        if setting != "none":
            assert validation[chosen.pop()] == pytest.approx(max(validation.values())), "the first of equals"


def test_the_search_holds_every_width_with_every_depth():
    rows = recorded("architectures").rows
    assert len(rows) == len({(row["width"], row["depth"], row["seed"]) for row in rows}) == 5 * 3 * 5


@pytest.fixture
def make(monkeypatch):
    """The code that makes the records."""
    specification = importlib.util.spec_from_file_location("make", PROJECT / "datasets" / "make" / "regularisers.py")
    module = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, "make", module)  # where dataclasses look up their module
    specification.loader.exec_module(module)
    return module


def test_the_heads_of_the_records_are_those_that_the_code_writes(make):
    for name, header in (("regularisers", make.REGULARISERS_HEADER), ("architectures", make.ARCHITECTURES_HEADER)):
        assert recorded(name).header == header


def test_a_recorded_run_is_what_the_code_gives(make):
    row = next(row for row in recorded("regularisers").rows if row["setting"] == "early_stopping" and row["seed"] == 0)
    run = make.train(make.RunConfig(row["learning_rate"], early_stopping=row["strength"]), seed=0)
    for column in ("train_accuracy", "validation_accuracy", "test_accuracy"):
        assert run[column] == pytest.approx(row[column], abs=0.03)  # other processors round otherwise
    assert run["wrong_given_back"] == pytest.approx(row["wrong_given_back"], abs=4) and row["wrong_given_back"] <= 30
