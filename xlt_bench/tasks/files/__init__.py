"""Tasks that a small `task.toml` describes: local files (TSV, CSV, JSON Lines, Parquet, Arrow) or data sets of the hub.

`docs/adding-a-task.md` walks through one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from xlt_bench.backbones.languages import pretraining_of
from xlt_bench.languages.groups import named_groups
from xlt_bench.languages.table import known_languages
from xlt_bench.task import Task, TaskInfo
from xlt_bench.tasks.files.description import read_description

if TYPE_CHECKING:
    from xlt_bench.tasks.files.description import TaskDescription


def toml_task(path: Path | str) -> TaskInfo:
    """The task that a `task.toml` describes; its data files are read by `load`, not before.

    A package that ships a task says `INFO = toml_task(Path(__file__).with_name("task.toml"))` and names INFO in the
    entry-point group `xlt_bench.tasks`.

    Raises:
        ConfigError: the file is no TOML, or a key or value breaks a rule.
    """
    description = read_description(Path(path))
    return TaskInfo(
        name=description.name,
        summary=description.summary,
        backbone=description.backbone,
        preset=description.preset,
        seeds=description.seeds,
        load=partial(_load, description),
        groups=partial(_groups, description),
        files=partial(_files, description),
        languages=lambda: description.languages,
        full_targets=description.full_targets,
        full_seeds=description.full_seeds,
        primary=description.primary,
        metric=description.metric,
        max_length=description.max_length,
        licence=description.licence,
        citation=description.citation,
    )


def _load(description: TaskDescription, folder: Path | None) -> Task:
    from xlt_bench.tasks.files.loading import load_task

    return load_task(description if folder is None else description.in_folder(folder))


def _files(description: TaskDescription, folder: Path | None) -> list[Path] | None:
    from xlt_bench.tasks.files.opening import files_of

    return files_of((description if folder is None else description.in_folder(folder)).layout)


def _groups(description: TaskDescription, backbone: str) -> Mapping[str, frozenset[str]]:
    """The standard groups and the task's own. What a backbone saw: as the file says, else as the shipped lists say."""
    sets = description.sets.of_backbone(backbone)
    pretraining = pretraining_of(backbone) if sets.seen is None else None
    standard = named_groups(
        description.languages,
        seen=sets.seen if pretraining is None else pretraining.seen,
        unseen=None if pretraining is None else pretraining.unseen(description.languages, known_languages()),
        low_performing=sets.low_performing,
    )
    return {**standard, **description.sets.groups}
