"""Tiny tales measured, and a small language model trained on them: the base model of lessons 11, 15 and 16.

`variety` and `shortcuts` say how much there is to learn and that guessing does not do. `train` makes the model of
``datasets/checkpoints/tiny_tales.safetensors``; `load` reads it; `place_probabilities` asks where somebody needs
to head to.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from course_utils.data.tales import Heading, Question, Sentence, Tale, lexicon, tiny_tales_text
from course_utils.data.tales.questions import named_in
from course_utils.models.checkpoints import load_language_model
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.tokenizers.words import TableTokenizer, WordTokenizer
from course_utils.training import History, Recipe, fit, mean_loss, text_batches

PLACES = tuple(lexicon.PLACES)
_NAME = re.compile(r"\b(?:" + "|".join(person.name for person in lexicon.PEOPLE) + r")\b")
_PLACE = re.compile(r"(?<=the )(?:" + "|".join(PLACES) + r")\b")
_THING = re.compile(
    r"\b(?:" + "|".join((*lexicon.COLOURED, *lexicon.PLAIN, *lexicon.MANY, *lexicon.FOOD,
                         *(thing.name for _, thing in lexicon.MADE),
                         *(need.gain.name for need in lexicon.NEEDS if need.gain))) + r")\b"
)  # fmt: skip


def skeleton(sentence: str) -> str:
    """A sentence without what it is about: people, places, things, colours and times become signs.

    >>> skeleton("Anna took the red kite to the park.")
    'P took the C T to the L.'
    """
    for sign, words in (("P", _NAME), ("L", _PLACE), ("T", _THING)):
        sentence = words.sub(sign, sentence)
    return re.sub(r"\b(?:" + "|".join((*lexicon.COLOURS, *lexicon.LOOKS)) + r")\b", "C", sentence)


def variety(train: Sequence[Tale], held_out: Sequence[Tale]) -> dict[str, float]:
    """How varied the stories are.

    Args:
        train: stories that a model learns from.
        held_out: stories that it does not.
    """
    seen = Counter(sentence.text for tale in train for sentence in tale.sentences)
    shapes = Counter(skeleton(text) for text in seen.elements())
    told = [[sentence.text for sentence in tale.sentences] for tale in held_out]
    known = [[text in seen for text in tale] for tale in told]
    words = Counter(word for text in seen.elements() for word in re.findall(r"\w+", text.lower()))
    return {
        "stories": len(train),
        "sentences": seen.total(),
        "distinct sentences": len(seen),
        "distinct sentences, share of all": len(seen) / seen.total(),
        "distinct sentences without their names": len(shapes),
        "most frequent sentence without its names, share": shapes.most_common(1)[0][1] / shapes.total(),
        "distinct words": len(words),
        "held-out sentences that were seen, share": sum(map(sum, known)) / sum(map(len, known)),
        "held-out stories whose every sentence was seen, share": sum(map(all, known)) / len(known),
    }  # fmt: skip


def shortcuts(train: Sequence[Tale], held_out: Sequence[Tale], count: int = 4) -> dict[str, float]:
    """Share of held-out questions that are answered right by ways that do not follow the story.

    *Named last*, *first*, *most often*: of the people, places, things, reasons, times or colours of the story that the
    question does not name; for yes or no, the more frequent one. *Last sentence that names what the question names*:
    the last person, place or thing of the right sort in it. The classifiers are naive Bayes on words and pairs
    of words.

    Args:
        train: stories whose questions the frequent answers and the classifiers are learned from.
        held_out: stories whose questions are scored.
        count: questions a story.
    """
    known = [(tale, question) for tale in train for question in tale.questions(count)]
    asked = [(tale, question) for tale in held_out for question in tale.questions(count)]
    by_kind: dict[str, Counter[str]] = defaultdict(Counter)
    for _, question in known:
        by_kind[question.kind][question.right] += 1
    usual = {kind: found.most_common(1)[0][0] for kind, found in by_kind.items()}
    always = Counter(question.right for _, question in known).most_common(1)[0][0]

    def named(
        pick: Callable[[list[str]], str], part: Callable[[Tale, Question], Sequence[Sentence]]
    ) -> Callable[[Tale, Question], str]:
        def answer(tale: Tale, question: Question) -> str:
            found = named_in(part(tale, question), question, {event.what for s in tale.sentences for event in s.events})
            return pick(found) if found else usual[question.kind]

        return answer

    def whole(tale: Tale, question: Question) -> Sequence[Sentence]:
        return tale.sentences

    def about(tale: Tale, question: Question) -> Sequence[Sentence]:
        """Only the last sentence that names what the question names."""
        about = {*_NAME.findall(question.text), *_THING.findall(question.text)}
        lines = [line for line in tale.sentences if about & {*_NAME.findall(line.text), *_THING.findall(line.text)}]
        return lines[-1:]

    ways: dict[str, Callable[[Tale, Question], str]] = {
        "nothing read: always the most frequent answer": lambda tale, question: always,
        "question read: the most frequent answer to its kind": lambda tale, question: usual[question.kind],
        "named last in the story": named(lambda found: found[-1], whole),
        "named first in the story": named(lambda found: found[0], whole),
        "named most often in the story": named(lambda found: max(found, key=found.count), whole),
        "named last in the last sentence that names what the question names": named(lambda found: found[-1], about),
    }
    scores = {name: sum(way(*pair) == pair[1].right for pair in asked) / len(asked) for name, way in ways.items()}
    for name, text in (
        ("classifier on the question's words", lambda tale, question: question.text),
        ("classifier on the words of question and story", lambda tale, question: f"{question.text} {tale.text}"),
    ):
        scores[name] = _classified(
            [(text(*pair), pair[1].right) for pair in known], [(text(*pair), pair[1].right) for pair in asked]
        )
    return scores


def _classified(known: list[tuple[str, str]], asked: list[tuple[str, str]]) -> float:
    """Accuracy of naive Bayes on single words and pairs of words."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import ComplementNB
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        CountVectorizer(ngram_range=(1, 2), binary=True, lowercase=False, max_features=20_000), ComplementNB()
    )
    model.fit([text for text, _ in known], [right for _, right in known])
    return float(model.score([text for text, _ in asked], [right for _, right in asked]))


