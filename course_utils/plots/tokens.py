"""Pictures of tokens: characters per token by vocabulary, one sentence in two languages, kinds of tokens."""

from collections.abc import Mapping, Sequence

from course_utils.plots import picture
from course_utils.plots.static import Static
from course_utils.plots.style import BLUE, GREY, ORANGE

LOOKS = ((BLUE, "o"), (ORANGE, "s"), ("#1b9e77", "^"), ("#762a83", "D"))


def characters_per_token(sizes: Sequence[int], texts: Mapping[str, Sequence[float]]) -> Static:
    """How many characters one token holds, against the size of the vocabulary: one line for each text.

    Args:
        sizes: of the vocabulary.
        texts: by name of the text, one number for each size.

    >>> characters_per_token([256, 1000], {"a play": [1.0, 2.3]}).alt
    'Characters per token, by vocabulary. a play: 256: 1.00, 1,000: 2.30.'
    """
    figure = picture.new_figure(8.4, 3.4)
    axes = figure.add_axes((0.08, 0.16, 0.62, 0.79), xscale="log", xlabel="tokens in the vocabulary")
    axes.set_ylabel("characters per token")
    told = []
    for (name, values), (colour, marker) in zip(texts.items(), LOOKS, strict=False):
        axes.plot(sizes, values, color=colour, marker=marker, linewidth=2, label=name)
        numbers = ", ".join(f"{size:,}: {value:.2f}" for size, value in zip(sizes, values, strict=True))
        told.append(f"{name}: {numbers}")
    apart = [size for before, size in zip([1, *sizes], sizes, strict=False) if size > 1.25 * before]
    axes.set_xticks(apart, [f"{size:,}" for size in apart])  # labels of sizes that are nearly equal would overlap
    axes.minorticks_off()
    axes.set_ylim(0, 1.1 * max(max(values) for values in texts.values()))
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return Static(figure, f"Characters per token, by vocabulary. {'. '.join(told)}.")


def two_languages(english: Sequence[int], japanese: Sequence[int]) -> Static:
    """Tokens of the same sentences in English and in Japanese, a dot for each; on the line both need as many.

    Args:
        english: tokens of each sentence.
        japanese: of the same sentences, in the same order.

    >>> two_languages([5, 10], [10, 30]).alt
    '2 sentences. Above the line: 2 need more tokens in Japanese. In all 15 tokens in English, 40 in Japanese.'
    """
    figure = picture.new_figure(6.4, 3.8)
    most = max(*english, *japanese) + 3
    axes = figure.add_axes((0.11, 0.14, 0.86, 0.82), xlim=(0, max(english) + 3), ylim=(0, most))
    axes.set(xlabel="tokens in English", ylabel="tokens in Japanese")
    end = max(english) + 3
    axes.plot([0, end], [0, end], color=GREY, linewidth=1)
    axes.text(end * 0.98, end * 0.86, "as many", color=GREY, ha="right", va="top", fontsize=10)
    axes.plot(english, japanese, "o", color=BLUE, alpha=0.7, markersize=7)
    more = sum(there > here for here, there in zip(english, japanese, strict=True))
    return Static(
        figure,
        f"{len(english)} sentences. Above the line: {more} need more tokens in Japanese. "
        f"In all {sum(english):,} tokens in English, {sum(japanese):,} in Japanese.",
    )


def kinds(counts: Mapping[str, int]) -> Static:
    """How many tokens of a vocabulary are of each kind.

    >>> kinds({"words": 3, "pieces": 1}).alt
    'Of 4 tokens: words 3 (75.0 %); pieces 1 (25.0 %).'
    """
    whole = sum(counts.values())
    figure = picture.new_figure(8.4, 0.8 + 0.3 * len(counts))
    room = 0.5 / figure.get_figheight()
    axes = figure.add_axes((0.26, room, 0.71, 0.97 - room), xlim=(0, 1.25 * max(counts.values())))
    axes.set_ylim(len(counts) - 0.4, -0.6)
    axes.set_xlabel("tokens")
    said = [f"{count:,} ({count / whole:.1%})".replace("%", " %") for count in counts.values()]
    for at, (count, words) in enumerate(zip(counts.values(), said, strict=True)):
        axes.barh(at, count, 0.7, color=BLUE)
        axes.text(count + 0.01 * whole, at, words, va="center", fontsize=10)
    axes.set_yticks(range(len(counts)), list(counts), fontsize=10)
    axes.tick_params(axis="y", length=0)
    told = "; ".join(f"{kind} {words}" for kind, words in zip(counts, said, strict=True))
    return Static(figure, f"Of {whole:,} tokens: {told}.")
