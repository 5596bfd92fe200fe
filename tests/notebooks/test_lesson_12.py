"""What lesson 12 says of the real model, and that a learner's own model can take its place."""

import inspect
import math
import re

import pytest
import torch

from course_utils import assets, sampling
from course_utils.commands import notebooks
from course_utils.models.transformer import TransformerConfig
from course_utils.practice import exercise, lesson_12

PAGE = assets.project_folder() / "notebooks" / "12_sampling.ipynb"
LOADS = 'model, tokenizer = pretrained.load("smollm2-135m-instruct")'
OWN_MODEL = """
from course_utils.models.transformer import Transformer, TransformerConfig
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
            if cell.cell_type == "code":
                exec(compile(cell.source, cell.id, "exec"), names)
                after[cell.id] = dict(names)
    return after


def cells(kind):
    """Sources of the page's cells, by their ids."""
    return {cell.id: cell.source for cell in notebooks.read(PAGE).cells if cell.cell_type == kind}


def printed(cell_id):
    """What a cell of the page has printed, as committed."""
    [cell] = [cell for cell in notebooks.read(PAGE).cells if cell.id == cell_id]
    return "".join(output.get("text", "") for output in cell.outputs)


@pytest.mark.slow
def test_a_model_of_the_learners_own_runs_through_the_page():
    notebook = notebooks.read(PAGE)
    [cell] = [cell for cell in notebook.cells if LOADS in cell.source]
    cell.source = cell.source.replace(LOADS, OWN_MODEL)
    done = notebooks.execute(notebook, PAGE.parent)  # raises where a cell fails
    assert not any(output.get("name") == "stderr" for cell in done.cells for output in cell.get("outputs", ()))


def test_no_cell_of_a_learner_holds_a_guard_of_ours():
    assert not any("assert" in source for source in cells("code").values())


def test_the_code_of_the_knobs_ends_with_the_draw_and_begins_with_the_table():
    source = inspect.getsource(sampling.sample_token)
    assert source.strip().splitlines()[-1].strip().startswith("return torch.multinomial")
    rows = re.findall(r"^\| `(\w+)` \| (\d) \|", cells("markdown")["repeats-itself-read"], re.MULTILINE)
    assert [name for name, _ in rows] == ["repetition_penalty", "temperature", "top_k", "top_p", "min_p"]
    scores = torch.tensor(lesson_12.OPEN).log()
    off = {name: float(value) for name, value in rows[1:]}
    assert torch.equal(sampling.warp(scores, **{**off, "top_k": int(off["top_k"])}).softmax(0), scores.softmax(0))


@pytest.mark.slow
def test_a_sentence_that_stands_in_the_text_makes_itself_likelier(page):
    bits = [float(found) for found in re.findall(r"adds ([\d.]+) bits", printed("repeats-itself"))]
    assert len(bits) == 4 and bits == sorted(bits, reverse=True) and bits[0] > 12 and bits[-1] < 3


def test_the_thousand_draws_are_those_that_the_page_tells_of():
    drawn = re.findall(r"(\w+) +probability +(\d+)%, drawn +(\d+) times", printed("nine-words"))
    assert len(drawn) == 9 and sum(int(count) for _, _, count in drawn) == 1000
    assert max(abs(int(count) - 10 * int(percent)) for _, percent, count in drawn) == 12
    assert int(drawn[-1][2]) == 5 and "comes up 5 times" in cells("markdown")["nine-words-read"]
    counts = {
        t: (blim, wug)
        for t, blim, wug in re.findall(r"T = (\S+):  blim (\d+) .* wug (\d+)", printed("nine-words-heated"))
    }
    assert counts["0.5"] == ("620", "1") and counts["2.0"] == ("227", "35")
    told = cells("markdown")["nine-words-heated-read"]
    assert "drawn 620 times and *wug* once" in told and "227 and 35" in told


@pytest.mark.slow
def test_the_loop_writes_what_the_page_says(page):
    names = page["same-as-generate"]
    assert names["written"].startswith("The capital of France is Paris.")
    assert names["written"] == names["prompt"] + names["ours"] and names["ours"] != names["others"]
    greedy, *others = page["two-steps"]["pairs"].values()
    assert max(others) > 1.3 * greedy


