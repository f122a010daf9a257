"""What jobs of a cluster ask for: a dataclass whose fields declare the keys of a TOML file and of `--job`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from xlt_bench.errors import ConfigError, unknown
from xlt_bench.io.toml_files import read_toml
from xlt_bench.plugins.hyperparameters import parse_settings
from xlt_bench.runs.option import options_of, read_count

_NUMBER = re.compile(r"\d{1,6}")
Profile = TypeVar("Profile")


def whole(value: object) -> object:
    """The number that a text of digits says, as `--job` has it; anything else as it is."""
    return int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def read_number(value: object, name: str) -> int:
    """A whole number of at least 1."""
    number: int = read_count()(whole(value), name)
    return number


def read_profile_as(kind: type[Profile], path: Path | None, settings: Sequence[str], example: str) -> Profile:
    """A profile from a TOML file, and from `name=value`, which go before it.

    Args:
        kind: the profile's class.
        path: of the file; None: there is none.
        settings: each `name=value`.
        example: of a setting, for messages.

    Raises:
        ConfigError: a key that there is not, or the first value that breaks its rule.
    """
    written: dict[str, Any] = {}
    if path is not None:
        written |= _values(kind, read_toml(path).values, f"{path}: ")
    written |= _values(kind, parse_settings(list(settings), "--job", example), "--job ")
    return kind(**written)


def _values(kind: Any, written: Mapping[str, object], where: str) -> dict[str, Any]:
    declared = {declaration.field: declaration for declaration in options_of(kind)}
    for name in written:
        if name not in declared:
            raise ConfigError(f"{where}{unknown('key', name, declared, ', '.join(declared))}")
    return {name: declared[name].value(value, f"{where}{name}") for name, value in written.items()}
