"""Learning rates and steps of preset `cldr`: cross-validation over the items of the train part.

    python -m scripts.tune_cldr --methods xpe spt --steps 400 --folds 2
    python -m scripts.tune_cldr --methods xpe --adapt 50 100 200

The dev split has 53 items, each in many languages: too few to choose a rate by. So a fold holds out a quarter of the
400 train items (in every language), fits on the rest and is judged on them; dev and test are not looked at. Prints one
JSON line a setting: rates, and accuracy on held-out items by step, mean over folds. With `--adapt` instead: accuracy on
the *target* dev split of eight unseen languages after adapting to their train split for so many steps.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import statistics
import time
import zlib
from collections.abc import Iterator

import numpy as np

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.method import Adaptable, Context
from xlt_bench.plugins.methods import configure, recipe_of
from xlt_bench.recipe import Rate, Recipe
from xlt_bench.task import Labelled, Task
from xlt_bench.tasks import task_info

GRIDS: dict[str, dict[str, tuple[float, ...]]] = {
    "head-only": {"head": (3e-4, 1e-3, 3e-3)},
    "spt": {"prompt": (5e-2, 2e-1), "head": (3e-4, 1e-3, 3e-3)},
    "xpe": {"pseudo": (5e-3, 5e-2), "encoder": (3e-3,), "head": (3e-4, 1e-3, 3e-3)},
    "dual": {"prompt": (2e-1,), "pseudo": (5e-2,), "encoder": (3e-3,), "head": (3e-4, 1e-3)},
    "full-finetuning": {"backbone": (1e-4, 3e-4, 5e-4), "head": (3e-4, 1e-3)},
    "lora": {"adapter": (3e-4, 1e-3, 3e-3)},
    "ia3": {"vector": (3e-3, 1e-2, 3e-2)},
    "vera": {"vector": (3e-3, 1e-2, 3e-2)},
    "bitfit": {"bias": (3e-4, 1e-3, 3e-3)},
}
EVERY = 100
FOLDS = 4

ADAPT_TO = ("yor_Latn", "quz_Latn", "tir_Ethi", "kas_Arab", "chr_Cher", "fao_Latn", "zul_Latn", "yue_Hant")


def settings(method: str, base: Recipe) -> Iterator[Recipe]:
    """The grid of a method as recipes."""
    grid = GRIDS[method]
    base = dataclasses.replace(base, evaluate_every=EVERY, dev_limit=2500)
    for rates in itertools.product(*grid.values()):
        chosen = {role: Rate(rate) for role, rate in zip(grid, rates, strict=True)}
        yield dataclasses.replace(base, rates={**base.rates, **chosen})


def held_out(train: Labelled, fold: int) -> tuple[Labelled, Labelled]:
    """The train part without a quarter of its items, and that quarter, in every language."""
    out = np.array([zlib.crc32(example.id.encode()) % FOLDS == fold for example in train.examples])
    return train.take(np.flatnonzero(~out)), train.take(np.flatnonzero(out))


def tune(task: Task, backbone: Backbone, options: argparse.Namespace, sources: frozenset[str]) -> None:
    """Print the grid of every method asked for."""
    folds = [held_out(task.pool(sources, "train"), fold) for fold in range(options.folds)]
    for name in options.methods:
        method = configure(name, {}).method
        for recipe in settings(name, recipe_of(method, "cldr").with_steps(options.steps)):
            started, accuracies = time.perf_counter(), []
            for seed, (train, out) in enumerate(folds):
                context = Context(labels=task.labels, seed=seed, recipe=recipe, load_backbone=lambda: backbone)
                history = method.fit(train, out, context).summary.history
                accuracies.append([point.dev_accuracy for point in history])
            rates = {role: recipe.rates[role].learning_rate for role in GRIDS[name]}
            by_step = {
                EVERY * (evaluation + 1): round(float(accuracy), 4)
                for evaluation, accuracy in enumerate(np.mean(accuracies, axis=0))
            }
            seconds = round((time.perf_counter() - started) / options.folds, 1)
            print(json.dumps({"method": name, **rates, "held_out": by_step, "seconds": seconds}), flush=True)


def adapt(task: Task, backbone: Backbone, options: argparse.Namespace, sources: frozenset[str]) -> None:
    """Print target dev accuracy before adapting and after each number of steps, mean over languages."""
    for name in options.methods:
        recipe = recipe_of(configure(name, {}).method, "cldr")
        context = Context(labels=task.labels, seed=0, recipe=recipe, load_backbone=lambda: backbone)
        fitted = configure(name, {}).method.fit(task.pool(sources, "train"), task.pool(sources, "dev"), context)
        assert isinstance(fitted, Adaptable)
        devs = {code: task.split(code, "dev") for code in ADAPT_TO}
        unadapted = [(fitted.predict(dev.examples).argmax(1) == dev.gold).mean() for dev in devs.values()]
        print(json.dumps({"method": name, "steps": 0, "dev": round(float(np.mean(unadapted)), 4)}), flush=True)
        for steps in options.adapt:
            target = dataclasses.replace(recipe.target, steps=steps)
            short_context = dataclasses.replace(
                context, recipe=dataclasses.replace(recipe, target=target, evaluate_every=10)
            )
            adapted = (fitted.adapt(task.split(code, "train"), dev, short_context) for code, dev in devs.items())
            best = [max(point.dev_accuracy for point in fit.summary.history) for fit in adapted]
            print(json.dumps({"method": name, "steps": steps, "dev": round(statistics.mean(best), 4)}), flush=True)


def main() -> None:
    """Run the grids, or the adaptations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", default=list(GRIDS), choices=list(GRIDS))
    parser.add_argument("--sources", default="seen")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--folds", type=int, default=2, choices=range(1, FOLDS + 1))
    parser.add_argument("--adapt", type=int, nargs="+", default=[])
    options = parser.parse_args()
    info = task_info("cldr")
    task, sources = info.load(None), info.groups("nano")[options.sources]
    (adapt if options.adapt else tune)(task, Backbone(locate("nano")), options, sources)


if __name__ == "__main__":
    main()
