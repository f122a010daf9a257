"""Versions of a method in a file: what its latest runs stand for, and which earlier rows they supersede.

The content of a plug-in's file is part of what a run is, so each edit begins a new row. Rows that differ in nothing
else are versions of one, and the one whose complete run is the youngest is current. Boards hide and count the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from xlt_bench.records.labels import derived_label
from xlt_bench.records.record import Record


@dataclass(frozen=True)
class Versions:
    """Records apart by whether a later version stands for their row.

    Attributes:
        current: each with a caveat that says which version it is, where there are earlier ones.
        superseded: in the order given.
    """

    current: tuple[Record, ...]
    superseded: tuple[Record, ...]


def by_version(records: Sequence[Record]) -> Versions:
    """Tell the current versions of plug-in files from earlier ones. A version without a complete run hides nothing."""
    hidden: set[str] = set()
    caveats: dict[str, str] = {}
    for contents in _configurations(records).values():
        *earlier, latest = sorted(contents, key=lambda content: (max(contents[content].values()), content))
        superseded = [configuration for content in earlier for configuration in contents[content]]
        if superseded:
            hidden.update(superseded)
            caveat = (
                f"Version {len(contents)} of its file; {len(superseded)} hidden (leaderboard --superseded shows all)."
            )
            caveats.update(dict.fromkeys(contents[latest], caveat))
    return Versions(
        tuple(_with_caveat(record, caveats) for record in records if record.cell.configuration not in hidden),
        tuple(record for record in records if record.cell.configuration in hidden),
    )


def _configurations(records: Iterable[Record]) -> dict[tuple[object, ...], dict[str, dict[str, str]]]:
    """What versions have in common -> content of the file -> configuration -> when its youngest complete run was made.

    One content may have several: rows of one name, such as two that searches of different size chose.
    """
    versions: dict[tuple[object, ...], dict[str, dict[str, str]]] = {}
    for record in records:
        file, _, content = record.cell.method.partition("#")
        if content and record.complete:
            configurations = versions.setdefault(_common(record, file), {}).setdefault(content, {})
            key = record.cell.configuration
            configurations[key] = max(configurations.get(key, ""), record.created)
    return versions


def _common(record: Record, file: str) -> tuple[object, ...]:
    """All that identifies a row but the file's content; hyper-parameters as its label has them, for defaults change."""
    cell = record.cell
    label = derived_label(cell, record.label, record.defaults)
    targets = () if cell.learns_target else cell.targets
    data = (cell.task, cell.task_hash, cell.backbone_hash, cell.sources, targets, *sorted(cell.resources.items()))
    return file, label, cell.protocol, *data


def _with_caveat(record: Record, caveats: dict[str, str]) -> Record:
    caveat = caveats.get(record.cell.configuration)
    return record if caveat is None else replace(record, caveats=(*record.caveats, caveat))
