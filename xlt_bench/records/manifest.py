"""`record.json`: what is said of a run beside its answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlt_bench.io.paths import is_file, is_folder
from xlt_bench.io.texts import shortened
from xlt_bench.records.predictions_file import PREDICTIONS
from xlt_bench.records.record import SCHEMA_VERSION, Record

MANIFEST = "record.json"
AGAIN = "run the cell again with --rerun all"


@dataclass(frozen=True)
class Damaged:
    """What lies in a store and cannot be read as a Record, and why; `newer`: only this program is too old for it."""

    folder: Path
    reason: str
    newer: bool = False


@dataclass(frozen=True)
class Manifest:
    """A `record.json` that was read.

    Attributes:
        plain: all that it holds, also what this program has no name for.
        text: the file's content.
    """

    record: Record
    plain: Mapping[str, Any]
    text: str


def read_manifest(folder: Path) -> Manifest | Damaged:
    """The manifest of a Record's folder, or what is wrong with the folder."""
    if not is_folder(folder):
        return Damaged(folder, "a file stands where a Record's folder should be")
    try:
        text = (folder / MANIFEST).read_bytes().decode("utf-8")
        plain = json.loads(text)
        if "\\ud" in text.lower():  # half of a character, which no output could hold; ValueError
            json.dumps(plain, ensure_ascii=False).encode()
        version = plain["schema_version"]
        if version > SCHEMA_VERSION:
            newer = f"schema {version} is newer than this program's {SCHEMA_VERSION}; upgrade xlt-bench"
            return Damaged(folder, newer, newer=True)
        if version < SCHEMA_VERSION:
            return Damaged(folder, f"schema {version} is older than this program's {SCHEMA_VERSION}; {AGAIN}")
        record = Record.from_json(plain)
        fingerprint = record.cell.fingerprint
    except FileNotFoundError:
        return Damaged(folder, "it has no record.json")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Damaged(folder, f"record.json is no Record ({type(error).__name__}: {shortened(error, 200)})")
    if fingerprint != folder.name:
        return Damaged(folder, f"its content has fingerprint {fingerprint}, not that of its folder")
    if record.has_answers and not is_file(folder / PREDICTIONS):
        return Damaged(folder, "predictions.parquet is missing")
    return Manifest(record, plain, text)


def manifest_text(plain: Mapping[str, Any]) -> str:
    """The content of the file."""
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
