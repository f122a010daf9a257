"""Boards: data -> board -> render; compare, rescore and study beside them.

`xlt_bench.leaderboard` is this package and also the call that shows a board, whichever is imported first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlt_bench.api import Board


class _CallablePackage(ModuleType):
    """Importing a package's module sets the package's attribute, which hides a function of the same name."""

    @property
    def __call__(self) -> Callable[..., Board]:
        from xlt_bench.api import calls

        return calls.leaderboard


sys.modules[__name__].__class__ = _CallablePackage
