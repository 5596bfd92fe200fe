"""NetworkPlayground: its numbers against plain arithmetic, its points, clicks, and the answers to bad input."""

import re
import time

import numpy as np
import pytest
import torch

from course_utils.experiments.playground import COUNT, EDGE, FEATURES, OWN, POINTS, Run, features, parse_points
from course_utils.experiments.playing import CELLS, CHANGES, GRID
from course_utils.explorers.playground import NetworkPlayground
from course_utils.explorers.pointer import Pointer
from course_utils.plots.playground import MAP, OUTPUT

from .sweep import refuses


def run_of(playground: NetworkPlayground) -> Run:
    assert playground.session.run is not None
    return playground.session.run


def test_maps_losses_and_formulas_are_the_network_worked_out_by_hand() -> None:
    playground = NetworkPlayground(data="xor", x1_x2=True, layers=2, width=3)
    playground.train(30)
    result = playground.result
    place = GRID[10, 40].numpy()
    answer = np.array([place[0], place[1], place[0] * place[1]])
    assert np.allclose(result.maps[0][:, 10, 40], answer, atol=1e-5)
    for layer, (weights, biases) in enumerate(zip(result.weights, result.biases, strict=True), start=1):
        answer = weights @ answer + biases
        answer = np.tanh(answer) if layer < 3 else answer
        assert np.allclose(result.maps[layer][:, 10, 40], answer, atol=1e-4)
    shares = np.exp(answer) / np.exp(answer).sum()
    assert np.allclose(result.shares[:, 10, 40], shares, atol=1e-5)

    run = run_of(playground)
    inputs = features(torch.tensor(result.task.points, dtype=torch.float32), result.task.features)
    logits = run.network(inputs).detach().numpy()
    surprise = np.log(np.exp(logits).sum(1)) - logits[np.arange(COUNT), result.task.labels]
    assert result.training[0] == pytest.approx(surprise.mean(), abs=1e-5)
    right = (logits.argmax(1) == result.task.labels).mean()
    assert f"Step 30: training loss {surprise.mean():.3f}, {right:.0%} of 200 points" in playground.says

    playground.set(neuron="2.3")
    line = re.search(r"<b>▸ 2\.3 = tanh\( (.*?) \)</b>", playground.details(playground.result))
    assert line is not None
    numbers = [float(n) for n in re.findall(r"-?[\d.]+(?=·|$)", line[1].replace("− ", "-").replace("−", "-"))]
    assert np.allclose(numbers, [*result.weights[1][2], result.biases[1][2]], rtol=0.01)
    written = [text.get_text() for text in playground.panels["network"].numbers if text.get_text()]
    assert written == [f"{weight:.3g}".replace("-", "−") for weight in result.weights[1][2]]


def press_at(playground: NetworkPlayground, across: float, up: float) -> None:
    """A press of the pointer at these pixels from the lower left, as its page sends it."""
    (pointer,) = [widget for widget in playground.widget.children if isinstance(widget, Pointer)]
    pointer.place = []
    pointer.place = [across / (100 * playground.size[0]), up / (100 * playground.size[1])]


def test_a_step_is_gradient_descent_with_both_penalties() -> None:
    playground = NetworkPlayground(data="gaussians", width=2)
    task, rate, l1, l2 = playground.result.task, 0.2, 0.03, 0.05
    run, double = Run(task), Run(task)
    double.network.double()
    run.step(rate, l1, l2, batch=COUNT)
    inputs = features(torch.tensor(task.points), task.features)

    def loss() -> float:
        with torch.no_grad():
            value = torch.nn.functional.cross_entropy(double.network(inputs), torch.tensor(task.labels)).item()
            for layer in double.network.layers:
                value += l1 * layer.weight.abs().sum().item() + l2 / 2 * layer.weight.square().sum().item()
        return value

    for weights, moved in zip(double.network.parameters(), run.parameters, strict=True):
        first = weights.data.view(-1)
        before = first[0].item()
        first[0] = before + 1e-5
        above = loss()
        first[0] = before - 1e-5
        slope = (above - loss()) / 2e-5
        first[0] = before
        assert moved.view(-1)[0].item() == pytest.approx(before - rate * slope, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "steps", "least"),
    [
        ({"data": "circle"}, 600, 0.97),
        ({"data": "xor"}, 800, 0.95),
        ({"data": "gaussians", "layers": 0}, 200, 0.97),
        ({"data": "four clouds"}, 600, 0.95),
        ({"data": "spirals", "layers": 3, "width": 8, "sin_x1": True, "sin_x2": True}, 2500, 0.95),
        ({"data": "three spirals", "layers": 3, "width": 8, "sin_x1": True, "sin_x2": True}, 3000, 0.9),
    ],
)
def test_every_data_set_can_be_learned(settings: dict, steps: int, least: float) -> None:
    playground = NetworkPlayground(**settings)
    playground.train(steps)
    assert playground.result.held_out[1] >= least, playground.says


