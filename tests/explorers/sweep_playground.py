"""How to make the playground for the sweep: with own points, so that the field where they are typed matters."""

from course_utils.experiments.playground import OWN
from course_utils.explorers.playground import NetworkPlayground

from .sweep import factory


@factory(NetworkPlayground)
def playground() -> NetworkPlayground:
    return NetworkPlayground(data=OWN)
