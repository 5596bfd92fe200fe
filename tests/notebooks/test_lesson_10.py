"""What lesson 10 says of parts, counts, families and claims is what its cells compute and its records hold."""

import re
from statistics import mean

import pytest
import torch

from course_utils import data
from course_utils.data.runs import recorded
from course_utils.experiments.ablations import recorded_bits
from course_utils.experiments.budget import BUDGET
from course_utils.experiments.sizes import check
from course_utils.explorers.base import Explorer
from course_utils.models.transformer import TransformerConfig
from course_utils.practice import exercise, lesson_10
from course_utils.practice.questions import lesson_questions
from course_utils.scaling import by_kind, matrices, parameters
from tests.notebooks.pages import Page

PAGE = Page("10")
CELLS, WORDS, printed, alt, says = PAGE.cells, PAGE.words, PAGE.printed, PAGE.alt, PAGE.says


@pytest.mark.slow
def test_every_picture_runs_again_from_its_copied_line_also_after_moving(names):
    explorers = {cell: got for cell, got in names["shown"].items() if isinstance(got, Explorer)}
    assert list(explorers) == ["first-picture", "positions-picture"]
    moves = {
        "first-picture": {"model": "GPT-3 (2020)", "width": 6400},
        "positions-picture": {"kind": "learned", "dice": 7},
    }
    for cell, explorer in explorers.items():
        for moved in ({}, moves[cell]):
            explorer.set(**moved)
            copied = eval(explorer.as_python(), names)
            assert copied.body.value == explorer.body.value and copied.says == explorer.says
        explorer.reset()
        assert alt(cell) == explorer.says


def test_the_first_screen_has_no_word_of_the_trade():
    shown = re.sub(r"\]\([^)]*\)", "", WORDS["opening"]) + alt("first-picture")
    assert not re.search(r"residual|norm|MLP|rotary|encoder|float|embedding", shown)
    says("opening", "134,515,008", "174,604,259,328")


def test_no_cell_of_a_learner_holds_a_guard_of_ours():
    assert not any("assert" in cell.source for cell in CELLS.values() if cell.cell_type == "code")


@pytest.mark.slow
def test_the_way_through_by_hand_is_the_model_and_only_the_last_vector_predicts(names):
    assert "' Paris'" in printed("way-through") and "the same as model(ids): True" in printed("way-through")
    rows = re.findall(r"after (\d+) blocks: likeliest ('.*')\s+' Paris' has ([\d.]+)", printed("overwrite"))
    assert [row[0] for row in rows] == ["10", "20", "25", "30"]
    assert [float(row[2]) < 0.02 for row in rows] == [True, True, False, False] and rows[3][1] == "' Paris'"
    before, after = names["overwritten"](names["model"], names["sentence"], layer=30)
    assert torch.equal(before, after)


def test_order_changes_what_the_words_say():
    rows = {line.split()[0]: re.findall("changed|the same", line) for line in printed("order").splitlines()[1:]}
    assert list(rows) == ["none", "learned", "sinusoidal", "rotary"]
    assert rows["none"] == ["the same"] * 3 + ["changed"]
    assert all(rows[name] == ["changed"] * 4 for name in ("learned", "sinusoidal", "rotary"))
    says("order-said", "three of the four vectors stay the same", "The fourth changes")


def test_positions_cost_what_the_words_say():
    says("positions-said", "1,024 rows of 768")
    tables = {name: by_kind(TransformerConfig.preset(name))["position table"] for name in ("gpt2", "smollm2")}
    assert tables == {"gpt2": 1024 * 768, "smollm2": 0}


@pytest.mark.slow
def test_row_and_notes_make_the_vector_at_the_top(names):
    assert len(names["notes"]) == 60 and float(names["difference"]) < 1e-4
    assert printed("notes").startswith("60 notes; row + notes differ from the vector at the top by 0.0000 of")
    says("block-said", "60 notes", "30 blocks with two parts")
    first, last = re.findall(r"([\d.]+) at the table.* ([\d.]+) after block 30", alt("lengths"))[0]
    assert first == "2.6" and 550 < float(last) < 690 and float(last) / float(first) > 200
    [sink] = re.findall(r"20 blocks: ([\d,]+) long", printed("lengths"))
    at_20 = names["vectors"][40].norm().item()
    assert 80 < int(sink.replace(",", "")) / at_20 < 150 and "a hundred times as long" in WORDS["lengths-said"]
    says("lengths-said", "From 2.6 at the table to about 600 at the top", "two hundred times")


def test_an_mlp_holds_three_times_as_many_numbers_as_attention():
    chat, gpt2 = (by_kind(TransformerConfig.preset(name)) for name in ("smollm2", "gpt2"))
    assert chat["MLP"] == 3 * chat["attention"] and round(gpt2["MLP"] / gpt2["attention"], 2) == 2
    says("mlp-said", "three times as many", "twice as many")


