"""Hyper-parameters are the fields of a method's frozen dataclass: listed, and parsed from `--set name=value`.

A field holds a truth value, a number, text, one of several choices (`Literal`), nothing (None), or a tuple of any
length of these (`tuple[int, ...]`), which is written with commas, `--set layers=1,2,3`, and empty as `--set layers=`.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from xlt_bench.errors import ConfigError, MethodError, unknown
from xlt_bench.io.texts import shortened, shown

Single = bool | int | float | str | None
Plain = Single | tuple[Single, ...]

_SHOWN: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    type(None): "none",
}


_OPTIONAL, _OPERATIONAL = "optional", "operational"


def optional(default: Single) -> Any:
    """A field for what a method can do besides: at its default the method is as if it had no such hyper-parameter.

    So what a base class learns to do leaves the identity of all that was run with its methods as it was.
    """
    return dataclasses.field(default=default, metadata={_OPTIONAL: True})


def operational(default: Single) -> Any:
    """A field that says how work is carried out, such as how many requests at a time, and never what comes of it.

    It is set as a hyper-parameter is, and no part of the identity of what is run.
    """
    return dataclasses.field(default=default, metadata={_OPERATIONAL: True})


def defaults(method: type) -> dict[str, Plain]:
    """Names and default values, in the order of the fields.

    Raises:
        MethodError: the class is no frozen dataclass, a field has no plain default, or a type that `--set` cannot read.
    """
    params = getattr(method, "__dataclass_params__", None)
    if params is None or not params.frozen:
        raise MethodError(f"method {method.__name__} is no frozen dataclass; write @dataclass(frozen=True) above it")
    hints = _hints(method)
    plain_defaults: dict[str, Plain] = {}
    for field in dataclasses.fields(method):
        if field.default is dataclasses.MISSING:
            raise MethodError(f"hyper-parameter '{field.name}' of {method.__name__} has no plain default; give it one")
        plain_defaults[field.name] = _plain(field.name, field.default, hints[field.name], method)
    return plain_defaults


def values(method: Any) -> dict[str, Plain]:
    """Names and values of a configured method; a whole number in a field of type float is a float.

    Fields made by `optional` are left out at their default, those made by `operational` always.

    Raises:
        MethodError: a value that is not bool, int, finite float, str, None or a tuple of these.
    """
    return {
        field.name: value
        for field, value in _fields(method)
        if not field.metadata.get(_OPERATIONAL) and (not field.metadata.get(_OPTIONAL) or value != field.default)
    }


def settings(method: Any) -> dict[str, str]:
    """What `--set` makes this configured method of, as text: every field that differs from its default.

    Raises:
        MethodError: as `values`.
    """
    return {field.name: text_of(value) for field, value in _fields(method) if value != field.default}


def _fields(method: Any) -> Iterator[tuple[dataclasses.Field[Any], Plain]]:
    hints = _hints(type(method))
    for field in dataclasses.fields(method):
        yield field, _plain(field.name, getattr(method, field.name), hints[field.name], type(method))


def parse(method: type, settings: Mapping[str, str], method_name: str) -> dict[str, Plain]:
    """Turn the texts of `--set name=value` into values of the fields' types.

    Args:
        method: the method's class.
        settings: name -> text.
        method_name: for errors.

    Raises:
        ConfigError: an unknown name (the valid ones are listed), or a text that is no value of the field's type.
    """
    usual, hints = defaults(method), _hints(method)
    for name in settings:
        if not usual:
            raise ConfigError(f"method {method_name} has no hyper-parameters, so it takes no --set {shortened(name)}")
        if name not in usual:
            listed = ", ".join(described(method))
            raise unknown(f"hyper-parameter of {method_name}", name, usual, f"its defaults, {listed}")
    parsed = {name: _value(name, text, hints[name], method_name) for name, text in settings.items()}
    for name, value in parsed.items():
        if name.endswith("learning_rate") and isinstance(value, float) and value < 0:
            raise ConfigError(f"hyper-parameter '{name}' of {method_name} must not be negative, and is {value:g}")
    return parsed


def choices(method: type) -> dict[str, tuple[Single, ...]]:
    """Of the hyper-parameters that are one of some values (`Literal`): the values, the default first."""
    values_of = {}
    for name, hint in _hints(method).items():
        default = getattr(method, name, None)
        options = _options(hint)
        if default in options and not any(isinstance(option, type) for option in options):
            values_of[name] = (default, *(option for option in options if option != default))
    return values_of


def described(method: type) -> list[str]:
    """Each hyper-parameter with its default, `n_tokens=20`; of a choice all values, the default first: `mode=a|b`."""
    alternatives = choices(method)
    return [
        f"{name}={'|'.join(map(str, alternatives[name])) if name in alternatives else value}"
        for name, value in defaults(method).items()
    ]


def text_of(value: object) -> str:
    """A value as `--set` takes it."""
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def parse_settings(pairs: list[str], flag: str = "--set", example: str = "n_tokens=10") -> dict[str, str]:
    """Split `name=value` texts of an option, which errors call `flag`.

    Raises:
        ConfigError: a text without `=`, or a name given twice.
    """
    settings: dict[str, str] = {}
    for pair in pairs:
        if not isinstance(pair, str):
            raise ConfigError(f"{flag} takes texts name=value, not {shown(pair)}; for example {flag} {example}")
        name, sign, text = pair.partition("=")
        if not sign or not name.strip():
            raise ConfigError(f"{flag} takes name=value, not '{shortened(pair)}'; for example {flag} {example}")
        if name.strip() in settings:
            raise ConfigError(f"{flag} {shortened(name.strip())} is given twice; give it once")
        settings[name.strip()] = text.strip()
    return settings


def _hints(method: type) -> dict[str, Any]:
    try:
        return get_type_hints(method)
    except Exception as error:  # a name that is imported for type checkers only, a typing error of any kind
        raise MethodError(f"the types of {method.__name__}'s fields cannot be read: {error}") from error


def _options(hint: Any) -> tuple[Any, ...]:
    """What a field may hold: types, and the values of a Literal."""
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(option for part in get_args(hint) for option in _options(part))
    return get_args(hint) if get_origin(hint) is Literal else (hint,)


def _element(hint: Any) -> Any:
    """The type of a tuple's elements; None where the field holds no tuple of any length."""
    arguments = get_args(hint)
    return arguments[0] if get_origin(hint) is tuple and len(arguments) == 2 and arguments[1] is Ellipsis else None


