"""What lesson 12 says of the real model, and that a learner's own model can take its place."""

import math

import pytest
import torch

from course_utils import assets, sampling
from course_utils.commands import notebooks
from course_utils.models import pretrained

PAGE = assets.project_folder() / "notebooks" / "12_sampling.ipynb"
LOADS = 'model, tokenizer = pretrained.load("smollm2-135m-instruct", dtype=torch.bfloat16)'
OWN_MODEL = """
from course_utils.tokenizers import BPETokenizer

tokenizer = BPETokenizer.train("Once upon a time the teacher told us to write. " * 3, 300)  # no chats, no stop token
model = Transformer(TransformerConfig(vocabulary=len(tokenizer), context=64, width=32))
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The names that each cell leaves behind, by the cell's id, on the page with SmolLM2."""
    names, after = {}, {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_PROGRESS", str(tmp_path_factory.mktemp("progress") / "progress.json"))
        for cell in notebooks.read(PAGE).cells:
            if cell.cell_type == "code" and cell.id != "peak-memory":  # the memory of all tests in this process
                exec(compile(cell.source, cell.id, "exec"), names)
                after[cell.id] = dict(names)
    return after


@pytest.mark.slow
def test_a_model_of_the_learners_own_runs_through_the_page():
    notebook = notebooks.read(PAGE)
    [cell] = [cell for cell in notebook.cells if LOADS in cell.source]
    cell.source = cell.source.replace(LOADS, OWN_MODEL)
    notebook.cells = [each for each in notebook.cells if each.id != "peak-memory"]  # Linux counts the parent's memory
    done = notebooks.execute(notebook, PAGE.parent)  # raises where a cell fails
    assert not any(output.get("name") == "stderr" for cell in done.cells for output in cell.get("outputs", ()))


@pytest.mark.slow
def test_the_loop_writes_what_the_page_says(page):
    assert page["the-loop"]["written"].startswith("The capital of France is Paris.")
    greedy, *others = page["two-steps"]["pairs"].values()
    assert max(others) > 1.3 * greedy
    right, wrong, mixed_up = page["surprise-of-texts"]["bits"]
    assert right + 2 < wrong < mixed_up - 5


@pytest.mark.slow
def test_the_model_is_sure_of_a_quotation_and_unsure_of_an_animal(page):
    names = page["how-many-stay"]
    model, tokenizer, entropy, left = (names[name] for name in ("model", "tokenizer", "next_entropy", "left"))
    quotation, *_, animal = prompts = names["beginnings"]
    assert entropy(model, tokenizer, quotation) < 3 < 6 < entropy(model, tokenizer, animal)
    assert 15.4 < entropy(names["newborn"], tokenizer, quotation) < 15.6
    assert all(40 <= left(model, tokenizer, prompt, top_k=40) < 80 for prompt in prompts)
    assert left(model, tokenizer, quotation, top_p=0.9) < 10 < 200 < left(model, tokenizer, animal, top_p=0.9)
    assert all(left(model, tokenizer, prompt, min_p=0.1) < 20 for prompt in prompts)


@pytest.mark.slow
def test_heat_and_penalties_do_to_the_text_what_the_page_says(page):
    cold, _, plain, _, hot = page["five-temperatures"]["bits"]
    assert cold < 2.5 and plain < 8 < hot
    uncut, top_k, _, min_p = page["cuts-at-work"]["bits"]
    assert max(top_k, min_p) < uncut
    none, usual, strong = page["penalties"]["shares"]
    assert none < 0.6 < usual and strong > 0.9


@pytest.mark.slow
def test_answers_end_as_the_page_says(page):
    story, room = page["recipe-one"]["story"], page["recipe-one"]["room"]
    assert len(story.ids) <= room == 96 and (story.finish_reason == "stop" or len(story.ids) == room)
    assert len({answer.text for answer in page["five-answers"]["answers"]}) == 5
    names = page["three-ends"]
    alone, limited, word = names["alone"], names["limited"], names["word"]
    assert alone.finish_reason == "stop" and alone.ids[-1] == names["tokenizer"].end
    assert limited.finish_reason == "length" and len(limited.ids) == 5
    assert word.finish_reason == "stop" and "math" in alone.text and "math" not in word.text


@pytest.mark.slow
def test_the_check_of_the_cache_fails_where_the_text_is_forgotten(page):
    names = page["cache-same-tokens"]
    newborn, text = names["newborn"], list(names["ids"])
    assert names["remembered"] == names["anew"] and len(set(names["anew"])) == 40
    for _ in range(40):
        logits = sampling.next_logits(newborn, text[-20:])[None]
        text.append(int(sampling.penalise(logits, torch.tensor([text]), 5.0).argmax()))
    assert text[-40:] != names["anew"]


@pytest.mark.slow
def test_the_cache_is_nearly_exact_in_16_bits_and_saves_time(page):
    assert page["cache-rounding"]["same"] >= 3 and page["cache-rounding"]["difference"] < 1.5
    remembered, anew = page["cache-speed"]["remembered"], page["cache-speed"]["anew"]
    assert page["cache-speed"]["lengths"] == (16, 128, 256, 448)
    assert anew[-1] / remembered[-1] > max(1.5, anew[0] / remembered[0])


@pytest.mark.slow
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
