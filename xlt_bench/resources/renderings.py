"""What a target's items are in the source language, for methods that read both.

A user's folder of translations says it, or, in a parallel task, the source's item of the same id. A rendering comes
with its item, by its place in the split, and tells neither id nor label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from xlt_bench.errors import ConfigError
from xlt_bench.resources.base import Resources, Scope, Text
from xlt_bench.resources.translation_folder import read_translations
from xlt_bench.task import Labelled, Split, Task

TRANSLATE_TRAIN, TRANSLATED_TEST = "translate-train", "translated-test"

Renderings = Mapping[str, Mapping[Split, tuple[Text, ...]]]
"""Target's code -> split -> the rendering of each of its items, in their order."""


def renderings(scope: Scope, splits: Sequence[Split], name: str) -> Renderings:
    """Those of all targets in the first source language, from the folder where the scope has one.

    Raises:
        ConfigError: there is no source, or an item that it has none of; the message begins with the resource's `name`.
        DataError: a file of the folder breaks a rule.
    """
    if not scope.sources:
        raise ConfigError(f"{name} is what items are in a source language, and --sources is none; give one")
    if scope.path is not None:
        by_target = read_translations(scope, splits, name)
    else:
        by_target = {code: {split: _of_task(scope, code, split, name) for split in splits} for code in scope.targets}
    return MappingProxyType({code: MappingProxyType(by_split) for code, by_split in by_target.items()})


def count_of_task(scope: Scope, content: Renderings) -> int:
    """How many of some renderings are the very text of the source's item of the same id."""
    count = 0
    for code, by_split in content.items():
        for split, texts in by_split.items():
            source_texts = _source_texts(scope, split)
            pairs = zip(scope.task.split(code, split).examples, texts, strict=True)
            count += sum(text == source_texts.get(example.id) for example, text in pairs)
    return count


def _source_texts(scope: Scope, split: Split) -> dict[str, Text]:
    """By id, the items of the first source language."""
    examples = scope.task.split(scope.sources[0], split).examples
    return {example.id: Text(example.text, example.text_pair) for example in examples}


def _of_task(scope: Scope, code: str, split: Split, name: str) -> tuple[Text, ...]:
    source_texts = _source_texts(scope, split)
    examples = scope.task.split(code, split).examples
    missing = sum(example.id not in source_texts for example in examples)
    if missing:
        raise ConfigError(
            f"{name}: {missing} of the {len(examples)} {split} items of {code} share no id with an item of "
            f"{scope.sources[0]}: nothing says what they are in it; give translations (--resource {name}=FOLDER), "
            "leave the language out of --targets, or take a task with parallel items"
        )
    return tuple(source_texts[example.id] for example in examples)


def rendered(task: Task, resources: Resources) -> Task:
    """The task with renderings beside the items that these resources have some of; it has the same fingerprint."""
    if not {TRANSLATE_TRAIN, TRANSLATED_TEST}.intersection(resources):
        return task
    data = {code: dict(splits) for code, splits in task.data.items()}
    for name in {TRANSLATE_TRAIN, TRANSLATED_TEST}.intersection(resources):
        by_target: Renderings = resources[name]
        for code, by_split in by_target.items():
            for split, texts in by_split.items():
                data[code][split] = _beside(data[code][split], texts)
    return replace(task, data=data)


def _beside(part: Labelled, texts: Sequence[Text]) -> Labelled:
    pairs = zip(part.examples, texts, strict=True)
    return Labelled(
        tuple(example._replace(rendering=(text.text, text.text_pair)) for example, text in pairs), part.gold
    )
