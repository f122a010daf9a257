"""A method's own loss, batches and views, and prompts that depend on the item."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.support.fits import DEV, TEST, TRAIN, context, copied, difference, loud, short
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.batches import Batch
from xlt_bench.errors import MethodError
from xlt_bench.methods.bitfit import BitFit
from xlt_bench.methods.full_finetuning import FullFinetuning
from xlt_bench.methods.spt import SPT, StandardPrompt
from xlt_bench.recipe import Rate, Recipe
from xlt_bench.task import Labelled
from xlt_bench.training.data import TrainData, tokenised
from xlt_bench.training.hooks import TrainingHooks
from xlt_bench.training.losses import Outputs, Terms, cross_entropy
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.order import Index, all_views
from xlt_bench.training.prompted import PromptedForward, PromptedTexts
from xlt_bench.training.soft_prompt import SoftPrompt


def spread(states: Tensor) -> Tensor:
    """A term that no part of a batch can compute by itself: the mean squared cosine of different rows."""
    directions = functional.normalize(states, dim=1)
    return (directions @ directions.T).square().mean()


class SpreadLoss(TrainingHooks):
    def loss(self, outputs: Outputs, batch: Batch) -> Terms:
        return {"cross_entropy": cross_entropy(outputs, batch), "spread": 0.5 * spread(outputs.states)}


@dataclass(frozen=True, kw_only=True)
class Spread(SpreadLoss, SPT):
    pass


@dataclass(frozen=True, kw_only=True)
class SameLoss(SPT):
    def loss(self, outputs: Outputs, batch: Batch) -> Terms:
        return {"cross_entropy": cross_entropy(outputs, batch)}


def test_gradients_of_an_own_loss_are_those_of_the_whole_batch(
    tiny_backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever blocks it goes through the backbone in: transformers' model and autograd on one padded batch agree."""
    monkeypatch.setattr("xlt_bench.training.prompted.tokens_at_once", lambda device: 60)
    method = Spread()
    module = method.new_module(context(tiny_backbone)).train()
    data = tokenised(TRAIN, DEV, context(tiny_backbone), 20)
    batch = data.train.batch(np.arange(24))
    assert len(batch.block_rows(60, 20)) > 3
    (terms,) = PromptedForward(tiny_backbone, 1, loss=method.loss).gradients([module], [batch])
    ours = {name: parameter.grad.clone() for name, parameter in module.named_parameters()}  # type: ignore[union-attr]
    module.zero_grad()
    states = tiny_backbone.hidden(module.prompt().expand(24, -1, -1), batch, "first")
    expected = functional.cross_entropy(module.head(states), batch.gold) + 0.5 * spread(states)  # type: ignore[arg-type]
    expected.backward()
    theirs = {name: parameter.grad for name, parameter in module.named_parameters()}
    assert float(sum(terms.values())) == pytest.approx(float(expected), abs=1e-5)  # type: ignore[arg-type]
    assert difference(ours, theirs) < 1e-5  # type: ignore[arg-type]
    assert max(float(gradient.abs().max()) for gradient in ours.values()) > 1e-3


def test_cross_entropy_as_an_own_loss_trains_as_the_usual_one(tiny_backbone: Backbone) -> None:
    given = context(tiny_backbone)
    usual, own = SPT().fit(TRAIN, DEV, given), SameLoss().fit(TRAIN, DEV, given)
    assert difference(copied(usual.module), copied(own.module)) < 1e-5


@pytest.mark.parametrize("method", [Spread()], ids=["spread"])
def test_seeds_in_a_pack_equal_the_same_seeds_alone_and_every_term_is_kept(
    method: SPT, tiny_backbone: Backbone
) -> None:
    contexts = [context(tiny_backbone, loud(evaluate_every=4), seed) for seed in (1, 2, 3)]
    for fitted, given in zip(method.fit_many(TRAIN, DEV, contexts), contexts, strict=True):
        alone = method.fit(TRAIN, DEV, given)
        assert difference(copied(fitted.module), copied(alone.module)) < 1e-5
        for point in fitted.summary.history:
            assert set(point.terms) == {"cross_entropy", "spread"}
            assert math.isclose(sum(point.terms.values()), point.train_loss, rel_tol=1e-5)


def test_the_history_of_the_usual_loss_has_its_one_term(tiny_backbone: Backbone) -> None:
    history = SPT().fit(TRAIN, DEV, context(tiny_backbone)).summary.history
    assert all(point.terms == {"cross_entropy": pytest.approx(point.train_loss)} for point in history)


@dataclass(frozen=True, kw_only=True)
class SpreadBitFit(SpreadLoss, BitFit):
    pass


@dataclass(frozen=True, kw_only=True)
class Consistent(FullFinetuning):
    """Two passes with dropout of their own over every item, whose answers are to agree (R-Drop)."""

    def batches(self, data: TrainData, recipe: Recipe, seed: int) -> Iterator[Index]:
        return (np.tile(rows, 2) for rows in super().batches(data, recipe, seed))

    def loss(self, outputs: Outputs, batch: Batch) -> Terms:
        assert batch.origin is not None
        half = len(batch) // 2
        assert torch.equal(batch.origin.item[:half], batch.origin.item[half:])
        one, two = outputs.logits.log_softmax(1).chunk(2)
        agreement = functional.kl_div(one, two, reduction="batchmean", log_target=True)
        return {"cross_entropy": cross_entropy(outputs, batch), "agreement": agreement}


