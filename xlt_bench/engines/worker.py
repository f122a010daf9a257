"""A worker: carries out a Plan in a process of its own, `python -m xlt_bench.engines.worker PLAN.json`.

What it prints is said in `xlt_bench.engines.answers`. What other processes work on comes last and is waited for:
if one of them is lost, its cells are made here.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path

from xlt_bench.engines.answers import Speaker
from xlt_bench.engines.base import wait_silently
from xlt_bench.engines.local import LocalEngine
from xlt_bench.engines.plan import Plan
from xlt_bench.errors import XltBenchError
from xlt_bench.method import Progress
from xlt_bench.records.record import Record
from xlt_bench.runs.loader import Loader

_POLL_SECONDS = 1.0


def carry_out_plan(plan: Plan, progress: Progress) -> Iterator[Record]:
    """Records of a plan's cells, each when it lies in the store.

    Raises:
        XltBenchError: the plan cannot be carried out here.
    """
    loader = Loader()
    experiment = plan.experiment(loader)
    experiment.check_store()
    yield from LocalEngine(progress, plan.pack, loader).carry_out(experiment, wait_silently)


def _leave_after(parent: int) -> None:
    """Stop this process as by SIGTERM once its parent has ended, however it did: nobody would stop it any more."""
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def main(arguments: Sequence[str]) -> int:
    """Carry out the plan in a file; 2 where it cannot be."""
    speaker = Speaker(sys.stdout)
    threading.Thread(target=_leave_after, args=(os.getppid(),), daemon=True).start()
    try:
        plan = Plan.from_text(Path(arguments[0]).read_text(encoding="utf-8"))
        os.chdir(plan.folder)
        with redirect_stdout(sys.stderr):  # what a method prints is no answer
            for record in carry_out_plan(plan, speaker):
                speaker.answer(record)
    except XltBenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
