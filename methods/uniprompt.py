"""UniPrompt (Huang et al., EMNLP 2022): a template in a tower of its own, and classes as new words at its mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.folder import read_config
from xlt_bench.backbones.lm_head import check_lm_head
from xlt_bench.backbones.source import BackboneSource
from xlt_bench.errors import ConfigError
from xlt_bench.io.texts import shortened
from xlt_bench.method import Context
from xlt_bench.methods.full_finetuning import FullFinetuning
from xlt_bench.recipe import Recipe
from xlt_bench.resources.template import TEXT
from xlt_bench.task import Labelled
from xlt_bench.training.bottleneck import check_adaptable
from xlt_bench.training.classifier import ClassifierForward
from xlt_bench.training.data import text_limit, tokenise
from xlt_bench.training.losses import Loss, mean_cross_entropy
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.tuned_encoder import EncoderTuning, FittedEncoder, TunedEncoder
from xlt_bench.training.two_towers import ClassRows, TwoTowers
from xlt_bench.verbaliser.template import MASK


@dataclass(frozen=True, kw_only=True)
class UniPrompt(EncoderTuning):
    """The state at a template's mask is scored by a row a class, which starts as the mean state of its train texts.

    Args:
        template: a text with `{mask}` in it once; the item's own text goes through the other tower.
        share: of the layers, from below, that are there twice; the number is rounded down.
        train: `all` weights, as published; or the template's tower and the head alone, on a frozen backbone.
        learning_rate: of the weights in the encoder, in place of the preset's.
        head_learning_rate: of the head, in place of the preset's.
    """

    template: str = "It's {mask} ."
    share: float = 0.75
    train: Literal["all", "prompt-tower"] = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 <= self.share < 1.0:
            raise ConfigError(f"share of uniprompt is from 0 to less than 1, so that towers meet, not {self.share:g}")
        if TEXT in self.template:
            raise ConfigError(
                f"the template '{shortened(self.template)}' of uniprompt stands apart from the text; leave {TEXT} out"
            )
        if self.template.count(MASK) != 1:
            raise ConfigError(
                f"the template '{shortened(self.template)}' has {MASK} {self.template.count(MASK)} times; write it "
                'once, such as "It\'s {mask} ."'
            )

    def check_backbone(self, source: BackboneSource) -> None:
        """Refuse one without a masked language model head or of another build, and what leaves nothing to train."""
        check_adaptable(source.architecture, source.name)
        check_lm_head(source)
        ids, _ = template_ids(self.template, source.tokenizer)
        positions = source.architecture.positions
        if positions is not None and len(ids) > positions:
            raise ConfigError(
                f"the template '{shortened(self.template)}' has {len(ids)} tokens, and backbone '{source.name}' has "
                f"{positions} positions; take a shorter template"
            )
        layers = int(read_config(source.name, source.folder).num_hidden_layers)
        if self.train == "prompt-tower" and not self._depth(layers):
            raise ConfigError(
                f"share={self.share:g} of the {layers} layers of backbone '{source.name}' is none, so "
                "train=prompt-tower has no tower to train; take a larger share, or train=all"
            )

    def recipe_for(self, preset: str, common: Recipe) -> Recipe:
        """That of full fine-tuning."""
        return FullFinetuning().recipe_for(preset, common)

    def insert(self, encoder: nn.Module, backbone: Backbone) -> nn.Module:
        """Make two towers of its lower layers."""
        ids, mask = template_ids(self.template, backbone.tokenizer)
        towers = TwoTowers(encoder, self._depth(int(backbone.encoder.config.num_hidden_layers)), ids, mask)
        (towers if self.train == "all" else towers.template_layers).requires_grad_(True)
        return towers

    def _depth(self, layers: int) -> int:
        """How many layers are there twice."""
        return int(self.share * layers)

    def roles(self, encoder: nn.Module) -> Roles:
        """All of it is the backbone's."""
        return {"backbone": [parameter for parameter in encoder.parameters() if parameter.requires_grad]}

    def new_head(self, backbone: Backbone, classes: int) -> nn.Module:
        """That of the language model, trained too, with rows for the classes."""
        return ClassRows(backbone.lm_head.transform(), backbone.architecture.head_width, classes)

    def forward(self, context: Context, loss: Loss = mean_cross_entropy) -> ClassifierForward:
        """The state at the mask is read, whatever the read-out."""
        return ClassifierForward(context.backbone, "first", loss)

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedEncoder:
        """Fit one seed, from rows that are the classes' mean states."""
        module = self.new_module(context.backbone, len(context.labels), context.seed)
        assert isinstance(module.head, ClassRows)
        with torch.no_grad():
            module.head.rows.weight.copy_(self.class_means(module, train, context))
        return self.train_module(module, train, dev, context, context.recipe.source)

    @torch.no_grad()
    def class_means(self, module: TunedEncoder, train: Labelled, context: Context) -> Tensor:
        """Mean state at the mask over the train texts of each class, (classes, d): before the head's own layers, as in
        the authors' code. A class without a text has the mean over all.
        """
        backbone, classes = context.backbone, len(context.labels)
        texts = tokenise(train.examples, backbone, context.recipe, text_limit(backbone, context.recipe, 0))
        forward = self.forward(context)
        sums = torch.zeros(classes, backbone.architecture.head_width, device=backbone.device)
        for index in texts.sorted_batches():
            (outputs,) = forward.outputs([module.eval()], [texts.batch(index)])
            sums.index_add_(0, torch.from_numpy(train.gold[index]).to(sums.device), outputs.states)
        counts = torch.from_numpy(np.bincount(train.gold, minlength=classes)).to(sums).unsqueeze(1)
        return torch.where(counts > 0, sums / counts.clamp(min=1), sums.sum(0) / counts.sum())


def template_ids(template: str, tokenizer: Any) -> tuple[list[int], int]:
    """Token ids of a template, special tokens included, and the place of its mask.

    Raises:
        ConfigError: the tokenizer reads no mask in it, or several.
    """
    ids: list[int] = tokenizer(template.replace(MASK, tokenizer.mask_token))["input_ids"]
    count = ids.count(tokenizer.mask_token_id)
    if count != 1:
        raise ConfigError(
            f"the tokenizer reads {count} mask tokens in the template '{shortened(template)}'; write {MASK} once, and "
            f"'{tokenizer.mask_token}' nowhere"
        )
    return ids, ids.index(tokenizer.mask_token_id)
