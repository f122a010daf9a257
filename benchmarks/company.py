"""What a run takes beside other processes, as ratios of one measurement: does it get its fair share of the cores?

    python -m benchmarks.company [--backbone nano|e5-small-q4] [--steps 150] [--turns 3] [--no-spinning]
                                [--json] [--output FILE]

Beside another process that keeps every core busy with as many threads as there are cores, a fair share doubles the
time. Two runs at once should take no longer than one after the other. Both are measured as the command line runs them,
and with the spinning that GNU's OpenMP does by default, which takes longest (`--no-spinning` leaves it out); the other
process always spins as by default, as a foreign one does. Turns alternate, figures are medians of the turns' ratios. A
run that takes more than 10 times its time alone is stopped, and counts as 10.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from xlt_bench.io.processor import SPIN_COUNT, available_cores
from xlt_bench.records.environment import environment

MOST = 10.0
"""Times its time alone after which a run is stopped."""

_BUSY = """
import torch
from torch import nn
model = nn.Sequential(*(nn.Linear(768, 768) for _ in range(12)))
while True:
    model(torch.randn(512, 768)).sum().backward()
"""


def waiting(spin: str) -> dict[str, str]:
    """Environment of a process whose threads spin so often before they sleep; where it is empty, as by default."""
    unset = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    return {**unset, "GOMP_SPINCOUNT": spin} if spin else unset


def start(arguments: argparse.Namespace, store: Path, spin: str) -> subprocess.Popen[bytes]:
    """A run of XPE in a process of its own."""
    # a spin count that is set, to what GNU takes anyway, keeps the command from setting its own
    environment_of_run = waiting(spin or "30000000000")
    command = [sys.executable, "-m", "xlt_bench", "run", "-m", "xpe", "--sources", "joshi5", "--targets", "yor_Latn"]
    options = ["--backbone", arguments.backbone, "--preset", "cldr", "--seeds", "0,", "--store", str(store)]
    sizes = ["--steps", str(arguments.steps), "--max-length", "64"]
    return subprocess.Popen(
        [*command, *options, *sizes], env=environment_of_run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def seconds(arguments: argparse.Namespace, runs: int, spin: str, limit: float | None = None) -> float:
    """Wall seconds of so many runs at once; the limit, if they take longer."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        processes = [start(arguments, Path(folder) / str(number), spin) for number in range(runs)]
        try:
            for process in processes:
                remaining = None if limit is None else max(0.1, limit - (time.perf_counter() - started))
                if process.wait(remaining):
                    raise RuntimeError("the run failed; try it by hand")
        except subprocess.TimeoutExpired:
            return limit or 0.0
        finally:
            for process in processes:
                process.kill()
                process.wait()
        return time.perf_counter() - started


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Another process that keeps all cores busy."""
    with subprocess.Popen([sys.executable, "-c", _BUSY], env=waiting("")) as process:
        time.sleep(5.0)
        try:
            yield
        finally:
            process.kill()


def turn(arguments: argparse.Namespace) -> dict[str, float]:
    """Ratios of one turn."""
    ratios = {}
    ways = {"as it runs": SPIN_COUNT, **({"spinning": ""} if arguments.spinning else {})}
    for name, spin in ways.items():
        single = seconds(arguments, 1, spin)
        with busy():
            ratios[f"beside a busy process, {name}"] = seconds(arguments, 1, spin, MOST * single) / single
        pair_seconds = seconds(arguments, 2, spin, MOST * single)
        ratios[f"two at once over one after the other, {name}"] = pair_seconds / (2 * single)
        ratios[f"seconds alone, {name}"] = single
    return ratios


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything, as plain data."""
    turns = [turn(arguments) for _ in range(arguments.turns)]
    figures = {name: round(median(ratios[name] for ratios in turns), 2) for name in turns[0]}
    if arguments.spinning:
        alone = [ratios["seconds alone, as it runs"] / ratios["seconds alone, spinning"] for ratios in turns]
        figures["alone, as it runs over spinning"] = round(median(alone), 2)
    return {
        "backbone": arguments.backbone,
        "steps": arguments.steps,
        "turns": arguments.turns,
        "figures": figures,
        "cores": available_cores(),
        "load_before": round(os.getloadavg()[0], 2),
        "processor": platform.processor() or platform.machine(),
        "environment": environment("cpu"),
    }


def _lines(figures: Mapping[str, float]) -> str:
    return "\n".join(f"{name:55} {value:7.2f}" for name, value in figures.items())


def main() -> None:
    """Measure, and print a line a figure or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="nano")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--spinning", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path, help="write the JSON to this file too")
    arguments = parser.parse_args()
    figures = measure(arguments)
    text = json.dumps(figures, indent=1)
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(text + "\n", encoding="utf-8")
    print(text if arguments.json else _lines(figures["figures"]))


if __name__ == "__main__":
    main()
