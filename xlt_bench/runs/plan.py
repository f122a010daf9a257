"""Planning: the cells of a configuration, and how seeds and numbers of examples are written. Nothing runs here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xlt_bench.errors import ConfigError
from xlt_bench.records.cell import Cell

MOST_SEEDS = 1000


def cells(
    template: Cell, seeds: Sequence[int], shots: Sequence[int | None] = (None,), unadapted: Cell | None = None
) -> list[Cell]:
    """All cells of a configuration: every seed; in the `full` protocol every seed, target and number of examples.

    With 0 examples a source fit is not adapted, which is the zero-shot protocol: one cell a seed for all targets.

    Args:
        unadapted: the template of such cells.
    """
    if template.protocol == "zero-shot":
        return [replace(template, seed=seed) for seed in seeds]
    unadapted = unadapted or replace(template, protocol="zero-shot")
    return [
        cell
        for seed in seeds
        for count in shots
        for cell in (
            [replace(unadapted, seed=seed)]
            if count == 0
            else [replace(template, seed=seed, targets=(target,), shots=count) for target in template.targets]
        )
    ]


def parse_shots(text: str) -> tuple[int | None, ...]:
    """`0,8,32,all`: numbers of labelled target examples; `all` is None.

    Raises:
        ConfigError: a part that is neither a number nor `all`, or one given twice.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part == "all" or (part.isdecimal() and part.isascii()) for part in parts):
        raise ConfigError(f"--shots takes numbers of labelled target examples such as 8,32,128 or all, not '{text}'")
    found = tuple(None if part == "all" else int(part) for part in parts)
    if len(set(found)) < len(found):
        raise ConfigError(f"--shots {text} names a number twice; name each once")
    return found


def parse_seeds(text: str) -> tuple[int, ...]:
    """`3` means seeds 0, 1, 2; `4,7` means those; `4,` means seed 4 alone.

    Raises:
        ConfigError: no seed, no number, a seed named twice, one that is no 32-bit number, or more seeds than can be.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 1 and not parts[-1]:
        parts[-1:] = []
    if not all(part.isdecimal() and part.isascii() for part in parts):
        raise ConfigError(f"--seeds takes a count such as 3 or seeds such as 4,7, not '{text}'")
    numbers = tuple(int(part) for part in parts)
    if "," not in text:
        if numbers[0] > MOST_SEEDS:
            raise ConfigError(
                f"--seeds {text} asks for {text} runs, more than {MOST_SEEDS}; for seed {text} alone: --seeds {text},"
            )
        numbers = tuple(range(numbers[0]))
    return check_seeds(numbers)


def check_seeds(numbers: Sequence[int]) -> tuple[int, ...]:
    """These seeds, or a ConfigError: none, one twice, or one that is no 32-bit number."""
    if not numbers:
        raise ConfigError("--seeds 0 asks for no run; give at least 1")
    if len(set(numbers)) < len(numbers):
        raise ConfigError(f"--seeds {','.join(map(str, numbers))} names a seed twice; name each once")
    wrong = [number for number in numbers if not hasattr(number, "__index__") or not 0 <= number < 2**32]
    if wrong:
        raise ConfigError(f"a seed is a whole number from 0 to {2**32 - 1}, not {wrong[0]}")
    return tuple(int(number) for number in numbers)
