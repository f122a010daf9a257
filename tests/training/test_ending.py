"""Which parameters a fit ends with: the best on dev, the last, or the mean over its dev evaluations."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.support.commands import Command
from tests.support.fits import DEV, TRAIN, context, copied, difference, loud, same
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.methods.bitfit import BitFit
from xlt_bench.methods.full_finetuning import FullFinetuning
from xlt_bench.methods.xpe import XPE
from xlt_bench.recipe import Rate, Recipe
from xlt_bench.records.store import Store
from xlt_bench.training.lane import Lane

METHODS = [XPE(n_tokens=4), BitFit(), FullFinetuning()]


def recipe(evaluate_every: int) -> Recipe:
    changed = loud(evaluate_every=evaluate_every)
    rates = {**changed.rates, "bias": Rate(1e-2), "backbone": Rate(1e-3)}
    return dataclasses.replace(changed, rates=rates).with_checkpoint("mean")


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_the_mean_is_that_of_the_parameters_at_each_dev_evaluation(
    method: XPE | BitFit | FullFinetuning, tiny_backbone_with_dropout: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[dict[str, Tensor]] = []
    take_note = Lane.evaluated

    def copy_and_take_note(lane: Lane, dev_loss: float, dev_accuracy: float) -> None:
        states.append(copied(lane.module))
        take_note(lane, dev_loss, dev_accuracy)

    monkeypatch.setattr(Lane, "evaluated", copy_and_take_note)
    fitted = method.fit(TRAIN, DEV, context(tiny_backbone_with_dropout, recipe(4)))
    assert len(states) == len(fitted.summary.history) == 3
    mean = {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}
    assert difference(mean, copied(fitted.module)) < 1e-6
    assert difference(states[-1], copied(fitted.module)) > 1e-3
    assert fitted.summary.selected_step is None


def test_the_mean_of_one_evaluation_is_the_last(tiny_backbone_with_dropout: Backbone) -> None:
    fits = [
        XPE(n_tokens=4).fit(TRAIN, DEV, context(tiny_backbone_with_dropout, changed))
        for changed in (recipe(12), recipe(12).with_checkpoint("last"))
    ]
    assert same(*(copied(fitted.module) for fitted in fits))


def test_but_for_the_best_the_dev_split_decides_nothing() -> None:
    for checkpoint in ("last", "mean"):
        changed = loud().with_checkpoint(checkpoint)
        assert (changed.checkpoint, changed.source.patience, changed.target.patience) == (checkpoint, None, None)
    assert loud().with_checkpoint("best-dev") == loud()


def test_the_option_names_the_row_and_says_that_nothing_was_selected(run: Command) -> None:
    output = run("-m", "spt", "--seeds", "2", "--steps", "4", "--checkpoint", "mean")
    assert output.code == 0, output.err
    assert "spt, 4 steps, checkpoint=mean" in output.out
    records, _ = Store(Path("xlt-results")).records()
    assert {record.selected_on for record in records} == {"nothing"}


def test_another_word_is_refused(run: Command) -> None:
    output = run("-m", "spt", "--checkpoint", "means")
    assert output.code != 0
    assert "'means' is not one of 'best-dev', 'last', 'mean'" in output.err
