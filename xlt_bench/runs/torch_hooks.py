"""Watching what torch does from outside, for a while."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from torch.utils.hooks import RemovableHandle


class TorchHooks(ABC):
    """Hooks for every optimiser or module of this process, which hold within a `with` and no longer."""

    _handles: tuple[RemovableHandle, ...] = ()

    @abstractmethod
    def register(self) -> tuple[RemovableHandle, ...]:
        """Set the hooks; the handles that remove them."""

    def __enter__(self) -> Self:
        self._handles = self.register()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
