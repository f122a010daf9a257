"""The user's cache folder: what lies there may be deleted at any time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """`$XDG_CACHE_HOME/xlt-bench/<kind>`, else `~/.cache/xlt-bench/<kind>`; it need not exist."""
    configured = os.environ.get("XDG_CACHE_HOME")
    try:
        base = Path(configured) if configured else Path.home() / ".cache"
    except RuntimeError:  # a user without a home
        base = Path(tempfile.gettempdir())
    return base / "xlt-bench" / kind
