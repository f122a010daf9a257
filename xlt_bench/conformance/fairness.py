"""Checks that comparisons rest on: no answers and no target data in sight, nothing changed behind anyone's back."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from xlt_bench.conformance.bench import Bench
from xlt_bench.conformance.faults import CheckFailed, CheckSkipped
from xlt_bench.conformance.worlds import world
from xlt_bench.method import Method, Scores
from xlt_bench.plugins import hyperparameters
from xlt_bench.resources import SOURCE_PARALLEL, needs_of, rendered, with_usable_labels
from xlt_bench.runs.calls import anonymous
from xlt_bench.task import Labelled


def sees_no_answers_and_no_targets(bench: Bench) -> None:
    """Zero-shot scores stay when test labels, all ids and the targets' data are replaced, but for what it declares."""
    first = _zero_shot(bench, 0)
    if np.array_equal(first, _zero_shot(bench, 1), equal_nan=True):
        return
    if not np.array_equal(first, _zero_shot(bench, 0), equal_nan=True):
        raise CheckSkipped("its fits are not repeatable; see same_seed_same_predictions")
    raise CheckFailed(
        "zero-shot scores change with the test labels, the items' ids or the targets' train and dev data, none of "
        "which a method may use unless its needs declare it"
    )


def _zero_shot(bench: Bench, number: int) -> Scores:
    """As the protocol does it in one of the two worlds: who looks for the task finds it where it would be."""
    needs = needs_of(bench.method)
    task = world(number, needs, bench.toy)
    train = with_usable_labels(task.pool(bench.toy.sources, "train"), needs)
    dev = task.pool(bench.toy.sources, "dev")
    if number and SOURCE_PARALLEL not in needs:
        train, dev = anonymous(train), anonymous(dev)
    context = bench.context(task=task)
    fitted = bench.fit(train, dev, context)
    task = rendered(task, context.resources)
    test = task.pool(bench.toy.targets, "test")  # as a variable, in whose frame a method could look for the labels
    return bench.predict(fitted, test.examples)


def dev_is_not_trained_on(bench: Bench) -> None:
    """With every dev item twice, under other ids, a fit predicts the same: dev selects, and is learned from by none."""
    bench.require_repeatable()
    dev = bench.dev()
    second = tuple(example._replace(id=f"twin-{example.id}") for example in dev.examples)
    twice = Labelled((*dev.examples, *second), np.concatenate([dev.gold, dev.gold]))
    scores = bench.predict(bench.fit(dev=twice), bench.probes)
    if not np.array_equal(bench.seed_scores(0), scores, equal_nan=True):
        raise CheckFailed("scores change when dev has every item twice; does fit learn from dev?")


def inputs_are_left_as_they_were(bench: Bench) -> None:
    """Fit and predict change neither data nor context nor the method: others are handed the same."""
    train, dev, context = bench.toy.items(63, 4), bench.toy.items(21, 5), bench.context()
    probes = list(bench.probes)
    gold, examples = (train.gold.copy(), dev.gold.copy()), (train.examples, dev.examples, tuple(probes))
    recipe, values = context.recipe.as_json(), hyperparameters.values(bench.method)
    bench.predict(bench.fit(train, dev, context), probes)
    if not all(map(np.array_equal, gold, (train.gold, dev.gold))):
        raise CheckFailed("the gold labels are changed in place; work on a copy")
    if examples != (train.examples, dev.examples, tuple(probes)):
        raise CheckFailed("the examples are changed in place; work on a copy")
    if context.recipe.as_json() != recipe or context.labels != bench.toy.labels or context.seed != 0:
        raise CheckFailed("the context is changed in place; dataclasses.replace makes another")
    added = _attributes(bench.method) - _attributes(type(bench.method)(**values))
    if hyperparameters.values(bench.method) != values or added:
        raise CheckFailed(
            f"fit changes the method itself ({', '.join(sorted(added)) or 'its values'}); fit returns what it fitted"
        )


def _attributes(method: Method) -> set[str]:
    """Names of what an object holds, other than values of a cached_property."""
    attributes = getattr(method, "__dict__", {})
    return {name for name in attributes if not isinstance(getattr(type(method), name, None), cached_property)}


def libraries_are_left_as_they_were(bench: Bench) -> None:
    """Importing, fitting and predicting replace nothing in numpy, torch, transformers, peft or this package."""
    if bench.findings.patched:
        examples = ", ".join(bench.findings.patched[:3])
        raise CheckFailed(
            f"it replaces {examples} ({len(bench.findings.patched)} in all); other methods would run with it"
        )


def works_without_network(bench: Bench) -> None:
    """Fit and predict work where no network can be reached, and ask for none."""
    bench.require_fit()
    if bench.findings.fit_error is not None:
        reached = f" after asking for {', '.join(bench.findings.reached[:3])}" if bench.findings.reached else ""
        raise CheckFailed(f"without network, fit or predict raises {bench.findings.fit_error}{reached}")
    if bench.findings.reached:
        raise CheckFailed(f"it asks the network for {', '.join(bench.findings.reached[:3])}, and goes on when refused")
