"""Consistency between parallel source items: value, gradient, batches, and what a weight of 0 leaves alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.support.commands import Command
from tests.support.fits import DEV, TRAIN, context, copied, difference, loud, same
from tests.support.toy import CODES, toy_task
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.errors import ConfigError
from xlt_bench.method import Context
from xlt_bench.methods.bitfit import BitFit
from xlt_bench.methods.full_finetuning import FullFinetuning
from xlt_bench.methods.smop import SMoP
from xlt_bench.methods.spt import SPT
from xlt_bench.plugins.methods import configure
from xlt_bench.recipe import Recipe
from xlt_bench.records.store import Store
from xlt_bench.resources import Resources, needs_of
from xlt_bench.training.consistency import disagreement
from xlt_bench.training.data import TrainData, tokenised
from xlt_bench.training.hooks import TrainingHooks
from xlt_bench.training.order import Index, pairs

SOURCES = CODES[:3]
PARALLEL_TRAIN, PARALLEL_DEV = (toy_task().pool(SOURCES, split) for split in ("train", "dev"))


def parallel_context(backbone: Backbone, steps: int = 12, seed: int = 1) -> Context:
    """A context of a method that declares source-parallel; the tiny recipe takes batches of 8."""
    return replace(context(backbone, loud(steps), seed), resources=Resources({"source-parallel": {}}))


@dataclass(frozen=True, kw_only=True)
class PairedSPT(SPT):
    """SPT on the same batches, without the term."""

    def batches(self, data: TrainData, recipe: Recipe, seed: int) -> Iterator[Index]:
        return pairs(data, recipe.batch_size, seed)


def test_the_divergence_is_xtunes_on_three_classes() -> None:
    """Torch's own `kl_div` with its default mean over batch and classes, both ways, as xTune computes it."""
    torch.manual_seed(0)
    first, second = torch.randn(2, 16, 3).double()
    p, q = first.softmax(1), second.softmax(1)
    with pytest.warns(UserWarning, match="reduction: 'mean' divides"):
        theirs = functional.kl_div(q.log(), p) + functional.kl_div(p.log(), q)
    torch.testing.assert_close(disagreement(torch.cat([first, second])), theirs)


def test_on_other_numbers_of_classes_it_keeps_its_strength() -> None:
    torch.manual_seed(0)
    first, second = torch.randn(2, 16, 7).double()
    p, q = first.softmax(1), second.softmax(1)
    expected = ((p - q) * (p.log() - q.log())).sum(1).mean() / 3
    torch.testing.assert_close(disagreement(torch.cat([first, second])), expected)


def test_the_gradient_of_a_view_is_its_softmax_minus_the_others() -> None:
    torch.manual_seed(0)
    logits = torch.randn(32, 7, dtype=torch.double, requires_grad=True)
    disagreement(logits).backward()
    p, q = logits.detach().softmax(1).chunk(2)
    torch.testing.assert_close(logits.grad, torch.cat([p - q, q - p]) / (16 * 3))


