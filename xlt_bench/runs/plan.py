"""How seeds and numbers of labelled examples are written."""

from __future__ import annotations

from collections.abc import Sequence

from xlt_bench.errors import ConfigError

MOST_SEEDS = 1000


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
