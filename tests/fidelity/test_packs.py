"""Lanes trained in one pass: equal to each alone, bounded in memory, one failing without the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.support.fits import DEV, TEST, TRAIN, context, copied, difference, labelled, loud, short
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.batches import Batch
from xlt_bench.errors import DivergedError, MethodError
from xlt_bench.method import PackError
from xlt_bench.methods.spt import SPT
from xlt_bench.methods.xpe import XPE
from xlt_bench.recipe import ReadOut
from xlt_bench.training import trainer
from xlt_bench.training.losses import Terms
from xlt_bench.training.memory import PassWidth
from xlt_bench.training.prompted import PromptedForward
from xlt_bench.training.soft_prompt import FittedPrompt, SoftPrompt


class Wide(PassWidth):
    """Passes of up to four lanes, as on a GPU."""

    def __init__(self, device: torch.device) -> None:
        super().__init__(device)
        self.lanes = 4


@pytest.fixture(params=["lane-by-lane", "one-pass"])
def passes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """As on a CPU, and as on a GPU."""
    if request.param == "one-pass":
        monkeypatch.setattr(trainer, "PassWidth", Wide)
    return str(request.param)


@pytest.mark.parametrize("method", [SPT(), XPE(dropout=0.0)], ids=lambda m: type(m).__name__)
def test_after_200_steps_each_lane_equals_the_same_seed_alone(
    method: SoftPrompt, passes: str, tiny_backbone: Backbone
) -> None:
    recipe = short("released", steps=200, evaluate_every=50)
    contexts = [context(tiny_backbone, recipe, seed) for seed in (1, 2)]
    together = method.fit_many(TRAIN, DEV, contexts)[1]
    alone = method.fit(TRAIN, DEV, contexts[1])
    assert difference(copied(together.module), copied(alone.module)) < 1e-5
    assert together.summary.selected_step == alone.summary.selected_step


def test_the_same_pack_gives_the_same_numbers_with_dropout(passes: str, tiny_backbone_with_dropout: Backbone) -> None:
    contexts = [context(tiny_backbone_with_dropout, loud(steps=10), seed) for seed in (1, 2, 3)]
    once, again = (XPE().fit_many(TRAIN, DEV, contexts) for _ in range(2))
    for one, other in zip(once, again, strict=True):
        assert difference(copied(one.module), copied(other.module)) == 0.0


def test_targets_adapted_in_one_pass_equal_each_alone(passes: str, tiny_backbone: Backbone) -> None:
    start = XPE(dropout=0.0).fit(TRAIN, DEV, context(tiny_backbone, loud(steps=10)))
    trains, devs = [labelled(40 + at, 10 + at) for at in range(3)], [labelled(16, 20 + at) for at in range(3)]
    contexts = [context(tiny_backbone, short(steps=15, evaluate_every=5 + at), seed=at) for at in range(3)]
    together = start.adapt_many(trains, devs, contexts)
    for train, dev, given, found in zip(trains, devs, contexts, together, strict=True):
        alone = start.adapt(train, dev, given)
        assert difference(copied(found.module), copied(alone.module)) < 1e-5
        assert [point.step for point in found.summary.history] == [point.step for point in alone.summary.history]
    assert difference(copied(together[0].module), copied(together[1].module)) > 1e-4


def exploding(seed: int) -> SPT:
    """SPT whose prompt of one seed starts at infinity."""

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Exploding(SPT):
        def new_module(self, context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            module = super().new_module(context)
            if context.seed == seed:
                nn.init.constant_(module.prompt.weight, torch.inf)
            return module

    return Exploding()


def test_a_lane_whose_loss_is_nan_fails_alone(passes: str, tiny_backbone: Backbone) -> None:
    contexts = [context(tiny_backbone, loud(steps=20), seed) for seed in (1, 2, 3)]
    with pytest.raises(PackError, match=r"1 of 3 trained together failed; the first: .* seed 2 became nan") as told:
        exploding(2).fit_many(TRAIN, DEV, contexts)
    first, failure, third = told.value.outcomes
    assert isinstance(failure, DivergedError)
    for given, found in ((contexts[0], first), (contexts[2], third)):
        assert isinstance(found, FittedPrompt)
        alone = SPT().fit(TRAIN, DEV, given)
        assert difference(copied(found.module), copied(alone.module)) < 1e-5


class Small:
    """A forward pass that has no memory for more than so many lanes."""

    def __init__(self, inner: PromptedForward, room: int, error: Exception) -> None:
        self.inner, self.room, self.error = inner, room, error
        self.widths: list[int] = []

    def __call__(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Tensor]:
        return self.inner(modules, batches)

    def gradients(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Terms]:
        self.widths.append(len(modules))
        losses = self.inner.gradients(modules, batches)
        if len(modules) > self.room:
            raise self.error
        return losses


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory"),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried ..."),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_out_of_memory_halves_the_pass_and_changes_no_number(
    error: Exception, tiny_backbone_with_dropout: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts = [context(tiny_backbone_with_dropout, loud(steps=6), seed) for seed in (1, 2, 3, 4)]
    expected = XPE().fit_many(TRAIN, DEV, contexts)
    made: list[Small] = []

    def small(backbone: Backbone, pad_id: int, read_out: ReadOut, loss: None) -> Small:
        made.append(Small(PromptedForward(backbone, pad_id, read_out), 1, error))
        return made[0]

    monkeypatch.setattr(trainer, "PassWidth", Wide)
    monkeypatch.setattr("xlt_bench.training.soft_prompt.PromptedForward", small)
    found = XPE().train_modules(
        [XPE().new_module(c) for c in contexts], TRAIN, DEV, contexts, contexts[0].recipe.source
    )
    assert made[0].widths[:4] == [4, 2, 1, 1]
    assert set(made[0].widths[4:]) == {1}
    for one, other in zip(found, expected, strict=True):
        assert difference(copied(one.module), copied(other.module)) < 1e-5


def test_a_single_lane_that_does_not_fit_is_told_the_way_out(
    tiny_backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(backbone: Backbone, pad_id: int, read_out: ReadOut, loss: None) -> Small:
        return Small(PromptedForward(backbone, pad_id, read_out), 0, MemoryError())

    monkeypatch.setattr("xlt_bench.training.soft_prompt.PromptedForward", none)
    with pytest.raises(MethodError, match=r"out of memory with a single seed; use a smaller batch .*--precision bf16"):
        SPT().fit(TRAIN, DEV, context(tiny_backbone, loud(steps=6)))


def test_other_runtime_errors_are_not_taken_for_memory(
    tiny_backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(backbone: Backbone, pad_id: int, read_out: ReadOut, loss: None) -> Small:
        return Small(PromptedForward(backbone, pad_id, read_out), 0, RuntimeError("shapes do not fit"))

    monkeypatch.setattr("xlt_bench.training.soft_prompt.PromptedForward", broken)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        SPT().fit(TRAIN, DEV, context(tiny_backbone, loud(steps=6)))


def test_small_blocks_change_no_gradient(tiny_backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = short("released", steps=20, evaluate_every=20)
    given = context(tiny_backbone, recipe)
    expected = SPT().fit(TRAIN, DEV, given)
    monkeypatch.setattr("xlt_bench.training.prompted.tokens_at_once", lambda device: 60)
    found = SPT().fit(TRAIN, DEV, given)
    assert difference(copied(found.module), copied(expected.module)) < 1e-5
    assert np.allclose(found.predict(TEST.examples), expected.predict(TEST.examples), atol=1e-4)
