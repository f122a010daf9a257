"""The parts of a training step, ours beside what they replace.

python -m pytest benchmarks/test_parts.py -o addopts= --benchmark-group-by=group
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn
from transformers.optimization import Adafactor as HuggingFaceAdafactor

from benchmarks.workload import LONGEST, VECTORS, sentences
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.batches import Batch, tokens_at_once
from xlt_bench.backbones.lean.dropout import dropout
from xlt_bench.backbones.source import Precision, locate
from xlt_bench.backbones.tokenised import Tokenised
from xlt_bench.method import Context
from xlt_bench.methods.xpe import XPE
from xlt_bench.recipe import PRESETS, Recipe
from xlt_bench.training.adafactor import Together
from xlt_bench.training.optimisation import make_optimiser, step_together
from xlt_bench.training.prompted import Prompted, PromptedForward

LANES = 5
RECIPE: Recipe = PRESETS["released"].recipe


def texts() -> list[tuple[str, str | None]]:
    return [(example.text, None) for example in sentences(64, 0).examples]


def forward_of(kind: str) -> tuple[PromptedForward, Batch, Tensor]:
    """A forward pass, a batch of 32 sentences of like length, a prompt."""
    precision: Precision = "bf16" if kind == "lean-bf16" else "fp32"
    backbone = Backbone(locate("nano"), "cpu", precision)
    if kind == "transformers":
        backbone.lean = None
    ids = backbone.tokenise(texts(), LONGEST)
    batch = ids.batch(ids.lengths.argsort()[16:48])
    return PromptedForward(backbone, ids.pad_id), batch, torch.randn(VECTORS, 128).requires_grad_()


@pytest.mark.benchmark(group="forward and backward, 32 sentences")
@pytest.mark.parametrize("kind", ["lean", "lean-bf16", "transformers"])
def test_forward_backward(kind: str, benchmark: BenchmarkFixture) -> None:
    forward, batch, prompt = forward_of(kind)

    def step() -> None:
        for block in batch.blocks(tokens_at_once(torch.device("cpu")), VECTORS):
            forward.hidden([prompt], [block])[0].square().sum().backward()

    benchmark(step)
    assert prompt.grad is not None


@pytest.mark.benchmark(group="evaluation of 5 prompts, 32 sentences")
@pytest.mark.parametrize("kind", ["lean", "lean-bf16", "transformers"])
def test_evaluation(kind: str, benchmark: BenchmarkFixture) -> None:
    forward, batch, prompt = forward_of(kind)
    with torch.no_grad():
        states = benchmark(lambda: forward.hidden([prompt] * LANES, [batch] * LANES))
    assert len(states) == LANES


@pytest.mark.benchmark(group="Adafactor, 5 lanes of XPE")
@pytest.mark.parametrize("kind", ["together", "transformers"])
def test_adafactor(kind: str, benchmark: BenchmarkFixture) -> None:
    backbone = Backbone(locate("nano"))
    method = XPE()
    modules = [
        method.new_module(Context(("a", "b"), seed, RECIPE, load_backbone=lambda: backbone)) for seed in range(LANES)
    ]
    for parameter in nn.ModuleList(modules).parameters():
        parameter.grad = torch.randn_like(parameter)
    benchmark(_together(method, modules) if kind == "together" else _one_by_one(modules))


def _together(method: XPE, modules: Sequence[Prompted]) -> Callable[[], None]:
    roles = [{**method.roles(module.prompt), "head": list(module.head.parameters())} for module in modules]
    optimisers, together = [make_optimiser(role, RECIPE) for role in roles], Together()
    return lambda: step_together(optimisers, together)


def _one_by_one(modules: Sequence[Prompted]) -> Callable[[], None]:
    optimisers = [
        HuggingFaceAdafactor(module.parameters(), lr=1e-5, scale_parameter=False, relative_step=False)
        for module in modules
    ]

    def step() -> None:
        for optimiser in optimisers:
            optimiser.step()

    return step


@pytest.mark.benchmark(group="dropout of a million numbers, forward and backward")
@pytest.mark.parametrize("kind", ["ours", "torch"])
def test_dropout(kind: str, benchmark: BenchmarkFixture) -> None:
    inputs = torch.randn(1000, 1000).requires_grad_()
    drop = dropout if kind == "ours" else nn.functional.dropout
    benchmark(lambda: drop(inputs, 0.1).sum().backward())


@pytest.mark.benchmark(group="tokenising 64 sentences")
@pytest.mark.parametrize("kind", ["again", "anew"])
def test_tokenise(kind: str, benchmark: BenchmarkFixture) -> None:
    backbone, pairs = Backbone(locate("nano")), texts()
    backbone.tokenise(pairs, LONGEST)
    anew = kind == "anew"
    benchmark(lambda: Tokenised.of(backbone.tokenizer, pairs, LONGEST) if anew else backbone.tokenise(pairs, LONGEST))
