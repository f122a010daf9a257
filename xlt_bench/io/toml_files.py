"""TOML files that users write: every key is checked, and an unknown one is an error with a suggestion."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from xlt_bench.errors import ConfigError, unknown
from xlt_bench.io.reading import read_limited
from xlt_bench.io.texts import reason, shortened, shown

LARGEST_FILE = 1 << 20
"""Bytes of a TOML file that are read; nobody writes more by hand."""

_DEEPEST_KEY = 64
_STRING = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
_DEEP_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{_DEEPEST_KEY}}}")
"""So many parts and dots. `tomllib` takes time with the square of their number: hours for a key of a megabyte."""

LARGEST_COUNT = 1_000_000
"""No number of seeds, items or tokens that anyone means is larger."""


@dataclass(frozen=True)
class TomlTable:
    """A table of a TOML file.

    Attributes:
        where: the file, and the table's name in it; errors begin with it.
        folder: that the file lies in.
    """

    where: str
    values: Mapping[str, object]
    folder: Path

    def check_keys(self, keys: Iterable[str]) -> None:
        """ConfigError for the first key that is none of these."""
        listed = tuple(keys)
        for key in self.values:
            if key not in listed:
                raise ConfigError(f"{self.where}: {unknown('key', shortened(key), listed, ', '.join(listed))}")

    def text(self, key: str) -> str | None:
        """A text that is not blank, None where the key is absent."""
        value = self.values.get(key)
        if value is not None and not (isinstance(value, str) and value.strip()):
            raise self.fault(key, "a text", value)
        return value

    def count(self, key: str) -> int | None:
        """A whole number of at least 1, None where the key is absent."""
        value = self.values.get(key)
        if value is not None and not (type(value) is int and 1 <= value <= LARGEST_COUNT):
            raise self.fault(key, f"a whole number from 1 to {LARGEST_COUNT:,}", value)
        return value

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of texts, none of them twice, perhaps empty; None where the key is absent."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
            raise self.fault(key, "a list of texts", value)
        repeated = next((text for text, times in Counter(value).items() if times > 1), None)
        if repeated is not None:
            raise ConfigError(f"{self.where}: {key} names '{shortened(repeated)}' twice; name each once")
        return tuple(value)

    def table(self, key: str) -> TomlTable:
        """The table of this name, empty where the key is absent."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.fault(key, f"a table, [{key}]", value)
        return TomlTable(self._inside(key), value, self.folder)

    def tables(self, key: str) -> tuple[TomlTable, ...]:
        """The tables of a list, `[[key]]`, none where the key is absent."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fault(key, f"a list of tables, [[{key}]]", value)
        return tuple(
            TomlTable(f"{self._inside(key)} {number}", item, self.folder) for number, item in enumerate(value, 1)
        )

    def choice(self, key: str, choices: tuple[str, ...]) -> str | None:
        """One of some texts, None where the key is absent."""
        value = self.text(key)
        if value is not None and value not in choices:
            raise ConfigError(f"{self.where}: {unknown(key, shortened(value), choices, ', '.join(choices))}")
        return value

    def fault(self, key: str, rule: str, value: object) -> ConfigError:
        """The error for a value that is not what the key wants."""
        return ConfigError(f"{self.where}: {key} must be {rule}, not {shown(value)}")

    def cut(self, value: str) -> str:
        """A value as a message shows it."""
        return shortened(value)

    def _inside(self, key: str) -> str:
        nested = self.where.endswith("]")
        return f"{self.where[:-1]}.{key}]" if nested else f"{self.where}, [{key}]"


def read_toml(path: Path) -> TomlTable:
    """A whole TOML file.

    Raises:
        ConfigError: it cannot be read or is no TOML; the message has the line.
    """
    name = shortened(path, 300)
    try:
        content = read_limited(path, LARGEST_FILE)
        if len(content) > LARGEST_FILE:
            raise ConfigError(f"{name} has more than {LARGEST_FILE:,} bytes; a TOML file that is read here is smaller")
        text = content.decode("utf-8")
        if _DEEP_KEY.search(_STRING.sub("s", text)):
            raise ConfigError(f"{name} has a key of more than {_DEEPEST_KEY} parts; no key that is read here has")
        return TomlTable(str(path), tomllib.loads(text), path.parent)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: byte {error.start} is not UTF-8; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is no TOML: {shortened(error, 300)}") from None
    except RecursionError:
        raise ConfigError(f"{name} is no TOML that can be read: tables or lists are nested too deep") from None
    except (OSError, ValueError) as error:  # besides: a number of thousands of digits, a path with NUL
        raise ConfigError(f"cannot read {name}: {reason(error)}") from error
