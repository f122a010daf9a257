"""`xlt_bench.run`: what the command line calls, and what a notebook calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from xlt_bench.engines import LocalEngine, carry_out
from xlt_bench.method import Progress, Silent
from xlt_bench.records.cell import Protocol
from xlt_bench.records.record import Record
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import DEFAULT_STORE, Request


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
    max_length: int | None = None,
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
        max_length=max_length,
        init_from=None if init_from is None else str(init_from),
        preset=preset,
        device=device,
        precision=precision,
        store=Path(store),
        save_weights=save_weights,
        rerun=rerun,
    )
    return carry_out(prepare(request), LocalEngine(progress or Silent()))
