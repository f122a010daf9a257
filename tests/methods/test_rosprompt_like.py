"""Smoothing and penalty in closed form; without both it is spt-verbaliser."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.methods.test_nppprompt import given
from tests.support.commands import Command
from tests.support.fits import DEV, TEST, TRAIN, copied, difference
from tests.support.masked_lms import WORDS, PlainMaskedLm
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.errors import ConfigError
from xlt_bench.method import Scores
from xlt_bench.methods.rosprompt_like import RoSPromptLike, shift
from xlt_bench.methods.spt_verbaliser import SPTVerbaliser
from xlt_bench.training.data import tokenised
from xlt_bench.training.losses import Outputs, Terms
from xlt_bench.training.prompted import PromptedForward

ITEMS = TEST.examples[:6]


def terms_of(method: RoSPromptLike, backbone: Backbone) -> tuple[Terms, torch.Tensor]:
    """The terms of the loss of six texts, and the prompt before them."""
    prepared = given(backbone)
    module = method.new_module(prepared).train()
    data = tokenised(TEST, DEV, prepared, method.n_tokens, encode=method.encode)
    forward = PromptedForward(backbone, data.train.texts.pad_id, loss=method.loss)
    (terms,) = forward.gradients([module], [data.train.batch(np.arange(6))])
    backbone.frozen.eval()
    return terms, copied(module)["prompt.weight"]


def test_terms_are_the_closed_form(tiny_backbone: Backbone) -> None:
    plain = PlainMaskedLm(tiny_backbone.source.folder)
    terms, prompt = terms_of(RoSPromptLike(smoothing=0.3, penalty=2.0, n_tokens=4), tiny_backbone)
    texts = [f"{example.text} This is about {plain.tokenizer.mask_token}." for example in ITEMS]
    scores = torch.from_numpy(plain.scores(texts, WORDS, 12, prompt))
    log_shares = scores.log_softmax(1)
    gold = log_shares[torch.arange(6), torch.from_numpy(TEST.gold[:6])]
    smoothed = float(-(0.7 * gold + 0.3 * log_shares.mean(1)).mean())
    assert float(terms["cross_entropy"]) == pytest.approx(smoothed, abs=1e-5)
    without, prompted = (
        torch.stack([plain.mask_logits(text, vectors) for text in texts]).double().log_softmax(1)
        for vectors in (None, prompt)
    )
    divergence = float((without.exp() * (without - prompted)).sum(1).mean().detach())
    assert divergence > 1e-3, "or the test shows nothing"
    assert float(terms["penalty"]) == pytest.approx(2.0 * divergence, rel=1e-4)


def test_no_penalty_and_no_smoothing_is_spt_verbaliser(tiny_backbone: Backbone) -> None:
    prepared = given(tiny_backbone)
    plain = SPTVerbaliser(label_words=True, n_tokens=4).fit(TRAIN, DEV, prepared)
    robust = RoSPromptLike(smoothing=0.0, penalty=0.0, n_tokens=4).fit(TRAIN, DEV, prepared)
    assert difference(copied(robust.module), copied(plain.module)) < 1e-4
    np.testing.assert_allclose(robust.predict(ITEMS), plain.predict(ITEMS), rtol=0, atol=1e-4)


def test_no_prompt_shifts_nothing_and_dropout_is_left_as_it_was(tiny_backbone_with_dropout: Backbone) -> None:
    method, prepared = RoSPromptLike(n_tokens=0), given(tiny_backbone_with_dropout)
    module = method.new_module(prepared)
    batch = tokenised(TEST, DEV, prepared, 0, encode=method.encode).train.batch(np.arange(6))
    frozen = tiny_backbone_with_dropout.frozen
    for training in (False, True):
        frozen.train(training)
        (logits,) = PromptedForward(tiny_backbone_with_dropout, 1)([module.train(training)], [batch])
        states = method.new_head(prepared).states_without_prompt(batch)
        assert frozen.training is training
        value = float(shift(Outputs(logits, states, module), batch))
        assert value == pytest.approx(0.0, abs=1e-6)
    frozen.eval()


def test_the_penalty_holds_the_prompt_back(tiny_backbone: Backbone) -> None:
    prepared = given(tiny_backbone)
    free, bound = (
        RoSPromptLike(smoothing=0.0, penalty=penalty, n_tokens=4).fit(TRAIN, DEV, prepared) for penalty in (0.0, 50.0)
    )
    plain = SPTVerbaliser(label_words=True, n_tokens=0).fit(TRAIN, DEV, prepared).predict(TEST.examples)

    def distance(scores: Scores) -> float:
        shares, unprompted = (functional.softmax(torch.from_numpy(part), 1) for part in (scores, plain))
        return float((shares - unprompted).abs().mean())

    assert distance(bound.predict(TEST.examples)) < distance(free.predict(TEST.examples))
    assert "penalty" not in free.summary.history[0].terms
    assert bound.summary.history[0].terms["penalty"] > bound.summary.history[-1].terms["penalty"] > 0.0


def test_it_needs_label_words_and_says_what_cannot_be(program: Command) -> None:
    page = program("ls", "methods", "rosprompt-like").out
    assert "Needs beside labelled sources (--resource): label-words" in page
    assert RoSPromptLike().needs == {"label-words"}
    assert RoSPromptLike(label_words=False).needs == frozenset()
    for settings in ({"smoothing": 1.0}, {"smoothing": -0.1}, {"penalty": -1.0}):
        with pytest.raises(ConfigError, match="rosprompt-like needs 0 <= smoothing < 1 and a penalty of at least 0"):
            RoSPromptLike(**settings)  # type: ignore[arg-type]
