"""Tasks that users bring as files: a small `task.toml`, and TSV, CSV or Parquet files of labelled texts.

`docs/adding-a-task.md` walks through one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from xlt_bench.languages.groups import named_groups, pretrained_like_xlmr
from xlt_bench.languages.table import known_languages
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
    """The standard groups and the task's own. What a backbone saw is as the file says.

    Where it says nothing, it is known of backbones like XLM-R if all of the task's codes are in the shipped table.
    """
    measured = spec.sets.measured(backbone)
    seen, known = measured.seen, known_languages()
    if seen is None and pretrained_like_xlmr(backbone) is not None and spec.languages.keys() <= known.keys():
        seen = frozenset(code for code in spec.languages if known[code].seen_by_xlmr)
    standard = named_groups(spec.languages, seen=seen, low_performing=measured.low_performing)
    return {**standard, **spec.sets.groups}
