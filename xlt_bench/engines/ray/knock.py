"""Whether a cluster lets this user in: `python -m xlt_bench.engines.ray.knock HOST:PORT`.

Ray says on standard error, and in lines of its own, why it could not connect; in a process of its own nobody sees them.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Connect and leave; 2, with the reason as the last line of standard error, where that cannot be."""
    import ray

    try:
        ray.init(address=arguments[0], log_to_driver=False, logging_level=logging.CRITICAL)
    except Exception as error:  # Ray has no class of its own for it
        reasons: list[str] = []
        cause: BaseException | None = error
        while cause is not None:
            # what went wrong within a worker of Ray's library comes with its whole traceback: the last line says it
            reasons.append(str(cause).strip().rpartition("\n")[2] if "Traceback" in str(cause) else str(cause))
            cause = cause.__cause__
        print("error: " + " ".join("; ".join(reasons).split()), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
