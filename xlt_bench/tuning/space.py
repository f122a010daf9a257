"""The space of a search: factors from a tenth to ten times what a method has by default, the same for all methods.

A method that takes its learning rates from the recipe is tuned in two dimensions: a factor on the preset's rate of the
classification head, and one on the rates of all else, so that their ratios stay as the preset has them. A method that
does not names its own hyper-parameters in a class attribute, and they take the same factors:

    tunes: ClassVar[tuple[str, ...]] = ("learning_rate",)

It may name `own-rates` and `head-rate` among them; an empty tuple says that there is nothing to tune. A hyper-parameter
that is one of some values (`Literal`) takes these in place of factors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.plugins.hyperparameters import choices, text_of
from xlt_bench.plugins.methods import ConfiguredMethod

if TYPE_CHECKING:
    from xlt_bench.runs.request import Request

OWN_RATES = "own-rates"
HEAD_RATE = "head-rate"
REACH = 10.0
"""A factor lies between 1 / REACH and REACH, uniformly on a logarithmic scale."""

_BASES = (2, 3, 5, 7, 11, 13)
_RATE_SETTINGS = {"learning_rate": OWN_RATES, "head_learning_rate": HEAD_RATE}

Point = Mapping[str, float | str]
"""Dimension -> factor, or the value of a hyper-parameter that is a choice, as `--set` takes it."""


def dimensions(configured: ConfiguredMethod) -> tuple[str, ...]:
    """What is tuned of a method.

    Raises:
        ConfigError: there is nothing to tune, or a setting fixes what is to be tuned.
        MethodError: the class attribute `tunes` names what cannot be.
    """
    declared = getattr(type(configured.method), "tunes", None)
    usual = (OWN_RATES, HEAD_RATE) if configured.method.uses_backbone else ()
    names = usual if declared is None else _checked(declared, configured)
    if not names:
        raise ConfigError(
            f"method {configured.name} has nothing to tune; one that has says so in its class, "
            'as tunes = ("learning_rate",)'
        )
    for setting, dimension in _RATE_SETTINGS.items():
        if dimension in names and configured.values.get(setting) is not None:
            raise ConfigError(f"--set {setting} fixes what is to be tuned; leave it out")
    return names


def choices_of(configured: ConfiguredMethod) -> dict[str, tuple[str, ...]]:
    """Values of the hyper-parameters that are choices, as `--set` takes them; the one that is set comes first."""
    texts = {}
    for name, values in choices(type(configured.method)).items():
        current = configured.values[name]
        texts[name] = tuple(map(text_of, (current, *(value for value in values if value != current))))
    return texts


def point(number: int, names: tuple[str, ...], texts: Mapping[str, tuple[str, ...]]) -> dict[str, float | str]:
    """Where a trial lies: the default in trial 0, then the Halton sequence (Halton 1960).

    Its first dimensions are the same for every method, and the first trials those of every longer search. Factors are
    rounded to three digits; a choice takes its values in equal shares.
    """
    shares = {name: _radical_inverse(number, base) for name, base in zip(names, _BASES, strict=False)}
    return {
        name: texts[name][int(share * len(texts[name]))] if name in texts else _factor(share, number)
        for name, share in shares.items()
    }


def _factor(share: float, number: int) -> float:
    return float(f"{REACH ** (2 * share - 1):.3g}") if number else 1.0


def request_of(request: Request, configured: ConfiguredMethod, chosen: Point) -> Request:
    """The request with these factors and choices put in."""
    rates = (float(chosen.get(OWN_RATES, 1.0)), float(chosen.get(HEAD_RATE, 1.0)))
    settings = dict(request.settings)
    for name, value in chosen.items():
        if isinstance(value, str):
            settings[name] = value
        elif name in configured.values and value != 1.0:
            settings[name] = _scaled(configured.values[name], value)
    return replace(request, settings=settings, rate_factors=rates)


def options_of(request: Request) -> list[str]:
    """The options of `xlt-bench run` that say what `request_of` put in, word by word."""
    words = [word for name, value in request.settings.items() for word in ("--set", f"{name}={value}")]
    if request.rate_factors != (1.0, 1.0):
        words += ["--rate-factors", ",".join(f"{factor:g}" for factor in request.rate_factors)]
    return words


def _scaled(value: object, factor: float) -> str:
    if isinstance(value, int):
        return str(max(1, round(value * factor)))
    assert isinstance(value, float)
    return f"{value * factor:.4g}"


def _checked(declared: object, configured: ConfiguredMethod) -> tuple[str, ...]:
    rule = f"tunes of method {configured.name} must be a tuple of names"
    if not isinstance(declared, tuple) or len(declared) > len(_BASES):
        raise MethodError(f"{rule}, at most {len(_BASES)}, not {declared!r}")
    for name in declared:
        value = configured.values.get(name)
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
        if name not in (OWN_RATES, HEAD_RATE) and not number and name not in choices(type(configured.method)):
            raise MethodError(
                f"{rule} of hyper-parameters with a positive number or a choice, which '{name}' is not ({value!r})"
            )
    return declared


def _radical_inverse(number: int, base: int) -> float:
    """The digits of a number in a base, mirrored at the point: in [0, 1)."""
    value, scale = 0.0, 1.0 / base
    while number:
        number, digit = divmod(number, base)
        value += digit * scale
        scale /= base
    return value
