"""Data, recipes and contexts on the tiny backbone, small enough that a fit takes a fraction of a second."""

from __future__ import annotations

import dataclasses

import numpy as np
from torch import Tensor, nn

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.method import Context
from xlt_bench.plugins.methods import configure, recipe_of
from xlt_bench.recipe import Recipe
from xlt_bench.task import Example, Labelled

LABELS = ("water", "money", "time")
_WORDS = (("river", "lake", "metre"), ("euro", "dollar", "peso"), ("second", "hour", "hour hour"))


def labelled(count: int, seed: int) -> Labelled:
    """Texts of one to four words, the first of which tells the class."""
    random = np.random.default_rng(seed)
    gold = np.arange(count) % len(LABELS)
    texts = [
        " ".join([str(random.choice(_WORDS[cls])), *random.choice(["german", "thai", "french"], 3)]) for cls in gold
    ]
    examples = tuple(Example(f"{seed}-{at}", "eng_Latn", text) for at, text in enumerate(texts))
    return Labelled(examples, gold.astype(np.int64))


TRAIN, DEV, TEST = labelled(48, 1), labelled(18, 2), labelled(30, 3)


def recipe(method: str, steps: int) -> Recipe:
    """The preset cldr with a budget of a few steps, on sources and target alike."""
    found = dataclasses.replace(
        recipe_of(configure(method, {}).method, "cldr"), batch_size=8, evaluate_every=max(steps // 2, 1)
    )
    return found.with_steps(steps, steps)


def context(backbone: Backbone | None, method: str = "peft", steps: int = 4, seed: int = 0) -> Context:
    """A context on the CPU in float32."""
    load = None if backbone is None else lambda: backbone
    return Context(LABELS, seed, recipe(method, steps), load_backbone=load)


def shaken(parameters: list[nn.Parameter], seed: int = 5) -> None:
    """Add noise, so that nothing is zero."""
    import torch

    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in parameters:
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=noise))


def copied(module: nn.Module) -> dict[str, Tensor]:
    """Every tensor of a module as it is now."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
