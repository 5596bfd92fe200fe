"""What lesson 04 says of its own engine, of gradients in a layer, of costs and of training."""

import math
import random
import re
import timeit

import pytest

from course_utils import assets
from course_utils.autodiff import Value, topological_order
from course_utils.commands import notebooks
from course_utils.practice import exercise, quiz

PAGE = assets.project_folder() / "notebooks" / "04_backpropagation.ipynb"
CELLS = {cell.id: cell.source for cell in notebooks.read(PAGE).cells}
STEP = "0.1 * knob.gradient"


def boxes_made(action, repeat, number):
    """In place of `timeit.repeat`: how many boxes the engine makes, which is what the seconds are spent on."""
    made, make = [], Value.__init__

    def counted(*given, **settings):
        made.append(1)
        make(*given, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Value, "__init__", counted)
        action()
    return [len(made)] * repeat


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The names that each cell leaves behind, by the cell's id."""
    names, after = {}, {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_PROGRESS", str(tmp_path_factory.mktemp("progress") / "progress.json"))
        for cell in notebooks.read(PAGE).cells:
            if cell.cell_type == "code":
                with pytest.MonkeyPatch.context() as timing:
                    if cell.id == "timing":
                        timing.setattr(timeit, "repeat", boxes_made)
                    exec(compile(cell.source, cell.id, "exec"), names)
                after[cell.id] = dict(names)
            if cell.id == "avenues-table":  # later cells walk back again and leave other gradients
                pair = names["weights"], names["before"]
                rows = [(n.data, n.gradient, w.data, w.gradient) for w, n in zip(*pair, strict=True)]
                after["avenues"] = {"answer": names["answer"].data, "error": names["bias"].gradient, "rows": rows}
    return after


def says(cell: str, *words: str) -> None:
    text = " ".join(CELLS[cell].split())
    for each in words:
        assert each in text


@pytest.mark.slow
def test_turning_chain_and_walk_give_one_number(page):
    loss, slope_of, links = (page["links"][name] for name in ("loss", "slope_of", "links"))
    chain = math.prod(links)
    turned = (loss(0.5 + 1e-5, -0.4) - loss(0.5, -0.4)) / 1e-5
    walked = page["tiny-tanh"]["weight"].gradient
    assert f"{chain:.3f}" == f"{turned:.3f}" == f"{walked:.3f}" == "-1.318"
    says("smaller-said", "about −1.318")
    assert (loss(0.5 + 1e-17, -0.4) - loss(0.5, -0.4)) == 0 < abs(loss(1.5, -0.4) - loss(0.5, -0.4)) < 1
    for at in (-2, 0, 0.6, 2):
        assert slope_of(math.tanh, at) == pytest.approx(1 - math.tanh(at) ** 2, abs=5e-6)


@pytest.mark.slow
def test_the_picture_of_the_neuron_says_the_numbers_of_the_page(page):
    neuron = page["neuron-graph"]["neuron"]
    assert "tanh has gradient -0.926 and hands -0.926 × 0.712" in neuron.says
    says("neuron-graph-said", "−0.926", "0.712", "−1.32")
    neuron.set(b=-5.0, step=neuron.result.steps)
    assert 3.99 < neuron.result.values[-1] < 4
    assert f"{1 - math.tanh(-4) ** 2:.5f}" == "0.00134"
    says("stuck-said", "0.00134")
    neuron.reset()
    neuron.whole_pass()
    assert "a -1.32" in neuron.says


@pytest.mark.slow
def test_the_engine_of_the_page_agrees_with_the_package(page):
    tiny, backward, tanh = (page["tiny-tanh"][name] for name in ("Tiny", "backward", "tanh"))

    def random_formula(numbers, squash, draw):
        values = list(numbers)
        for _ in range(20):
            left, right = draw.choice(values), draw.choice(values)
            values.append(squash(left + right if draw.random() < 0.5 else left * right))
        return values[-1] + values[-2]

    for seed in range(200):
        draw = random.Random(seed)
        numbers = [draw.uniform(-2, 2) for _ in range(4)]
        ours, theirs = [tiny(number) for number in numbers], [Value(number) for number in numbers]
        backward(random_formula(ours, tanh, random.Random(seed)))
        random_formula(theirs, Value.tanh, random.Random(seed)).backward()
        for mine, other in zip(ours, theirs, strict=True):
            assert mine.gradient == pytest.approx(other.gradient or 0.0, abs=1e-12)
    lines = [
        line
        for cell in ("tiny-value", "tiny-backward", "tiny-tanh")
        for line in re.split(r"\n\n\n(?!def)", CELLS[cell])[0].splitlines()
        if line.strip()
    ]
    assert 19 <= len(lines) <= 24
    says("title", "about twenty lines")


@pytest.mark.slow
def test_a_second_walk_without_emptying_counts_again(page):
    names = page["tiny-tanh"]
    before = names["a"].gradient
    names["backward"](names["square"])
    assert (before, names["a"].gradient) == (12, 48)
    assert "It shows 48" in quiz("04.b").question.answer.explanation


@pytest.mark.slow
def test_the_exercise_begins_with_the_engine_of_the_page_and_turning_gives_the_same(page):
    task = exercise("04.4")
    built = "\n".join(CELLS[cell] for cell in ("tiny-value", "tiny-backward"))
    assert all(part in built for part in task.page.split("\n\n\n"))
    names = dict(page["turned-quotient"])
    exec(task.answer, names)
    assert names["gradients"](6.0, 3.0) == pytest.approx((4 / 3, -8 / 3))
    for a, b in ((1.3, -0.7), (-2.0, 2.5)):
        turned = [
            names["slope_of"](lambda a, b=b: (a / b) ** 2, a),
            names["slope_of"](lambda b, a=a: (a / b) ** 2, b),
        ]
        assert names["gradients"](a, b) == pytest.approx(turned, rel=1e-4)


@pytest.mark.slow
def test_guessing_would_get_about_half(page):
    unseen = page["training-loop"]["unseen"]
    assert 0.45 < sum(target > 0 for _, target in unseen) / len(unseen) < 0.55


@pytest.mark.slow
def test_every_gradient_of_the_reader_is_torchs(page):
    assert len(page["agrees"]["ours"]) == len(page["agrees"]["theirs"]) == 73
    assert page["agrees"]["furthest"] < 1e-10


@pytest.mark.slow
def test_a_weight_gets_its_activation_times_the_error_and_an_activation_its_weight(page):
    answer, error, rows = page["avenues"].values()
    assert f"{answer:.2f} {error:.2f}" == "-0.22 -2.43"
    says("avenues", "−0.22")
    for activation, its_gradient, weight, gradient in rows:
        assert gradient == pytest.approx(activation * error)
        assert its_gradient == pytest.approx(weight * error)
    assert [round(activation, 2) for activation, *_ in rows] == [-0.06, -0.15, 0.52, 0.27]
    assert [round(gradient, 2) for *_, gradient in rows] == [0.15, 0.36, -1.26, -0.65]
    says("avenues-said", "−2.43", "0.52", "−1.26", "0.15")


@pytest.mark.slow
def test_the_wishes_of_the_pictures_nearly_cancel_and_their_average_is_the_gradient(page):
    names = page["desires-picture"]
    for name, wants in zip(names["names"], names["wants"][:6], strict=True):
        low, high = (2.4, 2.6) if name == "eight" else (-1.85, -1.65)
        assert low < wants[-1] < high
    assert f"{names['average'][-1]:+.2f}" == "+0.02"
    says("desires-said", "about 2.5", "about 1.8", "+0.02")
    reader, examples = names["Network"]([16, 4, 1], seed=0), names["examples"]
    (sum((reader(picture)[0] - target) ** 2 for picture, target in examples) / len(examples)).backward()
    assert [-knob.gradient for knob in reader.layers[-1][0]] == pytest.approx(names["average"])
    assert len(examples) == 40 and {target for _, target in examples} == {-1.0, 1.0}


@pytest.mark.slow
def test_costs_grow_as_the_page_says(page):
    counts, passes, turning = (page["timing"][name] for name in ("counts", "passes", "turning"))
    assert counts[2:] == [41, 121, 401]
    assert 4 < passes[-1] / passes[2] < 25
    assert 35 < turning[-1] / turning[2] < 270
    assert turning[-1] > 20 * passes[-1] and turning[-1] / passes[-1] > 3 * turning[0] / passes[0]


@pytest.mark.slow
def test_the_reader_learns_and_reads_other_hands(page):
    names = page["training-loop"]
    assert names["losses"][0] > 0.8 and names["losses"][-1] < 0.2
    assert names["right"] > 0.9 * len(names["unseen"]) == 0.9 * 102
    assert len(topological_order(names["loss"])) == 6476
    assert set(names["digits"].train_forms.tolist()).isdisjoint(names["digits"].test_forms.tolist())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate", "low", "high", "said"), [("0.02", 0.71, 0.73, "still 0.72"), ("0.6", 1e60, 1e90, "beyond $10^{60}$")]
)
def test_the_learners_own_learning_rate_ends_as_the_page_says(page, rate, low, high, said):
    says("test-said", said)
    assert CELLS["training-loop"].count(STEP) == 1
    names = dict(page["training-loop"])
    exec(CELLS["training-loop"].replace(STEP, STEP.replace("0.1", rate)), names)
    assert low < names["losses"][-1] < high
