"""A training looked at again: copies of the model along the way, and what each of them writes, looks at and knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from numpy.typing import NDArray

from course_utils import interpret, sampling
from course_utils.models.transformer import Transformer
from course_utils.tokenizers import CharacterTokenizer

WRITTEN = 260  # characters in a sample
READ = 16  # last characters of the beginning, whose attention is shown
KINDS = {"vowels": "aeiou", "consonants": "bcdfghjklmnpqrstvwxyz", "capitals": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A copy of a model, made while it was trained."""

    step: int  # steps of training behind it
    model: Transformer
    bits: float  # held-out bits per character


@dataclass(frozen=True, eq=False)
class Scene:
    """One moment of a training: what the model writes, where it looks, and how its letters lie."""

    step: int
    bits: float
    given: str
    text: str
    read: str  # whose attention is shown
    weights: NDArray  # (characters, characters) of one head
    places: NDArray  # (letters, 2)
    alike: float  # share of letters whose nearest is of the same kind

    def described(self) -> str:
        """The step, the held-out bits, and the share of letters beside their like."""
        return (
            f"After {self.step:,} steps: {self.bits:.2f} bits a letter on unseen plays. The nearest letter is of the "
            f"same kind for {self.alike:.0%} of the letters."
        )


@dataclass(frozen=True, eq=False)
class Prepared:
    """One moment with its text and all its heads."""

    copy: Snapshot
    given: str
    text: str
    weights: NDArray  # (layers, heads, characters, characters) of the end of what was given


@dataclass(frozen=True, eq=False)
class Snapshots:
    """All copies of one training, the untrained model first.

    Raises:
        ValueError: there is no copy, or they are out of order.
    """

    tokenizer: CharacterTokenizer
    moments: tuple[Snapshot, ...]

    def __post_init__(self) -> None:
        steps = [moment.step for moment in self.moments]
        if not steps or steps != sorted(set(steps)):
            raise ValueError(f"The copies were made after steps {steps}: give at least one, in order.")

    def __len__(self) -> int:
        return len(self.moments)

    @property
    def curve(self) -> tuple[list[int], list[float]]:
        """The steps of all copies, and their held-out bits per character."""
        return [moment.step for moment in self.moments], [moment.bits for moment in self.moments]

    @cached_property
    def _directions(self) -> torch.Tensor:
        """The two directions ``(width, 2)`` in which the letters of the last copy spread most."""
        table = self._letters(self.moments[-1].model)
        return torch.linalg.svd(table - table.mean(0), full_matrices=False)[2][:2].T

    def _letters(self, model: Transformer) -> torch.Tensor:
        """The vectors of the letters, one row each, ``(letters, width)``."""
        return model.token_embedding.weight.detach().float()[self.tokenizer.encode("".join(self.kinds))]

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The letters that the text has, each with its kind."""
        known = set(self.tokenizer.tokens)
        return {letter: kind for kind, letters in KINDS.items() for letter in letters if letter in known}

    def places(self, moment: Snapshot) -> NDArray:
        """Where each letter's vector lies in the two directions, ``(letters, 2)``, in the order of `kinds`."""
        table = self._letters(moment.model)
        return ((table - table.mean(0)) @ self._directions).numpy()

    def alike(self, moment: Snapshot) -> float:
        """The share of letters whose nearest other letter, by cosine, is of the same kind."""
        table = torch.nn.functional.normalize(self._letters(moment.model))
        nearest = (table @ table.T).fill_diagonal_(-2.0).argmax(dim=1).tolist()
        kinds = list(self.kinds.values())
        return sum(kinds[at] == kinds[near] for at, near in enumerate(nearest)) / len(kinds)

    def written(self, moment: Snapshot, beginning: str, seed: int) -> str:
        """What a copy writes on, drawn at temperature 1."""
        room = moment.model.config.context - len(self.tokenizer.encode(beginning))
        if room < 1:
            raise ValueError(
                f"This model reads {moment.model.config.context} characters at once and the beginning has as many: "
                "shorten it."
            )
        return sampling.generate(
            moment.model, self.tokenizer, beginning, max_new_tokens=min(WRITTEN, room), stop_tokens=[], seed=seed
        )

    def scene(self, prepared: Prepared, layer: int, head: int) -> Scene:
        """That moment, seen by one head."""
        copy, weights = prepared.copy, prepared.weights[layer, head]
        read = prepared.given[-len(weights) :]
        return Scene(
            copy.step, copy.bits, prepared.given, prepared.text, read, weights, self.places(copy), self.alike(copy)
        )

    def weights(self, moment: Snapshot, text: str) -> NDArray:
        """Where each head of a copy looks while it reads, ``(layers, heads, characters, characters)``."""
        ids = torch.tensor([self.tokenizer.encode(text)])
        with torch.inference_mode(), interpret.capture(moment.model) as seen:
            moment.model(ids)
        return torch.stack([seen.attention[layer][0] for layer in range(moment.model.config.layers)]).float().numpy()


def lines(text: str, width: int, most: int) -> Sequence[str]:
    r"""A text in lines of at most ``width`` signs, at most so many of them; long lines go on in the next.

    >>> lines("ROMEO:\nbut soft, what light", 10, 3)
    ['ROMEO:', 'but soft, ', 'what light']
    """
    found: list[str] = []
    for line in text.split("\n"):
        while len(line) > width:
            cut = line.rfind(" ", 0, width) + 1 or width
            found.append(line[:cut])
            line = line[cut:]
        found.append(line)
    return found[:most]
