"""Templates: the text around an item that a language model is asked about, and what a whole prompt is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from xlt_bench.errors import unknown
from xlt_bench.resources.template import CHOICES, TEMPLATE, TEXT
from xlt_bench.task import Example

FROM_FILE = "file"
"""In place of a template's name: the resource `template` has the text."""

TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        "classes": (
            f"Which of these classes does the text belong to: {CHOICES}? Answer with the class alone.\n\n"
            f"Text: {TEXT}\nClass:"
        ),
        # the choices word for word as stored answers of GPT-3.5 and GPT-4 on SIB-200 quote them, without
        # `entertainment`; the question around them is P3's for news (Sanh et al. 2022), which their sentences echo
        "sib200-gpt": (
            "Is this a piece of news regarding "
            f'{{{{"science/technology, travel, politics, sports, health or geography"}}}}? {TEXT}'
        ),
        # the same with all classes of whatever task
        "news": f'Is this a piece of news regarding {{{{"{CHOICES}"}}}}? {TEXT}',
    }
)
"""By the name that `--set template=` takes."""


@dataclass(frozen=True)
class Turn:
    """A question and, of a demonstration, its answer."""

    question: str
    answer: str = ""


def check_template(name: str) -> None:
    """Refuse a name that nothing has.

    Raises:
        ConfigError: it, with those that there are.
    """
    if name not in (*TEMPLATES, FROM_FILE):
        listed = f"{', '.join(TEMPLATES)}, or {FROM_FILE} with --resource {TEMPLATE}=FILE"
        raise unknown("template", name, TEMPLATES, listed)


def question(template: str, example: Example, choices: Sequence[str], max_characters: int) -> str:
    """The template with an item and the words of the classes in it; a pair's texts stand on lines of their own.

    Args:
        max_characters: of each text that are kept.
    """
    texts = (example.text, example.text_pair)
    text = "\n".join(part[:max_characters] for part in texts if part is not None)
    head, _, tail = template.partition(TEXT)  # a text that has `{choices}` in it stays as it is
    listed = enumeration(choices)
    return head.replace(CHOICES, listed) + text + tail.replace(CHOICES, listed)


def enumeration(choices: Sequence[str]) -> str:
    """Words as a sentence lists them: `a, b or c`."""
    *leading, last = choices
    return f"{', '.join(leading)} or {last}" if leading else last


def messages(turns: Sequence[Turn]) -> list[dict[str, str]]:
    """A conversation that ends with the last question, as chat templates and endpoints take it."""
    *demonstrations, last = turns
    earlier = (
        {"role": role, "content": content}
        for turn in demonstrations
        for role, content in (("user", turn.question), ("assistant", turn.answer))
    )
    return [*earlier, {"role": "user", "content": last.question}]


def plain(turns: Sequence[Turn]) -> str:
    """One text that ends with the last question, for models without a chat template; a blank and an answer follow."""
    *demonstrations, last = turns
    return "\n\n".join([*(f"{turn.question} {turn.answer}" for turn in demonstrations), last.question])
