"""A base model of tiny tales learns to answer questions about them: the fine-tuning of lesson 15, and its score.

A conversation is a story with its questions, one after another; only the answers are learned. The score asks each
question by itself, about stories that the model has never read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from course_utils.alignment.sft import Turn, answer_batches, padded, tokens_of
from course_utils.data.tales import Question, Tale, tiny_tales
from course_utils.experiments.tiny_tales import CONTEXT, RECIPE, words
from course_utils.training import MASKED, History, Recipe, fit

BATCH = 16  # conversations in a step


def prompt(story: str, question: str) -> str:
    r"""A story and a question in the template; what the model writes next is its answer.

    >>> prompt("Ann has a pear.", "What does Ann have at the end?")
    'Ann has a pear.\nQuestion: What does Ann have at the end?\nAnswer:'
    """
    return f"{story}\nQuestion: {question}\nAnswer:"


def conversation(tale: Tale, questions: Sequence[Question] | None = None) -> list[Turn]:
    """A story with its questions and answers, as `alignment.sft` takes it; the story stands before the first one.

    Args:
        tale: a story.
        questions: about it; None: its own four, or fewer.
    """
    asked = tale.questions() if questions is None else questions
    stories = [tale.text, *[""] * (len(asked) - 1)]
    return [
        Turn(prompt(story, question.text), f" {question.answer}\n")
        for story, question in zip(stories, asked, strict=True)
    ]


def conversations(part: str = "train", n: int | None = None) -> list[list[Turn]]:
    """One conversation for each story of a part that has a question and fits the model's context."""
    found = [conversation(tale) for tale in tiny_tales(part, n)]
    return [turns for turns in found if turns and len(tokens_of(turns, words()).ids) <= CONTEXT]


def fine_tune(
    model: nn.Module,
    steps: int,
    *,
    learned_from: Sequence[Sequence[Turn]] | None = None,
    recipe: Recipe = RECIPE,
    seed: int = 0,
    on_step: Callable[[int, History], bool | None] | None = None,
    progress: bool = False,
) -> History:
    """Go on training a model, on conversations, with the loss on the answers alone.

    Args:
        model: of the tokens of `tiny_tales.words`; is trained in place.
        steps: how many.
        learned_from: conversations; None: those of all training stories.
        recipe: how; the default is that of the base model's pretraining.
        seed: of the order.
        on_step: see `course_utils.training.fit`.
        progress: show a bar.
    """
    turns = conversations() if learned_from is None else learned_from
    batches = answer_batches(turns, words(), BATCH, context=CONTEXT, seed=seed)
    return fit(model, batches, steps=steps, recipe=recipe, on_step=on_step, progress=progress)


@dataclass(frozen=True)
class Answers:
    """How many questions a model answered exactly, word for word."""

    right: Counter[str]  # by kind of question
    asked: Counter[str]
    right_by_facts: Counter[int]  # by how many sentences of the story must be put together; 0: the story does not say
    asked_by_facts: Counter[int]

    @property
    def share(self) -> float:
        """Of all questions."""
        return self.right.total() / self.asked.total()

    def by_facts(self) -> dict[int, float]:
        """The share for each number of facts."""
        return {facts: self.right_by_facts[facts] / self.asked_by_facts[facts] for facts in sorted(self.asked_by_facts)}


@torch.inference_mode()
def exact_answers(model: nn.Module, part: str = "test", stories: int = 250, batch_size: int = 64) -> Answers:
    """Ask each question about so many stories by itself, and count the answers that are right word for word.

    A model that always writes its likeliest next word writes the whole answer exactly if, after the true words of the
    answer so far, each next word is the likeliest: so one reading of the right answer tells.

    Args:
        model: of the tokens of `tiny_tales.words`.
        part: ``"validation"`` or ``"test"``.
        stories: how many.
        batch_size: questions read side by side.
    """
    asked = [(question, tokens_of([turn], words())) for tale in tiny_tales(part, stories)
             for question in tale.questions() for turn in conversation(tale, [question])]  # fmt: skip
    asked = sorted((pair for pair in asked if len(pair[1].ids) <= CONTEXT), key=lambda pair: len(pair[1].ids))
    counts = Answers(Counter(), Counter(), Counter(), Counter())
    was_training = model.training
    model.eval()
    for at in range(0, len(asked), batch_size):
        group = asked[at : at + batch_size]
        ids, targets = padded([tokens for _, tokens in group])
        exact = ((model(ids).argmax(-1) == targets) | (targets == MASKED)).all(-1)  # (questions,)
        for (question, _), right in zip(group, exact.tolist(), strict=True):
            counts.asked[question.kind] += 1
            counts.asked_by_facts[question.facts] += 1
            counts.right[question.kind] += right
            counts.right_by_facts[question.facts] += right
    model.train(was_training)
    return counts
