"""SIB-200: answers of prompted models, tables of papers, probes."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from scripts.build_baselines.tables import fraction, in_order, read, table, wide
from xlt_bench.baselines.answers import Expected, read_answers
from xlt_bench.baselines.catalogue import TASK_HASH
from xlt_bench.baselines.items import ITEMS_FILE, NOTHING, pack
from xlt_bench.baselines.rules import DEFAULT_RULE, SIB200
from xlt_bench.baselines.tables import language_codes
from xlt_bench.errors import DataError
from xlt_bench.task import Task
from xlt_bench.tasks.sib200 import LABELS, load
from xlt_bench.tasks.sib200.articles import nearest_classes

MODELS = ("gpt-3.5", "gpt-4")
TABLE7_COLUMNS = ("mlp", "xlmr_base", "xlmr_large", "xlt_eng", "xlt_ara", "xlt_zho", "gpt35", "gpt4")

TIPA_COLUMNS = (
    "finetune",
    "baseline_task_adapter",
    "baseline_en",
    "baseline_closest_featural",
    "reconstructed_featural_base",
    "reconstructed_syntactic_limit",
)


def build(shared: Path) -> dict[str, str]:
    """Name -> content of every data file that is made from raw results.

    Raises:
        DataError: a raw file is not what the stored provenance speaks of.
    """
    return {**_answers(shared), **_table7(shared), **_mteb(shared), **_emma(shared), **_tipa(shared)}


def _answers(shared: Path) -> dict[str, str]:
    task = load(shared / "sib200")
    if task.fingerprint != TASK_HASH:
        raise DataError(f"{shared / 'sib200'}: the task's hash is {task.fingerprint}, not {TASK_HASH}")
    expected = Expected.of(task, SIB200)
    gold = expected.gold[language_codes()[0]]
    origin = "SIB-200 (dadelani/sib-200, Apache-2.0)"
    files = {
        ITEMS_FILE: table(
            [f"Test items of {origin}: id and class, the same in every language; no text."],
            ["index_id", "gold"],
            gold.items(),
        )
    }
    classes = ", ".join(f"{number} {label}" for number, label in enumerate(LABELS))
    for model in MODELS:
        lines = pack(read_answers(shared / "llm-outputs" / f"{model}.tsv.gz", DEFAULT_RULE, expected))
        comments = [
            f"{model}: the class that each released answer names (rule {DEFAULT_RULE}), from {origin}.",
            f"A character an item, in the order of {ITEMS_FILE}: {classes}, {NOTHING} none named.",
        ]
        files[f"{model}.csv"] = table(comments, ["code", "predicted"], in_order(lines.items(), language_codes()))
    comments = [
        f"nearest-id: the class of the train item with the nearest index id, no text read, from {origin}.",
        f"A character an item, in the order of {ITEMS_FILE}: {classes}.",
    ]
    line = "".join(str(LABELS.index(label)) for label in _nearest(task, gold).values())
    files["nearest-id.csv"] = table(comments, ["code", "predicted"], [(code, line) for code in language_codes()])
    return files


def _nearest(task: Task, test: Iterable[str]) -> dict[str, str]:
    """Ids and classes are the same in every language."""
    part = task.split(language_codes()[0], "train")
    train = {example.id: LABELS[label] for example, label in zip(part.examples, part.gold.tolist(), strict=True)}
    return nearest_classes(train, test)


def _table7(shared: Path) -> dict[str, str]:
    rows = read(shared / "sib200-paper-table7.csv")
    comments = ["SIB-200 paper, arXiv 2309.07445 v1, Table 7: accuracy in [0, 1] as printed (per cent / 100)."]
    return {
        "sib200-table7.csv": wide(comments, rows, language_codes(), {name: name for name in TABLE7_COLUMNS}, fraction)
    }


def _mteb(shared: Path) -> dict[str, str]:
    rows = read(shared / "mteb-sib200-linear-probe.csv")
    columns = {name.replace("__", "/"): name for name in rows[0] if name != "code"}
    comments = ["embeddings-benchmark/results, commit f4cc6c8b365a, CC0: accuracy in [0, 1], test split, linear probe."]
    return {"mteb-linear-probe.csv": wide(comments, rows, language_codes(), columns, fraction)}


def _emma(shared: Path) -> dict[str, str]:
    path = shared / "emma500-sib200-3shot.csv"
    models = read(path)
    for model in models:
        values = [Decimal(value) for name, value in model.items() if name not in ("Model", "Avg")]
        if abs(sum(values, Decimal()) / len(values) - Decimal(model["Avg"])) > Decimal("0.0001"):
            raise DataError(f"{path}: the mean of {model['Model']} is not its Avg {model['Avg']}")
    codes = [name for name in models[0] if name not in ("Model", "Avg")]
    rows = [{"code": code, **{model["Model"]: model[code] for model in models}} for code in codes]
    comments = ["MaLA-LM/emma-500, commit ed9a8f89e262: accuracy in [0, 1], 3-shot, names as there. Figures cited."]
    return {
        "emma500-3shot.csv": wide(
            comments, rows, language_codes(), {model["Model"]: model["Model"] for model in models}, str
        )
    }


def _tipa(shared: Path) -> dict[str, str]:
    scores: dict[str, dict[str, str]] = {}
    for row in read(shared / "tipa-sib200.csv"):
        scores.setdefault(row["language"], {})[row["configuration"]] = row["score"]
    rows = [{"code": code} | {name: row.get(name, "") for name in TIPA_COLUMNS} for code, row in scores.items()]
    comments = [
        "stefaccou/TIPA, commit 7703e6a34bdc, MIT: accuracy in [0, 1] on the test items, one run, names as there."
    ]
    return {"tipa.csv": wide(comments, rows, language_codes(), {name: name for name in TIPA_COLUMNS}, str)}
