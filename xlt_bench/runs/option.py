"""An Option: how a user writes one field of a Request. The field says it once, for all places where it can be given."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from xlt_bench.errors import ConfigError, unknown
from xlt_bench.io.texts import clean, shown
from xlt_bench.io.toml_files import LARGEST_COUNT

Scope = Literal["run", "tune", "study", "grid"]
"""Where an option can be given: commands, and the keys of a study's [[grid]]."""

_KEY = "xlt_bench option"

Read = Callable[[Any, str], Any]
"""From a value as it was given, and the option's name for messages, to the value of the field."""


@dataclass(frozen=True)
class Option:
    """How a field of a Request is given.

    Attributes:
        field: the field's name, by which a notebook gives it.
        default: of the field; for a list on the command line, of no text at all.
        help: for `--help`.
        read: checks a value and brings it into the field's type.
        scopes: where it can be given, in a notebook besides.
        kind: of the text on the command line: what typer reads it as.
        flags: on the command line, the first one for messages.
        completes: what the shell offers as its values.
    """

    field: str
    default: Any
    help: str
    read: Read
    scopes: tuple[Scope, ...]
    kind: Any
    flags: tuple[str, ...]
    metavar: str | None = None
    completes: str | None = None

    @property
    def key(self) -> str:
        """In a study's file: as on the command line, without the dashes."""
        return self.flags[0].removeprefix("--")

    def value(self, written: object, name: str = "") -> Any:
        """The field's value from what a user wrote; ConfigError if it is none, which calls the option by `name`."""
        return self.read(written, name or self.flags[0])


def option(
    default: Any,
    help: str,
    read: Read,
    *scopes: Scope,
    kind: Any = str,
    flags: tuple[str, ...] = (),
    metavar: str | None = None,
    completes: str | None = None,
) -> Any:
    """A field of a Request with its Option; the arguments are those of Option."""
    declaration = {"help": help, "read": read, "scopes": scopes, "kind": kind, "flags": flags}
    metadata = {_KEY: {**declaration, "metavar": metavar, "completes": completes}}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=dict, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@cache
def options_of(request_class: Any, scope: Scope | None = None) -> tuple[Option, ...]:
    """The options of a Request's class in the order of its fields; of one scope, or all."""
    options = (_option_of(field) for field in dataclasses.fields(request_class) if _KEY in field.metadata)
    return tuple(option for option in options if scope is None or scope in option.scopes)


def _option_of(field: dataclasses.Field[Any]) -> Option:
    declaration = dict(field.metadata[_KEY])
    flags = declaration.pop("flags") or (f"--{field.name.replace('_', '-')}",)
    default = None if field.default is dataclasses.MISSING else field.default
    return Option(field.name, default, flags=flags, **declaration)


def read_values(options: Iterable[Option], written: Mapping[str, object]) -> dict[str, Any]:
    """The fields' values from what a user wrote, by name; what is None is left out.

    Raises:
        ConfigError: an unknown name, or the first value that breaks its rule.
    """
    by_name = {option.field: option for option in options}
    for name in written:
        if name not in by_name:
            raise unknown("option", name, by_name, ", ".join(by_name))
    return {name: by_name[name].value(value) for name, value in written.items() if value is not None}


def read_text(value: object, flag: str) -> str:
    """A text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{flag} must be a text, not {shown(value)}")
    return value


def read_prefix(value: object, flag: str) -> str:
    """A text that may be empty or blank."""
    if not isinstance(value, str):
        raise ConfigError(f"{flag} must be a text, not {shown(value)}")
    if clean(value) != " ".join(value.split()):
        raise ConfigError(f"{flag} must be plain characters, without control characters, not {shown(value)}")
    return value


def read_path(value: object, flag: str) -> Path:
    """A file or folder."""
    if not isinstance(value, str | Path) or not str(value).strip():
        raise ConfigError(f"{flag} must be a path, not {shown(value)}")
    return Path(value)


def read_place(value: object, flag: str) -> str:
    """A path, or a name such as that of a hub's repository."""
    return str(value) if isinstance(value, Path) else read_text(value, flag)


def whole_number(value: object) -> int | None:
    """A value that is a whole number, numpy's too, as an int; None for anything else, also True."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:  # also of what has the method and cannot do it, such as an array
        return None


def read_count(least: int = 1) -> Read:
    """A reader of whole numbers, not below the least."""

    def read(value: object, flag: str) -> int:
        number = whole_number(value)
        if number is None or number < least:
            raise ConfigError(f"{flag} must be a whole number of at least {least}, not {shown(value)}")
        if number > LARGEST_COUNT:
            raise ConfigError(f"{flag} must be a whole number of at most {LARGEST_COUNT:,}, not {shown(value)}")
        return number

    return read


def read_flag(value: object, flag: str) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise ConfigError(f"{flag} must be true or false, not {shown(value)}")
    return value


def one_of(*choices: str) -> Read:
    """A reader of one of these texts."""

    def read(value: object, flag: str) -> str:
        if not isinstance(value, str) or value not in choices:
            name = value if isinstance(value, str) else shown(value)
            raise unknown(flag.removeprefix("--"), name, choices, ", ".join(choices))
        return value

    return read
