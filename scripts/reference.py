"""The project's own reference Records: every method of the paper and the floors, on cldr with nano.

    python -m scripts.reference [--store leaderboard/reference] [--seeds 5] [--jobs 2]

Runs `xlt-bench run` for each method and source group, `jobs` at a time with one thread each; what the store holds is
not computed again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

METHODS = ("majority", "ngram-mlp", "head-only", "full-finetuning", "spt", "xpe", "dual-30", "dual-70")
TARGETS = {
    "seen": "sources,unseen,low-performing",
    "joshi5": "sources,all-wo-joshi5,seen-wo-joshi5,unseen,low-performing",
    "enarzho": "sources,all-wo-joshi5,seen-wo-joshi5,unseen,low-performing",
}
STORE = Path(__file__).parent.parent / "leaderboard/reference"


def command(method: str, sources: str, seeds: int, store: Path) -> list[str]:
    """One `xlt-bench run`."""
    program = str(Path(sys.executable).with_name("xlt-bench"))
    options = ["--method", method, "--sources", sources, "--targets", TARGETS[sources]]
    return [program, "run", *options, "--seeds", str(seeds), "--store", str(store)]


def main() -> None:
    """Run everything; the exit code says whether all of it succeeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, default=STORE)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    commands = [command(method, sources, options.seeds, options.store) for sources, method in product(TARGETS, METHODS)]
    with ThreadPoolExecutor(options.jobs) as pool:
        codes = list(pool.map(lambda words: subprocess.run(words, env=environment, check=False).returncode, commands))
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
