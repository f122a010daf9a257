"""Which operators the time of training goes to, by torch's profiler.

python -m benchmarks.operators [--backbone nano|e5-small-q4|base|large] [--precision bf16] [--seeds 5] [--output FILE]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.output import publish
from benchmarks.peers import Ours
from benchmarks.workload import SIZES, backbone_folder, sentences
from xlt_bench.backbones.source import Precision

_ROWS = 40


def table(backbone: str, precision: Precision, seeds: int) -> str:
    """The operators that take most time themselves, the first one most, of a few steps of XPE."""
    train, dev = sentences(64, 0), sentences(8, 1)
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if torch.cuda.is_available() else [])]
    with tempfile.TemporaryDirectory() as under:
        ours = Ours(backbone_folder(backbone, Path(under)), precision)
        ours.train(train, dev, 1, seeds)  # texts are tokenised and kernels made by then
        with profile(activities=activities) as profiler:
            ours.train(train, dev, 1, seeds)
    key = "self_cuda_time_total" if torch.cuda.is_available() else "self_cpu_time_total"
    return str(profiler.key_averages().table(sort_by=key, row_limit=_ROWS, max_name_column_width=60))


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", choices=tuple(SIZES), default="nano")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--output", type=Path, help="write the table to this file too")
    options = parser.parse_args()
    text = table(options.backbone, options.precision, options.seeds)
    publish(text, options.output)


if __name__ == "__main__":
    main()
