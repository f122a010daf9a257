"""`python -m scripts.build_baselines --shared FOLDER`.

FOLDER holds `sib200/`, `llm-outputs/{gpt-3.5,gpt-4}.tsv.gz`, `sib200-paper-table7.csv`, `mteb-sib200-linear-probe.csv`,
`emma500-sib200-3shot.csv`, `tipa-sib200.csv` (columns language, configuration, score), `nusax-senti/baselines.csv`
and `baselines-mteb-linear-probe.csv` beside it, `americasnli/baselines.csv`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from scripts.build_baselines import DATA, build
from xlt_bench.errors import XltBenchError


def main() -> None:
    """Write the files into the baselines' `data`, or into `--out`."""
    parser = argparse.ArgumentParser(prog="python -m scripts.build_baselines", description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, metavar="FOLDER", help="the folder of the raw results")
    parser.add_argument("--out", type=Path, default=DATA, metavar="FOLDER")
    options = parser.parse_args()
    try:
        files = build(options.shared)
    except XltBenchError as error:
        parser.error(str(error))
    for name, content in files.items():
        (options.out / name).write_text(content, encoding="utf-8", newline="\n")
        print(f"{name}: {len(content.encode())} bytes")


if __name__ == "__main__":
    main()
