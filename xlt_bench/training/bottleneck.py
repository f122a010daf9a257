"""Adapters in the layers of a frozen encoder, with the invertible part of language adapters (Pfeiffer et al., 2020).

One stands in each layer, after the second matrix of the feed-forward part. With f the output of that matrix, a the
block's input and LN the frozen layer norm of the layer, each adapter of the stack, the language's first, makes
s <- up(relu(down(LN(s + a)))) + s, starting at s = f; the layer gives LN(s + a).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from xlt_bench.backbones.architectures import Architecture
from xlt_bench.errors import ConfigError

ADAPTED_TYPES = ("bert", "camembert", "roberta", "xlm-roberta")
"""Types of backbone whose layers have the parts that are used here, by model_type."""

_STANDARD_DEVIATION = 0.02


class Bottleneck(nn.Module):
    """d -> d / reduction -> d; not the identity at the start: weights from N(0, 0.02^2), biases zero."""

    def __init__(self, width: int, reduction: int) -> None:
        super().__init__()
        self.down = nn.Linear(width, width // reduction)
        self.up = nn.Linear(width // reduction, width)
        self.apply(_draw)

    def forward(self, states: Tensor) -> Tensor:
        """What is added to a position's state, (..., d)."""
        change: Tensor = self.up(torch.relu(self.down(states)))
        return change


class Coupling(nn.Module):
    """An invertible map of d numbers (NICE, Dinh et al., 2015): each half is shifted by a function of the other."""

    def __init__(self, width: int, reduction: int) -> None:
        super().__init__()
        self.width = width // 2
        self.first = _shift(width - self.width, self.width, reduction)
        self.second = _shift(self.width, width - self.width, reduction)
        self.apply(_draw)

    def forward(self, states: Tensor) -> Tensor:
        """(..., d) -> (..., d)."""
        first, second = states[..., : self.width], states[..., self.width :]
        first = first + self.first(second)
        return torch.cat([first, second + self.second(first)], -1)

    def inverse(self, states: Tensor) -> Tensor:
        """(..., d) -> (..., d)."""
        first, second = states[..., : self.width], states[..., self.width :]
        second = second - self.second(first)
        return torch.cat([first - self.first(second), second], -1)


def _shift(inputs: int, outputs: int, reduction: int) -> nn.Sequential:
    inner = inputs // reduction
    return nn.Sequential(nn.Linear(inputs, inner), nn.ReLU(), nn.Linear(inner, outputs))


def _draw(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=_STANDARD_DEVIATION)
        nn.init.zeros_(module.bias)


class LanguageAdapter(nn.Module):
    """What a language brings: an adapter a layer, and a coupling after the embeddings.

    Args:
        width: d.
        layers: numbers of the layers that have one.
        reduction: of the adapters, and of the coupling's functions.
        invertible: whether there is a coupling.
    """

    def __init__(self, width: int, layers: range, reduction: int, *, invertible: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleDict({str(number): Bottleneck(width, reduction) for number in layers})
        self.coupling = Coupling(width, reduction) if invertible else None

    def before_words(self, states: Tensor) -> Tensor:
        """What happens before the output embeddings: the inverse of what happens after those of the input."""
        return states if self.coupling is None else self.coupling.inverse(states)


class AdaptedEncoder(nn.Module):
    """An encoder with a task adapter in every layer, and the adapter of the language that its texts are in.

    Args:
        encoder: its modules are replaced.
        task: adapters by layer; a layer that is not in it has none. They are parameters of this module.
    """

    def __init__(self, encoder: nn.Module, task: nn.ModuleDict) -> None:
        super().__init__()
        parts: Any = encoder
        self._active: list[LanguageAdapter] = []  # not registered: language adapters are nobody's parameters here
        parts.embeddings = _AdaptedEmbeddings(parts.embeddings, self._active)
        for number, layer in enumerate(parts.encoder.layer):
            task_adapter = dict(task.items()).get(str(number))
            layer.output = _AdaptedOutput(layer.output, str(number), task_adapter, self._active)
        self.encoder = encoder

    def forward(self, **inputs: Any) -> Any:
        """As the encoder is called."""
        return self.encoder(**inputs)

    @contextmanager
    def speaking(self, language: LanguageAdapter | None) -> Iterator[None]:
        """Within, texts go through the adapter of their language; None: through none."""
        self._active[:] = [] if language is None else [language]
        try:
            yield
        finally:
            self._active.clear()


class _AdaptedEmbeddings(nn.Module):
    def __init__(self, plain: nn.Module, active: list[LanguageAdapter]) -> None:
        super().__init__()
        self.plain = plain
        self._active = active

    @property
    def word_embeddings(self) -> nn.Module:
        """Where transformers looks for them."""
        words: nn.Module = self.plain.get_submodule("word_embeddings")
        return words

    def forward(self, *arguments: Any, **named: Any) -> Tensor:
        states: Tensor = self.plain(*arguments, **named)
        for language in self._active:
            if language.coupling is not None:
                states = language.coupling(states)
        return states


class _AdaptedOutput(nn.Module):
    def __init__(self, plain: nn.Module, number: str, task: nn.Module | None, active: list[LanguageAdapter]) -> None:
        super().__init__()
        self.plain = plain
        self.task = task
        self._number = number
        self._active = active

    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:
        plain: Any = self.plain
        states: Tensor = plain.dropout(plain.dense(hidden_states))
        for adapter in self._adapters():
            states = adapter(plain.LayerNorm(states + input_tensor)) + states
        normed: Tensor = plain.LayerNorm(states + input_tensor)
        return normed

    def _adapters(self) -> Iterator[nn.Module]:
        """Those of this layer, the language's first."""
        for language in self._active:
            if self._number in language.layers:
                yield language.layers[self._number]
        if self.task is not None:
            yield self.task


def weighted_sum(parts: Sequence[tuple[float, Mapping[str, Tensor]]]) -> dict[str, Tensor]:
    """Element by element, the sum of adapters' weights times their shares."""
    return {name: torch.stack([share * weights[name] for share, weights in parts]).sum(0) for name in parts[0][1]}


def check_adaptable(architecture: Architecture, backbone: str) -> None:
    """Refuse a type of backbone whose layers are built in another way.

    Raises:
        ConfigError: the types that can be adapted.
    """
    if architecture.model_type not in ADAPTED_TYPES:
        raise ConfigError(
            f"backbone '{backbone}' is of type '{architecture.model_type}', whose layers take no adapters of this "
            f"kind; those of {', '.join(ADAPTED_TYPES)} do"
        )
