"""A training looked at again: copies of the model along the way, and what each of them writes, looks at and knows."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import torch
from numpy.typing import NDArray

from course_utils import interpret, sampling
from course_utils.experiments.pretraining import Snapshot, held_out_bits
from course_utils.models.transformer import Transformer
from course_utils.tokenizers.words import TableTokenizer
from course_utils.training import History, Trainer

WRITTEN = 220  # characters in a sample
CHECKED = 20_000  # letters of unseen plays on which a copy is judged
READ = 16  # last characters of the beginning, whose attention is shown
KINDS = {"vowels": "aeiou", "consonants": "bcdfghjklmnpqrstvwxyz", "capitals": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


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

    moment: Snapshot
    given: str
    text: str
    weights: NDArray  # (layers, heads, characters, characters) of the end of what was given


@dataclass(frozen=True, eq=False)
class Snapshots:
    """All copies of one training of letters, the untrained model first.

    Raises:
        ValueError: there is no copy, or they are out of order.
    """

    moments: Sequence[Snapshot]
    name: str = "run"  # of the variable that holds them on the page, for the line that makes a picture again

    def __post_init__(self) -> None:
        steps = [moment.step for moment in self.moments]
        if not steps or steps != sorted(set(steps)):
            raise ValueError(f"The copies were made after steps {steps}: give at least one, in order.")

    def __len__(self) -> int:
        return len(self.moments)

    @property
    def tokenizer(self) -> TableTokenizer:
        """Of all copies."""
        return self.moments[-1].tokenizer

    @property
    def curve(self) -> tuple[list[int], list[float]]:
        """The steps of all copies, and their held-out bits per character."""
        return [moment.step for moment in self.moments], [moment.validation_bits for moment in self.moments]

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

    def scene(self, prepared: Prepared, layer: int, head: int) -> Scene:
        """That moment, seen by one head."""
        moment, weights = prepared.moment, prepared.weights[layer, head]
        read = prepared.given[-len(weights) :]
        return Scene(
            moment.step,
            moment.validation_bits,
            prepared.given,
            prepared.text,
            read,
            weights,
            self.places(moment),
            self.alike(moment),
        )

    def weights(self, moment: Snapshot, text: str) -> NDArray:
        """Where each head of a copy looks while it reads, ``(layers, heads, characters, characters)``."""
        ids = torch.tensor([self.tokenizer.encode(text)])
        with torch.inference_mode(), interpret.capture(moment.model) as seen:
            moment.model(ids)
        return torch.stack([seen.attention[layer][0] for layer in range(moment.model.config.layers)]).float().numpy()


def write_on(model: Transformer, tokenizer: TableTokenizer, beginning: str, letters: int, seed: int = 0) -> str:
    """So many letters written after a beginning, at temperature 0.8; the text may be longer than the model's context.

    Whenever the context is full, the model goes on from the last half of it.

    Args:
        model: of letters.
        tokenizer: of the model.
        beginning: at least one letter.
        letters: to write.
        seed: of the draws.
    """
    half, text = model.config.context // 2, beginning
    while (left := letters - (len(text) - len(beginning))) > 0:
        text += sampling.generate(
            model, tokenizer, text[-half:], max_new_tokens=min(half, left), stop_tokens=[], seed=seed + len(text)
        )
    return text[len(beginning) :]


class Copies:
    """A callback for ``training.fit`` that copies the model now and then: close together at first, later far apart.

    Args:
        trainer: whose model is copied.
        tokenizer: of the model.

    Attributes:
        moments: the copies so far, the first of the model as it is now.
    """

    SHARES = (0.03, 0.1, 0.3, 0.6, 1.0)  # of the run's steps, after which a copy is made

    def __init__(self, trainer: Trainer, tokenizer: TableTokenizer):
        self.trainer, self.tokenizer = trainer, tokenizer
        self.moments: list[Snapshot] = []
        self._copy()

    def __call__(self, step: int, history: History) -> None:
        """Copy the model, if it is time to."""
        if step + 1 in {max(1, round(share * self.trainer.steps)) for share in self.SHARES}:
            self._copy()

    def _copy(self) -> None:
        model = copy.deepcopy(cast(Transformer, self.trainer.model)).eval()
        bits = held_out_bits(model, "validation", CHECKED)
        self.moments.append(Snapshot(self.trainer.step, model, self.tokenizer, bits, {}))


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
