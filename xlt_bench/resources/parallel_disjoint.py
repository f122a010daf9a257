"""parallel-disjoint: pairs of a source and a target text, of train items whose labels the method does not get.

In a parallel task the translation of a labelled source item is a labelled target item. So the train items are split in
two by a hash of their ids, which languages share: of one half a fit on the sources gets the labels, of the other the
texts in pairs, without ids, labels and order. A method without pairs to compare with must do with the labels of that
half too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from xlt_bench.errors import ConfigError
from xlt_bench.resources.base import Scope, Supply, Text, hash_of, listed
from xlt_bench.task import Labelled

PARALLEL_DISJOINT = "parallel-disjoint"


class TextPair(NamedTuple):
    """Two texts that say the same, of an item that nobody has the label of.

    Attributes:
        language: code of the source language.
        source: the text in it.
        target: the text in the target language.
    """

    language: str
    source: Text
    target: Text


def is_labelled(item: str) -> bool:
    """Whether the label of the train item of this id may be used; of the others there are pairs."""
    return hashlib.sha256(item.encode()).digest()[0] % 2 == 0


def labelled_half(train: Labelled) -> Labelled:
    """The items whose labels may be used."""
    return train.take([row for row, example in enumerate(train.examples) if is_labelled(example.id)])


@dataclass(frozen=True)
class ParallelDisjoint:
    """See `Resource`. Content: target's code -> its pairs, one an item, in the order of a hash of the target's text.

    Of several sources the hash chooses one for each pair. A target that is a source has none.
    """

    name: str = PARALLEL_DISJOINT
    summary: str = "pairs of source and target texts from one half of the train items, labels from the other"
    path: str | None = None
    needs_path: bool = False

    def supply(self, scope: Scope) -> Supply:
        """The pairs of every target."""
        targets = [code for code in scope.targets if code not in scope.sources]
        if not targets:
            raise ConfigError(
                f"{self.name} pairs texts of the sources with those of other languages, and all targets "
                f"({listed(scope.targets) or 'none'}) are sources; give others (--targets)"
            )
        if not any(is_labelled(example.id) for code in scope.sources for example in _train(scope, code).examples):
            raise ConfigError(
                f"{self.name} leaves labels of one half of the sources' train items, and none of "
                f"{scope.task.name} is in it; take a task with more items"
            )
        renderings = _renderings(scope)
        pairs = {code: _pairs(_train(scope, code), renderings) for code in targets}
        missing = [code for code in targets if not pairs[code]]
        if missing:
            raise ConfigError(
                f"no train item without label of {listed(missing)} shares its id with one of the sources "
                f"({listed(scope.sources) or 'none'}), and the method needs {self.name}; leave these out of --targets, "
                "or take a task with parallel items"
            )
        return Supply(MappingProxyType(pairs), self._note(scope, pairs))

    def _note(self, scope: Scope, pairs: Mapping[str, tuple[TextPair, ...]]) -> str:
        train = scope.task.pool(scope.sources, "train")
        languages = f"{len(pairs)} target language{'s' * (len(pairs) > 1)}"
        return (
            f"Had the labels of {len(labelled_half(train)):,} of the {len(train):,} train items of its sources, and "
            f"{sum(map(len, pairs.values())):,} pairs of texts of the others, in {languages}."
        )

    def example(self, scope: Scope, folder: Path) -> None:
        """It takes no file."""


def _train(scope: Scope, code: str) -> Labelled:
    return scope.task.split(code, "train")


def _renderings(scope: Scope) -> dict[str, list[tuple[str, Text]]]:
    """By id, an unlabelled item in each source language that has it; none whose text a labelled item has too."""
    renderings: dict[str, list[tuple[str, Text]]] = {}
    for code in scope.sources:
        examples = _train(scope, code).examples
        with_label = {(example.text, example.text_pair) for example in examples if is_labelled(example.id)}
        for example in examples:
            if not is_labelled(example.id) and (example.text, example.text_pair) not in with_label:
                text = Text(example.text, example.text_pair)
                renderings.setdefault(example.id, []).append((code, text))
    return renderings


def _pairs(train: Labelled, renderings: Mapping[str, list[tuple[str, Text]]]) -> tuple[TextPair, ...]:
    """The pairs of one target."""
    pairs = []
    for example in train.examples:
        if sources := renderings.get(example.id):
            target = Text(example.text, example.text_pair)
            pairs.append(TextPair(*sources[int(hash_of(target), 16) % len(sources)], target))
    return tuple(sorted(pairs, key=lambda pair: (hash_of(pair.target), hash_of(pair.source))))
