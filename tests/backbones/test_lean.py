"""The lean encoder gives what transformers' own model gives at position 0, forward and backward."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from transformers import BertConfig, BertModel, XLMRobertaConfig, XLMRobertaModel

from xlt_bench.backbones import lean
from xlt_bench.backbones.batches import Batch
from xlt_bench.backbones.lean import LeanEncoder, attention, dropout, lean_encoder

SIZES = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64, "vocab_size": 50}
MASKS = {
    "padded": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0]]),
    "unpadded": torch.ones(3, 5, dtype=torch.int64),
}
IDS = torch.randint(2, 50, (3, 5), generator=torch.Generator().manual_seed(2))


def model(layers: int = 3, dropped: float = 0.0, **changes: Any) -> XLMRobertaModel:
    torch.manual_seed(0)
    shares = {"hidden_dropout_prob": dropped, "attention_probs_dropout_prob": dropped}
    config = XLMRobertaConfig(**{**SIZES, "num_hidden_layers": layers, **shares, **changes})
    made = XLMRobertaModel(config, add_pooling_layer=False).eval().requires_grad_(False)
    for parameter in made.parameters():  # no bias is zero, no norm is one
        parameter.add_(0.1 * torch.randn(parameter.shape))
    return made


def lean_of(made: XLMRobertaModel) -> LeanEncoder:
    found = lean_encoder(made)
    assert found is not None
    return found


def prompts(lanes: int, vectors: int = 4) -> list[Tensor]:
    random = torch.Generator().manual_seed(1)
    return [torch.randn(vectors, 32, generator=random).requires_grad_() for _ in range(lanes)]


def whole(made: XLMRobertaModel, before: list[Tensor], sizes: list[int], mask: Tensor) -> Tensor:
    rows = torch.cat([prompt.expand(size, -1, -1) for prompt, size in zip(before, sizes, strict=True)])
    shown = torch.cat([torch.ones(len(mask), before[0].shape[0], dtype=mask.dtype), mask], 1)
    embedded = torch.cat([rows, made.get_input_embeddings()(IDS)], 1)
    hidden: Tensor = made(inputs_embeds=embedded, attention_mask=shown).last_hidden_state[:, 0]
    return hidden


def gradients(hidden: Tensor, before: list[Tensor]) -> list[Tensor]:
    return list(torch.autograd.grad(hidden.square().sum(), before))


@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_output_and_gradients_equal_the_whole_model_s(
    mask: Tensor, layers: int, onednn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not onednn:
        monkeypatch.setattr(lean, "_ONEDNN", None)
    made, before, sizes = model(layers), prompts(2), [2, 1]
    expected = whole(made, before, sizes, mask)
    quick = lean_of(made)
    found = quick(before, sizes, quick.words(Batch(IDS, mask), 4))
    assert torch.allclose(found, expected, atol=1e-5)
    for ours, theirs in zip(gradients(found, before), gradients(expected, before), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4, rtol=1e-4)


def test_words_are_the_same_whatever_stands_before_them() -> None:
    made, before = model(), prompts(2)
    quick = lean_of(made)
    words = quick.words(Batch(IDS, MASKS["padded"]), 4)
    for prompt in before:
        assert torch.allclose(quick([prompt], [3], words), whole(made, [prompt], [3], MASKS["padded"]), atol=1e-5)


def test_no_prompt_at_all() -> None:
    made, none = model(), [torch.zeros(0, 32)]
    quick = lean_of(made)
    found = quick(none, [3], quick.words(Batch(IDS, MASKS["padded"]), 0))
    assert torch.allclose(found, whole(made, none, [3], MASKS["padded"]), atol=1e-5)


def test_bfloat16_is_near_and_stored_once() -> None:
    made, (prompt,) = model().to(torch.bfloat16), prompts(1)
    quick = lean_of(made)
    found = quick([prompt], [3], quick.words(Batch(IDS, MASKS["padded"]), 4))
    expected = whole(model(), [prompt], [3], MASKS["padded"])
    assert found.dtype == torch.bfloat16
    assert torch.allclose(found.float(), expected, atol=0.1)
    assert {parameter.dtype for parameter in made.parameters()} == {torch.bfloat16}
    (gradient,) = gradients(found, [prompt])
    assert gradient.dtype == torch.float32


def test_the_model_keeps_its_weights_under_their_names() -> None:
    made = model()
    before = {name: value.clone() for name, value in made.state_dict().items()}
    lean_of(made)
    after = made.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    attention = made.encoder.layer[0].attention.self
    weights = [part.weight.untyped_storage().data_ptr() for part in (attention.query, attention.key, attention.value)]
    assert len(set(weights)) == 1, "one matrix, seen three times"


def test_in_train_mode_the_same_expectation_another_draw() -> None:
    made, (prompt,) = model(dropped=0.1), prompts(1)
    quick = lean_of(made)
    made.train()
    torch.manual_seed(3)
    with torch.no_grad():
        draws = torch.stack([quick([prompt], [3], quick.words(Batch(IDS, MASKS["padded"]), 4)) for _ in range(400)])
        theirs = torch.stack([whole(made, [prompt], [3], MASKS["padded"]) for _ in range(400)])
    error = (draws.var(0) + theirs.var(0)).div(400).sqrt()
    assert ((draws.mean(0) - theirs.mean(0)).abs() < 5 * error).all()
    assert torch.allclose(draws.std(0), theirs.std(0), rtol=0.35), "tails are heavy"
    assert float(draws.std(0).mean()) == pytest.approx(float(theirs.std(0).mean()), rel=0.04)


def test_attention_equals_torch_s_and_drops_weights_with_their_share() -> None:
    random = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(2, 3, 7, 8, generator=random) for _ in range(3))
    bias = torch.zeros(2, 1, 1, 7)
    bias[0, ..., 5:] = -torch.inf
    expected = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    assert torch.allclose(attention(query, key, value, bias, 0.0), expected, atol=1e-6)
    assert torch.allclose(attention(query, key, value, bias, 1e-9), expected, atol=1e-6)
    torch.manual_seed(0)
    draws = torch.stack([attention(query, key, value, bias, 0.1) for _ in range(4000)])
    error = draws.std(0) / 4000**0.5
    assert ((draws.mean(0) - expected).abs() < 5 * error).all()
    weights = (query @ key.transpose(-1, -2) / 8**0.5 + bias).softmax(-1)
    spread = (weights.square() @ value.square() * (0.1 / 0.9)).sqrt()
    assert torch.allclose(draws.std(0), spread, rtol=0.15, atol=1e-3)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_dropout_drops_each_input_with_its_share_and_scales_the_rest(share: float) -> None:
    torch.manual_seed(0)
    inputs = torch.ones(1000, 333).requires_grad_()
    outputs = dropout(inputs, share)
    kept = outputs != 0
    assert torch.allclose(outputs[kept], torch.tensor(1 / (1 - share)))
    error = (share * (1 - share) / inputs.numel()) ** 0.5
    assert float(kept.float().mean()) == pytest.approx(1 - share, abs=5 * error)
    neighbours = (kept[:, 1:] & kept[:, :-1]).float().mean()
    assert float(neighbours) == pytest.approx((1 - share) ** 2, abs=8 * error), "draws are independent"
    (gradient,) = torch.autograd.grad(outputs.sum(), inputs)
    assert torch.equal(gradient, outputs.detach())


def test_other_architectures_are_left_to_transformers() -> None:
    assert lean_encoder(BertModel(BertConfig(**SIZES, num_hidden_layers=1), add_pooling_layer=False)) is None
    eager = XLMRobertaConfig(**SIZES, num_hidden_layers=1, attn_implementation="eager")
    assert lean_encoder(XLMRobertaModel(eager)) is None
