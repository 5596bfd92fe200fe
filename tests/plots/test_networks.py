"""Pictures of networks hold what they were given, on the scale that was asked for, with nothing cut off."""

import numpy as np

from course_utils.plots.networks import ShareBars, gallery
from course_utils.plots.picture import new_figure


def test_signed_images_have_their_own_scale_or_one_to_compare_them_by() -> None:
    faint, strong = np.array([[0.1, -0.1]]), np.array([[0.5, -2.0]])
    own = [axes.images[0].get_clim() for axes in gallery([faint, strong], ["faint", "strong"], signed=True).axes]
    assert own == [(-0.1, 0.1), (-2.0, 2.0)]
    shared = [axes.images[0] for axes in gallery([faint, strong], signed=True, largest=1.0).axes]
    assert [image.get_clim() for image in shared] == [(-1.0, 1.0)] * 2
    assert np.array_equal(shared[0].get_array(), faint) and np.array_equal(shared[1].get_array(), strong)


def test_images_of_ink_run_from_paper_to_ink_and_nothing_is_white() -> None:
    (ink,) = gallery([np.array([[0.0, 0.3]])]).axes[0].images
    assert ink.get_clim() == (0, 1)
    (empty,) = gallery([np.zeros((2, 2))], signed=True).axes[0].images
    assert empty.to_rgba(empty.get_array(), bytes=True).min() >= 254


def test_the_numbers_of_two_networks_that_agree_do_not_touch() -> None:
    figure = new_figure(8.4, 3.2)
    bars = ShareBars(figure.add_axes((0.71, 0.0875, 0.28, 0.83)), [str(digit) for digit in range(10)], ["one", "other"])
    for digit in range(10):
        shares = np.full((2, 10), 0.001)
        shares[:, digit] = 0.99, 0.999
        bars.update(shares)
        figure.canvas.draw()
        first, second = (word.get_window_extent() for word in bars.words)
        assert not first.overlaps(second), (digit, first, second)
