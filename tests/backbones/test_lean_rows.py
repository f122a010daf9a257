"""Rows of a matrix that are rounded up: nothing that is read changes, and few sizes are seen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.activations import ACT2FN

from xlt_bench.backbones.lean import products
from xlt_bench.backbones.lean.attention import attention
from xlt_bench.backbones.lean.dropout import dropout
from xlt_bench.backbones.lean.norm import add_and_norm
from xlt_bench.backbones.lean.products import activated, linear
from xlt_bench.backbones.lean.rows import MULTIPLE, RowLayout, rounded_up

CPU = torch.device("cpu")


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_a_long_run_has_few_sizes_and_a_small_one_is_left_alone() -> None:
    assert [rounded_up(count, CPU) for count in (0, 1, 63, 64, 65, 128, 129)] == [0, 1, 63, 64, 128, 128, 192]
    assert len({rounded_up(count, CPU) for count in range(1, 1281)}) == MULTIPLE + 1280 // MULTIPLE - 1
    assert rounded_up(65, torch.device("meta")) == 65


def test_positions_come_back_with_their_gradient_and_the_rows_beyond_are_zero() -> None:
    states = random(3, 25, 8).requires_grad_()
    layout = RowLayout.of(3, 25, CPU)
    matrix = layout.flat(states)
    assert matrix.shape == (128, 8)
    assert torch.equal(layout.unflat(matrix), states)
    assert not matrix[75:].any()
    weights = random(3, 25, 8, seed=1)
    (gradient,) = torch.autograd.grad((layout.unflat(matrix) * weights).sum(), states)
    assert torch.equal(gradient, weights)


def test_heads_are_views_whose_gradients_make_one_matrix() -> None:
    rows = random(128, 3 * 8).requires_grad_()
    layout = RowLayout(3, 25, 128)
    parts = layout.by_head(rows, 3, 2)
    plain = rows[:75].view(3, 25, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
    weights = [random(3, 2, 25, 4, seed=seed) for seed in range(3)]
    assert all(torch.equal(part, expected) for part, expected in zip(parts, plain, strict=True))
    gradients = [
        torch.autograd.grad(sum((part * by).sum() for part, by in zip(view, weights, strict=True)), rows)[0]
        for view in (parts, plain)
    ]
    assert torch.equal(*gradients)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("onednn", [True, False])
def test_a_product_is_the_same_to_the_bit(dtype: torch.dtype, onednn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not onednn:
        monkeypatch.setattr(products, "_ONEDNN", None)
    weight, bias = random(96, 384, seed=1).to(dtype), random(96, seed=2).to(dtype)
    for positions in (65, 100, 333):
        inputs = random(positions, 384).to(dtype).requires_grad_()
        outputs = linear(inputs, weight, bias)
        whole = torch.cat([inputs, inputs[: rounded_up(positions, CPU) - positions]])  # other rows beside them
        assert torch.equal(outputs, linear(whole, weight, bias)[:positions])
        expected = functional.linear(inputs.double(), weight.double(), bias.double())
        tolerance = {"atol": 1e-4} if dtype == torch.float32 else {"atol": 0.3, "rtol": 0.01}
        assert torch.allclose(outputs.double(), expected, **tolerance)
        (gradient,) = torch.autograd.grad(outputs.sum(), inputs)
        assert torch.allclose(gradient, weight.sum(0).expand_as(gradient), **tolerance)


@pytest.mark.parametrize("activation", [ACT2FN["gelu"], functional.gelu, ACT2FN["gelu_new"], ACT2FN["relu"]])
def test_an_activation_in_the_product_is_the_same(activation: Callable[[Tensor], Tensor]) -> None:
    dense = nn.Linear(384, 96).requires_grad_(False)
    for positions in (1, 2, 128, 320):
        inputs = random(positions, 384)
        plain = activation(linear(inputs, dense.weight, dense.bias))
        fused = activated(inputs, dense, activation)
        assert torch.allclose(fused, plain, atol=1e-6), "the last bit may differ where there is one row"
        assert positions == 1 or torch.equal(fused, plain)
        inputs.requires_grad_()
        outputs = activated(inputs, dense, activation)
        assert torch.equal(outputs, plain)
        (gradient,) = torch.autograd.grad(outputs.sum(), inputs)
        (expected,) = torch.autograd.grad(activation(functional.linear(inputs, dense.weight, dense.bias)).sum(), inputs)
        assert torch.allclose(gradient, expected, atol=1e-4)


def test_states_of_any_shape_have_a_product() -> None:
    inputs, weight = random(5, 20, 16), random(8, 16, seed=1)
    assert torch.allclose(linear(inputs, weight, None), inputs @ weight.T, atol=1e-5)
    assert linear(inputs[:0], weight, None).shape == (0, 20, 8)


def test_what_is_dropped_does_not_depend_on_the_rows_beyond_the_positions() -> None:
    dense, norm = nn.Linear(16, 8).requires_grad_(False), nn.LayerNorm(8).requires_grad_(False)
    inputs, states = random(128, 16).requires_grad_(), random(128, 8, seed=1).requires_grad_()

    torch.manual_seed(3)
    plain = norm(states[:70] + dropout(dense(inputs[:70]), 0.3))
    torch.manual_seed(3)
    rounded = add_and_norm(inputs, states, dense, norm, 70, 0.3)[:70]
    assert torch.allclose(rounded, plain, atol=1e-5)
    for ours, expected in zip(
        torch.autograd.grad(rounded.square().sum(), [inputs, states]),
        torch.autograd.grad(plain.square().sum(), [inputs, states]),
        strict=True,
    ):
        assert torch.allclose(ours, expected, atol=1e-4)


def test_rows_beyond_the_positions_draw_nothing() -> None:
    dense, norm, states = nn.Linear(16, 8), nn.LayerNorm(8), random(128, 8, seed=1)
    generators = []
    for positions in (70, 70, 128):
        torch.manual_seed(3)
        if generators:
            add_and_norm(random(128, 16), states, dense, norm, positions, 0.3)
        else:
            dropout(random(70, 8), 0.3)
        generators.append(torch.get_rng_state())
    assert torch.equal(generators[0], generators[1])
    assert not torch.equal(generators[0], generators[2])


def test_the_gradient_of_attention_with_dropout_is_that_of_its_parts() -> None:
    query, key, value = (random(2, 3, 7, 8, seed=seed).requires_grad_() for seed in range(3))
    bias = torch.zeros(2, 1, 1, 7).masked_fill(torch.arange(7) > 4, -torch.inf)
    torch.manual_seed(0)
    outputs = attention(query, key, value, bias, 0.2)
    torch.manual_seed(0)
    weights = (query * 8**-0.5 @ key.transpose(-1, -2) + bias).softmax(-1)
    expected = dropout(weights, 0.2) @ value
    assert torch.allclose(outputs, expected, atol=1e-6)
    by = random(2, 3, 7, 8, seed=9)
    inputs = [query, key, value]
    for ours, theirs in zip(
        torch.autograd.grad(outputs, inputs, by), torch.autograd.grad(expected, inputs, by), strict=True
    ):
        assert torch.allclose(ours, theirs, atol=1e-6)


def test_what_a_pass_keeps_for_its_gradient_is_two_bytes_a_dropped_number() -> None:
    kept: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        dropout(random(100, 8).requires_grad_(), 0.1)
    assert [(tensor.dtype, tensor.shape) for tensor in kept] == [(torch.int16, (100, 8))]


@pytest.mark.parametrize("dropped", [0.0, 0.2])
@pytest.mark.parametrize("queries", [1, 9])
def test_in_bfloat16_attention_is_that_of_float32_rounded(queries: int, dropped: float) -> None:
    random = torch.Generator().manual_seed(2)
    inputs = [torch.randn(3, 2, positions, 8, generator=random).bfloat16() for positions in (queries, 9, 9)]
    after = torch.randn(3, 2, queries, 8, generator=random)
    bias = torch.zeros(3, 1, 1, 9).masked_fill(torch.arange(9) > 6, -torch.inf)

    def results(dtype: torch.dtype) -> list[Tensor]:
        parts = [part.to(dtype).requires_grad_() for part in inputs]
        torch.manual_seed(5)  # the same weights are dropped
        outputs = attention(*parts, bias.to(dtype), dropped)
        assert outputs.dtype == dtype
        return [outputs, *torch.autograd.grad(outputs, parts, after.to(dtype))]

    for rounded, exact in zip(results(torch.bfloat16), results(torch.float32), strict=True):
        assert (rounded.float() - exact).norm() < 0.01 * exact.norm()
