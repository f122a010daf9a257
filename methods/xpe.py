"""XPE, the cross-prompt encoder (arXiv 2508.10352): a pseudo prompt through a small MLP shared by its vectors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from xlt_bench.errors import ConfigError
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.soft_prompt import SoftPrompt


def prompt_encoder(width: int, hidden: int, dropout: float) -> nn.Sequential:
    """Maps vectors (n, d) to vectors (n, d) through two hidden layers with ReLU and dropout; drawn at random."""
    return nn.Sequential(
        nn.Linear(width, hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, width),
    )


class EncodedPrompt(nn.Module):
    """A pseudo prompt n x d, mapped vector by vector through d -> hidden -> hidden -> d with ReLU and dropout."""

    def __init__(self, vectors: int, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.pseudo = nn.Parameter(torch.randn(vectors, width))
        self.encoder = prompt_encoder(width, hidden, dropout)

    def forward(self) -> Tensor:
        """The encoded prompt, shape (n, d)."""
        encoded: Tensor = self.encoder(self.pseudo)
        return encoded


@dataclass(frozen=True, kw_only=True)
class XPE(SoftPrompt):
    """Cross-prompt encoder.

    Args:
        n_tokens: vectors of the prompt.
        hidden: width of the encoder's two hidden layers.
        dropout: after each hidden layer, while fitting on the sources; off while adapting.
    """

    n_tokens: int = 20
    hidden: int = 256
    dropout: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.n_tokens, self.hidden) < 1 or not 0.0 <= self.dropout < 1.0:
            raise ConfigError(
                "xpe needs n_tokens and hidden of at least 1 and 0 <= dropout < 1, "
                f"not n_tokens={self.n_tokens}, hidden={self.hidden}, dropout={self.dropout}"
            )

    def build(self, width: int) -> nn.Module:
        """A pseudo prompt and its encoder."""
        return EncodedPrompt(self.n_tokens, width, self.hidden, self.dropout)

    def roles(self, prompt: nn.Module) -> Roles:
        """The pseudo prompt, and the encoder."""
        assert isinstance(prompt, EncodedPrompt)
        return {"pseudo": [prompt.pseudo], "encoder": prompt.encoder.parameters()}
