"""The fields of a peft configuration as hyper-parameters that `--set name=value` can read, and the way back.

Numbers, names and choices are taken as they are. What holds several values (`target_modules`, `rank_pattern`) is
written as text: names or numbers with commas, or JSON.
"""

from __future__ import annotations

import dataclasses
import json
import re
import types
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from peft import PeftConfig

from xlt_bench.errors import ConfigError

NOT_SET = frozenset(
    {
        "task_type",
        "peft_type",
        "auto_mapping",
        "peft_version",
        "base_model_name_or_path",
        "revision",
        "inference_mode",
        "token_dim",
        "num_layers",
        "num_attention_heads",
        "num_transformer_submodules",
        "tokenizer_name_or_path",
        "tokenizer_kwargs",
        "megatron_config",
        "megatron_core",
        "prompt_tuning_init_state_dict_path",
    }
)
"""Fields that follow from the backbone and its use here, that are for no encoder, or that name a file to unpickle."""

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    # peft knows no layers for XLM-R: those it takes for RoBERTa, which has the same
    "IA3Config": {"target_modules": "key,value,output.dense", "feedforward_modules": "output.dense"},
}
"""Where a default is not peft's own."""

VIRTUAL_TOKENS = 20
"""Vectors of a prompt or prefix, which peft leaves open: as many as every soft prompt here has."""

_LISTED = re.compile(r"[\w.]+(,[\w.]+)*")
_PLAIN = (bool, int, float, str, type(None))


def settings(config: type[PeftConfig]) -> list[tuple[str, Any, dataclasses.Field[Any]]]:
    """Name, type and default of every field that can be set, as `dataclasses.make_dataclass` takes them."""
    hints, fields = get_type_hints(config), []
    for field in dataclasses.fields(config):
        if field.name not in NOT_SET:
            options, default = _options(hints[field.name]), _default(config, field)
            chosen = str if _structured(options) else _plain(options)
            fields.append(
                (field.name, chosen | None if default is None else chosen, dataclasses.field(default=default))
            )
    return fields


def arguments(config: type[PeftConfig], values: Mapping[str, Any]) -> dict[str, Any]:
    """What these values are for the configuration's constructor; None in a field of several values is peft's default.

    Raises:
        ConfigError: a text that begins as JSON does and is none.
    """
    hints = get_type_hints(config)
    converted = {}
    for name, value in values.items():
        options = _options(hints[name])
        if not _structured(options):
            converted[name] = value
        elif value is not None:
            converted[name] = _parsed(name, value, options)
    return converted


def _options(hint: Any) -> tuple[Any, ...]:
    """The types of a union."""
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(option for part in get_args(hint) for option in _options(part))
    return (hint,)


def _structured(options: tuple[Any, ...]) -> bool:
    """Whether a field can hold more than one plain value."""
    return any(option not in _PLAIN and not _choices(option) for option in options)


def _choices(option: Any) -> tuple[Any, ...]:
    """The values of a Literal or of an enumeration."""
    if isinstance(option, type) and issubclass(option, Enum):
        return tuple(member.value for member in option)
    return get_args(option) if get_origin(option) is Literal else ()


def _plain(options: tuple[Any, ...]) -> Any:
    """The type of a field of one value; choices stand for the text that peft allows beside them."""
    choices = tuple(choice for option in options for choice in _choices(option))
    plain_types = [option for option in options if not _choices(option)]
    if any("[" in str(choice) for choice in choices):
        return Union[(*plain_types, str)]  # such as 'pissa_niter_[number of iters]': not a choice but a pattern
    if choices:
        return Union[(*(option for option in plain_types if option is not str), Literal[choices])]
    return Union[(*plain_types,)]


def _default(config: type[PeftConfig], field: dataclasses.Field[Any]) -> Any:
    defaults = DEFAULTS.get(config.__name__, {})
    if field.name in defaults:
        return defaults[field.name]
    if field.name == "num_virtual_tokens":
        return VIRTUAL_TOKENS
    if isinstance(field.default, Enum):
        return field.default.value
    return field.default if isinstance(field.default, _PLAIN) else None


def _parsed(name: str, text: str, options: tuple[Any, ...]) -> Any:
    if text[:1] in ("[", "{"):
        try:
            content = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"{name} is no JSON: {error}; quote it for the shell, --set '{name}=...'") from error
        nested = [option for option in options if dataclasses.is_dataclass(option)]
        return nested[0](**content) if nested and isinstance(content, dict) else content  # type: ignore[operator]
    listed = [option for option in options if get_origin(option) is list]
    if not listed or not _LISTED.fullmatch(text):
        return text
    parts = text.split(",")
    return [int(part) if part.isdecimal() else part for part in parts] if get_args(listed[0]) != (str,) else parts
