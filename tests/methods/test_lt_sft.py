"""LT-SFT: exactly K weights move, the backbone's others stay, and with all weights it is a fit without a mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.support.commands import Command
from xlt_bench.conformance.bench import Bench
from xlt_bench.errors import ConfigError
from xlt_bench.method import LanguageFits
from xlt_bench.methods.lt_sft import LtSft, maskable
from xlt_bench.training.sparse_difference import SparseDifference

K = 500


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench(LtSft(task_k=K, language_k=K)) as bench:
        yield bench


def test_exactly_k_weights_of_a_task_move_and_are_all_that_is_saved(bench: Bench, tmp_path: Path) -> None:
    backbone = bench.backbone()
    fitted = bench.fit(context=bench.context(backbone=backbone))
    start, end = maskable(backbone.encoder), maskable(fitted.module.encoder)  # type: ignore[attr-defined]
    moved = sum(int((end[name] != value).sum()) for name, value in start.items())
    assert len(fitted.difference) == K  # type: ignore[attr-defined]
    assert K * 0.95 < moved <= K, "a chosen weight may come back to where it was; no other moves"
    fitted.save(tmp_path)
    saved = load_file(tmp_path / "weights.safetensors")
    assert sum(value.numel() for name, value in saved.items() if name.endswith(".values")) == K
    norms = dict(backbone.encoder.named_parameters()).keys() - start.keys()
    assert norms
    assert all("LayerNorm" in name for name in norms)


def test_a_language_has_k_weights_and_its_difference_is_gone_afterwards(bench: Bench) -> None:
    backbone = bench.backbone()
    context = bench.context(backbone=backbone)
    fitted = bench.fit(context=context)
    difference = SparseDifference.from_tensors(context.languages.fits[bench.toy.targets[0]].weights)
    assert len(difference) == K
    weights = maskable(fitted.module.encoder)  # type: ignore[attr-defined]
    before = {name: value.detach().clone() for name, value in weights.items()}
    texts = [probe._replace(language=bench.toy.targets[0]) for probe in bench.probes[:5]]
    scores = torch.from_numpy(fitted.predict(texts))
    assert all(torch.equal(weights[name], value) for name, value in before.items()), "bit for bit"
    difference.add_to(weights)
    without = replace(context, languages=LanguageFits())
    expected = type(fitted)(fitted.method, fitted.module, without, fitted.summary, fitted.difference)  # type: ignore[attr-defined, call-arg]
    torch.testing.assert_close(scores, torch.from_numpy(expected.predict(texts)), rtol=0, atol=1e-5)


def test_with_all_weights_the_second_fit_is_a_fit_without_a_mask(bench: Bench) -> None:
    """The same start, trainer, batches and budget, without languages, all but layer norms trained: equal scores."""
    context = replace(bench.context(steps=6), languages=LanguageFits())
    total = sum(weight.numel() for weight in maskable(context.backbone.encoder).values())
    method = LtSft(task_k=total)
    sparse = method.fit(bench.train(), bench.dev(), context)
    module = method.new_module(context.backbone, len(context.labels), context.seed)
    second = replace(context.recipe.source, steps=3)
    plain = method.train_module(module, bench.train(), bench.dev(), context, second)
    scores = [torch.from_numpy(fitted.predict(bench.probes)) for fitted in (sparse, plain)]
    torch.testing.assert_close(*scores, rtol=0, atol=1e-5)  # a weight is the start plus what is stored: one rounding
    assert (sparse.summary.steps, plain.summary.steps) == (6, 3)


@pytest.mark.parametrize(("setting", "count"), [("language_k=100000000", "100,000,000"), ("task_k=0", "0")])
def test_more_weights_than_the_backbone_has_or_none_are_refused_before_anything_runs(
    setting: str, count: str, run: Command
) -> None:
    said = run("-m", "lt-sft", "--set", setting, "--seeds", "1")
    assert said.code == 2
    assert f"{count} weights are to be changed of the backbone's" in said.err
    assert not Path("xlt-results").exists()


def test_values_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ConfigError, match="rank and keep of lt-sft are shares"):
        LtSft(denoise="svd", rank=0.0)
    with pytest.raises(ConfigError, match="language_steps of lt-sft must be at least 2"):
        LtSft(language_steps=1)
    assert LtSft().language_settings() == LtSft(rank=0.5).language_settings(), "rank is of svd alone"
    assert LtSft(denoise="svd").language_settings() != LtSft(denoise="svd", rank=0.5).language_settings()
