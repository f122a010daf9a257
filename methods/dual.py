"""DUAL (arXiv 2508.10352): part of the prompt is a standard one, the rest is encoded; both are trained together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from xlt_bench.errors import ConfigError
from xlt_bench.methods.spt import StandardPrompt
from xlt_bench.methods.xpe import EncodedPrompt
from xlt_bench.recipe import Recipe
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.soft_prompt import SoftPrompt


class DualPrompt(nn.Module):
    """Standard vectors first, encoded ones after them."""

    def __init__(self, standard: StandardPrompt, encoded: EncodedPrompt) -> None:
        super().__init__()
        self.standard = standard
        self.encoded = encoded

    def forward(self) -> Tensor:
        """The prompt, shape (n, d)."""
        return torch.cat([self.standard(), self.encoded()])


@dataclass(frozen=True, kw_only=True)
class DUAL(SoftPrompt):
    """Standard and encoded prompt side by side.

    Args:
        n_tokens: vectors of the whole prompt.
        encoded: share of them that is encoded, truncated to whole vectors, at least one of each kind.
        hidden: width of the encoder's two hidden layers.
        dropout: after each hidden layer, while fitting on the sources; off while adapting.
    """

    name: ClassVar[str] = "dual"
    label_tells: ClassVar[tuple[str, ...]] = ("encoded",)

    n_tokens: int = 20
    encoded: float = 0.7
    hidden: int = 256
    dropout: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 < self.encoded < 1.0 or self.n_tokens < 2:
            raise ConfigError(
                f"dual needs 0 < encoded < 1 and n_tokens >= 2, not encoded={self.encoded}, n_tokens={self.n_tokens}; "
                "all encoded is --method xpe, none is --method spt"
            )

    @property
    def label(self) -> str:
        """`dual-70` where 70% of the vectors are encoded."""
        return f"dual-{round(100 * self.encoded)}"

    @property
    def encoded_vectors(self) -> int:
        """How many of the vectors are encoded."""
        return min(max(int(self.n_tokens * self.encoded), 1), self.n_tokens - 1)

    def build(self, width: int) -> nn.Module:
        """Both parts."""
        encoded = self.encoded_vectors
        return DualPrompt(
            StandardPrompt(self.n_tokens - encoded, width), EncodedPrompt(encoded, width, self.hidden, self.dropout)
        )

    def roles(self, prompt: nn.Module) -> Roles:
        """Standard prompt, pseudo prompt, encoder."""
        assert isinstance(prompt, DualPrompt)
        return {
            "prompt": prompt.standard.parameters(),
            "pseudo": [prompt.encoded.pseudo],
            "encoder": prompt.encoded.encoder.parameters(),
        }

    def recipe_for(self, preset: str, common: Recipe) -> Recipe:
        """The paper's released code trains the standard part of the prompt as slowly as the encoder."""
        return common.with_roles(prompt=common.rate("encoder")) if preset == "released" else common


@dataclass(frozen=True, kw_only=True)
class DUAL30(DUAL):
    """DUAL with 6 of 20 vectors encoded: XPE-30 of the paper."""

    encoded: float = 0.3
