"""The map of words and the sums of words say what the vectors hold, and refuse in a sentence what they do not know."""

import numpy as np
import pytest

from course_utils.experiments.word_maps import AXES, Places, nearness, read_formula
from course_utils.explorers.embeddings import AnalogyExplorer, EmbeddingMap
from course_utils.plots.embeddings import WordMap
from course_utils.plots.picture import new_figure

from . import sweep
from .sweep_embeddings import space


def test_the_caption_names_the_nearest_words_of_the_step():
    explorer = EmbeddingMap(space())
    near = space().nearest("river", 1)[0]
    assert explorer.says.startswith(f"After 200 steps: nearest to river: {near[0]} {near[1]:.2f}")
    explorer.set(step=0)
    first = space().nearest("river", 1, step=0)[0]
    assert f"After 0 steps: nearest to river: {first[0]}" in explorer.says and first != near
    last = space().score(200)
    assert explorer.result.score == space().score(0) < 0.2 < 0.9 < last
    explorer.set(step=199)  # the last step that was kept
    assert "After 100 steps" in explorer.says


def test_a_group_is_shown_whole_and_comes_together_in_training():
    explorer = EmbeddingMap(space(), show="months", step=200)
    words = explorer.result.places.words
    assert words[0] == "river" and len(words) == 11
    spread = {}
    for step in (0, 200):
        explorer.set(show="all groups", step=step)
        places, marks = explorer.result.places.at, np.array(explorer.result.places.groups)
        own = np.mean([places[marks == mark].std(axis=0).sum() for mark in range(12)])
        spread[step] = own / places.std(axis=0).sum()
    assert spread[200] < 0.8 < spread[0]


def test_two_words_as_axes_show_their_cosines():
    explorer = EmbeddingMap(space(), projection=AXES, axes="ocean, Mother", show="family")
    places = dict(zip(explorer.result.places.words, explorer.result.places.at, strict=True))
    assert places["mother"][1] == pytest.approx(1, abs=1e-5)
    units = space().units()
    assert places["dad"] == pytest.approx(
        units[[space().row("ocean"), space().row("mother")]] @ units[space().row("dad")]
    )
    assert explorer.inputs["axes"].layout.display is None
    explorer.set(projection="where they spread most")
    assert explorer.inputs["axes"].layout.display == "none"


def test_vectors_without_a_training_have_no_slider():
    from course_utils.experiments.word_vectors import WordSpace

    explorer = EmbeddingMap(WordSpace("still", space().words, {0: space().vectors}))
    assert explorer.inputs["step"].layout.display == "none" and explorer.says.startswith("Nearest to river")
    assert explorer.as_python() == "EmbeddingMap(still)"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"word": "rivver"}, '"rivver" is not among the 139 words that have a vector here; spelled alike: river'),
        ({"word": ""}, "there is no word here: type one of the 139 words"),
        ({"word": "日本語"}, "none is spelled like it"),
        ({"axes": "ocean"}, "the axes need two words, such as ocean mother, not 1"),
        ({"axes": "ocean mothr"}, '"mothr" is not among'),
    ],
)
def test_an_unknown_word_is_a_sentence_with_near_spellings_and_the_map_stays(values, told):
    explorer = EmbeddingMap(space())
    before = explorer.says, explorer.png
    for name, value in values.items():
        explorer.inputs[name].value = value
    assert told.replace("139", str(len(space().words))) in explorer.problem
    assert (explorer.says, explorer.png) == before
    assert told[:10] in sweep.refuses(lambda: EmbeddingMap(space(), **values))


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("", "there is no word here"),
        ("she - he + fathr", '"fathr" is not among'),
        ("she he father", "write words with + or - between them"),
        ("she -- he", "write words with + or - between them"),
        ("she -", "write words with + or - between them"),
        ("she", "2 to 8 words, not 1"),
        (" + ".join(["she"] * 9), "2 to 8 words, not 9"),
        ("<script>alert(1)</script> - he", "is not among"),
    ],
)
def test_a_sum_that_is_none_is_a_sentence(formula, told):
    explorer = AnalogyExplorer(space())
    before = explorer.says
    explorer.inputs["formula"].value = formula
    assert told in explorer.problem and explorer.says == before


def test_formulas_are_read_with_any_minus_and_any_case():
    assert (
        read_formula("she−he + Father") == read_formula(" she – he+Father ") == [(1, "she"), (-1, "he"), (1, "Father")]
    )
    assert read_formula("- he + she") == [(-1, "he"), (1, "she")]
    assert AnalogyExplorer(space(), formula="SHE - He + son").result.formula == "she - he + son"


@pytest.mark.parametrize("measure", ["cosine", "dot product", "distance"])
def test_the_answers_are_the_nearest_by_each_measure(measure):
    explorer = AnalogyExplorer(space(), formula="gold - silver + wheat", measure=measure)
    one = space().units() if measure == "cosine" else space().vectors
    rows = [space().row(word) for word in ("gold", "silver", "wheat")]
    values = nearness(one, one[rows[0]] - one[rows[1]] + one[rows[2]], measure)
    order = np.argsort(values if measure == "distance" else -values)
    expected = [space().words[row] for row in order if row not in rows]
    assert [word for word, _ in explorer.result.best] == expected[:8]
    explorer.set(own=True)
    assert [word for word, _ in explorer.result.best] == [space().words[row] for row in order[:8]]


def test_the_two_lines_of_a_sum_are_the_same_step():
    places = AnalogyExplorer(space(), formula="she - he + father").result.places
    (he, she), (father, end) = places.links
    assert [places.words[at] for at in (he, she, father, end)] == ["he", "she", "father", "the sum"]
    assert places.at[she] - places.at[he] == pytest.approx(places.at[end] - places.at[father], abs=1e-5)


def test_labels_never_lie_over_each_other_and_strong_words_come_first():
    axes = new_figure(4, 3).add_axes((0, 0, 1, 1), xlim=(-1, 1), ylim=(-1, 1))
    shown = WordMap(axes, 3)
    at = np.array([[0, 0], [0.02, 0.01], [0.99, 0.5]])
    shown.update(Places(["river", "lake", "gold"], at, [0, 0, 1], strong=[1]))
    texts = {label.get_text(): label.get_position()[0] for label in shown.labels}
    assert set(texts) == {"lake", "", "gold"} and texts["gold"] < 0.99, "left of its mark where the picture ends"
    shown.update(Places(["river"], at[:1], [0]), ghost=Places(["river", "sea"], at[1:], [0, 0]))
    assert [len(lines.get_segments()) for lines in (shown.ghost, shown.links)] == [1, 0]


def test_a_pinned_state_is_shown_only_where_it_compares():
    explorer = EmbeddingMap(space(), step=100)
    explorer.pin()
    explorer.set(step=200)
    moved = len(explorer.panels["map"].ghost.get_segments())
    assert moved == len(explorer.result.places.words)
    explorer.set(show="months")
    assert len(explorer.panels["map"].ghost.get_segments()) == 0
    sums = AnalogyExplorer(space())
    sums.pin()
    sums.set(formula="gold - silver + wheat")
    assert len(sums.panels["plane"].ghost.get_segments()) == 0
