"""The global random states of Python, numpy and torch."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def state() -> dict[str, object]:
    """The global random states, comparable."""
    numpy = np.random.get_state(legacy=False)
    return {"random": random.getstate(), "numpy": _plain(numpy), "torch": _plain(torch.get_rng_state())}


def _plain(value: Any) -> object:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


@contextmanager
def global_state(seed: int) -> Iterator[None]:
    """Within, the global random states are others; afterwards they are the caller's again."""
    callers = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(callers[0])
        np.random.set_state(callers[1])
        torch.set_rng_state(callers[2])
