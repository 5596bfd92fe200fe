"""What lesson 04 says of two other learning rates."""

import pytest

from course_utils import assets
from course_utils.commands import notebooks

PAGE = assets.project_folder() / "notebooks" / "04_backpropagation.ipynb"
STEP = "0.1 * parameter.gradient"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate", "low", "high", "said"), [("0.02", 0.725, 0.735, "still 0.73"), ("0.6", 1e60, 1e75, "about $10^{67}$")]
)
def test_the_learners_own_learning_rate_ends_as_the_page_says(rate, low, high, said):
    cells = {cell.id: cell.source for cell in notebooks.read(PAGE).cells}
    assert said in cells["test-said"] and cells["training-loop"].count(STEP) == 1
    loop = cells["training-loop"].replace(STEP, STEP.replace("0.1", rate)).partition("assert ")[0]
    names = {}
    exec("import torch\nfrom course_utils import data\nfrom course_utils.autodiff import Network", names)
    exec(cells["threes-and-eights"], names)
    exec(loop, names)
    assert low < names["losses"][-1] < high
