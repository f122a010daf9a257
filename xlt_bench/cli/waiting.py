"""What a command says while it waits for other processes that share its store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from xlt_bench.engines import Waiting
    from xlt_bench.records.claims import Owner

_NAMED = 3  # owners that the message lists


def say_waiting(notes: Console, unit: str) -> Waiting:
    """A `Waiting` that prints who works on the last runs or fits, and how to go on where a process has been stopped."""

    def say(number: int, owners: Sequence[Owner]) -> None:
        notes.print(_waiting_line(number, owners, unit), soft_wrap=True)

    return say


def _waiting_line(number: int, owners: Sequence[Owner], unit: str) -> str:
    if not owners:
        return f"another process works on the last {number} {unit}; waiting for it"
    listed = "; ".join(map(str, owners[:_NAMED]))
    more = f" and {len(owners) - _NAMED} more" if len(owners) > _NAMED else ""
    process_id = owners[0].process_id
    return (
        f"waiting for the last {number} {unit}: {listed}{more}; if a process there has been stopped, "
        f"kill -CONT {process_id} lets it go on, and kill -KILL {process_id} ends it: its {unit} are then made here"
    )
