"""What lessons 6 to 8 measure comes out, and the recorded runs say what the course says about them."""

import math
from statistics import mean

import pytest
import torch

from course_utils.data import recorded
from course_utils.experiments import distance, language_models, word_vectors
from course_utils.experiments.language_models import RecurrentRun, ngram_bits, ngram_counts, recurrent_bits, train


def test_short_ngrams_score_as_recorded():
    counts = ngram_counts(3)
    table = {row["setting"]: row["test_bits"] for row in recorded("language_models").rows}
    for order in (1, 2, 3):
        assert ngram_bits(order, counts=counts) == pytest.approx(table[f"order {order}"], abs=1e-3)


def test_an_untrained_network_knows_only_how_many_characters_there_are():
    model, _ = train(RecurrentRun("rnn", width=16, steps=1, learning_rate=1e-9))
    assert recurrent_bits(model, "validation", 5000) == pytest.approx(math.log2(79), abs=0.4)


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_a_recurrent_network_learns_and_the_seed_decides_how(cell):
    setting = RecurrentRun(cell, width=48, steps=100)
    (model, history), (again, _) = train(setting), train(setting)
    assert history.steps == 100
    assert recurrent_bits(model, "validation", 20_000) < 4.2
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), again.parameters(), strict=True))


def test_the_state_is_carried_from_chunk_to_chunk(monkeypatch):
    model, _ = train(RecurrentRun("lstm", width=16, steps=3))
    whole = recurrent_bits(model, "validation", 20_000)
    monkeypatch.setattr(language_models, "CHUNK", 17)
    assert recurrent_bits(model, "validation", 20_000) == pytest.approx(whole, rel=1e-4)


def test_recorded_networks_improve_with_steps_and_long_ngrams_stop_helping():
    rows = recorded("language_models").rows
    bits = {(row["model"], row["setting"]): row["test_bits"] for row in rows}
    runs = {score.name: score.runs for score in language_models.recorded_scores()}
    for model in ("RNN", "LSTM"):
        assert max(runs[f"{model}, width 128, 2000 steps"]) < min(runs[f"{model}, width 128, 500 steps"])
        assert len(runs[f"{model}, width 128, 2000 steps"]) == 3
    assert max(runs["LSTM, width 128, 2000 steps"]) < min(runs["RNN, width 128, 2000 steps"])
    assert runs["LSTM, width 256, 6000 steps"][0] < bits["Kneser-Ney", "order 6"]
    ngrams = [bits["Kneser-Ney", f"order {order}"] for order in range(1, 8)]
    assert ngrams.index(min(ngrams)) == 5 and ngrams[5] < 2.25
    assert all(abs(row["validation_bits"] - row["test_bits"]) < 0.1 for row in rows)


def test_gradients_vanish_in_the_plain_network_and_last_longer_behind_an_open_gate():
    plain, gated, open_gate = (
        distance.gradient_by_distance(cell, 40, keep_bias=bias) for cell, bias in (("rnn", 0), ("lstm", 0), ("lstm", 2))
    )
    assert plain[20] < gated[20] / 10 < open_gate[20] / 100
    assert distance.gradient_by_distance("rnn", 40, scale=4.0)[40] > 100 * plain[40]
    with pytest.raises(ValueError, match="distance=-1"):
        distance.gradient_by_distance("rnn", -1)


def test_a_short_distance_is_recalled_and_nothing_is_recalled_untrained():
    assert distance.recall("LSTM, keep bias 2", 1, steps=200) > 0.9
    assert distance.recall("RNN", 20, steps=1) < 0.2
    with pytest.raises(ValueError, match="model='GRU' is not known"):
        distance.recall("GRU", 5)


def test_recorded_recall_ends_earlier_in_the_plain_network():
    rows = recorded("recall_by_distance").rows
    share = {
        (name, far): mean(row["recalled"] for row in rows if (row["model"], row["distance"]) == (name, far))
        for name in distance.MODELS
        for far in (5, 10, 20, 40, 80)
    }
    assert share["RNN", 20] < 0.12 and share["LSTM", 40] < 0.12  # chance is 0.0625
    assert share["LSTM, keep bias 2", 20] > 5 * share["RNN", 20]
    assert share["attention", 40] > 0.8


