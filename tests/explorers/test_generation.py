"""StepSampler and ContinuationTree: their numbers against the sampling module and plain arithmetic; odd input."""

import math

import pytest
import torch

from course_utils import sampling
from course_utils.experiments.writing import DEPTH, LEAVES, LONGEST, ROWS
from course_utils.explorers.base import Explorer
from course_utils.explorers.generation import ContinuationTree, StepSampler
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.plots.bars import percent
from course_utils.sampling import Reader

from .sweep import refuses
from .sweep_sampling import model, tokenizer

MADE_FROM = {"model": model(), "tokenizer": tokenizer()}  # the names that a copied line uses


def surprise(ids: list[int], prompt: int) -> list[float]:
    """Bits of each token after the prompt, from one reading of the whole text without a cache."""
    with torch.inference_mode():
        log_probability = model()(torch.tensor([ids]))[0].double().log_softmax(-1)
    return [-float(log_probability[place - 1, ids[place]]) / math.log(2) for place in range(prompt, len(ids))]


def sentence(explorer: Explorer, button: str) -> str:
    """What a press of the button in the page is answered with; the picture stays."""
    before = explorer.png
    explorer.buttons[button].click()
    assert explorer.png == before
    return explorer.problem


def test_reader_gives_what_reading_anew_gives_whatever_was_read_before() -> None:
    reader, generator = Reader(model(context=400)), torch.Generator().manual_seed(0)
    text = torch.randint(0, len(tokenizer()), (300,), generator=generator).tolist()
    for ids in (text[:5], text[:6], text[:5], text[:3] + text[50:60], text[:1], text, [*text[:299], 7], text):
        assert torch.allclose(reader.logits(ids), sampling.next_logits(reader.model, ids), atol=1e-5)


def test_reader_is_sound_after_a_text_it_refused() -> None:
    reader = Reader(model(context=16))
    first = reader.logits([1, 2, 3])
    assert "16" in refuses(lambda: reader.logits([1, 2, 3] + [4] * 20))
    assert torch.allclose(reader.logits([1, 2, 3]), first)


def test_surprise_and_text_are_those_of_the_tokens_taken() -> None:
    explorer = StepSampler(model(), tokenizer(), prompt="The cat")
    prompt = len(tokenizer().encode("The cat"))
    for row in (3, 1, 10, 2):
        explorer.set(row=row)
        likeliest = sampling.next_logits(explorer.model, explorer.writing.ids).topk(ROWS).indices
        explorer.take()
        assert explorer.writing.ids[-1] == likeliest[row - 1]
    explorer.let_model()
    expected = surprise(explorer.writing.ids, prompt)
    assert len(expected) == 5 and explorer.result.bits == pytest.approx(expected, abs=1e-3)
    assert f"5 tokens written, {sum(expected):.1f} bits" in explorer.says
    assert explorer.result.text == tokenizer().decode(explorer.writing.ids[prompt:])
    assert [bar.get_width() for bar in explorer.panels["written"].bars][:5] == pytest.approx(expected, abs=1e-3)


def test_always_the_first_row_is_greedy_writing() -> None:
    explorer = StepSampler(model(), tokenizer(), prompt="The cat")
    for _ in range(8):
        explorer.take()
    [greedy] = sampling.generate_many(
        model(), tokenizer(), "The cat", 1, temperature=0, max_new_tokens=8, stop_tokens=[]
    )
    assert explorer.writing.ids[explorer.writing.prompt :] == greedy.ids
    assert sum(explorer.result.bits) == pytest.approx(-sum(greedy.log_probabilities) / math.log(2), abs=1e-3)


def test_what_the_model_chooses_follows_its_probabilities() -> None:
    sharp = model()
    with torch.no_grad():
        sharp.token_embedding.weight *= 12  # an untrained model finds all alike; this one has favourites
    explorer = StepSampler(sharp, tokenizer())
    probability = explorer.writing.logits.softmax(-1)
    drawn = []
    for _ in range(60):
        explorer.writing.write_drawn()
        drawn.append(explorer.writing.ids[-1])
        explorer.writing.back()
    assert len(set(drawn)) > 1
    expected = float(probability[int(probability.argmax())])
    share = drawn.count(int(probability.argmax())) / len(drawn)
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / len(drawn)) + 1e-9


def test_back_undoes_a_step_and_refuses_to_go_before_the_prompt() -> None:
    explorer = StepSampler(model(), tokenizer())
    explorer.take()
    before = explorer.says, explorer.result
    explorer.let_model()
    assert explorer.says != before[0]
    explorer.back()
    assert explorer.says == before[0] and explorer.result.bits == before[1].bits
    assert explorer.result.probabilities == pytest.approx(before[1].probabilities, abs=1e-6)
    explorer.back()
    assert "nothing has been written" in sentence(explorer, "back")


def test_each_prompt_keeps_its_own_text_and_reset_forgets_all() -> None:
    explorer = StepSampler(model(), tokenizer())
    explorer.take()
    first = explorer.says
    explorer.set(prompt="The mat")
    assert explorer.says.startswith("0 tokens")
    explorer.set(prompt="Once upon a time")
    assert explorer.says == first
    explorer.reset()
    assert explorer.says.startswith("0 tokens") and explorer.result.text == ""


