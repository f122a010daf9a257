"""How many lanes go through the backbone together: measured on a GPU, and halved wherever memory runs out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from xlt_bench.errors import MethodError

_SHARE = 0.8
"""Of the free memory that lanes may take: allocators split blocks, and lengths differ from step to step."""


class PassWidth:
    """The number of lanes in one pass.

    On a CPU it is one: arithmetic is the limit there, wider passes only leave the processor's caches. On a GPU a
    first step goes lane by lane, and what it took on top tells how many fit.
    """

    def __init__(self, device: torch.device) -> None:
        self.lanes = 1
        self._device = device
        self._measured = device.type != "cuda"

    def halve(self, error: BaseException) -> None:
        """Take note that a pass did not fit.

        Raises:
            MethodError: it was of one lane.
        """
        if self.lanes == 1:
            raise MethodError(
                "out of memory with a single seed; use a smaller batch or shorter texts (batch_size and max_length of "
                "the recipe), --precision bf16, or a smaller backbone"
            ) from error
        self.lanes //= 2
        self._measured = True

    @contextmanager
    def probe(self) -> Iterator[None]:
        """Around the first step: measure what one lane takes."""
        if self._measured:
            yield
            return
        torch.cuda.reset_peak_memory_stats(self._device)
        bytes_at_start = torch.cuda.memory_allocated(self._device)
        yield
        lane_bytes = torch.cuda.max_memory_allocated(self._device) - bytes_at_start
        free, _ = torch.cuda.mem_get_info(self._device)
        reserved_bytes = torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)
        self.lanes = lanes_that_fit(free + reserved_bytes, lane_bytes)
        self._measured = True


def lanes_that_fit(free_bytes: int, lane_bytes: int) -> int:
    """Lanes for which free memory suffices, given what one takes, both in bytes; at least one."""
    return max(1, int(_SHARE * free_bytes / max(lane_bytes, 1)))


def out_of_memory(error: BaseException) -> bool:
    """Whether this is how torch or Python say that there is no memory left, on a GPU or a CPU."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    message = str(error).lower()
    return isinstance(error, RuntimeError) and ("can't allocate memory" in message or "not enough memory" in message)
