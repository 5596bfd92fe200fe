"""A table of words and numbers: HTML in a notebook, lines of text in a terminal."""

import html
from collections.abc import Sequence


class Table:
    """Rows under a heading; everything in it is shown as typed.

    Args:
        heading: a word for each column.
        rows: as many texts each.

    Raises:
        ValueError: if a row is longer or shorter than the heading.

    >>> Table(["model", "layers"], [["GPT-2", "12"]])
    model | layers
    GPT-2 | 12
    """

    def __init__(self, heading: Sequence[str], rows: Sequence[Sequence[str]]):
        for row in rows:
            if len(row) != len(heading):
                raise ValueError(f"the row {list(row)} has {len(row)} cells under a heading of {len(heading)}")
        self.heading, self.rows = list(heading), [list(row) for row in rows]

    def __repr__(self) -> str:
        return "\n".join(" | ".join(row) for row in (self.heading, *self.rows))

    def _repr_html_(self) -> str:
        style = 'style="text-align:left;vertical-align:top;padding:3px 12px 3px 0"'
        head = "".join(f'<th scope="col" {style}>{html.escape(cell)}</th>' for cell in self.heading)
        body = "".join(
            "<tr>" + "".join(f"<td {style}>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows
        )
        return f'<table style="font-size:95%"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
