"""Checks of what a fit takes, and of what its summary says about it."""

from __future__ import annotations

import math

from xlt_bench.conformance.bench import Bench, WatchedFit
from xlt_bench.conformance.faults import CheckFailed, CheckSkipped
from xlt_bench.conformance.toy import SHORT, recipe
from xlt_bench.method import FitSummary, Packable
from xlt_bench.runs.counting import Counter


def keeps_to_the_budget(bench: Bench) -> None:
    """Fit, fit_many, adapt and fit_language make no more optimiser steps than the recipe has, on no larger batches."""
    if not bench.method.uses_backbone:
        raise CheckSkipped("the method uses no backbone: no recipe is part of its runs' identity")
    _check_fit(bench, bench.watched, "fit")
    for effort in bench.language_efforts:
        _check_steps(effort.steps, "fit_language")
        if effort.trained_examples > SHORT * recipe(bench.method, SHORT).batch_size:
            raise CheckFailed(f"fit_language trains on {effort.trained_examples} texts in {SHORT} steps")
    if isinstance(bench.method, Packable):
        backbone = bench.backbone()
        contexts = [bench.context(seed, backbone=backbone) for seed in (0, 1)]
        with Counter() as counter:
            fits = bench.fit_many(contexts)
        for fitted, effort in zip(fits, counter.efforts(len(contexts)), strict=False):
            _check_steps(effort.steps, "fit_many")
            if effort.trained_parameters > fitted.summary.trainable_parameters:
                raise CheckFailed(
                    f"fit_many trains {effort.trained_parameters} numbers a seed, "
                    f"its summaries say {fitted.summary.trainable_parameters}"
                )
    try:
        adapting = bench.watched_adapting
    except CheckSkipped:
        return
    _check_fit(bench, adapting, "adapt")


def _check_fit(bench: Bench, watched: WatchedFit, call: str) -> None:
    _check_steps(watched.effort.steps, call)
    allowed = recipe(bench.method, SHORT).batch_size
    if watched.largest_batch > allowed:
        raise CheckFailed(
            f"{call} trains on {watched.largest_batch} different items a step; the recipe's batch has {allowed}"
        )


def _check_steps(steps: int, call: str) -> None:
    if steps > SHORT:
        raise CheckFailed(f"{call} makes {steps} optimiser steps; the recipe has {SHORT} (context.recipe)")


def summary_is_true(bench: Bench) -> None:
    """The summary's steps are those that optimisers made; its selected step and accuracies are what they were."""
    watched = bench.watched
    summary = watched.fitted.summary
    if not isinstance(summary, FitSummary):
        raise CheckSkipped("there is no FitSummary; see follows_the_protocol")
    if summary.steps != watched.effort.steps:
        raise CheckFailed(
            f"the summary says {summary.steps} optimiser steps; {watched.effort.steps} were counted (an update that is "
            "no torch.optim.Optimizer's is not: make it one)"
        )
    _check_history(summary)
    if summary.selected_step is not None and summary.history:
        _check_selected(bench, watched, summary)


def _check_history(summary: FitSummary) -> None:
    for point in summary.history:
        if not 0.0 <= point.dev_accuracy <= 1.0 or not math.isfinite(point.dev_loss):
            raise CheckFailed(f"the history has a dev accuracy of {point.dev_accuracy}, a dev loss of {point.dev_loss}")
    steps = [point.step for point in summary.history]
    if steps != sorted(set(steps)) or (summary.steps and steps and steps[-1] > summary.steps):
        raise CheckFailed(f"the history's steps are {steps}, of {summary.steps}")
    if summary.selected_step is not None and summary.selected_step not in steps:
        raise CheckFailed(f"the selected step, {summary.selected_step}, is none of the history's: {steps}")


def _check_selected(bench: Bench, watched: WatchedFit, summary: FitSummary) -> None:
    dev = bench.dev()
    (point,) = (point for point in summary.history if point.step == summary.selected_step)
    accuracy = float((bench.predict(watched.fitted, dev.examples).argmax(1) == dev.gold).mean())
    if abs(accuracy - point.dev_accuracy) > 1.5 / len(dev):  # one item may be a matter of rounding
        raise CheckFailed(
            f"the history says a dev accuracy of {point.dev_accuracy:.3f} at the selected step; predicting dev gives "
            f"{accuracy:.3f}"
        )
