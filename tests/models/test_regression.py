"""Fits equal to numpy's, scipy's and scikit-learn's."""

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares as scipy_least_squares
from scipy.optimize import linprog

from course_utils.models import regression


def example(seed: int, examples: int = 40, weights: int = 4) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(examples, weights))
    targets = features @ generator.normal(size=weights) + generator.standard_t(1.5, size=examples)  # far-off examples
    return features, targets


@pytest.mark.parametrize("seed", range(20))
def test_least_squares_equals_numpy(seed: int):
    features, targets = example(seed)
    expected = np.linalg.lstsq(features, targets, rcond=None)[0]
    np.testing.assert_allclose(regression.least_squares(features, targets), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("degree", [0, 1, 3, 8, 15])
def test_polynomial_equals_numpy(degree: int):
    generator = np.random.default_rng(degree)
    inputs = generator.uniform(-40, 120, size=60)
    targets = np.sin(inputs / 20) + generator.normal(0, 0.1, size=60)
    ours = regression.fit_polynomial(inputs, targets, degree)
    expected = np.polynomial.Polynomial.fit(inputs, targets, degree)
    where = np.linspace(inputs.min(), inputs.max(), 200)
    np.testing.assert_allclose(ours(where), expected(where), atol=1e-7)


@pytest.mark.parametrize("delta", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("seed", range(5))
def test_huber_fit_equals_scipy(seed: int, delta: float):
    features, targets = example(seed)
    expected = scipy_least_squares(
        lambda weights: features @ weights - targets, np.zeros(4), loss="huber", f_scale=delta, xtol=1e-12, ftol=1e-12
    ).x
    ours = regression.fit_weights(features, targets, "huber", delta)
    np.testing.assert_allclose(ours, expected, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_absolute_fit_equals_linear_programming(seed: int):
    features, targets = example(seed)
    examples, weights = features.shape
    # minimise the sum of bounds b with -b <= features @ w - targets <= b
    bound = np.eye(examples)
    solved = linprog(
        np.r_[np.zeros(weights), np.ones(examples)],
        A_ub=np.block([[features, -bound], [-features, -bound]]),
        b_ub=np.r_[targets, -targets],
        bounds=[(None, None)] * weights + [(0, None)] * examples,
    )
    ours = regression.fit_weights(features, targets, "absolute")
    assert regression.absolute_error(features @ ours, targets) == pytest.approx(solved.fun / examples, rel=1e-5)


def test_losses_equal_torch_on_tensors_and_arrays():
    predictions, targets = torch.randn(2, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    pairs = [
        (regression.squared_error, torch.nn.functional.mse_loss),
        (regression.absolute_error, torch.nn.functional.l1_loss),
        (regression.huber_error, torch.nn.functional.huber_loss),
    ]
    for ours, reference in pairs:
        expected = reference(predictions, targets).item()
        assert ours(predictions, targets).item() == pytest.approx(expected, rel=1e-12)
        assert float(ours(predictions.numpy(), targets.numpy())) == pytest.approx(expected, rel=1e-12)


def test_bad_values_get_a_sentence():
    with pytest.raises(ValueError, match="degree=5 needs more different inputs than the 3"):
        regression.fit_polynomial([1, 2, 3, 3, 3, 3, 3], np.ones(7), degree=5)
    with pytest.raises(ValueError, match="degree=-1"):
        regression.fit_polynomial([1, 2], [1, 2], degree=-1)
    with pytest.raises(ValueError, match="fix only 1 of 2 weights"):
        regression.least_squares([[1, 2], [2, 4], [3, 6]], [1, 2, 3])
    with pytest.raises(ValueError, match="missing or infinite"):
        regression.least_squares([[1.0], [np.nan]], [1, 2])
    with pytest.raises(ValueError, match="do not belong together"):
        regression.least_squares([1, 2, 3], [1, 2, 3])
    with pytest.raises(ValueError, match="loss='cubic'"):
        regression.fit_weights([[1.0], [1.0]], [1, 2], "cubic")
    with pytest.raises(ValueError, match="delta=0"):
        regression.fit_weights([[1.0], [1.0]], [1, 2], "huber", 0)
