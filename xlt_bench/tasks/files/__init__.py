"""Tasks that users bring as files: a small `task.toml`, and TSV, CSV or Parquet files of labelled texts.

`docs/adding-a-task.md` walks through one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from xlt_bench.backbones.languages import pretraining_of
from xlt_bench.languages.groups import named_groups
from xlt_bench.task import Task, TaskInfo
from xlt_bench.tasks.files.spec import read_spec

if TYPE_CHECKING:
    from xlt_bench.tasks.files.spec import Spec


def toml_task(path: Path | str) -> TaskInfo:
    """The task that a `task.toml` describes; its data files are read by `load`, not before.

    A package that ships a task says `INFO = toml_task(Path(__file__).with_name("task.toml"))` and names INFO in the
    entry-point group `xlt_bench.tasks`.

    Raises:
        ConfigError: the file is no TOML, or a key or value breaks a rule.
    """
    spec = read_spec(Path(path))
    return TaskInfo(
        name=spec.name,
        summary=spec.summary,
        backbone=spec.backbone,
        preset=spec.preset,
        seeds=spec.seeds,
        load=partial(_load, spec),
        groups=partial(_groups, spec),
        languages=lambda: spec.languages,
        full_targets=spec.full_targets,
        full_seeds=spec.full_seeds,
        primary=spec.primary,
    )


def _load(spec: Spec, folder: Path | None) -> Task:
    from xlt_bench.tasks.files.loading import load_spec

    return load_spec(spec if folder is None else spec.with_data(folder))


def _groups(spec: Spec, backbone: str) -> Mapping[str, frozenset[str]]:
    """The standard groups and the task's own. What a backbone saw: as the file says, else as the shipped lists say."""
    sets = spec.sets.of_backbone(backbone)
    pretraining = pretraining_of(backbone) if sets.seen is None else None
    standard = named_groups(
        spec.languages,
        seen=sets.seen if pretraining is None else pretraining.seen,
        unseen=None if pretraining is None else pretraining.unseen(spec.languages),
        low_performing=sets.low_performing,
    )
    return {**standard, **spec.sets.groups}
