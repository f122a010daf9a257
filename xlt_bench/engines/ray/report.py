"""What the cluster says of a job, as plain data between its worker and the process that submitted it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """One thing that is said of a job: that it has begun, a line of its worker, or its end.

    Attributes:
        host: where it runs; empty where that is not known.
        line: of the worker's standard output, see `xlt_bench.engines.answers`.
        code: how it ended, negative where its worker was killed; None: it goes on.
        complaint: what the worker said last, or what the cluster says of its end.
    """

    host: str = ""
    line: str = ""
    code: int | None = None
    complaint: str = ""
