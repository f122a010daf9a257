"""What experiments load: tasks, backbones and stores, each once however many experiments ask for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xlt_bench.backbones.source import BackboneSource, Precision, locate
from xlt_bench.records.store import Store
from xlt_bench.task import Task, TaskInfo
from xlt_bench.tasks import task_info

if TYPE_CHECKING:
    from xlt_bench.backbones.backbone import Backbone


class Loader:
    """Tasks, backbones and stores, found and loaded at their first use."""

    def __init__(self) -> None:
        self._tasks: dict[tuple[str, Path | None], Task] = {}
        self._sources: dict[str, BackboneSource] = {}
        self._backbones: dict[tuple[str, str, Precision], Backbone] = {}
        self._stores: dict[Path, Store] = {}

    def store(self, folder: Path) -> Store:
        """The store in a folder, with what is known of its Records by now."""
        return self._stores.setdefault(folder, Store(folder))

    def info(self, task: str) -> TaskInfo:
        """What is known of a task, a name or a file, before it is loaded."""
        return task_info(task)

    def task(self, task: str, data_dir: Path | None) -> Task:
        """The task of this name or file, from its folder or its own source."""
        key = (task, data_dir)
        if key not in self._tasks:
            self._tasks[key] = self.info(task).load(data_dir)
        return self._tasks[key]

    def source(self, backbone: str) -> BackboneSource:
        """Where the files of a backbone lie."""
        if backbone not in self._sources:
            self._sources[backbone] = locate(backbone)
        return self._sources[backbone]

    def has_backbone(self, source: BackboneSource, device: str, precision: Precision) -> bool:
        """Whether this backbone was asked for before."""
        return (source.fingerprint, device, precision) in self._backbones

    def backbone(self, source: BackboneSource, device: str, precision: Precision) -> Backbone:
        """The backbone on a device."""
        from xlt_bench.backbones.backbone import Backbone

        key = (source.fingerprint, device, precision)
        if key not in self._backbones:
            self._backbones[key] = Backbone(source, device, precision)
        return self._backbones[key]
