"""LineFitter and PolynomialFitter: their numbers against numpy and scipy, and their answers to odd input."""

import importlib.util
import inspect

import numpy as np
import pytest
from scipy.optimize import minimize

from course_utils import assets, data
from course_utils.explorers.fitting import LineFitter, PolynomialFitter, fall_time

from .sweep import refuses
from .sweep_fitting import line, polynomial

FLOOR, SECONDS = (column.numpy().astype(float) for column in (data.falling_ball().floor, data.falling_ball().seconds))


def losses(slope: float, intercept: float, delta: float = 0.2) -> dict[str, float]:
    """All three, written out one measurement at a time."""
    sizes = [abs(second - slope * floor - intercept) for floor, second in zip(FLOOR, SECONDS, strict=True)]
    huber = [size**2 / 2 if size <= delta else delta * (size - delta / 2) for size in sizes]
    return {
        "squared": sum(size**2 for size in sizes) / len(sizes),
        "absolute": sum(sizes) / len(sizes),
        "huber": sum(huber) / len(huber),
    }


@pytest.mark.parametrize("kind", ["squared", "absolute", "huber"])
@pytest.mark.parametrize(("slope", "intercept"), [(0.0, 3.5), (0.155, 1.2), (-0.1, 8.0)])
def test_loss_and_residuals_are_those_written_out_by_hand(kind: str, slope: float, intercept: float) -> None:
    explorer = line()
    explorer.set(slope=slope, intercept=intercept, loss=kind)
    expected = losses(slope, intercept)[kind]
    assert explorer.result.loss == pytest.approx(expected, rel=1e-9)
    assert f"{kind} loss {expected:.4g} over 45 measurements" in explorer.says
    assert np.allclose(explorer.result.residuals, SECONDS - slope * FLOOR - intercept)
    drawn = np.array(explorer.artists["misses"].get_segments())
    assert drawn.shape == (45, 2, 2) and np.allclose(drawn[:, 1, 1] - drawn[:, 0, 1], explorer.result.residuals)
    assert explorer.artists["mean"].get_ydata()[0] == explorer.result.loss


@pytest.mark.parametrize("kind", ["squared", "absolute", "huber"])
@pytest.mark.parametrize(("intercept", "beyond"), [(3.5, 6), (8.0, 45)])
def test_misses_beyond_the_picture_are_hollow_at_its_edge_and_counted(kind: str, intercept: float, beyond: int) -> None:
    explorer = line()
    explorer.set(slope=0.0, intercept=intercept, loss=kind)
    edge = explorer.charges.get_xlim()[1]
    assert (np.abs(SECONDS - intercept) > edge).sum() == beyond
    assert f"Beyond the right-hand picture, drawn hollow: {beyond}." in explorer.says
    hollow, filled = explorer.artists["beyond"], explorer.artists["dots"]
    assert np.allclose(np.abs(hollow.get_xdata()), edge) and len(hollow.get_xdata()) == beyond
    assert hollow.get_markerfacecolor() == "white" != filled.get_markerfacecolor()
    inside = np.abs(SECONDS - intercept) <= edge
    assert np.allclose(filled.get_xdata(), (SECONDS - intercept)[inside])
    explorer.best()
    assert "hollow" not in explorer.says and len(explorer.artists["beyond"].get_xdata()) == 0
    assert len(explorer.artists["dots"].get_xdata()) == 45


def test_the_computer_finds_the_line_of_numpy_and_scipy() -> None:
    explorer = line()
    explorer.best()
    assert (explorer.slope, explorer.intercept) == pytest.approx(np.polyfit(FLOOR, SECONDS, 1), abs=0.005)
    for kind in ("absolute", "huber"):
        explorer.set(loss=kind)
        explorer.best()
        found = minimize(lambda knobs, kind=kind: losses(*knobs)[kind], (0.15, 1.2), method="Nelder-Mead", tol=1e-10)
        assert explorer.result.loss == pytest.approx(found.fun, rel=0.01)


def test_the_pinned_line_is_the_one_to_beat_by_the_same_loss() -> None:
    explorer = line()
    explorer.set(slope=0.1, intercept=2.0)
    explorer.pin()
    assert "not beaten" in explorer.says
    explorer.set(loss="absolute", slope=0.15, intercept=1.2)
    assert explorer.result.pinned_loss == pytest.approx(losses(0.1, 2.0)["absolute"])
    assert f"The ghost's is {losses(0.1, 2.0)['absolute']:.4g}: beaten" in explorer.says


