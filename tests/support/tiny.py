"""Data, contexts and recipes small enough that a fit takes a fraction of a second."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.tokenised import Tokenised
from xlt_bench.method import Context, FitSummary, Progress, Silent
from xlt_bench.plugins.methods import configure, recipe_of
from xlt_bench.recipe import Recipe
from xlt_bench.task import Example, Labelled
from xlt_bench.training.data import TokenisedSplit, TrainData, origin_of
from xlt_bench.training.soft_prompt import FittedPrompt, SoftPrompt

LABELS = ("science", "travel", "politics", "sports", "health", "entertainment", "geography")
MAX_LENGTH = 32
"""Tokens of a text kept; a few of the texts are longer."""

_SYLLABLES = (
    "ri",
    "ver",
    "la",
    "ke",
    "mo",
    "un",
    "ta",
    "in",
    "ci",
    "ty",
    "eu",
    "ro",
    "do",
    "lar",
    "me",
    "tre",
    "se",
    "con",
    "ger",
    "man",
    "thai",
)


def labelled(count: int, seed: int = 0) -> Labelled:
    """Texts of 1 to 7 words whose first word tells the class."""
    random = np.random.default_rng(seed)
    gold = random.integers(len(LABELS), size=count)
    texts = [_text(int(cls), random) for cls in gold]
    examples = tuple(Example(f"{seed}-{at}", "eng_Latn", text) for at, text in enumerate(texts))
    return Labelled(examples, gold.astype(np.int64))


def _text(cls: int, random: np.random.Generator) -> str:
    words = ["".join(random.choice(_SYLLABLES, 2)) for _ in range(random.integers(0, 7))]
    return " ".join([_SYLLABLES[cls] * 2, *words])


_SILENT = Silent()

_NOTHING = TokenisedSplit(Tokenised((), 1), np.zeros(0, np.int64), origin_of((), 0))
NO_DATA = TrainData(_NOTHING, _NOTHING, 0)

TRAIN, DEV, TEST = labelled(60, 1), labelled(24, 2), labelled(40, 3)


def short(preset: str = "paper", method: str = "spt", steps: int = 12, **changes: Any) -> Recipe:
    """A preset's recipe with a budget of a few steps, for sources and target alike."""
    recipe = dataclasses.replace(recipe_of(configure(method, {}).method, preset), batch_size=8, max_length=MAX_LENGTH)
    phases = {name: dataclasses.replace(getattr(recipe, name), steps=steps) for name in ("source", "target")}
    return dataclasses.replace(recipe, **{**phases, **changes})


def loud(steps: int = 12, **changes: Any) -> Recipe:
    """A recipe whose learning rates are high enough that a few steps change predictions."""
    recipe = short(steps=steps, **changes)
    return recipe.with_rates(prompt=0.05, pseudo=0.05, encoder=0.01, head=0.02)


def context(backbone: Backbone, recipe: Recipe | None = None, seed: int = 1, progress: Progress = _SILENT) -> Context:
    """A context on the CPU in float32."""
    return Context(LABELS, seed, recipe or loud(), progress=progress, load_backbone=lambda: backbone)


def shaken(module: nn.Module, seed: int = 5) -> nn.Module:
    """The module with noise on every parameter, so that no bias is zero."""
    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=noise))
    return module


def unfitted(method: SoftPrompt, backbone: Backbone, seed: int = 1, recipe: Recipe | None = None) -> FittedPrompt:
    """A method's module with random weights, as if it had been fitted."""
    given = context(backbone, recipe, seed)
    module = method.new_module(given)
    shaken(module)
    return FittedPrompt(method, module, given, FitSummary())


def copied(module: nn.Module) -> dict[str, Tensor]:
    """Every tensor of a module as it is now."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Whether two states are equal bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def difference(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """The greatest absolute difference of two states."""
    assert one.keys() == other.keys()
    return float(torch.stack([(one[name] - other[name]).abs().max() for name in one]).max())


def tokens(backbone: Backbone, part: Labelled) -> Tokenised:
    """The texts as the library tokenises them."""
    return backbone.tokenise([(example.text, example.text_pair) for example in part.examples], MAX_LENGTH)
