"""Blocks of texts of like length that a batch goes through the backbone in."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from xlt_bench.backbones.batches import Batch, even_parts, least_padded_runs, runs_of_like_length

TOKENS, PROMPT = 120, 5
"""A run besides its tokens takes 120 // 20 = 6 of them."""


def partitions(count: int) -> Iterator[list[slice]]:
    """All ways to cut so many texts into runs."""
    if not count:
        yield []
    for end in range(1, count + 1):
        for following in partitions(count - end):
            yield [slice(0, end), *(slice(run.start + end, run.stop + end) for run in following)]


def padded(lengths: list[int], run: slice) -> int:
    return (run.stop - run.start) * (PROMPT + lengths[run.stop - 1])


def cost(lengths: list[int], runs: list[slice]) -> int:
    return sum(padded(lengths, run) + 6 for run in runs)


@pytest.mark.parametrize("seed", range(20))
def test_no_other_way_to_cut_a_batch_costs_less(seed: int) -> None:
    lengths = sorted(np.random.default_rng(seed).integers(2, 60, 9).tolist())
    allowed = [
        runs
        for runs in partitions(len(lengths))
        if all(padded(lengths, run) <= TOKENS or run.stop - run.start == 1 for run in runs)
    ]
    runs = least_padded_runs(lengths, TOKENS, PROMPT)
    assert runs in allowed
    assert cost(lengths, runs) == min(cost(lengths, other) for other in allowed)
    assert cost(lengths, runs) <= cost(lengths, list(runs_of_like_length(lengths, TOKENS, PROMPT)))


def test_texts_of_one_length_are_cut_as_rarely_as_the_budget_allows() -> None:
    runs = least_padded_runs([10] * 30, TOKENS, PROMPT)
    assert len(runs) == 4, "8 texts of 15 tokens are 120"


def test_a_text_beyond_the_budget_is_a_run_by_itself() -> None:
    assert least_padded_runs([4, 5, 500], TOKENS, PROMPT) == [slice(0, 2), slice(2, 3)]


def test_no_texts_are_no_runs() -> None:
    assert least_padded_runs([], TOKENS, PROMPT) == []


def test_blocks_hold_every_row_once_padded_to_the_longest_of_them() -> None:
    lengths = torch.tensor([30, 3, 12, 3, 25, 29, 11])
    mask = (torch.arange(30) < lengths[:, None]).long()
    batch = Batch(torch.arange(7)[:, None].expand(7, 30) * mask, mask)
    blocks = batch.blocks(TOKENS, PROMPT)
    assert sorted(int(row[0]) for block in blocks for row in block.ids) == list(range(7))
    assert all(block.ids.shape[1] == int(block.mask.sum(1).max()) for block in blocks)
    assert all(len(block) * (PROMPT + block.ids.shape[1]) <= TOKENS for block in blocks)
    assert batch.blocks(7 * 35, PROMPT) == [batch], "what is small enough stays as it is"


@pytest.mark.parametrize("seed", range(20))
def test_without_padding_parts_are_as_few_as_can_be_and_alike(seed: int) -> None:
    lengths = torch.from_numpy(np.random.default_rng(seed).integers(7, 60, 40))
    parts = even_parts(lengths, 300)
    assert torch.equal(torch.cat(parts), torch.arange(40)), "in their order"
    sizes = [int(lengths[part].sum()) for part in parts]
    assert len(parts) == -(-sum(sizes) // 300)
    assert max(sizes) - min(sizes) <= 2 * 60, "a text more or less at either end"


def test_without_padding_a_long_text_leaves_no_part_empty() -> None:
    assert [part.tolist() for part in even_parts(torch.tensor([5, 500, 5]), 120)] == [[0], [1], [2]]
    assert [part.tolist() for part in even_parts(torch.tensor([500, 2]), 120)] == [[0], [1]]
    assert [part.tolist() for part in even_parts(torch.tensor([5]), 120)] == [[0]]


def test_blocks_without_padding_are_cut_by_their_tokens() -> None:
    lengths = torch.tensor([30, 3, 12, 3, 25, 29, 11])
    mask = (torch.arange(30) < lengths[:, None]).long()
    batch = Batch(torch.arange(7)[:, None].expand(7, 30) * mask, mask)
    blocks = batch.blocks(80, PROMPT, packed=True)
    assert [block.mask.sum(1).tolist() for block in blocks] == [[30, 3, 12, 3], [25, 29, 11]]
    assert batch.blocks(7 * PROMPT + 113, PROMPT, packed=True) == [batch]
