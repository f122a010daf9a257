"""How many numbers are trained: the paper's counts on XLM-R large, and what a FitSummary declares."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import XLMRobertaConfig, XLMRobertaModel

from tests.support.fits import DEV, LABELS, NO_DATA, TRAIN, context, copied, loud, short
from xlt_bench.backbones.architectures import architecture_of
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import BackboneSource
from xlt_bench.method import Context, FitSummary
from xlt_bench.methods.dual import DUAL, DUAL30, DualPrompt
from xlt_bench.methods.full_finetuning import FullFinetuning
from xlt_bench.methods.head_only import HeadOnly
from xlt_bench.methods.spt import SPT
from xlt_bench.methods.xpe import XPE
from xlt_bench.plugins.methods import configure
from xlt_bench.training.lane import Lane
from xlt_bench.training.soft_prompt import SoftPrompt

HEAD = 1024 * 1024 + 1024 + 1024 * 7 + 7
ENCODER = (1024 * 256 + 256) + (256 * 256 + 256) + (256 * 1024 + 1024)


@pytest.fixture(scope="module")
def xlmr_large() -> Backbone:
    """XLM-R large's architecture without storage for its weights."""
    config = XLMRobertaConfig(
        vocab_size=250_002,
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
        max_position_embeddings=514,
        type_vocab_size=1,
        pad_token_id=1,
    )
    backbone = Backbone(BackboneSource("xlm-roberta-large", Path(), "", architecture_of(config)), device="meta")
    with torch.device("meta"):
        backbone.encoder = XLMRobertaModel(config, add_pooling_layer=False).requires_grad_(False)
    return backbone


def declared(method: SoftPrompt, given: Context) -> FitSummary:
    """The summary of a fit of no steps."""
    module, recipe = method.new_module(given), given.recipe
    roles = {**method.roles(module.prompt), "head": module.head.parameters()}
    lane = Lane(module, roles, given, recipe, recipe.source, NO_DATA, iter(()))
    lane.evaluated(dev_loss=1.0, dev_accuracy=0.5)
    return lane.close()


@pytest.mark.parametrize(
    ("method", "count"),
    [
        (XPE(), 1_668_615),
        (SPT(), 1_077_255),
        (HeadOnly(), 1_056_775),
        (DUAL(), 20 * 1024 + ENCODER + HEAD),
        (DUAL30(), 20 * 1024 + ENCODER + HEAD),
    ],
    ids=lambda value: type(value).__name__,
)
def test_trained_parameters_on_xlmr_large(method: SoftPrompt, count: int, xlmr_large: Backbone) -> None:
    assert len(LABELS) == 7
    assert declared(method, context(xlmr_large)).trainable_parameters == count


def test_xpe_trains_less_than_three_thousandths_of_xlmr_large(xlmr_large: Backbone) -> None:
    whole = sum(parameter.numel() for parameter in xlmr_large.encoder.parameters())
    assert whole == 558_840_832
    assert 0.003 * whole > 1_668_615


@pytest.mark.parametrize(("name", "encoded"), [("dual-70", 14), ("dual-30", 6), ("dual", 14)])
def test_share_of_encoded_vectors(name: str, encoded: int, tiny_backbone: Backbone) -> None:
    method = configure(name, {}).method
    assert isinstance(method, DUAL)
    prompt = method.new_module(context(tiny_backbone)).prompt
    assert isinstance(prompt, DualPrompt)
    assert (len(prompt.encoded.pseudo), len(prompt.standard.weight)) == (encoded, 20 - encoded)


@pytest.mark.parametrize(("share", "encoded"), [(0.01, 1), (0.99, 19), (0.34, 6), (0.36, 7)])
def test_share_is_truncated_with_one_vector_of_each_kind(share: float, encoded: int) -> None:
    assert DUAL(encoded=share).encoded_vectors == encoded


@pytest.mark.parametrize("method", [SPT(), XPE(), DUAL(), HeadOnly()], ids=lambda m: type(m).__name__)
def test_declared_parameters_are_those_that_training_changes(method: SoftPrompt, tiny_backbone: Backbone) -> None:
    given = context(tiny_backbone, loud(steps=3))
    start = copied(method.new_module(given))
    fitted = method.fit(TRAIN, DEV, given)
    end = copied(fitted.module)
    changed = [name for name in start if not torch.equal(start[name], end[name])]
    assert changed == list(start)
    assert fitted.summary.trainable_parameters == sum(end[name].numel() for name in changed)


def test_full_finetuning_declares_encoder_and_head(tiny_backbone: Backbone) -> None:
    fitted = FullFinetuning().fit(TRAIN, DEV, context(tiny_backbone, short(method="full-finetuning", steps=2)))
    encoder = sum(parameter.numel() for parameter in tiny_backbone.encoder.parameters())
    assert fitted.summary.trainable_parameters == encoder + (32 * 32 + 32) + (32 * 7 + 7)
