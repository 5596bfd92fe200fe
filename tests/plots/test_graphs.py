"""The placing of graphs: what must not overlap does not, and numbers stand where they should."""

import random

import numpy as np
import pytest

from course_utils.plots.graphs import (
    LANE,
    MOST_COLUMNS,
    GraphPicture,
    Numbers,
    costs,
    desires,
    falling_loss,
    layout,
    short,
)
from course_utils.plots.picture import new_figure


def random_graph(draw: random.Random, nodes: int) -> list[list[int]]:
    """A graph in which every node but the last is used, by one or two later ones."""
    parents: list[list[int]] = [[] for _ in range(nodes)]
    for node in range(nodes - 1):
        for user in {draw.randint(node + 1, min(nodes - 1, node + 6)) for _ in range(draw.randint(1, 2))}:
            parents[user].append(node)
    return parents


def test_no_two_nodes_overlap_and_no_edge_passes_through_a_node() -> None:
    draw = random.Random(1)
    placed = 0
    for _ in range(60):
        parents = random_graph(draw, draw.randint(3, 18))
        try:
            found = layout(parents)
        except ValueError as error:
            assert "shorter expression" in str(error)
            continue
        placed += 1
        lanes = [point for path in found.paths for point in path[1:-1]]
        for node, (column, row) in enumerate(found.places):
            for other, (column_2, row_2) in enumerate(found.places):
                assert node == other or column != column_2 or abs(row - row_2) >= 1 - 1e-9
            for column_2, row_2 in lanes:
                assert column != column_2 or abs(row - row_2) >= (1 + LANE) / 2 - 1e-9
        for parent, node in found.edges:
            assert found.places[parent, 0] < found.places[node, 0]
        assert found.places[-1, 0] == found.columns - 1 and found.places[:, 1].min() >= 0
    assert placed > 30


def test_a_tree_has_no_crossing() -> None:
    found = layout([(), (), (0, 1), (), (), (3, 4), (2, 5), (), (6, 7)])
    ends = sorted((float(p[0, 0]), float(p[0, 1]), float(p[-1, 1])) for p in found.paths)
    for column in {left for left, _, _ in ends}:
        arrivals = [to for left, _, to in ends if left == column]
        assert arrivals == sorted(arrivals)


def test_a_chain_that_is_too_long_is_a_sentence() -> None:
    with pytest.raises(ValueError, match=f"{MOST_COLUMNS + 1} operations long"):
        layout([(), *[(node,) for node in range(MOST_COLUMNS)]])
    assert layout([(), *[(node,) for node in range(MOST_COLUMNS - 1)]]).columns == MOST_COLUMNS


def test_numbers_are_centred_and_never_wider_than_allowed() -> None:
    numbers = Numbers("black")
    (wide, narrow) = numbers.update_numbers([("-0.1234", 2.0, 1.0, 10, 9.0), ("-0.1234", 5.0, 1.0, 10, 0.2)])
    assert narrow == 0.2 < wide
    x, y = numbers.get_path().vertices[:, 0], numbers.get_path().vertices[:, 1]
    first = x < 4
    assert (x[first].min() + x[first].max()) / 2 == pytest.approx(2.0, abs=0.02)
    assert np.ptp(x[first]) == pytest.approx(wide, rel=0.1) and np.ptp(x[~first]) <= 0.2
    assert (y.min() + y.max()) / 2 == pytest.approx(1.0, abs=0.02)
    assert numbers.update_numbers([]) == [] and len(numbers.get_path().vertices) == 0


def test_short_numbers_stay_close_and_short() -> None:
    draw = random.Random(0)
    for _ in range(2000):
        number = draw.choice([-1, 1]) * 10 ** draw.uniform(-30, 30)
        assert len(short(number)) <= 9 and float(short(number)) == pytest.approx(number, rel=5.1e-3)


def test_the_static_pictures_say_their_numbers() -> None:
    picture = costs([5, 400], [0.0001, 0.002], [0.0002, 0.3])
    assert (
        "400 parameters: 2.0 ms by one run and one backward pass, 300 ms" in picture.alt and "150 times" in picture.alt
    )
    assert falling_loss([2.0, 0.5, 0.125]).alt == "Loss 2.000 at the first step, 0.125 at the last of 3."


def test_no_words_of_a_picture_come_near_its_edge() -> None:
    graph = new_figure(8.4, 3.8)
    GraphPicture(graph, ["x", "y", "*"], layout([(), (), (0, 1)]), [False] * 3)
    for figure, words in ((graph, "value (blue)"), (costs([5, 400], [0.0001, 0.002], [0.0002, 0.3]).figure, "one run")):
        figure.canvas.draw()
        (text,) = [text for text in figure.axes[0].texts if words in text.get_text()]
        across = text.get_window_extent().get_points()[:, 0] / figure.bbox.width
        assert 0.03 < across[0] < across[1] < 0.97


def test_desires_show_each_example_beside_the_average_of_all() -> None:
    picture = desires([np.eye(4)] * 6, ["three"] * 6, ["weight", "bias"], [[0.5, -2.0]] * 6, [0.1, 0.25])
    figure = picture.figure
    columns = [[text.get_text() for text in axes.texts] for axes in figure.axes if axes.texts]
    assert columns == [["+0.50", "-2.00"]] * 6 + [["+0.10", "+0.25"]]
    assert "6 examples want of 2 parameters, from -2.00 to +0.50; the average of all wants +0.10, +0.25" in picture.alt
    figure.canvas.draw()
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1 for box in boxes)
