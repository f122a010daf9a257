"""All that is to be measured on a GPU, in one command, the most wanted first.

    python -m scripts.on_gpu --data-dir sib-200/data --output gpu-results [--parts tests study ...] [--hours 8]

    tests       what a GPU does otherwise than a CPU (tests/gpu)
    study       XPE, SPT and the other methods on SIB-200 with e5-small-q4, ten seeds, all unseen targets
    peers       training and evaluation against the usual stack, four sizes of backbone, ten seeds
    peak        which share of the GPU's measured peak they reach
    operators   where the time of a step goes
    packs       whether a pack of seeds gives what they give alone
    checkpoints what keeping a fit under way costs
    table1      an estimate of the paper's Table 1, from a few steps with a backbone of XLM-R large's size

A part that fails or takes too long is noted, and the others go on. The folder then holds a JSON or a table a figure,
the logs, the study's Records as one pack, and summary.json: commands, exit codes, seconds, device and versions. Run
again it does what is missing; the study goes on from its store. `--quick` rehearses all of it in small, on whatever
device there is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.workload import backbone_folder
from xlt_bench.records.environment import environment

XLM_R_ROWS = 250_002
"""Of XLM-R's embedding."""


@dataclass(frozen=True)
class Measurement:
    """A command, and the name of its log; `share` of the hours is what it may take at most."""

    name: str
    command: Sequence[str]
    share: float = 0.2


class Measurements:
    """The commands of each part.

    Args:
        output: folder of results.
        data: SIB-200's folder.
        quick: in small.
    """

    def __init__(self, output: Path, data: Path, *, quick: bool) -> None:
        self._output = output
        self._quick = quick
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._sib200 = ["--task", "sib200", "--data-dir", str(data), "--device", self._device]
        self._sizes = ("nano",) if quick else ("nano", "e5-small-q4", "base", "large")

    def jobs(self, part: str) -> list[Measurement]:
        """What a part runs."""
        jobs: list[Measurement] = getattr(self, f"_{part}")()
        return jobs

    def _tests(self) -> list[Measurement]:
        return [Measurement("tests", [sys.executable, "-m", "pytest", "-m", "gpu", "tests/gpu"])]

    def _study(self) -> list[Measurement]:
        store, names = str(self._output / "store"), ("sentence-encoder", "sentence-encoder-unseen")
        options = [*self._sib200, "--store", store, "--precision", "bf16", "--backbone", "e5-small-q4", "--seeds", "10"]
        if self._quick:
            options = [*self._sib200, "--store", store, "--backbone", "nano", "--seeds", "1", "--steps", "2"]
        few = ["--limit-cells", "1"] if self._quick else []
        backbone = [] if self._quick else [Measurement("backbone", [_program(), "backbone", "get", "e5-small-q4"])]
        runs = [
            Measurement(f"study-{name}", [_program(), "study", "run", name, *options, *few], share=0.6)
            for name in names
        ]
        reports = [
            Measurement(
                f"report-{name}", [_program(), "study", "report", name, *options, "-o", f"{self._output}/{name}.md"]
            )
            for name in names
        ]
        return [*backbone, *runs, *reports, Measurement("pack", [_program(), "pack", store])]

    def _peers(self) -> list[Measurement]:
        return [self._benchmark("peers", size, *self._seeds) for size in self._sizes]

    def _peak(self) -> list[Measurement]:
        return [self._benchmark("peak", size, *self._seeds) for size in self._sizes]

    def _operators(self) -> list[Measurement]:
        seeds = self._seeds[:2]
        return [self._benchmark("operators", size, *seeds, suffix="txt") for size in self._sizes]

    def _packs(self) -> list[Measurement]:
        small = ["--seeds", "2", "--steps", "4"] if self._quick else []
        return [
            Measurement(
                "packs", [*_module("packs"), *small, "--output", str(self._output / f"packs-{self._device}.json")]
            )
        ]

    def _checkpoints(self) -> list[Measurement]:
        return [] if self._quick else [Measurement("checkpoints", _module("checkpoints"))]

    def _table1(self) -> list[Measurement]:
        folder = self._output / "backbone-large"
        if self._quick:
            backbone = "nano"
        else:
            folder.mkdir(parents=True, exist_ok=True)
            backbone = str(backbone_folder("large", folder, XLM_R_ROWS))
        seen = ["--seen", "like:xlm-roberta-large"]
        return [
            Measurement("table1", [_program(), "study", "plan", "table1", *self._sib200, *seen, "--backbone", backbone])
        ]

    @property
    def _seeds(self) -> list[str]:
        return ["--seeds", "2", "--quick"] if self._quick else ["--seeds", "10"]

    def _benchmark(self, module: str, size: str, *options: str, suffix: str = "json") -> Measurement:
        file = self._output / f"{module}-{size}-{self._device}.{suffix}"
        return Measurement(file.stem, [*_module(module), "--backbone", size, *options, "--output", str(file)])


PARTS = ("tests", "study", "peers", "peak", "operators", "packs", "checkpoints", "table1")


def _program() -> str:
    return str(Path(sys.executable).with_name("xlt-bench"))


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{name}"]


def run(job: Measurement, folder: Path, hours: float) -> dict[str, Any]:
    """Run a job with its log in the folder; what summary.json says of it."""
    print(f"{job.name}: {' '.join(job.command)}", flush=True)
    started = time.perf_counter()
    with (folder / f"{job.name}.log").open("w", encoding="utf-8") as log:
        try:
            process = subprocess.run(
                job.command, stdout=log, stderr=subprocess.STDOUT, timeout=job.share * hours * 3600, check=False
            )
            outcome: int | str = process.returncode
        except subprocess.TimeoutExpired:
            outcome = f"stopped after {job.share * hours:g} hours"
    seconds = round(time.perf_counter() - started, 1)
    print(f"{job.name}: {'done' if outcome == 0 else outcome}, {seconds:g} s", flush=True)
    return {"command": list(job.command), "outcome": outcome, "seconds": seconds}


def main() -> None:
    """Run everything; the exit code says whether all of it succeeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True, help="SIB-200's folder")
    parser.add_argument("--output", type=Path, default=Path("gpu-results"))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--hours", type=float, default=8.0, help="at most, all of it")
    parser.add_argument("--quick", action="store_true", help="rehearse it, in small")
    options = parser.parse_args()
    if not options.data_dir.is_dir():
        parser.error(f"no folder {options.data_dir}; clone SIB-200's repository and give its data folder")
    if not torch.cuda.is_available() and not options.quick:
        parser.error("torch sees no GPU here; --quick rehearses on a CPU")
    options.output.mkdir(parents=True, exist_ok=True)
    summary_file = options.output / "summary.json"
    summary = json.loads(summary_file.read_text()) if summary_file.is_file() else {"jobs": {}}
    summary["environment"] = environment("cuda" if torch.cuda.is_available() else "cpu")
    plan = Measurements(options.output, options.data_dir, quick=options.quick)
    for part in options.parts:
        for job in plan.jobs(part):
            if summary["jobs"].get(job.name, {}).get("outcome") == 0:
                continue
            summary["jobs"][job.name] = run(job, options.output, options.hours)
            summary_file.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    sys.exit(any(job["outcome"] != 0 for job in summary["jobs"].values()))


if __name__ == "__main__":
    main()
