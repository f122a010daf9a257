"""The committed reference Records are those of today's code: nothing of them would be computed again."""

from __future__ import annotations

import pytest

from scripts.reference import METHODS, STORE, TARGETS
from xlt_bench.recipe import Recipe
from xlt_bench.records.store import Store
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import Request


@pytest.mark.parametrize("method", METHODS)
def test_every_cell_of_a_reference_run_is_in_the_store(method: str) -> None:
    for sources, targets in TARGETS.items():
        experiment = prepare(
            Request(method=method, sources=sources, targets=targets, seeds=tuple(range(5)), store=STORE)
        )
        assert [cell.seed for cell in experiment.cells] == [0, 1, 2, 3, 4]
        assert not experiment.missing, f"{method} from {sources}: make reference"


def test_their_recipes_can_be_read() -> None:
    recipes = [record.cell.recipe for record in Store(STORE).records()[0]]
    assert len(recipes) == len(METHODS) * len(TARGETS) * 5
    assert all(Recipe.from_json(recipe).as_json() == recipe for recipe in recipes if recipe is not None)
