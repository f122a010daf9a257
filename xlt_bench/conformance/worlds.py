"""The toy task as a whole, twice: what a method may learn from is the same in both worlds, nothing else is."""

from __future__ import annotations

import numpy as np

from xlt_bench.conformance import toy
from xlt_bench.resources import SOURCE_PARALLEL, UNLABELLED_TARGET
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
    part = form.items(_SIZES[split], seed, [code])
    if code in form.sources:
        parallel = number == 0 or SOURCE_PARALLEL in needs
        return _renamed(part, split if parallel else f"{split}-{code}-")
    if number == 0:
        return _renamed(part, split)
    if split == "test":
        return _renamed(Labelled(part.examples, (part.gold + 3) % len(form.labels)), "other")
    if split == "train" and UNLABELLED_TARGET in needs:
        order = np.random.default_rng(seed).permutation(len(part))
        return _renamed(Labelled(part.take(order).examples, (part.gold + 3) % len(form.labels)), "other")
    return _renamed(form.items(_SIZES[split], seed + 1000, [code]), "other")


def _renamed(part: Labelled, prefix: str) -> Labelled:
    """With numbered ids: items of languages that have one prefix say the same, if ids are believed."""
    examples = (example._replace(id=f"{prefix}{row}") for row, example in enumerate(part.examples))
    return Labelled(tuple(examples), part.gold)
