"""How to make the explorers of writing for the sweep: the small real transformer of the sampling explorers."""

from course_utils.explorers.generation import ContinuationTree, StepSampler

from .sweep import factory
from .sweep_sampling import model, tokenizer


@factory(StepSampler)
def steps() -> StepSampler:
    return StepSampler(model(), tokenizer())


@factory(ContinuationTree)
def tree() -> ContinuationTree:
    return ContinuationTree(model(), tokenizer())
