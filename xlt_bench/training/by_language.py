"""Forward passes of encoders that are another in every language: texts go through them language by language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.batches import Batch
from xlt_bench.errors import MethodError
from xlt_bench.recipe import ReadOut
from xlt_bench.training.classifier import ClassifierForward
from xlt_bench.training.losses import Loss, Terms, mean_cross_entropy

Speaking = Callable[[nn.Module, str], AbstractContextManager[None]]
"""Within it, a module is as it is in the language of this code."""


class ForwardByLanguage(ClassifierForward):
    """See `ClassifierForward`.

    Args:
        speaking: puts a module into a language.
        cycle: languages that train batches take in turn; None: each takes its own.
    """

    def __init__(
        self,
        backbone: Backbone,
        read_out: ReadOut,
        loss: Loss = mean_cross_entropy,
        *,
        speaking: Speaking,
        cycle: Iterator[str] | None = None,
    ) -> None:
        super().__init__(backbone, read_out, loss)
        self._speaking = speaking
        self._cycle = cycle

    def __call__(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Tensor]:
        """Logits (rows, classes), float32, one tensor a module; a batch may be of several languages."""
        return [self._logits(module, batch) for module, batch in zip(modules, batches, strict=True)]

    def _logits(self, module: nn.Module, batch: Batch) -> Tensor:
        rows_of = _rows_by_language(batch)
        logits = []
        for language, rows in rows_of.items():
            with self._speaking(module, language):
                logits += super().__call__([module], [batch.take(rows)])
        order = torch.cat(list(rows_of.values())).argsort()
        return torch.cat(logits)[order.to(logits[0].device)]

    def gradients(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Terms]:
        """As of any; the module stays in the language until its gradient is there.

        Raises:
            MethodError: a batch is of several languages.
        """
        terms: list[Terms] = []
        for module, batch in zip(modules, batches, strict=True):
            languages = list(_rows_by_language(batch))
            if len(languages) > 1:
                raise MethodError(f"a train batch is of {len(languages)} languages; use order.by_language for batches")
            with self._speaking(module, next(self._cycle) if self._cycle else languages[0]):
                terms += super().gradients([module], [batch])
        return terms


def _rows_by_language(batch: Batch) -> dict[str, Tensor]:
    assert batch.origin is not None, "batches of splits and of predictions have it"
    numbers = batch.origin.language
    return {batch.origin.languages[int(number)]: torch.nonzero(numbers == number)[:, 0] for number in numbers.unique()}
