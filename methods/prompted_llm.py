"""A local causal language model that is asked for the class of a text; nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from xlt_bench.errors import ConfigError
from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.prompting.calibration import content_free, log_prior
from xlt_bench.prompting.method import Conversation, PromptedMethod, Tally
from xlt_bench.prompting.reading import scores_of, usage
from xlt_bench.prompting.rules import rule_named
from xlt_bench.prompting.templates import messages, plain
from xlt_bench.prompting.words import best_word
from xlt_bench.task import Example, Labelled

if TYPE_CHECKING:
    from xlt_bench.prompting.causal_lm import CausalLM


@dataclass(frozen=True, kw_only=True)
class PromptedLLM(PromptedMethod):
    """Asks the backbone, a causal language model.

    Args:
        template: `classes`, `news`, `sib200-gpt`, or `file` for that of --resource template=FILE.
        demonstrations: labelled source examples before the question, each class as often as the others.
        label_words: whether the words for the classes come from --resource label-words=FILE; else each is its own.
        rule: how a class is read from an answer: first-mention, last-mention, only-mention or exact.
        answer_tokens: of an answer, at most.
        max_characters: of a text that are kept.
        scoring: `likelihood`: the class whose word has the greatest log-likelihood after the prompt. `answer`: the
            class that the greedy answer names.
        per_token: divide a word's log-likelihood by its number of tokens.
        calibrated: subtract the classes' mean share of texts that say nothing, in the same prompt (Zhao et al. 2021).
        chat: ask through the tokenizer's chat template, where it has one.
    """

    uses_backbone: ClassVar[bool] = True
    asks_backbone: ClassVar[bool] = True

    scoring: Literal["likelihood", "answer"] = "likelihood"
    per_token: bool = False
    calibrated: bool = False
    chat: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scoring == "answer" and (self.per_token or self.calibrated):
            raise ConfigError("per_token and calibrated are of scoring=likelihood; an answer in words has no scores")

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> PromptedModel:
        """Draw the demonstrations, and load the model; dev is not looked at."""
        assert context.backbone.causal_lm is not None
        return PromptedModel(self, self.conversation(train, context), context)

    def load(self, folder: Path, context: Context) -> PromptedModel:
        """Restore what `PromptedModel.save` wrote."""
        return PromptedModel(self, self.load_conversation(folder, context), context)


class PromptedModel:
    """A language model with its prompt."""

    summary = FitSummary()

    def __init__(self, method: PromptedLLM, conversation: Conversation, context: Context) -> None:
        self.method = method
        self.conversation = conversation
        self.context = context
        self._tally = Tally()
        self._calibrations: dict[tuple[str, bool], NDArray[np.float64]] = {}

    @cached_property
    def model(self) -> CausalLM:
        """The backbone, ready to be asked."""
        from xlt_bench.prompting.causal_lm import CausalLM

        return CausalLM(self.context.backbone, special=not self._chats)

    @property
    def _chats(self) -> bool:
        return self.method.chat and bool(self.context.backbone.tokenizer.chat_template)

    def predict(self, examples: Sequence[Example]) -> Scores:
        """Scores of shape (items, classes), float32: log-likelihoods, or 1 for the class that an answer names.

        A row is NaN where the answer names no class, or the model has no room for the prompt.
        """
        if self.method.scoring == "answer":
            return self._answered(examples)
        scores = self._likelihoods(examples)
        if self.method.calibrated:
            for row, example in zip(scores, examples, strict=True):
                row -= self._calibration(example.language, example.text_pair is not None)
        self._tally.count([None] * len(examples), [bool(row.any()) for row in np.isnan(scores)])
        return scores.astype(np.float32)

    def _answered(self, examples: Sequence[Example]) -> Scores:
        generated = self.model.answers(list(map(self.prompt_of, examples)), self.method.answer_tokens)
        answers = [None if answer is None else answer.text for answer in generated]
        rule, words = rule_named(self.method.rule), self.conversation.words
        classes = [
            None if answer is None else words.read(answer, example.language, rule)
            for answer, example in zip(answers, examples, strict=True)
        ]
        self._tally.count(answers, [label is None for label in classes])
        return scores_of(classes, self.context.labels)

    def _likelihoods(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        """Of each class that of its most likely word, (items, classes)."""
        labels, words = self.context.labels, self.conversation.words
        separator = "" if self._chats else " "
        of_examples = [words.of(example.language) for example in examples]
        continuations = [
            [separator + word for word in chain.from_iterable(of_example[label] for label in labels)]
            for of_example in of_examples
        ]
        results = self.model.log_likelihoods(list(map(self.prompt_of, examples)), continuations)
        rows = [
            best_word((logs / tokens if self.method.per_token else logs).tolist(), of_example, labels)
            for (logs, tokens), of_example in zip(results, of_examples, strict=True)
        ]
        return np.array(rows, np.float64).reshape(len(examples), len(labels))

    def _calibration(self, language: str, is_pair: bool) -> NDArray[np.float64]:
        """Logarithm of the classes' mean shares for texts, or pairs of texts, that say nothing, (classes,)."""
        if (language, is_pair) not in self._calibrations:
            self._calibrations[language, is_pair] = log_prior(self._likelihoods(content_free(language, is_pair)))
        return self._calibrations[language, is_pair]

    def prompt_of(self, example: Example) -> str:
        """The whole text that the model is asked to go on from."""
        turns = self.conversation.turns(example)
        if not self._chats:
            return plain(turns)
        text: Any = self.context.backbone.tokenizer.apply_chat_template(
            messages(turns), tokenize=False, add_generation_prompt=True
        )
        return str(text)

    def report(self, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`usage`: tokens of prompts and answers, items without a class."""
        return usage(self._tally, self.model.prompt_tokens, self.model.answer_tokens)

    def save(self, folder: Path) -> None:
        """Write the demonstrations; the model is the backbone."""
        self.conversation.save(folder)
