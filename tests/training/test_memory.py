"""How many lanes a pass takes."""

from __future__ import annotations

import pytest
import torch

from xlt_bench.errors import MethodError
from xlt_bench.training.memory import PassWidth, lanes_that_fit, out_of_memory


def test_on_a_cpu_a_pass_is_one_lane() -> None:
    width = PassWidth(torch.device("cpu"))
    with width.probe():
        pass
    assert width.lanes == 1


def test_lanes_that_fit_leave_a_fifth_free() -> None:
    assert lanes_that_fit(free_bytes=100, lane_bytes=10) == 8
    assert lanes_that_fit(free_bytes=10, lane_bytes=100) == 1
    assert lanes_that_fit(free_bytes=10, lane_bytes=0) == 8


def test_halving_ends_at_one_lane() -> None:
    width = PassWidth(torch.device("cpu"))
    width.lanes = 5
    for expected in (2, 1):
        width.halve(MemoryError())
        assert width.lanes == expected
    with pytest.raises(MethodError, match=r"single seed; .*smaller batch or shorter texts"):
        width.halve(MemoryError())


def test_errors_that_mean_no_memory() -> None:
    assert out_of_memory(MemoryError())
    assert out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"))
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not out_of_memory(ValueError("not enough memory"))
    with pytest.raises(RuntimeError) as told:
        torch.empty(2**60)
    assert out_of_memory(told.value), "torch's own words"
