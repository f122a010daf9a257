"""Head only: the frozen backbone as it is, and a trained classification head. The floor of every prompt method."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from xlt_bench.training.optimisation import Roles
from xlt_bench.training.soft_prompt import SoftPrompt


class NoPrompt(nn.Module):
    """A prompt of no vectors, so that position 0 holds the text's own first token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("empty", torch.zeros(0, width), persistent=False)

    def forward(self) -> Tensor:
        """Shape (0, d)."""
        empty: Tensor = self.get_buffer("empty")
        return empty


@dataclass(frozen=True, kw_only=True)
class HeadOnly(SoftPrompt):
    """No prompt: only the classification head is trained (set its rate with `head_learning_rate`)."""

    def build(self, width: int) -> nn.Module:
        """Nothing to train before the text."""
        return NoPrompt(width)

    def roles(self, prompt: nn.Module) -> Roles:
        """No parameters besides the head's."""
        return {}
