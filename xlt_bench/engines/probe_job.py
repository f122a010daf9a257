"""What a probe does on the cluster: `python -m xlt_bench.engines.probe_job PLAN.json ANSWER.json`.

It prepares the plan, as the jobs will, and carries nothing out: version, plug-in file, data, backbone and device are
then known to be those of the plan.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from xlt_bench.engines.plan import Plan
from xlt_bench.errors import XltBenchError
from xlt_bench.io import atomic
from xlt_bench.runs.devices import check_memory


def main(arguments: Sequence[str]) -> int:
    """Write down what is wrong, or nothing, and where this ran; 0 in either case."""
    plan_path, answer_path = map(Path, arguments)
    try:
        plan = Plan.from_text(plan_path.read_text(encoding="utf-8"))
        os.chdir(plan.folder)
        experiment = plan.experiment()
        experiment.setup.store.check_writable()
        check_memory(experiment.setup.device, experiment.setup.source)
        error = None
    except XltBenchError as refusal:
        error = str(refusal)
    answer = {"error": error, "host": platform.node()}
    atomic.replace_file(answer_path, json.dumps(answer).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
