"""JSON files from outside: an object, or one line that says why it is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from xlt_bench.errors import ConfigError
from xlt_bench.io.reading import read_limited
from xlt_bench.io.texts import reason, shortened

_LARGEST = 1 << 30
"""Bytes; the largest tokenizers have some 40 million."""


def read_object(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        ConfigError: it cannot be read, is no JSON, is nested too deep, or holds something else.
    """
    name = shortened(path, 300)
    try:
        content: Any = json.loads(read_limited(path, _LARGEST).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        fault = "nested too deep" if isinstance(error, RecursionError) else reason(error)
        raise ConfigError(f"{name} is no JSON ({fault}); save or fetch it again") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{name} holds no JSON object; save or fetch it again")
    return content