def _plain(name: str, value: Any, hint: Any, method: type) -> Plain:
    element = _element(hint)
    if element is None:
        return _single(name, value, hint, method)
    if not isinstance(value, tuple | list):  # JSON has lists only
        raise MethodError(f"hyper-parameter '{name}' of {method.__name__} is {value!r}, no tuple")
    return tuple(_single(name, part, element, method) for part in value)


def _single(name: str, value: Any, hint: Any, method: type) -> Single:
    options = _options(hint)
    if not all(option in _SHOWN or type(option) in _SHOWN for option in options):
        raise MethodError(
            f"hyper-parameter '{name}' of {method.__name__} has type {hint}; "
            "it must be made of bool, int, float, str, Literal and None, or be a tuple of these such as tuple[int, ...]"
        )
    if type(value) is int and float in options and int not in options:
        return float(value)
    if type(value) not in _SHOWN or (isinstance(value, float) and not math.isfinite(value)):
        raise MethodError(f"hyper-parameter '{name}' of {method.__name__} is {value!r}, no plain finite value")
    named = [option for option in options if not isinstance(option, type)]
    if named and value not in named and type(value) not in options:
        allowed = " or ".join(repr(option) for option in named)
        raise MethodError(f"hyper-parameter '{name}' of {method.__name__} is {value!r}; it must be {allowed}")
    plain: Single = value
    return plain


def _value(name: str, text: str, hint: Any, method_name: str) -> Plain:
    element = _element(hint)
    if element is None:
        return _single_value(name, text, hint, method_name)
    return tuple(_single_value(name, part.strip(), element, method_name) for part in text.split(",")) if text else ()


def _single_value(name: str, text: str, hint: Any, method_name: str) -> Single:
    options = sorted(_options(hint), key=lambda option: option is not type(None))
    for option in options:
        try:
            return _read(option, text)
        except ValueError:
            continue
    kinds = " or ".join(_SHOWN.get(option, f"'{option}'") for option in options)
    raise ConfigError(f"hyper-parameter '{name}' of {method_name} must be {kinds}, not '{shortened(text)}'")


def _read(option: Any, text: str) -> Single:
    """The text as a value of a type, or as one value of a Literal; ValueError if it is none."""
    if option is str:
        return text
    if option is int:
        return int(text)
    if option is float:
        if not math.isfinite(number := float(text)):
            raise ValueError(text)
        return number
    choices: tuple[Single, ...] = (True, False) if option is bool else (None,) if option is type(None) else (option,)
    for choice in choices:
        if text == str(choice) or (not isinstance(choice, str) and text.lower() == str(choice).lower()):
            return choice
    if option is type(None) and text.lower() == "null":
        return None
    raise ValueError(text)
