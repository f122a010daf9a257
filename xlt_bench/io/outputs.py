"""Files that a user asks for by name: each is there whole or not at all, and what cannot be written is one line."""

from __future__ import annotations

import os
from pathlib import Path

from xlt_bench.errors import ConfigError
from xlt_bench.io import atomic
from xlt_bench.io.paths import is_file, is_there
from xlt_bench.io.texts import reason, shortened


def write_output(path: Path, content: str | bytes, option: str) -> None:
    """Write a file, a text as UTF-8, in place of an older one.

    A link stays one, and what it leads to is replaced; a device or pipe, such as /dev/stdout, is written into.

    Args:
        option: by which the user gave it, for errors.

    Raises:
        ConfigError: it cannot be written; an older file is as it was.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        if is_there(path) and not is_file(path):
            path.write_bytes(data)
        else:
            atomic.replace_file(Path(os.path.realpath(path)), data)
    except (OSError, ValueError) as error:
        raise unwritable(path, option, error) from error


def make_folder(path: Path, option: str) -> None:
    """Make a folder where there is none; ConfigError where that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise unwritable(path, option, error) from error


def unwritable(path: Path, option: str, error: OSError | ValueError) -> ConfigError:
    """The error for an output that cannot be written."""
    return ConfigError(f"{option} {shortened(path, 300)} cannot be written: {reason(error)}; give another")
