"""How to make the explorers of fitting for the sweep: on the falling ball."""

from course_utils.experiments import tower
from course_utils.explorers.fitting import LineFitter, LossChooser, PolynomialFitter

from .sweep import factory


@factory(LineFitter)
def line() -> LineFitter:
    return LineFitter(*tower.drops("measured"))


@factory(LossChooser)
def chooser() -> LossChooser:
    return LossChooser(*tower.drops("measured"))


@factory(PolynomialFitter)
def polynomial() -> PolynomialFitter:
    return PolynomialFitter()
