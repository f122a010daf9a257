"""A prompt that is given, not trained: predictions come from the same code as those of our own soft prompts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from xlt_bench.adapters.saved_prompt import SavedPrompt
from xlt_bench.method import Context, FitSummary
from xlt_bench.training.head import ClassificationHead
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.prompted import Prompted
from xlt_bench.training.seeding import seeded
from xlt_bench.training.soft_prompt import FittedPrompt, SoftPrompt


class Given(nn.Module):
    """A prompt of fixed vectors, (n, d)."""

    def __init__(self, prompt: Tensor) -> None:
        super().__init__()
        self.register_buffer("prompt", prompt)

    def forward(self) -> Tensor:
        """The prompt."""
        return self.get_buffer("prompt")


@dataclass(frozen=True, kw_only=True)
class GivenPrompt(SoftPrompt):
    """What a given prompt is a fit of; there is nothing to train in it."""

    def build(self, width: int) -> nn.Module:
        """No vectors yet."""
        return Given(torch.zeros(0, width))

    def roles(self, prompt: nn.Module) -> Roles:
        """None."""
        return {}


def fitted_prompt(saved: SavedPrompt, context: Context) -> FittedPrompt:
    """A saved prompt and its head on a backbone whose classifier in transformers has this head.

    `context.labels` are in the order of the saved head.
    """
    with seeded(0):  # the head's random start is overwritten at once; nobody's random state moves
        head = ClassificationHead(saved.width, saved.classes, dropout=0.0, initializer_range=0.02)
    head.load_state_dict(dict(saved.head))
    module = Prompted(Given(saved.prompt), head).to(context.backbone.device)
    return FittedPrompt(GivenPrompt(), module, context, FitSummary())
