"""The engine of several GPUs: one worker process on each that this process sees; they share the cells by claims."""

from __future__ import annotations

import math
import os
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from xlt_bench.engines.answers import Answer
from xlt_bench.engines.base import Means, Waiting
from xlt_bench.engines.faults import not_made, worker_fault
from xlt_bench.engines.packs import pack_size, packs
from xlt_bench.engines.plan import Plan
from xlt_bench.engines.processes import WorkerProcess
from xlt_bench.errors import ConfigError
from xlt_bench.io.process_folders import process_folder
from xlt_bench.io.stop_signals import StopSignals
from xlt_bench.method import Activity, Progress
from xlt_bench.progress.lines import counted
from xlt_bench.records.cell import Cell
from xlt_bench.records.record import Record
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.request import Request


@dataclass(frozen=True)
class GpusEngine:
    """See `Engine`.

    Every worker gets all cells, beginning with another pack, and takes what nobody has claimed: none waits while there
    is work, and the cells of one that dies are made by the others.

    Attributes:
        workers: name -> environment, of each worker.
        progress: is told what each of them is doing.
        pack: cells that go through the backbone together at most, where the method can; None: see `pack_size`.
        say: is told of workers that were lost.
    """

    workers: Mapping[str, Mapping[str, str]]
    progress: Progress
    pack: int | None
    say: Callable[[str], None]

    @staticmethod
    def of(means: Means) -> GpusEngine:
        """The engine as commands make it.

        Raises:
            ConfigError: there is no GPU, or something is said that it cannot use.
        """
        means.check_no_jobs()
        if means.threads is not None:
            raise ConfigError("--threads is of work on a CPU; leave it out with --engine gpus")
        identifiers = visible_gpus()
        if not identifiers:
            raise ConfigError("--engine gpus: torch sees no CUDA device; leave it out")
        workers = {f"GPU {identifier}": {"CUDA_VISIBLE_DEVICES": identifier} for identifier in identifiers}
        return GpusEngine(workers, means.progress, means.pack, means.say)

    def adapted(self, request: Request) -> Request:
        """As it is, on GPUs; ConfigError for one that names a device."""
        if request.device not in (None, "cuda"):
            raise ConfigError(
                f"--device {request.device}: --engine gpus uses all GPUs that it sees; choose them with "
                "CUDA_VISIBLE_DEVICES=0,1"
            )
        return replace(request, device="cuda")

    def carry_out(self, experiment: Experiment, waiting: Waiting | None) -> Iterator[Record]:
        """Carry out the missing cells; those of processes outside are waited for, whatever `waiting` is.

        Raises:
            EngineError: workers ended before all was made.
            Stopped: a scheduler asked the process to leave; the workers have left before it.
        """
        cells = {cell.fingerprint: cell for cell in experiment.missing}
        if not cells:
            return
        with StopSignals(), process_folder("xlt-bench-gpus-") as folder, self._started(experiment, folder) as crew:
            for answer in crew.answers(self.progress, len(cells)):
                cell = cells.get(answer.fingerprint)
                record = None if cell is None else experiment.settled(cell)
                if record is not None:
                    del cells[answer.fingerprint]
                    self.progress.activity(Activity("writing", f"seed {record.cell.seed}"))
                    yield record
            faults = crew.faults()
        if cells:
            raise not_made(len(cells), faults)
        for fault in faults:
            self.say(f"{fault}; the others made its runs")

    @contextmanager
    def _started(self, experiment: Experiment, folder: Path) -> Iterator[Crew]:
        """The workers at work; those that still are when the block ends are told to leave."""
        size = pack_size(self.pack, experiment.setup.device)
        size = min(size, math.ceil(len(experiment.missing) / len(self.workers)))
        parts = list(packs(experiment.missing, size))
        crew = Crew(folder)
        try:
            for place, (name, environment) in enumerate(self.workers.items()):
                crew.start(name, environment, Plan.of(experiment, _from(place, len(self.workers), parts), size))
            yield crew
        finally:
            crew.stop()


class Crew:
    """Worker processes, and what they say.

    Args:
        folder: of their plans and logs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._workers: dict[str, WorkerProcess] = {}
        self._lines: queue.Queue[tuple[str, str | None]] = queue.Queue()

    def start(self, name: str, environment: Mapping[str, str], plan: Plan) -> None:
        """Start a worker on a plan."""
        self._workers[name] = WorkerProcess(
            str(len(self._workers)),
            plan.as_text(),
            environment,
            self._folder,
            lambda line: self._lines.put((name, line)),
        )

    def answers(self, progress: Progress, cells: int) -> Iterator[Answer]:
        """What workers say of Records, until all have ended; what else they say goes to the progress."""
        doing = dict.fromkeys(self._workers, "starting")
        while doing:
            summary = "; ".join(f"{name}: {activity}" for name, activity in doing.items())
            progress.activity(Activity("waiting", f"for {counted(cells, 'run')}: {summary}"))
            name, line = self._lines.get()
            if line is None:
                del doing[name]
                continue
            answer = Answer.from_line(line)
            doing[name] = answer.doing or doing[name]
            if answer.note:
                progress.note(f"{name}: {answer.note}")
            yield answer

    def faults(self) -> list[str]:
        """Which workers ended by themselves before their work was done, and what they said, once all have ended."""
        ends = {name: worker.end() for name, worker in self._workers.items()}
        return [worker_fault(name, code, complaint) for name, (code, complaint) in ends.items() if code]

    def stop(self) -> None:
        """Tell workers that still run to leave, and end those that do not."""
        for worker in self._workers.values():
            worker.ask_to_leave()
        for worker in self._workers.values():
            worker.stop()


def visible_gpus() -> list[str]:
    """The GPUs that this process sees, as CUDA_VISIBLE_DEVICES names them."""
    import torch

    number = torch.cuda.device_count()
    listed = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return [name.strip() for name in listed.split(",")][:number] if listed else [str(gpu) for gpu in range(number)]


def _from(place: int, workers: int, parts: Sequence[Sequence[Cell]]) -> list[Cell]:
    """All cells, first those of a worker's share of the packs, then the shares of the next ones."""
    shares = [parts[(place + turn) % workers :: workers] for turn in range(workers)]
    return [cell for share in shares for part in share for cell in part]
