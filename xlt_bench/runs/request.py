"""A Request: what is asked for. Its fields declare the options, once for the command line, notebooks and studies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from xlt_bench.errors import ConfigError
from xlt_bench.recipe import PRESETS, Checkpoint, ReadOut, Recipe
from xlt_bench.records.cell import Protocol
from xlt_bench.runs.option import (
    one_of,
    option,
    options_of,
    read_count,
    read_flag,
    read_path,
    read_place,
    read_prefix,
    read_text,
    read_values,
)
from xlt_bench.runs.option_values import (
    TRIAL_SEEDS,
    read_factors,
    read_languages,
    read_resources,
    read_seeds,
    read_settings,
    read_shots,
)

if TYPE_CHECKING:
    from xlt_bench.backbones.architectures import Architecture
    from xlt_bench.task import TaskInfo

DEFAULT_STORE = Path("xlt-results")
NO_SOURCES = "none"

SHORTEST = 4
"""Tokens of a text that are kept at least: its special tokens and one more."""

OF_STEPS = ("steps", "target_steps", "rate_factors", "checkpoint")
"""Options about optimiser steps, which methods that take none leave alone."""

Precisions = Literal["auto", "fp32", "bf16"]
Rerun = Literal["failed", "all"]


@dataclass(frozen=True)
class Request:
    """What is asked for, as plain data; None takes the task's default.

    An option is declared here and nowhere else: its type and default, its line of help, how its value is read and
    checked, and where it can be given. `xlt_bench.cli.options` makes typer's parameters of it, `read_request` reads the
    arguments of a notebook, and `xlt_bench.studies.definition` the keys of a study's file.

    Attributes:
        sources, targets: expressions over groups and language codes (see `xlt_bench.languages.groups`); sources
            `none` trains on each target's own train split.
        protocol: None: zero-shot, without sources full.
        shots: None is all, 0 is zero-shot.
        examples: None is all.
        settings: hyper-parameters of the method, as text.
        resources: files and folders of what the method declares in `needs`, by name (see `xlt_bench.resources`).
        rate_factors: on the preset's learning rates: of all roles but the head, and of the head.
        tuning: how the setting was found, of a request that a search made (see `xlt_bench.tuning`).
    """

    method: str = option(
        "xpe",
        "A name of `ls methods`, or path/to/file.py:Class.",
        read_text,
        "run",
        "tune",
        flags=("--method", "-m"),
        completes="methods",
    )
    task: str = option(
        "cldr", "A name of `ls tasks`, or path/to/task.toml.", read_place, "run", "tune", "study", completes="tasks"
    )
    data_dir: Path | None = option(
        None, "Folder with the task's files (sib200).", read_path, "run", "tune", "study", kind=Path
    )
    sources: str = option(
        "seen",
        "Groups and codes: seen, joshi5+kat_Geor, seen-joshi5; or none.",
        read_languages,
        "run",
        "tune",
        completes="groups",
    )
    targets: str | None = option(
        None,
        "Groups and codes, or `sources`. [default: all groups without sources]",
        read_languages,
        "run",
        "tune",
        "grid",
        completes="groups",
    )
    groups_file: Path | None = option(
        None,
        "More groups of languages, as TOML; see adding-a-task.md.",
        read_path,
        "run",
        "tune",
        kind=Path,
        flags=("--groups",),
        metavar="FILE",
    )
    seen: str | None = option(
        None,
        "Which languages the backbone saw; see adding-a-task.md. [default: known]",
        read_place,
        "run",
        "tune",
        "study",
        "grid",
        metavar="FILE|like:NAME",
    )
    protocol: Protocol | None = option(
        None,
        "full adapts the fit to each target on its train split. [default: zero-shot]",
        one_of(*get_args(Protocol)),
        "run",
        "grid",
        kind=Protocol,
    )
    shots: tuple[int | None, ...] = option(
        (None,), "Labelled target examples in the full protocol, such as 0,8,32,all.", read_shots, "run", "grid"
    )
    examples: int | None = option(
        None, "Labelled source examples, all languages together. [default: all]", read_count(), "run", "grid", kind=int
    )
    backbone: str | None = option(
        None,
        "A name of `backbone ls`, a local folder, or a hub id. [default: the task's]",
        read_place,
        "run",
        "tune",
        "study",
    )
    seeds: tuple[int, ...] | None = option(
        None, "3 means 0,1,2; 4,7 means those. [default: the task's]", read_seeds, "run", "tune", "study", "grid"
    )
    steps: int | None = option(
        None,
        "Optimiser steps on the sources. [default: the preset's]",
        read_count(),
        "run",
        "tune",
        "study",
        "grid",
        kind=int,
    )
    target_steps: int | None = option(
        None,
        "Optimiser steps of adapting to a target. [default: the preset's]",
        read_count(),
        "run",
        "study",
        "grid",
        kind=int,
    )
    settings: Mapping[str, str] = option(
        {},
        "Hyper-parameter as name=value; may be repeated.",
        read_settings,
        "run",
        "tune",
        "grid",
        kind=list[str],
        flags=("--set",),
    )
    resources: Mapping[str, Path] = option(
        {},
        "What the method needs beside the task, as name=path; may be repeated.",
        read_resources,
        "run",
        "tune",
        "study",
        kind=list[str],
        flags=("--resource",),
    )
    init_from: str | None = option(
        None, "Start a soft prompt from this adapter (folder, hub id) or Record.", read_place, "run"
    )
    preset: str | None = option(
        None,
        f"{', '.join([*PRESETS][:-1])} or {[*PRESETS][-1]}. [default: the task's]",
        read_text,
        "run",
        "tune",
        "study",
        "grid",
        completes="presets",
    )
    rate_factors: tuple[float, float] = option(
        (1.0, 1.0), "Factors on the preset's learning rates, of the head last, such as 2,0.5.", read_factors, "run"
    )
    read_out: ReadOut | None = option(
        None,
        "State that the head reads. [default: the preset's, or first; of a decoder last, of T5 mean]",
        one_of(*get_args(ReadOut)),
        "run",
        "tune",
        "grid",
        kind=ReadOut,
    )
    checkpoint: Checkpoint | None = option(
        None,
        "Parameters that a fit ends with: best on dev, last, or the mean over its dev evaluations. [default: best-dev]",
        one_of(*get_args(Checkpoint)),
        "run",
        "grid",
        kind=Checkpoint,
    )
    max_length: int | None = option(
        None,
        "Tokens of a text that are kept. [default: the task's, else the preset's]",
        read_count(SHORTEST),
        "run",
        "tune",
        "grid",
        kind=int,
    )
    text_prefix: str | None = option(
        None,
        "Put before every text, such as 'query: '. [default: the preset's, mostly none]",
        read_prefix,
        "run",
        "tune",
        "grid",
        kind=str,
    )
    device: str | None = option(
        None, "cpu, cuda or cuda:N. [default: cuda where there is one]", read_text, "run", "tune", "study"
    )
    precision: Precisions = option(
        "auto",
        "auto is fp32 on a CPU and bf16 on a GPU.",
        one_of(*get_args(Precisions)),
        "run",
        "tune",
        "study",
        kind=Precisions,
    )
    store: Path = option(DEFAULT_STORE, "Folder of Records.", read_path, "run", "tune", "study", kind=Path)
    save_weights: bool = option(False, "Keep trained weights beside the predictions.", read_flag, "run", kind=bool)
    checkpoint_minutes: int = option(
        10,
        "A fit under way is kept at dev evaluations, and every so many minutes. [default: 10]",
        read_count(),
        "run",
        "tune",
        "study",
        kind=int,
    )
    no_checkpoints: bool = option(
        False,
        "Keep no fit while it is under way: what is cut off begins anew.",
        read_flag,
        "run",
        "tune",
        "study",
        kind=bool,
    )
    rerun: Rerun | None = option(
        None,
        "Run failed cells again, or all of them.",
        one_of(*get_args(Rerun)),
        "run",
        "tune",
        "study",
        kind=Rerun,
    )
    label: str | None = option(
        None, "Name of the row in tables, in place of the usual one; it changes nothing else.", read_text, "run", "tune"
    )
    tuning: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_sources(self) -> bool:
        """Whether something is learned from sources; without, each target's own train split is trained on."""
        return self.sources != NO_SOURCES


