"""`python -m xlt_bench`: the command line."""

import sys

from xlt_bench.cli.main import main

sys.exit(main())
