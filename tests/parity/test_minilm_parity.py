"""Sentence vectors of the real MiniLM equal those of the reference library and of the model's published code.

`REFERENCE` was written by the library sentence-transformers 6.2.0, which is no dependency of the course. The code that
the model's own page publishes, a mean over the attention mask and then length 1, runs here beside it.
"""

import pytest
import torch
import transformers
from tokenizers import Tokenizer
from torch.nn.functional import normalize

from course_utils import assets
from course_utils.models import pretrained
from course_utils.retrieval import BATCH, sentence_vectors

REFERENCE = {  # text: the first six numbers of its vector
    "This is an example sentence": [0.067657, 0.063496, 0.048713, 0.079305, 0.037448, 0.002653],
    "Each sentence is converted": [0.086439, 0.102763, 0.005395, 0.002044, -0.009963, 0.025386],
    "No.": [-0.072695, 0.01451, 0.00678, 0.010326, 0.059622, 0.036661],
    "": [-0.118838, 0.048299, -0.002548, -0.011011, 0.051951, 0.010292],
    "Crème brûlée, naïve façade! 吾輩は猫である。 😀": [
        0.035697, 0.101509, 0.07588, -0.049347, -0.037561, -0.025907,
    ],
    "The quick brown fox jumps over the lazy dog, " * 12: [
        0.042038, -0.010005, 0.077986, 0.011953, -0.036848, -0.028417,
    ],
    "word " * 400: [-0.008124, -0.095586, -0.038673, 0.049662, -0.043794, 0.02372],
}  # fmt: skip
TEXTS = list(REFERENCE)


@pytest.fixture(scope="module")
def published():
    """Vectors of `TEXTS` by the reference's model and tokenizer, all in one padded batch."""
    (file,) = assets.path("minilm-l6-v2").rglob("tokenizer.json")
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()
    read = tokenizer.encode_batch(TEXTS)
    ids = torch.tensor([text.ids for text in read])
    mask = torch.tensor([text.attention_mask for text in read])
    model = transformers.BertModel.from_pretrained(file.parent, add_pooling_layer=False).eval()
    with torch.inference_mode():
        states = model(ids, attention_mask=mask).last_hidden_state
    counted = mask[..., None].expand(states.size()).float()
    return normalize((states * counted).sum(1) / counted.sum(1).clamp(min=1e-9), p=2, dim=1)


def test_vectors_are_those_that_the_reference_library_wrote():
    found = sentence_vectors(TEXTS)
    torch.testing.assert_close(found[:, :6], torch.tensor(list(REFERENCE.values())), atol=1e-4, rtol=0)


def test_every_number_equals_the_published_code_in_a_batch_of_unequal_lengths(published):
    found = sentence_vectors(TEXTS)
    assert found.shape == (len(TEXTS), 384) and found.dtype == torch.float32
    torch.testing.assert_close(found, published, atol=1e-4, rtol=0)


def test_a_text_gets_the_same_vector_alone_and_in_any_company(published):
    alone = torch.cat([sentence_vectors([text]) for text in TEXTS])
    torch.testing.assert_close(alone, published, atol=1e-4, rtol=0)
    many = TEXTS * 12
    assert len(many) > 2 * BATCH
    torch.testing.assert_close(sentence_vectors(many), published.repeat(12, 1), atol=1e-4, rtol=0)


def test_without_the_mask_the_vectors_would_be_wrong(published):
    model, tokenizer = pretrained.load("minilm-l6-v2")
    ids = tokenizer.encode_sentence(TEXTS[0])
    padded = torch.tensor([ids + [tokenizer.padding] * 40])
    with torch.inference_mode():
        states = model.hidden_states(padded)
    wrong = normalize(states[:, : len(ids)].mean(1), dim=-1)
    assert (wrong - published[0]).abs().max() > 0.01
