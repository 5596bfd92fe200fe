"""How to make the lab for the sweep: few epochs, so that pressing Train takes a moment."""

from course_utils.explorers.overfitting import OverfittingLab

from .sweep import factory


@factory(OverfittingLab)
def lab() -> OverfittingLab:
    return OverfittingLab(epochs=20, width=8)
