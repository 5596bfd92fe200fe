"""The GPT of single numbers is the course's transformer."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from course_utils.experiments.scalar_gpt import Matrix, ScalarGPT, train
from course_utils.models.transformer import Transformer, TransformerConfig

WORDS = ["the", "and", "thou", "that", "heart", "head"]
LETTERS = "".join(sorted(set("".join(WORDS))))


def in_torch(model: ScalarGPT) -> Transformer:
    """The same model, its weights copied, its gains left at 1."""
    config = TransformerConfig(
        vocabulary=len(model.tokens), context=model.context, width=model.width, layers=1, heads=model.heads,
        norm="rms", activation="relu_squared", bias=False,
    )  # fmt: skip
    copy = Transformer(config).double()

    def table(matrix: Matrix) -> torch.Tensor:
        return torch.tensor([[number.data for number in row] for row in matrix], dtype=torch.float64)

    block = copy.blocks[0]
    copied = {
        copy.token_embedding.weight: table(model.letter_table),
        copy.position_embedding.weight: table(model.position_table),
        block.attention.query_key_value.weight: torch.cat([table(m) for m in (model.query, model.key, model.value)]),
        block.attention.output.weight: table(model.output),
        block.mlp.up.weight: table(model.up),
        block.mlp.down.weight: table(model.down),
    }
    with torch.no_grad():
        for weight in copy.parameters():
            if weight in copied:
                weight.copy_(copied[weight])
            else:
                weight.requires_grad_(False)  # a norm's gains
    return copy


def loss_in_torch(copy: Transformer, ids: list[int]) -> torch.Tensor:
    return cross_entropy(copy(torch.tensor([ids[:-1]]))[0], torch.tensor(ids[1:]))


def test_loss_and_every_gradient_equal_those_of_the_transformer():
    model = ScalarGPT(LETTERS, width=8, heads=2, seed=3)
    copy = in_torch(model)
    for word in ("heart", "a"):
        loss, expected = model.loss(word), loss_in_torch(copy, model.encode(word))
        copy.zero_grad()
        loss.backward()
        expected.backward()
        assert loss.data == pytest.approx(expected.item(), rel=1e-10)
        ours = torch.tensor([[n.gradient for n in row] for m in (model.query, model.key, model.value) for row in m])
        torch.testing.assert_close(
            ours.double(), copy.blocks[0].attention.query_key_value.weight.grad, rtol=1e-6, atol=1e-9
        )
        ours = torch.tensor([[number.gradient for number in row] for row in model.letter_table])
        torch.testing.assert_close(ours.double(), copy.token_embedding.weight.grad, rtol=1e-6, atol=1e-9)
        ours = torch.tensor([[number.gradient for number in row] for row in model.down])
        torch.testing.assert_close(ours.double(), copy.blocks[0].mlp.down.weight.grad, rtol=1e-6, atol=1e-9)
        for number in model.weights():
            number.gradient = None


def test_training_takes_the_same_steps_as_torchs_adam():
    model = ScalarGPT(LETTERS, width=4, heads=2, seed=1)
    copy, steps = in_torch(model), 12
    losses = train(model, WORDS, steps=steps)
    learned = [weight for weight in copy.parameters() if weight.requires_grad]
    optimiser = torch.optim.Adam(learned)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 0.02 * (1 - step / steps)
        optimiser.zero_grad()
        loss = loss_in_torch(copy, model.encode(WORDS[step % len(WORDS)]))
        loss.backward()
        optimiser.step()
        assert losses[step] == pytest.approx(loss.item(), rel=1e-4)
    assert losses[-1] < losses[0]


def test_it_learns_the_words_and_writes_some():
    model = ScalarGPT("ehnt", width=4, heads=2, context=5, seed=0)
    losses = train(model, ["the", "then"], steps=60, learning_rate=0.05)
    assert sum(losses[-2:]) < 0.4 * sum(losses[:2])
    assert sum(model.write(seed) in ("the", "then") for seed in range(10)) >= 5
    with pytest.raises(ValueError, match="'thenthen' has 8 letters; at most 4 fit"):
        model.loss("thenthen")
    with pytest.raises(ValueError, match="heads=3 must divide width=4"):
        ScalarGPT("a", width=4, heads=3)
