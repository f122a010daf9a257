"""What a command says while it waits for other processes that share its store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xlt_bench.records.claims import LOST_SECONDS

if TYPE_CHECKING:
    from rich.console import Console

    from xlt_bench.engines import Waiting
    from xlt_bench.records.leases import Owner

_NAMED = 3  # owners that the message lists


def say_waiting(notes: Console, unit: str) -> Waiting:
    """A `Waiting` that prints who works on the last runs or fits, and what becomes of those of a stopped process."""

    def say(number: int, owners: Sequence[Owner]) -> None:
        notes.print(_waiting_line(number, owners, unit), soft_wrap=True)

    return say


def _waiting_line(number: int, owners: Sequence[Owner], unit: str) -> str:
    if not owners:
        return f"another process works on the last {number} {unit}; waiting for it"
    listed = "; ".join(map(str, owners[:_NAMED]))
    more = f" and {len(owners) - _NAMED} more" if len(owners) > _NAMED else ""
    rule = f"{unit} of a process that is not heard of for {LOST_SECONDS:.0f} s are made here"
    silent_owner = next((owner for owner in owners if owner.silent_seconds), None)
    advice = f"; if it was stopped, kill -CONT {silent_owner.process_id} lets it go on" if silent_owner else ""
    return f"waiting for the last {number} {unit}: {listed}{more}; {rule}{advice}"
