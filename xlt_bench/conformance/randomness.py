"""Checks of what may be random: it follows from the context's seed and from nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch

from xlt_bench.conformance.bench import Bench
from xlt_bench.conformance.calls import calling, skipped_if_a_call_fails
from xlt_bench.conformance.faults import CheckFailed, CheckSkipped
from xlt_bench.method import Adaptable

_T = TypeVar("_T")


def same_seed_same_predictions(bench: Bench) -> None:
    """Two fits with one seed predict the same, bit for bit, whatever the global random state."""
    with global_state(1):
        first = bench.predict(bench.fit(), bench.probes)
    with global_state(2):
        second = bench.predict(bench.fit(), bench.probes)
    if not np.array_equal(first, second, equal_nan=True):
        raise CheckFailed(
            "two fits with the same seed predict differently; draw from a generator that is seeded with context.seed"
        )


def other_seed_other_parameters(bench: Bench) -> None:
    """Another seed gives another fit, unless nothing about the method is random."""
    fitted, trained = bench.fit_watched()
    seed_0 = bench.predict(fitted, bench.probes)
    seed_1 = bench.predict(bench.fit(context=bench.context(seed=1)), bench.probes)
    if not np.array_equal(seed_0, seed_1, equal_nan=True):
        return
    if not trained:
        raise CheckSkipped("the seed changes nothing, and no torch optimiser ran: taken for a method without chance")
    raise CheckFailed("fits with seeds 0 and 1 predict the same, bit for bit; let initialisation follow context.seed")


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


def state() -> dict[str, object]:
    """The global random states, comparable."""
    numpy = np.random.get_state(legacy=False)
    return {"random": random.getstate(), "numpy": _plain(numpy), "torch": _plain(torch.get_rng_state())}


def _plain(value: Any) -> object:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


@contextmanager
def global_state(seed: int) -> Iterator[None]:
    """Within, the global random states are others; afterwards they are the caller's again."""
    callers = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(callers[0])
        np.random.set_state(callers[1])
        torch.set_rng_state(callers[2])
