"""What a target's items are in the source language, for methods that read both.

In a parallel task that is the source's item of the same id. Ids are read here and nowhere else: a rendering comes with
its item, by its place in the split, and tells no label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from xlt_bench.errors import ConfigError
from xlt_bench.resources.base import Resources, Scope, Text
from xlt_bench.task import Labelled, Split, Task

TRANSLATE_TRAIN, TRANSLATED_TEST = "translate-train", "translated-test"

Renderings = Mapping[str, Mapping[Split, tuple[Text, ...]]]
"""Target's code -> split -> the rendering of each of its items, in their order."""


def renderings(scope: Scope, splits: Sequence[Split], name: str) -> Renderings:
    """Those of all targets in the first source language.

    Raises:
        ConfigError: there is no source, or an item that it has none of; the message begins with the resource's `name`.
    """
    if not scope.sources:
        raise ConfigError(f"{name} is what items are in a source language, and --sources is none; give one")
    by_target = {
        code: MappingProxyType({split: _of_split(scope, code, split, name) for split in splits})
        for code in scope.targets
    }
    return MappingProxyType(by_target)


def _of_split(scope: Scope, code: str, split: Split, name: str) -> tuple[Text, ...]:
    source = scope.sources[0]
    by_id = {example.id: Text(example.text, example.text_pair) for example in scope.task.split(source, split).examples}
    examples = scope.task.split(code, split).examples
    missing = sum(example.id not in by_id for example in examples)
    if missing:
        raise ConfigError(
            f"{name}: {missing} of the {len(examples)} {split} items of {code} share no id with an item of {source}: "
            "nothing says what they are in it; leave the language out of --targets, or take a task with parallel items"
        )
    return tuple(by_id[example.id] for example in examples)


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
