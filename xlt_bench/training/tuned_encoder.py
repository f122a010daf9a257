"""The base of methods that train a few weights inside an encoder of their own, and leave the rest of it frozen.

A subclass puts its weights into a frozen encoder and says which of the trained ones play which role. The classification
head, training, dev selection, prediction, adapting and saving are done here.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.errors import MethodError
from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.recipe import Phase, Recipe
from xlt_bench.task import Example, Labelled
from xlt_bench.training.classifier import ClassifierForward, class_scores
from xlt_bench.training.data import text_limit, tokenised
from xlt_bench.training.head import new_head
from xlt_bench.training.hooks import TrainingHooks, whole_loss
from xlt_bench.training.lane import Lane
from xlt_bench.training.losses import Loss, mean_cross_entropy
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.saving import load_fit, save_fit
from xlt_bench.training.seeding import seeded
from xlt_bench.training.trainer import train

HEAD = "head."
"""Before the names of the head's weights in a saved file; the encoder's stand as they are."""
ORIGIN = "origin.json"


class TunedEncoder(nn.Module):
    """An encoder with trained weights in it, and a head.

    Only what is trained is registered, so that a checkpoint holds no copy of the frozen weights. All that is new in it
    and not trained, such as a random projection, follows from the seed.
    """

    def __init__(self, encoder: nn.Module, head: nn.Module, seed: int) -> None:
        super().__init__()
        self.head = head
        self.seed = seed
        self.trained = nn.ParameterList([p for p in encoder.parameters() if p.requires_grad])
        self._unregistered = (encoder,)

    @property
    def encoder(self) -> nn.Module:
        """The whole encoder; called with `input_ids` and `attention_mask` it gives `last_hidden_state`."""
        return self._unregistered[0]

    def train(self, mode: bool = True) -> TunedEncoder:
        """Frozen or not, the encoder's own dropout is active while fitting, as with every method."""
        self.encoder.train(mode)
        super().train(mode)
        return self


@dataclass(frozen=True, kw_only=True)
class EncoderTuning(TrainingHooks, ABC):
    """A few weights in the encoder are trained with the classification head.

    Args:
        learning_rate: of the weights in the encoder, in place of the preset's.
        head_learning_rate: of the classification head, in place of the preset's.
    """

    uses_backbone: ClassVar[bool] = True

    learning_rate: float | None = None
    head_learning_rate: float | None = None

    @abstractmethod
    def insert(self, encoder: nn.Module, backbone: Backbone) -> nn.Module:
        """Make an encoder of its own, all frozen, trainable where the method wants it; the result is on the CPU too.

        What is drawn at random follows from torch's global CPU generator, which is seeded.
        """

    @abstractmethod
    def roles(self, encoder: nn.Module) -> Roles:
        """The trained parameters in the encoder by role (see Recipe.rates)."""

    def new_head(self, backbone: Backbone, classes: int) -> nn.Module:
        """Maps what is read, (rows, head width), to scores of the classes: the classification head."""
        return new_head(backbone.architecture, classes)

    def forward(self, context: Context, loss: Loss = mean_cross_entropy) -> ClassifierForward:
        """How texts go through the encoder, while fitting and predicting."""
        return ClassifierForward(context.backbone, context.recipe.read_out, loss)

    @property
    def positions(self) -> int:
        """Positions that the method takes from the text."""
        return 0

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedEncoder:
        """Fit one seed."""
        text_limit(context.backbone, context.recipe, self.positions)  # refuses what leaves no room, before it is built
        module = self.new_module(context.backbone, len(context.labels), context.seed)
        return self.train_module(module, train, dev, context, context.recipe.source)

    def new_module(self, backbone: Backbone, classes: int, seed: int) -> TunedEncoder:
        """Encoder and head, what is new in them drawn from the seed alone."""
        fresh = backbone.fresh_encoder().requires_grad_(False).cpu()
        frozen = list(fresh.parameters())
        with seeded(seed):
            head = self.new_head(backbone, classes)
            encoder = self.insert(fresh, backbone)
        module = TunedEncoder(encoder.to(backbone.device), head.to(backbone.device), seed).eval()
        share_frozen(frozen, backbone)
        return module

    def train_module(
        self, module: TunedEncoder, train_split: Labelled, dev: Labelled, context: Context, phase: Phase
    ) -> FittedEncoder:
        """Train a module in place under a phase of the recipe."""
        roles = self.roles(module.encoder)
        recipe = self._recipe(context.recipe, roles)
        data = tokenised(
            train_split,
            dev,
            context,
            self.positions,
            self.views(train_split),
            unlabelled=self.unlabelled(context),
        )
        roles = {**roles, "head": list(module.head.parameters())}
        lane = Lane(module, roles, context, recipe, phase, data, self.batches(data, recipe, context.seed))
        train([lane], self.forward(context, whole_loss(self)))
        if lane.failure is not None:
            raise lane.failure
        return FittedEncoder(self, module, context, lane.close())

    def _recipe(self, recipe: Recipe, roles: Roles) -> Recipe:
        return recipe.with_rates(**dict.fromkeys(roles, self.learning_rate), head=self.head_learning_rate)

    def load(self, folder: Path, context: Context) -> FittedEncoder:
        """Restore what `FittedEncoder.save` wrote.

        Raises:
            MethodError: the weights are those of another configuration.
        """
        module = self.new_module(context.backbone, len(context.labels), seed_of(folder))
        weights, summary = load_fit(folder)
        restore(module, weights, context.backbone)
        return FittedEncoder(self, module, context, summary)


