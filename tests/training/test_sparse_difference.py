"""Sparse differences: exactly so many weights, added and removed exactly, and what is ranked after denoising."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from xlt_bench.errors import ConfigError
from xlt_bench.training.sparse_difference import SparseDifference, denoised, largest, masked_gradients


def random_weights(seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(shape, generator=generator) for name, shape in (("a", (7, 5)), ("b", (11,)), ("c", (3, 2)))
    }


def authors_masks(start: dict[str, Tensor], end: dict[str, Tensor], count: int) -> dict[str, Tensor]:
    """As `unfreeze_k_most_changed_params` of composable-sft has it: a threshold, and all that reach it."""
    changes = {name: (end[name] - start[name]).abs() for name in start}
    ordered = np.sort(np.concatenate([change.flatten().numpy() for change in changes.values()]))
    return {name: change >= float(ordered[len(ordered) - count]) for name, change in changes.items()}


@pytest.mark.parametrize("count", [1, 20, 51, 52])
def test_chosen_weights_are_those_of_the_authors(count: int) -> None:
    start, end = random_weights(0), random_weights(1)
    chosen = largest({name: end[name] - start[name] for name in start}, count)
    expected = authors_masks(start, end, count)
    assert sum(int(mask.sum()) for mask in chosen.values()) == count
    assert all(torch.equal(chosen[name], expected[name]) for name in start)


def test_among_equals_exactly_so_many_are_chosen() -> None:
    chosen = largest({"a": torch.tensor([1.0, -1.0, 2.0]), "b": torch.tensor([1.0, 0.0])}, 3)
    assert [mask.tolist() for mask in chosen.values()] == [[True, True, True], [False, False]]


@pytest.mark.parametrize("count", [0, 53])
def test_more_weights_than_there_are_is_one_line(count: int) -> None:
    with pytest.raises(ConfigError, match=rf"{count} weights are to be changed of the backbone's 52 .* from 1 to 52"):
        largest(random_weights(), count)


def test_added_and_removed_exactly() -> None:
    start, end = random_weights(0), random_weights(1)
    chosen = largest({name: end[name] - start[name] for name in start}, 20)
    difference = SparseDifference.between(start, end, chosen)
    assert len(difference) == 20
    weights = {name: value.clone() for name, value in start.items()}
    with difference.added(weights):
        for name, mask in chosen.items():
            torch.testing.assert_close(weights[name][mask], end[name][mask], rtol=0, atol=1e-6)
            assert torch.equal(weights[name][~mask], start[name][~mask])
    assert all(torch.equal(weights[name], start[name]) for name in start), "bit for bit"
    with pytest.raises(ZeroDivisionError), difference.added(weights):
        raise ZeroDivisionError
    assert all(torch.equal(weights[name], start[name]) for name in start), "after a fault too"


def test_it_comes_back_from_a_file() -> None:
    start, end = random_weights(0), random_weights(1)
    chosen = largest({name: end[name] - start[name] for name in start}, 20)
    difference = SparseDifference.between(start, end, chosen)
    again = SparseDifference.from_tensors(difference.tensors())
    assert all(torch.equal(again.masks(start)[name], chosen[name]) for name in start)
    first, second = ({name: value.clone() for name, value in start.items()} for _ in range(2))
    difference.add_to(first)
    again.add_to(second)
    assert all(torch.equal(first[name], second[name]) for name in start)


def test_gradients_are_masked_until_the_block_ends() -> None:
    weight = nn.Parameter(torch.ones(3))
    with masked_gradients({"w": weight}, {"w": torch.tensor([True, False, True])}):
        weight.sum().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [1.0, 0.0, 1.0]
    weight.grad = None
    weight.sum().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [1.0, 1.0, 1.0]


def test_denoising_keeps_the_signal_of_low_rank() -> None:
    """A matrix of rank 1 in noise of a tenth of its size: what is kept is closer to it than what was given."""
    generator = torch.Generator().manual_seed(0)
    signal = torch.randn(30, 1, generator=generator) @ torch.randn(1, 20, generator=generator)
    noisy = signal + 0.1 * torch.randn(30, 20, generator=generator)
    plain = denoised(noisy, rank=0.9, keep=0.0)
    assert float((plain - signal).norm()) < 0.5 * float((noisy - signal).norm())
    assert int(torch.linalg.matrix_rank(plain, rtol=1e-4)) == 1
    with_entries = denoised(noisy, rank=0.9, keep=0.05)
    assert int(((with_entries - plain).abs() > 1e-7).sum()) == 30, "5% of 600 entries"


def test_denoising_with_all_of_a_matrix_changes_nothing() -> None:
    matrix, vector = random_weights()["a"], random_weights()["b"]
    assert torch.equal(denoised(matrix, rank=1.0, keep=0.0), matrix)
    torch.testing.assert_close(denoised(matrix, rank=0.5, keep=1.0), matrix, rtol=0, atol=1e-6)
    assert denoised(vector, rank=0.1, keep=0.0) is vector
    assert torch.equal(denoised(torch.zeros(3, 4), rank=0.9, keep=0.05), torch.zeros(3, 4)), "nothing moved"
