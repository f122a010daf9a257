"""An existing adapter as a method: to fit it is to load it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from xlt_bench.adapters.base_model import BackboneFacts
from xlt_bench.adapters.content import Content, numbers_in, predictor_of
from xlt_bench.adapters.folder import CONFIG, WEIGHTS, AdapterFolder
from xlt_bench.adapters.labels import LabelOrder
from xlt_bench.adapters.predictor import Predictor
from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.task import Example, Labelled


@dataclass(frozen=True)
class AdapterMethod:
    """Follows the Method protocol; nothing is trained.

    Attributes:
        content: the prompt and head, or the tensors of another kind of adapter.
        facts: of the backbone.
        order: of the adapter's classes.
    """

    uses_backbone: ClassVar[bool] = True
    procedure: ClassVar[str] = "an existing adapter is loaded"

    adapter: AdapterFolder
    content: Content
    facts: BackboneFacts
    order: LabelOrder

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Scorer:
        """The adapter on its backbone, with the task's order of classes; the data are not looked at."""
        return self._scorer(context)

    def load(self, folder: Path, context: Context) -> Scorer:
        """The same: what `Scorer.save` wrote is a copy of this adapter."""
        return self._scorer(context)

    def _scorer(self, context: Context) -> Scorer:
        return Scorer(
            adapter=self.adapter,
            predictor=predictor_of(self.adapter, self.content, self.facts, replace(context, labels=self.order.labels)),
            columns=self.order.columns(context.labels),
            summary=FitSummary(trainable_parameters=numbers_in(self.content)),
        )


@dataclass
class Scorer:
    """An adapter ready to predict: texts in, scores in the task's order of classes out.

    Attributes:
        columns: for each class of the task, the adapter's class that it is.
    """

    adapter: AdapterFolder
    predictor: Predictor
    columns: Sequence[int]
    summary: FitSummary

    def predict(self, examples: Sequence[Example]) -> Scores:
        """Logits of shape (items, classes of the task), float32, in the order given."""
        return self.predictor.predict(examples)[:, self.columns]

    def save(self, folder: Path) -> None:
        """Copy the adapter's files."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in (CONFIG, WEIGHTS):
            shutil.copyfile(self.adapter.folder / name, folder / name)
