"""How long the plan of a study of 10,000 cells takes.

    python -m benchmarks.plan_study

Table 1 with 834 seeds, on an empty store, without the measured estimate. Says the seconds of planning, wall and
processor (task and backbone are found and checked once, as part of it), and, apart, those of importing the libraries.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

SEEDS = 834


def main() -> None:
    """Plan, and say how long it took."""
    started = time.perf_counter()
    import torch  # noqa: F401
    import transformers.optimization  # noqa: F401

    from xlt_bench.runs.request import Request
    from xlt_bench.studies.catalogue import find_study
    from xlt_bench.studies.planning import distinct, plan_study

    imported, busy = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        options = Request(seeds=tuple(range(SEEDS)), store=Path(folder) / "store")
        cells = distinct(plan_study(find_study("table1"), options))
    planned, busy = time.perf_counter() - imported, time.process_time() - busy
    print(f"{len(cells)} cells planned in {planned:.2f} s ({busy:.2f} s of processor time)")
    print(f"imports took {imported - started:.2f} s")


if __name__ == "__main__":
    main()
