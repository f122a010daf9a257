"""Low-rank maps beside query and value of a frozen encoder's layers, in two stages (FLARE, Borchert et al., ACL 2025).

The first stage adds (alpha / r) B A x to what enters a layer, as LoRA does. The second freezes it and adds a further
one, (alpha / r) B phi(A h, A x), whose inner state is fused, token by token, with that of the same item in a source
language: h is what enters the same layer when that rendering goes through the encoder of the first stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import Tensor, nn

from xlt_bench.backbones.batches import Batch
from xlt_bench.training.classifier import ClassifierForward
from xlt_bench.training.losses import Outputs
from xlt_bench.training.tuned_encoder import TunedEncoder

Fusion = Literal["relu-sum", "sum", "product"]

FUSIONS: Mapping[Fusion, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {
        "relu-sum": lambda rendering, text: torch.relu(rendering) + torch.relu(text),
        "sum": torch.add,
        "product": torch.mul,
    }
)
"""phi by name: inner states of rendering and text, (rows, tokens, r), to the fused one."""


class LowRank(nn.Module):
    """B A, of rank r: A drawn as torch draws a linear map, B zero."""

    def __init__(self, inputs: int, outputs: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Linear(inputs, rank, bias=False)
        self.up = nn.Linear(rank, outputs, bias=False)
        nn.init.zeros_(self.up.weight)


class FusedLinear(nn.Module):
    """A frozen linear map with the low-rank ones of both stages beside it.

    Args:
        plain: the frozen map.
        rank: r.
        alpha: see above.
        fusion: phi.
    """

    def __init__(self, plain: nn.Linear, rank: int, alpha: float, fusion: Fusion) -> None:
        super().__init__()
        self.plain = plain
        self.rank, self.scale, self.fusion = rank, alpha / rank, fusion
        self.first = LowRank(plain.in_features, plain.out_features, rank)
        self.second: LowRank | None = None
        self.reads_rendering = False
        self.rendering: Tensor | None = None

    def begin_second(self) -> None:
        """Add the map of the second stage, which changes nothing yet."""
        self.second = LowRank(self.plain.in_features, self.plain.out_features, self.rank)

    def forward(self, states: Tensor) -> Tensor:
        """(rows, tokens, d) -> (rows, tokens, d)."""
        output: Tensor = self.plain(states) + self.scale * self.first.up(self.first.down(states))
        if self.second is None:
            return output
        if self.reads_rendering:
            self.rendering = states
            return output
        assert self.rendering is not None, "a text comes after its rendering, see FusedEncoder.beside"
        inner = FUSIONS[self.fusion](self.second.down(self.rendering), self.second.down(states))
        fused: Tensor = output + self.scale * self.second.up(inner)
        return fused


class FusedEncoder(nn.Module):
    """An encoder of BERT's build whose queries and values are FusedLinear.

    Args:
        encoder: frozen; its modules are replaced.
        rank, alpha, fusion: as of FusedLinear.
    """

    def __init__(self, encoder: nn.Module, rank: int, alpha: float, fusion: Fusion) -> None:
        super().__init__()
        parts: Any = encoder
        for layer in parts.encoder.layer:
            attention = layer.attention.self
            attention.query = FusedLinear(attention.query, rank, alpha, fusion)
            attention.value = FusedLinear(attention.value, rank, alpha, fusion)
        self.encoder = encoder

    @property
    def maps(self) -> list[FusedLinear]:
        """Query and value of each layer."""
        return [module for module in self.encoder.modules() if isinstance(module, FusedLinear)]

    @property
    def fuses(self) -> bool:
        """Whether the second stage has begun."""
        return self.maps[0].second is not None

    def begin_second(self) -> None:
        """Freeze what there is, and add the maps of the second stage, drawn from torch's CPU generator."""
        self.requires_grad_(False)
        for fused in self.maps:
            fused.begin_second()

    def forward(self, **inputs: Any) -> Any:
        """As the encoder is called."""
        return self.encoder(**inputs)

    @contextmanager
    def beside(self, read_rendering: Callable[[], object]) -> Iterator[None]:
        """Within, texts are fused with what `read_rendering` reads first: without dropout, gradient, second stage."""
        maps, training = self.maps, self.training
        try:
            self._reading(maps, reading=True)
            with torch.no_grad():
                self.eval()
                read_rendering()
            self.train(training)
            self._reading(maps, reading=False)
            yield
        finally:
            self.train(training)
            self._reading(maps, reading=False)
            for fused in maps:
                fused.rendering = None

    @staticmethod
    def _reading(maps: list[FusedLinear], *, reading: bool) -> None:
        for fused in maps:
            fused.reads_rendering = reading


class FusedForward(ClassifierForward):
    """See `ClassifierForward`; in the second stage each text goes through beside its rendering, or beside itself."""

    def _output(self, module: nn.Module, batch: Batch) -> Outputs:
        assert isinstance(module, TunedEncoder)
        encoder = module.encoder
        assert isinstance(encoder, FusedEncoder)
        if not encoder.fuses:
            return super()._output(module, batch)
        rendering = batch if batch.rendering is None else batch.rendering
        with encoder.beside(lambda: self._states(encoder, rendering)):
            return super()._output(module, batch)
