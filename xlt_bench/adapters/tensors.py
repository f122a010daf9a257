"""Tensors of an adapter's safetensors file, under names without what varies between releases and tools."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from xlt_bench.adapters.folder import first_line
from xlt_bench.errors import ConfigError

_PASSING = ("default", "modules_to_save")
"""Parts of a name that say in which wrapper a tensor lay, not what it is."""


def read_tensors(path: Path, name: str) -> dict[str, Tensor]:
    """All tensors, float32, by plain name: `classifier.dense.weight`, `prompt_encoder.xpe_embedding.weight`.

    Args:
        path: a safetensors file.
        name: of the adapter, for errors.

    Raises:
        ConfigError: no whole safetensors file, or a value that is not finite.
    """
    tensors: dict[str, Tensor] = {}
    try:
        with safe_open(path, "pt") as file:
            for key in file.keys():  # noqa: SIM118  (an open file, no mapping)
                if "original_module" not in key.split("."):
                    tensors[plain_name(key)] = file.get_tensor(key)
    except (OSError, SafetensorError) as error:
        raise ConfigError(
            f"adapter '{name}': {path} is no whole safetensors file ({first_line(error)}); fetch it again"
        ) from error
    for key, tensor in tensors.items():
        if tensor.is_floating_point():
            tensors[key] = tensor.float()
            if not torch.isfinite(tensor).all():
                raise ConfigError(f"adapter '{name}': {key} holds numbers that are not finite; its training failed")
    return tensors


def plain_name(key: str) -> str:
    """A tensor's name without the adapter's own name and without the wrappers of peft."""
    parts = [part for part in key.split(".") if part not in _PASSING]
    if parts[:1] == ["base_model"]:
        parts = parts[2:] if parts[1:2] == ["model"] else parts[1:]
    return ".".join(parts)
