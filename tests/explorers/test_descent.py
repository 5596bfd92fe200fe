"""DescentExplorer and OptimiserRace: their numbers against walks written out here, their sentences, their pointer."""

import math

import numpy as np
import pytest
import torch

from course_utils.experiments.descent import NEAR, arrival, best_rate
from course_utils.explorers.descent import DescentExplorer, OptimiserRace
from course_utils.explorers.pointer import Pointer
from course_utils.surfaces import SURFACES, TWO_MINIMA, line_surface

from .sweep import refuses

TORCH = {
    "gradient descent": lambda p, rate: torch.optim.SGD([p], rate),
    "momentum": lambda p, rate: torch.optim.SGD([p], rate, momentum=0.9),
    "RMSProp": lambda p, rate: torch.optim.RMSprop([p], rate),
    "Adam": lambda p, rate: torch.optim.Adam([p], rate),
}


def walked_by_torch(name: str, surface: str, start: tuple[float, float], rate: float, steps: int) -> list[float]:
    """The losses of torch's own optimiser, with torch's own gradients."""
    place = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimiser, losses = TORCH[name](place, rate), []
    for _ in range(steps + 1):
        optimiser.zero_grad()
        loss = SURFACES[surface].loss(*place)
        loss.backward()
        losses.append(loss.item())
        optimiser.step()
    return losses


@pytest.mark.parametrize("name", TORCH)
def test_the_walk_and_its_caption_are_those_of_torch(name: str) -> None:
    explorer = DescentExplorer(optimiser=name, surface="ravine", across=0.25, up=0.75, learning_rate=0.02, steps=30)
    expected = walked_by_torch(name, "ravine", (-5.0, 1.5), 0.02, 30)
    assert np.allclose(explorer.result.path.losses, expected, rtol=1e-5)
    with_momentum = name in ("momentum", "Adam")
    share = " (momentum 0.9)" * with_momentum
    assert explorer.says.startswith(f"30 steps of {name}{share} from (-5.00, 1.50), learning rate 0.02: ")
    assert f"loss {expected[0]:.4g} to {expected[-1]:.4g}" in explorer.says
    assert (explorer.inputs["momentum"].layout.display == "none") != with_momentum


def test_the_step_of_divergence_is_the_first_above_ten_times_the_highest() -> None:
    explorer = DescentExplorer(across=0.75, up=0.5, learning_rate=1.1)  # on the bowl from (1.5, 0): x grows by -1.2
    expected = next(step for step in range(200) if 1.5**2 * 1.44**step > 10 * 18)
    assert explorer.result.path.diverged == expected
    assert f"diverged at step {expected}" in explorer.says
    bang, words = explorer.panels["heights"].lines["bang"], explorer.panels["words"].text
    assert bang.get_xdata() == [expected]
    assert words.get_text() == f"diverged at step {expected}"
    explorer.set(learning_rate=0.1)
    assert "diverged" not in explorer.says and len(bang.get_xdata()) == 0 and words.get_text() == ""


def test_the_edge_of_diverging_is_where_paper_puts_it() -> None:
    """On the bowl a step multiplies by 1 - 2 rate: it jumps back and forth for ever at rate 1."""
    explorer = DescentExplorer(surface="bowl", steps=200)
    for rate, rises in ((0.99, False), (1.0, False), (1.01, True)):
        explorer.set(learning_rate=rate)
        assert (explorer.result.path.first_rise is not None) == rises
    assert "Step 1 was the first to make the loss larger" in explorer.says or "diverged" in explorer.says


@pytest.mark.parametrize("rate", [0, 1e9, -1, math.nan, "fast"])
def test_a_learning_rate_that_no_slider_has_is_a_sentence_and_the_picture_stays(rate: object) -> None:
    explorer = DescentExplorer()
    before = explorer.png, explorer.says
    sentence = refuses(lambda: explorer.set(learning_rate=rate))
    assert "learning rate" in sentence and "1e-05" in sentence and "10" in sentence
    assert (explorer.png, explorer.says) == before
    assert "learning rate" in refuses(lambda: OptimiserRace(learning_rate=rate))
    explorer.set(learning_rate=0.2)
    assert explorer.says != before[1]


