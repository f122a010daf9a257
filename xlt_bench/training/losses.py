"""Losses: what a forward pass gives, and the named terms that are made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlt_bench.backbones.batches import Batch

Terms = Mapping[str, Tensor]
"""Named terms of a loss, each a scalar with a gradient; what is minimised is their sum."""

CROSS_ENTROPY = "cross_entropy"


@dataclass(frozen=True)
class Outputs:
    """What a forward pass gives for a batch; all of it has a gradient while fitting.

    Attributes:
        logits: (rows, classes), float32.
        states: what the head reads, (rows, head width), float32.
        module: what is trained: its `head`, and `prompt` or `encoder`.
        prompt: (n, prompt width), or (rows, n, prompt width) of a prompt that depends on the item; None of an encoder.
    """

    logits: Tensor
    states: Tensor
    module: nn.Module
    prompt: Tensor | None = None


Loss = Callable[[Outputs, Batch], Terms]


def cross_entropy(outputs: Outputs, batch: Batch) -> Tensor:
    """Mean cross entropy of a batch whose classes are known, a scalar."""
    return functional.cross_entropy(outputs.logits, gold_of(batch).to(outputs.logits.device))


def mean_cross_entropy(outputs: Outputs, batch: Batch) -> Terms:
    """The usual loss: one term."""
    return {CROSS_ENTROPY: cross_entropy(outputs, batch)}


def gold_of(batch: Batch) -> Tensor:
    """The classes of a train batch, (rows,)."""
    assert batch.gold is not None, "a train batch carries its labels"
    return batch.gold


def total(terms: Terms) -> Tensor:
    """The sum of the terms, a scalar."""
    loss, *further = terms.values()
    for term in further:
        loss = loss + term
    return loss


def backward(lanes: Sequence[Terms]) -> list[Terms]:
    """Add the gradients of all lanes' losses to their parameters; the terms, detached."""
    torch.stack([total(terms) for terms in lanes]).sum().backward()
    return [{name: term.detach() for name, term in terms.items()} for terms in lanes]
