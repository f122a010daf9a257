"""An Evaluation: what is asked for, as the options of `xlt-bench evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xlt_bench.runs.request import DEFAULT_STORE


@dataclass(frozen=True)
class Evaluation:
    """A PEFT adapter to be scored on the languages of a task.

    Attributes:
        adapter: a local folder or a hub id.
        sources: the languages that it was trained on, as for `run`; None: not known.
        targets: as for `run`; None: all groups of the task that hold no source.
        backbone: None: the one that the adapter names.
        labels: the task's class names in the adapter's order; None: as the adapter tells, else the task's order.
        name: of the row; None: the adapter's.
        rerun: score again what the store already holds.
    """

    adapter: str
    task: str = "cldr"
    data_dir: Path | None = None
    sources: str | None = None
    targets: str | None = None
    backbone: str | None = None
    labels: tuple[str, ...] | None = None
    name: str | None = None
    device: str | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    store: Path = DEFAULT_STORE
    rerun: bool = False
