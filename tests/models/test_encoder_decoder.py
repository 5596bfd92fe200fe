"""The encoder-decoder equals torch's, and hides what it must hide."""

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from course_utils.models import encoder_decoder
from course_utils.models.encoder_decoder import CrossAttention, EncoderDecoder
from course_utils.models.transformer import Transformer, TransformerConfig, attention, count_parameters

CONFIG = TransformerConfig(vocabulary=40, context=12, width=32, layers=3, heads=4, positions="learned")


def draw(*shape: int, high: int = 40, seed: int = 0) -> Tensor:
    return torch.randint(high, shape, generator=torch.Generator().manual_seed(seed))


def shaken(config: TransformerConfig) -> EncoderDecoder:
    """A model whose biases and gains are no longer 0 and 1, and whose attention is not near uniform."""
    model, generator = EncoderDecoder(config, seed=3), torch.Generator().manual_seed(5)
    for weight in model.parameters():
        weight.data += 0.2 * torch.randn(weight.shape, generator=generator)
    return model


def torchs(model: EncoderDecoder, config: TransformerConfig) -> tuple[nn.TransformerEncoder, nn.TransformerDecoder]:
    """The same weights in torch's own layers."""
    settings = dict(
        d_model=config.width, nhead=config.heads, dim_feedforward=config.neurons, dropout=0.0, activation="gelu",
        batch_first=True, norm_first=config.norm_first,
    )  # fmt: skip
    last = nn.LayerNorm(config.width) if config.norm_first else None
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(**settings), config.layers, last, False)
    last = nn.LayerNorm(config.width) if config.norm_first else None
    decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(**settings), config.layers, last)

    def attend(prefix: str, state: dict[str, Tensor], name: str) -> dict[str, Tensor]:
        parts = ("query_key_value",) if f"{name}.query_key_value.weight" in state else ("query", "key_value")
        found = {f"{prefix}.out_proj.{kind}": state[f"{name}.output.{kind}"] for kind in ("weight", "bias")}
        for kind in ("weight", "bias"):
            found[f"{prefix}.in_proj_{kind}"] = torch.cat([state[f"{name}.{part}.{kind}"] for part in parts])
        return found

    for ours, theirs in ((model.encoder, encoder), (model.decoder, decoder)):
        weights: dict[str, Tensor] = {}
        for number, block in enumerate(ours.blocks):
            state = block.state_dict()
            crossing = "cross_norm.weight" in state
            names = {"mlp.up": "linear1", "mlp.down": "linear2", "attention_norm": "norm1"}
            names |= {"cross_norm": "norm2", "mlp_norm": "norm3"} if crossing else {"mlp_norm": "norm2"}
            found = {f"{b}.{kind}": state[f"{a}.{kind}"] for a, b in names.items() for kind in ("weight", "bias")}
            found |= attend("self_attn", state, "attention")
            found |= attend("multihead_attn", state, "cross_attention") if crossing else {}
            weights |= {f"layers.{number}.{name}": weight for name, weight in found.items()}
        if config.norm_first:
            weights |= {f"norm.{kind}": weight for kind, weight in ours.final_norm.state_dict().items()}
        theirs.load_state_dict(weights)
    return encoder.eval(), decoder.eval()


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("padded", [True, False])
def test_it_equals_torchs_transformer(norm_first: bool, fused: bool, padded: bool) -> None:
    config = dataclasses.replace(CONFIG, norm_first=norm_first, fused=fused)
    model = shaken(config)
    encoder, decoder = torchs(model, config)
    source, target = draw(2, 7), draw(2, 5, seed=1)
    mask = torch.ones(2, 7, dtype=torch.bool)
    if padded:
        mask[1, 4:] = False
    vectors = [
        stack.token_embedding(ids) + stack.position_embedding(torch.arange(ids.size(1)))
        for stack, ids in ((model.encoder, source), (model.decoder, target))
    ]
    if padded:  # a place that padding holds is no place
        vectors[0][1, 4:] = 0
    memory = encoder(vectors[0], src_key_padding_mask=~mask)
    later = torch.ones(5, 5, dtype=torch.bool).triu(1)
    theirs = decoder(vectors[1], memory, tgt_mask=later, memory_key_padding_mask=~mask)
    expected = theirs @ model.decoder.token_embedding.weight.T
    logits = model(source, target, mask if padded else None)
    torch.testing.assert_close(logits, expected, atol=1e-4 * expected.abs().max().item(), rtol=0)