@pytest.mark.parametrize("data", ["xor", "circle", "spirals"])
def test_without_a_hidden_layer_no_straight_line_does_it(data: str) -> None:
    playground = NetworkPlayground(data=data, layers=0)
    playground.train(500)
    assert playground.result.held_out[1] < 0.75
    linear = NetworkPlayground(data=data, layers=3, width=6, activation="linear", learning_rate=0.02)
    linear.train(500)
    assert linear.result.held_out[1] < 0.75, "layers that do not bend are no better than none"


def test_a_feature_can_stand_in_for_a_layer() -> None:
    playground = NetworkPlayground(data="xor", layers=0, x1=False, x2=False, x1_x2=True)
    playground.train(100)
    assert playground.result.held_out[1] > 0.98


@pytest.mark.parametrize("name", POINTS)
def test_points_stay_on_the_map_and_classes_are_balanced(name: str) -> None:
    points, labels = POINTS[name](np.random.default_rng(3), COUNT)
    assert points.shape == (COUNT, 2) and np.abs(points).max() <= EDGE
    counts = np.bincount(labels)
    assert len(counts) >= 2 and counts.min() > 0.7 * counts.max()
    noisy = NetworkPlayground(data=name, noise=50)
    still = NetworkPlayground(data=name)
    moved = np.hypot(*(noisy.result.task.points - still.result.task.points).T)
    assert 0.3 < np.median(moved) < 2 and np.abs(noisy.result.task.points).max() <= EDGE


def test_regularisation_keeps_weights_small() -> None:
    sizes = []
    for settings in ({}, {"l1": 0.05}, {"l2": 0.1}):
        playground = NetworkPlayground(data="gaussians", **settings)
        playground.train(400)
        sizes.append(sum(np.abs(weights).sum() for weights in playground.result.weights))
    assert sizes[1] < 0.7 * sizes[0] and sizes[2] < 0.7 * sizes[0]


def test_own_points_are_typed_and_up_to_four_classes_are_learned() -> None:
    points, labels = parse_points("1.5, -2, a\n-1 2 B;0,0,D\n\n")
    assert points.tolist() == [[1.5, -2], [-1, 2], [0, 0]] and labels.tolist() == [0, 1, 3]
    corners = "-2,-2,A\n-2,2,B\n2,-2,C\n2,2,D\n"
    playground = NetworkPlayground(data=OWN, own_points=corners, width=6)
    playground.train(300)
    assert playground.result.shares.shape == (4, CELLS, CELLS)
    assert "100% of 4 points in 4 classes right" in playground.says
    corners_of_map = ((50, 9), (9, 9), (50, 50), (9, 50))
    assert [playground.result.shares[:, row, column].argmax() for row, column in corners_of_map] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no points of your own"),
        (" \n;", "no points of your own"),
        ("1, 2", "should read like"),
        ("1, 2, E", "class from A to D"),
        ("1, 2, A\nx, 2, B", "Point 2"),
        ("9, 0, A", "off the map"),
        ("nan, 0, A", "off the map"),
    ],
)
def test_points_that_cannot_be_read_are_a_sentence_and_the_widget_lives(text: str, sentence: str) -> None:
    playground = NetworkPlayground(data=OWN)
    before = playground.png
    playground.inputs["own_points"].value = text
    assert sentence in playground.problem and playground.png == before
    playground.inputs["own_points"].value = "1, 1, A\n-1, -1, B"
    assert playground.problem == "" and playground.png != before
    assert sentence in refuses(lambda: NetworkPlayground(data=OWN, own_points=text))


def test_points_of_one_class_are_shown_and_training_says_what_is_missing() -> None:
    playground = NetworkPlayground(data=OWN, own_points="1, 1, B")
    assert playground.problem == "" and "1 points in 1 classes" in playground.says
    playground.buttons["one_step"].click()
    assert "All points are of class B" in playground.problem
    playground.play()
    assert playground.wait(20) and "All points are of class B" in playground.problem
    playground.set(own_points="1, 1, B\n-1, 0, A")
    playground.one_step()
    assert playground.problem == "" and playground.says.startswith("Step 1:")


def test_no_feature_at_all_is_a_sentence() -> None:
    playground = NetworkPlayground(x2=False)
    playground.inputs["x1"].value = False
    assert "tick at least one feature" in playground.problem
    playground.inputs["x2_squared"].value = True
    assert playground.problem == "" and playground.result.task.features == ("x2_squared",)
    assert set(FEATURES) <= set(playground.controls)


