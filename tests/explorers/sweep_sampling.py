"""How to make the explorers of generation for the sweep: a small real transformer with a real tokenizer."""

import functools

import torch

from course_utils.explorers.sampling import TemperatureExplorer
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.tokenizers import BPETokenizer

from .sweep import factory


@functools.cache
def tokenizer() -> BPETokenizer:
    return BPETokenizer.train("The capital of France is Paris. The cat sat on the mat. " * 4, vocabulary_size=300)


def model(context: int = 128) -> Transformer:
    torch.manual_seed(0)
    return Transformer(TransformerConfig(vocabulary=len(tokenizer()), context=context, width=16, layers=1, heads=2))


@factory(TemperatureExplorer)
def temperature() -> TemperatureExplorer:
    # An untrained model finds every token about as likely; a low temperature gives the knobs something to cut.
    return TemperatureExplorer(model(), tokenizer(), temperature=0.05)
