"""Texts as the mean of the frozen encoder's last hidden states: the features of methods that train no network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.read_out import read
from xlt_bench.method import Activity, Progress
from xlt_bench.recipe import Recipe
from xlt_bench.task import Example
from xlt_bench.training.data import text_limit, tokenise


class MeanPooled:
    """Maps texts to vectors; special tokens count, padding does not, as in sentence-transformers' mean pooling."""

    def __init__(self, backbone: Backbone, recipe: Recipe) -> None:
        self._backbone = backbone
        self._recipe = recipe
        self._limit = text_limit(backbone, recipe, prompt=0)

    @torch.no_grad()
    def __call__(self, examples: Sequence[Example], progress: Progress | None = None) -> NDArray[np.float64]:
        """Shape (items, d), in the order given; `progress` is told how many texts are encoded."""
        backbone = self._backbone
        architecture, encoder = backbone.architecture, backbone.frozen.eval()
        texts = tokenise(examples, backbone, self._recipe, self._limit)
        vectors = np.zeros((len(texts), architecture.head_width))
        encoded = 0
        for index in texts.sorted_batches():
            batch = texts.batch(index)
            ids, mask = batch.ids.to(backbone.device), batch.mask.to(backbone.device)
            segments = None if batch.segments is None else batch.segments.to(backbone.device)
            with backbone.autocast():
                states = architecture.states(encoder, mask, ids=ids, segments=segments, modules=batch.modules)
            vectors[index] = read(states, mask, "mean").cpu().numpy()
            encoded += len(index)
            if progress is not None:
                progress.activity(Activity("encoding", "", encoded, len(texts), "text", encoded))
        return vectors
