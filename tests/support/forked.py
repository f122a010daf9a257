"""Commands in processes that are forked from one that has imported the program: each starts in a moment."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.support.commands import heed_ctrl_c

_PRELOADED = [
    *("torch", "pandas", "pyarrow.parquet", "rich.progress", "xlt_bench.cli.main", "xlt_bench.cli.study"),
    *("xlt_bench.studies.running", "xlt_bench.studies.catalogue", "xlt_bench.engines", "xlt_bench.progress.terminal"),
    "xlt_bench.conformance",
]
"""What a study of the toy task imports before it computes anything."""


def start(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> BaseProcess:
    """Start a command in a folder; its output goes to `output.txt` there."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_PRELOADED, __name__])
    process = context.Process(target=_run, args=(list(arguments), str(folder), dict(environment), list(sys.path)))
    process.start()
    return process


def _run(arguments: list[str], folder: str, environment: dict[str, str], search_path: list[str]) -> None:
    heed_ctrl_c()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:] = search_path
    output = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    from xlt_bench.cli.main import main

    sys.exit(main(arguments))
