"""Recurrent networks: read one token after another, and carry what matters along in a state.

The plain recurrent network (Elman 1990) makes its new state from the new input and the old state. The long short-term
memory (Hochreiter & Schmidhuber 1997; with the forget gate of Gers et al. 2000) keeps a second state, the *cell*, which
is not rewritten at each step but only scaled and added to. So a gradient can travel back along it without vanishing.

The file reads from the idea to its use: `rnn_step` and `lstm_step` are the two formulas, `Recurrent` runs one of them
along a text, `RecurrentLanguageModel` puts a table of tokens before it and a score for each next token behind.

>>> model = RecurrentLanguageModel(RecurrentConfig(vocabulary=80, width=32))
>>> model(torch.tensor([[5, 2, 7]])).shape
torch.Size([1, 3, 80])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from course_utils.models.decoding import Texts

Cell = Literal["rnn", "lstm"]
State = tuple[Tensor, ...]  # rnn: hidden; lstm: hidden and cell; each (batch, width)


def rnn_step(projected: Tensor, state: State, recurrent_weight: Tensor) -> State:
    """One step of the plain network: ``hidden = tanh(W x + b + U hidden)``.

    Args:
        projected: ``W x + b`` of the new input, ``(batch, width)``.
        state: the old hidden state, ``(batch, width)``.
        recurrent_weight: U, ``(width, width)``.

    Returns:
        the new hidden state.

    >>> (hidden,) = rnn_step(torch.zeros(1, 2), (torch.ones(1, 2),), torch.eye(2))
    >>> hidden
    tensor([[0.7616, 0.7616]])
    """
    (hidden,) = state
    return (torch.tanh(projected + hidden @ recurrent_weight.T),)  # (batch, width)


def lstm_step(projected: Tensor, state: State, recurrent_weight: Tensor) -> State:
    """One step of the long short-term memory: three gates between 0 and 1 decide what is written, kept and shown.

    Args:
        projected: ``W x + b`` of the new input for write gate, keep gate, candidate and show gate, side by side:
            ``(batch, 4 * width)``. (The literature calls the gates input, forget and output gate.)
        state: the old hidden state and the old cell, ``(batch, width)`` each.
        recurrent_weight: U, ``(4 * width, width)``.

    Returns:
        the new hidden state and the new cell.

    >>> keep_all = torch.tensor([[-50.0, 50.0, 0.0, 50.0]])  # width 1: write nothing, keep all, show all
    >>> hidden, cell = lstm_step(keep_all, (torch.zeros(1, 1), torch.full((1, 1), 0.5)), torch.zeros(4, 1))
    >>> cell.item(), round(hidden.item(), 4)
    (0.5, 0.4621)
    """
    hidden, cell = state
    gates = projected + hidden @ recurrent_weight.T  # (batch, 4 * width)
    write, keep, candidate, show = gates.chunk(4, dim=-1)  # (batch, width) each
    cell = keep.sigmoid() * cell + write.sigmoid() * candidate.tanh()
    return show.sigmoid() * cell.tanh(), cell


STEPS = {"rnn": rnn_step, "lstm": lstm_step}
PARTS = {"rnn": 1, "lstm": 4}  # rows of the weights for each number of the state: candidate; three gates and candidate


class Recurrent(nn.Module):
    """One recurrent layer, run along a text.

    The weights have the layout of ``torch.nn.RNN`` and ``torch.nn.LSTM`` and start as theirs do, uniform within
    ``1 / sqrt(width)``; torch's second bias is left out, as it only adds to the first.

    Args:
        inputs: numbers in the vector of one token.
        width: numbers in the state.
        cell: ``"rnn"`` or ``"lstm"``.
        generator: draws the first weights.
        keep_bias: added to the LSTM's keep gate at the start; 1 or 2 helps it to remember (Jozefowicz et al. 2015).

    >>> layer = Recurrent(3, 5, "lstm", torch.Generator().manual_seed(0))
    >>> outputs, state = layer(torch.zeros(2, 7, 3))
    >>> outputs.shape, [tuple(part.shape) for part in state]
    (torch.Size([2, 7, 5]), [(2, 5), (2, 5)])
    """

    def __init__(self, inputs: int, width: int, cell: Cell, generator: torch.Generator, keep_bias: float = 0.0):
        super().__init__()
        self.width, self.cell = width, cell
        rows, bound = PARTS[cell] * width, width**-0.5
        self.input_weight = nn.Parameter(torch.empty(rows, inputs).uniform_(-bound, bound, generator=generator))
        self.recurrent_weight = nn.Parameter(torch.empty(rows, width).uniform_(-bound, bound, generator=generator))
        self.bias = nn.Parameter(torch.empty(rows).uniform_(-bound, bound, generator=generator))
        if cell == "lstm":
            self.bias.data[width : 2 * width] += keep_bias

    def new_state(self, batch: int) -> State:
        """The state before the first token: zeros."""
        return tuple(self.bias.new_zeros(batch, self.width) for _ in range(2 if self.cell == "lstm" else 1))

    def forward(self, inputs: Tensor, state: State | None = None, mask: Tensor | None = None) -> tuple[Tensor, State]:
        """Read vectors one after another.

        Args:
            inputs: ``(batch, tokens, inputs)``.
            state: what reading the tokens before left; by default nothing was read.
            mask: ``(batch, tokens)`` bool, False for padding, which leaves the state as it is; None: there is none.

        Returns:
            the hidden state after each token, ``(batch, tokens, width)``, and the state at the end.
        """
        state = self.new_state(len(inputs)) if state is None else state
        step = STEPS[self.cell]
        projected = inputs @ self.input_weight.T + self.bias  # for all tokens at once: (batch, tokens, rows)
        outputs = []
        for place, token in enumerate(projected.unbind(dim=1)):  # this loop is what cannot run in parallel
            new = step(token, state, self.recurrent_weight)
            if mask is not None:
                real = mask[:, place, None]  # (batch, 1)
                new = tuple(torch.where(real, part, old) for part, old in zip(new, state, strict=True))
            state = new
            outputs.append(state[0])
        return torch.stack(outputs, dim=1), state


@dataclass(frozen=True)
class RecurrentConfig:
    """Settings of a `RecurrentLanguageModel`.

    Raises:
        ValueError: if a size or the cell is not possible.
    """

    vocabulary: int = 256
    width: int = 128  # numbers in a token's vector, and in the state
    layers: int = 1  # one above the other
    cell: Cell = "lstm"
    keep_bias: float = 1.0  # see `Recurrent`

    def __post_init__(self) -> None:
        for name in ("vocabulary", "width", "layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if self.cell not in STEPS:
            raise ValueError(f"cell={self.cell!r} is unknown; choose one of {', '.join(STEPS)}")


class RecurrentLanguageModel(nn.Module):
    """Scores every next token after each token of a text, with a recurrent network between.

    Args:
        config: its settings.
        seed: of the random starting weights; torch's own random state stays as it was.
    """

    context = None  # it can read texts of any length

    def __init__(self, config: RecurrentConfig, seed: int = 0):
        super().__init__()
        self.config = config
        generator = torch.Generator().manual_seed(seed)
        table = torch.empty(config.vocabulary, config.width).normal_(std=config.width**-0.5, generator=generator)
        self.tokens = nn.Embedding.from_pretrained(table, freeze=False)
        self.layers = nn.ModuleList(
            Recurrent(config.width, config.width, config.cell, generator, config.keep_bias)
            for _ in range(config.layers)
        )
        self.output = nn.utils.skip_init(nn.Linear, config.width, config.vocabulary)
        nn.init.uniform_(self.output.weight, -(config.width**-0.5), config.width**-0.5, generator=generator)
        nn.init.zeros_(self.output.bias)

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids ``(batch, tokens)`` -> logits ``(batch, tokens, vocabulary)``."""
        logits, _ = self.read(ids)
        return logits

    def read(
        self, ids: Tensor, states: list[State] | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, list[State]]:
        """The same for a text that goes on.

        Args:
            ids: ``(batch, tokens)``.
            states: of each layer, as the tokens before left them; None: the text begins here.
            mask: see `Recurrent.forward`.

        Returns:
            logits ``(batch, tokens, vocabulary)``, and the states after these tokens.
        """
        stream = self.tokens(ids)  # (batch, tokens, width)
        after = []
        for number, layer in enumerate(self.layers):
            stream, state = layer(stream, states and states[number], mask)
            after.append(state)
        return self.output(stream), after

    # ---- what `sampling` asks of a language model: see `course_utils.models.decoding.LanguageModel`

    def start(self, batch: int, length: int) -> TextsAndStates:
        """The state of ``batch`` texts that have not begun."""
        return TextsAndStates(batch)

    def next_logits(self, ids: Tensor, state: TextsAndStates, mask: Tensor | None = None) -> Tensor:
        """Read new tokens ``(batch, new tokens)`` into the state; scores ``(batch, vocabulary)`` of what follows."""
        state.read(ids, mask)
        if state.states is None:  # nothing was read yet, or what came of it is no longer known
            ids, mask = state.ids, state.mask
        logits, state.states = self.read(ids, state.states, mask)
        return logits[:, -1]


class TextsAndStates(Texts):
    """What a `RecurrentLanguageModel` carries along while it writes: each layer's state.

    The texts are kept too. A state cannot be rolled back, so after `truncate` the text is read again.
    """

    def __init__(self, batch: int):
        super().__init__(batch)
        self.states: list[State] | None = None

    def repeat(self, times: int) -> None:
        """See `course_utils.models.decoding.State`."""
        super().repeat(times)
        if self.states is not None:
            self.states = [tuple(part.repeat_interleave(times, dim=0) for part in state) for state in self.states]

    def truncate(self, length: int) -> None:
        """See `course_utils.models.decoding.State`."""
        if length < self.ids.size(1):
            self.states = None
        super().truncate(length)
