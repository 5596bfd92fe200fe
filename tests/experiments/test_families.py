"""Each family learns the task it is for in seconds, far above its baseline, on combinations it never saw."""

import numpy as np
import pytest
import torch

from course_utils.experiments import families
from course_utils.experiments.families import BLANK, PAD, SOUNDS, Deed, DeedBatches, decode, encode
from course_utils.models.encoder_decoder import EncoderDecoder
from course_utils.models.transformer import Transformer


@pytest.fixture(scope="module")
def trained() -> dict[str, torch.nn.Module]:
    return {task: families.train(task)[0] for task in families.TASKS}


@pytest.mark.parametrize("task", families.TASKS)
def test_each_family_passes_its_baseline_by_far(task, trained) -> None:
    result = families.score(task, trained[task])
    assert 0 < result.baseline < 0.25 and result.share > 0.9


@pytest.mark.parametrize("task", families.TASKS)
def test_untrained_it_does_not(task) -> None:
    assert families.score(task, families.new_model(task)).share < 0.3


def test_a_decoder_cannot_fill_what_only_later_words_tell(trained) -> None:
    chosen = families.draw("held out", 500, np.random.default_rng(1))
    right = [deed.subject for deed in chosen]
    left = families.subject_from_the_left(trained["continue"], chosen)
    both = families.fill_subject(trained["fill"], chosen)
    shares = [np.mean([one == other for one, other in zip(said, right, strict=True)]) for said in (left, both)]
    assert shares[0] < 0.3 and shares[1] > 0.9


def test_sentences_are_written_whole(trained) -> None:
    deed = next(deed for deed in families.deeds("held out") if deed.subject == "cow")
    assert families.rewrite(trained["rewrite"], [deed]) == [" ".join(deed.passive)]
    assert families.name_sound(trained["continue"], [deed]) == ["moos"]
    assert families.fill_subject(trained["fill"], [deed]) == ["cow"]


def test_each_task_is_of_its_family() -> None:
    models = {task: families.new_model(task) for task in families.TASKS}
    fill, go_on, rewrite = models["fill"], models["continue"], models["rewrite"]
    assert isinstance(fill, Transformer) and not fill.config.causal
    assert isinstance(go_on, Transformer) and go_on.config.causal
    assert isinstance(rewrite, EncoderDecoder)
    with pytest.raises(ValueError, match="task='sing' is not known; choose one of: fill, continue, rewrite"):
        families.new_model("sing")  # type: ignore[arg-type]


def test_nothing_held_out_is_trained_on() -> None:
    train, held_out = ({(d.subject, d.verb, d.object) for d in families.deeds(part)} for part in ("train", "held out"))
    assert not train & held_out and len(train | held_out) == 8 * 6 * 7
    assert {subject for subject, _, _ in held_out} == set(SOUNDS)
    seen = {tuple(decode(row).split()) for step in range(20) for row in DeedBatches("rewrite", 64, 0)[step][0]}
    plain = {tuple(word for word in sentence if word not in families.ADJECTIVES) for sentence in seen}
    assert plain <= {tuple(deed.active) for deed in families.deeds("train")}


@pytest.mark.parametrize("task", families.TASKS)
def test_batches_depend_on_seed_and_step_alone(task) -> None:
    one, same, other = DeedBatches(task, 8, 0), DeedBatches(task, 8, 0), DeedBatches(task, 8, 1)
    assert all(torch.equal(a, b) for a, b in zip(one[3], same[3], strict=True))
    assert not torch.equal(one[3][0], one[4][0]) and not torch.equal(one[3][0], other[3][0])


def test_one_word_is_blank_and_it_alone_counts() -> None:
    ids, targets = DeedBatches("fill", 64, 0)[0]
    assert ((ids == BLANK).sum(dim=1) == 1).all() and torch.equal(ids == BLANK, targets != -100)
    assert (targets[ids == BLANK] != PAD).all()


@pytest.mark.parametrize("task", families.TASKS)
def test_padding_changes_no_loss(task) -> None:
    """A short sentence beside a long one costs what it costs alone."""
    model, objective = families.new_model(task), families.OBJECTIVES[task]
    short, long = Deed("dog", "sees", "cat"), Deed("owl", "hears", "cow", "old", "small")

    def batch(deeds: list[Deed]) -> tuple[torch.Tensor, torch.Tensor]:
        if task == "rewrite":
            return encode([d.active for d in deeds]), encode([["[begin]", *d.passive, "[end]"] for d in deeds])
        if task == "fill":
            return families.blanked(deeds, [1] * len(deeds))
        ids = encode([["[begin]", *d.told, "[end]"] for d in deeds])
        return ids[:, :-1], ids[:, 1:].masked_fill(ids[:, 1:] == PAD, -100)

    together, count = objective(model, batch([short, long]))
    alone = [objective(model, batch([deed])) for deed in (short, long)]
    assert count == sum(counted for _, counted in alone)
    torch.testing.assert_close(together, sum(loss for loss, _ in alone))
