"""The shortened last layer gives what the whole one gives at position 0, forward and backward."""

from __future__ import annotations

import pytest
import torch
from transformers import BertConfig, BertModel, XLMRobertaConfig, XLMRobertaModel

from xlt_bench.training.first_position import first_position_only

SIZES = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64, "vocab_size": 50}
MASKS = {
    "padded": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]),
    "unpadded": torch.ones(2, 5, dtype=torch.int64),
}


def encoder() -> XLMRobertaModel:
    torch.manual_seed(0)
    dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return XLMRobertaModel(XLMRobertaConfig(**SIZES, **dropout), add_pooling_layer=False).eval()


def first_hidden(model: XLMRobertaModel, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    inputs = torch.randn(2, 5, 32, generator=torch.Generator().manual_seed(1)).requires_grad_()
    hidden = model(inputs_embeds=inputs, attention_mask=mask).last_hidden_state[:, 0]
    hidden.square().sum().backward()
    assert inputs.grad is not None
    return hidden.detach(), inputs.grad


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_output_and_input_gradient_equal_the_whole_layers(mask: torch.Tensor) -> None:
    whole, short = encoder(), encoder()
    assert first_position_only(short)
    assert short(inputs_embeds=torch.zeros(2, 5, 32)).last_hidden_state.shape == (2, 1, 32)
    for expected, found in zip(first_hidden(whole, mask), first_hidden(short, mask), strict=True):
        assert torch.allclose(found, expected, atol=1e-5)


def test_weights_stay_the_same_objects() -> None:
    model = encoder()
    before = {id(parameter) for parameter in model.parameters()}
    assert first_position_only(model)
    assert {id(parameter) for parameter in model.parameters()} == before


def test_other_architectures_are_left_alone() -> None:
    model = BertModel(BertConfig(**SIZES), add_pooling_layer=False)
    assert not first_position_only(model)
    assert model(input_ids=torch.tensor([[1, 2, 3]])).last_hidden_state.shape == (1, 3, 32)
