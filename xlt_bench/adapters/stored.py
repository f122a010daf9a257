"""A trained soft prompt in the store: which Record is meant, and what lies beside it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open
from torch import Tensor

from xlt_bench.adapters.saved_prompt import HEAD
from xlt_bench.adapters.tensors import read_tensors
from xlt_bench.errors import ConfigError, StoreError
from xlt_bench.records.cell import Cell
from xlt_bench.records.manifest import Damaged
from xlt_bench.records.record import Record
from xlt_bench.records.store import WEIGHTS, Store

CACHED = "cached_prompt.safetensors"
TRAINED = "weights.safetensors"
_DIGITS = re.compile(r"[0-9a-f]{4,16}")
_LISTED = 6


@dataclass(frozen=True)
class TrainedPrompt:
    """A soft prompt as `FittedPrompt.save` wrote it.

    Attributes:
        prompt: as it stands before a text, (n, d).
        state: of the prompt's module and the head, by name.
        labels: class names in the head's order.
    """

    prompt: Tensor
    state: dict[str, Tensor]
    labels: tuple[str, ...]

    @property
    def head(self) -> dict[str, Tensor]:
        """The classification head, by the names in `HEAD`."""
        return {name: self.state[f"head.{name}"] for name in HEAD}


def find_record(store: Store, digits: str) -> Record:
    """The complete Record whose fingerprint begins with these digits.

    Raises:
        ConfigError: none, or several, or a row of the board in place of one of its runs.
        StoreError: it cannot be read.
    """
    if _DIGITS.fullmatch(digits) is None:
        raise ConfigError(f"RECORD is a fingerprint or its first digits (4 or more), not '{digits}'; {_listing(store)}")
    names = [name for name in store.names() if name.startswith(digits)]
    if not names:
        raise ConfigError(_none(store, digits))
    if len(names) > 1:
        raise ConfigError(f"'{digits}' fits {len(names)} Records; write more digits: {', '.join(names[:_LISTED])}")
    record = store.find(names[0])
    if isinstance(record, Damaged):
        raise StoreError(f"{record.folder}: {record.reason}; run it again with --rerun all --save-weights")
    assert record is not None
    if not record.complete:
        raise ConfigError(f"Record {names[0]} is of a failed run, with nothing trained; run it again: --rerun failed")
    return record


def trained_prompt(store: Store, record: Record, purpose: str) -> TrainedPrompt:
    """The trained prompt of a Record.

    Args:
        purpose: what for, in errors: `exported`.

    Raises:
        ConfigError: its weights were not kept, or they are not those of a soft prompt.
    """
    fingerprint, cell = record.cell.fingerprint, record.cell
    folder = store.folder_of(fingerprint) / WEIGHTS
    if not cell.recipe:
        raise ConfigError(_only_prompts(record, purpose))
    if not folder.is_dir():
        raise ConfigError(
            f"Record {fingerprint} ({record.row_label}, seed {cell.seed}) was run without --save-weights; "
            f"{_again(store, record)}"
        )
    if not (folder / CACHED).is_file():
        raise ConfigError(_only_prompts(record, purpose))
    prompt = _read(folder / CACHED, fingerprint).get("prompt")
    state, labels = _read(folder / TRAINED, fingerprint), read_labels(folder / CACHED)
    if not any(name.startswith("head.") for name in state):  # classes are read off the backbone's own head
        raise ConfigError(_only_prompts(record, purpose))
    if prompt is None or prompt.ndim != 2 or any(f"head.{name}" not in state for name in HEAD):
        raise ConfigError(f"{folder} holds no whole soft prompt; {_again(store, record)}")
    if len(labels) != len(state["head.out_proj.weight"]):
        raise ConfigError(f"{folder} does not name the classes of its head; {_again(store, record)}")
    if not len(prompt):
        raise ConfigError(_only_prompts(record, purpose))
    return TrainedPrompt(prompt, state, labels)


def _read(path: Path, fingerprint: str) -> dict[str, Tensor]:
    return read_tensors(path, f"of Record {fingerprint}")


def read_labels(path: Path) -> tuple[str, ...]:
    """Class names that `FittedPrompt.save` put beside a cached prompt; none if there are none."""
    with safe_open(path, "np") as file:
        return tuple(json.loads((file.metadata() or {}).get("labels", "[]")))


def _only_prompts(record: Record, purpose: str) -> str:
    return (
        f"Record {record.cell.fingerprint} ({record.row_label}) holds no soft prompt; what can be {purpose} is any "
        "method built on SoftPrompt that has one prompt for all texts"
    )


def _again(store: Store, record: Record) -> str:
    """The command that trains a Record's weights."""
    cell = record.cell
    return f"{_command(cell, record.sources_label)} --store {store.folder} --save-weights keeps them"


def _command(cell: Cell, sources: str) -> str:
    return f"xlt-bench run -m {cell.method} --task {cell.task} --sources {sources} --seeds {cell.seed},"


def _none(store: Store, digits: str) -> str:
    runs = [record for record in store.records()[0] if record.cell.configuration.startswith(digits)]
    if runs:
        listed = ", ".join(f"{run.cell.fingerprint} (seed {run.cell.seed})" for run in runs[:_LISTED])
        return f"'{digits}' is a row of the board with {len(runs)} runs; choose one: {listed}"
    return f"no Record '{digits}' in {store.folder}; {_listing(store)}"


def _listing(store: Store) -> str:
    return f"see: xlt-bench ls records --store {store.folder}"
