"""xlt-bench: which way of tuning transfers best across languages, and is the difference real?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlt_bench.api import run as run

__version__ = "0.1.0"
__all__ = ["__version__", "run"]


def __getattr__(name: str) -> Any:
    # importing the package stays cheap: numpy and what follows come with the first use of `run`
    if name == "run":
        from xlt_bench.api import run

        return run
    raise AttributeError(f"module 'xlt_bench' has no attribute '{name}'")
