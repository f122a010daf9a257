"""Prints the tables of docs/statistics.md: `python -m benchmarks.coverage [--quick] [--only TEXT] [--draws N]`.

Each line is a setting; all rows of a table have the same true accuracy, or are 0, 5 and 10 points up for the share of
differences found. Shares are of simulated tables; standard error of 5% from 400 tables: 1.1 points, from 160: 1.7.
"""

import argparse
from collections.abc import Mapping

from xlt_bench.stats.simulation import TableDesign

from .measures import Errors, measure_intervals, measure_other_intervals, measure_rules
from .rules import CANDIDATES, Rule, shipped
from .settings import SEEDS, grid, of_seeds, variations

DRAWS = {2: 1000, 6: 250, 24: 160}
"""Tables of equal rows in each setting, by number of rows."""
SEED = 2026
INTERVAL_DRAWS = 800
"""Rows of each kind whose intervals are looked at."""
COMPARED = (
    "alternating",
    "one noisy",
    "middle",
)
"""Spreads in which the dropped rules are shown beside the shipped one."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the draws")
    parser.add_argument("--only", default="", help="settings whose name holds this text")
    parser.add_argument("--draws", type=float, default=1.0, help="factor on the number of draws")
    parser.add_argument("--candidates", action="store_true", help="the second table only: rules tried and dropped")
    options = parser.parse_args()
    factor = options.draws / (10 if options.quick else 1)
    if not options.candidates:
        print_shipped({**grid(), **variations()}, options.only, factor)
        print_other_intervals(factor)
    print_candidates(grid(), options.only, factor)


def print_shipped(settings: Mapping[str, TableDesign], only: str, factor: float) -> None:
    """Intervals and tests by the shipped rule."""
    counts = ", ".join(f"{_draws(rows, factor)} of {rows} rows" for rows in DRAWS)
    print(f"Tables of equal rows: {counts}; half as many for the differences found. All in per cent.\n")
    print("| setting | interval holds | median width | single | family | 5 points found | 10 points found |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for number, (name, setting) in enumerate(settings.items()):
        if only in name:
            rows = len(setting.seeds)
            interval = measure_intervals(setting, max(40, round(INTERVAL_DRAWS * factor)), SEED + number)
            errors = measure_rules(setting, {"shipped": shipped}, _draws(rows, factor), SEED + number)["shipped"]
            cells = [_percent(interval.coverage), _percent(interval.width), *_cells(errors)]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


def print_other_intervals(factor: float) -> None:
    """The two-way interval beside the usual ones."""
    draws = max(40, round(INTERVAL_DRAWS * factor))
    print(f"\nShare of nominal 95% intervals of one row that hold the truth; {draws} rows each.\n")
    names = ("two-way", "seeds only", "pooled", "bootstrap")
    print(f"| setting | {' | '.join(names)} |\n|---|{'---:|' * len(names)}")
    for seeds in SEEDS:
        for name in ("small", "middle", "large"):
            shares = measure_other_intervals(of_seeds(seeds, 1, name), draws, SEED)
            print(f"| {seeds} seeds, {name} | {' | '.join(_percent(shares[key]) for key in names)} |", flush=True)


def print_candidates(settings: Mapping[str, TableDesign], only: str, factor: float) -> None:
    """The shipped rule beside those dropped, on the same tables."""
    rules: dict[str, Rule] = CANDIDATES
    print("\nFamily error / 10 points found, on the same tables.\n")
    print(f"| setting | {' | '.join(rules)} |")
    print(f"|---|{'---:|' * len(rules)}")
    for number, (name, setting) in enumerate(settings.items()):
        if only in name and name.endswith(COMPARED) and len(setting.seeds) > 2 and min(setting.seeds) < 10:
            errors = measure_rules(setting, rules, _draws(len(setting.seeds), factor / 2), SEED + number)
            cells = [f"{_percent(error.family)} / {100 * error.ten:.0f}" for error in errors.values()]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _draws(rows: int, factor: float) -> int:
    return max(10, round(DRAWS[rows] * factor))


def _cells(errors: Errors) -> list[str]:
    shares = [_percent(errors.single), _percent(errors.family)]
    return shares + ["" if share != share else f"{100 * share:.0f}" for share in (errors.five, errors.ten)]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


if __name__ == "__main__":
    main()
