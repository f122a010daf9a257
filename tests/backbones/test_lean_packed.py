"""Texts without padding: their rows, and attention text by text."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from transformers import XLMRobertaConfig, XLMRobertaModel

from xlt_bench.backbones.batches import Batch
from xlt_bench.backbones.lean import lean_encoder
from xlt_bench.backbones.lean.attention_by_text import AttentionByText, HeadOrder
from xlt_bench.backbones.lean.dropout import dropout
from xlt_bench.backbones.lean.layer import Layer
from xlt_bench.backbones.lean.packed import PackedTexts
from xlt_bench.recipe import ReadOut

HEADS, WIDTH = 2, 4
LENGTHS = (7, 3, 5)
MASK = (torch.arange(4) < torch.tensor([4, 0, 2])[:, None]).long()
"""Of texts that have these lengths behind a prompt of three vectors."""


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def part_by_part(query: Tensor, key: Tensor, value: Tensor, bias: list[Tensor] | None, queries: list[int]) -> Tensor:
    """Attention whose weights are dropped with a share of 0.2, from its definition; one mask is drawn for all texts."""
    heads = [
        [rows.unflatten(1, (HEADS, WIDTH)).transpose(0, 1) for rows in matrix.split(counts)]
        for matrix, counts in ((query, queries), (key, list(LENGTHS)), (value, list(LENGTHS)))
    ]
    weights = []
    for number, (q, k) in enumerate(zip(heads[0], heads[1], strict=True)):
        scores = q @ k.transpose(1, 2) * WIDTH**-0.5
        weights.append((scores if bias is None else scores + bias[number]).softmax(-1))
    dropped = dropout(torch.cat([part.flatten() for part in weights]), 0.2).split([part.numel() for part in weights])
    outputs = [part.view(w.shape) @ v for part, w, v in zip(dropped, weights, heads[2], strict=True)]
    return torch.cat([output.transpose(0, 1).flatten(1) for output in outputs])


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("beyond", [0, 4])
def test_attention_and_its_gradient_are_those_of_their_definition(beyond: int, biased: bool) -> None:
    projected = random(15 + beyond, 3 * HEADS * WIDTH).requires_grad_()
    bias = [random(HEADS, length, length, seed=length) for length in LENGTHS] if biased else None
    torch.manual_seed(0)
    outputs = AttentionByText(LENGTHS, LENGTHS, HEADS, bias, parts=(3,))([projected], 0.2)
    assert outputs.shape == (15 + beyond, HEADS * WIDTH)
    assert not outputs[15:].any()
    torch.manual_seed(0)
    expected = part_by_part(*projected[:15].chunk(3, dim=1), bias, list(LENGTHS))
    assert torch.allclose(outputs[:15], expected, atol=1e-6)
    by = random(*outputs.shape, seed=9)
    (ours,) = torch.autograd.grad(outputs, projected, by)
    (theirs,) = torch.autograd.grad(expected, projected, by[:15])
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_queries_of_some_positions_attend_to_all() -> None:
    counts = (1, 1, 3)
    query, rest = random(5, HEADS * WIDTH).requires_grad_(), random(20, 2 * HEADS * WIDTH, seed=1).requires_grad_()
    torch.manual_seed(0)
    outputs = AttentionByText(counts, LENGTHS, HEADS, None, parts=(1, 2))([query, rest], 0.2)
    torch.manual_seed(0)
    expected = part_by_part(query, *rest[:15].chunk(2, dim=1), None, list(counts))
    assert torch.allclose(outputs, expected, atol=1e-6)
    by = random(*outputs.shape, seed=9)
    for ours, theirs in zip(
        torch.autograd.grad(outputs, [query, rest], by), torch.autograd.grad(expected, [query, rest], by), strict=True
    ):
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_vectors_lie_by_part_text_head_and_position_and_come_back() -> None:
    order = HeadOrder((2, 1), parts=3, heads=2)
    matrix = random(5, 3 * 2 * 4)
    vectors = order.vectors(matrix)
    assert vectors.shape == (3 * 2 * 3, 4) == (order.count, 4)
    by_part = matrix[:3].view(3, 3, 2, 4)
    expected = [by_part[rows, part].transpose(0, 1) for part in range(3) for rows in (slice(0, 2), slice(2, 3))]
    assert all(map(torch.equal, order.split(vectors), expected))
    back = order.matrix(vectors, rows=5)
    assert torch.equal(back[:3], matrix[:3])
    assert not back[3:].any()


def test_what_is_kept_for_the_gradient() -> None:
    saved: list[int] = []

    def pack(tensor: Tensor) -> Tensor:
        saved.append(tensor.numel())
        return tensor

    projected = random(15, 3 * HEADS * WIDTH).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        AttentionByText(LENGTHS, LENGTHS, HEADS, None, parts=(3,))([projected], 0.2)
    weights = HEADS * sum(length**2 for length in LENGTHS)
    assert saved == [weights, weights, 15 * HEADS * WIDTH, projected.numel()], "what is left, outputs, vectors"


def test_prompts_and_tokens_enter_text_by_text() -> None:
    texts = PackedTexts.of(MASK, 3, HEADS, None)
    assert texts.lengths == LENGTHS
    prompts, tokens = random(3, 3, 2).requires_grad_(), random(6, 2, seed=1)
    matrix = texts.enter(prompts, tokens)
    expected = torch.cat([prompts[0], tokens[:4], prompts[1], prompts[2], tokens[4:]])
    assert torch.equal(matrix, expected)
    by = random(15, 2, seed=2)
    assert torch.equal(*(torch.autograd.grad(rows, prompts, by)[0] for rows in (matrix, expected)))


@pytest.mark.parametrize(
    ("read_out", "blanks", "rows"),
    [
        ("first", None, [[0], [7], [12]]),
        ("last", None, [[6], [11], [16]]),
        ("mean", None, [[3, 4, 5, 6], [10, 11], [15, 16]]),
        ("mean", [2, 0, 1], [[5], [10], [16]]),
    ],
)
def test_the_rows_that_a_head_reads(read_out: ReadOut, blanks: list[int] | None, rows: list[list[int]]) -> None:
    texts = PackedTexts(prompt=3, lengths=(7, 5, 5), heads=HEADS)
    reading = texts.reading(read_out, None if blanks is None else torch.tensor(blanks))
    states = random(64, 8)
    taken = reading.take(states)
    assert torch.equal(taken[: reading.count], states[[row for part in rows for row in part]])
    assert torch.allclose(reading.read(taken), torch.stack([states[part].mean(0) for part in rows]))


def test_a_pass_has_as_many_rows_as_there_are_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    config = XLMRobertaConfig(
        vocab_size=50, hidden_size=8, num_attention_heads=2, intermediate_size=8, num_hidden_layers=3
    )
    encoder = lean_encoder(XLMRobertaModel(config, add_pooling_layer=False).requires_grad_(False).train())
    assert encoder is not None
    assert encoder.packs
    rows: list[int] = []
    project = Layer.project

    def counted(layer: Layer, states: Tensor) -> Tensor:
        rows.append(states.shape[:-1].numel())
        return project(layer, states)

    monkeypatch.setattr(Layer, "project", counted)
    encoder([random(3, 8)], [3], encoder.words(Batch(torch.full((3, 4), 7), MASK), 3))
    assert rows == [6, 9, 15], "tokens of the texts, vectors of the prompts, and both in the next layer"
