"""The array types of this folder, and what each function asks of its arguments: one clear line per broken rule."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]
Positions = NDArray[np.intp]


def finite(values: ArrayLike, name: str, dimensions: int) -> Array:
    """`values` as a float64 array with exactly `dimensions` axes, none of them empty and every number finite."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != dimensions or array.size == 0:
        raise ValueError(f"{name} must have {dimensions} non-empty axes, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {np.sum(~np.isfinite(array))} values that are NaN or infinite")
    return array


def scores(values: ArrayLike, name: str = "x") -> Array:
    """`values` as a reduced score array (seeds, items)."""
    return finite(values, name, dimensions=2)


def probabilities(values: ArrayLike, name: str = "p") -> Array:
    """`values` as p-values in [0, 1], NaN standing for "no test"."""
    array = np.asarray(values, dtype=np.float64)
    outside = array[(array < 0) | (array > 1)]
    if outside.size:
        raise ValueError(f"{name} must lie in [0, 1] (NaN: no test), got {outside[0]:g}")
    return array


def inside_unit(value: float, name: str) -> float:
    """`value` when it lies strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie strictly between 0 and 1, got {value!r}")
    return value


def alpha_of(level: float) -> float:
    """1 - level without the rounding that would keep an exact p of 0.1 from level 0.9."""
    return round(1 - inside_unit(level, "level"), 12)


def one_of(value: str, name: str, allowed: tuple[str, ...]) -> None:
    """Raise unless `value` is one of `allowed`."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")


def at_least(count: int, least: int, noun: str) -> None:
    """Raise unless there are `least` of `noun`."""
    if count < least:
        raise ValueError(f"{noun} must be at least {least}, got {count}")


def vanishes(value: ArrayLike, *references: Array) -> bool:
    """Whether `value` (in the unit of `references`) is no more than the rounding error of arithmetic on them.

    A single changed answer moves an accuracy by more than 1e-7; rounding moves it by about 1e-16.
    """
    scale = max(float(np.abs(reference).max()) for reference in references)
    return bool(np.abs(value) <= 1e-12 * scale)
