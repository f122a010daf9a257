"""The toy task as a whole, twice: what a method may learn from is the same in both worlds, nothing else is."""

from __future__ import annotations

from itertools import count

import numpy as np

from xlt_bench.conformance import toy
from xlt_bench.resources import (
    PARALLEL_DISJOINT,
    SOURCE_PARALLEL,
    TRANSLATE_TRAIN,
    TRANSLATED_TEST,
    UNLABELLED_TARGET,
)
from xlt_bench.resources.parallel_disjoint import is_labelled
from xlt_bench.task import SPLITS, Labelled, Language, Split, Task

_SIZES: dict[Split, int] = {"train": 21, "dev": 14, "test": 28}


def world(number: int, needs: frozenset[str] = frozenset(), form: toy.Toy = toy.USUAL) -> Task:
    """Task number 0 or 1. Texts and classes of the sources, and the texts of the targets' test split, are alike.

    Args:
        needs: resources that the method declares: what they tell is alike too.
        form: of the toy.
    """
    languages = {code: Language(code, code, code[4:], "toy", None) for code in (*form.sources, *form.targets)}
    data = {code: {split: _part(code, split, number, needs, form) for split in SPLITS} for code in languages}
    return Task("toy", form.labels, languages, data)


def _part(code: str, split: Split, number: int, needs: frozenset[str], form: toy.Toy) -> Labelled:
    seed = 10 * (form.sources + form.targets).index(code) + SPLITS.index(split)
    part = _renamed(form.items(_SIZES[split], seed, [code]), split)
    if number == 0:
        return part
    relabelled = Labelled(part.examples, (part.gold + 3) % len(form.labels))
    if split == "train" and PARALLEL_DISJOINT in needs:
        return _second_train(part, relabelled, code, needs, form)
    prefix = _second_prefix(code, split, needs, form)
    if code in form.sources:
        return _renamed(part, prefix)
    if split == "test":
        return _renamed(relabelled, prefix)
    if split == "train" and UNLABELLED_TARGET in needs:
        return _renamed(relabelled.take(np.random.default_rng(seed).permutation(len(part))), prefix)
    return _renamed(form.items(_SIZES[split], seed + 1000, [code]), prefix)


def _second_prefix(code: str, split: Split, needs: frozenset[str], form: toy.Toy) -> str:
    """Of the ids of a split in the second world; languages share it where that is how a resource is read."""
    has_renderings = (TRANSLATED_TEST if split == "test" else TRANSLATE_TRAIN) in needs
    shared: str = split if SOURCE_PARALLEL in needs else f"second-{split}"
    if code in form.sources:
        return shared if SOURCE_PARALLEL in needs or has_renderings else f"{split}-{code}-"
    return shared if has_renderings else "other"


def _second_train(part: Labelled, relabelled: Labelled, code: str, needs: frozenset[str], form: toy.Toy) -> Labelled:
    """Train items of the second world where pairs of the half without labels are alike: labels and ids are not.

    Ids stay in their half and are shared by all languages, and the translations of labelled items are other texts.
    """
    seed = 1000 + (form.sources + form.targets).index(code)
    labelled = np.asarray([is_labelled(example.id) for example in part.examples])
    gold = np.where(labelled, part.gold, relabelled.gold) if code in form.sources else relabelled.gold
    examples = part.examples
    if code in form.targets and UNLABELLED_TARGET not in needs:
        strangers = form.items(_SIZES["train"], seed, [code]).examples
        examples = tuple(
            stranger if with_label else example
            for example, stranger, with_label in zip(examples, strangers, labelled, strict=True)
        )
    ids = (example.id if SOURCE_PARALLEL in needs else _other_id(example.id) for example in part.examples)
    renamed = (example._replace(id=new) for example, new in zip(examples, ids, strict=True))
    second = Labelled(tuple(renamed), gold)
    return second if code in form.sources else second.take(np.random.default_rng(seed).permutation(len(second)))


def _other_id(item: str) -> str:
    """An id of the same half."""
    candidates = (f"{item}-{number}" for number in count())
    return next(candidate for candidate in candidates if is_labelled(candidate) == is_labelled(item))


def _renamed(part: Labelled, prefix: str) -> Labelled:
    """With numbered ids: items of languages that have one prefix say the same, if ids are believed."""
    examples = (example._replace(id=f"{prefix}{row}") for row, example in enumerate(part.examples))
    return Labelled(tuple(examples), part.gold)
