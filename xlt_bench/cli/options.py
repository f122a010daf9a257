"""Options that several commands have, with their choices."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from xlt_bench.errors import ConfigError

STORE = Path("xlt-results")


class Precision(StrEnum):
    """Choices of --precision."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"


class ReadOutName(StrEnum):
    """Choices of --read-out."""

    FIRST = "first"
    LAST = "last"
    MEAN = "mean"


class ProtocolName(StrEnum):
    """Choices of --protocol."""

    ZERO_SHOT = "zero-shot"
    FULL = "full"


class IntervalKind(StrEnum):
    """Choices of --interval."""

    TWO_WAY = "two-way"
    BOOTSTRAP = "bootstrap"
    SEEDS = "seeds"


class MetricKind(StrEnum):
    """Choices of --metric."""

    ACCURACY = "accuracy"
    MACRO_F1 = "macro-f1"


class FamilyKind(StrEnum):
    """Choices of --family."""

    GROUP = "group"
    TABLE = "table"


class LanguagesKind(StrEnum):
    """Choices of --languages."""

    FIXED = "fixed"
    RANDOM = "random"


class Rerun(StrEnum):
    """Choices of --rerun."""

    FAILED = "failed"
    ALL = "all"


IntervalOption = Annotated[
    IntervalKind,
    typer.Option("--interval", help="What is random: seeds and items (two-way, bootstrap), or seeds alone."),
]
MetricOption = Annotated[MetricKind, typer.Option("--metric", help="What is shown and tested.")]
FamilyOption = Annotated[
    FamilyKind,
    typer.Option(
        "--family", help="Tests that are corrected together: of each target group, or of all groups of a table."
    ),
]
LanguagesOption = Annotated[
    LanguagesKind,
    typer.Option(
        "--languages",
        help="Take languages as they are, or as drawn at random, family by family (bootstrap): inference beyond them.",
    ),
]
LevelOption = Annotated[float, typer.Option(help="Nominal coverage of the intervals.")]
TaskFilter = Annotated[str | None, typer.Option(help="Only this task; name@digits tells versions of its data apart.")]
PackOption = Annotated[
    int | None,
    typer.Option(min=1, help="Runs that go through the backbone together. [default: 1 on a CPU, up to 16 on a GPU]"),
]
StoreOption = Annotated[Path, typer.Option(help="Folder of Records.")]
GroupsOption = Annotated[
    Path | None,
    typer.Option("--groups", metavar="FILE", help="More groups of languages, as TOML; see adding-a-task.md."),
]
SeenOption = Annotated[
    str | None,
    typer.Option(
        "--seen",
        metavar="FILE|like:NAME",
        help="Which languages the backbone saw; see adding-a-task.md. [default: known]",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else there.")]


def check_level(level: float) -> None:
    """Refuse a level that no interval has."""
    if not 0.0 < level < 1.0:
        raise ConfigError(f"--level must lie between 0 and 1, such as 0.95, not {level}")


def check_languages(languages: LanguagesKind, interval: IntervalKind) -> None:
    """Refuse languages at random where seeds alone are.

    Raises:
        ConfigError: as said.
    """
    if languages == LanguagesKind.RANDOM and interval == IntervalKind.SEEDS:
        raise ConfigError(
            "--languages random resamples seeds, items and languages together, which --interval seeds excludes; "
            "leave one of them out"
        )
