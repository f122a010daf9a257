"""Where dropout is active: in the prompt encoder while fitting on sources only, in the backbone while fitting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.support.fits import DEV, TEST, TRAIN, context, copied, loud, same
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.lean import LeanEncoder
from xlt_bench.backbones.lean import attention_by_text as lean_attention_by_text
from xlt_bench.backbones.lean import dropout as lean_dropout
from xlt_bench.backbones.lean import norm as lean_norm
from xlt_bench.backbones.lean import padded as lean_padded
from xlt_bench.backbones.lean.attention import attention
from xlt_bench.backbones.lean.attention_by_text import AttentionByText
from xlt_bench.backbones.lean.dropout import random_mask
from xlt_bench.method import Context
from xlt_bench.methods.dual import DUAL
from xlt_bench.methods.spt import SPT
from xlt_bench.methods.xpe import XPE
from xlt_bench.training.prompted import Prompted
from xlt_bench.training.soft_prompt import FittedPrompt, SoftPrompt


class Zeroed:
    """The share of a dropout layer's inputs that it set to zero, for each call while learning and while not."""

    def __init__(self, layer: nn.Module) -> None:
        self.learning: list[float] = []
        self.evaluating: list[float] = []
        # a function, unlike a bound method, is not copied along with its module: copies of the layer report here too
        layer.register_forward_hook(lambda _, given, output: self.note(given[0], output))

    def note(self, given: Tensor, output: Tensor) -> None:
        share = float((output[given != 0] == 0).float().mean())
        (self.learning if torch.is_grad_enabled() else self.evaluating).append(share)


def encoder_dropouts(module: Prompted) -> list[nn.Module]:
    return [part for part in module.prompt.modules() if isinstance(part, nn.Dropout)]


def trained(method: SoftPrompt, given: Context, watch: Callable[[Prompted], None]) -> FittedPrompt:
    module = method.new_module(given)
    watch(module)
    return method.train_modules([module], TRAIN, DEV, [given], given.recipe.source)[0]


@pytest.mark.parametrize("method", [XPE(), DUAL()], ids=lambda m: type(m).__name__)
def test_the_encoder_drops_a_tenth_while_fitting_on_sources(method: SoftPrompt, tiny_backbone: Backbone) -> None:
    watched: list[Zeroed] = []
    given = context(tiny_backbone, loud(steps=20))
    fitted = trained(method, given, lambda module: watched.extend(map(Zeroed, encoder_dropouts(module))))
    fitted.predict(TEST.examples)
    assert len(watched) == 2, "one after each hidden layer"
    for layer in watched:
        assert np.mean(layer.learning) == pytest.approx(0.1, abs=0.02)
        assert set(layer.evaluating) == {0.0}


@pytest.mark.parametrize("method", [XPE(), DUAL()], ids=lambda m: type(m).__name__)
def test_the_encoder_drops_nothing_while_adapting(method: SoftPrompt, tiny_backbone: Backbone) -> None:
    given = context(tiny_backbone, loud(steps=6))
    fitted = method.fit(TRAIN, DEV, given)
    watched = [Zeroed(layer) for layer in encoder_dropouts(fitted.module)]
    fitted.adapt(TRAIN, DEV, given)
    assert [set(layer.learning) for layer in watched] == [{0.0}, {0.0}]
    assert all(len(layer.learning) == 6 for layer in watched)


@pytest.mark.parametrize("method", [SPT(), XPE(), DUAL()], ids=lambda m: type(m).__name__)
def test_adapting_leaves_the_source_fit_as_it_is(method: SoftPrompt, tiny_backbone: Backbone) -> None:
    given = context(tiny_backbone, loud(steps=6))
    fitted = method.fit(TRAIN, DEV, given)
    state, summary, scores = copied(fitted.module), fitted.summary, fitted.predict(TEST.examples)
    adapted = fitted.adapt(TRAIN.take(range(20)), DEV, given)
    assert same(copied(fitted.module), state)
    assert fitted.summary == summary
    assert np.array_equal(fitted.predict(TEST.examples), scores)
    assert [getattr(layer, "p", None) for layer in encoder_dropouts(fitted.module)] == [
        0.1 for _ in encoder_dropouts(fitted.module)
    ]
    assert not np.allclose(adapted.predict(TEST.examples), scores)


def test_adapting_starts_from_the_source_fit(tiny_backbone: Backbone) -> None:
    given = context(tiny_backbone, loud(steps=6))
    fitted = XPE().fit(TRAIN, DEV, given)
    still = loud(steps=1).with_rates(pseudo=0.0, encoder=0.0, head=0.0)
    adapted = fitted.adapt(TRAIN, DEV, context(tiny_backbone, still, seed=8))
    assert same(copied(adapted.module), copied(fitted.module))


