"""Same cell, same predictions; seeds differ; the caller's random state, order and batches play no part."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from tests.support.fits import DEV, TEST, TRAIN, context, copied, difference, loud, same, short
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.backbones.tokenised import Tokenised
from xlt_bench.method import Fitted, Scores
from xlt_bench.methods.dual import DUAL
from xlt_bench.methods.head_only import HeadOnly
from xlt_bench.methods.spt import SPT
from xlt_bench.methods.xpe import XPE
from xlt_bench.plugins.methods import configure
from xlt_bench.recipe import Recipe
from xlt_bench.task import Example
from xlt_bench.training.soft_prompt import SoftPrompt

TRAINED = ["spt", "xpe", "dual", "head-only", "full-finetuning", "ngram-mlp"]
DROPOUT_OFF = [SPT(), XPE(dropout=0.0), DUAL(dropout=0.0), HeadOnly()]


def recipe(name: str) -> Recipe:
    """Rates at which six steps change every prediction."""
    found = short("paper", name, steps=6)
    return found.with_rates(**dict.fromkeys(found.rates, 0.01))


def fit(name: str, backbone: Backbone, seed: int = 1) -> Fitted:
    return configure(name, {}).method.fit(TRAIN, DEV, context(backbone, recipe(name), seed))


@pytest.mark.parametrize("name", TRAINED)
def test_the_same_cell_gives_the_same_predictions(name: str, tiny_backbone_with_dropout: Backbone) -> None:
    once = fit(name, tiny_backbone_with_dropout).predict(TEST.examples)
    torch.manual_seed(123)
    np.random.seed(123)
    random.seed(123)
    again = fit(name, tiny_backbone_with_dropout).predict(TEST.examples)
    assert np.array_equal(once, again)


@pytest.mark.parametrize("name", TRAINED)
def test_another_seed_gives_other_predictions(name: str, tiny_backbone: Backbone) -> None:
    one, other = (fit(name, tiny_backbone, seed).predict(TEST.examples) for seed in (1, 2))
    assert not np.isclose(one, other).any(axis=1).all()


@pytest.mark.parametrize("method", [SPT(), XPE(), DUAL(), HeadOnly()], ids=lambda m: type(m).__name__)
def test_another_seed_starts_from_other_parameters(method: SoftPrompt, tiny_backbone: Backbone) -> None:
    one, other, again = (copied(method.new_module(context(tiny_backbone, seed=seed))) for seed in (1, 2, 1))
    assert same(one, again)
    drawn = [name for name in one if not (name.startswith("head.") and name.endswith("bias"))]
    assert not any(torch.equal(one[name], other[name]) for name in drawn)


def test_another_seed_sees_another_order_of_batches(tiny_backbone: Backbone) -> None:
    start = SPT().new_module(context(tiny_backbone, seed=1))
    ends = []
    for seed in (1, 2):
        module = SPT().new_module(context(tiny_backbone, seed=1))
        assert same(copied(module), copied(start))
        given = context(tiny_backbone, loud(steps=3), seed)
        SPT().train_modules([module], TRAIN, DEV, [given], given.recipe.source)
        ends.append(copied(module))
    assert difference(*ends) > 1e-3


def random_state() -> tuple[bytes, object, object]:
    return torch.get_rng_state().numpy().tobytes(), repr(np.random.get_state()), random.getstate()


@pytest.mark.parametrize("name", [*TRAINED, "majority"])
def test_global_random_state_is_left_alone(name: str, tiny_backbone_with_dropout_folder: Path, tmp_path: Path) -> None:
    """From loading the backbone on: its first use is part of a fit."""
    before = random_state()
    backbone = Backbone(locate(str(tiny_backbone_with_dropout_folder)))
    fitted = fit(name, backbone)
    assert random_state() == before, "fit"
    fitted.predict(TEST.examples)
    assert random_state() == before, "predict"
    fitted.save(tmp_path)
    configure(name, {}).method.load(tmp_path, context(backbone, recipe(name)))
    assert random_state() == before, "save and load"


@pytest.mark.parametrize("preset", ["paper", "released"])
@pytest.mark.parametrize("method", DROPOUT_OFF, ids=lambda m: type(m).__name__)
def test_a_packed_fit_equals_each_seed_alone(method: SoftPrompt, preset: str, tiny_backbone: Backbone) -> None:
    """At the presets' rates: at much higher ones, ReLU and Adafactor make rounding grow in float32 (not in float64)."""
    given_recipe = short(preset, steps=30, evaluate_every=10)
    contexts = [context(tiny_backbone, given_recipe, seed) for seed in (1, 2, 3)]
    packed = method.fit_many(TRAIN, DEV, contexts)
    for given, together in zip(contexts, packed, strict=True):
        alone = method.fit(TRAIN, DEV, given)
        assert together.summary.selected_step == alone.summary.selected_step
        assert difference(copied(together.module), copied(alone.module)) < 1e-5
        assert difference(copied(alone.module), copied(method.new_module(given))) > 1e-4
        assert_allclose(together.predict(TEST.examples), alone.predict(TEST.examples), rtol=0, atol=1e-5)


