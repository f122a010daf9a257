"""What checkpoints cost: their size, the seconds of writing one, and the share of a run that they may take.

    python -m benchmarks.checkpoints [--methods xpe full-finetuning] [--size base] [--steps 3] [--batch 32] [--json]

Steps of a method are timed on a random encoder of the size of XLM-R base, its vocabulary included, with sentences as
long as a benchmark's; then the same fit writes a checkpoint after every step, the last one with the best parameters
too. From the seconds of a step and of the slowest checkpoint follows what a run of 24,000 steps with a dev evaluation
every 200 spends on them under the rules of `xlt_bench.training.checkpointing`.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.workload import LABELS, backbone_folder, sentences
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.io.stop_signals import StopSignals
from xlt_bench.method import Context, Snapshot
from xlt_bench.plugins.methods import configure, recipe_of
from xlt_bench.records.checkpoints import CheckpointFiles
from xlt_bench.records.claims import Claims
from xlt_bench.runs.checkpoints import SHARE, PackCheckpoints
from xlt_bench.runs.counting import Counter
from xlt_bench.training.checkpointing import Rhythm

_VOCABULARY = 250_002
_RUN_STEPS, _EVALUATE_EVERY, _MINUTES = 24_000, 200, 10


@dataclass
class Timed(PackCheckpoints):
    """Checkpoints after every step, with the seconds that each took to write."""

    write_seconds: list[float] = field(default_factory=list)

    def write(self, name: str, snapshot: Snapshot) -> None:
        """Write it, and take the time."""
        started = time.perf_counter()
        super().write(name, snapshot)
        self.write_seconds.append(time.perf_counter() - started)


def measure(name: str, size: str, steps: int, batch_size: int, folder: Path) -> dict[str, float]:
    """Seconds of a step and of a checkpoint, its bytes, and the share of a long run that checkpoints take."""
    backbone = Backbone(locate(str(backbone_folder(size, folder / "backbone", _VOCABULARY))))
    configured = configure(name, {})
    recipe = recipe_of(configured.method, "released").with_steps(source=steps)
    recipe = replace(recipe, evaluate_every=steps, max_length=164, batch_size=batch_size)
    train, dev = sentences(batch_size * steps, 0), sentences(batch_size, 1)

    def fit(checkpoints: PackCheckpoints | None) -> float:
        context = Context(LABELS, 0, recipe, load_backbone=lambda: backbone, checkpoints=checkpoints, fit="fit")
        started = time.perf_counter()
        configured.method.fit(train, dev, context)
        return time.perf_counter() - started

    plain_seconds = fit(None)
    files = CheckpointFiles(folder / "checkpoints", Claims(folder / "claims"))
    timed = Timed(files, "benchmark", Counter(), 0.0, StopSignals(), share=math.inf)
    fit(timed)
    step_seconds, write_seconds = plain_seconds / steps, max(timed.write_seconds)
    (path,) = (folder / "checkpoints").iterdir()
    return {
        "step_seconds": step_seconds,
        "write_seconds": write_seconds,
        "megabytes": path.stat().st_size / 1e6,
        **simulated(step_seconds, write_seconds),
    }


def simulated(step_seconds: float, write_seconds: float) -> dict[str, float]:
    """How many checkpoints a long run writes, and the share of its time; the rules are those of the program."""
    now = 0.0
    rhythm = Rhythm(60.0 * _MINUTES, SHARE, lambda: now)
    written, longest, last = 0, 0.0, 0.0
    for step in range(1, _RUN_STEPS + 1):
        now += step_seconds
        if rhythm.due(evaluated=step % _EVALUATE_EVERY == 0):
            longest, last = max(longest, now - last), now
            with rhythm.writing():
                now += write_seconds
            written += 1
    return {"checkpoints": written, "share": written * write_seconds / now, "most_seconds_lost": longest}


def main() -> None:
    """Measure, and print a line a method or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", default=["xpe", "full-finetuning"])
    parser.add_argument("--size", default="base")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32, help="sentences of a step; fewer make checkpoints dearer")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = {}
    for name in options.methods:
        with tempfile.TemporaryDirectory() as folder:
            figures[name] = measure(name, options.size, options.steps, options.batch, Path(folder))
        if not options.json:
            print(name, *(f"{key} {value:.4g}" for key, value in figures[name].items()), sep="  ", flush=True)
    if options.json:
        print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
