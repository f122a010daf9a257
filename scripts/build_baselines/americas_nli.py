"""AmericasNLI: the accuracies of the authors' own logs, the mean of the seeds that were run."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from scripts.build_baselines.tables import fraction, read, wide
from xlt_bench.errors import DataError
from xlt_bench.tasks import task_info

_CONTINUED = "continued pre-training"
_SYSTEMS = {
    "xlmr-base-en": ("XLM-R base", "zero-shot from en (MNLI train)", ("271", "925")),
    "xlmr-base-es": ("XLM-R base", "zero-shot from es (MNLI train)", ("271", "925")),
    "xlmr-large-en": ("XLM-R large", "zero-shot from en (MNLI train)", ("42",)),
    "xlmr-large-es": ("XLM-R large", "zero-shot from es (MNLI train)", ("42",)),
    "continued-en": ("XLM-R base", f"{_CONTINUED}, then zero-shot from en", ("271", "925")),
    "continued-es": ("XLM-R base", f"{_CONTINUED}, then zero-shot from es", ("271", "925")),
    "continued-translated-en": ("XLM-R base", f"{_CONTINUED} on translated text too, then zero-shot from en", ("42",)),
    "continued-translated-es": ("XLM-R base", f"{_CONTINUED} on translated text too, then zero-shot from es", ("42",)),
    "translate-train": ("XLM-R base", "translate-train", ("271", "925")),
    "continued-translate-train": ("XLM-R base", f"{_CONTINUED} and translate-train", ("42", "925")),
    "translate-test-base": ("XLM-R base", "translate-test", ("271", "925")),
    "translate-test-large": ("XLM-R large", "translate-test", ("42",)),
}
"""Column -> model, setting and seeds as the raw table has them."""


def build(shared: Path) -> dict[str, str]:
    """Name -> content of the one file."""
    path = shared / "americasnli" / "baselines.csv"
    scores = {(row["system"], row["setting"], row["language"]): row["accuracy"] for row in read(path)}
    codes = tuple(code for code in task_info("americas-nli").languages() if code != "eng_Latn")
    rows = []
    for code in codes:
        row = {"code": code}
        for column, (model, setting, seeds) in _SYSTEMS.items():
            try:
                values = [Decimal(scores[model, f"{setting}, seed {seed}", code]) for seed in seeds]
            except KeyError as error:
                raise DataError(f"{path}: no row of {error.args[0]}") from None
            row[column] = str(sum(values, Decimal()) / len(values))
        rows.append(row)
    comments = [
        "abteen/americasnli, commit bebd02ca1e45, logs/evaluation, CC BY-SA 4.0: accuracy in [0, 1], mean of seeds."
    ]
    return {"americas-nli-logs.csv": wide(comments, rows, codes, {name: name for name in _SYSTEMS}, fraction)}
