"""What the first lines of `xlt-bench run` say: what is about to be done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xlt_bench.backbones.source import NO_BACKBONE
from xlt_bench.io.processor import has_bfloat16
from xlt_bench.runs.request import OF_STEPS, Request

if TYPE_CHECKING:
    from xlt_bench.runs.experiment import Experiment

_OF_TRAINING = (*OF_STEPS, "preset", "read_out", "max_length", "text_prefix", "precision")
"""Options that are about a backbone and how something is trained on it."""


def announcement(experiment: Experiment, request: Request) -> str:
    """What a run is about to do, in a few lines."""
    setup, first = experiment.setup, experiment.cells[0]
    sources = f"{len(first.sources)} languages ({request.sources})"
    fitted = sources if first.sources else "each target's own train split"
    groups = ", ".join(f"{name} ({len(codes)})" for name, codes in setup.groups.items())
    adapts = any(cell.adapts for cell in experiment.cells)
    stages = f"fit on {fitted}, adapt to each target, predict" if adapts else f"fit on {fitted}, predict"
    if first.prompt is not None:
        stages = f"ask with demonstrations of {sources}, predict" if first.sources else "ask, predict"
    lines = [f"{setup.label} on {setup.task.name}: {stages} {groups}"]
    if request.shots != (None,):
        listed = ", ".join("all" if count is None else str(count) for count in request.shots)
        lines.append(f"labelled examples of each target: {listed}")
    procedure = getattr(setup.configured.method, "procedure", None)
    if first.recipe is not None:
        work = procedure or f"{_budgets(first.recipe, adapts)} of batch {first.recipe['batch_size']}"
        lines.append(f"backbone {first.backbone}, preset {first.preset}: {work}, {first.precision} on {setup.device}")
        if "language" in first.recipe:
            budget = _budget(first.recipe["language"])
            lines.append(f"before that, each language is fitted on unlabelled text, once for all runs: {budget}")
    elif first.backbone != NO_BACKBONE:
        lines.append(f"backbone {first.backbone}: {procedure}, {first.precision} on {setup.device}")
    elif procedure is not None:
        lines.append(f"no backbone: {procedure}")
    lines.extend(_without_effect(experiment, request))
    if first.precision == "bf16" and setup.device == "cpu" and has_bfloat16() is False:
        lines.append("note: this processor has no bfloat16 arithmetic, so bf16 is slower here than --precision fp32")
    lines.extend(f"note: {note}" for note in setup.notes)
    lines.extend(f"damaged, computed again: {damaged.folder}: {damaged.reason}" for damaged in experiment.damaged)
    lines.append(_runs(experiment))
    return "\n".join(lines)


def _budgets(recipe: Mapping[str, Any], adapts: bool) -> str:
    return _budget(recipe["source"]) + (f", {_budget(recipe['target'])} a target" if adapts else "")


def _without_effect(experiment: Experiment, request: Request) -> list[str]:
    """One line for options that are given and change nothing of these runs."""
    usual, setup, first = Request(), experiment.setup, experiment.cells[0]
    if first.recipe is None:
        candidates = [name for name in _OF_TRAINING if name != "precision" or setup.source is None]
        reason = "uses no backbone" if first.backbone == NO_BACKBONE else "trains nothing"
    else:
        candidates = list(OF_STEPS) if hasattr(setup.configured.method, "procedure") else []
        reason = "takes no optimiser steps"
    changed = [name for name in candidates if getattr(request, name) != getattr(usual, name)]
    if not changed:
        return []
    options = ", ".join(f"--{name.replace('_', '-')}" for name in changed)
    return [f"{setup.label} {reason}: {options} change{'s' if len(changed) == 1 else ''} nothing"]


def _budget(phase: Mapping[str, Any]) -> str:
    return f"{phase['steps']} steps" if phase["steps"] else f"{phase['epochs']} epochs"


def _runs(experiment: Experiment) -> str:
    cells, stored = experiment.cells, experiment.stored.values()
    seeds = sorted({cell.seed for cell in cells})
    listed = ", ".join(map(str, seeds)) if len(seeds) <= 10 else f"{seeds[0]} to {seeds[-1]}"
    line = f"{_counted(len(cells), 'run')}, {'seeds' if len(seeds) > 1 else 'seed'} {listed}"
    if stored:
        line += f"; {len(stored)} already in the store"
    failed = sum(not record.complete for record in stored)
    return line + (f", {failed} of them failed (--rerun failed tries again)" if failed else "")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