def test_the_list_reads_as_the_bars_and_choosing_moves_the_colour() -> None:
    explorer = StepSampler(model(), tokenizer())
    words = [words for words, _ in explorer.inputs["row"].options]
    assert [word.rpartition("  ")[0] for word in words] == list(explorer.result.tokens)
    explorer.inputs["row"].value = 4
    colours = [bar.get_facecolor() for bar in explorer.panels["next"].bars]
    assert [colour != colours[3] for colour in colours].count(True) == ROWS - 1
    explorer.take()
    assert [words for words, _ in explorer.inputs["row"].options] != words and explorer.row == 4


def test_where_a_text_cannot_go_on_a_sentence_says_so() -> None:
    explorer = StepSampler(model(context=8), tokenizer(), prompt="cat")
    with pytest.raises(ValueError, match="context of 8"):
        for _ in range(9):
            explorer.take()
    assert "context of 8" in sentence(explorer, "let_model")
    explorer.back()
    explorer = StepSampler(model(context=2 * LONGEST), tokenizer(), prompt="cat")
    explorer.writing.bits += [1.0] * LONGEST
    assert f"{LONGEST} tokens" in sentence(explorer, "take")


def test_nothing_follows_the_stop_token() -> None:
    class Ends:
        encode, decode, token_bytes = tokenizer().encode, tokenizer().decode, tokenizer().token_bytes

        def __init__(self, end: int):
            self.end = end

    likeliest = StepSampler(model(), tokenizer()).writing.logits.topk(1).indices
    explorer = StepSampler(model(), Ends(int(likeliest)))
    explorer.take()
    assert "ended with the stop token" in sentence(explorer, "take")
    tree = ContinuationTree(model(), Ends(int(likeliest)))
    assert {len(leaf.path) for leaf in tree.result.leaves} == {1}
    assert "where the text ends" in sentence(tree, "grow")


@pytest.mark.parametrize("kind", [StepSampler, ContinuationTree])
def test_empty_and_endless_prompts_are_sentences(kind: type) -> None:
    assert "empty" in refuses(lambda: kind(model(), tokenizer(), prompt=""))
    explorer = kind(model(context=32), tokenizer(), prompt="cat")
    before = explorer.png
    explorer.inputs["prompt"].value = "cat " * 100
    assert "32" in explorer.problem and explorer.png == before
    explorer.inputs["prompt"].value = "the mat"
    assert explorer.problem == "" and explorer.png != before


@pytest.mark.parametrize("kind", [StepSampler, ContinuationTree])
def test_a_model_that_gives_nan_is_a_sentence(kind: type) -> None:
    broken = model()
    explorer = kind(broken, tokenizer())
    with torch.no_grad():
        for weight in broken.parameters():
            weight.fill_(torch.nan)
    before = explorer.png
    explorer.inputs["prompt"].value = "something else"
    assert "NaN" in explorer.problem and explorer.png == before


@pytest.mark.parametrize("kind", [StepSampler, ContinuationTree])
def test_a_vocabulary_smaller_than_the_picture_is_enough(kind: type) -> None:
    few = Transformer(TransformerConfig(vocabulary=3, width=16, layers=1, heads=2))

    class Letters:
        end = None

        def encode(self, text: str) -> list[int]:
            return [1 for _ in text]

        def decode(self, ids: list[int]) -> str:
            return "".join("abc"[token] for token in ids)

    explorer = kind(few, Letters(), prompt="b")
    explorer.buttons["take" if kind is StepSampler else "grow"].click()
    assert explorer.problem == ""


def test_products_along_the_paths_are_what_sampling_says_of_the_same_tokens() -> None:
    tree = ContinuationTree(model(), tokenizer(), prompt="The cat", branches=1)
    for _ in range(2):
        tree.grow()
    [leaf] = tree.result.leaves
    [greedy] = sampling.generate_many(
        model(), tokenizer(), "The cat", 1, temperature=0, max_new_tokens=4, stop_tokens=[]
    )
    assert list(leaf.path) == greedy.ids
    assert math.log(leaf.together) == pytest.approx(sum(greedy.log_probabilities), abs=1e-4)


def test_every_leaf_is_the_product_of_one_reading_of_its_text() -> None:
    tree = ContinuationTree(model(), tokenizer(), prompt="The cat", branches=3)
    for leaf in (2, 1, 4):
        tree.set(leaf=leaf)
        tree.grow()
    prompt = tokenizer().encode("The cat")
    assert len(tree.result.leaves) == 11 and len({len(leaf.path) for leaf in tree.result.leaves}) > 1
    for leaf in tree.result.leaves:
        expected = sum(surprise([*prompt, *leaf.path], len(prompt)))
        assert -math.log2(leaf.together) == pytest.approx(expected, abs=1e-3)
    chances = [leaf.together for leaf in tree.result.leaves]
    assert chances == sorted(chances, reverse=True) and sum(chances) <= 1 + 1e-6


