"""A transformer of any size, counted: its parameters by what they are for, and the memory that they take."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from course_utils import scaling
from course_utils.models.config import TransformerConfig
from course_utils.wording import percent

# The published models that a count can begin with: the words for each, and the preset that has its settings.
PUBLISHED = {
    "SmolLM2 (2024)": "smollm2",
    "GPT-1 (2018)": "gpt1",
    "GPT-2 small (2019)": "gpt2",
    "GPT-2 XL (2019)": "gpt2-xl",
    "GPT-3 (2020)": "gpt3",
}
KINDS = {  # what the pictures call each of `scaling.KINDS`
    "token table": "table of tokens",
    "position table": "table of positions",
    "attention": "attention",
    "MLP": "small networks (MLP)",
    "norms": "normalisation",
    "output table": "table for the output",
}
PRECISIONS = {"float32": "4 bytes each", "bfloat16": "2 bytes each", "8 bits": "1 byte each", "4 bits": "half a byte"}


@dataclass(frozen=True)
class Counted:
    """The settings of a transformer and what they come to."""

    name: str  # of the published model whose design it has
    config: TransformerConfig

    @property
    def total(self) -> int:
        """All parameters."""
        return scaling.parameters(self.config)

    @property
    def kinds(self) -> dict[str, int]:
        """Parameters by what they are for, in the words of the pictures."""
        return {KINDS[kind]: number for kind, number in scaling.by_kind(self.config).items()}

    @property
    def most(self) -> str:
        """The kind that holds the most parameters."""
        return max(self.kinds, key=self.kinds.__getitem__)

    def share(self, kind: str) -> float:
        """Part of all parameters that are of one kind, from 0 to 1."""
        return self.kinds[kind] / self.total

    @property
    def bytes(self) -> dict[str, float]:
        """Memory by the words of each precision."""
        return {words: scaling.memory(self.total, precision) for precision, words in PRECISIONS.items()}

    def described(self) -> str:
        """Say the settings, the total, the largest share and the memory.

        >>> Counted("GPT-3", TransformerConfig.preset("gpt3")).described()[-62:]
        'most, 66 %, is in the small networks. At 2 bytes each, 349 GB.'
        """
        config, most = self.config, self.most.removesuffix(" (MLP)")
        within = {"small networks": "the small networks", "attention": "attention"}.get(most, f"the {most}")
        return (
            f"{self.name.partition(' (')[0]}: {config.layers} layers of width {config.width:,}, {config.heads} heads, "
            f"{config.vocabulary:,} tokens, context {config.context:,}: {self.total:,} parameters. "
            f"The most, {percent(self.share(self.most))}, "
            f"{'is' if self.most else 'are'} in {within}. At 2 bytes each, {size(self.bytes['2 bytes each'])}."
        )


def resized(name: str, layers: int, width: int, heads: int, vocabulary: int, context: int) -> Counted:
    """A published design in another size: the small network keeps its ratio to the width, and heads share as before.

    Args:
        name: one of `PUBLISHED`.
        layers: blocks.
        width: numbers in a token's vector.
        heads: of each block; must divide the width.
        vocabulary: rows of the table of tokens.
        context: the most tokens that it reads.

    Raises:
        ValueError: if the sizes do not fit together.

    >>> resized("GPT-2 small (2019)", 12, 768, 12, 50_257, 1024).total
    124439808
    """
    design = TransformerConfig.preset(PUBLISHED[name])
    fewest = max(1, heads * design.kv_heads // design.heads)
    shared = next(number for number in range(fewest, 0, -1) if heads % number == 0)  # heads that keys and values have
    config = dataclasses.replace(
        design,
        layers=layers,
        width=width,
        heads=heads,
        key_value_heads=shared,
        mlp_width=round(width * design.neurons / design.width),
        vocabulary=vocabulary,
        context=context,
    )
    return Counted(name, config)


def sizes(name: str) -> dict[str, int]:
    """The published sizes of a model, as `resized` takes them.

    >>> sizes("GPT-3 (2020)")
    {'layers': 96, 'width': 12288, 'heads': 96, 'vocabulary': 50257, 'context': 2048}
    """
    design = TransformerConfig.preset(PUBLISHED[name])
    return {size: getattr(design, size) for size in ("layers", "width", "heads", "vocabulary", "context")}


def size(bytes_: float) -> str:
    """So many bytes in words.

    >>> size(269_030_016), size(349_208_518_656), size(512), size(6.8e14)
    ('269 MB', '349 GB', '512 bytes', '680 TB')
    """
    if bytes_ < 1000:
        return f"{bytes_:.0f} bytes"
    power = min(5, int(math.log10(bytes_) / 3 + 1e-9))
    number = bytes_ / 1000**power
    return f"{number:.3g} {('bytes', 'kB', 'MB', 'GB', 'TB', 'PB')[power]}"
