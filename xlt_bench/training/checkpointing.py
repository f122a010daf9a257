"""When trainings are kept, and how they go on: around the loop of whoever trains them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from torch import Tensor

from xlt_bench.errors import ClaimLostError, StoreError
from xlt_bench.method import Checkpoints, Context, Snapshot

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


class Resumable(Protocol):
    """A training that can be kept between two steps and gone on with: a lane, or that of a language.

    Attributes:
        context: of its fit.
        title: what notes call it.
        progress: steps done and to be done.
        finished: whether there is nothing more to train.
        failed: whether it diverged, so that nobody is to go on from here.
        parameters: what is trained.
    """

    @property
    def context(self) -> Context: ...

    @property
    def title(self) -> str: ...

    @property
    def progress(self) -> tuple[int, int]: ...

    @property
    def finished(self) -> bool: ...

    @property
    def failed(self) -> bool: ...

    @property
    def parameters(self) -> Sequence[Tensor]: ...

    def snapshot(self) -> Snapshot:
        """All that changes while it is trained, and the global generators; tensors are not copied."""

    def accepts(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot is of such a training."""

    def restore(self, snapshot: Snapshot) -> None:
        """Set a new training, and the global generators, to what they were."""


@contextmanager
def resumable(trainings: Sequence[Resumable]) -> Iterator[Callable[[bool], None]]:
    """Around the loop of new trainings, which go on from their checkpoints where there are any.

    Yields what is to be called after each step, told whether held-out data was scored after it: it keeps the trainings
    if that is due, and raises as `TrainingCheckpoints.keep` does. Without checkpoints in the context it does nothing.
    """
    checkpoints = trainings[0].context.checkpoints
    if checkpoints is None:
        yield lambda evaluated: None
        return
    training_checkpoints = TrainingCheckpoints(trainings, checkpoints)
    training_checkpoints.resume()
    with checkpoints.stop_signals.deferred():
        yield training_checkpoints.keep


class TrainingCheckpoints:
    """Checkpoints of trainings that share a loop.

    Args:
        trainings: all of them, new.
        checkpoints: of their fits.
    """

    def __init__(self, trainings: Sequence[Resumable], checkpoints: Checkpoints) -> None:
        self._trainings = trainings
        self._checkpoints = checkpoints
        self._names = [checkpoints.next_name(training.context.fit) for training in trainings]
        self._before = checkpoints.counted()
        self._updates_before = [checkpoints.updates(training.parameters) for training in trainings]
        self._closed = [False] * len(trainings)
        self._faulty = False
        self._rhythm = Rhythm(checkpoints.seconds, checkpoints.share)

    def resume(self) -> None:
        """Set the trainings to their checkpoints, where there are any."""
        snapshots: list[Snapshot] = []
        updates: list[tuple[Tensor, int]] = []
        for name, training in zip(self._names, self._trainings, strict=True):
            snapshot, notes = self._checkpoints.read(name, training.context), training.context.progress
            if snapshot is None:
                continue
            if not training.accepts(snapshot):
                notes.note(f"the checkpoint {name} is of other parameters; the fit begins anew")
                continue
            training.restore(snapshot)
            snapshots.append(snapshot)
            updates += zip(training.parameters, snapshot.plain["updates"], strict=True)
            step, total = training.progress
            notes.note(f"{training.title} goes on from its checkpoint at step {step} of {total}")
        self._checkpoints.count_earlier(_counted_earlier(snapshots), updates)
        self._closed = [training.finished for training in self._trainings]

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
        for number, (name, training) in enumerate(zip(self._names, self._trainings, strict=True)):
            if self._closed[number] or training.failed:
                continue
            snapshot = training.snapshot()
            counts = self._checkpoints.updates(training.parameters)
            updates = [count - earlier for count, earlier in zip(counts, self._updates_before[number], strict=True)]
            plain = {**snapshot.plain, "pack": self._names, "counted": counted, "updates": updates}
            try:
                self._checkpoints.write(name, Snapshot(snapshot.tensors, plain))
                self._closed[number] = training.finished
            except ClaimLostError:
                raise
            except StoreError as error:
                if not self._faulty:
                    training.context.progress.note(f"{error}; the fit goes on without")
                self._faulty = True


def _counted_earlier(snapshots: Sequence[Snapshot]) -> dict[str, float]:
    """What the trainings took before they were cut off.

    Each snapshot has the counts of its whole pack up to that moment, so the last moment has all of them; trainings of a
    pack whose others are not here have their share.
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