def test_growing_replaces_the_chosen_leaf_by_its_likeliest_children() -> None:
    tree = ContinuationTree(model(), tokenizer(), branches=3)
    tree.set(leaf=2)
    leaf, before = tree.result.leaves[1], {node.path for node in tree.result.leaves}
    tree.grow()
    new = {node.path for node in tree.result.leaves} - before
    likeliest = sampling.next_logits(tree.model, [*tokenizer().encode(tree.prompt), *leaf.path]).topk(3).indices
    assert new == {(*leaf.path, token) for token in likeliest.tolist()}
    assert before - {node.path for node in tree.result.leaves} == {leaf.path}


@pytest.mark.parametrize(
    ("prompt", "label"), [("The cat sat on", "…sat on"), ("The mat", "The mat"), ("c" * 40, "…ccccccccc")]
)
def test_the_prompt_before_the_tree_is_cut_at_a_blank(prompt: str, label: str) -> None:
    tree = ContinuationTree(model(), tokenizer(), prompt=prompt)
    assert tree.figure.axes[0].texts[0].get_text() == label


def test_a_full_or_deep_tree_says_so_and_stays() -> None:
    tree = ContinuationTree(model(), tokenizer(), branches=4)
    with pytest.raises(ValueError, match=f"More than {LEAVES} leaves"):
        for _ in range(LEAVES):
            tree.grow()
    assert len(tree.result.leaves) <= LEAVES
    assert f"More than {LEAVES}" in sentence(tree, "grow")
    chain = ContinuationTree(model(), tokenizer(), branches=1)
    for _ in range(DEPTH - 2):
        chain.grow()
    assert f"{DEPTH} tokens deep" in sentence(chain, "grow")


def test_no_label_of_a_deep_tree_of_long_tokens_lies_on_another_or_outside() -> None:
    tree = ContinuationTree(model(), tokenizer(), branches=3)
    for leaf in (1, 1, 1, 5):
        tree.set(leaf=leaf)
        if not tree.problem and len(tree.result.leaves) + 2 <= LEAVES:
            tree.grow()
    result = tree.result
    longest = [
        type(node)(node.path, '"␣internationalisation"', *list(vars(node).values())[2:]) for node in result.nodes
    ]
    tree.draw(tree.figure, type(result)(result.prompt, tuple(longest), result.leaves, result.texts, result.chosen))
    tree.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in (*tree.figure.axes[0].texts, *tree.figure.texts)]
    assert len(boxes) > 25
    for number, box in enumerate(boxes):
        assert 0 <= box.x0 and box.x1 <= tree.figure.bbox.width
        assert not any(box.shrunk(0.9, 0.6).overlaps(other.shrunk(0.9, 0.6)) for other in boxes[:number])


def test_the_chosen_leafs_product_is_bold_and_no_other() -> None:
    tree = ContinuationTree(model(), tokenizer())
    for leaf in (1, 3):
        tree.set(leaf=leaf)
        products = [text for text in tree.figure.axes[0].texts if "bits" in text.get_text()]
        products.sort(key=lambda text: text.get_position()[1])
        bold = [at for at, text in enumerate(products) if text.get_weight() == "bold"]
        heights = {node.path: at for at, node in enumerate(n for n in tree.result.nodes if n.leaf)}
        assert bold == [heights[tree.result.leaves[leaf - 1].path]]


@pytest.mark.parametrize("row", [1, 4])
def test_a_copied_line_writes_the_same_text(row: int) -> None:
    explorer = StepSampler(model(), tokenizer(), prompt="The cat")
    assert eval(explorer.as_python(), {**MADE_FROM, "StepSampler": StepSampler}).says == explorer.says
    explorer.let_model()
    explorer.set(row=row)
    explorer.take()
    copied = eval(explorer.as_python(), {**MADE_FROM, "StepSampler": StepSampler})
    assert copied.says == explorer.says and copied.writing.ids == explorer.writing.ids and copied.row == row
    assert copied.png == explorer.png


@pytest.mark.parametrize("leaf", [1, 7])
def test_a_copied_line_grows_the_same_tree(leaf: int) -> None:
    tree = ContinuationTree(model(), tokenizer(), prompt="The cat, leaf=7)")
    for name in (1, 2, leaf):
        tree.set(leaf=min(name, len(tree.result.leaves)))
        tree.grow()
    tree.set(leaf=leaf)
    copied = eval(tree.as_python(), {**MADE_FROM, "ContinuationTree": ContinuationTree})
    assert copied.says == tree.says and copied.png == tree.png


def test_each_stop_of_the_tour_says_what_the_chosen_row_adds() -> None:
    explorer = StepSampler(model(), tokenizer())
    for number in range(len(explorer.tour)):
        explorer.visit(number)
        chosen = explorer.result.probabilities[explorer.row - 1]
        assert f"adds {-math.log2(chosen):.1f} bits" in explorer.tour_bar.sentence.value
        assert f"has {percent(chosen)}".replace("<", "&lt;") in explorer.tour_bar.sentence.value