def test_the_settings_are_those_of_the_words():
    says("mlp-said", "1,536 in SmolLM2", "four times the width in GPT-2")
    assert TransformerConfig.preset("smollm2").neurons == 1536
    assert TransformerConfig.preset("gpt2").neurons == 4 * 768
    smollm2 = TransformerConfig.preset("smollm2")
    assert smollm2.heads == 3 * smollm2.kv_heads
    says("settings-said", "three query heads share one key and one value")


def test_gpts_are_counted_as_published():
    assert printed("count-gpt2").rstrip().endswith("124,439,808")
    assert len(printed("count-gpt2").splitlines()) == len(matrices(TransformerConfig.preset("gpt2"))) + 1
    lines = printed("all-gpts").splitlines()
    assert len(lines) == 7 and all(line.endswith("  as built") for line in lines)
    for number in (116_534_784, 124_439_808, 354_823_168, 774_030_080, 1_557_611_200, 174_604_259_328, 134_515_008):
        assert f"{number:,}" in printed("all-gpts")
    says("all-gpts-said", "117, 345, 762 and 1,542 million", "124, 355, 774 and 1,558 million")
    published = {size.model: size.published for size in data.llm_sizes()}
    sizes = ("GPT-2 small", "GPT-2 medium", "GPT-2 large", "GPT-2 XL")
    assert [published[name] // 10**6 for name in sizes] == [117, 345, 762, 1542]


def test_the_exercises_count_what_the_page_counts():
    one = {
        matrix.name.removeprefix("blocks.*."): matrix.count // 24
        for matrix in matrices(TransformerConfig.preset("gpt2-medium"))
    }
    parts = {"attention.": 0, "mlp.": 0, "norm": 0}
    for name, number in one.items():
        part = next((part for part in ("attention.", "mlp.") if name.startswith(part)), "norm")
        if name.startswith(("attention", "mlp")):
            parts[part] += number
    space: dict[str, int] = {}
    exec(exercise("10.1").answer, space)
    assert list(parts.values()) == [space["attention_numbers"], space["mlp_numbers"], space["norm_numbers"]]
    assert sum(parts.values()) == 12_596_224 and "12,596,224" in exercise("10.1").explanation
    count: dict = {}
    exec(exercise("10.2").answer, count)
    for name in ("gpt1", "gpt2", "gpt2-xl", "gpt3"):
        config = TransformerConfig.preset(name)
        last = 0 if name == "gpt1" else 2 * config.width  # GPT-1 has no norm behind its blocks
        counted = count["count"](config.layers, config.width, config.vocabulary, config.context)
        assert counted == parameters(config) + 2 * config.width - last


@pytest.mark.slow
def test_other_heads_ruin_the_model():
    bits = [float(number) for number in re.findall(r"([\d.]+) bits a token", printed("heads"))]
    assert [f"{number}" for number in bits] == ["2.7", "13.7", "16.4"]
    says("heads-said", "2.7 bits", "13.7", "16.4")
    says("heads-words", "15.6")
    assert 2**15.55 < 49_152 < 2**15.65


def test_sizes_and_growth_are_those_of_the_table():
    sizes = {size.model: size for size in data.llm_sizes()}
    assert len(sizes) == 30 and "30 models" in WORDS["sizes"]
    known = {name: size.counted or size.published for name, size in sizes.items() if size.counted or size.published}
    growth = sizes["PaLM"].published / sizes["GPT-1"].counted
    assert max(known, key=known.get) == "PaLM" and 4550 < growth < 4680 and "4,600 times" in WORDS["sizes-said"]
    assert (sizes["GPT-1"].date, sizes["PaLM"].date) == ("2018-06", "2022-04")
    assert [name for name in sizes if name not in known] == ["GPT-3.5 (ChatGPT)", "GPT-4", "GPT-4o"]
    assert all(known[name] < known["GPT-3"] for name in sizes if name.startswith("LLaMA"))
    read = {float(sizes[name].read.split()[0]) for name in sizes if name.startswith("LLaMA")}
    assert read == {1.0, 1.4} and "300 billion" in sizes["GPT-3"].read
    says("sizes-said", "1 or 1.4 trillion tokens, GPT-3 only 0.3")
    says("sizes", "1,051,648 numbers more, MiniLM 148,608")
    assert "1,051,648" in sizes["BERT large"].note and "148,608" in sizes["MiniLM L6"].note
    says("sizes-said", "That they are decoder-only is inferred")
    says("families", "For GPT-4 this is inferred")
    assert "inferred" in sizes["GPT-4"].note


def test_claims_on_the_page_are_those_of_the_table():
    by_name = {claim.name: claim for claim in data.claims()}
    assert len(by_name) == 25 and "All 25 claims" in WORDS["claims-computed-said"]
    shown = CELLS["claims-computed"].source
    named = [name for name in by_name if f'"{name}"' in shown]
    assert len(named) == 6 and by_name["gpt-4 170 trillion"].verdict == "unknown"
    table = CELLS["claims-computed"].outputs[0]["data"]["text/plain"]
    computed = [name for name in named if by_name[name].check == "computed" and name != "token ids"]  # rounding
    assert len(computed) == 4 and all(check(name).sentence in table for name in computed)
    says("claims-computed-said", "So the verdict is *unknown*", "it has no source")
    assert {by_name[name].verdict for name in named} == {"true", "false", "partly true", "unknown"}


@pytest.mark.slow
def test_the_challenge_and_its_words_hold():
    task = exercise("10.4")
    assert (
        f"{BUDGET:,}" in task.task and lesson_10.cost(1, 24, 2, 96) == 8_904 and lesson_10.cost(2, 40, 4, 160) == 41_800
    )
    assert abs(lesson_10.saved(1, 24, 2, 96) - 2.86) < 0.06
    assert lesson_10.saved(1, 24, 2, 96) < task.mark - 0.1 < task.mark + 0.02 < lesson_10.saved(2, 48, 4, 190)


def test_parts_taken_out_cost_what_the_words_say():
    runs = {name: mean(bits) for name, bits in recorded_bits().items()}
    assert all(len(bits) == 3 for bits in recorded_bits().values())
    told = {
        "no residual stream": "4.81", "no attention": "3.65", "no positions": "3.51", "learned positions": "3.47",
        "sinusoidal positions": "3.40", "rotary positions": "3.08", "no MLP": "3.35", "no MLP, 12 layers": "3.43",
        "no normalisation": "3.25",
    }  # fmt: skip
    assert {name: f"{value:.2f}" for name, value in runs.items()} == told
    assert all(value in WORDS["ablation-said"] for value in told.values())
    lacking = [name for name in told if name.startswith("no ") and "12" not in name]
    assert lacking == sorted(lacking, key=lambda name: -runs[name])
    options = {option.text: option for option in lesson_questions("10")["predictions"][1].options}
    for words, name in (("normalisation", "no normalisation"), ("the MLP", "no MLP"), ("attention", "no attention"),
                        ("the residual stream, the plus", "no residual stream")):  # fmt: skip
        assert f"{runs[name] - runs['rotary positions']:.2f} bits" in options[words].explanation
    assert options["the residual stream, the plus"].right
    tables = [row for row in recorded("language_models").rows if row["setting"] in ("order 1", "order 2")]
    assert [f"{row['test_bits']:.2f}" for row in tables] == ["4.83", "3.62"]
    says("ablation-said", "4.83 on the same six plays", "3.62")
    every = recorded_bits()
    least = min(bits for name in told if name != "rotary positions" for bits in every[name])
    assert 3.06 < min(every["rotary positions"]) and max(every["rotary positions"]) < 3.095 < least
    assert min(every["learned positions"]) > max(every["no normalisation"])
    overlapping = [every[name] for name in ("no MLP", "no MLP, 12 layers", "no normalisation")]
    assert min(overlapping[0]) < max(overlapping[2]) and min(overlapping[1]) < max(overlapping[0])
    assert (f"{min(overlapping[0]):.2f}", f"{max(overlapping[0]):.2f}") == ("3.24", "3.45")
    rates = {row["learning_rate"] for row in recorded("transformer_ablations").rows if row["plays"] == "test"}
    assert rates == {0.01} and "all nine took 0.01" in WORDS["ablation-words"]
    sizes = {row["ablation"]: row["parameters"] for row in recorded("transformer_ablations").rows}
    assert [sizes[name] for name in ("rotary positions", "no MLP", "no attention")] == [202_880, 71_296, 136_832]


@pytest.mark.slow
def test_the_run_of_the_page_is_near_the_recorded_ones(names):
    runs = recorded_bits()["no MLP"]
    assert min(runs) - 0.25 < names["bits"](names["yours"]) < max(runs) + 0.25


@pytest.mark.slow
def test_each_family_does_the_task_that_it_is_for(names):
    rows = re.findall(r"(\S+) +(fill|continue|rewrite) +(\d+)% right, +(\d+)% by a rule", printed("families-toys"))
    assert [row[2] for row in rows] == ["100"] * 3 and {row[3] for row in rows} == {"12", "14"}
    for task, trained in names["trained"].items():
        score = names["families"].score(task, trained)
        assert score.share > 0.95 > 0.3 > score.baseline
    assert "young (decoder-only)" in printed("families-example")
    assert "duck (encoder-only)" in printed("families-example") and "the duck helps" in printed("families-example")
    says("families-said", "12 % to 14 %", "100 % of 500 sentences right")
