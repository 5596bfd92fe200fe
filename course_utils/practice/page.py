"""Words on a page: plain text to safe HTML, numbers to words."""

import html
import re

NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def markup(text: str) -> str:
    """Escape a text, then let `code`, **bold** and blank lines through as HTML.

    >>> markup("`a < b` is **not** <script>")
    '<code>a &lt; b</code> is <b>not</b> &lt;script&gt;'
    """
    safe = html.escape(text, quote=True)
    safe = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", safe)
    safe = re.sub(r"\*\*([^*\n]+)\*\*", r"<b>\1</b>", safe)
    return safe.replace("\n\n", "<br><br>")


def counted(number: int, noun: str) -> str:
    """A number and its noun in words.

    >>> counted(2, "answer"), counted(1, "answer"), counted(12, "number")
    ('two answers', 'one answer', '12 numbers')
    """
    word = NUMBER_WORDS[number] if number < len(NUMBER_WORDS) else str(number)
    return f"{word} {noun}" if number == 1 else f"{word} {noun}s"


def dots(level: int) -> str:
    """Five dots, the first ``level`` of them filled.

    >>> dots(2)
    '●●○○○'
    """
    return "●" * level + "○" * (5 - level)
