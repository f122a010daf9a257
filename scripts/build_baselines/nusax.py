"""NusaX: macro-F1 of fine-tuned models as a README lists them, and MTEB's probes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from scripts.build_baselines.tables import fraction, read, wide
from xlt_bench.baselines.tables import read_columns
from xlt_bench.errors import DataError
from xlt_bench.tasks import task_info

_FOLDER = "nusax-senti"
_PRINTED = Decimal("0.06")
"""How far a mean of printed figures may lie from the printed mean, in per cent: both are rounded to a tenth."""


def build(shared: Path) -> dict[str, str]:
    """Name -> content of each file."""
    return {**_fine_tuned(shared / _FOLDER / "baselines.csv"), **_probes(shared / _FOLDER)}


def _codes() -> tuple[str, ...]:
    return tuple(task_info("nusax").languages())


def _fine_tuned(path: Path) -> dict[str, str]:
    systems = {row["system"]: row for row in read(path)}
    for system, row in systems.items():
        mean = sum((Decimal(row[code]) for code in _codes()), Decimal()) / len(_codes())
        if abs(mean - Decimal(row["AVG"])) > _PRINTED:
            raise DataError(f"{path}: the mean of {system} is not its AVG {row['AVG']}")
    comments = ["LazarusNLP/NusaBERT, commit abd134c97397, README, Apache-2.0: macro-F1 in [0, 1], names as there."]
    return {"nusax-fine-tuned.csv": _by_language(comments, systems)}


def _probes(folder: Path) -> dict[str, str]:
    """The models that are stored for SIB-200, with both metrics."""
    models = list(read_columns("mteb-linear-probe.csv"))
    rows = read(folder / "baselines-mteb-linear-probe.csv")
    files = {}
    for metric, ending, name in (("accuracy", "", "accuracy"), ("f1", "-f1", "macro-F1")):
        systems = {row["model"]: row for row in rows if row["metric"] == metric}
        comments = [
            f"embeddings-benchmark/results, commit f4cc6c8b365a, CC0: {name} in [0, 1], test split, linear probe."
        ]
        listed = {model: systems[model] for model in models if model in systems}
        files[f"nusax-mteb-linear-probe{ending}.csv"] = _by_language(comments, listed)
    return files


def _by_language(comments: list[str], systems: Mapping[str, Mapping[str, str]]) -> str:
    rows = [{"code": code, **{name: row[code] for name, row in systems.items()}} for code in _codes()]
    return wide(comments, rows, _codes(), {name: name for name in systems}, fraction)
