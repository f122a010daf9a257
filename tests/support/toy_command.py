"""`xlt-bench` with the toy task, in a process of its own."""

from __future__ import annotations

import sys

from tests.support.toy import toy_info
from xlt_bench.cli.main import main
from xlt_bench.runs import loader
from xlt_bench.studies import planning

if __name__ == "__main__":
    loader.task_info = planning.task_info = lambda name: toy_info("nano")
    sys.exit(main())