# -- the base model ----------------------------------------------------------------------------------------------------

CONTEXT = 192  # tokens in a window: a story, a question and an answer
SNAPSHOTS = (60, 250)  # steps at which the weights were kept too
PROMPTS = 24  # of `headings`, whose probabilities are recorded over training
BATCH = 10  # windows in a step
RECIPE = Recipe(
    0.02, optimiser="Muon", beside=0.01, momentum=0.95, smoothing=0.95, weight_decay=0.0, schedule="linear",
    cooldown=0.7,
)  # fmt: skip


@lru_cache(maxsize=1)
def words() -> WordTokenizer:
    """Every word of the training text is a token, as is every sign; other words are unknown."""
    return WordTokenizer.train(tiny_tales_text("train"), vocabulary_size=4000)


@lru_cache(maxsize=3)
def tale_ids(part: str) -> Tensor:
    """The text of one part as token ids, ``(tokens,)`` int64."""
    return torch.tensor(words().encode(tiny_tales_text(part)))


def config() -> TransformerConfig:
    """The base model's settings: about 1.4 million parameters."""
    return TransformerConfig.preset(
        "tiny", vocabulary=len(words()), context=CONTEXT, width=160, layers=4, heads=5, zero_outputs=True
    )


def held_out_loss(model: Transformer, part: str = "validation", windows: int = 40) -> float:
    """Mean surprisal in nats per token of evenly spread windows of a held-out text."""
    ids = tale_ids(part)
    starts = torch.linspace(0, len(ids) - CONTEXT - 1, windows).long()
    rows = ids[starts[:, None] + torch.arange(CONTEXT + 1)]  # (windows, CONTEXT + 1)
    return mean_loss(model, [(piece[:, :-1], piece[:, 1:]) for piece in rows.split(16)])


@torch.no_grad()
def next_word_probabilities(
    model: Transformer, prompt: str, options: Sequence[str] = (*PLACES, "apple")
) -> dict[str, float]:
    """The probability that each of some words comes next, as the model sees it.

    Args:
        model: of the tokens of `words`.
        prompt: a text that ends in the middle of a sentence, without a space after it.
        options: single words.

    Raises:
        ValueError: if an option is no token.
    """
    tokens = {option: words().encode(f" {option}") for option in options}
    unknown = [option for option, ids in tokens.items() if len(ids) != 1 or ids[0] == words().unknown]
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is no word of the tales; choose from their {len(words())} tokens.")
    chances = model(torch.tensor([words().encode(prompt)]))[0, -1].softmax(-1)
    return {option: chances[ids[0]].item() for option, ids in tokens.items()}


def place_probabilities(model: Transformer, prompts: Sequence[Heading]) -> list[dict[str, Any]]:
    """For each prompt, the probability of every place and of "apple"; one row a prompt."""
    return [
        {"prompt": number, "kind": asked.kind, "place": asked.place, **next_word_probabilities(model, asked.prompt)}
        for number, asked in enumerate(prompts)
    ]


def train(
    steps: int, *, seed: int = 0, recipe: Recipe = RECIPE,
    on_step: Callable[[Transformer, int, History], None] | None = None, progress: bool = False,
) -> tuple[Transformer, History]:  # fmt: skip
    """Train the base model from random weights on random windows of the training text.

    Args:
        steps: how many.
        seed: of the first weights and of the windows.
        recipe: how.
        on_step: called as ``on_step(model, steps done, history)`` after each step.
        progress: show a bar.
    """
    model = Transformer(config(), seed)
    batches = text_batches(tale_ids("train"), BATCH, CONTEXT, seed)

    def after(step: int, history: History) -> None:
        if on_step is not None:
            on_step(model, step + 1, history)

    return model, fit(model, batches, steps=steps, recipe=recipe, on_step=after, progress=progress)


def checkpoint(step: int | None = None) -> str:
    """The name of the trained base model's file, or of its weights at one of `SNAPSHOTS`."""
    return "tiny_tales" if step is None else f"tiny_tales-step-{step:05d}"


def load(step: int | None = None) -> tuple[Transformer, TableTokenizer]:
    """The trained base model in float32 and evaluation mode, and its tokenizer.

    Args:
        step: one of `SNAPSHOTS`, for the model on its way; None for the end.

    Raises:
        ValueError: if the file is missing or damaged.
    """
    model, tokenizer, _ = load_language_model(checkpoint(step))
    return model, tokenizer
