"""Random initial weights that follow from a seed and leave the caller's random state as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within, torch's CPU generator follows from `seed`; afterwards it is as before. Other devices are not touched.

    New parameters are drawn on the CPU and then moved, so that every device starts from the same weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