def test_a_run_that_breaks_says_at_which_step_and_why_and_new_weights_mend_it() -> None:
    playground = NetworkPlayground(data="xor", layers=3, activation="linear", learning_rate=10.0)
    sentence = refuses(lambda: playground.train(100))
    step = playground.result.steps + 1
    assert 1 < step < 20
    assert f"NaN (not a number) at step {step}: with learning rate 10 each step overshoots" in sentence
    assert sentence in playground.says and np.isfinite(playground.result.shares).all()
    sizes = [float(size) for size in re.findall(r"[\d.]+(?:e\+\d+)?(?=,)", sentence.partition("went ")[2])]
    assert sizes == sorted(sizes) and sizes[-1] > 100 * sizes[0]
    assert all(np.isfinite(weights).all() for weights in playground.result.weights)

    playground.play()  # a stopped run continued: the sentence again, and the widget lives
    assert playground.wait(20) and f"at step {step}" in playground.problem
    playground.set(learning_rate=0.03)
    playground.new_weights()
    playground.train(50)
    assert playground.problem == "" and playground.says.startswith("Step 50:")


def test_neurons_that_died_are_named() -> None:
    playground = NetworkPlayground(data="xor", layers=3, activation="relu", learning_rate=10.0)
    playground.train(100)
    assert "answers the same everywhere" in playground.says


def test_play_runs_until_stop_and_goes_on_from_there() -> None:
    playground = NetworkPlayground(speed=5)
    playground.play()
    deadline = time.monotonic() + 20
    while playground.result.steps < 20:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    playground.set(learning_rate=0.5)  # while it plays
    playground.play()  # reads Stop now
    assert playground.wait(20)
    reached = playground.result.steps
    assert reached >= 20 and playground.result.curve[-1, 0] == reached
    playground.one_step()
    assert playground.result.steps == reached + 1
    playground.reset()
    assert playground.result.steps == 0 and playground.learning_rate == 0.1


def test_the_same_settings_give_the_same_run_and_new_weights_another() -> None:
    one, other = NetworkPlayground(), NetworkPlayground()
    for playground in (one, other):
        playground.train(40)
    assert one.says == other.says and np.array_equal(one.result.shares, other.result.shares)
    other.new_weights()
    assert other.result.steps == 0 and not np.array_equal(
        other.result.weights[0], Run(one.result.task).parameters[0].detach().numpy()
    )


def test_a_click_on_the_map_adds_a_point_and_a_click_on_a_neuron_names_it() -> None:
    playground = NetworkPlayground(data=OWN, click_adds="C")
    across, up = OUTPUT[0] + MAP * 0.75, OUTPUT[1] + MAP * 0.25
    press_at(playground, across, up)
    assert playground.own_points.splitlines()[-1] == "1.5, -1.5, C"
    assert playground.result.task.points[-1].tolist() == [1.5, -1.5] and playground.result.task.labels[-1] == 2
    left, bottom = playground.panels["network"].places[1][2]
    press_at(playground, left + 3, bottom - 3)
    assert playground.neuron == "1.3" and "▸ 1.3 =" in playground.details_box.value
    before = playground.values
    for nonsense in ([0.5], [1e308, 0.0], [-3.0, 0.5]):
        playground.widget.children[-1].place = nonsense
    assert playground.problem == ""
    press_at(playground, 3, 287)
    assert playground.values == before
    press_at(playground, across, up)
    press_at(playground, across, up)
    assert playground.own_points.splitlines()[-2:] == ["1.5, -1.5, C"] * 2, "the same place is pressed again"

    ready_made = NetworkPlayground(data="circle", own_points="")
    press_at(ready_made, across, up)
    assert ready_made.data == OWN and ready_made.own_points == "1.5, -1.5, A"


def test_the_pinned_boundary_stays_as_a_ghost() -> None:
    playground = NetworkPlayground(data="gaussians")
    playground.train(100)
    playground.pin()
    (border,) = playground.panels["map"].borders
    assert len(border.get_paths()[0].vertices) > 10
    playground.train(20)
    assert "Pinned: Step 100" in playground.says and playground.panels["map"].borders == [border]
    playground.unpin()
    assert playground.panels["map"].borders == []


def test_new_weights_and_play_without_a_feature_say_what_is_missing() -> None:
    playground = NetworkPlayground()
    playground.inputs["x1"].value = playground.inputs["x2"].value = False
    for name in ("new_weights", "play", "one_step"):
        playground.buttons[name].click()
        assert playground.wait(5) and "tick at least one feature" in playground.problem
    playground.inputs["x1"].value = True
    assert playground.problem == ""


