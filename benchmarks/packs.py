"""Seeds trained together against the same seeds trained alone: does the pack show in what they predict?

    python -m benchmarks.packs [--seeds 10] [--steps 200] [--output FILE]

XPE on cldr with nano, fit on joshi5, the encoder's dropout on; accuracy is the mean over the unseen languages. `lane by
lane` is how a pack is carried out on a CPU, `one pass` how on a GPU: there the lanes' dropout comes from one stream.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, stdev
from typing import Any
from unittest import mock

import numpy as np
import torch

from benchmarks.output import publish
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.method import Context, Fitted
from xlt_bench.methods.xpe import XPE
from xlt_bench.recipe import PRESETS
from xlt_bench.records.environment import environment
from xlt_bench.task import Task
from xlt_bench.tasks import cldr
from xlt_bench.training import trainer
from xlt_bench.training.memory import PassWidth

SOURCES = ("arb_Arab", "deu_Latn", "eng_Latn", "fra_Latn", "jpn_Jpan", "spa_Latn", "zho_Hans")


class _Wide(PassWidth):
    """As many lanes in a pass as there are."""

    def __init__(self, device: torch.device) -> None:
        super().__init__(device)
        self.lanes = 64


@contextmanager
def one_pass() -> Iterator[None]:
    """Within, lanes share their passes on a CPU too."""
    with mock.patch.object(trainer, "PassWidth", _Wide):
        yield


def accuracy(fitted: Fitted, task: Task, codes: Sequence[str]) -> float:
    """Mean over languages, in [0, 1]."""
    parts = [task.split(code, "test") for code in codes]
    return mean(float((fitted.predict(part.examples).argmax(1) == part.gold).mean()) for part in parts)


def measure(seeds: int, steps: int) -> dict[str, Any]:
    """Accuracies of every seed, trained in three ways, and how they differ."""
    task, backbone = cldr.load(None), Backbone(locate("nano"))
    recipe = PRESETS["cldr"].recipe.with_steps(steps)
    contexts = [Context(task.labels, seed, recipe, load_backbone=lambda: backbone) for seed in range(seeds)]
    splits = task.pool(SOURCES, "train"), task.pool(SOURCES, "dev")
    ways: dict[str, list[Any]] = {"solo": [XPE().fit(*splits, context) for context in contexts]}
    ways["lane by lane"] = XPE().fit_many(*splits, contexts)
    with one_pass():
        ways["one pass"] = XPE().fit_many(*splits, contexts)
    unseen = sorted(cldr.groups("nano")["unseen"])
    accuracies = {way: [accuracy(fitted, task, unseen) for fitted in fits] for way, fits in ways.items()}
    differences = {way: np.subtract(values, accuracies["solo"]) for way, values in accuracies.items()}
    return {
        "seeds": seeds,
        "steps": steps,
        "accuracy": {way: [round(value, 4) for value in values] for way, values in accuracies.items()},
        "mean": {way: round(mean(values), 4) for way, values in accuracies.items()},
        "spread_over_seeds": {way: round(stdev(values), 4) for way, values in accuracies.items()},
        "difference_from_solo": {way: round(float(values.mean()), 5) for way, values in differences.items()},
        "its_standard_error": {
            way: round(float(values.std(ddof=1)) / seeds**0.5, 5) for way, values in differences.items()
        },
        "environment": environment("cpu"),
    }


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    text = json.dumps(measure(options.seeds, options.steps), indent=1)
    publish(text, options.output)


if __name__ == "__main__":
    main()
