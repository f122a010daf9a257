"""A soft prompt with its classification head, as a checkpoint holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import linear

from xlt_bench.adapters.folder import AdapterFolder
from xlt_bench.adapters.tensors import read_tensors
from xlt_bench.adapters.xpe_toolkit import is_xpe, read_encoder, read_parts
from xlt_bench.errors import ConfigError

HEAD = ("dense.weight", "dense.bias", "out_proj.weight", "out_proj.bias")
"""Of RoBERTa's and XLM-R's classification head, and of ours (`xlt_bench.training.head`)."""

PROMPTS = ("PROMPT_TUNING", "P_TUNING")
"""Kinds of which plain peft saves the computed prompt as one tensor, `prompt_embeddings`."""


@dataclass(frozen=True)
class SavedPrompt:
    """A prompt of n vectors, d wide: k standard ones, then m that come out of an encoder.

    Attributes:
        standard: (k, d).
        pseudo: (m, e), the encoder's input.
        encoder: weight and bias of its linear layers in order; ReLU between them. Empty: the pseudo prompt as it is.
        head: by the names in `HEAD`; `out_proj.weight` has shape (classes, d).
    """

    standard: Tensor
    pseudo: Tensor
    encoder: tuple[Tensor, ...]
    head: Mapping[str, Tensor]

    @property
    def classes(self) -> int:
        """Rows of the head."""
        return len(self.head["out_proj.weight"])

    @property
    def width(self) -> int:
        """d, the length of a prompt's vector."""
        part = self.standard if len(self.standard) else self.encoder[-1] if self.encoder else self.pseudo
        return part.shape[-1]

    @cached_property
    def prompt(self) -> Tensor:
        """As it stands before a text, shape (n, d)."""
        hidden = self.pseudo
        for layer in range(0, len(self.encoder), 2):
            hidden = linear(hidden.relu() if layer else hidden, *self.encoder[layer : layer + 2])
        return torch.cat([part for part in (self.standard, hidden) if len(part)])

    @property
    def roles(self) -> dict[str, tuple[Tensor, ...]]:
        """What a soft-prompt method of the same kind trains, by role (see `xlt_bench.recipe.Recipe.rates`)."""
        parts = {
            "prompt": (self.standard,) if len(self.standard) else (),
            "pseudo": (self.pseudo,) if len(self.pseudo) else (),
            "encoder": self.encoder,
        }
        return {role: tensors for role, tensors in parts.items() if tensors}


def is_prompt(adapter: AdapterFolder) -> bool:
    """Whether an adapter is a prompt before the input, of peft or of the XPE authors' toolkit."""
    return is_xpe(adapter) or adapter.kind in PROMPTS


def read_prompt(adapter: AdapterFolder) -> SavedPrompt:
    """The prompt of an adapter for which `is_prompt` holds.

    Raises:
        ConfigError: a tensor is missing or of another shape than the configuration says, or there is no head.
    """
    tensors = read_tensors(adapter.weights, adapter.name)
    if is_xpe(adapter):
        standard, pseudo = read_parts(adapter, tensors)
        encoder = read_encoder(adapter, tensors) if len(pseudo) else ()
    else:
        standard, pseudo, encoder = _embeddings(adapter, tensors), torch.zeros(0, 0), ()
    saved = SavedPrompt(standard, pseudo, encoder, _head(adapter, tensors))
    _check_width(adapter, saved)
    return saved


def _embeddings(adapter: AdapterFolder, tensors: Mapping[str, Tensor]) -> Tensor:
    prompt, vectors = tensors.get("prompt_embeddings"), adapter.config.get("num_virtual_tokens")
    if prompt is None or prompt.ndim != 2:
        raise ConfigError(
            f"adapter '{adapter.name}' is of kind {adapter.kind} but has no prompt_embeddings; save it again with peft"
        )
    if len(prompt) != vectors:
        raise ConfigError(
            f"adapter '{adapter.name}' has {len(prompt)} prompt vectors, but num_virtual_tokens is {vectors}"
        )
    return prompt


def _head(adapter: AdapterFolder, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    head = {name: tensors[f"classifier.{name}"] for name in HEAD if f"classifier.{name}" in tensors}
    missing = [name for name in HEAD if name not in head]
    if missing:
        raise ConfigError(
            f"adapter '{adapter.name}' has no whole classification head (classifier.{missing[0]} is missing), and "
            "without it its classes would be random; save it with the classifier among modules_to_save"
        )
    return head


def _check_width(adapter: AdapterFolder, saved: SavedPrompt) -> None:
    width, shapes = saved.width, {name: tuple(tensor.shape) for name, tensor in saved.head.items()}
    expected = {
        "dense.weight": (width, width),
        "dense.bias": (width,),
        "out_proj.weight": (saved.classes, width),
        "out_proj.bias": (saved.classes,),
    }
    for name in HEAD:
        if shapes[name] != expected[name]:
            raise ConfigError(
                f"adapter '{adapter.name}': classifier.{name} has shape {shapes[name]}, "
                f"but a prompt {width} wide needs {expected[name]}"
            )
