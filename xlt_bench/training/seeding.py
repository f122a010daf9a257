"""Randomness that follows from a seed and leaves the caller's random state as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import numpy as np
import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within, torch's CPU generator follows from `seed`; afterwards it is as before. Other devices are not touched.

    New parameters are drawn on the CPU and then moved, so that every device starts from the same weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


class RandomStream:
    """A stream of random numbers of its own: inside `with`, torch's generators continue it, whoever draws.

    Dropout of a plug-in's module, of the head and of the backbone so follow from one seed, and not from what else is
    trained at the time. A block that ends with an exception leaves the stream as it found it, so that it can be
    tried again.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self._cuda = device if device.type == "cuda" else None
        outer = self._states()
        self._seed(int(np.random.SeedSequence([seed]).generate_state(1)[0]))
        self._inner = self._states()
        self._set(outer)
        self._outer = outer

    def __enter__(self) -> None:
        self._outer = self._states()
        self._set(self._inner)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._inner = self._states()
        self._set(self._outer)

    @property
    def states(self) -> list[torch.Tensor]:
        """Where the stream stands: the state of torch's generator on the CPU and, where it has one, on the GPU."""
        return self._inner

    @states.setter
    def states(self, states: list[torch.Tensor]) -> None:
        self._inner = states

    def _seed(self, seed: int) -> None:
        torch.default_generator.manual_seed(seed)
        if self._cuda is not None:
            with torch.cuda.device(self._cuda):
                torch.cuda.manual_seed(seed)

    def _states(self) -> list[torch.Tensor]:
        cuda = [] if self._cuda is None else [torch.cuda.get_rng_state(self._cuda)]
        return [torch.get_rng_state(), *cuda]

    def _set(self, states: list[torch.Tensor]) -> None:
        torch.set_rng_state(states[0])
        if self._cuda is not None:
            torch.cuda.set_rng_state(states[1], self._cuda)
