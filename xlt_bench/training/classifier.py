"""Forward pass and predictions of encoders that texts go into as token ids, with the head on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.batches import Batch
from xlt_bench.backbones.read_out import read
from xlt_bench.method import Context, Scores
from xlt_bench.recipe import ReadOut
from xlt_bench.task import Example
from xlt_bench.training.data import text_limit, tokenise
from xlt_bench.training.head import ClassificationHead


class EncoderAndHead(Protocol):
    """A module with an encoder in it, called as its architecture is, and the classification head."""

    head: ClassificationHead

    @property
    def encoder(self) -> nn.Module:
        """Maps token ids to hidden states; a prompt of its own may stand before those of the text."""


class ClassifierForward:
    """Forward pass of modules that have an encoder each: nothing to share, so one after the other."""

    def __init__(self, backbone: Backbone, read_out: ReadOut) -> None:
        self._backbone = backbone
        self._read_out = read_out

    def __call__(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Tensor]:
        """Logits (items, classes), float32, one tensor a module."""
        with self._backbone.autocast():
            return [self._logits(module, batch) for module, batch in zip(modules, batches, strict=True)]

    def _logits(self, module: nn.Module, batch: Batch) -> Tensor:
        classifier: EncoderAndHead = module  # type: ignore[assignment]  # a Module has no declared attributes
        device = self._backbone.device
        segments = None if batch.segments is None else batch.segments.to(device)
        states = self._backbone.architecture.states(
            classifier.encoder, batch.mask.to(device), ids=batch.ids.to(device), segments=segments
        )
        logits: Tensor = classifier.head(read(states, batch.mask, self._read_out))
        return logits.float()


@torch.no_grad()
def class_scores(module: nn.Module, examples: Sequence[Example], context: Context, positions: int = 0) -> Scores:
    """Logits of shape (items, classes), float32, in the order given.

    Args:
        module: an EncoderAndHead in eval mode.
        examples: the items.
        context: of the fit.
        positions: that the module takes from the text.
    """
    backbone, recipe = context.backbone, context.recipe
    texts = tokenise(examples, backbone, recipe, text_limit(backbone, recipe, positions))
    forward = ClassifierForward(backbone, recipe.read_out)
    scores = np.zeros((len(texts), len(context.labels)), np.float32)
    for index in texts.sorted_batches(prompt=positions):
        scores[index] = forward([module], [texts.batch(index)])[0].cpu().numpy()
    return scores
