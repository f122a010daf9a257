"""How the values of options are written: as text on the command line, as plain values in notebooks and study files."""

from __future__ import annotations

from xlt_bench.errors import ConfigError


def parse_factors(text: str) -> tuple[float, float]:
    """`2,0.5`: factors on the preset's learning rates, of the head last.

    Raises:
        ConfigError: not two numbers.
    """
    try:
        body, head = (float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"--rate-factors takes two numbers, of the head last, such as 2,0.5, not '{text}'") from None
    return body, head
