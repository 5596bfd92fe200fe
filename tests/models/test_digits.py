"""What the two networks reach on real handwriting: the same hands, and other hands."""

import time
from statistics import mean

import pytest
from torch import nn

from course_utils import data, training
from course_utils.models.convnet import ConvNet, ConvNetConfig
from course_utils.models.mlp import MLP, MLPConfig

SEEDS = range(5)


def train_mlp(digits: data.Digits, seed: int) -> nn.Module:
    model = MLP(MLPConfig(widths=(64, 128, 64, 10)), seed)
    batches = training.shuffled_batches(digits.train_images, digits.train_labels, batch_size=64, seed=seed)
    recipe = training.Recipe(learning_rate=3e-3, weight_decay=0.1, schedule="cosine")
    training.fit(model, batches, steps=600, recipe=recipe, progress=False)
    return model


def train_convnet(digits: data.Digits, seed: int) -> nn.Module:
    model = ConvNet(ConvNetConfig(size=8, channels=(32, 64), hidden=128), seed)
    batches = training.shuffled_batches(digits.train_images, digits.train_labels, batch_size=32, seed=seed)
    recipe = training.Recipe(learning_rate=3e-3, weight_decay=0.05, schedule="cosine")
    training.fit(model, batches, steps=400, recipe=recipe, progress=False)
    return model


@pytest.mark.slow
@pytest.mark.parametrize(("train", "goal"), [(train_mlp, 0.965), (train_convnet, 0.978)])
def test_networks_read_handwriting_and_other_hands_less_well(train, goal: float):
    figures, seconds = {}, {}
    for split in ("stratified", "by_writer"):
        start = time.process_time()
        accuracies = []
        for seed in SEEDS:
            digits = data.digits(split, seed)
            accuracies.append(training.accuracy(train(digits, seed), digits.test_images, digits.test_labels))
        figures[split], seconds[split] = accuracies, time.process_time() - start
    for split, accuracies in figures.items():
        each = " ".join(f"{accuracy:.3f}" for accuracy in accuracies)
        print(f"{train.__name__} {split}: mean {mean(accuracies):.4f} of {each}; {seconds[split]:.1f} s of processor")
    assert mean(figures["stratified"]) >= goal
    assert 0.85 < mean(figures["by_writer"]) < mean(figures["stratified"]) - 0.01
