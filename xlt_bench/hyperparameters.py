"""Hyper-parameters are the fields of a method's frozen dataclass: listed, and parsed from `--set name=value`."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

from xlt_bench.errors import ConfigError, unknown

Plain = bool | int | float | str | None


def defaults(method: type) -> dict[str, Plain]:
    """Names and default values, in the order of the fields.

    Raises:
        ConfigError: the class is no dataclass, or a field has no default.
    """
    if not dataclasses.is_dataclass(method):
        raise ConfigError(f"method {method.__name__} is no dataclass; write @dataclass(frozen=True) above the class")
    found: dict[str, Plain] = {}
    for field in dataclasses.fields(method):
        if field.default is dataclasses.MISSING:
            raise ConfigError(f"hyper-parameter '{field.name}' of {method.__name__} has no default value; give it one")
        found[field.name] = field.default
    return found


def values(method: Any) -> dict[str, Plain]:
    """Names and values of a configured method."""
    return {field.name: getattr(method, field.name) for field in dataclasses.fields(method)}


def parse(method: type, settings: Mapping[str, str], shown: str) -> dict[str, Plain]:
    """Turn the texts of `--set name=value` into values of the fields' types.

    Args:
        method: the method's class.
        settings: name -> text.
        shown: the method's name, for errors.

    Raises:
        ConfigError: an unknown name (the valid ones are listed), or a text that is no value of the field's type.
    """
    known, hints = defaults(method), get_type_hints(method)
    listed = ", ".join(f"{name}={value}" for name, value in known.items()) or "it has none"
    for name in settings:
        if name not in known:
            raise unknown(f"hyper-parameter of {shown}", name, known, listed)
    return {name: _value(name, text, hints[name], shown) for name, text in settings.items()}


def parse_settings(pairs: list[str]) -> dict[str, str]:
    """Split `name=value` texts.

    Raises:
        ConfigError: a text without `=`, or a name given twice.
    """
    settings: dict[str, str] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or not name.strip():
            raise ConfigError(f"--set takes name=value, not '{pair}'; for example --set n_tokens=10")
        if name.strip() in settings:
            raise ConfigError(f"--set {name.strip()} is given twice; give it once")
        settings[name.strip()] = text.strip()
    return settings


def _value(name: str, text: str, hint: Any, shown: str) -> Plain:
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if type(None) in options and text.lower() in ("none", "null"):
        return None
    for option in options:
        try:
            if option is bool:
                return {"true": True, "false": False}[text.lower()]
            if option in (int, float, str):
                number: Plain = option(text)
                return number
        except (ValueError, KeyError):
            continue
    wanted = " or ".join(getattr(option, "__name__", str(option)).replace("NoneType", "none") for option in options)
    raise ConfigError(f"hyper-parameter '{name}' of {shown} must be {wanted}, not '{text}'")
