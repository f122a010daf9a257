"""What one setting shows of a rule: shares of simulated tables, with known truth."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xlt_bench.stats import percentile_bounds, resampled_means, seeds_only, two_way
from xlt_bench.stats.simulation import TableDesign, tables, true_accuracy
from xlt_bench.stats.student import half_width

from .rules import Rule

Array = NDArray[np.float64]
ALPHA = 0.05
GAINS = (0.0, 0.05, 0.10)


@dataclass(frozen=True)
class Errors:
    """What a rule does, as shares.

    Attributes:
        single: pairs of equal rows whose uncorrected p is at most 5%.
        family: tables of equal rows in which any pair is told apart after correction.
        five: pairs of rows 5 points apart that are told apart after correction; NaN where the score has no room.
        ten: the same with 10 points.
    """

    single: float
    family: float
    five: float
    ten: float


@dataclass(frozen=True)
class Intervals:
    """One-method intervals: the share that holds the truth, and the median width."""

    coverage: float
    width: float


def measure_intervals(setting: TableDesign, draws: int, seed: int) -> Intervals:
    """Nominal 95% two-way intervals of `draws` rows of each kind that the table has (spread and number of seeds)."""
    kinds = sorted(set(zip(setting.spreads, setting.seeds, strict=True)))
    one_each = replace(setting, spreads=tuple(s for s, _ in kinds), seeds=tuple(n for _, n in kinds))
    truth, inside, widths = true_accuracy(setting), [], []
    for table in tables(one_each, [0.0] * len(kinds), np.random.default_rng(seed), draws):
        for x in table:
            mean = two_way(x)
            half = float(half_width(mean.parts, 1 - ALPHA))
            inside.append(abs(float(mean.estimate) - truth) <= half)
            widths.append(2 * half)
    return Intervals(float(np.mean(inside)), float(np.median(widths)))


def measure_other_intervals(setting: TableDesign, draws: int, seed: int) -> dict[str, float]:
    """The share of nominal 95% intervals of one row that hold the truth, by how they are made.

    *Pooled* takes every answer for an independent observation, as a table of plain accuracies invites one to.
    """
    truth, inside = true_accuracy(setting), []
    answers = setting.seeds[0] * setting.items * sum(setting.language_groups)
    for (x,) in tables(setting, [0.0], np.random.default_rng(seed), draws):
        mean = float(x.mean())
        widths = [half_width(rule(x).parts, 1 - ALPHA) for rule in (two_way, seeds_only)]
        widths.append(1.96 * np.sqrt(mean * (1 - mean) / answers))
        low, high = percentile_bounds(resampled_means([x], key=0, resamples=1000)[0], 1 - ALPHA)
        inside.append([abs(mean - truth) <= width for width in widths] + [low <= truth <= high])
    names = ("two-way", "seeds only", "pooled", "bootstrap")
    return dict(zip(names, np.mean(inside, axis=0).tolist(), strict=True))


def measure_rules(setting: TableDesign, rules: Mapping[str, Rule], draws: int, seed: int) -> dict[str, Errors]:
    """Errors of each rule on the same tables: `draws` of equal rows, and half as many of rows 0, 5 and 10 points up."""
    rows = len(setting.seeds)
    rng = np.random.default_rng(seed)
    single, family = ({name: [] for name in rules} for _ in range(2))  # type: ignore[var-annotated]
    upper = np.triu_indices(rows, k=1)
    for table in tables(setting, [0.0] * rows, rng, draws):
        for name, rule in rules.items():
            result = rule(table)
            single[name].append(np.mean(result.p[upper] <= ALPHA))
            family[name].append(np.any(result.adjusted_p[upper] <= ALPHA))
    power = _power(setting, rules, rng, draws // 2)
    return {name: Errors(float(np.mean(single[name])), float(np.mean(family[name])), *power[name]) for name in rules}


def _power(
    setting: TableDesign, rules: Mapping[str, Rule], rng: np.random.Generator, draws: int
) -> dict[str, tuple[float, float]]:
    if not setting.normal and setting.accuracy + GAINS[-1] > 0.97:
        return dict.fromkeys(rules, (np.nan, np.nan))
    rows = len(setting.seeds)
    designs = [(0.0, gain) for gain in GAINS[1:]] if rows == 2 else [tuple(GAINS[3 * k // rows] for k in range(rows))]
    told_apart: dict[str, dict[float, list[float]]] = {name: {gain: [] for gain in GAINS[1:]} for name in rules}
    for gains in designs:
        distance = np.abs(np.subtract.outer(gains, gains)).round(6)
        for table in tables(setting, gains, rng, draws // len(designs)):
            for name, rule in rules.items():
                adjusted = rule(table).adjusted_p
                for gain in GAINS[1:]:
                    if (distance == gain).any():
                        told_apart[name][gain].append(float(np.mean(adjusted[distance == gain] <= ALPHA)))
    return {name: tuple(float(np.mean(told_apart[name][gain])) for gain in GAINS[1:]) for name in rules}  # type: ignore[misc]
