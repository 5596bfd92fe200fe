"""The convolutional network equals its formula, and learns cats from dogs where a linear model cannot."""

from functools import partial

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from course_utils import data, training
from course_utils.models.convnet import ConvNet, ConvNetConfig
from course_utils.models.regularisers import shifted


def test_forward_equals_a_sequential_of_torch():
    network = ConvNet(ConvNetConfig(size=16, channels=(3, 5), kernel=5, hidden=7, classes=4), seed=1)
    first, second = network.convolutions
    reference = nn.Sequential(
        nn.Unflatten(1, (1, 16)),
        *(first, nn.ReLU(), nn.MaxPool2d(2), second, nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), network.hidden, nn.ReLU(), network.answer),
    )
    images = torch.rand(6, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network(images), reference(images))
    assert (network.config.kernel, first.weight.shape) == (5, (3, 1, 5, 5))


def test_the_seed_alone_decides_the_weights():
    before = torch.get_rng_state()
    first, again, other = (ConvNet(ConvNetConfig(8), seed).convolutions[1].weight for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)
    assert first.var().item() == pytest.approx(2 / (16 * 9), rel=0.1)


def test_bad_settings_get_a_sentence():
    with pytest.raises(ValueError, match="kernel=4 must be odd"):
        ConvNetConfig(8, kernel=4)
    with pytest.raises(ValueError, match="too small to be halved 4 times"):
        ConvNetConfig(8, channels=(1, 2, 3, 4))
    with pytest.raises(ValueError, match="must each be 1 or more"):
        ConvNetConfig(8, channels=())


@pytest.mark.slow
def test_drawings_need_more_than_a_linear_model():
    learn, held_out = data.drawings(2000, seed=0), data.drawings(1000, seed=1)
    linear = max(
        LogisticRegression(C=strength, max_iter=300)
        .fit(learn.images.flatten(1).numpy(), learn.labels.numpy())
        .score(held_out.images.flatten(1).numpy(), held_out.labels.numpy())
        for strength in (0.001, 0.01, 0.1)
    )
    network = ConvNet(ConvNetConfig(size=32, channels=(8, 16, 32), kernel=5, classes=2))
    moved = training.shuffled_batches(learn.images, learn.labels, 64, augment=partial(shifted, furthest=2))
    recipe = training.Recipe(learning_rate=3e-3, schedule="cosine")
    training.fit(network, moved, steps=400, recipe=recipe, progress=False)
    accuracy = training.accuracy(network, held_out.images, held_out.labels)
    print(f"cats and dogs, 1,000 held-out drawings: linear {linear:.3f}, convolutional {accuracy:.3f}")
    assert linear < 0.9
    assert accuracy > 0.97
