"""What methods that ask a language model have in common: hyper-parameters, demonstrations, the turns of a prompt."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.method import Context
from xlt_bench.prompting.demonstrations import Demonstration, draw
from xlt_bench.prompting.rules import rule_named
from xlt_bench.prompting.templates import FROM_FILE, TEMPLATES, Turn, check_template, question
from xlt_bench.prompting.words import ClassWords
from xlt_bench.resources import Resources
from xlt_bench.resources.template import TEMPLATE
from xlt_bench.task import Example, Labelled

LABEL_WORDS = "label-words"
_SAVED = "prompt.json"


@dataclass(frozen=True)
class Conversation:
    """What is fixed of all prompts of a run.

    Attributes:
        template: its text.
        demonstrations: labelled source examples, in the order in which they are shown.
        max_characters: of a text that are kept.
    """

    template: str
    words: ClassWords
    demonstrations: tuple[Demonstration, ...]
    max_characters: int

    def turns(self, example: Example) -> list[Turn]:
        """The demonstrations, and the question about an item."""
        return [
            *(Turn(self._question(source), self._answer(source, gold)) for source, gold in self.demonstrations),
            Turn(self._question(example)),
        ]

    def _question(self, example: Example) -> str:
        return question(self.template, example, self.words.choices(example.language), self.max_characters)

    def _answer(self, example: Example, gold: int) -> str:
        return self.words.choices(example.language)[gold]

    def save(self, folder: Path) -> None:
        """Write the demonstrations; the template and the words are resources, or the package's own."""
        folder.mkdir(parents=True, exist_ok=True)
        plain = [[list(example), gold] for example, gold in self.demonstrations]
        (folder / _SAVED).write_text(json.dumps(plain, ensure_ascii=False), encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class PromptedMethod:
    """A method that trains nothing; see `xlt_bench.method.Prompting`.

    Args:
        template: a name of `TEMPLATES`, or `file` for the resource `template`.
        demonstrations: labelled source examples before the question, each class as often as the others.
        label_words: whether the words for the classes come from the resource `label-words`; else each class is its own.
        rule: how a class is read from an answer in words, a name of `xlt_bench.prompting.rules.RULES`.
        answer_tokens: of an answer, at most.
        max_characters: of a text that are kept.
    """

    abstains: ClassVar[bool] = True
    tunes: ClassVar[tuple[str, ...]] = ()
    procedure: ClassVar[str] = "nothing is trained, a language model is asked"

    template: str = "classes"
    demonstrations: int = 0
    label_words: bool = False
    rule: str = "first-mention"
    answer_tokens: int = 16
    max_characters: int = 2_000

    def __post_init__(self) -> None:
        check_template(self.template)
        rule_named(self.rule)
        if self.demonstrations < 0 or min(self.answer_tokens, self.max_characters) < 1:
            raise ConfigError(
                "a prompt needs demonstrations >= 0, answer_tokens and max_characters of at least 1, not "
                f"{self.demonstrations}, {self.answer_tokens}, {self.max_characters}"
            )

    @property
    def needs(self) -> frozenset[str]:
        """The resources that hyper-parameters ask for."""
        declared = {TEMPLATE: self.template == FROM_FILE, LABEL_WORDS: self.label_words}
        return frozenset(name for name, is_declared in declared.items() if is_declared)

    def prompt(self, resources: Resources) -> Mapping[str, Any]:
        """See `Prompting.prompt`."""
        return {"template": self._template(resources), "demonstrations": self.demonstrations}

    def conversation(self, train: Labelled, context: Context) -> Conversation:
        """What a run asks: demonstrations are drawn from the train split by the context's seed."""
        return self._conversation(draw(train, self.demonstrations, context.seed), context)

    def load_conversation(self, folder: Path, context: Context) -> Conversation:
        """What `Conversation.save` wrote.

        Raises:
            MethodError: nothing of the kind.
        """
        try:
            plain = json.loads((folder / _SAVED).read_text(encoding="utf-8"))
            demonstrations = tuple((Example(*example), int(gold)) for example, gold in plain)
        except (OSError, ValueError, TypeError) as error:
            raise MethodError(f"{folder / _SAVED} holds no demonstrations ({error})") from error
        return self._conversation(demonstrations, context)

    def _conversation(self, demonstrations: tuple[Demonstration, ...], context: Context) -> Conversation:
        by_language = context.resources[LABEL_WORDS] if self.label_words else {}
        words = ClassWords(context.labels, by_language)
        return Conversation(self._template(context.resources), words, demonstrations, self.max_characters)

    def _template(self, resources: Resources) -> str:
        return str(resources[TEMPLATE]) if self.template == FROM_FILE else TEMPLATES[self.template]


@dataclass
class Tally:
    """What a run's answers took, for its Record.

    Attributes:
        items: that were asked about.
        abstained: those whose answer names no class, or that got none.
        unread: some answers that name no class.
    """

    items: int = 0
    abstained: int = 0
    unread: tuple[str, ...] = ()

    _MOST = 5
    _LONGEST = 100

    def count(self, answers: Sequence[str | None], abstained: Sequence[bool]) -> None:
        """Add items: their answers in words, where there are any, and whether they got no class."""
        unread = [answer for answer, without in zip(answers, abstained, strict=True) if without and answer is not None]
        self.items += len(answers)
        self.abstained += sum(abstained)
        excerpts = (answer[: self._LONGEST] for answer in unread)
        self.unread = tuple(dict.fromkeys([*self.unread, *excerpts]))[: self._MOST]
