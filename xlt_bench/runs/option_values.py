"""Values of options that are written in more than one way: as text, as a number, as a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from xlt_bench.errors import ConfigError
from xlt_bench.io.texts import shortened, shown
from xlt_bench.io.toml_files import LARGEST_COUNT
from xlt_bench.plugins.hyperparameters import parse_settings, text_of
from xlt_bench.runs.option import read_path, read_text, whole_number

MOST_SEEDS = 1000
TRIAL_SEEDS = range(4_000_000_000, 4_000_000_000 + MOST_SEEDS)
"""Seeds of the trials of a search (`xlt_bench.tuning`), which no reported run has."""
_MOST_DIGITS = 18
_NUMBER_LIMIT = int(10**_MOST_DIGITS)


def read_languages(value: object, flag: str) -> str:
    """An expression over groups and language codes; a list of them is their union (of targets, a column each)."""
    if isinstance(value, str):
        return value  # what is wrong with an expression is said where its names are known
    if not isinstance(value, Sequence | frozenset | set) or not value:
        raise ConfigError(f"{flag} takes groups and language codes, as a text or a list, not {shown(value)}")
    listed = sorted(value) if isinstance(value, frozenset | set) else value
    return ",".join(read_text(name, flag) for name in listed)


def read_shots(value: object, flag: str) -> tuple[int | None, ...]:
    """`0,8,32,all`, or a list of numbers and `all`: labelled target examples; all of them is None."""
    parts = [_number(part.strip()) for part in value.split(",")] if isinstance(value, str) else value
    parts = [parts] if whole_number(parts) is not None else parts
    if not is_listing(parts) or not len(parts) or not all(map(_is_shots, parts)):
        raise ConfigError(
            f"{flag} takes numbers of labelled target examples such as 8,32,128 or all, not {_quoted(value)}"
        )
    shots = tuple(None if part in (None, "all") else int(part) for part in parts)
    if len(set(shots)) < len(shots):
        raise ConfigError(f"{flag} {_listed(parts)} names a number twice; name each once")
    return shots


def _number(text: str) -> int | str:
    return int(text) if _is_number(text) else text


def _is_number(text: str) -> bool:
    """Whether it is a whole number, of no more digits than any that can be meant."""
    return text.isdecimal() and text.isascii() and len(text) <= _MOST_DIGITS


def _is_shots(part: object) -> bool:
    number = whole_number(part)
    return part is None or part == "all" or (number is not None and 0 <= number <= LARGEST_COUNT)


def is_listing(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether it is a list of values: a sequence that is no text, or an array of numpy's with one dimension."""
    if isinstance(value, str | bytes):
        return False
    return isinstance(value, Sequence) or getattr(value, "ndim", None) == 1


def read_seeds(value: object, flag: str) -> tuple[int, ...]:
    """`3` or 3 means seeds 0, 1, 2; `4,7` or a list means those; `4,` means seed 4 alone.

    Raises:
        ConfigError: no seed, no number, a seed named twice, one that is no 32-bit number, or more seeds than can be.
    """
    if isinstance(value, str):
        return _seeds_of_text(value, flag)
    count = whole_number(value)
    if count is not None:
        if not 1 <= count <= MOST_SEEDS:
            raise ConfigError(f"{flag} must be a number of seeds from 1 to {MOST_SEEDS}, or a list, not {shown(count)}")
        return tuple(range(count))
    if not is_listing(value):
        raise ConfigError(f"{flag} takes a number of seeds or a list of them, not {shown(value)}")
    return check_seeds(value)


def _seeds_of_text(text: str, flag: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 1 and not parts[-1]:
        parts[-1:] = []
    if not all(map(_is_number, parts)):
        raise ConfigError(f"{flag} takes a count such as 3 or seeds such as 4,7, not '{shortened(text)}'")
    numbers = tuple(int(part) for part in parts)
    if "," not in text:
        if numbers[0] > MOST_SEEDS:
            raise ConfigError(
                f"{flag} {text} asks for {text} runs, more than {MOST_SEEDS}; for seed {text} alone: {flag} {text},"
            )
        numbers = tuple(range(numbers[0]))
    return check_seeds(numbers)


def check_seeds(numbers: Sequence[object]) -> tuple[int, ...]:
    """These seeds, or a ConfigError: none, one twice, or one that is no 32-bit number."""
    if not len(numbers):
        raise ConfigError("--seeds 0 asks for no run; give at least 1")
    seeds = [whole_number(number) for number in numbers]
    wrong = [number for number, seed in zip(numbers, seeds, strict=True) if seed is None or not 0 <= seed < 2**32]
    if wrong:
        raise ConfigError(f"a seed is a whole number from 0 to {2**32 - 1}, not {shown(wrong[0])}")
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"--seeds {_listed(numbers)} names a seed twice; name each once")
    return tuple(seed for seed in seeds if seed is not None)


def read_settings(value: object, flag: str) -> dict[str, str]:
    """Texts `name=value`, or a mapping of names to plain values: a method's hyper-parameters as text."""
    if isinstance(value, Mapping):
        for name, setting in value.items():
            parts = setting if isinstance(setting, list | tuple) else [setting]
            if not isinstance(name, str):
                raise ConfigError(f"{flag} takes names as texts, not {shown(name)}")
            if not all(map(_is_plain, parts)):
                raise ConfigError(f"{flag} {name} must be a plain value or a list of such, not {shown(setting)}")
        return {name: text_of(setting) for name, setting in value.items()}
    if not isinstance(value, list):
        raise ConfigError(f"{flag} takes name=value, not {shown(value)}; for example {flag} n_tokens=10")
    return parse_settings(value, flag)


def _is_plain(value: object) -> bool:
    number = whole_number(value)
    if number is not None:
        return abs(number) < _NUMBER_LIMIT
    return isinstance(value, str | float | bool | None)


def read_resources(value: object, flag: str) -> dict[str, Path]:
    """Texts `name=path`, or a mapping of names to paths; which names there are is said where they are handed out."""
    pairs = parse_settings(value, flag, "label-words=FILE") if isinstance(value, list) else value
    if not isinstance(pairs, Mapping):
        raise ConfigError(f"{flag} takes name=path, not {shown(value)}; for example {flag} label-words=FILE")
    return {str(name): read_path(path, f"{flag} {name}") for name, path in pairs.items()}


def check_level(level: object, flag: str = "--level") -> None:
    """Refuse a level that no interval has."""
    if not isinstance(level, int | float) or isinstance(level, bool) or not 0.0 < level < 1.0:
        raise ConfigError(f"{flag} must lie between 0 and 1, such as 0.95, not {shown(level)}")


def read_factors(value: object, flag: str) -> tuple[float, float]:
    """`2,0.5` or a pair of numbers: factors on the preset's learning rates, of the head last."""
    parts = value.split(",") if isinstance(value, str) else value
    try:
        body, head = (float(part) for part in parts)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise ConfigError(f"{flag} takes two numbers, of the head last, such as 2,0.5, not {_quoted(value)}") from None
    return body, head


def _listed(values: Sequence[object]) -> str:
    return shortened(",".join("all" if value is None else str(value) for value in values))


def _quoted(value: object) -> str:
    return f"'{shortened(value)}'" if isinstance(value, str) else shown(value)
