"""Order and padding of batches, and stratified subsets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import get_args

import numpy as np
import pytest
import torch
from transformers.trainer_pt_utils import get_length_grouped_indices

from xlt_bench.backbones.batches import Batch, merge
from xlt_bench.backbones.tokenised import Tokenised
from xlt_bench.recipe import Order
from xlt_bench.task import Example, Labelled
from xlt_bench.tasks.sampling import stratified
from xlt_bench.training.order import batch_order, length_grouped

LENGTHS = np.random.default_rng(7).integers(3, 60, 1000)


def tokenised(lengths: list[int]) -> Tokenised:
    return Tokenised(tuple(np.arange(2, 2 + length) for length in lengths), pad_id=1)


@pytest.mark.parametrize("order", get_args(Order))
def test_every_epoch_visits_every_item_once_in_another_order(order: Order) -> None:
    batches = batch_order(LENGTHS, 32, seed=3, order=order)
    first, second = (np.concatenate(list(islice(batches, 32))) for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(1000))
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize("order", get_args(Order))
def test_order_follows_from_the_seed_alone(order: Order) -> None:
    def start(seed: int) -> list[int]:
        return next(batch_order(LENGTHS, 32, seed, order)).tolist()

    assert start(0) == start(0)
    assert start(0) != start(1)


@pytest.mark.parametrize("order", ["by-length", "length-grouped"])
def test_batches_by_length_need_less_padding(order: Order) -> None:
    def padding(order: Order) -> int:
        batches = islice(batch_order(LENGTHS, 32, 0, order), 32)
        return int(sum(LENGTHS[batch].max() * len(batch) - LENGTHS[batch].sum() for batch in batches))

    assert padding(order) < 0.3 * padding("random")


@pytest.mark.parametrize("items", [1, 31, 127, 128, 1000, 9001])
def test_length_grouped_batches_are_those_of_transformers_epoch_after_epoch(items: int) -> None:
    """Many lengths occur more than once, also the greatest; 9,001 items make the mega-batch its 50 batches."""
    lengths = np.random.default_rng(items).integers(3, 40, items)
    generator = torch.Generator().manual_seed(items)
    batches = length_grouped(lengths, 32, torch.Generator().manual_seed(items))
    for _ in range(3):
        expected = get_length_grouped_indices(lengths.tolist(), 32, generator=generator)
        epoch = list(islice(batches, -(-items // 32)))
        assert [len(batch) for batch in epoch[:-1]] == [32] * (len(epoch) - 1)
        assert np.concatenate(epoch).tolist() == expected


def test_batch_is_padded_on_the_right_and_masked() -> None:
    batch = tokenised([2, 4]).batch([0, 1], np.array([1, 0]))
    assert batch.ids.tolist() == [[2, 3, 1, 1], [2, 3, 4, 5]]
    assert batch.mask.tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]
    assert batch.gold is not None
    assert batch.gold.tolist() == [1, 0]


def test_merge_pads_to_the_longest_batch() -> None:
    short, long = (Batch(torch.full((1, n), n), torch.ones(1, n, dtype=torch.int64)) for n in (2, 3))
    merged = merge([short, long], pad_id=1)
    assert merged.ids.tolist() == [[2, 2, 1], [3, 3, 3]]
    assert merged.mask.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert merged.segments is None


def test_merge_puts_batches_without_segments_into_the_first() -> None:
    segments = torch.tensor([[0, 1, 1]])
    short, long = Batch(torch.ones(1, 2), torch.ones(1, 2)), Batch(torch.ones(1, 3), torch.ones(1, 3), None, segments)
    merged = merge([short, long], pad_id=1)
    assert merged.segments is not None
    assert merged.segments.tolist() == [[0, 0, 0], [0, 1, 1]]


def test_evaluation_batches_hold_every_item_once_within_the_token_budget() -> None:
    texts = tokenised([5, 3, 9, 3, 40])
    batches = list(texts.sorted_batches(prompt=2, tokens=24))
    assert sorted(np.concatenate(batches)) == [0, 1, 2, 3, 4]
    padded = [(max(texts.lengths[b]) + 2) * len(b) for b in batches]
    assert all(size <= 24 or len(batch) == 1 for size, batch in zip(padded, batches, strict=True))


def labelled(strata: dict[tuple[str, int], int]) -> Labelled:
    rows = [(language, gold) for (language, gold), count in strata.items() for _ in range(count)]
    examples = tuple(Example(str(at), language, "x") for at, (language, _) in enumerate(rows))
    return Labelled(examples, np.array([gold for _, gold in rows]))


def test_stratified_subset_keeps_the_shares_of_language_and_class() -> None:
    strata = {("a", 0): 100, ("a", 1): 50, ("b", 0): 30, ("b", 1): 20}
    part = stratified(labelled(strata), 100)
    found = Counter((example.language, int(gold)) for example, gold in zip(part.examples, part.gold, strict=True))
    assert len(part) == 100
    assert all(abs(found[key] - count / 2) <= 1 for key, count in strata.items())


def test_stratified_subset_is_the_same_every_time_and_whole_where_it_fits() -> None:
    data = labelled({("a", 0): 40, ("b", 1): 40})
    assert stratified(data, 30).examples == stratified(data, 30).examples
    assert stratified(data, 80) is data
    assert stratified(data, None) is data


def test_renderings_come_with_their_rows_and_both_are_padded_to_one_length() -> None:
    texts = replace(tokenised([2, 7, 3]), renderings=tokenised([4, 5, 9]))
    batch = texts.batch([0, 2, 1])
    rendering = batch.rendering
    assert rendering is not None
    assert batch.ids.shape == rendering.ids.shape == (3, 9)
    assert (batch.mask.sum(1).tolist(), rendering.mask.sum(1).tolist()) == ([2, 3, 7], [4, 9, 5])
    part = batch.take(torch.tensor([2, 0]))
    assert part.rendering is not None
    assert part.ids.shape == part.rendering.ids.shape == (2, 7)
    for cut, whole in ((part, batch), (part.rendering, rendering)):
        assert torch.equal(cut.ids, whole.ids[[2, 0], :7])
        assert torch.equal(cut.mask, whole.mask[[2, 0], :7])
    assert batch.ids[0, 2:].eq(texts.pad_id).all()
    assert tokenised([2, 3]).batch([0]).rendering is None
