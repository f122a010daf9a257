"""The public test kit for methods: what a method must keep to for a comparison with others to mean something.

In a plug-in's tests, one test a check:

    from xlt_bench.conformance import parametrize_with_checks

    @parametrize_with_checks(LowRankPrompt())
    def test_low_rank_prompt(check):
        check()

`check_method(LowRankPrompt())` gives a CheckReport instead; `xlt-bench check-method FILE:CLASS` shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from xlt_bench.conformance import (
    budget,
    configuration,
    fairness,
    learning,
    predictions,
    process,
    randomness,
    saving,
)
from xlt_bench.conformance.bench import Bench, refuse_class
from xlt_bench.conformance.checks import Check, carry_out, check_declared, chosen
from xlt_bench.conformance.faults import CheckFailed, CheckSkipped
from xlt_bench.conformance.fresh import FreshProcess
from xlt_bench.conformance.results import CheckReport, Result, Status
from xlt_bench.method import Method

if TYPE_CHECKING:
    from _pytest.mark import MarkDecorator

__all__ = [
    "CHECKS",
    "Check",
    "CheckFailed",
    "CheckReport",
    "CheckSkipped",
    "FreshProcess",
    "Result",
    "Status",
    "check_method",
    "parametrize_with_checks",
]

CHECKS = tuple(
    map(
        Check.of,
        (
            configuration.follows_the_protocol,
            configuration.configuration_round_trips,
            configuration.constructor_does_no_work,
            configuration.predict_before_fit_is_refused,
            randomness.same_seed_same_predictions,
            randomness.other_seed_other_parameters,
            randomness.fits_together_as_alone,
            randomness.fits_the_same_elsewhere,
            randomness.depends_on_content_alone,
            randomness.random_state_is_restored,
            learning.learns_a_separable_task,
            budget.keeps_to_the_budget,
            budget.summary_is_true,
            learning.trainable_parameters_are_true,
            learning.head_is_trained_and_saved,
            learning.backbone_stays_frozen,
            learning.a_second_fit_grows_nothing,
            saving.loads_the_same_elsewhere,
            saving.saves_nothing_pickled,
            predictions.one_finite_row_an_item,
            predictions.batches_and_order_change_nothing,
            predictions.odd_inputs_are_predicted,
            predictions.adapt_leaves_the_source_fit,
            fairness.sees_no_answers_and_no_targets,
            fairness.dev_is_not_trained_on,
            process.reads_nothing_hidden,
            fairness.inputs_are_left_as_they_were,
            fairness.libraries_are_left_as_they_were,
            process.process_is_left_as_it_was,
            process.prints_nothing,
            process.leaves_no_files,
            fairness.works_without_network,
        ),
    )
)
"""Every check, in the order in which they are run and shown."""


def check_method(
    method: Method,
    *,
    expected_failures: Mapping[str, str] | None = None,
    label: str | None = None,
    fresh: FreshProcess | None = None,
    seed: int = 0,
    checks: Sequence[str] | None = None,
    on_result: Callable[[Result], None] | None = None,
) -> CheckReport:
    """Check a configured method, on the CPU, with a toy task and a tiny backbone: some seconds.

    Args:
        method: an object, not a class.
        expected_failures: checks that are known to fail -> why. One of them that passes is reported as failed.
        label: the method's name in the report; that of its class by default.
        fresh: fresh processes to share between calls.
        seed: of the toy: with another seed its classes, languages, sizes and items are others.
        checks: names of those to run; all by default.
        on_result: is told of every result as it comes.

    Raises:
        ConfigError: a class in place of an object; no such check; an expected failure without a reason.
    """
    results = []
    for result in results_of(method, expected_failures or {}, selected(checks), fresh=fresh, seed=seed):
        results.append(result)
        if on_result is not None:
            on_result(result)
    return CheckReport(label or type(method).__name__, tuple(results), seed)


def selected(names: Sequence[str] | None) -> tuple[Check, ...]:
    """The checks of these names; all, where there are none.

    Raises:
        ConfigError: there is no such check.
    """
    return CHECKS if names is None else chosen(names, CHECKS)


def results_of(
    method: Method,
    expected_failures: Mapping[str, str],
    checks: Sequence[Check],
    *,
    fresh: FreshProcess | None = None,
    seed: int = 0,
) -> Iterator[Result]:
    """Result after result; see `check_method`."""
    check_declared(expected_failures, CHECKS)
    with Bench(method, fresh, seed) as bench:
        bench.prepare()
        for check in checks:
            yield carry_out(check, bench, expected_failures.get(check.name))


def parametrize_with_checks(*methods: Method, expected_failures: Mapping[str, str] | None = None) -> MarkDecorator:
    """A pytest decorator: the test is run once a method and check, with a `check` to call.

    An expected failure is `xfail(strict=True)` with its reason. Fits are shared by the checks of a method.

    Args:
        methods: configured methods.
        expected_failures: as for `check_method`.
    """
    import pytest

    declared = dict(expected_failures or {})
    check_declared(declared, CHECKS)
    for method in methods:
        refuse_class(method)
    fresh = FreshProcess()
    parameters = [
        pytest.param(
            partial(_run_in_pytest, check, shared),
            id=f"{type(method).__name__}-{check.name}",
            marks=[pytest.mark.xfail(reason=declared[check.name], strict=True)] if check.name in declared else [],
        )
        for method, shared in ((method, _Shared(method, fresh)) for method in methods)
        for check in CHECKS
    ]
    return pytest.mark.parametrize("check", parameters)


class _Shared:
    """A bench that is made when the first check needs it: pytest collects tests that it may never run."""

    def __init__(self, method: Method, fresh: FreshProcess) -> None:
        self._method = method
        self._fresh = fresh

    @cached_property
    def bench(self) -> Bench:
        """The one bench of all checks of a method."""
        return Bench(self._method, self._fresh)


def _run_in_pytest(check: Check, shared: _Shared) -> None:
    """A check as a test: skipped where it does not apply, failed with its message and its rule."""
    import pytest

    try:
        check.run(shared.bench)
    except CheckSkipped as skipped:
        pytest.skip(str(skipped))
    except CheckFailed as failed:
        raise CheckFailed(f"{check.meaning} But: {failed}") from failed
