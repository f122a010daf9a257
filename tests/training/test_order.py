"""Orders of batches: by language, of parallel items, in all views."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise

import numpy as np
import pytest

from tests.support.fits import NO_DATA
from xlt_bench.backbones.tokenised import Tokenised
from xlt_bench.task import Example
from xlt_bench.training.data import TokenisedSplit, TrainData, origin_of
from xlt_bench.training.order import Index, all_views, batch_order, by_language, parallel

COUNTS = {"deu_Latn": 20, "eng_Latn": 20, "fra_Latn": 7}
EXAMPLES = [Example(str(number), code, "x") for code, count in COUNTS.items() for number in range(count)]
ITEMS = len(EXAMPLES)


def data(views: int = 1) -> TrainData:
    rows = EXAMPLES * views
    texts = Tokenised(tuple(np.arange(2, 5) for _ in rows), 1)
    train = TokenisedSplit(texts, np.zeros(len(rows), np.int64), origin_of(rows, ITEMS, parallel=True))
    return TrainData(train, NO_DATA.dev, ITEMS)


def epoch(batches: Iterator[Index]) -> list[Index]:
    """As many batches as hold every item once."""
    taken: list[Index] = []
    while sum(map(len, taken)) < ITEMS:
        taken += islice(batches, 1)
    return taken


@pytest.mark.parametrize("order", [by_language, parallel])
def test_every_epoch_visits_every_item_once_in_an_order_that_follows_from_the_seed(order: object) -> None:
    batches = order(data(), 6, seed=3)  # type: ignore[operator]
    first, second = np.concatenate(epoch(batches)), np.concatenate(epoch(batches))
    assert sorted(first) == sorted(second) == list(range(ITEMS))
    assert first.tolist() != second.tolist()
    again = order(data(), 6, seed=3)  # type: ignore[operator]
    other = order(data(), 6, seed=4)  # type: ignore[operator]
    assert np.concatenate(epoch(again)).tolist() == first.tolist() != np.concatenate(epoch(other)).tolist()


def test_batches_by_language_have_one_language() -> None:
    batches = epoch(by_language(data(), 6, seed=0))
    assert all(len({EXAMPLES[row].language for row in batch}) == 1 for batch in batches)
    assert len({EXAMPLES[batch[0]].language for batch in batches}) == 3


@pytest.mark.parametrize("together", [2, 3])
def test_parallel_items_follow_each_other_in_different_languages(together: int) -> None:
    order = np.concatenate(epoch(parallel(data(), 12, seed=0, together=together)))
    rows = [EXAMPLES[row] for row in order]
    ends = np.flatnonzero([row.id != following.id for row, following in pairwise(rows)]) + 1
    groups = np.split(np.arange(ITEMS), ends)
    sizes = [len(group) for group in groups]
    assert max(sizes) >= together
    expected = 20 if together == 2 else 13 + 7
    assert sum(size >= 2 for size in sizes) >= expected - 3, "a chance neighbour may join two pairs of one item"
    for group in groups:
        assert len({rows[i].language for i in group}) == len(group)


def test_all_views_of_a_batch_are_rows_of_its_items() -> None:
    splits = data(views=3)
    batches = all_views(batch_order(np.full(ITEMS, 3), 5, seed=0), splits.items, 3)
    rows = next(batches)
    items = splits.train.origin.item[rows].reshape(3, 5)
    assert len(rows) == 15
    assert (items[0] == items[1]).all()
    assert (items[0] == items[2]).all()
    assert len(set(rows.tolist())) == 15
