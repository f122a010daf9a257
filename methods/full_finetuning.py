"""Full fine-tuning: every weight of the backbone is trained, together with the classification head."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.batches import Batch
from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.recipe import Phase, Rate, Recipe, preset_recipe
from xlt_bench.task import Example, Labelled
from xlt_bench.training.head import ClassificationHead
from xlt_bench.training.saving import load_fit, save_fit
from xlt_bench.training.seeding import seeded
from xlt_bench.training.soft_prompt import text_limit, tokenised
from xlt_bench.training.trainer import Lane, train


class Classifier(nn.Module):
    """An encoder of its own and the classification head, which reads position 0."""

    def __init__(self, encoder: nn.Module, head: ClassificationHead) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits, shape (items, classes)."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state[:, 0]
        logits: Tensor = self.head(hidden.float())
        return logits


@dataclass(frozen=True, kw_only=True)
class FullFinetuning:
    """All weights trained.

    Args:
        learning_rate: of backbone and head alike, in place of the preset's.
    """

    uses_backbone: ClassVar[bool] = True

    learning_rate: float | None = None

    def recipe_for(self, preset: str, common: Recipe) -> Recipe:
        """On sentences, SIB-200's own: run_classification's defaults, lr 1e-5, 16 x 2 accumulated, 20 epochs."""
        if preset == "cldr":
            return common
        return dataclasses.replace(
            preset_recipe("paper"),
            source=Phase(steps=None, epochs=20, patience=20),
            target=Phase(steps=None, epochs=10, patience=30),
            rates={"backbone": Rate(1e-5), "head": Rate(1e-5)},
            optimiser="adamw",
            schedule="linear",
            clip_norm=1.0,
        )

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedClassifier:
        """Fit one seed."""
        return self._train(self._new(context), train, dev, context, context.recipe.source)

    def _new(self, context: Context) -> Classifier:
        backbone = context.backbone
        with seeded(context.seed):
            head = ClassificationHead(backbone.width, len(context.labels), backbone.dropout, backbone.initializer_range)
        encoder = backbone.fresh_encoder().requires_grad_(True)
        return Classifier(encoder, head.to(backbone.device))

    def _train(
        self, module: Classifier, train_split: Labelled, dev: Labelled, context: Context, phase: Phase
    ) -> FittedClassifier:
        backbone = context.backbone
        recipe = context.recipe.with_rates(backbone=self.learning_rate, head=self.learning_rate)
        data = tokenised(train_split, dev, backbone, recipe, prompt=0)
        roles = {"backbone": module.encoder.parameters(), "head": module.head.parameters()}
        lane = Lane(module, roles, context, recipe, phase, data)
        train([lane], ClassifierForward(backbone))
        if lane.failure is not None:
            raise lane.failure
        return FittedClassifier(self, module, context, lane.close())

    def load(self, folder: Path, context: Context) -> FittedClassifier:
        """Restore what `FittedClassifier.save` wrote."""
        module = self._new(context)
        weights, summary = load_fit(folder)
        module.load_state_dict(weights)
        return FittedClassifier(self, module, context, summary)


class ClassifierForward:
    """Forward pass of classifiers, each with its own encoder: nothing to share, so one after the other."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone

    def __call__(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Tensor]:
        """Logits (items, classes), one tensor a module."""
        device = self._backbone.device
        with self._backbone.autocast():
            return [m(b.ids.to(device), b.mask.to(device)).float() for m, b in zip(modules, batches, strict=True)]


class FittedClassifier:
    """A fine-tuned encoder and head."""

    def __init__(self, method: FullFinetuning, module: Classifier, context: Context, summary: FitSummary) -> None:
        self.method = method
        self.module = module.eval()
        self.context = context
        self.summary = summary

    @torch.no_grad()
    def predict(self, examples: Sequence[Example]) -> Scores:
        """Logits of shape (items, classes), float32, in the order given."""
        backbone = self.context.backbone
        limit = text_limit(backbone, self.context.recipe, prompt=0)
        texts = backbone.tokenise([(example.text, example.text_pair) for example in examples], limit)
        forward = ClassifierForward(backbone)
        scores = np.zeros((len(texts), len(self.context.labels)), np.float32)
        for index in texts.sorted_batches():
            scores[index] = forward([self.module], [texts.batch(index)])[0].cpu().numpy()
        return scores

    def adapt(self, train: Labelled, dev: Labelled, context: Context) -> FittedClassifier:
        """Go on training a copy on a target language."""
        return self.method._train(deepcopy(self.module), train, dev, context, context.recipe.target)

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` (the whole encoder and head) and `fit.json`."""
        save_fit(folder, self.module.state_dict(), self.summary)
