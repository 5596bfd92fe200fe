"""How to make the explorer of graphs for the sweep: an expression that names every input."""

from course_utils.explorers.graph import GraphExplorer

from .sweep import factory


@factory(GraphExplorer)
def graph() -> GraphExplorer:
    return GraphExplorer(expression="tanh(a*x + b*y + c) - 2*d*z")
