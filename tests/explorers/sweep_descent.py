"""How to make the explorers of gradient descent for the sweep: where every control shows."""

from course_utils.explorers.descent import DescentExplorer, OptimiserRace

from .sweep import factory


@factory(DescentExplorer)
def descent() -> DescentExplorer:
    return DescentExplorer(optimiser="momentum")  # plain descent has no momentum to turn


@factory(OptimiserRace)
def race() -> OptimiserRace:
    return OptimiserRace(rates="one for all")  # tuned rates leave the learning-rate slider nothing to do
