"""The lean encoder gives what a head reads of transformers' own model, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from transformers import (
    AlbertConfig,
    AlbertModel,
    BertConfig,
    BertModel,
    CamembertConfig,
    CamembertModel,
    ElectraConfig,
    ElectraModel,
    MPNetConfig,
    MPNetModel,
    PreTrainedModel,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from xlt_bench.backbones.batches import Batch
from xlt_bench.backbones.lean import LeanEncoder, lean_encoder, products
from xlt_bench.backbones.lean.attention import attention
from xlt_bench.backbones.lean.dropout import dropout
from xlt_bench.backbones.read_out import read
from xlt_bench.recipe import ReadOut

SIZES = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64, "vocab_size": 50}
MASKS = {
    "padded": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0]]),
    "unpadded": torch.ones(3, 5, dtype=torch.int64),
}
IDS = torch.randint(2, 50, (3, 5), generator=torch.Generator().manual_seed(2))
SEGMENTS = torch.tensor([[0, 0, 1, 1, 1], [0, 1, 1, 0, 0], [0, 0, 0, 1, 0]])
MODELS: dict[str, Callable[..., PreTrainedModel]] = {
    "bert": lambda **config: BertModel(BertConfig(**config), add_pooling_layer=False),
    "camembert": lambda **config: CamembertModel(CamembertConfig(**config), add_pooling_layer=False),
    "electra": lambda **config: ElectraModel(ElectraConfig(**{**config, "embedding_size": 32})),
    "electra-projected": lambda **config: ElectraModel(ElectraConfig(**{**config, "embedding_size": 16})),
    "mpnet": lambda **config: MPNetModel(MPNetConfig(**config), add_pooling_layer=False),
    "roberta": lambda **config: RobertaModel(RobertaConfig(**config), add_pooling_layer=False),
    "xlm-roberta": lambda **config: XLMRobertaModel(XLMRobertaConfig(**config), add_pooling_layer=False),
}
NEXT_TO_NOTHING = 1e-9
"""A share of dropout that drops nothing: a model in train mode is computed with all its parts, and has one result."""
PAIRS = ("bert", "electra", "electra-projected")
"""Models whose embeddings tell the texts of a pair apart."""


def model(kind: str = "xlm-roberta", layers: int = 3, dropped: float = 0.0, **changes: Any) -> PreTrainedModel:
    torch.manual_seed(0)
    shares = {"hidden_dropout_prob": dropped, "attention_probs_dropout_prob": dropped}
    encoder = MODELS[kind](**{**SIZES, "num_hidden_layers": layers, **shares, **changes}).eval().requires_grad_(False)
    for parameter in encoder.parameters():  # no bias is zero, no norm is one
        parameter.add_(0.1 * torch.randn(parameter.shape))
    return encoder


def lean_of(encoder: PreTrainedModel) -> LeanEncoder:
    quick = lean_encoder(encoder)
    assert quick is not None
    return quick


def prompts(lanes: int, vectors: int = 4, width: int = 32) -> list[Tensor]:
    random = torch.Generator().manual_seed(1)
    return [torch.randn(vectors, width, generator=random).requires_grad_() for _ in range(lanes)]


def whole(
    encoder: PreTrainedModel,
    before: list[Tensor],
    sizes: list[int],
    mask: Tensor,
    read_out: ReadOut = "first",
    segments: Tensor | None = None,
) -> Tensor:
    rows = torch.cat([prompt.expand(size, -1, -1) for prompt, size in zip(before, sizes, strict=True)])
    vectors = before[0].shape[0]
    positions = functional.pad(mask, (vectors, 0), value=1)
    embedded = torch.cat([rows, encoder.get_input_embeddings()(IDS)], 1)
    kinds = {} if segments is None else {"token_type_ids": functional.pad(segments, (vectors, 0))}
    states = encoder(inputs_embeds=embedded, attention_mask=positions, **kinds).last_hidden_state
    return read(states, mask, read_out)


def gradients(hidden: Tensor, before: list[Tensor]) -> list[Tensor]:
    return list(torch.autograd.grad(hidden.square().sum(), before))


def assert_equal(hidden: Tensor, expected: Tensor, before: list[Tensor]) -> None:
    assert torch.allclose(hidden, expected, atol=1e-5)
    for ours, theirs in zip(gradients(hidden, before), gradients(expected, before), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_output_and_gradients_equal_the_whole_model_s(
    mask: Tensor, layers: int, onednn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not onednn:
        monkeypatch.setattr(products, "_ONEDNN", None)
    encoder, before, sizes = model(layers=layers), prompts(2), [2, 1]
    expected = whole(encoder, before, sizes, mask)
    quick = lean_of(encoder)
    assert_equal(quick(before, sizes, quick.words(Batch(IDS, mask), 4)), expected, before)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
@pytest.mark.parametrize("read_out", get_args(ReadOut))
@pytest.mark.parametrize("kind", MODELS)
def test_every_type_is_read_in_every_way(kind: str, read_out: ReadOut, mask: Tensor, packed: bool) -> None:
    encoder, sizes = model(kind, dropped=NEXT_TO_NOTHING), [2, 1]
    before = prompts(2, width=int(encoder.get_input_embeddings().weight.shape[1]))
    segments = SEGMENTS * mask if kind in PAIRS else None
    expected = whole(encoder, before, sizes, mask, read_out, segments)
    quick = lean_of(encoder.train(packed))
    assert quick.packs == packed
    words = quick.words(Batch(IDS, mask, segments=segments), 4)
    assert_equal(quick(before, sizes, words, read_out), expected, before)


@pytest.mark.parametrize("packed", [True, False])
def test_a_blank_is_read_whatever_the_read_out(packed: bool) -> None:
    encoder, before, blanks = model("mpnet", dropped=NEXT_TO_NOTHING), prompts(1), torch.tensor([1, 2, 0])
    mask = MASKS["padded"]
    embedded = torch.cat([before[0].expand(3, -1, -1), encoder.get_input_embeddings()(IDS)], 1)
    states = encoder(inputs_embeds=embedded, attention_mask=functional.pad(mask, (4, 0), value=1)).last_hidden_state
    quick = lean_of(encoder.train(packed))
    hidden = quick(before, [3], quick.words(Batch(IDS, mask, blanks=blanks), 4), "mean")
    assert_equal(hidden, states[torch.arange(3), 4 + blanks], before)


@pytest.mark.parametrize("shares", [(0.2, 0.0), (0.0, 0.2)], ids=["states", "weights"])
def test_states_and_attention_weights_are_dropped_each_with_its_own_share(shares: tuple[float, float]) -> None:
    config = {"hidden_dropout_prob": shares[0], "attention_probs_dropout_prob": shares[1]}
    encoder, before = model(**config).train(), prompts(1)
    quick = lean_of(encoder)
    with torch.no_grad():
        draws = torch.stack([quick(before, [3], quick.words(Batch(IDS, MASKS["padded"]), 4)) for _ in range(300)])
        theirs = torch.stack([whole(encoder, before, [3], MASKS["padded"]) for _ in range(300)])
    assert float(theirs.std(0).mean()) > 0.01
    assert float(draws.std(0).mean()) == pytest.approx(float(theirs.std(0).mean()), rel=0.06)


def test_words_are_the_same_whatever_stands_before_them() -> None:
    encoder, before = model(), prompts(2)
    quick = lean_of(encoder)
    words = quick.words(Batch(IDS, MASKS["padded"]), 4)
    for prompt in before:
        assert torch.allclose(quick([prompt], [3], words), whole(encoder, [prompt], [3], MASKS["padded"]), atol=1e-5)


def test_no_prompt_at_all() -> None:
    encoder, none = model(), [torch.zeros(0, 32)]
    quick = lean_of(encoder)
    hidden = quick(none, [3], quick.words(Batch(IDS, MASKS["padded"]), 0))
    assert torch.allclose(hidden, whole(encoder, none, [3], MASKS["padded"]), atol=1e-5)


def test_bfloat16_is_near_and_stored_once() -> None:
    encoder, (prompt,) = model().to(torch.bfloat16), prompts(1)
    quick = lean_of(encoder)
    hidden = quick([prompt], [3], quick.words(Batch(IDS, MASKS["padded"]), 4))
    expected = whole(model(), [prompt], [3], MASKS["padded"])
    assert hidden.dtype == torch.float32, "the head is trained in float32"
    assert torch.allclose(hidden, expected, atol=0.1)
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.bfloat16}
    (gradient,) = gradients(hidden, [prompt])
    assert gradient.dtype == torch.float32


def test_the_model_keeps_its_weights_under_their_names() -> None:
    encoder = model()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    lean_of(encoder)
    after = encoder.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    attention = encoder.encoder.layer[0].attention.self
    weights = [part.weight.untyped_storage().data_ptr() for part in (attention.query, attention.key, attention.value)]
    assert len(set(weights)) == 1, "one matrix, seen three times"


def test_in_train_mode_the_same_expectation_another_draw() -> None:
    encoder, (prompt,) = model(dropped=0.1), prompts(1)
    quick = lean_of(encoder)
    encoder.train()
    torch.manual_seed(3)
    with torch.no_grad():
        draws = torch.stack([quick([prompt], [3], quick.words(Batch(IDS, MASKS["padded"]), 4)) for _ in range(400)])
        theirs = torch.stack([whole(encoder, [prompt], [3], MASKS["padded"]) for _ in range(400)])
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


def test_what_may_compute_something_else_is_left_to_transformers() -> None:
    class Changed(BertModel):
        """A subclass."""

    config = BertConfig(**SIZES, num_hidden_layers=1)
    assert lean_encoder(Changed(config)) is None
    assert lean_encoder(BertModel(BertConfig(**SIZES, num_hidden_layers=1, is_decoder=True))) is None
    assert lean_encoder(AlbertModel(AlbertConfig(**SIZES, embedding_size=8, num_hidden_layers=1))) is None
    assert lean_encoder(model(layers=1, attn_implementation="eager")) is None
    exchanged = BertModel(config)
    exchanged.encoder.layer[0] = torch.nn.Sequential(exchanged.encoder.layer[0])
    assert lean_encoder(exchanged) is None
