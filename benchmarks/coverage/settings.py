"""The settings that are simulated: seeds, rows, how much seeds vary, and what may go wrong with items."""

from xlt_bench.stats.simulation import TableDesign

SEEDS, ROWS = (2, 3, 5, 10), (2, 6, 24)
SMALL, QUIET, MIDDLE, LARGE, NOISY = 0.025, 0.05, 0.10, 0.25, 0.35
"""Standard deviations between seeds on the scale of the logit: about 0.5, 1, 2, 5 and 7 points of accuracy."""
SPREADS = ("small", "middle", "large", "alternating", "one noisy", "heavy tails")


def spreads(name: str, rows: int) -> tuple[float, ...]:
    """Standard deviations between the seeds of each row."""
    if name == "alternating":
        return tuple((SMALL, LARGE)[row % 2] for row in range(rows))
    if name == "one noisy":
        return (NOISY, *(QUIET,) * (rows - 1))
    return ({"small": SMALL, "large": LARGE}.get(name, MIDDLE),) * rows


def of_seeds(seeds: int, rows: int, name: str) -> TableDesign:
    """A table whose rows have equally many seeds."""
    return TableDesign(spreads(name, rows), (seeds,) * rows, tails=3.0 if name == "heavy tails" else None)


def unequal(rows: int, name: str) -> TableDesign:
    """A table of 3 and 10 seeds in turn, or of 10 seeds but for a noisy row with 2."""
    if name == "3 and 10 seeds":
        return TableDesign(spreads("middle", rows), tuple((3, 10)[row % 2] for row in range(rows)))
    return TableDesign(spreads("one noisy", rows), (2, *(10,) * (rows - 1)))


def grid() -> dict[str, TableDesign]:
    """Every combination of seeds, rows and spreads; then unequal seeds."""
    equal = {
        f"{seeds:>2} seeds, {rows:>2} rows, {name}": of_seeds(seeds, rows, name)
        for rows in ROWS
        for seeds in SEEDS
        for name in SPREADS
    }
    names = ("3 and 10 seeds", "2 (noisy) and 10 seeds")
    return equal | {f"{name}, {rows:>2} rows": unequal(rows, name) for rows in ROWS for name in names}


def variations() -> dict[str, TableDesign]:
    """What may differ in items, languages and answers, one thing at a time: 3 and 5 seeds, middle spread."""
    changes: dict[str, dict[str, object]] = {
        "normal scores": {"normal": True},
        "60 items": {"items": 60},
        "2 languages": {"language_groups": (1, 1)},
        "205 languages": {"language_groups": (41,) * 5},
        "a third missing at random": {"missing": 1 / 3},
        "a third missing as a block": {"missing": 1 / 3, "blocks": True},
        "clusters of 3, correlation .3": {"cluster_correlation": 0.3},
        "clusters of 3, correlation .6": {"cluster_correlation": 0.6},
        "60 items in clusters, .6": {"items": 60, "cluster_correlation": 0.6},
        "near 98%": {"accuracy": 0.98},
        "near chance": {"accuracy": 0.27},
        "20% collapsed": {"collapsed": 0.2},
    }
    return {
        f"{seeds} seeds, {rows:>2} rows, {name}": TableDesign(spreads("middle", rows), (seeds,) * rows, **change)  # type: ignore[arg-type]
        for name, change in changes.items()
        for rows in (2, 6)
        for seeds in (3, 5)
    }
