"""What a GPU does otherwise than a CPU: passes of several lanes, bfloat16, memory that runs out, checkpoints."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.cut_fits import Cut, checkpoints, cut_after, kept_contexts
from tests.support.fits import DEV, TEST, TRAIN, context, copied, difference, short
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import Precision, locate
from xlt_bench.method import Context
from xlt_bench.methods.full_finetuning import FullFinetuning
from xlt_bench.methods.spt import SPT
from xlt_bench.methods.xpe import XPE
from xlt_bench.recipe import Rate, Recipe
from xlt_bench.runs.counting import Counter
from xlt_bench.training import trainer
from xlt_bench.training.memory import PassWidth

pytestmark = pytest.mark.gpu

RECIPE = short("released", steps=60, evaluate_every=20)
ALMOST = 2e-3
"""By how much parameters may differ: a GPU adds in another order, over 60 steps."""


@pytest.fixture(scope="session")
def device() -> str:
    """The GPU."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return "cuda"


def on(device: str, folder: Path, precision: Precision = "fp32") -> Backbone:
    return Backbone(locate(str(folder)), device, precision)


def contexts(backbone: Backbone, seeds: Sequence[int], recipe: Recipe = RECIPE) -> list[Context]:
    here = {"device": backbone.device.type, "precision": backbone.precision}
    return [dataclasses.replace(context(backbone, recipe, seed), **here) for seed in seeds]


def test_a_fit_is_that_of_the_cpu(device: str, tiny_backbone_folder: Path) -> None:
    scores = [
        SPT().fit(TRAIN, DEV, *contexts(on(name, tiny_backbone_folder), [1])).predict(TEST.examples)
        for name in ("cpu", device)
    ]
    np.testing.assert_allclose(scores[1], scores[0], atol=2e-2)


def test_lanes_that_share_a_pass_are_those_alone(device: str, tiny_backbone_folder: Path) -> None:
    backbone = on(device, tiny_backbone_folder)
    together = XPE(dropout=0.0).fit_many(TRAIN, DEV, contexts(backbone, [1, 2, 3, 4]))
    for fitted, alone in zip(together, contexts(backbone, [1, 2, 3, 4]), strict=True):
        expected = XPE(dropout=0.0).fit(TRAIN, DEV, alone)
        assert difference(copied(fitted.module), copied(expected.module)) < ALMOST


@pytest.mark.parametrize("method", [SPT(), FullFinetuning()], ids=["spt", "full-finetuning"])
def test_bfloat16_answers_as_float32(method: SPT | FullFinetuning, device: str, tiny_backbone_folder: Path) -> None:
    answers = []
    for precision in ("fp32", "bf16"):
        (given,) = contexts(on(device, tiny_backbone_folder, precision), [1], RECIPE.with_roles(backbone=Rate(1e-3)))  # type: ignore[arg-type]
        answers.append(method.fit(TRAIN, DEV, given).predict(TEST.examples).argmax(1))
    assert np.mean(answers[0] == answers[1]) >= 0.9


class TooWide(PassWidth):
    """Begins with more lanes in a pass than fit, and remembers the last one."""

    last = 0

    def __init__(self, device: torch.device) -> None:
        super().__init__(device)
        self.lanes, self._measured = 16, True
        TooWide.last = 16

    def halve(self, error: BaseException) -> None:
        """Take note, as the usual one does."""
        super().halve(error)
        TooWide.last = self.lanes


def peak_bytes(backbone: Backbone, seeds: Sequence[int], recipe: Recipe) -> int:
    """Of a fit, beyond what is allocated before."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    SPT().fit_many(TRAIN, DEV, contexts(backbone, seeds, recipe))
    return torch.cuda.max_memory_allocated() - before


def test_a_pass_that_does_not_fit_is_halved_and_nothing_else_changes(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone, seeds = on(device, locate("nano").folder), list(range(16))
    recipe = dataclasses.replace(short("released", steps=2, evaluate_every=2), batch_size=32)
    narrow = peak_bytes(backbone, [0], recipe)
    monkeypatch.setattr(trainer, "PassWidth", TooWide)
    wide = peak_bytes(backbone, seeds, recipe)
    assert TooWide.last == 16
    assert wide > 2 * narrow, "a pass of 16 lanes takes more, or the limit below would mean nothing"
    expected = [copied(fitted.module) for fitted in SPT().fit_many(TRAIN, DEV, contexts(backbone, seeds, recipe))]
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + (narrow + wide) / 2) / total)
    try:
        fits = SPT().fit_many(TRAIN, DEV, contexts(backbone, seeds, recipe))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert TooWide.last < 16
    assert all(difference(copied(f.module), e) < ALMOST for f, e in zip(fits, expected, strict=True))


def test_a_fit_goes_on_from_its_checkpoint(device: str, tiny_backbone_folder: Path, tmp_path: Path) -> None:
    backbone = on(device, tiny_backbone_folder)

    def run(name: str) -> list[dict[str, torch.Tensor]]:
        with Counter() as counter:
            kept = checkpoints(tmp_path / name, counter, every_step=True, program="this", signals=None)
            given = [
                dataclasses.replace(each, device=device) for each in kept_contexts(kept, backbone, RECIPE, seeds=(1, 2))
            ]
            return [copied(fitted.module) for fitted in XPE().fit_many(TRAIN, DEV, given)]

    undisturbed = run("undisturbed")
    with cut_after(41), pytest.raises(Cut):
        run("cut")
    assert all(difference(ours, theirs) < ALMOST for ours, theirs in zip(run("cut"), undisturbed, strict=True))
