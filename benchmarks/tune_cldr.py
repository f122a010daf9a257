"""Learning rates of preset `cldr`: every method over the same kind of grid, judged on the source languages' dev split.

    python -m benchmarks.tune_cldr --methods xpe spt --steps 600 --seeds 2

Prints one JSON line a setting: rates, best dev accuracy (mean over seeds), step at which it was reached. Target
languages and test items are not looked at.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import statistics
import time
from collections.abc import Iterator

from xlt_bench.backbone import locate
from xlt_bench.discovery import configure
from xlt_bench.method import Context
from xlt_bench.recipe import Rate, Recipe, preset_recipe
from xlt_bench.tasks import task_info
from xlt_bench.training.backbone import Backbone

GRIDS: dict[str, dict[str, tuple[float, ...]]] = {
    "head-only": {"head": (3e-4, 1e-3, 3e-3)},
    "spt": {"prompt": (5e-2, 2e-1), "head": (3e-4, 1e-3)},
    "xpe": {"pseudo": (5e-3, 5e-2), "encoder": (1e-3, 3e-3), "head": (3e-4, 1e-3)},
    "dual": {"prompt": (5e-2,), "pseudo": (5e-3, 5e-2), "encoder": (1e-3, 3e-3), "head": (3e-4, 1e-3)},
    "full-finetuning": {"backbone": (1e-4, 3e-4), "head": (3e-4, 1e-3)},
}


def settings(method: str, base: Recipe) -> Iterator[Recipe]:
    """The grid of a method as recipes."""
    grid = GRIDS[method]
    base = dataclasses.replace(base, evaluate_every=50, dev_limit=2000)
    for rates in itertools.product(*grid.values()):
        chosen = {role: Rate(rate) for role, rate in zip(grid, rates, strict=True)}
        yield dataclasses.replace(base, rates={**base.rates, **chosen})


def main() -> None:
    """Run the grids."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", default=list(GRIDS), choices=list(GRIDS))
    parser.add_argument("--sources", default="seen")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=2)
    asked = parser.parse_args()
    info = task_info("cldr")
    task, sources = info.load(None), info.groups("nano")[asked.sources]
    train, dev = task.pool(sources, "train"), task.pool(sources, "dev")
    backbone = Backbone(locate("nano"))
    for name in asked.methods:
        method = configure(name, {}).method
        for recipe in settings(name, preset_recipe("cldr", name).with_steps(asked.steps)):
            started, best, at = time.perf_counter(), [], []
            for seed in range(asked.seeds):
                context = Context(labels=task.labels, seed=seed, recipe=recipe, load_backbone=lambda: backbone)
                summary = method.fit(train, dev, context).summary
                best.append(max(point.dev_accuracy for point in summary.history))
                at.append(summary.selected_step)
            rates = {role: recipe.rates[role].learning_rate for role in GRIDS[name]}
            seconds = (time.perf_counter() - started) / asked.seeds
            told = {
                "method": name,
                **rates,
                "dev": round(statistics.mean(best), 4),
                "at": at,
                "seconds": round(seconds, 1),
            }
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
