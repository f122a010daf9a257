"""Claims: which process works on what, so that several can share a store without doing anything twice.

A claim is a lease with a lock of the operating system in it. On one machine the lock tells at once that its process has
ended, however that ended; across machines, and of a process that was stopped, its signs of life tell. What holds on
which file system is said in docs/checkpoints.md.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from xlt_bench.errors import ClaimLostError, StoreError
from xlt_bench.io.atomic import sweep, temporary
from xlt_bench.io.texts import reason
from xlt_bench.records.leases import BEAT_SECONDS, ForeignLease, Lease, Owner, heartbeat, read_lease

LOST_SECONDS = 120.0
"""Without a sign of life, after which another process takes a claim over."""

_OVERDUE_BEATS = 3
_LOOKS_BEATS = 2
"""So long a process sees no sign of life itself before it takes over: a machine that slept wakes with old signs."""


class Claims:
    """Claims inside a folder, by key.

    Args:
        folder: made at the first claim.
        beat_seconds: between two signs of life.
        lost_seconds: without one, after which a claim is taken over.
    """

    def __init__(self, folder: Path, beat_seconds: float = BEAT_SECONDS, lost_seconds: float = LOST_SECONDS) -> None:
        self._folder = folder
        self._beat_seconds = beat_seconds
        self._lost_seconds = lost_seconds
        self._leases: dict[str, Lease] = {}
        self._first_looks: dict[Path, tuple[int, float]] = {}

    @contextmanager
    def hold(self, keys: Sequence[str]) -> Iterator[list[str]]:
        """Claim what nobody else holds, without waiting; the keys that are claimed until the block ends.

        Raises:
            StoreError: the folder cannot be written.
        """
        with ExitStack() as stack:
            leases = {}
            for key in keys:
                lease = self._take(key)
                if lease is not None:
                    leases[key] = self._leases[key] = lease
                    stack.callback(self._give_back, key)
            if leases:
                stack.enter_context(heartbeat(list(leases.values()), self._beat_seconds))
            yield list(leases)

    def held(self, key: str) -> bool:
        """Whether a process, this one included, holds a claim and is alive as far as can be told."""
        lease = read_lease(self._folder, key)
        return lease is not None and not lease.ended and lease.age < self._lost_seconds

    def owner(self, key: str) -> Owner | None:
        """Who holds a claim; None where nobody does, or it cannot be read."""
        lease = read_lease(self._folder, key)
        if lease is None or lease.ended or lease.owner is None:
            return None
        overdue = lease.age >= _OVERDUE_BEATS * self._beat_seconds
        silent_seconds = int(lease.age) if overdue else 0
        return Owner(lease.owner.host, lease.owner.process_id, lease.owner.since, silent_seconds)

    def expiring(self, keys: Iterable[str]) -> bool:
        """Whether the owner of one of these seems lost, so that it can be claimed in a moment."""
        leases = (read_lease(self._folder, key) for key in keys)
        return any(lease is not None and lease.age >= self._lost_seconds for lease in leases)

    @contextmanager
    def drafts(self, key: str, default: Path) -> Iterator[Path]:
        """A new folder for what is to be moved into place, removed afterwards; no move succeeds once a claim is lost.

        Args:
            key: of a claim.
            default: where the folder lies if this object does not hold the claim.

        Raises:
            ClaimLostError: another process has taken the claim over, and what is being written is refused.
            OSError: from within, for any other reason.
        """
        lease = self._leases.get(key)
        try:
            with temporary(default) if lease is None else temporary(lease.folder, parents=False) as folder:
                yield folder
        except OSError as error:
            if lease is not None and not lease.stands:
                raise ClaimLostError(
                    f"this process gave no sign of life for {self._lost_seconds:.0f} s, and another one has taken over "
                    f"{key}; what this one made of it is not stored"
                ) from error
            raise

    def sweep(self) -> None:
        """Remove what killed processes left behind."""
        sweep(self._folder)

    def _take(self, key: str) -> Lease | None:
        lease = read_lease(self._folder, key)
        if lease is not None:
            if not self._is_free(lease):
                return None
            lease.remove()
        try:
            return Lease.take(self._folder, key)
        except OSError as error:
            raise StoreError(
                f"no claim can be written in {self._folder}: {reason(error)}; give another store: --store DIR"
            ) from error

    def _is_free(self, lease: ForeignLease) -> bool:
        """Whether its owner has ended, or has been silent for so long that it is taken for lost."""
        if lease.ended:
            return True
        if lease.age < self._lost_seconds:
            return False
        now = time.monotonic()
        beat, first_look = self._first_looks.setdefault(lease.folder, (lease.beat, now))
        if beat != lease.beat:
            self._first_looks[lease.folder] = (lease.beat, now)
            return False
        return now - first_look >= _LOOKS_BEATS * self._beat_seconds

    def _give_back(self, key: str) -> None:
        self._leases.pop(key).give_back()