@pytest.mark.parametrize("method", [SPT(), XPE(), HeadOnly()], ids=lambda m: type(m).__name__)
def test_with_dropout_on_a_seed_does_not_depend_on_its_pack(
    method: SoftPrompt, tiny_backbone_with_dropout: Backbone
) -> None:
    """On a CPU: each lane draws from a stream of its own."""
    contexts = [context(tiny_backbone_with_dropout, loud(steps=12), seed) for seed in (1, 2, 3)]
    packed = method.fit_many(TRAIN, DEV, contexts)
    for given, together in zip(contexts, packed, strict=True):
        alone = method.fit(TRAIN, DEV, given)
        assert same(copied(together.module), copied(alone.module))
        assert together.summary == alone.summary


def test_a_packed_seed_that_stops_early_leaves_the_others_as_they_are(tiny_backbone: Backbone) -> None:
    phase = dataclasses.replace(loud().source, steps=40, patience=1)
    hasty = dataclasses.replace(loud(evaluate_every=2), source=phase)
    contexts = [context(tiny_backbone, hasty, seed) for seed in (1, 2, 3, 4)]
    packed = SPT().fit_many(TRAIN, DEV, contexts)
    assert len({fitted.summary.steps for fitted in packed}) > 1, "seeds must stop at different steps"
    for given, together in zip(contexts, packed, strict=True):
        alone = SPT().fit(TRAIN, DEV, given)
        assert together.summary.steps == alone.summary.steps
        assert difference(copied(together.module), copied(alone.module)) < 1e-5


@pytest.mark.parametrize("name", [*TRAINED, "majority"])
def test_predictions_do_not_depend_on_the_order_of_items(name: str, tiny_backbone: Backbone) -> None:
    fitted = fit(name, tiny_backbone)
    order = np.random.default_rng(0).permutation(len(TEST))
    shuffled = fitted.predict([TEST.examples[at] for at in order])
    assert_allclose(shuffled, fitted.predict(TEST.examples)[order], rtol=0, atol=1e-5)


def in_parts(fitted: Fitted, examples: Sequence[Example], size: int) -> Scores:
    parts = [examples[start : start + size] for start in range(0, len(examples), size)]
    return np.concatenate([fitted.predict(part) for part in parts])


@pytest.mark.parametrize("name", [*TRAINED, "majority"])
def test_predictions_do_not_depend_on_the_batch(name: str, tiny_backbone: Backbone) -> None:
    fitted = fit(name, tiny_backbone)
    whole = fitted.predict(TEST.examples)
    for size in (1, 7):
        assert_allclose(in_parts(fitted, TEST.examples, size), whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["xpe", "full-finetuning", "ngram-mlp"])
def test_an_item_without_a_pair_is_read_alike_beside_items_with_one(name: str, tiny_backbone: Backbone) -> None:
    fitted = fit(name, tiny_backbone)
    mixed = [*TEST.examples[:5], *(example._replace(text_pair="river") for example in TEST.examples[5:10])]
    assert_allclose(fitted.predict(mixed), in_parts(fitted, mixed, 1), rtol=0, atol=1e-5)


def test_no_items_give_no_rows(tiny_backbone: Backbone) -> None:
    assert fit("xpe", tiny_backbone).predict([]).shape == (0, 7)


def test_batches_hold_every_item_once_and_no_more_tokens_than_allowed() -> None:
    lengths = np.random.default_rng(3).integers(1, 40, size=200)
    texts = Tokenised(tuple(np.zeros(length, np.int64) for length in lengths), 1)
    batches = list(texts.sorted_batches(prompt=20, tokens=512))
    assert sorted(np.concatenate(batches)) == list(range(200))
    assert max(len(index) * (20 + lengths[index].max()) for index in batches) <= 512