class FittedEncoder:
    """A trained encoder and head."""

    def __init__(self, method: EncoderTuning, module: TunedEncoder, context: Context, summary: FitSummary) -> None:
        self.method = method
        self.module = module.eval()
        self.context = context
        self.summary = summary

    def predict(self, examples: Sequence[Example]) -> Scores:
        """Logits of shape (items, classes), float32, in the order given."""
        forward = self.method.forward(self.context)
        return class_scores(self.module, examples, self.context, self.method.positions, forward)

    def adapt(self, train: Labelled, dev: Labelled, context: Context) -> FittedEncoder:
        """Go on training a copy on a target language."""
        module = self.method.new_module(context.backbone, len(context.labels), self.module.seed)
        restore(module, dict(weights_of(self.module, self.context.backbone)), context.backbone)
        return self.method.train_module(module, train, dev, context, context.recipe.target)

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` (the head, and what the encoder does not share with the backbone), `fit.json`,
        and in `origin.json` the seed that all the rest follows from."""
        save_fit(folder, dict(weights_of(self.module, self.context.backbone)), self.summary)
        (folder / ORIGIN).write_text(json.dumps({"seed": self.module.seed}), encoding="utf-8")


def seed_of(folder: Path) -> int:
    """The seed that a saved fit began with."""
    return int(json.loads((folder / ORIGIN).read_text(encoding="utf-8"))["seed"])


def share_frozen(frozen: Sequence[nn.Parameter], backbone: Backbone) -> None:
    """Let frozen weights that equal the backbone's bit for bit lie in the same memory; others keep their own."""
    for parameter, base in zip(frozen, backbone.encoder.parameters(), strict=False):
        if not parameter.requires_grad and parameter.shape == base.shape and torch.equal(parameter, base):
            parameter.data = base.data


def weights_of(module: TunedEncoder, backbone: Backbone) -> Iterator[tuple[str, Tensor]]:
    """Every tensor that is not the backbone's, once, by name."""
    seen = {parameter.data_ptr() for parameter in backbone.encoder.parameters()}
    for name, tensor in module.encoder.state_dict().items():
        if tensor.numel() and tensor.data_ptr() not in seen:
            seen.add(tensor.data_ptr())
            yield name, tensor
    yield from ((HEAD + name, tensor) for name, tensor in module.head.state_dict().items())


def restore(module: TunedEncoder, weights: dict[str, Tensor], backbone: Backbone) -> None:
    """Copy weights into a new module of the same configuration."""
    tensors = dict(weights_of(module, backbone))
    wrong = [name for name in tensors.keys() | weights.keys() if _shape(tensors, name) != _shape(weights, name)]
    if wrong:
        raise MethodError(f"the saved weights are of another configuration: they differ in {sorted(wrong)[0]}")
    for name, tensor in tensors.items():
        tensor.copy_(weights[name])


def _shape(weights: dict[str, Tensor], name: str) -> torch.Size | None:
    return weights[name].shape if name in weights else None