def test_a_start_outside_the_picture_is_a_sentence() -> None:
    assert "left to right = 1.5 is outside 0.0 to 1.0" in refuses(lambda: DescentExplorer(across=1.5))
    assert "bottom to top" in refuses(lambda: OptimiserRace(up=-0.1))


def test_both_ends_of_the_learning_rate_are_honest_pictures_on_every_surface() -> None:
    explorer = DescentExplorer()
    for name in explorer.surfaces:
        explorer.set(surface=name, learning_rate=1e-5)
        assert explorer.problem == "" and explorer.result.path.diverged is None
        explorer.set(learning_rate=10)
        assert explorer.problem == "" and "diverged" in explorer.says


def test_choosing_a_surface_brings_its_start_and_rate_and_reset_goes_back() -> None:
    explorer = DescentExplorer(learning_rate=0.3)
    first = explorer.values, explorer.png
    explorer.inputs["surface"].value = "banana"
    start = explorer.result.path.positions[0]
    assert np.allclose(start, SURFACES["banana"].start, atol=0.01) and explorer.learning_rate == 0.01
    explorer.set(surface="ravine", learning_rate=0.2)
    assert explorer.learning_rate == 0.2 and np.allclose(explorer.result.path.positions[0], (-8, 1.5), atol=0.02)
    copied = eval(explorer.as_python())
    assert copied.png == explorer.png
    explorer.set(surface="banana", learning_rate=0.1)
    assert "learning_rate=0.1" in explorer.as_python()  # the bowl's own, not the banana's
    explorer.set(**copied.values)
    assert DescentExplorer(surface="banana").learning_rate == 0.01
    explorer.reset()
    assert (explorer.values, explorer.png) == first
    explorer.undo()
    assert explorer.png == copied.png


def test_one_parameter_walks_on_a_curve_and_ends_in_the_minimum_on_its_side() -> None:
    explorer = DescentExplorer(surface="two minima", across=0.9, learning_rate=0.02, steps=200)
    ends = {}
    for across in (0.1, 0.9):
        explorer.set(across=across)
        ends[across] = explorer.result.path.positions[-1, 0]
    assert ends[0.1] == pytest.approx(TWO_MINIMA.minima[0][0], abs=1e-4)
    assert ends[0.9] == pytest.approx(TWO_MINIMA.minima[1][0], abs=1e-4)


def test_a_surface_of_ones_own_comes_first_and_others_stay() -> None:
    own = line_surface([1, 2, 3], [2, 4, 7])
    for kind in (DescentExplorer, OptimiserRace):
        explorer = kind(own)
        assert explorer.surface == own.name and "bowl" in explorer.surfaces
        assert np.polyfit([1, 2, 3], [2, 4, 7], 1) == pytest.approx(own.minima[0])


# ------------------------------------------------------------------------------------------------ the race


def test_arrivals_are_counted_on_walks_of_torch() -> None:
    explorer = OptimiserRace(surface="ravine", rates="one for all", learning_rate=0.1, steps=200, across=0.1, up=0.75)
    for name in TORCH:
        losses = np.array(walked_by_torch(name, "ravine", (-8.0, 1.5), 0.1, 200))
        far = [step for step, loss in enumerate(losses) if loss > NEAR * losses[0]]
        expected = far[-1] + 1 if far[-1] < 200 else None
        assert explorer.result.arrivals[name] == expected
        told = f"{name} is not there yet" if expected is None else f"{name} at step {expected} "
        assert told in explorer.says
    arrived = [name for name in explorer.result.arrivals if explorer.result.arrivals[name] is not None]
    order = sorted(arrived, key=lambda name: explorer.says.index(f"{name} at step"))
    assert len(arrived) >= 2
    assert [explorer.result.arrivals[name] for name in order] == sorted(explorer.result.arrivals[n] for n in arrived)


