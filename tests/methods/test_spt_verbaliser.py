"""The soft prompt before a template: none is NPPrompt; scores and gradients are those of transformers' own model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.methods.test_nppprompt import given
from tests.support.architectures import tiny_model
from tests.support.fits import DEV, LABELS, TEST, TRAIN, context, copied, loud, same
from tests.support.masked_lms import WORDS, PlainMaskedLm
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.conformance.tiny_masked_lm import save_masked_lm
from xlt_bench.errors import ConfigError
from xlt_bench.methods.nppprompt import NPPrompt
from xlt_bench.methods.spt_verbaliser import SPTVerbaliser
from xlt_bench.training.data import tokenised
from xlt_bench.training.prompted import PromptedForward

ITEMS = TEST.examples[:6]


@pytest.fixture(scope="module")
def masked_lm(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    """One that knows the toy task."""
    folder = tmp_path_factory.mktemp("masked-lm")
    save_masked_lm(folder)
    return Backbone(locate(str(folder)))


@pytest.mark.parametrize("calibration", ["none", "contextual"])
def test_no_vectors_is_nppprompt_bit_for_bit(masked_lm: Backbone, calibration: str, tmp_path: Path) -> None:
    plain = NPPrompt(calibration=calibration).fit(TRAIN, DEV, context(masked_lm))  # type: ignore[arg-type]
    method = SPTVerbaliser(n_tokens=0, calibration=calibration)  # type: ignore[arg-type]
    fitted = method.fit(TRAIN, DEV, context(masked_lm))
    scores = plain.predict(TEST.examples)
    np.testing.assert_array_equal(fitted.predict(TEST.examples), scores)
    assert fitted.summary == plain.summary
    fitted.save(tmp_path)
    np.testing.assert_array_equal(method.load(tmp_path, context(masked_lm)).predict(TEST.examples), scores)
    np.testing.assert_array_equal(fitted.adapt(TRAIN, DEV, context(masked_lm)).predict(TEST.examples), scores)


@pytest.mark.parametrize("model_type", ["xlm-roberta", "albert"])
def test_scores_behind_a_prompt_are_those_of_transformers(model_type: str, tmp_path: Path) -> None:
    """XLM-R goes through the lean pass, ALBERT through its own."""
    folder = tiny_model(tmp_path / model_type, model_type)
    plain, backbone = PlainMaskedLm(folder), Backbone(locate(str(folder)))
    fitted = SPTVerbaliser(label_words=True, n_tokens=5).fit(TRAIN, DEV, given(backbone))
    texts = [f"{example.text} This is about {plain.tokenizer.mask_token}." for example in ITEMS]
    expected = plain.scores(texts, WORDS, 12, copied(fitted.module)["prompt.weight"])
    np.testing.assert_allclose(fitted.predict(ITEMS), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("model_type", ["xlm-roberta", "albert"])
def test_the_gradient_is_that_of_transformers(model_type: str, tmp_path: Path) -> None:
    """Of mean cross entropy over the scores of classes, with dropout off on both sides."""
    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "classifier_dropout_prob": 0.0}
    folder = tiny_model(tmp_path / model_type, model_type, none)
    plain, backbone = PlainMaskedLm(folder), Backbone(locate(str(folder)))
    method, prepared = SPTVerbaliser(label_words=True, n_tokens=5), given(backbone)
    module = method.new_module(prepared).train()
    data = tokenised(TEST, DEV, prepared, 5, encode=method.encode)
    batch = data.train.batch(np.arange(6))
    (terms,) = PromptedForward(backbone, data.train.texts.pad_id).gradients([module], [batch])
    backbone.frozen.eval()

    prompt = copied(module)["prompt.weight"].requires_grad_()
    columns = [[plain.nearest(word, 12) for word in words] for words in WORDS.values()]
    rows = []
    for example in ITEMS:
        logits = plain.mask_logits(f"{example.text} This is about {plain.tokenizer.mask_token}.", prompt)
        words = [[(logits[near] * torch.tensor(w).float()).sum() for near, w in column] for column in columns]
        rows.append(torch.stack([torch.stack(of_class).max() for of_class in words]))
    loss = functional.cross_entropy(torch.stack(rows), torch.from_numpy(TEST.gold[:6]))
    loss.backward()
    torch.testing.assert_close(terms["cross_entropy"], loss.detach(), rtol=0, atol=1e-5)
    torch.testing.assert_close(module.prompt.get_parameter("weight").grad, prompt.grad, rtol=0, atol=1e-5)


def test_the_prompt_alone_is_trained_and_learns(masked_lm: Backbone) -> None:
    method = SPTVerbaliser(n_tokens=4)
    start = copied(method.new_module(context(masked_lm)))
    fitted = method.fit(TRAIN, DEV, context(masked_lm, loud(steps=60)))
    trained = copied(fitted.module)
    assert list(trained) == ["prompt.weight"]
    assert not same(trained, start)
    assert fitted.summary.trainable_parameters == 4 * masked_lm.architecture.prompt_width
    first, last = fitted.summary.history[0], fitted.summary.history[-1]
    assert last.dev_loss < first.dev_loss
    assert (fitted.predict(TEST.examples).argmax(1) == TEST.gold).mean() > 0.8


def test_what_it_learned_is_loaded_and_adapted(masked_lm: Backbone, tmp_path: Path) -> None:
    method, prepared = SPTVerbaliser(n_tokens=4, calibration="contextual"), context(masked_lm)
    fitted = method.fit(TRAIN, DEV, prepared)
    fitted.save(tmp_path)
    scores = fitted.predict(TEST.examples)
    np.testing.assert_array_equal(method.load(tmp_path, prepared).predict(TEST.examples), scores)
    adapted = fitted.adapt(TRAIN, DEV, prepared)
    assert not np.array_equal(adapted.predict(TEST.examples), scores)
    np.testing.assert_array_equal(fitted.predict(TEST.examples), scores)


def test_resources_and_settings() -> None:
    assert SPTVerbaliser().needs == frozenset()
    assert SPTVerbaliser(consistency=1.0, label_words=True, template="file", calibration="batch").needs == {
        "source-parallel", "label-words", "template", "unlabelled-target",
    }  # fmt: skip
    with pytest.raises(ConfigError, match="a prompt has n_tokens >= 0, not -1"):
        SPTVerbaliser(n_tokens=-1)
    assert len(LABELS) == 7
