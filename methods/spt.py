"""SPT, the standard soft prompt (Lester, Al-Rfou & Constant, 2021): the prompt itself is the parameter."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from xlt_bench.errors import ConfigError
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.soft_prompt import SoftPrompt


class StandardPrompt(nn.Module):
    """An n x d table, initialised as `torch.nn.Embedding` is (standard normal)."""

    def __init__(self, vectors: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(vectors, width))

    def forward(self) -> Tensor:
        """The prompt, shape (n, d)."""
        return self.weight


@dataclass(frozen=True, kw_only=True)
class SPT(SoftPrompt):
    """Standard soft prompt.

    Args:
        n_tokens: vectors of the prompt.
    """

    n_tokens: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_tokens < 1:
            raise ConfigError(f"spt needs n_tokens >= 1, not {self.n_tokens}; no prompt at all is --method head-only")

    def build(self, width: int) -> nn.Module:
        """A table of `n_tokens` vectors."""
        return StandardPrompt(self.n_tokens, width)

    def roles(self, prompt: nn.Module) -> Roles:
        """All of it is the prompt."""
        return {"prompt": prompt.parameters()}
