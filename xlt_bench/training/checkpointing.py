"""When the lanes of a training are kept, and how they go on: around the trainer's loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor

from xlt_bench.errors import ClaimLostError, StoreError
from xlt_bench.method import Checkpoints, Snapshot
from xlt_bench.training.lane import Lane
from xlt_bench.training.snapshots import fits, restore, snapshot_of

FIRST_SECONDS = 5.0
"""Before the first checkpoint, and between two: a shorter fit is made anew as quickly."""


class Rhythm:
    """When a checkpoint is due: at a dev evaluation, or when the last is `seconds` old.

    Args:
        seconds: from one to the next at the latest, where writing them is cheap.
        share: of the time that writing them may take: with 0.02, after one that took a second, none is written for
            fifty seconds.
        clock: seconds.
    """

    def __init__(self, seconds: float, share: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._share = share
        self._clock = clock
        self._last = clock()
        self._cost = 0.0

    def due(self, evaluated: bool) -> bool:
        """Whether to write one after this step.

        Args:
            evaluated: the dev split was scored after it.
        """
        usual = min(FIRST_SECONDS, self._seconds) if evaluated else self._seconds
        return self._clock() - self._last >= max(usual, self._cost / self._share)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around the writing of one: what it takes decides when the next is due."""
        started = self._clock()
        yield
        self._last = self._clock()
        self._cost = self._last - started


class LaneCheckpoints:
    """Checkpoints of the lanes of one training.

    Args:
        lanes: all of it, new.
        checkpoints: of their fits.
    """

    def __init__(self, lanes: Sequence[Lane], checkpoints: Checkpoints) -> None:
        self._lanes = lanes
        self._checkpoints = checkpoints
        self._names = [checkpoints.next_name(lane.context.fit) for lane in lanes]
        self._before = checkpoints.counted()
        self._updates_before = [checkpoints.updates(_parameters(lane)) for lane in lanes]
        self._closed = [False] * len(lanes)
        self._faulty = False
        self._rhythm = Rhythm(checkpoints.seconds, checkpoints.share)

    def resume(self) -> None:
        """Set the lanes to their checkpoints, where there are any."""
        snapshots: list[Snapshot] = []
        updates: list[tuple[Tensor, int]] = []
        for name, lane in zip(self._names, self._lanes, strict=True):
            snapshot = self._checkpoints.read(name, lane.context)
            if snapshot is None:
                continue
            if not fits(lane, snapshot):
                lane.context.progress.note(f"the checkpoint {name} is of other parameters; the fit begins anew")
                continue
            restore(lane, snapshot)
            snapshots.append(snapshot)
            updates += zip(_parameters(lane), snapshot.plain["updates"], strict=True)
            lane.context.progress.note(
                f"seed {lane.context.seed} goes on from its checkpoint at step {lane.step} of {lane.total}"
            )
        self._checkpoints.count_earlier(_counted_earlier(snapshots), updates)
        self._closed = [lane.finished for lane in self._lanes]

    def keep(self, evaluated: bool) -> None:
        """Write checkpoints if they are due, and always where the process is asked to leave; then it leaves.

        A disk that takes none is said once, and the fit goes on.

        Raises:
            Stopped: it was asked to.
            ClaimLostError: another process has taken over one of the fits.
        """
        stopping = self._checkpoints.stop_signals.requested
        if stopping or self._rhythm.due(evaluated):
            with self._rhythm.writing():
                self._write()
        if stopping:
            self._checkpoints.stop_signals.stop()

    def _write(self) -> None:
        counted = {name: value - self._before[name] for name, value in self._checkpoints.counted().items()}
        for number, (name, lane) in enumerate(zip(self._names, self._lanes, strict=True)):
            if self._closed[number] or lane.failure is not None:
                continue
            snapshot = snapshot_of(lane)
            counts = self._checkpoints.updates(_parameters(lane))
            updates = [count - earlier for count, earlier in zip(counts, self._updates_before[number], strict=True)]
            plain = {**snapshot.plain, "pack": self._names, "counted": counted, "updates": updates}
            try:
                self._checkpoints.write(name, Snapshot(snapshot.tensors, plain))
                self._closed[number] = lane.finished
            except ClaimLostError:
                raise
            except StoreError as error:
                if not self._faulty:
                    lane.context.progress.note(f"{error}; the fit goes on without")
                self._faulty = True


def _parameters(lane: Lane) -> list[Tensor]:
    return [parameter for group in lane.optimiser.param_groups for parameter in group["params"]]


def _counted_earlier(snapshots: Sequence[Snapshot]) -> dict[str, float]:
    """What the lanes took before they were cut off.

    Each snapshot has the counts of its whole pack up to that moment, so the last moment has all of them; lanes of a
    pack whose other lanes are not here have their share.
    """
    packs: dict[tuple[str, ...], list[Snapshot]] = {}
    for snapshot in snapshots:
        packs.setdefault(tuple(snapshot.plain["pack"]), []).append(snapshot)
    earlier: dict[str, float] = {}
    for pack, members in packs.items():
        last = max((member.plain["counted"] for member in members), key=lambda counted: counted["seconds"])
        for name, value in last.items():
            earlier[name] = earlier.get(name, 0.0) + value * len(members) / len(pack)
    return earlier
