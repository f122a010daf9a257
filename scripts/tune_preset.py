"""Learning rates, read-out and steps of a preset: cross-validation over the items of the source train split.

    python -m scripts.tune_preset --methods xpe spt --steps 400 --folds 2
    python -m scripts.tune_preset --methods xpe --adapt 50 100 200
    python -m scripts.tune_preset --task sib200 --data-dir FOLDER --backbone e5-small-q4 --sources joshi5 \
        --precision bf16 --read-out mean --text-prefix 'query: ' --methods xpe spt --steps 200 --folds 1

The dev splits have 53 items (cldr) and 99 (SIB-200), each in many languages: too few to choose a rate by. So a fold
holds out a quarter of the train items in every language, fits on the rest and is judged on them; dev and test are not
looked at. Items of one article of SIB-200 are held out together. Prints one JSON line a setting: rates, and accuracy on
held-out items by step, mean over folds. With `--adapt` instead: accuracy on the *target* dev split of eight unseen
languages of cldr after adapting to their train split for so many steps.
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
from pathlib import Path
from typing import get_args

import numpy as np

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import Precision, locate
from xlt_bench.method import Adaptable, Context
from xlt_bench.plugins.methods import configure, recipe_of
from xlt_bench.recipe import Rate, ReadOut, Recipe
from xlt_bench.task import Labelled, Task
from xlt_bench.tasks import task_info
from xlt_bench.tasks.sib200.articles import article_clusters

Grid = dict[str, tuple[float, ...]]
GRIDS: dict[str, dict[str, Grid]] = {
    "cldr": {
        "head-only": {"head": (3e-4, 1e-3, 3e-3)},
        "spt": {"prompt": (5e-2, 2e-1), "head": (3e-4, 1e-3, 3e-3)},
        "xpe": {"pseudo": (5e-3, 5e-2), "encoder": (3e-3,), "head": (3e-4, 1e-3, 3e-3)},
        "dual": {"prompt": (2e-1,), "pseudo": (5e-2,), "encoder": (3e-3,), "head": (3e-4, 1e-3)},
        "full-finetuning": {"backbone": (1e-4, 3e-4, 5e-4), "head": (3e-4, 1e-3)},
        "lora": {"adapter": (3e-4, 1e-3, 3e-3)},
        "ia3": {"vector": (3e-3, 1e-2, 3e-2)},
        "vera": {"vector": (3e-3, 1e-2, 3e-2)},
        "bitfit": {"bias": (3e-4, 1e-3, 3e-3)},
    },
    "sib200": {
        "head-only": {"head": (1e-3, 3e-3)},
        "spt": {"prompt": (5e-2, 2e-1), "head": (1e-3,)},
        "xpe": {"pseudo": (5e-3,), "encoder": (3e-3,), "head": (1e-3, 3e-3)},
        "lora": {"adapter": (1e-3, 3e-3), "head": (1e-3,)},
        "full-finetuning": {"backbone": (5e-5, 2e-4), "head": (1e-3,)},
    },
}
EVERY = 100
FOLDS = 4

ADAPT_TO = ("yor_Latn", "quz_Latn", "tir_Ethi", "kas_Arab", "chr_Cher", "fao_Latn", "zul_Latn", "yue_Hant")


def settings(grid: Grid, base: Recipe) -> Iterator[Recipe]:
    """The grid of a method as recipes."""
    base = dataclasses.replace(base, evaluate_every=EVERY, dev_limit=2500)
    for rates in itertools.product(*grid.values()):
        chosen = {role: Rate(rate) for role, rate in zip(grid, rates, strict=True)}
        yield dataclasses.replace(base, rates={**base.rates, **chosen})


def held_out(train: Labelled, fold: int, by_article: bool) -> tuple[Labelled, Labelled]:
    """The train part without a quarter of its items or articles, and that quarter, in every language."""
    ids = sorted({example.id for example in train.examples})
    groups = article_clusters(ids) if by_article else dict(zip(ids, ids, strict=True))
    folds = {item: zlib.crc32(str(groups[item]).encode()) % FOLDS for item in ids}
    out = np.array([folds[example.id] == fold for example in train.examples])
    return train.take(np.flatnonzero(~out)), train.take(np.flatnonzero(out))


def tune(task: Task, backbone: Backbone, options: argparse.Namespace, sources: frozenset[str]) -> None:
    """Print the grid of every method asked for."""
    pool = task.pool(sources, "train")
    folds = [held_out(pool, fold, options.task == "sib200") for fold in range(options.folds)]
    changed = dict(pair.split("=") for pair in options.rates)
    rates = {role: tuple(map(float, values.split(","))) for role, values in changed.items()}
    changes = {"text_prefix": options.text_prefix, **({"read_out": options.read_out} if options.read_out else {})}
    for name in options.methods:
        method = configure(name, {}).method
        base = dataclasses.replace(recipe_of(method, options.preset).with_steps(options.steps), **changes)
        grid = {role: rates.get(role, values) for role, values in GRIDS[options.task][name].items()}
        for recipe in settings(grid, base):
            started, accuracies = time.perf_counter(), []
            for seed, (train, out) in enumerate(folds):
                context = Context(labels=task.labels, seed=seed, recipe=recipe, load_backbone=lambda: backbone)
                history = method.fit(train, out, context).summary.history
                accuracies.append([point.dev_accuracy for point in history])
            chosen = {role: recipe.rates[role].learning_rate for role in grid}
            by_step = {
                EVERY * (evaluation + 1): round(float(accuracy), 4)
                for evaluation, accuracy in enumerate(np.mean(accuracies, axis=0))
            }
            seconds = round((time.perf_counter() - started) / options.folds, 1)
            print(
                json.dumps({"method": name, **changes, **chosen, "held_out": by_step, "seconds": seconds}), flush=True
            )


def adapt(task: Task, backbone: Backbone, options: argparse.Namespace, sources: frozenset[str]) -> None:
    """Print target dev accuracy before adapting and after each number of steps, mean over languages."""
    for name in options.methods:
        recipe = recipe_of(configure(name, {}).method, options.preset)
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
    parser.add_argument("--task", default="cldr", choices=list(GRIDS))
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--backbone", default="nano")
    parser.add_argument("--preset", default="cldr")
    parser.add_argument("--precision", default="fp32", choices=get_args(Precision))
    parser.add_argument("--read-out", choices=get_args(ReadOut))
    parser.add_argument("--text-prefix", default="")
    parser.add_argument("--methods", nargs="+", default=["xpe", "spt"])
    parser.add_argument("--rates", nargs="+", default=[], help="in place of the grid's: head=1e-3,3e-3")
    parser.add_argument("--sources", default="seen")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--folds", type=int, default=2, choices=range(1, FOLDS + 1))
    parser.add_argument("--adapt", type=int, nargs="+", default=[])
    options = parser.parse_args()
    info = task_info(options.task)
    task, sources = info.load(options.data_dir), info.groups(options.backbone)[options.sources]
    backbone = Backbone(locate(options.backbone), "cpu", options.precision)
    (adapt if options.adapt else tune)(task, backbone, options, sources)


if __name__ == "__main__":
    main()
