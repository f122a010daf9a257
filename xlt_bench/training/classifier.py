"""Forward pass and predictions of encoders that texts go into as token ids, with the head on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
from xlt_bench.training.data import origin_of, text_limit, tokenise
from xlt_bench.training.losses import Loss, Outputs, Terms, backward, mean_cross_entropy


class EncoderAndHead(Protocol):
    """A module with an encoder in it, called as its architecture is, and a head on what is read of its states."""

    head: nn.Module

    @property
    def encoder(self) -> nn.Module:
        """Maps token ids to hidden states; a prompt of its own may stand before those of the text."""


class ClassifierForward:
    """Forward pass of modules that have an encoder each: nothing to share, so one after the other.

    Args:
        backbone: says how encoders are called.
        read_out: the state that heads read.
        loss: of a train batch.
    """

    def __init__(self, backbone: Backbone, read_out: ReadOut, loss: Loss = mean_cross_entropy) -> None:
        self._backbone = backbone
        self._read_out = read_out
        self._loss = loss

    def __call__(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Tensor]:
        """Logits (rows, classes), float32, one tensor a module."""
        return [outputs.logits for outputs in self.outputs(modules, batches)]

    def gradients(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Terms]:
        """Add the gradient of each module's loss to its parameters; the terms of these losses, detached."""
        outputs = self.outputs(modules, batches)
        return backward([self._loss(output, batch) for output, batch in zip(outputs, batches, strict=True)])

    def outputs(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Outputs]:
        """All that the pass gives, one a module."""
        with self._backbone.autocast():
            return [self._output(module, batch) for module, batch in zip(modules, batches, strict=True)]

    def _output(self, module: nn.Module, batch: Batch) -> Outputs:
        classifier: EncoderAndHead = module  # type: ignore[assignment]  # a Module has no declared attributes
        state = read(self._states(classifier.encoder, batch), batch.mask, self._read_out)
        return Outputs(classifier.head(state).float(), state, module)

    def _states(self, encoder: nn.Module, batch: Batch) -> Tensor:
        """Last hidden states, (rows, tokens, head width)."""
        device = self._backbone.device
        segments = None if batch.segments is None else batch.segments.to(device)
        return self._backbone.architecture.states(
            encoder, batch.mask.to(device), ids=batch.ids.to(device), segments=segments, modules=batch.modules
        )


@torch.no_grad()
def class_scores(
    module: nn.Module,
    examples: Sequence[Example],
    context: Context,
    positions: int = 0,
    forward: ClassifierForward | None = None,
) -> Scores:
    """Logits of shape (items, classes), float32, in the order given.

    Args:
        module: an EncoderAndHead in eval mode.
        examples: the items.
        context: of the fit.
        positions: that the module takes from the text.
        forward: the pass; None: the usual one.
    """
    backbone, recipe = context.backbone, context.recipe
    texts = tokenise(examples, backbone, recipe, text_limit(backbone, recipe, positions))
    forward = forward or ClassifierForward(backbone, recipe.read_out)
    origin = origin_of(examples, len(examples))
    scores = np.zeros((len(texts), len(context.labels)), np.float32)
    for index in texts.sorted_batches(prompt=positions):
        batch = replace(texts.batch(index), origin=origin.take(torch.from_numpy(index)))
        scores[index] = forward([module], [batch])[0].cpu().numpy()
    return scores
