"""Fits on the toy's seven classes and the tiny backbone, small enough that each takes a fraction of a second."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.tokenised import Tokenised
from xlt_bench.conformance import toy
from xlt_bench.method import Context, FitSummary, Progress, Silent
from xlt_bench.plugins.methods import configure, recipe_of
from xlt_bench.recipe import Recipe
from xlt_bench.task import Labelled
from xlt_bench.training.data import TokenisedSplit, TrainData, origin_of
from xlt_bench.training.soft_prompt import FittedPrompt, SoftPrompt

LABELS = toy.LABELS
MAX_LENGTH = 32
"""Tokens of a text that are read; a few texts of train and dev are longer."""

_SILENT = Silent()


_NOTHING = TokenisedSplit(Tokenised((), 1), np.zeros(0, np.int64), origin_of((), 0))
NO_DATA = TrainData(_NOTHING, _NOTHING, 0)
"""For trainings whose data plays no part."""


def labelled(count: int, seed: int = 0, fillers: int = 40) -> Labelled:
    """English texts of 1 to 1 + `fillers` words."""
    return toy.items(count, seed, ["eng_Latn"], fillers=fillers)


TRAIN, DEV, TEST = labelled(60, 1), labelled(24, 2), labelled(40, 3, fillers=7)


def short(preset: str = "paper", method: str = "spt", steps: int = 12, **changes: Any) -> Recipe:
    """A preset's recipe with a budget of a few steps, for sources and target alike."""
    recipe = dataclasses.replace(recipe_of(configure(method, {}).method, preset), batch_size=8, max_length=MAX_LENGTH)
    phases = {name: dataclasses.replace(getattr(recipe, name), steps=steps) for name in ("source", "target")}
    return dataclasses.replace(recipe, **{**phases, **changes})


def loud(steps: int = 12, **changes: Any) -> Recipe:
    """A recipe whose learning rates are high enough that a few steps change predictions."""
    recipe = short(steps=steps, **changes)
    return recipe.with_rates(prompt=0.05, pseudo=0.05, encoder=0.01, head=0.02)


def context(
    backbone: Backbone | None, recipe: Recipe | None = None, seed: int = 1, progress: Progress = _SILENT
) -> Context:
    """A context on the CPU in float32; without a backbone for methods that use none."""
    load = None if backbone is None else lambda: backbone
    return Context(LABELS, seed, recipe or loud(), progress=progress, load_backbone=load)


def shake(parameters: Iterable[nn.Parameter], seed: int = 5) -> None:
    """Add noise to parameters, so that none is zero."""
    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in parameters:
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=noise))


def unfitted(method: SoftPrompt, backbone: Backbone, seed: int = 1, recipe: Recipe | None = None) -> FittedPrompt:
    """A method's module with random weights, as if it had been fitted."""
    fit_context = context(backbone, recipe, seed)
    module = method.new_module(fit_context)
    shake(module.parameters())
    return FittedPrompt(method, module, fit_context, FitSummary())


def copied(module: nn.Module) -> dict[str, Tensor]:
    """Every tensor of a module as it is now."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Whether two states are equal bit for bit."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def difference(first: dict[str, Tensor], second: dict[str, Tensor]) -> float:
    """The greatest absolute difference of two states."""
    assert first.keys() == second.keys()
    return float(torch.stack([(first[name] - second[name]).abs().max() for name in first]).max())


def tokens(backbone: Backbone, part: Labelled) -> Tokenised:
    """The texts as the library tokenises them."""
    return backbone.tokenise([(example.text, example.text_pair) for example in part.examples], MAX_LENGTH)


def cldr_context(backbone: Backbone | None, method: str = "peft", steps: int = 4, seed: int = 0) -> Context:
    """A context with a method's recipe under preset cldr, and a budget of a few steps."""
    return context(backbone, short("cldr", method, steps, evaluate_every=max(steps // 2, 1), max_length=64), seed)
