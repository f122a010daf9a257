"""With the same weights, logits are those of `peft` on transformers' XLM-R classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from numpy.testing import assert_allclose
from torch import Tensor, nn

from tests.support.fits import TEST, context, shake, tokens, unfitted
from tests.support.peft_reference import classifier, encode, logits, p_tuning, prompt_tuning
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.errors import BackboneError
from xlt_bench.method import FitSummary
from xlt_bench.methods.dual import DUAL, DUAL30, DualPrompt
from xlt_bench.methods.full_finetuning import FittedClassifier, FullFinetuning
from xlt_bench.methods.head_only import HeadOnly
from xlt_bench.methods.spt import SPT
from xlt_bench.methods.xpe import XPE, EncodedPrompt
from xlt_bench.training.prompted import PromptedForward
from xlt_bench.training.soft_prompt import FittedPrompt, SoftPrompt

LIMIT = 1e-5


@pytest.fixture(scope="module", params=["tiny", "nano"])
def encoder(request: pytest.FixtureRequest, tiny_backbone_folder: Path) -> Backbone:
    """The tiny backbone, and the shipped one."""
    try:
        return Backbone(locate(str(tiny_backbone_folder) if request.param == "tiny" else "nano"))
    except BackboneError as error:
        pytest.skip(str(error))


def reference(fitted: FittedPrompt, backbone: Backbone) -> Any:
    module = fitted.module
    if isinstance(module.prompt, EncodedPrompt):
        return p_tuning(backbone, module.head, module.prompt)
    if isinstance(module.prompt, DualPrompt):
        encoded = p_tuning(backbone, module.head, module.prompt.encoded).get_prompt(batch_size=1)[0]
        return prompt_tuning(backbone, module.head, torch.cat([module.prompt.standard.weight, encoded]))
    return prompt_tuning(backbone, module.head, fitted.prompt)


@pytest.mark.parametrize("method", [SPT(), XPE(), DUAL(), DUAL30(), XPE(n_tokens=3)], ids=lambda m: type(m).__name__)
def test_predict_equals_peft_on_texts_of_unequal_length(method: SoftPrompt, encoder: Backbone) -> None:
    fitted = unfitted(method, encoder)
    lengths = tokens(encoder, TEST).lengths
    assert len(set(lengths)) > 5, "padding would go untested"
    expected = logits(reference(fitted, encoder), encoder, TEST.examples)
    assert expected.std(0).min() > 100 * LIMIT, "the items must differ, or equality would tell nothing"
    assert_allclose(fitted.predict(TEST.examples), expected.numpy(), rtol=0, atol=LIMIT)


def test_predict_equals_peft_on_pairs_of_texts(tiny_backbone: Backbone) -> None:
    fitted = unfitted(SPT(), tiny_backbone)
    pairs = [one._replace(text_pair=other.text) for one, other in zip(TEST.examples, TEST.examples[1:], strict=False)]
    expected = logits(reference(fitted, tiny_backbone), tiny_backbone, pairs)
    assert_allclose(fitted.predict(pairs), expected.numpy(), rtol=0, atol=LIMIT)


def test_packed_forward_equals_peft_for_each_seed(tiny_backbone: Backbone) -> None:
    fits = [unfitted(XPE(), tiny_backbone, seed) for seed in (1, 2, 3)]
    parts = [TEST.take(range(start, start + 4)) for start in (0, 4, 8)]
    batches = [tokens(tiny_backbone, part).batch(range(4)) for part in parts]
    assert len({batch.ids.shape[1] for batch in batches}) > 1
    with torch.no_grad():
        packed = PromptedForward(tiny_backbone, pad_id=1)([fitted.module for fitted in fits], batches)
    for fitted, part, found in zip(fits, parts, packed, strict=True):
        expected = logits(reference(fitted, tiny_backbone), tiny_backbone, part.examples)
        assert_allclose(found.numpy(), expected.numpy(), rtol=0, atol=LIMIT)


@pytest.fixture
def whole(tiny_backbone_folder: Path) -> Backbone:
    """Run by transformers' own model, as encoders are that the library does not know well enough to cut short."""
    backbone = Backbone(locate(str(tiny_backbone_folder)))
    backbone.lean = None
    return backbone


