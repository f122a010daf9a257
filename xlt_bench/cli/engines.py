"""Which engine a command uses, from its options; and what becomes of jobs when a command is stopped."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xlt_bench.cli.completion import completer
from xlt_bench.errors import ConfigError, EngineError
from xlt_bench.runs.request import Request

if TYPE_CHECKING:
    from rich.console import Console

    from xlt_bench.engines import Engine, Means
    from xlt_bench.method import Progress
    from xlt_bench.runs.loader import Loader

LOCAL = "local"

EngineOption = Annotated[
    str,
    typer.Option("--engine", help="A name of `ls engines`: who makes the runs.", autocompletion=completer("engines")),
]
ProfileOption = Annotated[
    Path | None,
    typer.Option("--profile", metavar="FILE", help="TOML file of what jobs of a cluster ask for; see cluster.md."),
]
JobOption = Annotated[
    list[str] | None,
    typer.Option(
        "--job", help="What jobs ask for as name=value, before the profile, such as time=4:00:00; repeatable."
    ),
]
DetachOption = Annotated[
    bool, typer.Option("--detach", help="Submit jobs and leave; the same command without it waits for them.")
]

_SLURM = "slurm"
"""The engine whose jobs go on without the command."""


@dataclass(frozen=True)
class EngineChoice:
    """An engine as it was asked for.

    Attributes:
        name: of `xlt-bench ls engines`.
        pack, threads, profile, job: as of `Means`.
        detach: submit and leave.
    """

    name: str = LOCAL
    pack: int | None = None
    threads: int | None = None
    profile: Path | None = None
    job: tuple[str, ...] = field(default=())
    detach: bool = False

    def check(self, request: Request) -> Request:
        """The request as the engine's workers take it.

        Raises:
            ConfigError: there is no such engine, or it refuses what it is given.
        """
        from xlt_bench.engines.choosing import engine_of

        if self.detach and self.name != _SLURM:
            raise ConfigError("--detach leaves jobs of a cluster to themselves; it needs --engine slurm")
        return engine_of(self.name, self._means()).adapted(request)

    def maker(self, notes: Console, loader: Loader | None = None) -> Callable[[Progress], Engine]:
        """Makes the engine that tells a Progress; what it says beside that is printed as notes."""
        from xlt_bench.engines.choosing import engine_of
        from xlt_bench.runs.loader import Loader

        means = replace(self._means(), loader=loader or Loader(), say=lambda line: notes.print(line, soft_wrap=True))
        return lambda progress: engine_of(self.name, replace(means, progress=progress))

    def _means(self) -> Means:
        from xlt_bench.engines import Means

        return Means(pack=self.pack, threads=self.threads, profile=self.profile, job=self.job)


def leave_or_cancel(choice: EngineChoice, store: Path, notes: Console) -> None:
    """After Ctrl-C: ask whether jobs of this store stay in the queue; without a terminal they do."""
    if choice.name != _SLURM:
        return
    from xlt_bench.engines.slurm import commands
    from xlt_bench.engines.slurm.submissions import Submissions
    from xlt_bench.progress.lines import counted

    try:
        jobs = Submissions(store).jobs()
        if not jobs:
            return
        names = list(dict.fromkeys(job.name for job in jobs))
        question = f"{counted(len(jobs), 'job')} of {store} in the queue; cancel them? (no: they go on)"
        if sys.stdin.isatty() and typer.confirm(question, default=False, err=True):
            commands.cancel(names)
            notes.print(f"cancelled {counted(len(jobs), 'job')}; what they have made stays in {store}")
        else:
            notes.print(
                f"{counted(len(jobs), 'job')} left in the queue; to cancel: scancel --name={','.join(names)}",
                soft_wrap=True,
            )
    except EngineError as error:
        notes.print(f"jobs may go on: {error}", style="red")
