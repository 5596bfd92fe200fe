"""How to make the explorers of fitting for the sweep: on the falling ball."""

from course_utils import data
from course_utils.explorers.fitting import LineFitter, PolynomialFitter

from .sweep import factory


@factory(LineFitter)
def line() -> LineFitter:
    tower = data.falling_ball()
    return LineFitter(tower.floor, tower.seconds, names=("floor", "seconds"))


@factory(PolynomialFitter)
def polynomial() -> PolynomialFitter:
    return PolynomialFitter()