def backbone_dropouts(backbone: Backbone) -> list[Zeroed]:
    return [Zeroed(part) for part in backbone.encoder.modules() if isinstance(part, nn.Dropout)]


def test_the_backbone_s_own_dropout_is_active_while_fitting_only(
    tiny_backbone_with_dropout: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares: dict[bool, list[float]] = {True: [], False: []}

    def watched(shape: torch.Size, share: float) -> Tensor:
        mask = random_mask(shape, share)
        shares[fitting].append(float((mask == 0).float().mean()))
        return mask

    for module in (lean_dropout, lean_attention_by_text, lean_norm):
        monkeypatch.setattr(module, "random_mask", watched)
    fitting = True
    fitted = SPT().fit(TRAIN, DEV, context(tiny_backbone_with_dropout, loud(steps=8, evaluate_every=8)))
    assert len(shares[True]) == 8 * 8, "the prompt's rows, the words, and three times in each of 2 layers"
    assert np.mean(shares[True]) == pytest.approx(0.1, abs=0.01)
    fitting = False
    fitted.predict(TEST.examples)
    assert shares[False] == []


def test_the_backbone_s_own_dropout_is_active_in_an_encoder_that_is_run_whole(
    tiny_backbone_with_dropout: Backbone,
) -> None:
    tiny_backbone_with_dropout.lean = None
    watched = backbone_dropouts(tiny_backbone_with_dropout)
    fitted = SPT().fit(TRAIN, DEV, context(tiny_backbone_with_dropout, loud(steps=8)))
    fitted.predict(TEST.examples)
    called = [layer for layer in watched if layer.learning]
    assert len(called) >= 5, "after the embeddings, and twice in each of 2 layers"
    for layer in called:
        assert np.mean(layer.learning) == pytest.approx(0.1, abs=0.02)
        assert set(layer.evaluating) == {0.0}


@pytest.mark.parametrize("packed", [True, False])
def test_attention_dropout_of_the_backbone_is_active_while_fitting(
    packed: bool, tiny_backbone_with_dropout: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares: dict[bool, list[float]] = {True: [], False: []}

    def watched(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def call(*arguments: Any) -> Tensor:
            shares[torch.is_grad_enabled()].append(arguments[-1])
            return function(*arguments)

        return call

    monkeypatch.setattr(lean_padded, "attention", watched(attention))
    monkeypatch.setattr(AttentionByText, "__call__", watched(AttentionByText.__call__))
    if not packed:
        monkeypatch.setattr(LeanEncoder, "packs", False)
    fitted = SPT().fit(TRAIN, DEV, context(tiny_backbone_with_dropout, loud(steps=3)))
    fitted.predict(TEST.examples)
    assert set(shares[True]) == {0.1}
    assert set(shares[False]) == {0.0}
    assert len(shares[True]) == 3 * 2, "in each of 2 layers"


def test_attention_dropout_is_active_in_an_encoder_that_is_run_whole(
    tiny_backbone_with_dropout: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attention weights are dropped inside torch's fused attention, which no hook sees."""
    tiny_backbone_with_dropout.lean = None
    told: dict[bool, set[float]] = {True: set(), False: set()}
    attention = nn.functional.scaled_dot_product_attention

    def watched(query: Tensor, key: Tensor, value: Tensor, **options: Any) -> Tensor:
        told[torch.is_grad_enabled()].add(options["dropout_p"])
        return attention(query, key, value, **options)

    monkeypatch.setattr(nn.functional, "scaled_dot_product_attention", watched)
    fitted = SPT().fit(TRAIN, DEV, context(tiny_backbone_with_dropout, loud(steps=3)))
    fitted.predict(TEST.examples)
    assert told == {True: {0.1}, False: {0.0}}


def test_the_head_has_the_dropout_of_the_configuration(
    tiny_backbone: Backbone, tiny_backbone_with_dropout: Backbone
) -> None:
    for backbone, share in ((tiny_backbone, 0.0), (tiny_backbone_with_dropout, 0.1)):
        assert SPT().new_module(context(backbone)).head.dropout.p == share


def test_a_fit_after_a_prediction_is_in_train_mode_again(tiny_backbone_with_dropout: Backbone) -> None:
    given = context(tiny_backbone_with_dropout, loud(steps=3))
    first = SPT().fit(TRAIN, DEV, given)
    first.predict(TEST.examples)
    assert np.array_equal(SPT().fit(TRAIN, DEV, given).predict(TEST.examples), first.predict(TEST.examples))
