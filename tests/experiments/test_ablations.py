"""What lesson 10 measures of positions, parts and the last vector comes out; the record says what the lesson says."""

from statistics import mean

import pytest
import torch

from course_utils.data import recorded
from course_utils.experiments import ablations
from course_utils.models.transformer import Transformer, TransformerConfig, count_parameters

IDS = torch.tensor([5, 3, 8, 1, 7, 2, 9, 9, 4])


def model(positions: str, **settings: object) -> Transformer:
    built = Transformer(TransformerConfig(positions=positions, **settings), seed=2)  # type: ignore[arg-type]
    for weight in built.parameters():  # untrained weights are too small to show much
        weight.data *= 4
    return built


@pytest.mark.parametrize("seed", range(3))
def test_without_positions_a_shuffled_sentence_looks_the_same(seed: int) -> None:
    assert ablations.changed_by_order(model("none", layers=1), IDS, seed) < 1e-5
    assert ablations.changed_by_order(model("none", layers=4, causal=False), IDS, seed) < 1e-5


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary"])
def test_with_positions_it_does_not(positions: str) -> None:
    assert ablations.changed_by_order(model(positions, layers=1), IDS) > 1e-3
    assert ablations.changed_by_order(model(positions, layers=4, causal=False), IDS) > 1e-3


def test_causal_blocks_above_one_another_see_some_order_without_positions() -> None:
    assert ablations.changed_by_order(model("none", layers=2), IDS) > 1e-3


def test_a_text_that_cannot_be_shuffled_is_refused() -> None:
    with pytest.raises(ValueError, match="give at least two different tokens before the last one"):
        ablations.changed_by_order(model("none"), torch.tensor([3, 3, 3, 5]))


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_only_the_last_vector_predicts(positions: str) -> None:
    transformer = model(positions, layers=3)
    for layer in range(3):
        before, after = ablations.overwritten(transformer, IDS, layer)
        assert (before - after).abs().sum() > 1e-4  # the blocks above still look at the others
    before, after = ablations.overwritten(transformer, IDS, 3)
    assert torch.equal(before, after)
    assert not any(part._forward_pre_hooks for part in transformer.modules())
    for layer in (-1, 4):
        with pytest.raises(ValueError, match=f"layer={layer} is not between 0 and 3"):
            ablations.overwritten(transformer, IDS, layer)


@pytest.mark.parametrize("name", ablations.ABLATIONS)
def test_every_ablation_reads_and_learns(name: str) -> None:
    transformer = ablations.ablated(name, vocabulary=30)
    logits = transformer(IDS[None])
    assert logits.shape == (1, 9, 30)
    logits.logsumexp(-1).sum().backward()
    assert all(weight.grad is not None for weight in transformer.parameters())  # nothing is counted that is not used


def test_each_ablation_lacks_what_it_says() -> None:
    built = {name: ablations.ablated(name, vocabulary=30) for name in ablations.ABLATIONS}
    counts = {name: count_parameters(transformer) for name, transformer in built.items()}
    whole = counts[ablations.WHOLE]
    assert counts["no positions"] == counts["sinusoidal positions"] == counts["no residual stream"] == whole
    assert counts["learned positions"] == whole + ablations.CONTEXT * 64
    assert counts["no MLP"] == whole - 4 * (8 * 64 * 64 + 2 * 64)
    assert counts["no attention"] == whole - 4 * (4 * 64 * 64 + 2 * 64)
    assert counts["no normalisation"] == whole - 9 * 2 * 64
    assert counts["no MLP, 12 layers"] == pytest.approx(whole, rel=0.01)
    with pytest.raises(ValueError, match="ablation='no luck' is not known; choose one of: rotary positions; learned"):
        ablations.ablated("no luck")


def test_without_attention_a_token_knows_nothing_of_the_others_and_without_residual_nothing_is_added() -> None:
    alone = ablations.ablated("no attention", vocabulary=30)
    torch.testing.assert_close(alone(IDS[None])[0, -1], alone(IDS[None, -1:])[0, -1])
    whole = ablations.ablated(ablations.WHOLE, vocabulary=30)
    assert not torch.allclose(whole(IDS[None])[0, -1], whole(IDS[None, -1:])[0, -1], atol=1e-3)
    block = ablations.ablated("no residual stream", vocabulary=30).blocks[0]
    for weight in block.block.mlp.parameters():
        weight.data.zero_()
    stream = torch.randn(1, 4, 64, generator=torch.Generator().manual_seed(0))
    turns = torch.ones(1, 1, 4, 8, dtype=torch.complex64)
    assert block(stream, turns, None, None).abs().max() == 0


def test_a_short_training_learns_the_letters() -> None:
    _, history = ablations.train(ablations.WHOLE, steps=20, learning_rate=1e-2)
    assert history.steps == 20 and history.losses[-1] < history.losses[0] - 1


def ends() -> dict[str, list[float]]:
    """Bits per character on the test plays after the last step, by ablation."""
    found: dict[str, list[float]] = {}
    for row in recorded("transformer_ablations").rows:
        if row["plays"] == "test" and row["step"] == 200:
            found.setdefault(row["ablation"], []).append(row["bits"])
    return found


def test_the_record_holds_three_seeds_of_every_ablation_and_says_how_it_was_made() -> None:
    runs = recorded("transformer_ablations")
    assert runs.provenance.startswith("command: OMP_NUM_THREADS=1 python datasets/make/transformer_ablations.py")
    assert set(ends()) == set(ablations.ABLATIONS) and all(len(bits) == 3 for bits in ends().values())
    for name in ablations.ABLATIONS:
        rows = [row for row in runs.rows if row["ablation"] == name]
        assert {row["seed"] for row in rows if row["plays"] == "test"} == {0, 1, 2}
        assert {row["seed"] for row in rows if row["plays"] == "validation"} == {3}
        choice = [row for row in rows if row["plays"] == "validation" and row["step"] == 100]
        best = min(choice, key=lambda row: row["bits"])["learning_rate"]
        assert {row["learning_rate"] for row in rows if row["plays"] == "test"} == {best}
        assert {row["parameters"] for row in rows} == {count_parameters(ablations.ablated(name, vocabulary=80))}


def test_in_the_record_the_whole_model_is_best_with_every_seed() -> None:
    bits = ends()
    for name in ablations.ABLATIONS[1:]:
        assert min(bits[name]) > max(bits[ablations.WHOLE]) + 0.1, name
    for kind in ("learned", "sinusoidal"):
        assert mean(bits[f"{kind} positions"]) < mean(bits["no positions"])
