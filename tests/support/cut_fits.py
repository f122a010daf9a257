"""Fits that are cut off in a step, and go on from their checkpoints."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_post_hook

from tests.support.fits import context
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.io.stop_signals import StopSignals
from xlt_bench.method import Context, Silent
from xlt_bench.methods.xpe import XPE
from xlt_bench.recipe import Recipe
from xlt_bench.records.checkpoints import CheckpointFiles
from xlt_bench.records.claims import Claims
from xlt_bench.runs.checkpoints import PackCheckpoints
from xlt_bench.runs.counting import Counter
from xlt_bench.training.losses import Outputs, Terms, mean_cross_entropy

Outcome = TypeVar("Outcome")


class Cut(BaseException):
    """A fit was cut off."""


class Notes(Silent):
    """A Progress that remembers notes."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        """Remember it."""
        self.texts.append(text)


@dataclass(frozen=True, kw_only=True)
class Drawing(XPE):
    """XPE with a loss that draws from every global generator there is, in two terms, one of them now and then."""

    def loss(self, outputs: Outputs, batch: object) -> Terms:
        """Cross entropy, weighted at random, and sometimes a further term."""
        weight = np.random.rand() + random.random() + float(torch.rand(()))
        cross_entropy = mean_cross_entropy(outputs, batch)["cross_entropy"]  # type: ignore[arg-type]
        terms = {"cross_entropy": cross_entropy * weight}
        return terms | {"size": outputs.logits.square().mean()} if random.random() < 0.5 else terms


def checkpoints(
    folder: Path, counter: Counter, every_step: bool, program: str, signals: StopSignals | None
) -> PackCheckpoints:
    """Checkpoints after every step, or at dev evaluations alone, whatever writing them takes."""
    files = CheckpointFiles(folder, Claims(folder / ".claims"))
    seconds = 0.0 if every_step else 3600.0
    return PackCheckpoints(files, program, counter, seconds, signals or StopSignals(), share=math.inf)


def kept_contexts(
    kept: PackCheckpoints, backbone: Backbone, recipe: Recipe, seeds: Sequence[int], progress: Notes | None = None
) -> list[Context]:
    """A context for each seed, whose fit is kept under the seed's name."""
    return [
        replace(context(backbone, recipe, seed, progress or Notes()), checkpoints=kept, fit=f"seed{seed}")
        for seed in seeds
    ]


@contextmanager
def cut_after(updates: int) -> Iterator[None]:
    """Within, the optimiser step after so many does not come to its end."""
    seen = 0

    def cut(*unused: object) -> None:
        nonlocal seen
        seen += 1
        if seen > updates:
            raise Cut

    handle = register_optimizer_step_post_hook(cut)
    try:
        yield
    finally:
        handle.remove()


def cut_in(steps: Sequence[int], run: Callable[[], Outcome]) -> Outcome:
    """What comes of a run that is cut off in each of these steps; each process goes on from the one before."""
    earlier = 0
    for number, step in enumerate(steps):
        disturb_generators(number)
        with cut_after(step - earlier), pytest.raises(Cut):
            run()
        earlier = step
    disturb_generators(99)
    return run()


def disturb_generators(seed: int) -> None:
    """As another process finds them."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


def equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Whether two states are equal bit for bit."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
