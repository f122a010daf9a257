"""Our training toolkit against the usual stack (Hugging Face `Trainer` + `peft` p-tuning), in one process.

    python -m benchmarks.peers [--backbone nano|e5-small-q4|base|large] [--seeds 5] [--quick] [--json] [--output FILE]

Both sides get the same backbone, sentences, batch size of 32, Adafactor and dev evaluation every epoch, with dropout as
in the backbone's configuration. They take turns, so that whatever else the machine does hits both; figures are medians
over the turns, and ratios are medians of the turns' ratios. The usual stack in float32 is 1. Peak memory is that of
processes of their own.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.workload import BATCH, LABELS, LONGEST, SIZES, backbone_folder, sentences
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import Precision, locate
from xlt_bench.method import Context
from xlt_bench.methods.xpe import XPE
from xlt_bench.recipe import PRESETS, Phase
from xlt_bench.records.environment import environment
from xlt_bench.task import Labelled
from xlt_bench.training.soft_prompt import FittedPrompt


@dataclass(frozen=True)
class Size:
    """How much is measured: items of the splits, epochs of a turn, turns, numbers of seeds in a pack."""

    train: int
    dev: int
    test: int
    epochs: int
    turns: int
    packs: tuple[int, ...]


FULL = {
    "nano": Size(640, 99, 1024, 2, 7, (1, 2, 5, 10)),
    "e5-small-q4": Size(128, 32, 256, 1, 5, (1, 2, 5)),
    "base": Size(64, 16, 64, 1, 3, (1, 2, 5)),
    "large": Size(640, 99, 1024, 2, 3, (1, 2, 5, 10)),
}
QUICK = {
    "nano": Size(192, 32, 192, 1, 3, (1, 2, 5)),
    "e5-small-q4": Size(64, 16, 128, 1, 1, (1,)),
    "base": Size(32, 8, 32, 1, 1, (1,)),
    "large": Size(32, 8, 32, 1, 1, (1,)),
}


class Ours:
    """XPE through the toolkit, several seeds in one pass."""

    def __init__(self, folder: Path, precision: Precision) -> None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self._backbone = Backbone(locate(str(folder)), device, precision)
        self._precision = precision
        self._fits: list[FittedPrompt] = []

    def train(self, train: Labelled, dev: Labelled, epochs: int, seeds: int) -> float:
        """Seconds to fit these seeds, dev evaluation and tokenising included, loading not."""
        recipe = PRESETS["released"].recipe
        recipe = dataclasses.replace(recipe, source=Phase(None, epochs, warmup=0.1), max_length=LONGEST)
        contexts = [
            Context(
                LABELS,
                seed,
                recipe,
                self._backbone.device.type,
                self._precision,
                load_backbone=lambda: self._backbone,
            )
            for seed in range(seeds)
        ]
        started = time.perf_counter()
        self._fits = XPE().fit_many(train, dev, contexts)
        return time.perf_counter() - started

    def predict(self, items: Labelled) -> float:
        """Seconds to score items with one seed; their ids are tokenised once and cached."""
        started = time.perf_counter()
        self._fits[0].predict(items.examples)
        return time.perf_counter() - started


def speeds(folder: Path, size: Size, precisions: Sequence[Precision], seeds: int) -> dict[str, Any]:
    """Examples a second of both sides, training and evaluation, and what is gained over the usual stack in float32."""
    from benchmarks.usual_stack import UsualStack

    train, dev, test = (sentences(items, seed) for seed, items in enumerate((size.train, size.dev, size.test)))
    usual = {precision: UsualStack(folder, precision == "bf16") for precision in precisions}
    lanes = {precision: Ours(folder, precision) for precision in precisions}
    few = train.take(range(8))
    for precision in precisions:  # warm up
        usual[precision].train(few, few, 1, 0)
        lanes[precision].train(few, few, 1, 1)
    turns: list[dict[str, float]] = []
    examples = size.train * size.epochs
    for turn in range(size.turns):
        rates: dict[str, float] = {}
        for precision in precisions:
            rates[f"usual train {precision}"] = examples / usual[precision].train(train, dev, size.epochs, turn)
            rates[f"ours train {precision}"] = seeds * examples / lanes[precision].train(train, dev, size.epochs, seeds)
            rates[f"usual evaluate {precision}"] = size.test / usual[precision].predict(test)
            rates[f"ours evaluate {precision}"] = size.test / lanes[precision].predict(test)
        turns.append(rates)
    return {"examples_per_second": _medians(turns), "times_usual_fp32": _medians([_ratios(turn) for turn in turns])}


def _ratios(turn: dict[str, float]) -> dict[str, float]:
    return {name: value / turn[f"usual {name.split()[1]} fp32"] for name, value in turn.items()}


def _medians(turns: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: round(median(turn[name] for turn in turns), 3) for name in turns[0]}


def scaling(folder: Path, size: Size) -> dict[str, float]:
    """Seconds a seed when so many are trained in one pack, in float32."""
    train, dev = sentences(size.train, 0), sentences(size.dev, 1)
    program = Ours(folder, "fp32")
    program.train(train.take(range(8)), dev.take(range(8)), 1, 1)
    turns = [
        {str(count): program.train(train, dev, 1, count) / count for count in size.packs}
        for _ in range(min(size.turns, 3))
    ]
    return _medians(turns)


def peak_gigabytes(folder: Path, side: str, lanes: int) -> float:
    """Peak resident memory of a process that trains a batch with `ours` or the `usual` stack, in float32."""
    command = [sys.executable, "-m", "benchmarks.peers", "--peak", side, "--lanes", str(lanes), "--folder", str(folder)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(output.splitlines()[-1])


def _own_peak(folder: Path, side: str, lanes: int) -> float:
    train, dev = sentences(BATCH, 0), sentences(8, 1)
    if side == "ours":
        Ours(folder, "fp32").train(train, dev, 1, lanes)
    else:
        from benchmarks.usual_stack import UsualStack  # not at the top: our process would hold its libraries too

        UsualStack(folder, bf16=False).train(train, dev, 1, 0)
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e9
    status = Path("/proc/self/status")  # Linux hands the parent's ru_maxrss down to a child, but not this
    if status.is_file():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)


def measure(backbone: str, quick: bool, seeds: int) -> dict[str, Any]:
    """Everything, as plain data."""
    size = (QUICK if quick else FULL)[backbone]
    with tempfile.TemporaryDirectory() as under:
        folder = backbone_folder(backbone, Path(under))
        return {
            "backbone": backbone,
            "sizes": dataclasses.asdict(size),
            "seeds": seeds,
            **speeds(folder, size, ("fp32", "bf16"), seeds),
            "seconds_a_seed": scaling(folder, size),
            "peak_gb": {
                "usual": peak_gigabytes(folder, "usual", 1),
                "ours, 1 lane": peak_gigabytes(folder, "ours", 1),
                f"ours, {seeds} lanes": peak_gigabytes(folder, "ours", seeds),
            },
            "threads": torch.get_num_threads(),
            "load_before": round(os.getloadavg()[0], 2),
            "processor": platform.processor() or platform.machine(),
            "environment": {**environment("cuda" if torch.cuda.is_available() else "cpu"), "peft": version("peft")},
        }


def main() -> None:
    """Measure, and print a line a figure or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", choices=tuple(SIZES), default="nano")
    parser.add_argument("--seeds", type=int, default=5, help="that our side trains together")
    parser.add_argument("--quick", action="store_true", help="smaller and rougher")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path, help="write the JSON to this file too")
    for hidden in ("--peak", "--lanes", "--folder"):  # for the processes whose memory is measured
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print(_own_peak(Path(options.folder), options.peak, int(options.lanes)))
        return
    figures = measure(options.backbone, options.quick, options.seeds)
    text = json.dumps(figures, indent=1)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text + "\n", encoding="utf-8")
    print(text if options.json else _lines(figures))


def _lines(figures: dict[str, Any]) -> str:
    parts = ("examples_per_second", "times_usual_fp32", "seconds_a_seed", "peak_gb")
    return "\n".join(f"{part:20} {name:22} {value:9.2f}" for part in parts for name, value in figures[part].items())


if __name__ == "__main__":
    main()