@pytest.mark.parametrize("method", [SPT(), XPE(), DUAL()], ids=lambda m: type(m).__name__)
def test_predict_equals_peft_through_the_whole_encoder(method: SoftPrompt, whole: Backbone) -> None:
    fitted = unfitted(method, whole)
    expected = logits(reference(fitted, whole), whole, TEST.examples)
    assert_allclose(fitted.predict(TEST.examples), expected.numpy(), rtol=0, atol=LIMIT)


def test_the_cached_prompt_of_dual_in_peft_prompt_tuning_gives_the_same_logits(tiny_backbone: Backbone) -> None:
    fitted = unfitted(DUAL(), tiny_backbone)
    model = prompt_tuning(tiny_backbone, fitted.module.head, fitted.prompt)
    expected = logits(model, tiny_backbone, TEST.examples)
    assert_allclose(fitted.predict(TEST.examples), expected.numpy(), rtol=0, atol=LIMIT)


def test_head_only_equals_the_classifier_of_transformers(encoder: Backbone) -> None:
    fitted = unfitted(HeadOnly(), encoder)
    expected = logits(classifier(encoder, fitted.module.head), encoder, TEST.examples)
    assert_allclose(fitted.predict(TEST.examples), expected.numpy(), rtol=0, atol=LIMIT)


def test_full_finetuning_equals_the_classifier_of_transformers(tiny_backbone: Backbone) -> None:
    method, given = FullFinetuning(), context(tiny_backbone)
    module = method._new(given)
    shake(module.head.parameters())
    expected = logits(classifier(tiny_backbone, module.head), tiny_backbone, TEST.examples)
    found = FittedClassifier(method, module, given, FitSummary()).predict(TEST.examples)
    assert_allclose(found, expected.numpy(), rtol=0, atol=LIMIT)


class Inputs:
    """What reached a module."""

    def __init__(self, module: nn.Module) -> None:
        self.seen: list[Tensor] = []
        self._handle = module.register_forward_pre_hook(lambda _, given: self.seen.append(given[0].detach().clone()))

    def close(self) -> Tensor:
        self._handle.remove()
        return torch.cat(self.seen)


def test_positions_count_from_the_first_virtual_token_as_in_peft(whole: Backbone) -> None:
    fitted = unfitted(SPT(), whole)
    model = reference(fitted, whole)
    ours = Inputs(whole.encoder.get_submodule("embeddings.position_embeddings"))
    theirs = Inputs(model.base_model.roberta.embeddings.position_embeddings)
    fitted.predict(TEST.examples[:1])
    logits(model, whole, TEST.examples[:1])
    (positions,) = ours.close()
    length = len(tokens(whole, TEST).ids[0])
    assert positions.tolist() == list(range(2, 2 + 20 + length)), "XLM-R's positions start at padding_idx + 1 = 2"
    assert torch.equal(positions, theirs.close()[0])


def test_the_head_reads_the_first_virtual_token_as_in_peft(tiny_backbone: Backbone) -> None:
    fitted = unfitted(SPT(), tiny_backbone)
    model = reference(fitted, tiny_backbone)
    ours, theirs = Inputs(fitted.module.head), Inputs(model.base_model.classifier.modules_to_save.default)
    order = tokens(tiny_backbone, TEST).lengths.argsort(kind="stable")
    fitted.predict(TEST.examples)
    logits(model, tiny_backbone, TEST.take(order).examples)
    hidden = theirs.close()
    assert_allclose(ours.close().numpy(), hidden[:, 0].numpy(), rtol=0, atol=LIMIT)
    assert (hidden[:, 0] - hidden[:, 20]).abs().max() > 100 * LIMIT, "<s>, at position 20, is another vector"


def test_padding_changes_nothing(tiny_backbone: Backbone) -> None:
    fitted = unfitted(SPT(), tiny_backbone)
    shortest = min(TEST.examples, key=lambda example: len(example.text))
    assert (
        encode(tiny_backbone, [shortest])["input_ids"].shape[1]
        < encode(tiny_backbone, TEST.examples)["input_ids"].shape[1]
    )
    padded = fitted.predict(TEST.examples)[TEST.examples.index(shortest)]
    assert_allclose(fitted.predict([shortest])[0], padded, rtol=0, atol=LIMIT)
