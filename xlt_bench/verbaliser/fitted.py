"""A masked language model that is asked as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.task import Example
from xlt_bench.training.prompted import NoPrompt, Prompted
from xlt_bench.training.soft_prompt import PromptScores
from xlt_bench.verbaliser.head import Verbaliser
from xlt_bench.verbaliser.method import Verbalising


class VerbaliserScores(PromptScores):
    """The backbone's masked language model, asked as it is: no prompt stands before the template.

    Args:
        method: the configured method.
        context: of the fit.
    """

    def __init__(self, method: Verbalising, context: Context) -> None:
        backbone = context.backbone
        module = Prompted(NoPrompt(backbone.architecture.prompt_width), method.new_head(context))
        super().__init__(module.to(backbone.device), context, FitSummary(), method.encode)
        self._method = method
        self._calibrated = method.calibrated(super().predict, context)

    def predict(self, examples: Sequence[Example]) -> Scores:
        """Scores of shape (items, classes), float32, in the order given."""
        return self._calibrated(examples)

    def report(self, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`label_tokens`: what the classes were scored by."""
        return self._method.report(head_of(self.module), self.context.labels)


def head_of(module: nn.Module) -> Verbaliser:
    """The verbaliser of a module that has one."""
    assert isinstance(module, Prompted)
    assert isinstance(module.head, Verbaliser)
    return module.head