def test_knobs_reach_the_best_line_of_any_data() -> None:
    generator = np.random.default_rng(0)
    for scale in (1e-6, 1.0, 1e9):
        x, y = generator.normal(size=(2, 30)) * scale
        explorer = LineFitter(x, y, delta=scale)
        explorer.best()
        assert explorer.problem == ""
        assert explorer.slope == pytest.approx(np.polyfit(x, y, 1)[0], abs=explorer.steps[0])


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ([1, 2, 3], [1, np.nan, 2], "missing, infinite"),
        ([1, np.inf], [1, 2], "missing, infinite"),
        ([1, 2], [1e60, 2], "too large"),
        ([1, 2, 3], [1, 2], "pairs"),
        ([], [], "2 different"),
        ([4, 4, 4], [1, 2, 3], "2 different"),
        (["one", "two"], [1, 2], "not a number"),
        ([[1, 2]], [[1, 2]], "pairs"),
    ],
)
def test_data_that_no_line_fits_are_one_sentence(x: list, y: list, words: str) -> None:
    assert words in refuses(lambda: LineFitter(x, y))


def test_a_bad_delta_or_knob_is_one_sentence() -> None:
    assert "delta=-1" in refuses(lambda: LineFitter([1, 2], [1, 2], delta=-1))
    assert "delta=nan" in refuses(lambda: LineFitter([1, 2], [1, 2], delta=float("nan")))
    explorer = line()
    with pytest.raises(ValueError, match="outside"):
        explorer.set(slope=float("nan"))
    assert explorer.slope == 0.0


def test_fall_time_is_the_formula_that_made_the_data() -> None:
    maker = assets.project_folder() / "datasets" / "make" / "falling_ball.py"
    spec = importlib.util.spec_from_file_location("falling_ball_maker", maker)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.TERMINAL_VELOCITY == pytest.approx(data.TERMINAL_SPEED, abs=0.05)
    floors = range(41)
    expected = [module.fall_time(module.FLOOR_HEIGHT * floor) for floor in floors]
    assert np.allclose(fall_time(floors, module.TERMINAL_VELOCITY), expected)
    assert np.allclose(fall_time(floors, data.TERMINAL_SPEED), expected, atol=0.01)
    late = SECONDS - fall_time(FLOOR, data.TERMINAL_SPEED) > 0.4
    assert late.sum() == 4, "the lesson speaks of four late presses"


def test_the_source_that_the_lesson_shows_does_not_give_the_speed_away_that_it_fits() -> None:
    assert "21" not in inspect.getsource(fall_time)
    assert inspect.signature(fall_time).parameters["terminal_speed"].default is inspect.Parameter.empty


@pytest.mark.parametrize(("degree", "points", "noise"), [(0, 2, 0.3), (1, 16, 0.2), (4, 9, 0.0), (9, 40, 1.0)])
def test_polynomials_and_their_errors_are_numpys(degree: int, points: int, noise: float) -> None:
    explorer = PolynomialFitter(degree=degree, points=points, noise=noise)
    result = explorer.result
    expected = np.polynomial.Polynomial.fit(result.floors, result.seconds, degree)
    assert np.allclose(result.curve, expected(explorer.FLOORS), rtol=1e-5, atol=1e-6)
    miss = np.sqrt(np.mean((expected(result.floors) - result.seconds) ** 2))
    assert result.training[degree] == pytest.approx(miss, abs=1e-9)
    assert f"Degree {degree} on {points} drops: typical miss {miss:.2f} s on these" in explorer.says
    assert len(result.training) == len(result.held_out) == min(points, 16)
    assert (np.diff(result.training) < 1e-9).all(), "a higher degree cannot fit its own drops worse"


def test_held_out_drops_tell_a_high_degree_apart_and_noise_is_its_floor() -> None:
    result = PolynomialFitter(degree=14, points=16, noise=0.2).result
    assert result.training[14] < 0.1 and result.held_out[14] > 1
    assert result.training[15] < 1e-6 and result.held_out[15] > 2
    assert result.held_out[2] == pytest.approx(0.2, abs=0.04)
    assert (result.held_out[:7] < result.training[:7] + 0.05).all(), "close up to degree 6"
    silent = PolynomialFitter(noise=0.0).result
    assert (np.diff(silent.held_out) < 1e-3).all(), "without noise, every further degree helps"
    quiet = PolynomialFitter(degree=2, points=60, noise=0.0).result
    truth = np.abs(quiet.curve - fall_time(PolynomialFitter.FLOORS, data.TERMINAL_SPEED))[
        (PolynomialFitter.FLOORS > 1) & (PolynomialFitter.FLOORS < 29)
    ]
    assert quiet.held_out[2] < truth.max() < 0.5


def test_a_degree_that_the_drops_cannot_fix_is_one_sentence_and_the_picture_stays() -> None:
    explorer = polynomial()
    explorer.set(points=5)
    before = explorer.png
    explorer.inputs["degree"].value = 12
    assert "degree=12" in explorer.problem and "5" in explorer.problem and explorer.png == before
    explorer.inputs["points"].value = 20
    assert explorer.problem == "" and explorer.png != before
    assert "degree=15" in refuses(lambda: PolynomialFitter(degree=15, points=15))


def test_dropping_again_takes_other_drops_and_reset_the_first_ones() -> None:
    explorer = polynomial()
    first = explorer.result.seconds
    explorer.again()
    assert not np.allclose(explorer.result.seconds, first)
    explorer.reset()
    assert np.array_equal(explorer.result.seconds, first)