@pytest.mark.parametrize("settings", [{}, {"data": OWN, "own_points": "1, 1, A\n-1, -1, B"}, {"layers": 0, "seed": 3}])
def test_the_copied_line_makes_the_same_picture_with_its_training(settings: dict) -> None:
    playground = NetworkPlayground(**settings)
    playground.new_weights()
    playground.train(15)
    playground.set(learning_rate=0.30000000000000004, l2=0.01)
    playground.train(7).one_step()
    playground.set(learning_rate=0.2, batch=20, speed=3)
    line = playground.as_python()
    assert (
        ".train(15, learning_rate=0.1, l2=0.0, batch=10).train(8, learning_rate=0.30000000000000004, batch=10)" in line
    )
    assert "#" not in line
    copy = eval(line)
    assert copy.says == playground.says and copy.png == playground.png and copy.values == playground.values
    assert copy.as_python() == line


def test_the_copied_line_says_what_it_leaves_out() -> None:
    playground = NetworkPlayground(width=2)
    for number in range(CHANGES + 2):
        playground.set(learning_rate=0.1 + number / 100)
        playground.train(2)
    line = playground.as_python()
    assert line.endswith(f".train(12)  # left out: on the way the settings changed {CHANGES + 1} times")
    assert eval(line).result.steps == 12

    broken = NetworkPlayground(data="xor", layers=3, activation="linear", learning_rate=10.0)
    refuses(lambda: broken.train(100))
    line = broken.as_python()
    assert line.endswith("  # left out: the step after these, at which the run broke")
    copy = eval(line)
    assert copy.result.steps == broken.result.steps and np.array_equal(copy.result.shares, broken.result.shares)
    assert refuses(copy.one_step) == broken.session.run.broken


def test_training_takes_no_other_settings() -> None:
    playground = NetworkPlayground()
    assert "width cannot change for some steps" in refuses(lambda: playground.train(1, width=3))
    assert "learning rate = -1 is outside" in refuses(lambda: playground.train(1, learning_rate=-1))
    assert playground.result.steps == 0


def test_the_tour_trains_and_gives_the_learners_own_run_back() -> None:
    playground = NetworkPlayground(data="spirals", width=3, sin_x1=True, seed=5)
    playground.train(37)
    before = playground.says, playground.png
    shares = {}
    for number in range(len(playground.tour)):
        playground.visit(number)
        result, sentence = playground.result, playground.tour_bar.sentence.value
        assert f"Step {playground.tour[number][0]['one_step']}:" in playground.says
        assert f"{result.held_out[1]:.0%}" in sentence or f"{result.weights[0][0][0]:.2f}" in sentence
        shares[number] = result.held_out[1]
    assert shares[0] > 0.97 and shares[1] < 0.75 and shares[2] > 0.97 and shares[3] > 0.95 and shares[5] < 0.75
    assert playground.result.task.features == ("x1", "x2") and playground.l1 == 0
    for width in range(1, 9):  # more than the base keeps of what was prepared
        playground.set(width=width)
    playground.visit(None)
    assert (playground.says, playground.png) == before


def test_a_tour_that_begins_while_it_plays_stops_it_and_takes_no_step_more() -> None:
    playground = NetworkPlayground(speed=100)
    playground.play()
    deadline = time.monotonic() + 20
    while playground.session.run.steps < 5:
        assert time.monotonic() < deadline
    with playground.lock:
        playground.visit(0)
        time.sleep(0.05)  # the worker waits for its next step
    assert playground.wait(20) and playground.session.run.steps == playground.result.steps == 100
    playground.visit(None)
    steps = playground.result.steps
    assert 5 <= steps < 100 and eval(playground.as_python()).png == playground.png


def test_a_reset_that_is_undone_brings_the_training_back() -> None:
    playground = NetworkPlayground()
    playground.new_weights()
    playground.train(20)
    before = playground.says, playground.png
    playground.reset()
    assert playground.says.startswith("Step 0:") and playground.session.seed == 0
    playground.undo()
    assert (playground.says, playground.png) == before


def test_a_seed_of_its_own_gives_other_weights_and_reset_goes_back_to_it() -> None:
    first, other = NetworkPlayground(), NetworkPlayground(seed=2)
    assert not np.array_equal(first.result.weights[0], other.result.weights[0])
    assert other.as_python() == "NetworkPlayground(seed=2)"
    other.new_weights()
    assert other.as_python() == "NetworkPlayground(seed=3)"
    other.reset()
    assert other.as_python() == "NetworkPlayground(seed=2)"
    first.new_weights()
    first.new_weights()
    assert np.array_equal(first.result.weights[0], other.result.weights[0])


def test_refusals_stand_beside_the_controls_and_half_signs_are_refused() -> None:
    playground = NetworkPlayground(data=OWN)
    children = playground.widget.children
    assert children.index(playground.status) == 1 < children.index(playground.body)
    playground.inputs["own_points"].value = "1, 1, A\n\ud800, 0, B"
    assert "U+D800, which is half of a sign" in playground.problem
    assert "half of a sign" in refuses(lambda: playground.set(own_points="\ud800"))
