"""A Plan: cells as plain data, with what a process that shares nothing but files needs to carry them out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from xlt_bench import __version__
from xlt_bench.errors import ConfigError
from xlt_bench.records.cell import Cell
from xlt_bench.records.store import Store
from xlt_bench.runs.evaluation import Evaluation
from xlt_bench.runs.experiment import Experiment, experiment_of
from xlt_bench.runs.loader import Loader
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import Request

_FIXED = ("task_hash", "backbone_hash", "method", "hyperparameters", "init_from", "precision", "resources")
"""Of a cell: what the setup decides, so that it must be the same here as where the plan was made."""


@dataclass(frozen=True)
class Plan:
    """Some cells of an experiment.

    Attributes:
        request: from which the setup is prepared again.
        cells: those to carry out.
        store: where their Records go; of the request, or one aside of it.
        folder: in which the request's relative paths hold.
        rerun, count_operations: as of the experiment.
        pack: cells that go through the backbone together at most; None: see `pack_size`.
        created: when it was made; a Record that is newer answers for its cell whatever `rerun` says, so that a worker
            that is started again goes on.
    """

    request: Request | Evaluation
    cells: tuple[Cell, ...]
    store: Path
    folder: Path
    rerun: str | None = None
    count_operations: bool = False
    pack: int | None = None
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="microseconds"))

    @staticmethod
    def of(experiment: Experiment, cells: Sequence[Cell], pack: int | None = None) -> Plan:
        """A plan for some cells of an experiment of this process."""
        setup = experiment.setup
        return Plan(
            experiment.request,
            tuple(cells),
            setup.store.folder,
            Path.cwd(),
            experiment.rerun,
            setup.count_operations,
            pack,
        )

    def experiment(self, loader: Loader | None = None) -> Experiment:
        """The cells with their setup, prepared anew in this process; its working folder must be the plan's.

        Raises:
            ConfigError: the data, the backbone or the method are not those of the plan.
        """
        prepared = _prepared(self.request, loader)
        _check_same(prepared.cells[0], self.cells)
        if self.store != prepared.setup.store.folder:
            operations = self.count_operations
            experiment = prepared.derived(self.cells, Store(self.store), self.rerun, count_operations=operations)
        else:
            experiment = experiment_of(self.request, prepared.setup, self.cells, self.rerun)
        if self.rerun is None:
            return experiment
        records = experiment.first_records.items()
        new_records = {fingerprint: record for fingerprint, record in records if record.created > self.created}
        return replace(experiment, stored={**experiment.stored, **new_records})

    def as_text(self) -> str:
        """As another process reads it."""
        return json.dumps(self.as_json(), ensure_ascii=False)

    @staticmethod
    def from_text(text: str) -> Plan:
        """The inverse of `as_text`; ConfigError: another version of this program made it."""
        return Plan.from_json(json.loads(text))

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "version": __version__,
            "kind": type(self.request).__name__,
            "request": {
                part.name: _plain(getattr(self.request, part.name)) for part in dataclasses.fields(self.request)
            },
            "cells": [cell.as_json() for cell in self.cells],
            "store": str(self.store),
            "folder": str(self.folder),
            "rerun": self.rerun,
            "count_operations": self.count_operations,
            "pack": self.pack,
            "created": self.created,
        }

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> Plan:
        """The inverse of `as_json`.

        Raises:
            ConfigError: another version of this program made it.
        """
        if plain["version"] != __version__:
            raise ConfigError(
                f"the plan is of xlt-bench {plain['version']}, but in {Path(__file__).parents[1]} is {__version__}; "
                "give this process the same version"
            )
        kind = Request if plain["kind"] == Request.__name__ else Evaluation
        types = get_type_hints(kind)
        return Plan(
            request=kind(**{name: _typed(value, types[name]) for name, value in plain["request"].items()}),
            cells=tuple(Cell.from_json(cell) for cell in plain["cells"]),
            store=Path(plain["store"]),
            folder=Path(plain["folder"]),
            rerun=plain["rerun"],
            count_operations=plain["count_operations"],
            pack=plain["pack"],
            created=plain["created"],
        )


def _prepared(request: Request | Evaluation, loader: Loader | None) -> Experiment:
    if isinstance(request, Request):
        return prepare(request, loader)
    from xlt_bench.runs.preparing_evaluation import prepare_evaluation  # it brings torch

    return prepare_evaluation(request, loader).experiment


def _check_same(local_cell: Cell, cells: Sequence[Cell]) -> None:
    for cell in cells:
        for name in _FIXED:
            planned, local = getattr(cell, name), getattr(local_cell, name)
            if planned != local:
                raise ConfigError(
                    f"the plan is of {name} {planned}, but here it is {local}; give this process the same code and data"
                )


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    return {key: _plain(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value


def _typed(value: Any, kind: Any) -> Any:
    """What `_plain` made of a value of this type, as it was."""
    kinds = (kind, *get_args(kind))
    if isinstance(value, str) and Path in kinds:
        return Path(value)
    if isinstance(value, dict) and get_origin(kind) is Mapping:
        return {key: _typed(inner, get_args(kind)[1]) for key, inner in value.items()}
    if isinstance(value, list) and any(tuple in (part, get_origin(part)) for part in kinds):
        return tuple(value)
    return value
