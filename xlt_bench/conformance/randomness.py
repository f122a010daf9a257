"""Checks of what may be random: it follows from the context's seed and from nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from xlt_bench.conformance.bench import Bench
from xlt_bench.conformance.calls import calling, skipped_if_a_call_fails
from xlt_bench.conformance.faults import CheckFailed, CheckSkipped
from xlt_bench.conformance.random_state import global_state, state
from xlt_bench.method import Adaptable, Packable
from xlt_bench.plugins import hyperparameters
from xlt_bench.task import Labelled

_T = TypeVar("_T")

_PACKED = 1e-3
"""Share of the scores' spread by which seeds trained together may differ: the rounding of some steps."""


def same_seed_same_predictions(bench: Bench) -> None:
    """Two fits with one seed predict the same, bit for bit, whatever the global random state."""
    if not bench.repeatable:
        raise CheckFailed(
            "two fits with the same seed predict differently; draw from a generator that is seeded with context.seed"
        )


def other_seed_other_parameters(bench: Bench) -> None:
    """Another seed gives another fit, unless nothing about the method is random; then it gives the same."""
    differ = not np.array_equal(bench.seed_scores(0), bench.seed_scores(1), equal_nan=True)
    if differ and not getattr(bench.method, "uses_seed", True):
        raise CheckFailed("its class says uses_seed = False, and fits with seeds 0 and 1 predict differently")
    if differ:
        return
    if not bench.watched.trained:
        raise CheckSkipped("the seed changes nothing, and no torch optimiser ran: taken for a method without chance")
    raise CheckFailed("fits with seeds 0 and 1 predict the same, bit for bit; let initialisation follow context.seed")


def fits_together_as_alone(bench: Bench) -> None:
    """Seeds that fit_many trains in one pass predict what they do when they are fitted alone."""
    if not isinstance(bench.method, Packable):
        raise CheckSkipped("the method has no fit_many")
    backbone = bench.backbone() if bench.method.uses_backbone else None
    fits = bench.fit_many([bench.context(seed, backbone=backbone) for seed in (0, 1)])
    if len(fits) != 2:
        raise CheckFailed(f"fit_many of 2 contexts returns {len(fits)} fitted objects")
    for seed, fitted in enumerate(fits):
        scores, packed_scores = bench.seed_scores(seed), bench.predict(fitted, bench.probes)
        difference = float(np.abs(scores - packed_scores).max()) if scores.shape == packed_scores.shape else math.inf
        if difference > _PACKED * max(float(np.ptp(scores)), 1e-6):
            raise CheckFailed(
                f"trained together with another seed, seed {seed} predicts other scores (by up to {difference:.2g}); "
                "each context has a seed of its own"
            )


def fits_the_same_elsewhere(bench: Bench) -> None:
    """A fit of the same seed in a fresh process, at another time, in another folder, predicts the same bit for bit."""
    bench.require_repeatable()
    findings = bench.findings
    if findings.fit_error is not None:
        raise CheckSkipped("fit or predict raises in a fresh process; see works_without_network")
    if findings.values != hyperparameters.values(bench.method):
        raise CheckSkipped("it has other hyper-parameters there; see configuration_round_trips")
    if findings.fit_scores is None or not np.array_equal(bench.seed_scores(1), findings.fit_scores, equal_nan=True):
        raise CheckFailed(
            "fitted in a fresh process under the same seed, it predicts differently: what else does it depend on? "
            "The clock, the folder, an earlier fit, text hashes?"
        )


def depends_on_content_alone(bench: Bench) -> None:
    """New labels in the same object give the fit that they give in an object of their own."""
    bench.require_repeatable()
    train = bench.train()
    bench.fit(train)
    train.gold[:] = (train.gold + 1) % len(bench.toy.labels)
    copy = Labelled(tuple(train.examples), train.gold.copy())
    again = bench.predict(bench.fit(train), bench.probes)
    if not np.array_equal(again, bench.predict(bench.fit(copy), bench.probes), equal_nan=True):
        raise CheckFailed("fits of equal data differ with the object that holds them; is something looked up by id()?")


def random_state_is_restored(bench: Bench) -> None:
    """Fit, predict, adapt, save and load leave the random states of Python, numpy and torch as they were."""
    bench.require_fit()
    with global_state(3):
        fitted = _untouched(bench.fit, "fit")
        _untouched(lambda: bench.predict(fitted, bench.probes), "predict")
        with skipped_if_a_call_fails("loads_the_same_elsewhere"):
            folder = _untouched(lambda: bench.save(fitted), "save")
            with calling("load"):
                _untouched(lambda: bench.method.load(folder, bench.context()), "load")
        if isinstance(fitted, Adaptable):
            with skipped_if_a_call_fails("adapt_leaves_the_source_fit"):
                _untouched(lambda: bench.adapt(fitted, bench.backbone()), "adapt")


def _untouched(call: Callable[[], _T], call_name: str) -> _T:
    old_state = state()
    result = call()
    changed = [name for name, new in state().items() if new != old_state[name]]
    if changed:
        raise CheckFailed(
            f"{call_name} changes the global random state of {', '.join(changed)}; use a generator of its own"
        )
    return result
