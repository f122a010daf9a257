"""Read-outs: which state of a text the classification head gets."""

from __future__ import annotations

import torch
from torch import Tensor

from xlt_bench.recipe import ReadOut


def read(states: Tensor, mask: Tensor, read_out: ReadOut, blanks: Tensor | None = None) -> Tensor:
    """The state that the head reads.

    Args:
        states: last hidden states, (items, positions, d): a prompt, if there is one, and the text.
        mask: of the text alone, (items, tokens), 1 where there is a token; padding on either side.
        read_out: `first` is position 0, the prompt's first vector where there is a prompt; `last` and `mean` are of
            the text's own tokens, special tokens included.
        blanks: position in the text of the token whose state is read instead, (items,).

    Returns:
        shape (items, d), float32.
    """
    if read_out == "first" and blanks is None:
        return states[:, 0].float()
    texts, mask = states[:, states.shape[1] - mask.shape[1] :], mask.to(states.device)
    if blanks is not None:
        return texts[torch.arange(len(texts), device=mask.device), blanks.to(mask.device)].float()
    if read_out == "mean":
        return mean_of(texts, mask)
    return texts[torch.arange(len(texts), device=mask.device), last_tokens(mask)].float()


def last_tokens(mask: Tensor) -> Tensor:
    """Position of each text's last token, (items,); padding on either side."""
    return (mask * torch.arange(mask.shape[1], device=mask.device)).argmax(1)


def mean_of(texts: Tensor, mask: Tensor) -> Tensor:
    """Mean state of each text's tokens, (items, d) in float32."""
    weights = mask.unsqueeze(-1).float()
    return (texts.float() * weights).sum(1) / weights.sum(1)
