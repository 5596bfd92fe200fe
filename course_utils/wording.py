"""Numbers and texts as a sentence says them: percentages, bits, signs that can be seen."""

import math

SIGNS = {" ": "␣", "\n": "↵", "\t": "⇥", "\r": "⏎", "\u00a0": "⍽"}  # what stands for a sign that cannot be seen


def percent(probability: float) -> str:
    """Return a probability as a reader wants it: two digits that matter, never a false 0 or 100.

    >>> [percent(p) for p in (0.714, 0.0714, 0.00714, 0.00000714, 0.0, 0.9999, 1.0)]
    ['71 %', '7.1 %', '0.71 %', '<0.01 %', '0 %', '>99.9 %', '100 %']
    """
    if probability == 0 or probability == 1:
        return f"{probability * 100:.0f} %"
    if probability < 0.0001:
        return "<0.01 %"
    if probability > 0.9994:
        return ">99.9 %"
    decimals = 1 if probability >= 0.995 else 0 if probability >= 0.0995 else 1 if probability >= 0.00995 else 2
    return f"{probability * 100:.{decimals}f} %"


def surprisal(probability: float) -> float:
    """Return the surprisal of an event in bits: 0 if it was certain, 1 if it was a coin's toss.

    >>> surprisal(0.25)
    2.0
    """
    return -math.log2(probability) if probability < 1 else 0.0


def bits(probability: float) -> str:
    """The surprisal of a probability in words."""
    return f"{surprisal(probability):.1f} bits" if probability > 0 else "countless bits"


def signed(number: float, decimals: int = 2) -> str:
    """A number as it stands in a formula, with a real minus sign and brackets if it is negative.

    >>> signed(0.5), signed(-1.25), signed(-0.001)
    ('0.50', '(−1.25)', '0.00')
    """
    text = f"{number:.{decimals}f}"
    return text.removeprefix("-") if float(text) >= 0 else f"(−{text[1:]})"


def plain(number: float, decimals: int = 2) -> str:
    """A number as it stands in a sentence: as `signed`, without brackets."""
    return signed(number, decimals).strip("()")


def visible(text: str, longest: int = 24) -> str:
    r"""Return a piece of text with its spaces and line breaks shown, cut in the middle beyond ``longest`` signs.

    >>> visible(" Paris\n")
    '␣Paris↵'
    >>> visible("a" * 100, longest=9)
    'aaaa…aaaa'
    """
    if len(text) > longest:
        half = (longest - 1) // 2
        text = text[: longest - 1 - half] + "…" + text[len(text) - half :]
    return "".join(SIGNS.get(sign, sign) for sign in text)


def tail(text: str, longest: int) -> str:
    r"""The end of a text in quotes, its line breaks shown.

    >>> print(tail("Once upon a time", 7))
    "…a time"
    """
    text = text if len(text) <= longest else f"…{text[1 - longest :]}"
    return f'"{text}"'.replace("\n", "↵")
