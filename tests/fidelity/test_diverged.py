"""A training whose loss is no longer a number ends with an error that names seed and step."""

from __future__ import annotations

import dataclasses

import pytest

from tests.support.fits import DEV, TRAIN, context, loud, short
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.errors import DivergedError
from xlt_bench.method import PackError
from xlt_bench.methods.full_finetuning import FullFinetuning
from xlt_bench.methods.spt import SPT
from xlt_bench.methods.xpe import XPE
from xlt_bench.training.soft_prompt import SoftPrompt

HIGH = 1e30


@pytest.mark.parametrize("method", [SPT(learning_rate=HIGH), XPE(learning_rate=HIGH)], ids=lambda m: type(m).__name__)
def test_a_diverged_fit_names_seed_and_step(method: SoftPrompt, tiny_backbone: Backbone) -> None:
    with pytest.raises(DivergedError, match=r"training loss of seed 17 became nan by step 10;"):
        method.fit(TRAIN, DEV, context(tiny_backbone, loud(steps=30, evaluate_every=30), seed=17))


def test_a_fit_shorter_than_the_interval_of_reports_diverges_too(tiny_backbone: Backbone) -> None:
    with pytest.raises(DivergedError, match=r"seed 17 .* step 3;"):
        SPT(learning_rate=HIGH).fit(TRAIN, DEV, context(tiny_backbone, loud(steps=3), seed=17))


def test_the_dev_loss_is_watched_as_well(tiny_backbone: Backbone) -> None:
    with pytest.raises(DivergedError, match=r"dev loss of seed 17 became nan at step 4;"):
        SPT(learning_rate=HIGH).fit(TRAIN, DEV, context(tiny_backbone, loud(steps=8, evaluate_every=4), seed=17))


def test_full_finetuning_diverges_with_the_same_error(tiny_backbone: Backbone) -> None:
    recipe = dataclasses.replace(short(method="full-finetuning", steps=10), evaluate_every=10)
    with pytest.raises(DivergedError, match=r"seed 17 .* step 10;"):
        FullFinetuning(learning_rate=HIGH).fit(TRAIN, DEV, context(tiny_backbone, recipe, seed=17))


def test_adapting_diverges_with_the_same_error(tiny_backbone: Backbone) -> None:
    fitted = SPT(learning_rate=HIGH)
    start = SPT().fit(TRAIN, DEV, context(tiny_backbone, loud(steps=2)))
    start.method = fitted
    with pytest.raises(DivergedError, match=r"seed 5 .* step 10;"):
        start.adapt(TRAIN, DEV, context(tiny_backbone, loud(steps=10, evaluate_every=10), seed=5))


def test_in_a_pack_every_seed_that_diverged_has_its_error(tiny_backbone: Backbone) -> None:
    contexts = [context(tiny_backbone, loud(steps=10), seed) for seed in (21, 22)]
    with pytest.raises(PackError, match=r"2 of 2 trained together failed; the first: .* seed 21 ") as told:
        SPT(learning_rate=HIGH).fit_many(TRAIN, DEV, contexts)
    assert [f"seed {seed}" in str(error) for seed, error in zip((21, 22), told.value.outcomes, strict=True)] == [
        True,
        True,
    ]
