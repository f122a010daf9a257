"""Answers of somebody's language model, read from a file and stored as a Record with evidence per item."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from xlt_bench.baselines import TASK_HASH, Expected, read_answers
from xlt_bench.baselines.catalogue import SIB200
from xlt_bench.baselines.rules import Categories
from xlt_bench.errors import ConfigError
from xlt_bench.languages.groups import TARGET_GROUPS, Groups
from xlt_bench.leaderboard.data.published import cell_of
from xlt_bench.records.cell import ZERO_SHOT
from xlt_bench.records.record import Predictions, Record
from xlt_bench.records.store import Store
from xlt_bench.tasks import sib200, task_info


@dataclass(frozen=True)
class AnsweredTask:
    """The task that answers are to.

    Attributes:
        data: its name and the hash of its data.
        groups: those of its languages that a board may show.
        expected: what answers are checked against; None: SIB-200's test items, which ship with the package.
    """

    data: tuple[str, str]
    labels: tuple[str, ...]
    languages: tuple[str, ...]
    groups: Groups
    expected: Expected | None


def answered_task(reference: str = SIB200, data_dir: Path | None = None) -> AnsweredTask:
    """A task by name or file; of SIB-200 nothing is loaded unless a folder is given."""
    if reference == SIB200 and data_dir is None:
        languages = tuple(sib200.languages())
        return AnsweredTask((SIB200, TASK_HASH), sib200.LABELS, languages, sib200.groups(sib200.INFO.backbone), None)
    info = task_info(reference)
    task = info.load(data_dir)
    return AnsweredTask(
        data=(task.name, task.fingerprint),
        labels=task.labels,
        languages=tuple(task.languages),
        groups=info.groups(info.backbone),
        expected=Expected.of(task, Categories(task.labels)),
    )


def import_answers(store: Store, file: Path, task: AnsweredTask, *, name: str, rule: str, setting: str) -> list[str]:
    """Read answers, store them as a Record, and tell of it in a few lines.

    Raises:
        ConfigError: no such rule, or an empty name.
        DataError: the first fault of the file, with file and line.
    """
    label = " ".join(name.split())
    if not label or not setting.strip():
        raise ConfigError("--name and --setting must not be empty: they are what the board shows")
    predictions = read_answers(file, rule, task.expected)
    file_hash = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    record = record_of_answers(predictions, task, name=label, rule=rule, file_hash=file_hash, setting=setting.strip())
    folder = store.write(record, predictions)
    unparsed = int((predictions.predicted == "").sum())
    lines = [f"{label}: {len(predictions):,} answers in {len(record.accuracy)} languages, setting {record.setting}"]
    lines.append(f"{unparsed:,} of them name no class by the rule {rule} and count as wrong")
    return [*lines, f"Record {folder}; see: xlt-bench leaderboard --task {task.data[0]} --store {store.folder}"]


def record_of_answers(
    predictions: Predictions, task: AnsweredTask, *, name: str, rule: str, file_hash: str, setting: str
) -> Record:
    """A Record of someone's own model outputs, with evidence per_item.

    Args:
        name: of the system, as a table shows it.
        rule: how a class was read out of an answer.
        file_hash: identity of the file of answers; the same file, name and rule are the same Record.
        setting: how the system was used; the board groups by it.
    """
    languages = tuple(dict.fromkeys(predictions.language.tolist()))
    groups = {
        group: codes
        for group in TARGET_GROUPS
        if set(codes := tuple(code for code in task.languages if code in task.groups.get(group, ()))) & set(languages)
    }
    return Record(
        cell=cell_of(name, {"rule": rule, "answers": file_hash}, (), ZERO_SHOT, languages, task.data),
        label=name,
        sources_label="none",
        groups=groups or {"all": languages},
        labels=task.labels,
        status="complete",
        origin=f"imported answers, rule {rule}",
        accuracy=predictions.accuracy(),
        item_hash=predictions.item_hash(),
        setting=setting,
        source=f"imported answers, rule {rule}",
        runs=1,
    )
