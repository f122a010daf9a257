"""Learning rates of preset `cldr`: every method over the same kind of grid, judged on the source languages' dev split.

    python -m benchmarks.tune_cldr --methods xpe spt --steps 300 --seeds 2
    python -m benchmarks.tune_cldr --methods xpe --adapt 50 100 200

Prints one JSON line a setting: rates, best dev accuracy (mean over seeds), step at which it was reached. Target
languages and test items are not looked at. With `--adapt` instead: accuracy on the *target* dev split of eight unseen
languages after adapting to their train split for so many steps, which is what that split is for.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import statistics
import time
from collections.abc import Iterator

import numpy as np

from xlt_bench.backbone import locate
from xlt_bench.discovery import configure
from xlt_bench.method import Adaptable, Context
from xlt_bench.recipe import Rate, Recipe, preset_recipe
from xlt_bench.task import Task
from xlt_bench.tasks import task_info
from xlt_bench.training.backbone import Backbone

GRIDS: dict[str, dict[str, tuple[float, ...]]] = {
    "head-only": {"head": (1e-4, 3e-4, 1e-3, 3e-3)},
    "spt": {"prompt": (5e-2, 2e-1), "head": (1e-4, 3e-4, 1e-3)},
    "xpe": {"pseudo": (5e-3, 5e-2), "encoder": (1e-3, 3e-3), "head": (3e-4,)},
    "dual": {"prompt": (5e-2, 2e-1), "pseudo": (5e-3, 5e-2), "encoder": (1e-3, 3e-3), "head": (3e-4,)},
    "full-finetuning": {"backbone": (1e-4, 3e-4), "head": (3e-4, 1e-3)},
}

ADAPT_TO = ("yor_Latn", "quz_Latn", "tir_Ethi", "kas_Arab", "chr_Cher", "fao_Latn", "zul_Latn", "yue_Hant")


def settings(method: str, base: Recipe) -> Iterator[Recipe]:
    """The grid of a method as recipes."""
    grid = GRIDS[method]
    base = dataclasses.replace(base, evaluate_every=50, dev_limit=2000)
    for rates in itertools.product(*grid.values()):
        chosen = {role: Rate(rate) for role, rate in zip(grid, rates, strict=True)}
        yield dataclasses.replace(base, rates={**base.rates, **chosen})


def tune(task: Task, backbone: Backbone, asked: argparse.Namespace, sources: frozenset[str]) -> None:
    """Print the grid of every method asked for."""
    train, dev = task.pool(sources, "train"), task.pool(sources, "dev")
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
            seconds = round((time.perf_counter() - started) / asked.seeds, 1)
            told = {"method": name, **rates, "dev": round(statistics.mean(best), 4), "at": at, "seconds": seconds}
            print(json.dumps(told), flush=True)


def adapt(task: Task, backbone: Backbone, asked: argparse.Namespace, sources: frozenset[str]) -> None:
    """Print target dev accuracy before adapting and after each number of steps, mean over languages."""
    for name in asked.methods:
        recipe = preset_recipe("cldr", name)
        context = Context(labels=task.labels, seed=0, recipe=recipe, load_backbone=lambda: backbone)
        fitted = configure(name, {}).method.fit(task.pool(sources, "train"), task.pool(sources, "dev"), context)
        assert isinstance(fitted, Adaptable)
        devs = {code: task.split(code, "dev") for code in ADAPT_TO}
        before = [(fitted.predict(dev.examples).argmax(1) == dev.gold).mean() for dev in devs.values()]
        print(json.dumps({"method": name, "steps": 0, "dev": round(float(np.mean(before)), 4)}), flush=True)
        for steps in asked.adapt:
            target = dataclasses.replace(recipe.target, steps=steps)
            there = dataclasses.replace(context, recipe=dataclasses.replace(recipe, target=target, evaluate_every=10))
            adapted = (fitted.adapt(task.split(code, "train"), dev, there) for code, dev in devs.items())
            best = [max(point.dev_accuracy for point in one.summary.history) for one in adapted]
            print(json.dumps({"method": name, "steps": steps, "dev": round(statistics.mean(best), 4)}), flush=True)


def main() -> None:
    """Run the grids, or the adaptations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", default=list(GRIDS), choices=list(GRIDS))
    parser.add_argument("--sources", default="seen")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--adapt", type=int, nargs="+", default=[])
    asked = parser.parse_args()
    info = task_info("cldr")
    task, sources = info.load(None), info.groups("nano")[asked.sources]
    (adapt if asked.adapt else tune)(task, Backbone(locate("nano")), asked, sources)


if __name__ == "__main__":
    main()
