"""Pictures of writing: what a token costs as the text grows."""

from collections.abc import Sequence

from course_utils.plots import picture
from course_utils.plots.static import Static
from course_utils.plots.style import BLUE, ORANGE


def reading_times(lengths: Sequence[int], remembered: Sequence[float], anew: Sequence[float]) -> Static:
    """Seconds for one more token against the length of the text, with and without the key-value cache.

    Args:
        lengths: tokens of the text so far.
        remembered: seconds with the cache, one per length.
        anew: seconds without it.

    >>> reading_times([10, 100], [0.02, 0.02], [0.03, 0.2]).alt
    'For one more token after 10 tokens: 20 ms with the cache, 30 without; after 100: 20 with, 200 without, 10.0 times.'
    """
    figure = picture.new_figure(8.4, 3.6)
    axes = figure.add_axes((0.09, 0.15, 0.6, 0.78), xlim=(0, 1.05 * max(lengths)))
    axes.set(xlabel="tokens of the text so far", ylabel="milliseconds for one more")
    for seconds, colour, marker, words in (
        (anew, BLUE, "o", "without the cache:\nthe whole text is read"),
        (remembered, ORANGE, "s", "with the cache:\none token is read"),
    ):
        axes.plot(lengths, [1000 * second for second in seconds], marker=marker, color=colour, linewidth=2)
        axes.annotate(
            words, (lengths[-1], 1000 * seconds[-1]), (14, 0), textcoords="offset points", va="center", color=colour
        )
    axes.set_ylim(0, 1100 * max(*anew, *remembered))
    first, last = (f"{1000 * remembered[end]:.0f}" for end in (0, -1))
    return Static(
        figure,
        f"For one more token after {lengths[0]} tokens: {first} ms with the cache, {1000 * anew[0]:.0f} without; "
        f"after {lengths[-1]}: {last} with, {1000 * anew[-1]:.0f} without, {anew[-1] / remembered[-1]:.1f} times.",
    )
