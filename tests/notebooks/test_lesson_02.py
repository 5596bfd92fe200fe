"""What lesson 02 says of its drawing, its neurons and its networks is what its own cells compute."""

import re

import pytest
import torch

from course_utils import data, training
from course_utils.experiments import reading
from course_utils.explorers.neurons import NeuronExplorer
from course_utils.explorers.playground import NetworkPlayground
from tests.notebooks.pages import Page

PAGE = Page("02")
WORDS, alt, says = PAGE.words, PAGE.alt, PAGE.says


def test_the_first_screen_holds_no_setting_that_the_lesson_does_not_explain():
    code = {cell.id: cell.source for cell in PAGE.cells.values() if cell.cell_type == "code"}
    assert not re.search("decay|cosine|schedule|SGD|learning_rate", "".join(code.values()))
    assert "*plain* and *convolutional*" in WORDS["opening"]


def test_the_ring_needs_its_hole(names):
    image, weights, zeros = names["image"], names["ring_and_hole"], names["zeros"]
    with_hole, alone = weights, weights.clamp(min=0)
    assert alone.sum() > (image * alone).sum() > (zeros * alone).sum(dim=(1, 2)).mean()
    assert (zeros * with_hole).sum(dim=(1, 2)).mean() > max((image * with_hole).sum(), with_hole.sum())


def test_ten_neurons_learn_a_hole_for_0_and_paper_for_7(names):
    weights = names["ten"].layers[0].weight.detach().reshape(10, 8, 8)
    assert (weights[0, 2:5, 3:5] < 0).all(), "orange in the middle of the 0"
    assert (weights[7, 6:, 4:6] < 0).all(), "orange at the bottom, right of the middle, for 7"
    assert names["logits"].argmax() == 2
    digits = names["digits"]
    assert 0.945 < training.accuracy(names["ten"], digits.test_images, digits.test_labels) < 0.965, "about 95 of 100"


def test_chalk_defeats_every_network_without_an_activation(names):
    both = names["both"]
    accuracy = {
        name: training.accuracy(names[name], both.test_images, both.test_labels)
        for name in ("ten_for_both", "linear", "with_relu")
    }
    assert accuracy["ten_for_both"] < 0.2 and accuracy["linear"] < 0.2 and accuracy["with_relu"] > 0.92
    for seed in range(1, 4):  # 02.b says "10 to 20 in 100"
        others = reading.paper_and_chalk(data.digits(seed=seed))
        network = reading.train_without_hidden_layer(others, seed)
        assert training.accuracy(network, others.test_images, others.test_labels) < 0.2
    sums = names["ten_for_both"](names["digits"].test_images) + names["ten_for_both"](1 - names["digits"].test_images)
    assert sums.std(dim=0).max() < 1e-4, "paper and chalk together: the same number for every digit"
    layer = names["ten_for_both"].layers[0]
    assert torch.allclose(sums[0], layer.weight.sum(dim=1) + 2 * layer.bias, atol=1e-4)


def test_two_layers_without_an_activation_are_one(names):
    assert names["same"] and sum(part.numel() for part in names["linear"].parameters()) == 9610
    assert names["product"].numel() + names["biases"].numel() == 650
    assert "9,610 parameters, and ten neurons with 650" in WORDS["collapse-words"]


def test_hidden_neurons_look_for_and_against(names):
    weights = names["plain"].layers[0].weight.detach()[names["strongest"]]
    assert ((weights > 0.05).any(dim=1) & (weights < -0.05).any(dim=1)).all()
    assert names["plain"].config.widths == (64, 128, 10) and names["plain"].config.activation == "relu"
    wrong = len(names["wrong"]) / 450
    assert 0.015 < wrong < 0.04, "about 97 of 100 were right"


def test_other_forms_double_the_mistakes_and_convolution_helps(names):
    scores = names["shown"]["leak-score"].alt
    plain, convolutional, plain_others, others = (float(share) for share in re.findall(r"([\d.]+)%", scores))
    assert 100 - plain_others > 2 * (100 - plain) and 100 - others > 2 * (100 - convolutional)
    assert 1 < convolutional - plain < others - plain_others, "most clearly on other forms"
    assert 96 < plain < 98 and 92 < plain_others < 94, "02.c: from about 97 to about 93"


def test_filters_and_cats_are_as_said(names):
    two_neurons, convolutional = (float(share) for share in re.findall(r"([\d.]+)%", names["shown"]["cats-train"].alt))
    assert 75 < two_neurons < 90 and convolutional > 95
    assert abs(reading.neighbours_alike(names["before"])) < 0.25 and reading.neighbours_alike(names["after"]) > 0.4
    ink, maps, balance = names["ink"], names["maps"], names["balance"]
    copies = [torch.corrcoef(torch.stack([part.flatten(), ink.flatten()]))[0, 1].item() for part in maps]
    assert (balance > 0.3).sum() >= 2 and (balance < 0).sum() >= 3
    assert all(copy > 0.85 for copy, share in zip(copies, balance, strict=True) if share > 0.3), "a blurred copy"
    assert all(copy < 0.2 for copy, share in zip(copies, balance, strict=True) if share < 0), "no copy: edges"
    sky = [(part[:60, 250:] > 0).float().mean().item() for part in maps]
    answers = [index for index, share in enumerate(balance) if share < 0 and sky[index] > 0.5]
    assert answers and (names["cats"].convolutions[0].bias[answers] > 0).all(), "those that answer to the empty sky"


def test_the_foot_of_the_2_matters_and_its_top_does_not(names):
    for network in (names["plain"], names["convolutional"]):
        relied = reading.relied_on(network, names["image"])
        assert relied[:3].max() < 0.05 and relied[6:].max() > 0.9
    assert [*names["top"], *names["foot"]] == re.findall(r"\d+%", PAGE.alt("black-box-cover"))


def test_the_playground_needs_its_hidden_layer():
    held_out = [
        NetworkPlayground(data="xor", layers=layers, width=4).train(800).result.held_out[1] for layers in (0, 1)
    ]
    assert held_out[0] < 0.8 < 0.95 < held_out[1]


def test_the_tour_of_the_neuron_moves_one_thing_at_a_time(names):
    explorer = NeuronExplorer()
    seen = []
    for stop in range(len(explorer.tour)):
        explorer.visit(stop)
        seen.append(explorer.result)
    start, no_wind, slid, turned, doubled, deaf, relu, step = seen
    assert start.answer < 0 < no_wind.answer and (no_wind.plane == start.plane).all()
    assert slid.weights == start.weights and turned.bias == start.bias and turned.weights != start.weights
    assert doubled.weights == (2.0, -4.0) and doubled.bias == 2 * start.bias and doubled.answer < start.answer
    assert deaf.plane.max() == deaf.plane.min() == pytest.approx(deaf.answer)
    assert relu.answer == 0 and step.answer == 0 and set(step.plane.ravel()) == {0.0, 1.0}
