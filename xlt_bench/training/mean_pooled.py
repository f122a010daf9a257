"""Texts as the mean of the frozen encoder's last hidden states: the features of methods that train no network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.recipe import Recipe
from xlt_bench.task import Example
from xlt_bench.training.soft_prompt import text_limit


class MeanPooled:
    """Maps texts to vectors; special tokens count, padding does not, as in sentence-transformers' mean pooling."""

    def __init__(self, backbone: Backbone, recipe: Recipe) -> None:
        self._backbone = backbone
        self._limit = text_limit(backbone, recipe, prompt=0)

    @torch.no_grad()
    def __call__(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        """Shape (items, d), in the order given."""
        backbone = self._backbone
        encoder = backbone.frozen.eval()
        texts = backbone.tokenise([(example.text, example.text_pair) for example in examples], self._limit)
        found = np.zeros((len(texts), backbone.width))
        for index in texts.sorted_batches():
            batch = texts.batch(index)
            mask = batch.mask.to(backbone.device)
            with backbone.autocast():
                hidden = encoder(input_ids=batch.ids.to(backbone.device), attention_mask=mask).last_hidden_state
            shown = mask.unsqueeze(-1)
            found[index] = ((hidden.float() * shown).sum(1) / shown.sum(1)).cpu().numpy()
        return found
