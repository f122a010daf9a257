"""A soft prompt before a template whose mask is scored by label words; the prompt alone is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from xlt_bench.errors import ConfigError
from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.methods.spt import StandardPrompt
from xlt_bench.recipe import Phase
from xlt_bench.task import Example, Labelled
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.prompted import NoPrompt, Prompted
from xlt_bench.training.soft_prompt import FittedPrompt, PromptTuning
from xlt_bench.verbaliser.fitted import head_of
from xlt_bench.verbaliser.method import Verbalising


@dataclass(frozen=True, kw_only=True)
class SPTVerbaliser(Verbalising, PromptTuning):
    """SPT with the scores of NPPrompt in place of a classification head.

    Args:
        n_tokens: vectors of the prompt; with 0 nothing is trained, and the method is nppprompt.
        template: `about`, `kind`, `news`, `sentiment`, `entailment`, or `file` for that of --resource template=FILE.
        label_words: whether the words for the classes come from --resource label-words=FILE, those of all its
            languages together; else from the classes' names.
        neighbours: tokens that stand for a word: the nearest by the cosine of input embeddings, itself included.
        calibration: none, contextual or batch; divides the classes' shares by their mean over texts that say nothing,
            or over the unlabelled train texts of the language. It takes no part in fitting.
    """

    tunes: ClassVar[tuple[str, ...]] = ("own-rates",)

    n_tokens: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_settings()
        if self.n_tokens < 0:
            raise ConfigError(f"a prompt has n_tokens >= 0, not {self.n_tokens}")

    @property
    def needs(self) -> frozenset[str]:
        """What template, label words and calibration need, and what consistency does."""
        return super().needs | self.word_resources

    @property
    def uses_seed(self) -> bool:
        """Whether there is a prompt to draw."""
        return self.n_tokens > 0

    def build(self, width: int) -> nn.Module:
        """A table of `n_tokens` vectors."""
        return StandardPrompt(self.n_tokens, width) if self.n_tokens else NoPrompt(width)

    def roles(self, prompt: nn.Module) -> Roles:
        """All of it is the prompt."""
        return {"prompt": prompt.parameters()}

    def train_lanes(
        self,
        modules: Sequence[Prompted],
        splits: Sequence[tuple[Labelled, Labelled]],
        contexts: Sequence[Context],
        phases: Sequence[Phase],
    ) -> list[FittedPrompt]:
        """Train the prompts; without any vectors there is nothing to train."""
        if self.n_tokens:
            return super().train_lanes(modules, splits, contexts, phases)
        return [self.fitted(module, context, FitSummary()) for module, context in zip(modules, contexts, strict=True)]

    def fitted(self, module: Prompted, context: Context, summary: FitSummary) -> FittedPrompt:
        """One that calibrates and reports."""
        return FittedVerbaliser(self, module, context, summary)


class FittedVerbaliser(FittedPrompt):
    """A trained prompt before the template."""

    def __init__(self, method: SPTVerbaliser, module: Prompted, context: Context, summary: FitSummary) -> None:
        super().__init__(method, module, context, summary)
        self._words = method
        self._calibrated = method.calibrated(super().predict, context)

    def predict(self, examples: Sequence[Example]) -> Scores:
        """Scores of shape (items, classes), float32, in the order given."""
        return self._calibrated(examples)

    def report(self, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`label_tokens`: what the classes were scored by."""
        return self._words.report(head_of(self.module), self.context.labels)
