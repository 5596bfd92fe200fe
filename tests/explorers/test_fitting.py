"""LineFitter and PolynomialFitter: their numbers against numpy and scipy, and their answers to odd input."""

import importlib.util
import inspect

import numpy as np
import pytest
from scipy.optimize import minimize

from course_utils import assets, data
from course_utils.experiments import tower
from course_utils.experiments.fitting import FLOORS, KINDS
from course_utils.experiments.tower import fall_time
from course_utils.explorers.fitting import LineFitter, LossChooser, PolynomialFitter

from .sweep import refuses
from .sweep_fitting import chooser, line, polynomial

FLOOR, SECONDS = tower.drops("measured")


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
    explorer = chooser()
    explorer.set(slope=slope, intercept=intercept, loss=kind)
    expected = losses(slope, intercept)[kind]
    assert explorer.result.loss == pytest.approx(expected, rel=1e-9)
    assert f"loss {expected:.4g}, the mean of 45 {KINDS[kind]}." in explorer.says
    assert np.allclose(explorer.result.residuals, SECONDS - slope * FLOOR - intercept)
    drawn = explorer.panels["line"].lines["residuals"].get_xydata().reshape(45, 3, 2)
    assert np.allclose(drawn[:, 1, 1] - drawn[:, 0, 1], explorer.result.residuals)
    assert np.isnan(drawn[:, 2]).any(axis=1).all(), "a gap after each stroke"
    assert explorer.panels["charges"].lines["mean"].get_ydata()[0] == explorer.result.loss


@pytest.mark.parametrize("kind", ["squared", "absolute", "huber"])
@pytest.mark.parametrize(("intercept", "beyond"), [(3.5, 6), (8.0, 45)])
def test_residuals_beyond_the_picture_are_hollow_at_its_edge(kind: str, intercept: float, beyond: int) -> None:
    explorer = chooser()
    explorer.set(slope=0.0, intercept=intercept, loss=kind)
    panel = explorer.panels["charges"]
    edge = panel.axes.get_xlim()[1]
    assert (np.abs(SECONDS - intercept) > edge).sum() == beyond
    assert f"drawn hollow at its edge: {beyond}." in explorer.says
    hollow, filled = panel.lines["beyond"], panel.lines["inside"]
    assert np.allclose(np.abs(hollow.get_xdata()), edge) and len(hollow.get_xdata()) == beyond
    assert hollow.get_markerfacecolor() == "white" != filled.get_markerfacecolor()
    inside = np.abs(SECONDS - intercept) <= edge
    assert np.allclose(filled.get_xdata(), (SECONDS - intercept)[inside])
    explorer.best()
    assert "hollow" not in explorer.says and len(panel.lines["beyond"].get_xdata()) == 0
    assert len(panel.lines["inside"].get_xdata()) == 45


def test_the_computer_finds_the_line_of_numpy_and_scipy() -> None:
    explorer = line()
    explorer.best()
    assert (explorer.slope, explorer.intercept) == pytest.approx(np.polyfit(FLOOR, SECONDS, 1), rel=5e-4)
    explorer = chooser()
    for kind in ("absolute", "huber"):
        explorer.set(loss=kind)
        explorer.best()
        found = minimize(lambda knobs, kind=kind: losses(*knobs)[kind], (0.15, 1.2), method="Nelder-Mead", tol=1e-10)
        assert explorer.result.loss == pytest.approx(found.fun, rel=1e-3)


def test_the_pinned_line_is_the_one_to_beat_by_the_same_loss() -> None:
    explorer = chooser()
    explorer.set(slope=0.1, intercept=2.0)
    explorer.pin()
    assert "not beaten" in explorer.says
    explorer.set(loss="absolute", slope=0.15, intercept=1.2)
    assert explorer.result.pinned_loss == pytest.approx(losses(0.1, 2.0)["absolute"])
    assert f"The pinned line has {losses(0.1, 2.0)['absolute']:.4g}: beaten" in explorer.says
    ghost = explorer.panels["line"].ghosts["line"].get_xydata()
    assert np.allclose(ghost[:, 1], 0.1 * ghost[:, 0] + 2.0)


def test_sliders_reach_the_best_line_of_any_data() -> None:
    generator = np.random.default_rng(0)
    for scale in (1e-6, 1.0, 1e9):
        x, y = generator.normal(size=(2, 30)) * scale
        explorer = LineFitter(x, y)
        explorer.best()
        assert explorer.problem == ""
        assert explorer.slope == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-3)


