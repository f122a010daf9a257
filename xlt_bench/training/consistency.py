"""Consistency of predictions between parallel items, after xTune (Zheng et al., ACL 2021): a term of the loss."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

CONSISTENCY = "consistency"
"""Its name among the terms of a loss."""

_XNLI_CLASSES = 3
"""xTune's weight of 5 is for XNLI, and its divergence is a mean over pairs and classes: a third of one over pairs."""


def disagreement(logits: Tensor) -> Tensor:
    """How far the predictions of pairs lie apart, a scalar: KL(p, q) + KL(q, p), a mean over pairs, divided by 3.

    A weight has the strength that it has in xTune on XNLI, whatever the number of classes. In each divergence the first
    distribution is held fixed, so the gradient of a view's logits is its own softmax minus the other's.

    Args:
        logits: (2 x pairs, classes); row i of the first half and row i of the second are a pair.
    """
    first, second = logits.log_softmax(1).chunk(2)
    divergences = (
        functional.kl_div(prediction, target.detach(), reduction="batchmean", log_target=True)
        for prediction, target in ((second, first), (first, second))
    )
    total: Tensor = sum(divergences, logits.new_zeros(()))
    return total / _XNLI_CLASSES