def test_arriving_means_staying() -> None:
    bowl = SURFACES["bowl"]
    assert arrival(bowl, np.array([1.0, 0.0, 1.0])) is None
    assert arrival(bowl, np.array([1.0, 0.0, 1.0, 0.01, 0.0])) == 3
    assert arrival(bowl, np.array([0.0, 0.0])) == 0


def test_the_best_rate_is_the_best_of_all_rates_on_average() -> None:
    """Every rate, every one of the nine starts, walked one by one."""
    from course_utils.experiments.descent import LONGEST_RACE, TRIED
    from course_utils.optimisers import descend, momentum

    bowl, means = SURFACES["bowl"], []
    places = [low + 0.06 for low in (-1.5, 0.0, 1.5)]
    for rate in TRIED:
        late = []
        for start in ((x, y) for x in places for y in places):
            path = descend(bowl, start, momentum, rate, LONGEST_RACE)
            step = None if path.diverged else arrival(bowl, path.losses)
            late.append(2 * LONGEST_RACE if step is None else step)
        means.append(np.mean(late))
    assert best_rate(bowl, "momentum") == pytest.approx(TRIED[int(np.argmin(means))])


def test_a_walker_that_diverges_is_named_and_does_not_arrive() -> None:
    explorer = OptimiserRace(surface="bowl", rates="one for all", learning_rate=1.5)
    assert explorer.result.arrivals["gradient descent"] is None
    assert (
        f"gradient descent diverged at step {explorer.result.paths['gradient descent'].diverged} (rate 1.5)"
        in explorer.says
    )


# ------------------------------------------------------------------------------------------------ the pointer


@pytest.mark.parametrize("kind", [DescentExplorer, OptimiserRace])
def test_pointing_does_what_the_start_sliders_do(kind: type) -> None:
    explorer, slid = kind(), kind()
    explorer.pointer.place = [0.25, 0.75]
    slid.set(across=0.25, up=0.75)
    assert explorer.png == slid.png and explorer.says == slid.says
    low, high = explorer.surfaces[explorer.surface].window[0]
    path = explorer.result.path if kind is DescentExplorer else explorer.result.paths["gradient descent"]
    assert path.positions[0, 0] == pytest.approx(low + 0.25 * (high - low))


def test_a_locked_explorer_does_not_listen_to_the_pointer() -> None:
    explorer = DescentExplorer()
    before = explorer.says
    explorer.disable()
    explorer.pointer.place = [0.5, 0.2]
    assert explorer.says == before
    explorer.enable()
    explorer.pointer.place = [0.5, 0.3]
    assert explorer.says != before


def test_the_pointers_box_is_the_frame_of_the_map() -> None:
    explorer = DescentExplorer()
    assert explorer.panels["map"].axes.get_position().bounds == pytest.approx(explorer.pointer.box)
    assert isinstance(explorer.pointer, Pointer) and explorer.pointer in explorer.widget.children


@pytest.mark.parametrize("surface", [["bowl"], {}, None, 3, "bowl "])
def test_a_surface_that_is_none_is_a_sentence(surface: object) -> None:
    assert "surface must be one of 'bowl'" in refuses(lambda: DescentExplorer(surface=surface))
    explorer = DescentExplorer()
    assert "surface must be one of" in refuses(lambda: explorer.set(surface=surface))


@pytest.mark.parametrize("place", [[0.5], [0.5, 0.5, 0.5], []])
def test_a_pointer_that_sends_nonsense_is_a_sentence(place: list[float]) -> None:
    explorer = DescentExplorer()
    before = explorer.png
    explorer.pointer.place = place
    assert explorer.png == before
