"""`xlt_bench.run`: what the command line calls, and what a notebook calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from xlt_bench.engines.local import run_local
from xlt_bench.errors import ConfigError
from xlt_bench.method import Progress, Silent
from xlt_bench.records.cell import Protocol
from xlt_bench.records.record import Record
from xlt_bench.runs.experiment import Experiment, Resources, prepare
from xlt_bench.runs.request import DEFAULT_STORE, Request
from xlt_bench.runs.runner import Runner

GPU_PACK = 16


def pack_size(asked: int | None, experiment: Experiment) -> int:
    """How many runs go through the backbone together.

    On a CPU one: arithmetic is the limit there, and a run that is interrupted takes its pack with it. On a GPU, where
    launches are the limit, all seeds up to 16; what does not fit into memory is split.
    """
    if asked is not None and asked < 1:
        raise ConfigError(f"--pack must be at least 1, not {asked}")
    return asked or (GPU_PACK if experiment.job.device.startswith("cuda") else 1)


def _no_word(number: int) -> None:
    """Say nothing while waiting."""


def carry_out(
    experiment: Experiment,
    progress: Progress | None = None,
    pack: int | None = None,
    *,
    waiting: Callable[[int], None] | None = _no_word,
    resources: Resources | None = None,
    keep_fits: bool = False,
) -> list[Record]:
    """Run the missing cells of an experiment; its Records, in the order of its cells.

    Args:
        experiment: from `prepare`.
        progress: is told of steps and dev evaluations.
        pack: seeds (or targets of one fit) trained in one pass over the backbone, where the method can; None: see
            `pack_size`.
        waiting: is told how many cells other processes work on, when only these are left; None: they are not waited
            for, and their Records are not among those returned.
        resources: as for `prepare`.
        keep_fits: leave the fits on the sources in the store, for another experiment that adapts from them.
    """
    size = pack_size(pack, experiment)
    experiment.check_store()
    records = dict(experiment.done)
    runner = Runner(experiment.job, progress or Silent(), resources.backbones if resources else None)
    for record in run_local(experiment.missing, runner, experiment.settled, size, waiting):
        records[record.cell.fingerprint] = record
    if not keep_fits:
        experiment.job.store.fits.drop({cell.source_fit for cell in experiment.cells if cell.adapts})
    return [records[cell.fingerprint] for cell in experiment.cells if cell.fingerprint in records]


def run(
    method: str = "xpe",
    sources: str = "seen",
    *,
    task: str = "cldr",
    data_dir: Path | str | None = None,
    targets: str | None = None,
    protocol: Protocol | None = None,
    shots: Sequence[int | None] = (None,),
    examples: int | None = None,
    backbone: str | None = None,
    seeds: int | Sequence[int] | None = None,
    steps: int | None = None,
    target_steps: int | None = None,
    settings: Mapping[str, object] | None = None,
    rate_factors: tuple[float, float] = (1.0, 1.0),
    groups_file: Path | str | None = None,
    seen: str | None = None,
    init_from: Path | str | None = None,
    preset: str | None = None,
    device: str | None = None,
    precision: Literal["auto", "fp32", "bf16"] = "auto",
    store: Path | str = DEFAULT_STORE,
    save_weights: bool = False,
    rerun: Literal["failed", "all"] | None = None,
    progress: Progress | None = None,
) -> list[Record]:
    """Run a method and return its Records, one a seed (in the full protocol, one a seed and target).

    What the store already holds is not computed again.

    The arguments are those of `Request`; `seeds` may be a count, and `settings` may hold plain values
    (`{"n_tokens": 10}`).
    """
    request = Request(
        method=method,
        task=task,
        data_dir=None if data_dir is None else Path(data_dir),
        sources=sources,
        targets=targets,
        protocol=protocol,
        shots=tuple(shots),
        examples=examples,
        backbone=backbone,
        seeds=None if seeds is None else tuple(range(seeds) if isinstance(seeds, int) else seeds),
        steps=steps,
        target_steps=target_steps,
        settings={name: str(value) for name, value in (settings or {}).items()},
        rate_factors=rate_factors,
        groups_file=None if groups_file is None else Path(groups_file),
        seen=seen,
        init_from=None if init_from is None else str(init_from),
        preset=preset,
        device=device,
        precision=precision,
        store=Path(store),
        save_weights=save_weights,
        rerun=rerun,
    )
    return carry_out(prepare(request), progress)
