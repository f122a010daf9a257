"""What every Task keeps to that comes from a package's own code; those from files are checked as they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from xlt_bench.errors import DataError, XltBenchError
from xlt_bench.languages.group_files import check_name
from xlt_bench.task import SPLITS, Labelled, Split, Task, TaskInfo

T = TypeVar("T")

_MEND = "its package must be mended"


def guarded(info: TaskInfo) -> TaskInfo:
    """A task of somebody else's package: what it raises names it, and what it loads is checked."""
    return replace(
        info,
        load=partial(_load, info),
        files=lambda folder: _called(info, "files", partial(info.files, folder)),
        groups=lambda backbone: _called(info, "groups", partial(info.groups, backbone)),
        languages=lambda: _called(info, "languages", info.languages),
    )


def _load(info: TaskInfo, folder: Path | None) -> Task:
    """Load a task and check it; DataError for the first rule that it breaks."""
    task: object = _called(info, "load", partial(info.load, folder))
    if not isinstance(task, Task):
        raise DataError(f"task '{info.name}': load must return a Task, not {type(task).__name__}")
    fault = f"it calls itself '{task.name}'" if task.name != info.name else next(faults(task), None)
    if fault is not None:
        raise DataError(f"task '{info.name}': {fault}; {_MEND}")
    return task


def _called(info: TaskInfo, name: str, call: Callable[[], T]) -> T:
    try:
        return call()
    except XltBenchError:
        raise
    except (Exception, SystemExit) as error:
        raise DataError(f"task '{info.name}': {name} raises {type(error).__name__}: {error}; {_MEND}") from error


def faults(task: Task) -> Iterator[str]:
    """What is wrong with a Task, the first of each kind and place."""
    if len(set(task.labels)) < max(2, len(task.labels)):
        yield f"labels must be at least 2 different classes, not {task.labels}"
    homes: dict[str, Split] = {}
    for code in task.languages:
        check_name("language", code, f"task '{task.name}'")
        splits: Mapping[Split, Labelled] = task.data.get(code, {})
        absent = [split for split in SPLITS if split not in splits]
        if absent:
            yield f"data of {code} lacks {', '.join(absent)}; a split without items is an empty Labelled"
            continue
        if not splits["test"]:
            yield f"{code} has no test items"
        seen: set[str] = set()
        for split in SPLITS:
            yield from _faults_of(task, code, split, seen, homes)
    tested = (example.id for part in task.data.values() if "test" in part for example in part["test"].examples)
    without = next((item for item in tested if item not in task.clusters), None) if task.clusters else None
    if without is not None:
        yield f"clusters lacks test item '{without}'; it must give every test item a cluster, or be empty"


def _faults_of(task: Task, code: str, split: Split, seen: set[str], homes: dict[str, Split]) -> Iterator[str]:
    """What is wrong with one split of one language.

    Args:
        seen: ids of the language so far.
        homes: id -> the split that it is of in all languages.
    """
    part = task.data[code][split]
    for example, gold in zip(part.examples, part.gold.tolist(), strict=True):
        where = f"{code} {split}, id '{example.id}'"
        if example.language != code:
            yield f"{where}: its language is '{example.language}'"
        if not example.text.strip() or (example.text_pair is not None and not example.text_pair.strip()):
            yield f"{where}: its text is empty"
        if not 0 <= gold < len(task.labels):
            yield f"{where}: its class {gold} is no position in {len(task.labels)} labels"
        if example.id in seen:
            yield f"{where}: the id is there twice"
        if homes.setdefault(example.id, split) != split:
            yield f"{where}: the id is of {homes[example.id]} elsewhere; an id is the same item in every language"
        seen.add(example.id)
