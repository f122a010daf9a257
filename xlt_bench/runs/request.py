"""A Request: what is asked for, as the options of `xlt-bench run`; and what cannot be asked for together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from xlt_bench.backbones.architectures import Architecture
from xlt_bench.backbones.source import Precision
from xlt_bench.errors import ConfigError
from xlt_bench.recipe import ReadOut, Recipe
from xlt_bench.records.cell import Protocol
from xlt_bench.task import Task, TaskInfo

DEFAULT_STORE = Path("xlt-results")
NO_SOURCES = "none"
SHORTEST = 4
"""Tokens of a text that are kept at least: its special tokens and one more."""


@dataclass(frozen=True)
class Request:
    """What is asked for, as the command line's options; None takes the task's default.

    Attributes:
        method: a name of `xlt-bench ls methods`, or `path/to/file.py:Class`.
        sources, targets: expressions over groups and language codes (see `xlt_bench.languages.groups`); sources
            `none` trains on each target's own train split.
        protocol: `zero-shot`, or `full`: adapt to each target on its train split. None: full without sources.
        shots: in the full protocol, numbers of labelled target examples; None is all, 0 is zero-shot.
        examples: labelled source examples, all languages together; None is all.
        backbone: `nano`, a local folder, or a hub id.
        steps: optimiser steps on the sources (without sources: on the target), in place of the preset's.
        target_steps: optimiser steps of adapting to a target, in place of the preset's.
        settings: hyper-parameters of the method, as text.
        rate_factors: on the preset's learning rates: of all roles but the head, and of the head.
        read_out: the state that the head reads; None: the first that the backbone's architecture offers.
        text_prefix: put before every text.
        groups_file: a TOML file with more groups of languages (see `xlt_bench.languages.group_files`).
        seen: which languages the backbone saw: a file, or `like:NAME` (see `xlt_bench.backbones.languages`).
        max_length: tokens of a text that are kept, in place of the task's or the preset's.
        tuning: how the setting was found, of a request that a search made (see `xlt_bench.tuning`).
        init_from: an adapter, or a Record with weights, from which a soft prompt starts in place of random weights.
        rerun: run failed cells again, or all of them, although the store holds their Records.
    """

    method: str = "xpe"
    task: str = "cldr"
    data_dir: Path | None = None
    sources: str = "seen"
    targets: str | None = None
    protocol: Protocol | None = None
    shots: tuple[int | None, ...] = (None,)
    examples: int | None = None
    backbone: str | None = None
    seeds: tuple[int, ...] | None = None
    steps: int | None = None
    target_steps: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    rate_factors: tuple[float, float] = (1.0, 1.0)
    read_out: ReadOut | None = None
    text_prefix: str = ""
    groups_file: Path | None = None
    seen: str | None = None
    max_length: int | None = None
    tuning: Mapping[str, Any] = field(default_factory=dict)
    init_from: str | None = None
    preset: str | None = None
    device: str | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    store: Path = DEFAULT_STORE
    save_weights: bool = False
    rerun: Literal["failed", "all"] | None = None

    @property
    def has_sources(self) -> bool:
        """Whether something is learned from sources; without, each target's own train split is trained on."""
        return self.sources != NO_SOURCES


def check_examples(request: Request, sources: Sequence[str], task: Task) -> None:
    """Refuse a number of source examples that the sources do not have."""
    if request.examples is None:
        return
    if not sources:
        raise ConfigError("--examples limits those of the sources, and there are none; those of a target are --shots")
    items = sum(len(task.split(code, "train")) for code in sources)
    if not 1 <= request.examples <= items:
        raise ConfigError(f"--examples must lie between 1 and the sources' {items}, not {request.examples}")


def budgeted(recipe: Recipe, request: Request) -> Recipe:
    """The recipe with the budgets asked for; without sources the target's budget is that of the one fit."""
    if not request.has_sources:
        recipe = recipe.without_sources()
    return recipe.with_steps(request.steps, request.target_steps).scaled(*request.rate_factors)


def reading(recipe: Recipe, request: Request, info: TaskInfo, architecture: Architecture) -> Recipe:
    """The recipe with the read-out, the text prefix and the length of texts that are asked for, or the task's.

    Raises:
        ConfigError: the architecture cannot be read out so.
    """
    read_out = request.read_out or architecture.read_outs[0]
    architecture.check_read_out(read_out)
    if request.max_length is not None and (type(request.max_length) is not int or request.max_length < SHORTEST):
        raise ConfigError(f"--max-length is a whole number of at least {SHORTEST} tokens, not {request.max_length}")
    max_length = request.max_length or info.max_length or recipe.max_length
    return dataclasses.replace(recipe, read_out=read_out, text_prefix=request.text_prefix, max_length=max_length)


def label_of(label: str, request: Request, info: TaskInfo, precision: Precision, has_backbone: bool) -> str:
    """The method's label, with what differs from the task's defaults; without a backbone no option changes anything."""
    differs = _differences(request, info, precision) if has_backbone else []
    return ", ".join([label, *differs, *([f"tuned ({request.tuning['trials']})"] if request.tuning else [])])


def _differences(request: Request, info: TaskInfo, precision: Precision) -> list[str]:
    told = []
    if request.max_length not in (None, info.max_length):
        told.append(f"{request.max_length} tokens")
    if request.preset not in (None, info.preset):
        told.append(f"preset {request.preset}")
    if request.steps is not None:
        told.append(f"{request.steps} steps")
    if precision == "bf16":
        told.append("bf16")
    if request.read_out is not None:
        told.append(f"read {request.read_out}")
    if request.text_prefix:
        told.append(f"prefix '{request.text_prefix.strip()[:20]}'")
    if request.init_from is not None:
        told.append(f"from {Path(request.init_from).name}")
    if request.rate_factors != (1.0, 1.0) and not request.tuning:
        own, head = request.rate_factors
        told.append(f"rates x{own:g}, head x{head:g}")
    return told
