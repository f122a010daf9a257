"""Head only: the frozen backbone as it is, and a trained classification head. The floor of every prompt method."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from xlt_bench.training.optimisation import Roles
from xlt_bench.training.prompted import NoPrompt
from xlt_bench.training.soft_prompt import SoftPrompt


@dataclass(frozen=True, kw_only=True)
class HeadOnly(SoftPrompt):
    """No prompt: only the classification head is trained (set its rate with `head_learning_rate`)."""

    def build(self, width: int) -> nn.Module:
        """Nothing to train before the text."""
        return NoPrompt(width)

    def roles(self, prompt: nn.Module) -> Roles:
        """No parameters besides the head's."""
        return {}
