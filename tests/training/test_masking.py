"""Masking and its loss against transformers' data collator and masked language model."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForMaskedLM, DataCollatorForLanguageModeling

from tests.support.fits import TRAIN
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.batches import Batch
from xlt_bench.backbones.source import locate
from xlt_bench.training.masking import Masking, guessing_loss


@pytest.fixture(scope="module")
def nano() -> Backbone:
    return Backbone(locate("nano"))


@pytest.fixture(scope="module")
def batch(nano: Backbone) -> Batch:
    texts = nano.tokenise([(example.text, None) for example in TRAIN.examples], 32)
    return texts.batch(range(len(texts)))


def test_masks_are_those_of_transformers_collator(nano: Backbone, batch: Batch) -> None:
    """From equal generators bit for bit, padding and special tokens included."""
    collator = DataCollatorForLanguageModeling(nano.tokenizer, mlm_probability=0.15)
    collator.generator = torch.Generator().manual_seed(3)
    ids, labels = collator.torch_mask_tokens(batch.ids.clone())
    masked = Masking(nano.tokenizer)(batch, torch.Generator().manual_seed(3))
    assert torch.equal(masked.batch.ids, ids)
    assert torch.equal(masked.words.masked_fill(~masked.chosen, -100), labels)


def test_shares_are_15_percent_of_words_and_80_10_10_of_these(nano: Backbone, batch: Batch) -> None:
    masking, generator = Masking(nano.tokenizer), torch.Generator().manual_seed(0)
    masked = [masking(batch, generator) for _ in range(200)]
    ordinary = ~torch.isin(batch.ids, torch.tensor(nano.tokenizer.all_special_ids))
    chosen = torch.stack([part.chosen for part in masked])
    seen = torch.stack([part.batch.ids for part in masked])
    assert not chosen[:, ~ordinary].any()
    assert torch.equal(seen[~chosen], batch.ids.expand_as(seen)[~chosen])
    count = int(chosen.sum())
    shares = {
        "chosen": (count / (200 * int(ordinary.sum())), 0.15),
        "masked": (int((seen[chosen] == nano.tokenizer.mask_token_id).sum()) / count, 0.8),
        "left": (int((seen[chosen] == batch.ids.expand_as(seen)[chosen]).sum()) / count, 0.1),
    }
    for name, (share, expected) in shares.items():
        assert share == pytest.approx(expected, abs=0.01), name


def test_masks_follow_from_the_seed(nano: Backbone, batch: Batch) -> None:
    masking = Masking(nano.tokenizer)
    first, again, other = (masking(batch, torch.Generator().manual_seed(seed)).batch.ids for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_loss_is_that_of_the_whole_model(nano: Backbone, batch: Batch) -> None:
    """Value and gradient of the word embeddings, which in the whole model are tied to the decoder."""
    masked = Masking(nano.tokenizer)(batch, torch.Generator().manual_seed(0))
    labels = masked.words.masked_fill(~masked.chosen, -100)
    model = AutoModelForMaskedLM.from_pretrained(nano.source.folder, dtype=torch.float32).eval()
    model.lm_head.decoder.weight = torch.nn.Parameter(model.lm_head.decoder.weight.clone(), requires_grad=False)
    expected = model(input_ids=masked.batch.ids, attention_mask=batch.mask, labels=labels).loss
    encoder = nano.fresh_encoder().requires_grad_(True)
    loss = guessing_loss(nano, encoder, masked) / int(masked.chosen.sum())
    torch.testing.assert_close(loss, expected, rtol=1e-6, atol=0)
    loss.backward()
    expected.backward()
    gradients = [m.get_input_embeddings().weight.grad for m in (encoder, model)]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-8)


def test_a_batch_without_a_chosen_token_has_a_loss_of_zero(nano: Backbone) -> None:
    empty = nano.tokenise([("", None)], 8).batch([0])
    masked = Masking(nano.tokenizer)(empty, torch.Generator().manual_seed(0))
    assert float(guessing_loss(nano, nano.encoder, masked).detach()) == 0.0