@pytest.mark.slow
def test_the_model_is_sure_of_a_quotation_and_unsure_of_an_animal(page):
    names = page["how-many-stay"]
    model, tokenizer, left, beginnings = (names[name] for name in ("model", "tokenizer", "left", "beginnings"))
    scores = [sampling.next_logits(model, tokenizer.encode(text)) for text in beginnings]
    entropies = [float(torch.special.entr(each.softmax(0)).sum() / math.log(2)) for each in scores]
    assert entropies[0] == pytest.approx(1.1, abs=0.1) and entropies[-1] == pytest.approx(8.2, abs=0.1)
    for text, likeliest in zip(beginnings[1:3], (" Paris", " four"), strict=True):
        next_token = sampling.next_logits(model, tokenizer.encode(text)).argmax()
        assert tokenizer.decode([int(next_token)]) == likeliest
    assert min(entropies[1:3]) > 1.9, "also unsure"
    assert float(names["entropy"]) == pytest.approx(entropies[-1], abs=1e-3)
    assert all(left(each, top_k=40) == 40 for each in scores)
    assert left(scores[0], top_p=0.9) == 1 and left(scores[-1], top_p=0.9) == pytest.approx(704, rel=0.05)
    assert max(left(each, min_p=0.1) for each in scores) == pytest.approx(11, abs=1)


@pytest.mark.slow
def test_the_animals_are_as_likely_as_the_page_and_its_exercise_say(page, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    warm = page["temperature-explorer"]["warm"]
    cat, elephant = warm.result.before[:2]
    assert cat == pytest.approx(0.112, abs=0.004) and elephant == pytest.approx(0.069, abs=0.003)
    assert warm.result.before[11] < 0.0105 and warm.result.before[-1] == pytest.approx(0.65, abs=0.01)
    assert warm.prompt == lesson_12.ANIMAL
    for temperature, share in zip(lesson_12.HALF, (0.55, 0.45), strict=True):
        warm.set(temperature=temperature)
        assert warm.result.after[0] == pytest.approx(share, abs=0.003)
    warm.set(temperature=0.55)
    assert exercise("12.2").check(warm)
    warm.reset()


@pytest.mark.slow
def test_heat_cuts_and_penalties_do_to_the_text_what_the_page_says(page):
    heat, cooled = page["four-temperatures"]["heat"], page["cuts-at-work"]["cooled"]
    assert heat == sorted(heat) and heat[0] < 2.5 and heat[-1] > 10
    top_k, top_p, min_p = cooled
    assert max(top_k, min_p) < 5.5 and max(top_k, min_p) + 2 < top_p < heat[-1] - 1
    greedy, penalised, drawn = page["penalties"]["shares"].values()
    assert greedy[0] < 0.4 and min(penalised) > 0.8 and min(drawn) > 0.6


@pytest.mark.slow
def test_answers_end_as_the_page_says(page):
    names = page["three-ends"]
    alone, limited, word = names["ends"]
    assert alone.finish_reason == "stop" and alone.ids[-1] == names["tokenizer"].end
    assert limited.finish_reason == "length" and len(limited.ids) == 5
    assert word.finish_reason == "stop" and "math" in alone.text and "math" not in word.text
    assert len({answer.text for answer in names["five"]}) == 5


@pytest.mark.slow
@pytest.mark.parametrize("prompt", ["Once upon a time", "The capital of France is"])
def test_the_cache_changes_no_token_of_the_real_model(page, prompt):
    model, tokenizer = page["set-up"]["model"], page["set-up"]["tokenizer"]
    [cached], [anew] = (
        sampling.generate_many(model, tokenizer, prompt, 1, temperature=0, max_new_tokens=24, use_cache=use_cache)
        for use_cache in (True, False)
    )
    assert len(cached.ids) > 10 and cached.ids == anew.ids
    assert cached.log_probabilities == pytest.approx(anew.log_probabilities, abs=1e-3)
    forgetful = tokenizer.encode(prompt)  # the page's comparison of texts would notice a cache that forgets
    for _ in range(16):
        forgetful.append(int(sampling.next_logits(model, forgetful[-3:]).argmax()))
    assert forgetful[-16:] != anew.ids[:16]


@pytest.mark.slow
def test_the_cache_saves_more_time_the_longer_the_text(page):
    names = page["cache-speed"]
    remembered, anew = names["remembered"], names["anew"]
    assert names["lengths"] == (16, 224, 448)
    assert anew[-1] / remembered[-1] > max(1.5, anew[0] / remembered[0])


def test_ratios_and_sizes_of_the_prose():
    ten_to_one = torch.tensor([10.0, 1.0]).log()
    share = sampling.warp(ten_to_one, temperature=0.5).softmax(-1)
    assert round(float(share[0] / share[1])) == 100
    assert round(math.log2(49_152), 1) == 15.6 and 2**12 == 4096 and 0.1**400 == 0
    config = TransformerConfig.preset("smollm2")
    assert config.vocabulary == 49_152
    assert (config.layers, config.kv_heads, config.head_width) == (30, 3, 64) and 30 * 2 * 3 * 64 == 11_520