def test_a_tour_ends_at_the_best_lines() -> None:
    best = {kind: min(losses(*at)[kind] for at in NEAR) for kind in ("squared", "absolute", "huber")}
    explorer = line()
    explorer.visit(1)
    assert "above 45 of 45 dots" in explorer.tour_bar.sentence.value
    explorer.visit(len(explorer.tour) - 1)
    assert explorer.result.loss <= best["squared"] * 1.0005
    explorer = chooser()
    shares = []
    for stop, kind in enumerate(["squared", "huber", "absolute", "absolute", "huber"]):
        explorer.visit(stop)
        assert explorer.result.loss_name == kind
        shares.append(explorer.result.share_of_largest(4))
        assert stop not in (0, 3, 4) or explorer.result.loss <= best[kind] * 1.0005
        if stop < 3:
            assert f"make up {shares[-1]:.0%} of it" in explorer.tour_bar.sentence.value
    late = SECONDS - fall_time(FLOOR, data.TERMINAL_SPEED) > 0.4
    assert set(np.argsort(np.abs(explorer.result.residuals))[-4:]) == set(np.flatnonzero(late)), (
        "these are the late ones"
    )
    assert f"{shares[0]:.0%} {shares[2]:.0%}" == "72% 43%"


NEAR = [(slope, intercept) for slope in np.arange(0.15, 0.16, 0.0005) for intercept in np.arange(1.1, 1.2, 0.005)]


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


def test_a_bad_value_is_one_sentence() -> None:
    explorer = line()
    with pytest.raises(ValueError, match="outside"):
        explorer.set(slope=float("nan"))
    assert explorer.slope == 0.0
    assert "must be one of" in refuses(lambda: LossChooser(FLOOR, SECONDS, loss="cubed"))


@pytest.mark.parametrize("kind", [LineFitter, LossChooser])
def test_the_copied_line_makes_the_same_picture_with_the_names_of_the_lesson(kind: type) -> None:
    explorer = kind(FLOOR, SECONDS, slope=0.1, intercept=2.0)
    explorer.best()
    copied = eval(explorer.as_python(), {kind.__name__: kind, "floor": FLOOR, "seconds": SECONDS})
    assert copied.png == explorer.png and copied.says == explorer.says


def test_a_copied_polynomial_makes_the_same_picture_from_another_series_too() -> None:
    explorer = PolynomialFitter(degree=4, series=3, noise=0.35)
    copied = eval(explorer.as_python(), {"PolynomialFitter": PolynomialFitter})
    assert copied.png == explorer.png and "series=3" in explorer.as_python()


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
    assert late.sum() == 4, "the lesson speaks of four late drops"


def test_the_law_does_not_give_the_speed_away_that_the_lesson_fits() -> None:
    assert "21" not in inspect.getsource(fall_time)
    assert inspect.signature(fall_time).parameters["terminal_speed"].default is inspect.Parameter.empty


@pytest.mark.parametrize(("degree", "points", "noise"), [(0, 2, 0.3), (1, 16, 0.2), (4, 9, 0.0), (9, 40, 1.0)])
def test_polynomials_and_their_errors_are_numpys(degree: int, points: int, noise: float) -> None:
    explorer = PolynomialFitter(degree=degree, points=points, noise=noise)
    result = explorer.result
    expected = np.polynomial.Polynomial.fit(result.floors, result.seconds, degree)
    assert np.allclose(result.curve, expected(FLOORS), rtol=1e-5, atol=1e-6)
    rmse = np.sqrt(np.mean((expected(result.floors) - result.seconds) ** 2))
    assert result.training[degree] == pytest.approx(rmse, abs=1e-9)
    assert f"Degree {degree} on {points} drops: RMSE {rmse:.2f} s on these" in explorer.says
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
    truth = np.abs(quiet.curve - fall_time(FLOORS, data.TERMINAL_SPEED))[(FLOORS > 1) & (FLOORS < 29)]
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


def test_each_series_has_other_drops() -> None:
    explorer = polynomial()
    first = explorer.result.seconds
    explorer.set(series=2)
    assert not np.allclose(explorer.result.seconds, first)
    explorer.reset()
    assert np.array_equal(explorer.result.seconds, first)
