"""The classification head that every method with a backbone trains."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xlt_bench.backbones.architectures import Architecture


class ClassificationHead(nn.Module):
    """Dense d x d, tanh, projection to the classes, with dropout before both layers.

    The head of RoBERTa's and XLM-R's sequence classification in transformers, under the same parameter names;
    it is used with every backbone, so that methods and backbones differ in nothing else.
    """

    def __init__(self, width: int, classes: int, dropout: float, initializer_range: float) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, classes)
        self.dropout = nn.Dropout(dropout)
        for layer in (self.dense, self.out_proj):
            nn.init.normal_(layer.weight, std=initializer_range)
            nn.init.zeros_(layer.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map hidden states (items, d) to logits (items, classes)."""
        hidden = torch.tanh(self.dense(self.dropout(hidden)))
        logits: Tensor = self.out_proj(self.dropout(hidden))
        return logits


def new_head(architecture: Architecture, classes: int) -> ClassificationHead:
    """A head on a backbone of this architecture, drawn from torch's CPU generator."""
    return ClassificationHead(architecture.head_width, classes, architecture.dropout, architecture.initializer_range)
