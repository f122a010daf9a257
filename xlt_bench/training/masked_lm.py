"""An encoder that guesses hidden words of one language, and how well it does on texts that are held out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.tokenised import Tokenised
from xlt_bench.training.masking import Masking, guessing_loss

_EVALUATION_BATCH = 32


@dataclass(frozen=True)
class MaskedLm:
    """An encoder that learns to guess hidden words.

    Attributes:
        encoder: all of it frozen but `parameters`.
        parameters: what is trained.
        output: what happens before the head's last layer, see `LmHead`.
        penalty: a further term of the loss, a scalar; None: none.
        positions: that the encoder takes from the texts.
    """

    encoder: nn.Module
    parameters: Sequence[nn.Parameter]
    output: Callable[[Tensor], Tensor] | None = None
    penalty: Callable[[], Tensor] | None = None
    positions: int = 0


class HeldOut:
    """The last texts, with masks that are drawn once: what selects the weights."""

    def __init__(self, backbone: Backbone, texts: Tokenised, first: int, seed: int) -> None:
        masking, generator = Masking(backbone.tokenizer), torch.Generator().manual_seed(seed + 1)
        rows = range(first, len(texts))
        self._backbone = backbone
        parts = [rows[start : start + _EVALUATION_BATCH] for start in range(0, len(rows), _EVALUATION_BATCH)]
        self._batches = [masking(texts.batch(part), generator) for part in parts]

    def loss(self, model: MaskedLm) -> float:
        """Mean loss of a chosen token, in nats, without dropout; NaN where the texts are too short to have one."""
        loss = self.loss_unless(model, lambda: False)
        assert loss is not None, "nobody interrupts it"
        return loss

    @torch.no_grad()
    def loss_unless(self, model: MaskedLm, interrupted: Callable[[], bool]) -> float | None:
        """The same; None as soon as it is interrupted, which is asked before each batch."""
        model.encoder.eval()
        losses = []
        for batch in self._batches:
            if interrupted():
                return None
            losses.append(guessing_loss(self._backbone, model.encoder, batch, model.output))
        chosen = sum(int(batch.chosen.sum()) for batch in self._batches)
        return float(torch.stack(losses).sum()) / chosen if chosen else math.nan
