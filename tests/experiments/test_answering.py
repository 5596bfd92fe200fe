"""Questions about tales: what is learned, and that an answer counts only if every word of it is right."""

import torch
from torch import nn

from course_utils.alignment.sft import tokens_of
from course_utils.data.tales import tiny_tales
from course_utils.experiments.answering import conversation, conversations, exact_answers, fine_tune
from course_utils.experiments.tiny_tales import CONTEXT, config, words
from course_utils.models.transformer import Transformer
from course_utils.training import MASKED, Recipe


class Knowing(nn.Module):
    """Knows the next token of every question of a part, except of those that it is told to spoil."""

    def __init__(self, part: str, stories: int, spoil=lambda question: False):
        super().__init__()
        self.table = {}
        for tale in tiny_tales(part, stories):
            for question in tale.questions():
                tokens = tokens_of(conversation(tale, [question]), words())
                targets = tokens.targets.clone()
                if spoil(question):
                    targets[-1] = 1  # one wrong word at the end
                self.table[tuple(tokens.ids.tolist())] = targets

    def forward(self, ids):
        logits = torch.zeros(*ids.shape, len(words()))
        for row, each in enumerate(ids):
            found = next(targets for known, targets in self.table.items() if tuple(each[: len(known)].tolist()) == known
                         and not each[len(known) :].any())  # fmt: skip
            at = (found != MASKED).nonzero()[:, 0]
            logits[row, at, found[at]] = 1.0
        return logits


def test_a_conversation_is_the_story_once_and_then_its_questions():
    tale = next(tale for tale in tiny_tales("train", 20) if len(tale.questions()) > 1)
    turns = conversation(tale)
    whole = "".join(turn.prompt + turn.answer for turn in turns)
    assert whole.startswith(tale.text + "\nQuestion: ") and whole.count(tale.text) == 1
    assert whole.count("\nAnswer: ") == len(tale.questions()) and whole.endswith("\n")
    assert all(question.answer in whole for question in tale.questions())
    assert words().unknown not in words().encode(whole)


def test_conversations_fit_the_context():
    found = conversations("validation", 60)
    assert len(found) > 40 and all(len(tokens_of(turns, words()).ids) <= CONTEXT for turns in found)


def test_whoever_knows_all_answers_gets_all_and_one_wrong_word_spoils_one():
    assert exact_answers(Knowing("test", 6), stories=6, batch_size=4).share == 1.0
    some = exact_answers(Knowing("test", 6, spoil=lambda question: question.facts == 1), stories=6, batch_size=4)
    assert some.by_facts()[1] == 0.0 and all(share == 1.0 for facts, share in some.by_facts().items() if facts != 1)
    assert some.asked.total() == some.asked_by_facts.total() and some.right.total() == some.right_by_facts.total()


def test_fine_tuning_lowers_the_loss_of_the_answers():
    model = Transformer(config(), 0)
    history = fine_tune(model, 8, learned_from=conversations("validation", 12), recipe=Recipe(3e-3))
    assert history.losses[-1] < history.losses[0] - 0.5