def test_the_hand_made_lists_are_sound():
    words, _ = word_vectors.corpus()
    groups = word_vectors.groups()
    listed = [word for members in groups.values() for word in members]
    assert len(groups) == 12 and min(map(len, groups.values())) >= 9
    assert len(set(listed)) == len(listed) and set(listed) <= set(words)
    questions = word_vectors.analogies()
    assert len(set(questions)) == len(questions) > 300
    assert {word for question in questions for word in question[1:]} <= set(words)


def test_scores_are_right_on_vectors_made_for_it():
    words, _ = word_vectors.corpus()
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(len(words), 50, generator=generator).numpy()
    assert word_vectors.group_score(words, vectors) < 0.02
    row = {word: place for place, word in enumerate(words)}
    for number, members in enumerate(word_vectors.groups().values()):
        for word in members:
            vectors[row[word]] = 0.01 * vectors[row[word]]
            vectors[row[word], number] += 1
    assert word_vectors.group_score(words, vectors) == 1
    assert word_vectors.analogy_score(words, vectors)["score"] < 0.05


def test_counted_vectors_know_the_groups():
    words, ids = word_vectors.corpus()
    vectors = word_vectors.ppmi_vectors(ids, len(words))
    assert word_vectors.group_score(words, vectors) > 0.42
    scores = word_vectors.analogy_score(words, vectors)
    assert scores["score"] > scores["neighbour"] + 0.05


def test_recorded_word_vectors_group_words_and_arithmetic_is_not_always_worth_it():
    rows = recorded("word_vectors").rows
    for method, window, least, seconds in (("PPMI + SVD", 4, 0.45, 5), ("skip-gram", 8, 0.40, 30)):
        runs = [row for row in rows if (row["method"], row["window"]) == (method, window)]
        assert len(runs) == 3
        assert max(row["processor_seconds"] for row in runs) < seconds
        gain = [row["analogy_score"] - row["analogy_neighbour"] for row in runs]
        assert all(row["group_score"] > least for row in runs)
        assert min(gain) > 0.1 if method == "PPMI + SVD" else mean(gain) < 0.03


def test_recorded_windows_of_two_and_five_words_group_worse():
    means = {
        window: mean(
            row["group_score"]
            for row in recorded("word_vectors").rows
            if (row["method"], row["window"]) == ("skip-gram", window)
        )
        for window in (2, 5, 8)
    }
    assert means[2] + 0.03 < means[5] < means[8]


def test_a_space_finds_words_neighbours_and_near_spellings():
    space = word_vectors.count_words()
    assert space.nearest("River ", n=1)[0][0] == "mississippi"
    for typed, told in (("rivver", "spelled alike: river"), ("qqqq", "none is spelled like it"), (" ", "no word here")):
        with pytest.raises(ValueError, match=told):
            space.row(typed)
    assert word_vectors.count_words() is space


def test_a_training_keeps_its_steps_from_the_random_beginning_on():
    space = word_vectors.guess_words(steps=150, seed=3)
    assert list(space.snapshots) == [0, 100, 150] and len(space.losses) == 150
    assert space.kept(149) == 100 and space.kept() == 150
    words, ids = word_vectors.corpus()
    again = word_vectors.skipgram_vectors(ids, len(words), steps=150, seed=3)
    assert (space.vectors == again).all() and not (space.snapshots[0] == space.snapshots[100]).all()
    assert not (space.snapshots[100] == space.snapshots[150]).all(), "each step is a copy"
    assert abs(space.snapshots[0]).max() <= 0.5 / 100
    assert space.losses[-1] < space.losses[0]


def test_the_words_of_a_real_table_are_its_rows():
    from course_utils.models import pretrained

    model, tokenizer = pretrained.load("smollm2-135m-instruct")
    table = word_vectors.table_words(model, tokenizer)
    assert len(table.words) > 10_000 and len(set(table.words)) == len(table.words)
    [token] = tokenizer.encode(" river")
    assert (table.vectors[table.row("river")] == model.token_embedding.weight[token].detach().numpy()).all()


def test_a_longer_text_takes_a_recurrent_network_longer():
    short, long = (
        distance.seconds_to_read("RNN", length, train=train) for length, train in ((16, False), (1024, True))
    )
    assert 0 < short < long
