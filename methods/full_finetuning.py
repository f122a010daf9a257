"""Full fine-tuning: every weight of the backbone is trained, together with the classification head."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import nn

from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.recipe import Phase, Recipe, preset_recipe
from xlt_bench.task import Example, Labelled
from xlt_bench.training.classifier import ClassifierForward, class_scores
from xlt_bench.training.data import tokenised
from xlt_bench.training.head import ClassificationHead, new_head
from xlt_bench.training.hooks import TrainingHooks, whole_loss
from xlt_bench.training.lane import Lane
from xlt_bench.training.saving import distinct, load_fit, save_fit
from xlt_bench.training.seeding import seeded
from xlt_bench.training.trainer import train


class Classifier(nn.Module):
    """An encoder of its own and the classification head."""

    def __init__(self, encoder: nn.Module, head: ClassificationHead) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head


@dataclass(frozen=True, kw_only=True)
class FullFinetuning(TrainingHooks):
    """All weights trained.

    Args:
        learning_rate: of backbone and head alike, in place of the preset's.
    """

    uses_backbone: ClassVar[bool] = True

    learning_rate: float | None = None

    def recipe_for(self, preset: str, common: Recipe) -> Recipe:
        """Under the paper's presets SIB-200's optimisation, with early stopping and the checkpoint as theirs."""
        if preset not in ("paper", "released"):
            return common
        sib200 = preset_recipe("sib200")
        return dataclasses.replace(
            sib200,
            source=Phase(steps=None, epochs=20, patience=common.source.patience),
            target=Phase(steps=None, epochs=10, patience=common.target.patience),
            rates={role: sib200.rate(role) for role in ("backbone", "head")},
            checkpoint=common.checkpoint,
        )

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedClassifier:
        """Fit one seed."""
        return self._train(self._new(context), train, dev, context, context.recipe.source)

    def _new(self, context: Context) -> Classifier:
        backbone = context.backbone
        with seeded(context.seed):
            head = new_head(backbone.architecture, len(context.labels))
        encoder = backbone.fresh_encoder().requires_grad_(True)
        return Classifier(encoder, head.to(backbone.device))

    def _train(
        self, module: Classifier, train_split: Labelled, dev: Labelled, context: Context, phase: Phase
    ) -> FittedClassifier:
        backbone = context.backbone
        recipe = context.recipe.with_rates(backbone=self.learning_rate, head=self.learning_rate)
        data = tokenised(train_split, dev, context, 0, self.views(train_split), unlabelled=self.unlabelled(context))
        roles = {"backbone": module.encoder.parameters(), "head": module.head.parameters()}
        lane = Lane(module, roles, context, recipe, phase, data, self.batches(data, recipe, context.seed))
        train([lane], ClassifierForward(backbone, recipe.read_out, whole_loss(self)))
        if lane.failure is not None:
            raise lane.failure
        return FittedClassifier(self, module, context, lane.close())

    def load(self, folder: Path, context: Context) -> FittedClassifier:
        """Restore what `FittedClassifier.save` wrote."""
        module = self._new(context)
        weights, summary = load_fit(folder)
        for name, tensor in distinct(module.state_dict()).items():
            tensor.copy_(weights[name])
        return FittedClassifier(self, module, context, summary)


class FittedClassifier:
    """A fine-tuned encoder and head."""

    def __init__(self, method: FullFinetuning, module: Classifier, context: Context, summary: FitSummary) -> None:
        self.method = method
        self.module = module.eval()
        self.context = context
        self.summary = summary

    def predict(self, examples: Sequence[Example]) -> Scores:
        """Logits of shape (items, classes), float32, in the order given."""
        return class_scores(self.module, examples, self.context)

    def adapt(self, train: Labelled, dev: Labelled, context: Context) -> FittedClassifier:
        """Go on training a copy on a target language."""
        return self.method._train(deepcopy(self.module), train, dev, context, context.recipe.target)

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` (the whole encoder and head) and `fit.json`."""
        save_fit(folder, distinct(self.module.state_dict()), self.summary)
