"""`xlt-bench` with the toy task, in a process of its own."""

from __future__ import annotations

import sys

from toy import toy_info

from xlt_bench import api
from xlt_bench.cli import main

if __name__ == "__main__":
    api.task_info = lambda name: toy_info("nano")
    sys.exit(main())
