"""What was counted of a run, under the names that its Record gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from xlt_bench.recipe import Recipe
from xlt_bench.records.cell import Cell
from xlt_bench.runs.counting import Effort

Counts = Mapping[str, int]


def fit_counts(effort: Effort, cell: Cell, recipe: Recipe, steps: int) -> Counts:
    """Of a fit, beside the budget that it had; a method without a backbone has none.

    Args:
        effort: what was counted.
        cell: of the fit.
        recipe: of the fit.
        steps: optimiser steps that the recipe has for it.
    """
    counts = asdict(effort)
    if cell.recipe is None:
        return counts
    return {**counts, "budget_steps": steps, "budget_examples": steps * recipe.batch_size}


def run_counts(fit: Counts, predicting: Effort, source: Counts) -> Counts:
    """Of a whole run.

    Args:
        fit: of its last stage.
        predicting: of its predictions.
        source: of the fit on the sources that it adapts from; empty where it adapts from none.
    """
    predicted = {f"predict_{name}": count for name, count in asdict(predicting).items()}
    return {**fit, **predicted, **{f"source_{name}": count for name, count in source.items()}}