def test_halves_of_a_batch_are_translations_and_every_item_comes(tiny_backbone: Backbone) -> None:
    data = tokenised(PARALLEL_TRAIN, PARALLEL_DEV, parallel_context(tiny_backbone), 0)
    ids = [example.id for example in PARALLEL_TRAIN.examples]
    languages = [example.language for example in PARALLEL_TRAIN.examples]
    epoch = -(-18 * 4 // 8)  # 18 items in three languages make two pairs each, one item with itself
    batches = list(islice(pairs(data, 8, seed=3), epoch))
    assert {len(rows) for rows in batches} == {8}
    alone = 0
    for rows in batches:
        for one, other in zip(*np.split(rows, 2), strict=True):
            assert ids[one] == ids[other]
            alone += one == other
            assert one == other or languages[one] != languages[other]
    assert alone == 18
    assert set(np.concatenate(batches)) == set(range(len(PARALLEL_TRAIN)))
    assert all(map(np.array_equal, batches, islice(pairs(data, 8, seed=3), epoch)))
    assert not all(map(np.array_equal, batches, islice(pairs(data, 8, seed=4), epoch)))
    assert [len(rows) for rows in islice(pairs(data, 1, seed=3), 3)] == [2, 2, 2]


@pytest.mark.parametrize("kind", [SPT, BitFit, FullFinetuning])
def test_weight_0_is_the_plain_method_bit_for_bit(kind: type, tiny_backbone_with_dropout: Backbone) -> None:
    given = context(
        tiny_backbone_with_dropout, loud(6).with_roles(bias=loud().rate("prompt"), backbone=loud().rate("head"))
    )
    plain, weightless = kind().fit(TRAIN, DEV, given), kind(consistency=0.0).fit(TRAIN, DEV, given)
    assert same(copied(plain.module), copied(weightless.module))
    assert weightless.summary == plain.summary
    assert needs_of(kind(consistency=0.0)) == frozenset()


def test_weight_0_is_the_same_run_and_a_weight_is_another() -> None:
    plain, weightless, weighted = (
        configure("spt", settings) for settings in ({}, {"consistency": "0"}, {"consistency": "5"})
    )
    assert plain.values == weightless.values
    assert "consistency" not in plain.values
    assert weighted.values == {**plain.values, "consistency": 5.0}
    assert (plain.label, weightless.label, weighted.label) == ("spt", "spt", "spt (consistency=5.0)")
    assert needs_of(weighted.method) == {"source-parallel"}


def test_views_that_are_the_same_disagree_in_nothing(tiny_backbone: Backbone) -> None:
    """Without translations and without dropout the term and its gradient are 0: cross entropy on the same batches."""
    given = parallel_context(tiny_backbone)
    paired, consistent = PairedSPT().fit(TRAIN, DEV, given), SPT(consistency=5.0).fit(TRAIN, DEV, given)
    assert difference(copied(paired.module), copied(consistent.module)) < 1e-6
    assert all(abs(point.terms["consistency"]) < 1e-9 for point in consistent.summary.history)


@pytest.mark.parametrize("method", [SPT(consistency=1e-9), SMoP(consistency=1e-9)])
def test_the_other_terms_stay_what_they_are(method: SPT, tiny_backbone: Backbone) -> None:
    given = parallel_context(tiny_backbone)
    fitted = method.fit(PARALLEL_TRAIN, PARALLEL_DEV, given)
    assert set(fitted.summary.history[-1].terms) == {"cross_entropy", "consistency"}
    if isinstance(method, SPT):
        paired = PairedSPT().fit(PARALLEL_TRAIN, PARALLEL_DEV, given)
        assert difference(copied(paired.module), copied(fitted.module)) < 1e-4


def test_translations_come_to_agree(tiny_backbone: Backbone) -> None:
    last = {}
    for weight in (0.001, 300.0):
        given = parallel_context(tiny_backbone, steps=24)
        (point,) = SPT(consistency=weight).fit(PARALLEL_TRAIN, PARALLEL_DEV, given).summary.history[-1:]
        last[weight] = point.terms["consistency"] / weight
    assert last[300.0] < 0.5 * last[0.001]


def test_a_run_has_the_term_and_the_resource_in_its_record(run: Command) -> None:
    said = run("-m", "xpe", "--set", "consistency=5", "--targets", "kat_Geor", "--seeds", "1", "--steps", "4")
    assert said.code == 0, said.err
    (record,) = Store(Path("xlt-results")).records()[0]
    assert list(record.cell.resources) == ["source-parallel"]
    assert record.fit["history"][-1]["terms"]["consistency"] > 0
    assert record.counted["examples"] > 0


def test_a_single_source_language_is_refused_before_anything_runs(command: Command) -> None:
    said = command("run", "--task", "toy", "--sources", "eng_Latn", "-m", "spt", "--set", "consistency=5")
    assert said.code == 2
    assert "no two train items of the sources (eng_Latn) share an id" in said.err


@pytest.mark.parametrize("method", ["spt", "xpe", "dual", "smop", "head-only", "bitfit", "full-finetuning", "lora"])
def test_a_negative_weight_is_refused(method: str) -> None:
    with pytest.raises(ConfigError, match="consistency is a weight of at least 0, not -1"):
        configure(method, {"consistency": "-1"})


def test_the_page_of_a_method_names_it(program: Command) -> None:
    assert "consistency = 0.0" in program("ls", "methods", "spt").out


def test_a_method_with_batches_of_its_own_is_refused() -> None:
    with pytest.raises(ConfigError, match="PairedSPT makes batches of its own"):
        PairedSPT(consistency=1.0)
    assert TrainingHooks().needs == frozenset()
