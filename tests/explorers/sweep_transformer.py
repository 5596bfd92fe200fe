"""How to make the explorers of the transformer for the sweep: a table of positions drawn by chance."""

import torch

from course_utils.explorers.transformer import ParameterCounter, PositionExplorer

from .sweep import factory


@factory(ParameterCounter)
def counter() -> ParameterCounter:
    return ParameterCounter()


@factory(PositionExplorer)
def positions() -> PositionExplorer:
    return PositionExplorer(torch.randn(300, 16, generator=torch.Generator().manual_seed(0)))
