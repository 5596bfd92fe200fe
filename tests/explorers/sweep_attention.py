"""How to make the explorers of attention for the sweep: a small untrained transformer in place of SmolLM2."""

import functools

from course_utils.explorers.attention import AttentionByHand, AttentionExplorer
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.tokenizers import BPETokenizer

from .sweep import factory


@functools.cache
def tokenizer() -> BPETokenizer:
    text = "The river was wide and cold, and he sat down on the bank. The loan, a chair, a teacher, on the bank. "
    return BPETokenizer.train(text * 4, vocabulary_size=400)


def model(layers: int = 21, heads: int = 5, context: int = 64) -> Transformer:
    config = TransformerConfig(vocabulary=len(tokenizer()), context=context, width=40, layers=layers, heads=heads)
    made = Transformer(config)
    for block in made.blocks:  # small first weights look everywhere alike; larger ones make heads differ
        block.attention.query_key_value.weight.data.mul_(12)
        block.attention.output.weight.data.mul_(8)
    return made.requires_grad_(False)


@factory(AttentionExplorer)
def heads() -> AttentionExplorer:
    return AttentionExplorer(model(), tokenizer())


@factory(AttentionByHand)
def by_hand() -> AttentionByHand:
    return AttentionByHand()
