"""How to make the explorer of one neuron for the sweep."""

from course_utils.explorers.neurons import NeuronExplorer

from .sweep import factory


@factory(NeuronExplorer)
def neuron() -> NeuronExplorer:
    return NeuronExplorer()
