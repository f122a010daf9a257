"""Checkpoints of the XPE authors' toolkit (bmikaberidze/XPE, bmikaberidze/micm-nlp), read without it.

`adapter_config.json` has peft_type "XPE" (older ones "P_TUNING") and `encoder_ratio`, the share of the virtual tokens
that is encoded: 1 is XPE, 0 a standard prompt, between them DUAL, whose standard part comes first. The encoded share is
truncated to whole vectors, at least one of each kind.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from xlt_bench.adapters.folder import AdapterFolder
from xlt_bench.errors import ConfigError

_STANDARD = "prompt_encoder.embedding.weight"
_PSEUDO = "prompt_encoder.xpe_embedding.weight"
_LAYER = "prompt_encoder.xpe_head."
_STRIDE = 3
"""Linear, ReLU, dropout: every third module of the encoder has parameters."""
_USUAL_LAYERS = 2


def is_xpe(adapter: AdapterFolder) -> bool:
    """Whether the toolkit wrote an adapter."""
    return adapter.kind == "XPE" or (adapter.kind == "P_TUNING" and "encoder_ratio" in adapter.config)


def read_parts(adapter: AdapterFolder, tensors: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Standard and pseudo prompt, shapes (k, d) and (m, e); a part of no vectors has shape (0, 0).

    Raises:
        ConfigError: an impossible ratio, or a part that is missing or of another length.
    """
    total, encoded = _counts(adapter)
    return _part(adapter, tensors, _STANDARD, total - encoded), _part(adapter, tensors, _PSEUDO, encoded)


def read_encoder(adapter: AdapterFolder, tensors: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    """Weight and bias of the encoder's linear layers, in order.

    Raises:
        ConfigError: the encoder is no MLP, a layer is missing, or shapes do not fit together.
    """
    kind = str(adapter.config.get("encoder_reparameterization_type", "MLP")).rpartition(".")[2]
    if kind == "NONE":
        return ()
    if kind != "MLP":
        raise ConfigError(f"adapter '{adapter.name}' has an encoder of type {kind}; only MLP encoders can be read")
    layers = _number(adapter, "encoder_num_layers", _USUAL_LAYERS)
    names = [f"{_LAYER}{_STRIDE * layer}.{kind}" for layer in range(int(layers) + 1) for kind in ("weight", "bias")]
    missing = [name for name in names if name not in tensors]
    unknown = [name for name in tensors if name.startswith(_LAYER) and name not in names]
    if missing or unknown:
        problem = f"{missing[0]} is missing" if missing else f"{unknown[0]} is none of them"
        raise ConfigError(
            f"adapter '{adapter.name}' should have an encoder of {int(layers)} hidden layers, but {problem}"
        )
    encoder = tuple(tensors[name] for name in names)
    _check_chain(adapter, tensors[_PSEUDO].shape[1], encoder)
    if _STANDARD in tensors and tensors[_STANDARD].shape[1:] != encoder[-1].shape:
        raise ConfigError(
            f"adapter '{adapter.name}': its encoder gives {len(encoder[-1])} numbers a vector, "
            f"its standard part has {tensors[_STANDARD].shape[1]}"
        )
    return encoder


def _counts(adapter: AdapterFolder) -> tuple[int, int]:
    """Virtual tokens in all, and those of them that are encoded."""
    total, ratio = _number(adapter, "num_virtual_tokens"), _number(adapter, "encoder_ratio")
    if total < 1 or not 0.0 <= ratio <= 1.0 or (0.0 < ratio < 1.0 and total < 2):
        raise ConfigError(
            f"adapter '{adapter.name}' has encoder_ratio {ratio:g} of {total:g} virtual tokens; a share lies in [0, 1]"
        )
    if ratio in (0.0, 1.0):
        return int(total), int(total * ratio)
    return int(total), min(max(int(total * ratio), 1), int(total) - 1)


def _part(adapter: AdapterFolder, tensors: Mapping[str, Tensor], name: str, length: int) -> Tensor:
    if not length:
        return torch.zeros(0, 0)
    if name not in tensors or tensors[name].ndim != 2 or len(tensors[name]) != length:
        problem = f"has shape {tuple(tensors[name].shape)}" if name in tensors else "is missing"
        raise ConfigError(
            f"adapter '{adapter.name}' should have {length} vectors in {name} by its config; it {problem}"
        )
    return tensors[name]


def _check_chain(adapter: AdapterFolder, width: int, encoder: tuple[Tensor, ...]) -> None:
    for weight, bias in zip(encoder[::2], encoder[1::2], strict=True):
        if weight.ndim != 2 or weight.shape[1] != width or tuple(bias.shape) != (len(weight),):
            raise ConfigError(
                f"adapter '{adapter.name}': an encoder layer of shape {tuple(weight.shape)} cannot take {width} inputs"
            )
        width = len(weight)


def _number(adapter: AdapterFolder, name: str, usual: float | None = None) -> float:
    value = adapter.config.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"adapter '{adapter.name}': {name} in its adapter_config.json is {value!r}, no number")
    return float(value)
