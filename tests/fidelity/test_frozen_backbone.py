"""The shared backbone stays as it is, bit for bit; the cached prompt is what its encoder gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.support.fits import DEV, TEST, TRAIN, context, loud, short, tokens
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.batches import tokens_at_once
from xlt_bench.backbones.source import locate
from xlt_bench.errors import DivergedError
from xlt_bench.methods.dual import DUAL
from xlt_bench.methods.full_finetuning import FullFinetuning
from xlt_bench.methods.head_only import HeadOnly
from xlt_bench.methods.spt import SPT
from xlt_bench.methods.xpe import XPE
from xlt_bench.training.prompted import PromptedForward
from xlt_bench.training.soft_prompt import SoftPrompt

METHODS = [SPT(), XPE(), DUAL(), HeadOnly()]


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_fit_adapt_and_predict_leave_the_backbone_bit_identical(
    method: SoftPrompt, tiny_backbone_with_dropout: Backbone
) -> None:
    backbone = tiny_backbone_with_dropout
    before = backbone.weights_hash()
    fitted = method.fit(TRAIN, DEV, context(backbone, loud(steps=5)))
    fitted.adapt(TRAIN, DEV, context(backbone, loud(steps=5))).predict(TEST.examples)
    assert backbone.weights_hash() == before
    assert all(parameter.grad is None for parameter in backbone.encoder.parameters())


def test_full_finetuning_trains_a_copy_and_leaves_the_shared_backbone(tiny_backbone: Backbone) -> None:
    before = tiny_backbone.weights_hash()
    recipe = short(method="full-finetuning", steps=3)
    fitted = FullFinetuning(learning_rate=1e-3).fit(TRAIN, DEV, context(tiny_backbone, recipe))
    assert tiny_backbone.weights_hash() == before
    shared, own = list(tiny_backbone.encoder.parameters()), list(fitted.module.encoder.parameters())
    assert not any(torch.equal(one, other) for one, other in zip(shared, own, strict=True))
    assert not any(one.data_ptr() == other.data_ptr() for one, other in zip(shared, own, strict=True))


def test_the_hash_sees_one_changed_weight(tiny_backbone_folder: Path) -> None:
    own = Backbone(locate(str(tiny_backbone_folder)))
    before = own.weights_hash()
    with torch.no_grad():
        own.encoder.get_parameter("encoder.layer.0.output.dense.weight")[3, 4] += 1e-6
    assert own.weights_hash() != before


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_the_cached_prompt_predicts_as_the_encoder_run_anew(method: SoftPrompt, tiny_backbone: Backbone) -> None:
    fitted = method.fit(TRAIN, DEV, context(tiny_backbone, loud(steps=10, evaluate_every=2)))
    texts = tokens(tiny_backbone, TEST)
    forward = PromptedForward(tiny_backbone, texts.pad_id)
    anew = np.zeros((len(TEST), 7), np.float32)
    with torch.no_grad():
        for index in texts.sorted_batches(len(fitted.prompt), tokens_at_once(tiny_backbone.device)):
            anew[index] = forward([fitted.module.eval()], [texts.batch(index)])[0].numpy()
    assert np.array_equal(fitted.predict(TEST.examples), anew)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_the_saved_prompt_is_what_the_reloaded_encoder_gives(
    method: SoftPrompt, tiny_backbone: Backbone, tmp_path: Path
) -> None:
    given = context(tiny_backbone, loud(steps=10, evaluate_every=2))
    method.fit(TRAIN, DEV, given).save(tmp_path)
    saved = load_file(tmp_path / "cached_prompt.safetensors")["prompt"]
    assert torch.equal(saved, method.load(tmp_path, given).module.prompt())


def test_the_shared_encoder_is_in_eval_mode_after_a_fit_that_diverged(tiny_backbone: Backbone) -> None:
    with pytest.raises(DivergedError):
        SPT(learning_rate=1e30).fit(TRAIN, DEV, context(tiny_backbone, loud(steps=10, evaluate_every=10)))
    assert not tiny_backbone.encoder.training
