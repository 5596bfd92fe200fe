"""Finding text by its meaning: one vector a sentence, from a real sentence encoder.

MiniLM (Wang et al. 2020; trained for sentences as in Reimers & Gurevych 2019) is the course's own `Transformer` without
the causal mask: each token sees all others. A sentence's vector is the mean of its tokens' vectors, brought to length
1, so that the dot product of two sentences is the cosine of the angle between them.

>>> vectors = sentence_vectors(["A cat is asleep.", "The kitten sleeps.", "Taxes will rise."])
>>> (vectors @ vectors[0]).argsort(descending=True).tolist()  # nearest to the first: itself, then the kitten
[0, 1, 2]
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import normalize

from course_utils.models import pretrained
from course_utils.models.transformer import Transformer
from course_utils.tokenizers.wordpiece import WordPieceTokenizer

BATCH = 32  # sentences read at once
LONGEST = 256  # tokens; the published model was trained on no more, and what comes after them is not read


@torch.inference_mode()
def sentence_vectors(texts: Sequence[str]) -> Tensor:
    """One vector of length 1 for each text: ``(texts, 384)`` float32.

    Texts are read in batches of similar length. The shorter ones are filled up with padding, which a mask hides, so
    each vector is the one that the text would get by itself.

    Args:
        texts: sentences or short paragraphs; only the first 256 tokens of each are read.

    Raises:
        TypeError: if one text is given instead of several.

    >>> sentence_vectors(["One sentence.", "Another, a little longer one."]).norm(dim=1).round(decimals=3)
    tensor([1., 1.])
    """
    if isinstance(texts, str):
        raise TypeError("sentence_vectors takes a list of texts, not one text: write [text].")
    model, tokenizer = encoder()
    ids = [tokenizer.encode_sentence(text, LONGEST) for text in texts]
    vectors = torch.empty(len(ids), model.config.width)
    by_length = sorted(range(len(ids)), key=lambda text: len(ids[text]))
    for start in range(0, len(ids), BATCH):
        rows = by_length[start : start + BATCH]
        longest = len(ids[rows[-1]])
        batch = torch.tensor([ids[row] + [tokenizer.padding] * (longest - len(ids[row])) for row in rows])
        mask = torch.arange(longest) < torch.tensor([[len(ids[row])] for row in rows])  # (batch, tokens)
        vectors[rows] = mean_vectors(model.hidden_states(batch, mask=mask), mask)
    return vectors


def mean_vectors(states: Tensor, mask: Tensor) -> Tensor:
    """The mean of each text's token vectors, brought to length 1.

    Args:
        states: ``(batch, tokens, width)``.
        mask: ``(batch, tokens)`` bool, False where a token is padding; padding counts for nothing.

    Returns:
        ``(batch, width)``.

    >>> states = torch.tensor([[[3.0, 0.0], [0.0, 4.0], [9.0, 9.0]]])
    >>> mean_vectors(states, torch.tensor([[True, True, False]]))
    tensor([[0.6000, 0.8000]])
    """
    counted = mask[..., None]  # (batch, tokens, 1)
    return normalize((states * counted).sum(dim=1) / counted.sum(dim=1), dim=-1)


@lru_cache(maxsize=1)
def encoder() -> tuple[Transformer, WordPieceTokenizer]:
    """MiniLM and its tokenizer, loaded once."""
    return pretrained.load("minilm-l6-v2")
