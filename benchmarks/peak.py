"""Which share of a processor's peak training and evaluation reach, counting the operations that are computed.

    python -m benchmarks.peak [--backbone nano|e5-small-q4|base|large] [--seeds 5] [--quick] [--output FILE]

The peak is the best of several products of large square matrices, multiplied as the toolkit does: on a CPU by oneDNN.
Operations are those of matrix products and attention, forward and backward, as torch counts them while they run;
gradients of frozen weights are not computed and so not counted, nor is anything else.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.output import publish
from benchmarks.peers import Ours
from benchmarks.workload import SIZES, backbone_folder, sentences
from xlt_bench.backbones.lean.products import linear
from xlt_bench.backbones.source import Precision
from xlt_bench.records.environment import environment
from xlt_bench.runs.arithmetic import floating_point_operations

PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16")
_TRIES = 7


def device_name() -> str:
    """The device that is measured."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def peak(precision: Precision) -> float:
    """Operations a second of the quickest of several square products."""
    width = 8192 if torch.cuda.is_available() else 2048
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    first, second = (torch.randn(width, width, dtype=dtype, device=device_name()) for _ in range(2))

    @torch.no_grad()
    def product() -> None:
        linear(first, second, None)
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    product()
    return 2 * width**3 / min(seconds_of(product) for _ in range(_TRIES))


def seconds_of(work: Callable[[], object]) -> float:
    """Wall time."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def shares(folder: Path, precision: Precision, seeds: int, *, quick: bool) -> dict[str, Any]:
    """Peak, and rates and shares of it while fitting XPE and while scoring, in billions of operations a second."""
    train, dev, test = sentences(64 if quick else 256, 0), sentences(8, 1), sentences(128 if quick else 512, 2)
    ours = Ours(folder, precision)
    highest = peak(precision)
    figures: dict[str, Any] = {"peak": round(highest / 1e9, 1)}
    parts: dict[str, Callable[[], object]] = {
        "train": lambda: ours.train(train, dev, 1, seeds),
        "evaluate": lambda: ours.predict(test),
    }
    for name, work in parts.items():
        _, operations = floating_point_operations(work)  # texts are tokenised and kernels made by then
        rate = operations / min(seconds_of(work) for _ in range(1 if quick else 3))
        figures[name] = {"rate": round(rate / 1e9, 1), "share": round(rate / highest, 3)}
    return figures


def measure(backbone: str, seeds: int, *, quick: bool) -> dict[str, Any]:
    """All figures as plain data."""
    with tempfile.TemporaryDirectory() as under:
        folder = backbone_folder(backbone, Path(under))
        return {
            "backbone": backbone,
            "seeds": seeds,
            "threads": torch.get_num_threads(),
            "billion_operations_a_second": {
                precision: shares(folder, precision, seeds, quick=quick) for precision in PRECISIONS
            },
            "environment": environment(device_name()),
        }


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", choices=tuple(SIZES), default="nano")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="smaller and rougher")
    parser.add_argument("--output", type=Path, help="write the JSON to this file too")
    options = parser.parse_args()
    text = json.dumps(measure(options.backbone, options.seeds, quick=options.quick), indent=1)
    publish(text, options.output)


if __name__ == "__main__":
    main()
