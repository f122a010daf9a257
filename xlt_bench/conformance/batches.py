"""Which texts go through a backbone before each optimiser step, and whether its weights are the shared ones then."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.hooks import RemovableHandle

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.runs.counting import Passes
from xlt_bench.runs.torch_hooks import TorchHooks


class BatchWatch(TorchHooks):
    """Within its `with`, takes note of the texts that training passes see, by their token ids.

    A text is known by the rows of the last look-up of token embeddings before a pass or in it. Meant for the tiny
    backbone: its weights are compared at every pass.

    Args:
        backbone: the shared one; None where there is none to watch.
        train: token ids of the items to look for; other texts, such as that of a trial pass, are no part of a batch.
    """

    def __init__(self, backbone: Backbone | None, train: Iterable[NDArray[np.int64]]) -> None:
        self.largest = 0
        self.disturbed = False
        self._texts: set[bytes] = set()
        self._rows: list[bytes] = []
        self._train = {ids.tobytes() for ids in train}
        self._tokens = 0 if backbone is None else backbone.architecture.embedding_rows
        self._padding = None if backbone is None else backbone.tokenizer.pad_token_id
        self._shared = [] if backbone is None else list(backbone.shared.parameters())
        self._originals = [parameter.detach().clone() for parameter in self._shared]
        self._passes = Passes()

    def register(self) -> tuple[RemovableHandle, ...]:
        """Of steps and of every call of a module."""
        return (
            register_module_forward_hook(self._called),
            register_optimizer_step_post_hook(self._stepped),
        )

    def _called(self, module: nn.Module, arguments: tuple[Any, ...], result: Any) -> None:
        if isinstance(module, nn.Embedding) and module.num_embeddings == self._tokens and arguments:
            self._rows = list(self._keys(arguments[0]))
            self._compare()
        elif module in self._passes:
            self._compare()
            if torch.is_grad_enabled():
                self._texts.update(self._train.intersection(self._rows))

    def _stepped(self, *unused: Any) -> None:
        self.largest = max(self.largest, len(self._texts))
        self._texts.clear()

    def _keys(self, ids: Tensor) -> list[bytes]:
        """Each row without its padding."""
        return [row[row != self._padding].cpu().numpy().tobytes() for row in ids.reshape(-1, ids.shape[-1])]

    def _compare(self) -> None:
        pairs = zip(self._shared, self._originals, strict=True)
        self.disturbed = self.disturbed or not all(torch.equal(now, original) for now, original in pairs)
