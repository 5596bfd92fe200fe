"""A reader and a writer: the transformer as it was first published, for turning one text into another.

An encoder reads the whole source text, each token seeing all others. A decoder writes the target text token by token,
as a language model does; between attention and MLP each of its blocks also looks at what the encoder made of the source
(cross-attention). Both are the `Transformer` of this package, and cross-attention calls the same `attention`.

>>> model = EncoderDecoder(TransformerConfig(vocabulary=50, width=32))
>>> source, target = torch.tensor([[7, 1, 9, 4]]), torch.tensor([[0, 5, 3]])
>>> model(source, target).shape  # a score for each token that could follow each token of the target
torch.Size([1, 3, 50])
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from course_utils.models.cache import LayerCache
from course_utils.models.transformer import Attention, Block, Transformer, TransformerConfig, make_norm


class CrossAttention(nn.Module):
    """Attention from one text to another: queries from the one, keys and values from the other."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.heads, self.key_value_heads = config.heads, config.kv_heads
        self.query = nn.Linear(config.width, config.width, bias=config.bias)
        self.key_value = nn.Linear(config.width, 2 * config.kv_heads * config.head_width, bias=config.bias)
        self.attend = Attention(causal=False, fused=config.fused)
        self.output = nn.Linear(config.width, config.width, bias=config.bias)

    def forward(self, stream: Tensor, source: Tensor, source_mask: Tensor | None = None) -> Tensor:
        """Let each token of the target fetch what it needs from the source.

        Args:
            stream: ``(batch, tokens, width)``, of the target.
            source: ``(batch, source tokens, width)``, what the encoder made of the source.
            source_mask: ``(batch, source tokens)`` bool, False where a source token is padding.

        Returns:
            ``(batch, tokens, width)``.
        """
        query = self.query(stream).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (batch, heads, tokens, head_width)
        key, value = (
            part.unflatten(-1, (self.key_value_heads, -1)).transpose(
                1, 2
            )  # (batch, key_value_heads, source tokens, ...)
            for part in self.key_value(source).chunk(2, dim=-1)
        )
        mask = None if source_mask is None else source_mask[:, None, None]  # (batch, 1, 1, source tokens)
        mixed = self.attend(query, key, value, mask)  # (batch, heads, tokens, head_width)
        return self.output(mixed.transpose(1, 2).flatten(2))  # (batch, tokens, width)


class CrossBlock(Block):
    """A decoder's block: attention to its own text, attention to the source, then the MLP."""

    def __init__(self, config: TransformerConfig):
        super().__init__(config)
        self.cross_norm = make_norm(config)
        self.cross_attention = CrossAttention(config)

    def forward(
        self,
        stream: Tensor,
        rotary: Tensor | None = None,
        cache: LayerCache | None = None,
        mask: Tensor | None = None,
        source: Tensor | None = None,
        source_mask: Tensor | None = None,
    ) -> Tensor:
        """As `Block`, with ``source`` and ``source_mask`` as for `CrossAttention`."""
        if source is None:
            raise ValueError("this decoder also looks at a source text; call the EncoderDecoder that it belongs to")
        if self.norm_first:
            stream = stream + self.attention(self.attention_norm(stream), rotary, cache, mask)
            stream = stream + self.cross_attention(self.cross_norm(stream), source, source_mask)
            return stream + self.mlp(self.mlp_norm(stream))
        stream = self.attention_norm(stream + self.attention(stream, rotary, cache, mask))
        stream = self.cross_norm(stream + self.cross_attention(stream, source, source_mask))
        return self.mlp_norm(stream + self.mlp(stream))


class EncoderDecoder(nn.Module):
    """Two stacks of blocks: one reads the source, the other writes the target and looks at the first.

    Both share one table of tokens (Vaswani et al. 2017, section 3.4).

    Args:
        config: of both stacks; ``causal`` is set for each.
        seed: of the random starting weights; torch's own random state stays as it was.
    """

    def __init__(self, config: TransformerConfig, seed: int = 0):
        super().__init__()
        self.encoder = Transformer(dataclasses.replace(config, causal=False, tied_output=True), seed)
        self.decoder = Transformer(dataclasses.replace(config, causal=True), seed + 1, block=CrossBlock)
        self.decoder.token_embedding = self.encoder.token_embedding

    def forward(
        self, source: Tensor, target: Tensor, source_mask: Tensor | None = None, target_mask: Tensor | None = None
    ) -> Tensor:
        """Score every token that could come next, after each token of the target.

        Args:
            source: ``(batch, source tokens)`` int64.
            target: ``(batch, tokens)`` int64, what is written so far; it begins with a token that says "begin".
            source_mask: ``(batch, source tokens)`` bool, False where an id is padding.
            target_mask: ``(batch, tokens)`` bool, likewise; padding behind a target needs none, as nothing looks there.

        Returns:
            logits ``(batch, tokens, vocabulary)``.

        Raises:
            ValueError: if a text is longer than the context, or a source is nothing but padding.
        """
        return self.decode(target, self.encode(source, source_mask), source_mask, target_mask)

    def encode(self, source: Tensor, source_mask: Tensor | None = None) -> Tensor:
        """What the encoder makes of the source: ``(batch, source tokens, width)``. Arguments as for `forward`."""
        if source_mask is not None and not source_mask.any(dim=1).all():
            raise ValueError("a source text is nothing but padding; leave it out, or give it one token")
        return self.encoder.hidden_states(source, mask=source_mask)

    def decode(
        self,
        target: Tensor,
        encoded: Tensor,
        source_mask: Tensor | None = None,
        target_mask: Tensor | None = None,
    ) -> Tensor:
        """Logits ``(batch, tokens, vocabulary)`` from what `encode` gave; other arguments as for `forward`."""
        states = self.decoder.hidden_states(target, None, target_mask, encoded, source_mask)
        return self.decoder.unembed(states)

    @torch.inference_mode()
    def write(
        self, source: Tensor, begin: int, end: int, *, max_new_tokens: int, source_mask: Tensor | None = None
    ) -> Tensor:
        """Write the target of each source, always with the likeliest token.

        Args:
            source: ``(batch, source tokens)`` int64, read once.
            begin: the token that a target begins with.
            end: the token that it ends with; what follows it in a row is ``end`` too.
            max_new_tokens: stop after so many.
            source_mask: as for `forward`.

        Returns:
            ``(batch, tokens)`` int64, without ``begin``.
        """
        encoded = self.encode(source, source_mask)
        target = source.new_full((len(source), 1), begin)
        ended = torch.zeros(len(source), dtype=torch.bool, device=source.device)
        while target.size(1) <= max_new_tokens and not ended.all():
            best = self.decode(target, encoded, source_mask)[:, -1].argmax(dim=-1)  # (batch)
            best = best.masked_fill(ended, end)
            target, ended = torch.cat((target, best[:, None]), dim=1), ended | (best == end)
        return target[:, 1:]