@pytest.mark.parametrize("method", [SpreadBitFit(), Consistent()], ids=lambda m: type(m).__name__)
def test_tuned_encoders_have_the_same_hooks(
    method: SpreadBitFit | Consistent, tiny_backbone_with_dropout: Backbone
) -> None:
    recipe = short("cldr", steps=6, evaluate_every=3)
    recipe = Recipe(**{**vars(recipe), "rates": {**recipe.rates, "bias": Rate(1e-3)}})
    fitted = method.fit(TRAIN, DEV, context(tiny_backbone_with_dropout, recipe))
    name = "spread" if isinstance(method, SpreadBitFit) else "agreement"
    assert all(point.terms[name] > 0 for point in fitted.summary.history)


@dataclass(frozen=True, kw_only=True)
class TwoSpellings(SPT):
    """Every item as it is and with its words in reverse order."""

    def views(self, train: Labelled) -> Sequence[Labelled]:
        turned = [example._replace(text=" ".join(example.text.split()[::-1])) for example in train.examples]
        return (Labelled(tuple(turned), train.gold),)

    def batches(self, data: TrainData, recipe: Recipe, seed: int) -> Iterator[Index]:
        return all_views(super().batches(data, recipe, seed), data.items, 2)

    def loss(self, outputs: Outputs, batch: Batch) -> Terms:
        assert batch.origin is not None
        assert torch.equal(*batch.origin.item.chunk(2))
        assert not torch.equal(*batch.ids.chunk(2)), "the views are other texts"
        one, two = outputs.states.chunk(2)
        return {"cross_entropy": cross_entropy(outputs, batch), "distance": (one - two).square().mean()}


def test_views_are_trained_on_and_do_not_count_as_items(tiny_backbone: Backbone) -> None:
    recipe = loud(evaluate_every=None)
    phase = type(recipe.source)(steps=None, epochs=2)
    recipe = Recipe(**{**vars(recipe), "source": phase})
    fitted = TwoSpellings().fit(TRAIN, DEV, context(tiny_backbone, recipe))
    assert fitted.summary.steps == 2 * math.ceil(len(TRAIN) / recipe.batch_size)
    assert all(point.terms["distance"] > 0 for point in fitted.summary.history)


def test_a_view_of_other_length_is_refused(tiny_backbone: Backbone) -> None:
    with pytest.raises(MethodError, match="a view of the 60 train items has 24 items"):
        tokenised(TRAIN, DEV, context(tiny_backbone), 0, [DEV])


class ByLanguage(nn.Module):
    """A prompt for each source language; the mean of them for any other."""

    def __init__(self, codes: Sequence[str], vectors: int, width: int) -> None:
        super().__init__()
        self.codes = {code: number for number, code in enumerate(codes)}
        self.table = nn.Parameter(torch.randn(len(codes), vectors, width))

    def forward(self, texts: PromptedTexts) -> Tensor:
        mean = self.table.mean(0)
        rows = [self.table[self.codes[code]] if code in self.codes else mean for code in texts.languages]
        return torch.stack(rows) + texts.words.mean() * 0


@dataclass(frozen=True, kw_only=True)
class LanguagePrompt(SoftPrompt):
    per_item: ClassVar[bool] = True

    def build(self, width: int) -> nn.Module:
        return ByLanguage(("eng_Latn", "deu_Latn"), 4, width)

    def roles(self, prompt: nn.Module) -> Roles:
        return {"prompt": prompt.parameters()}


class Copied(StandardPrompt):
    """The same prompt for every item, as one that depends on it."""

    def forward(self, texts: PromptedTexts | None = None) -> Tensor:
        assert texts is not None
        return self.weight.expand(len(texts.mask), -1, -1)


@dataclass(frozen=True, kw_only=True)
class CopiedPrompt(SPT):
    per_item: ClassVar[bool] = True

    def build(self, width: int) -> nn.Module:
        return Copied(self.n_tokens, width)


@pytest.mark.parametrize("lean", [True, False])
def test_a_prompt_that_could_depend_on_the_item_and_does_not_is_spt(
    lean: bool, tiny_backbone_with_dropout_folder: Path, tiny_backbone: Backbone
) -> None:
    backbone = Backbone(tiny_backbone.source)
    if not lean:
        backbone.lean = None
    given = context(backbone)
    expected, fitted = SPT().fit(TRAIN, DEV, given), CopiedPrompt().fit(TRAIN, DEV, given)
    assert difference(copied(fitted.module), copied(expected.module)) < 1e-5
    np.testing.assert_allclose(fitted.predict(TEST.examples), expected.predict(TEST.examples), atol=1e-4)


def test_a_prompt_by_language_trains_its_own_rows_predicts_others_loads_and_adapts(
    tiny_backbone: Backbone, tmp_path: Path
) -> None:
    given = context(tiny_backbone)
    start = LanguagePrompt().new_module(given)
    fitted = LanguagePrompt().fit(TRAIN, DEV, given)  # all of it is English
    before, after = start.prompt.table, fitted.module.prompt.table
    assert not torch.equal(before[0], after[0])
    assert torch.equal(before[1], after[1])
    others = [example._replace(language="kat_Geor") for example in TEST.examples]
    texts = tiny_backbone.tokenise([(example.text, None) for example in others], 32)
    expected = tiny_backbone.hidden(after.mean(0).expand(40, -1, -1), texts.batch(range(40)), "first")
    np.testing.assert_allclose(fitted.predict(others), fitted.module.head(expected).detach().numpy(), atol=1e-5)
    assert not np.allclose(fitted.predict(others), fitted.predict(TEST.examples))
    fitted.save(tmp_path / "fit")
    assert not (tmp_path / "fit" / "cached_prompt.safetensors").exists()
    loaded = LanguagePrompt().load(tmp_path / "fit", given)
    np.testing.assert_array_equal(loaded.predict(TEST.examples), fitted.predict(TEST.examples))
    assert fitted.adapt(TRAIN, DEV, given).summary.steps > 0
