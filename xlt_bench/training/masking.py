"""Masked language modelling: which tokens are hidden, and the loss of guessing them (Devlin et al., 2019)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.batches import Batch

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CHOSEN_SHARE, MASKED_SHARE, RANDOM_SHARE = 0.15, 0.8, 0.1
"""Of all tokens but special ones, how many are to be guessed; of these, how many become the mask or a random token."""


@dataclass(frozen=True)
class MaskedTexts:
    """Texts with hidden tokens.

    Attributes:
        batch: its ids are those that the encoder sees.
        words: ids that were there, (rows, tokens), int64.
        chosen: which of them are to be guessed, (rows, tokens), bool.
    """

    batch: Batch
    words: Tensor
    chosen: Tensor


class Masking:
    """Hides tokens of batches at random, with transformers' numbers and in the order of its draws.

    Args:
        tokenizer: knows the mask, special tokens and the size of the vocabulary.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._mask = int(tokenizer.mask_token_id)
        self._special = torch.tensor(sorted(set(tokenizer.all_special_ids)))
        self._vocabulary = len(tokenizer)

    def __call__(self, batch: Batch, generator: torch.Generator) -> MaskedTexts:
        """The batch with hidden tokens, drawn from a generator on the CPU."""

        def drawn(share: float) -> Tensor:
            return torch.bernoulli(torch.full(batch.ids.shape, share), generator=generator).bool()

        shares = torch.full(batch.ids.shape, CHOSEN_SHARE).masked_fill_(torch.isin(batch.ids, self._special), 0.0)
        chosen = torch.bernoulli(shares, generator=generator).bool()
        masked = drawn(MASKED_SHARE) & chosen
        ids = batch.ids.masked_fill(masked, self._mask)
        replaced = drawn(RANDOM_SHARE / (1.0 - MASKED_SHARE)) & chosen & ~masked
        random_ids = torch.randint(self._vocabulary, batch.ids.shape, generator=generator)
        return MaskedTexts(replace(batch, ids=torch.where(replaced, random_ids, ids)), batch.ids, chosen)


def guessing_loss(
    backbone: Backbone, encoder: nn.Module, masked: MaskedTexts, output: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    """Sum over the chosen tokens of the cross entropy in nats, a scalar; only their states reach the head.

    Args:
        backbone: whose head guesses.
        encoder: the backbone's, or one of its kind.
        masked: the texts.
        output: what happens before the head's last layer, see `LmHead`; None: nothing.
    """
    batch, device = masked.batch, backbone.device
    segments = None if batch.segments is None else batch.segments.to(device)
    with backbone.autocast():
        states = backbone.architecture.states(
            encoder, batch.mask.to(device), ids=batch.ids.to(device), segments=segments, modules=batch.modules
        )
        logits = backbone.lm_head(states[masked.chosen.to(device)], output)
    words = masked.words[masked.chosen].to(device)
    return functional.cross_entropy(logits.float(), words, reduction="sum")
