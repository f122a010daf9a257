"""The main job as a user runs it: wall time and peak memory of whole processes, from the installed package.

    python -m benchmarks.main_job [--json] [--seeds 3]

Each command runs in a process of its own with an empty store; `--help` and the import are repeated and their median
is told. Targets on two CPU cores: the run at most 100 s and 2 GB (110 s with `--seeds 5`), `--help` at most 0.3 s, no
torch after the import.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def timed(command: list[str]) -> tuple[float, int]:
    """Wall seconds and peak resident bytes of a finished process.

    Raises:
        CalledProcessError: the command failed; its error output is shown.
    """
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        print(errors, file=sys.stderr)
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.perf_counter() - started, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main_job(seeds: int) -> dict[str, float]:
    """`xlt-bench run --method xpe --sources seen` with the default preset."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["run", "--method", "xpe", "--sources", "seen", "--seeds", str(seeds), "--store", folder]
        seconds, peak = timed([_program(), *command])
        fits = [json.loads(path.read_text(encoding="utf-8")) for path in Path(folder).glob("*/record.json")]
    accuracy = statistics.mean(statistics.mean(fit["accuracy"].values()) for fit in fits)
    steps = statistics.mean(fit["fit"]["steps"] for fit in fits)
    return {"seconds": seconds, "peak_gb": peak / 1e9, "steps_a_seed": steps, "accuracy": accuracy}


def start_up(repeats: int = 7) -> dict[str, float]:
    """Medians of `--help` and of the bare import, and whether the import brings torch."""
    code = "import sys, xlt_bench; sys.exit('torch' in sys.modules)"
    return {
        "help_seconds": statistics.median(timed([_program(), "--help"])[0] for _ in range(repeats)),
        "import_seconds": statistics.median(timed([sys.executable, "-c", code])[0] for _ in range(repeats)),
    }


def _program() -> str:
    return str(Path(sys.executable).with_name("xlt-bench"))


def main() -> None:
    """Measure, and print a line a figure or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = {**start_up(), **main_job(options.seeds), "cores": float(os.cpu_count() or 1)}
    if options.json:
        print(json.dumps(figures, indent=1))
    else:
        for name, value in figures.items():
            print(f"{name:16} {value:.3f}")


if __name__ == "__main__":
    main()
