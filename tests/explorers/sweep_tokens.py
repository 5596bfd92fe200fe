"""How to make the explorers of tokens for the sweep."""

from course_utils.explorers.tokens import MergeStepper, TokenExplorer

from .sweep import factory


@factory(TokenExplorer)
def tokens() -> TokenExplorer:
    return TokenExplorer()


@factory(MergeStepper)
def merges() -> MergeStepper:
    return MergeStepper()