def read_request(arguments: Mapping[str, object]) -> Request:
    """A request from options by the names of the fields, as a user wrote them; what is None keeps its default.

    `method` may be a class or an instance; other settings go before the instance's own.

    Raises:
        ConfigError: an unknown option, with a suggestion, or the first value that breaks its rule.
    """
    written = dict(arguments)
    method = written.get("method")
    if method is not None and not isinstance(method, str):
        from xlt_bench.plugins.methods import reference_of

        written["method"], settings = reference_of(method)
        written["settings"] = settings | read_settings(written.get("settings") or {}, "--set")
    request = Request(**read_values(options_of(Request), written))
    check_reported_seeds(request)
    return request


def checked(request: Request) -> Request:
    """A request that was made without `read_request`, every field of it read and checked.

    Raises:
        ConfigError: the first value that breaks its rule.
    """
    declared = options_of(Request)
    return replace(request, **read_values(declared, {field.field: getattr(request, field.field) for field in declared}))


def check_reported_seeds(request: Request) -> None:
    """Refuse seeds that trials of a search have."""
    clashing = [seed for seed in request.seeds or () if seed in TRIAL_SEEDS]
    if clashing:
        raise ConfigError(f"seed {clashing[0]} is held for trials, from {TRIAL_SEEDS.start} on; give others")


def without_steps(request: Request) -> Request:
    """The request of a method that takes no steps of a recipe: what is about steps is no part of its runs' identity."""
    usual = Request()
    return replace(request, **{name: getattr(usual, name) for name in OF_STEPS})


def reading(recipe: Recipe, request: Request, info: TaskInfo, architecture: Architecture) -> Recipe:
    """The recipe with the read-out, text prefix, length of texts and checkpoint that are asked for, or the task's.

    A preset that reads position 0 leaves the read-out to the architecture: not every one has something to read there.

    Raises:
        ConfigError: the architecture cannot be read out so.
    """
    preset_read_out = None if recipe.read_out == "first" else recipe.read_out
    read_out = request.read_out or preset_read_out or architecture.read_outs[0]
    architecture.check_read_out(read_out)
    max_length = request.max_length or info.max_length or recipe.max_length
    text_prefix = recipe.text_prefix if request.text_prefix is None else request.text_prefix
    if request.checkpoint is not None:
        recipe = recipe.with_checkpoint(request.checkpoint)
    return replace(recipe, read_out=read_out, text_prefix=text_prefix, max_length=max_length)


def budgeted(recipe: Recipe, request: Request) -> Recipe:
    """The recipe with the budgets asked for; without sources the target's budget is that of the one fit."""
    if not request.has_sources:
        recipe = recipe.without_sources()
    return recipe.with_steps(request.steps, request.target_steps).scaled(*request.rate_factors)