def test_cross_attention_calls_the_one_attention() -> None:
    config = dataclasses.replace(CONFIG, fused=False, key_value_heads=2)
    cross, generator = CrossAttention(config), torch.Generator().manual_seed(0)
    stream, source = torch.randn(2, 3, 32, generator=generator), torch.randn(2, 6, 32, generator=generator)
    seen: list[tuple[Tensor, ...]] = []
    cross.attend.register_forward_hook(lambda module, inputs, result: seen.append((*inputs[:3], result)))
    cross(stream, source)
    ((query, key, value, mixed),) = seen
    assert query.shape == (2, 4, 3, 8) and key.shape == value.shape == (2, 2, 6, 8)
    torch.testing.assert_close(mixed, attention(query, key, value, causal=False))
    assert "softmax" not in open(encoder_decoder.__file__, encoding="utf-8").read()


def test_the_target_sees_the_whole_source_but_not_its_own_future() -> None:
    model, source, target = shaken(CONFIG), draw(1, 6), draw(1, 5, seed=1)
    logits = model(source, target)
    for place in range(6):
        other = source.clone()
        other[0, place] = (other[0, place] + 1) % 40
        moved = (model(other, target) - logits).abs().amax(dim=-1)[0]
        assert (moved > 1e-3).all()  # the last source token too changes what the first target token becomes
    for place in range(5):
        other = target.clone()
        other[0, place] = (other[0, place] + 1) % 40
        moved = (model(source, other) - logits).abs().amax(dim=-1)[0]
        assert (moved[:place] == 0).all() and (moved[place:] > 1e-3).all()


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "none"])
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("side", ["left", "right"])
def test_texts_of_unequal_lengths_side_by_side_equal_each_by_itself(positions, fused, side) -> None:
    model = shaken(dataclasses.replace(CONFIG, positions=positions, fused=fused))
    sources, targets = [draw(1, n, seed=n) for n in (3, 8)], [draw(1, n, seed=10 + n) for n in (6, 2)]

    def beside(texts: list[Tensor]) -> tuple[Tensor, Tensor]:
        longest = max(text.size(1) for text in texts)
        ids, mask = torch.zeros(len(texts), longest, dtype=torch.int64), torch.zeros(len(texts), longest).bool()
        for row, text in enumerate(texts):
            where = slice(-text.size(1), None) if side == "left" else slice(text.size(1))
            ids[row, where], mask[row, where] = text[0], True
        return ids, mask

    (source, source_mask), (target, target_mask) = beside(sources), beside(targets)
    logits = model(source, target, source_mask, target_mask)
    for row, (one, other) in enumerate(zip(sources, targets, strict=True)):
        alone = model(one, other)[0]
        torch.testing.assert_close(logits[row, target_mask[row]], alone, atol=1e-4, rtol=1e-4)


def test_writing_reads_the_source_once_and_stops_at_the_end() -> None:
    model, source = shaken(CONFIG), draw(3, 6)
    reads: list[int] = []
    model.encoder.blocks[0].register_forward_hook(lambda *_: reads.append(1))
    written = model.write(source, begin=0, end=1, max_new_tokens=9)
    assert len(reads) == 1 and written.size(1) <= 9
    for row in range(3):
        ids = [0]
        while len(ids) <= written.size(1) and ids[-1] != 1:
            ids.append(int(model(source[row : row + 1], torch.tensor([ids]))[0, -1].argmax()))
        assert written[row].tolist() == ids[1:] + [1] * (written.size(1) - len(ids) + 1)
    first = int(written[0, 0])
    assert model.write(source[:1], begin=0, end=first, max_new_tokens=9).tolist() == [[first]]


def test_its_parameters_are_two_stacks_cross_attention_and_one_table() -> None:
    model = EncoderDecoder(CONFIG)
    width, crossing = CONFIG.width, count_parameters(CrossAttention(CONFIG)) + 2 * CONFIG.width
    assert crossing == 4 * width * width + 4 * width + 2 * width
    alone = count_parameters(Transformer(CONFIG))
    assert count_parameters(model) == 2 * alone + CONFIG.layers * crossing - CONFIG.vocabulary * width
    assert model.encoder.token_embedding is model.decoder.token_embedding


def test_it_leaves_torchs_random_state_alone_and_every_weight_learns() -> None:
    before = torch.get_rng_state()
    model = EncoderDecoder(CONFIG, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    model(draw(2, 6), draw(2, 5, seed=1)).logsumexp(-1).sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in model.parameters())


def test_what_it_cannot_read_is_refused_in_a_sentence() -> None:
    model, mask = EncoderDecoder(CONFIG), torch.ones(2, 4, dtype=torch.bool)
    mask[1] = False
    with pytest.raises(ValueError, match="nothing but padding"):
        model(draw(2, 4), draw(2, 3), mask)
    with pytest.raises(ValueError, match="call the EncoderDecoder that it belongs to"):
        model.decoder(draw(1, 3))
    with pytest.raises(ValueError, match="13 tokens do not fit into this model's context of 12"):
        model(draw(1, 13), draw(1, 3))
