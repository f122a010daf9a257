"""TOML files that users write: every key is checked, and an unknown one is an error with a suggestion."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from xlt_bench.errors import ConfigError, unknown


@dataclass(frozen=True)
class Section:
    """A table of a TOML file.

    Attributes:
        where: the file, and the table's name in it; errors begin with it.
    """

    where: str
    values: Mapping[str, object]

    def check_keys(self, known: Iterable[str]) -> None:
        """ConfigError for the first key that is none of these."""
        listed = tuple(known)
        for key in self.values:
            if key not in listed:
                raise ConfigError(f"{self.where}: {unknown('key', key, listed, ', '.join(listed))}")

    def text(self, key: str) -> str | None:
        """A text that is not blank, None where the key is absent."""
        value = self.values.get(key)
        if value is not None and not (isinstance(value, str) and value.strip()):
            raise self.fault(key, "a text", value)
        return value

    def count(self, key: str) -> int | None:
        """A whole number of at least 1, None where the key is absent."""
        value = self.values.get(key)
        if value is not None and not (type(value) is int and value >= 1):
            raise self.fault(key, "a whole number of at least 1", value)
        return value

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of texts, none of them twice, perhaps empty; None where the key is absent."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
            raise self.fault(key, "a list of texts", value)
        repeated = next((one for place, one in enumerate(value) if one in value[:place]), None)
        if repeated is not None:
            raise ConfigError(f"{self.where}: {key} names '{repeated}' twice; name each once")
        return tuple(value)

    def section(self, key: str) -> Section:
        """The table of this name, empty where the key is absent."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.fault(key, f"a table, [{key}]", value)
        inner = self.where.endswith("]")
        return Section(f"{self.where[:-1]}.{key}]" if inner else f"{self.where}, [{key}]", value)

    def fault(self, key: str, rule: str, value: object) -> ConfigError:
        """The error for a value that is not what the key wants."""
        return ConfigError(f"{self.where}: {key} must be {rule}, not {value!r}")


def read_toml(path: Path) -> Section:
    """A whole TOML file.

    Raises:
        ConfigError: it cannot be read or is no TOML; the message has the line.
    """
    try:
        return Section(str(path), tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no TOML: {error}") from None
