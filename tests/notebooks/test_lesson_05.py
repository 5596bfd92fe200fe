"""What lesson 05 says of its runs, recorded and live."""

import pytest

from course_utils import assets, data
from course_utils.commands import notebooks
from course_utils.experiments.overfitting import mean_and_margin

PAGE = assets.project_folder() / "notebooks" / "05_training_in_practice.ipynb"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The names that each cell leaves behind, by the cell's id; the second picture and its exercise are left out."""
    names, after = {}, {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_PROGRESS", str(tmp_path_factory.mktemp("progress") / "progress.json"))
        for cell in notebooks.read(PAGE).cells:
            if cell.cell_type == "code" and cell.id not in ("lab-again", "exercise-05-5"):
                exec(compile(cell.source, cell.id, "exec"), names)
                after[cell.id] = dict(names)
    return after


@pytest.mark.slow
def test_the_network_learns_all_wrong_labels_by_heart(page):
    names = page["train"]
    assert names["same"][names["run"].wrong].sum() >= 29 and names["score"]["train_accuracy"] > 0.98
    losses = names["run"].curve[:, 2]
    assert 0.7 < names["score"]["validation_accuracy"] < 0.85 and losses[-1] > 1.2 * losses.min()


@pytest.mark.slow
def test_more_digits_help_at_equal_steps_and_more_steps_undo_it(page, capsys):
    names = dict(page["train"])
    exec(next(cell.source for cell in notebooks.read(PAGE).cells if cell.id == "more-digits"), names)
    lines = [line.replace(",", "").replace("%", "").split() for line in capsys.readouterr().out.splitlines()]
    steps, validation = [int(line[4]) for line in lines], [int(line[-1]) for line in lines]
    assert max(steps[:3]) < 1.05 * min(steps[:3]) and steps[3] > 3 * steps[2]
    assert validation[0] + 8 < validation[1] < validation[2] - 8 and validation[3] < validation[2] - 8


@pytest.mark.slow
def test_the_folds_choose_as_the_other_digits_do(page):
    names = page["cross-try"]
    assert len(names["small"]) == len(names["large"]) == 5
    assert min(names["gains"]) > 0 and sum(names["gains"]) / 5 > 0.05
    assert all(max(scores) - min(scores) > 0.099 for scores in (names["small"], names["large"])), "prediction 05.c"
    assert max(names["gains"]) - min(names["gains"]) > 0.05
    assert names["others"][0] > names["others"][1] + 0.05
    assert (names["run"].true_labels == names["run"].noisy_labels).float().mean() == pytest.approx(0.8)


@pytest.mark.slow
def test_two_cures_do_what_the_page_says(page):
    decayed, run = page["decay-try"]["decayed"], page["train"]["run"]
    weights = [
        sum(table.detach().square().sum().item() for table in each.network.parameters()) for each in (run, decayed)
    ]
    assert weights[1] < 0.4 * weights[0] and page["decay-try"]["same"][decayed.wrong].sum() < 15
    names = page["early-try"]
    assert names["best"] == names["run"].curve[:, 2].argmin()
    assert len(names["stopped"].curve) < 100
    assert names["losses"][names["best"]] <= names["losses"][names["kept"]]


@pytest.mark.slow
def test_two_cures_together_underfit(page, capsys):
    names = dict(page["two-cures"])
    scores = {}
    for name, setting in names["cures"].items():
        runs = [names["TrainingRun"](setting, seed) for seed in (10, 11, 12)]
        for each in runs:
            each.train()
        scores[name] = [each.accuracies() for each in runs]
    *alone, both = scores.values()
    for kind in ("train_accuracy", "test_accuracy"):
        for one in alone:
            assert all(worse[kind] < better[kind] - 0.05 for worse, better in zip(both, one, strict=True))


def test_what_the_page_says_of_pairs_is_in_the_record():
    rows = data.recorded("regularisers").rows
    runs = {}
    for row in rows:
        if (row["chosen"] and row["learning_rate"] == 0.03) or (row["setting"], row["strength"]) == ("none", 0.003):
            runs.setdefault((row["setting"], row["strength"]), {})[row["seed"]] = row["test_accuracy"]
    slow, nothing = runs.pop(("none", 0.003)), runs.pop(("none", 0.03))

    def pairs(one, other):
        assert one.keys() == other.keys() and len(one) == 10
        differences = [one[seed] - other[seed] for seed in one]
        return differences, *mean_and_margin(differences)

    assert len(runs) == 5
    for cure in runs.values():
        differences, average, margin = pairs(cure, nothing)
        assert min(differences) > 0 and 9 <= round(100 * average) <= 12 and average > margin
        assert sum(cure.values()) < sum(slow.values())
    early = runs["early_stopping", 5]
    assert max(pairs(runs["dropout", 0.8], early)[0]) < 0
    for other in (runs["weight_decay", 0.03], runs["augmentation", 1], slow):
        _, average, margin = pairs(other, early)
        assert abs(average) < margin
    _, average, margin = pairs(runs["learning_rate_decay", 0.001], early)
    assert -0.02 < average < -margin


def test_what_the_page_says_of_the_smaller_learning_rate_is_in_the_record():
    def means(rate):
        found = {}
        for row in data.recorded("regularisers").rows:
            if row["learning_rate"] == rate and (row["chosen"] or row["setting"] == "none"):
                found.setdefault(row["setting"], []).append((row["test_accuracy"], row["wrong_given_back"]))
        assert all(len(runs) == 10 for runs in found.values()), "one strength each"
        return {name: [sum(column) / 10 for column in zip(*runs, strict=True)] for name, runs in found.items()}

    large, small = means(0.03), means(0.003)
    assert large["none"][1] == 30 and large["dropout"][1] > 20, "dropout helps although most are given back"
    assert all(back < 10 for name, (_, back) in large.items() if name not in ("none", "dropout"))
    assert small["none"][1] < 5, "too few epochs to learn them by heart"
    for cure in ("dropout", "weight_decay", "early_stopping"):
        assert abs(small[cure][0] - small["none"][0]) < 0.01, "less than a percentage point"
    for cure in ("learning_rate_decay", "augmentation"):
        assert small[cure][0] < small["none"][0] - 0.03, "do harm"


def test_what_the_page_says_of_the_search_is_in_the_record():
    scores, tests = {}, {}
    for row in data.recorded("architectures").rows:
        scores.setdefault((row["width"], row["depth"]), []).append(row["validation_accuracy"])
        tests.setdefault((row["width"], row["depth"]), []).append(row["test_accuracy"])
    means, judged = ({shape: sum(runs) / 5 for shape, runs in found.items()} for found in (scores, tests))
    assert means[4, 3] < means[4, 2] < means[4, 1] < min(means[width, 1] for width in (8, 32, 128, 512))
    wide = [average for (width, _), average in means.items() if width >= 32]
    assert len(wide) == 9 and 0.79 <= min(wide) < max(wide) < 0.84
    assert round(means[4, 3], 2) == 0.35
    winner = max(means, key=means.get)
    assert winner == (128, 2) and judged[winner] < min(judged[32, 1], judged[512, 1], judged[512, 2])
    assert round(judged[32, 1], 3) == round(judged[512, 2], 3) == 0.834
