"""What lesson 12 says of the real model and does not compute on its page."""

import math

import pytest
import torch

from course_utils import sampling
from course_utils.models import pretrained


@pytest.mark.parametrize("prompt", ["Once upon a time", "The capital of France is"])
def test_in_32_bits_the_cache_changes_no_token_of_the_real_model(prompt):
    model, tokenizer = pretrained.load("smollm2-135m-instruct", dtype=torch.float32)
    [cached], [anew] = (
        sampling.generate_many(model, tokenizer, prompt, 1, temperature=0, max_new_tokens=24, use_cache=use_cache)
        for use_cache in (True, False)
    )
    assert len(cached.ids) > 10 and cached.ids == anew.ids
    assert cached.log_probabilities == pytest.approx(anew.log_probabilities, abs=1e-3)


def test_ratios_and_entropies_of_the_prose():
    ten_to_one = torch.tensor([10.0, 1.0]).log()
    for temperature, ratio in ((0.5, 100), (0.7, 27)):
        share = sampling.warp(ten_to_one, temperature=temperature).softmax(-1)
        assert round(float(share[0] / share[1])) == ratio
    assert round(math.log2(49_152), 1) == 15.6 and round(1 / math.log(2), 2) == 1.44
