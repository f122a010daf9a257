"""Fits that are cut off end as undisturbed ones, bit for bit; what cannot be gone on from is said and begun anew."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_post_hook

from tests.support.cut_fits import (
    Cut,
    Drawing,
    Notes,
    checkpoints,
    cut_after,
    cut_in,
    disturb_generators,
    equal,
    kept_contexts,
)
from tests.support.fits import DEV, TRAIN, copied, loud
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.io.stop_signals import Stopped, StopSignals
from xlt_bench.method import FitSummary
from xlt_bench.methods.bitfit import BitFit
from xlt_bench.methods.full_finetuning import FullFinetuning
from xlt_bench.methods.xpe import XPE
from xlt_bench.recipe import Rate, Recipe
from xlt_bench.runs.counting import Counter, Effort
from xlt_bench.training import checkpointing
from xlt_bench.training.checkpointing import Rhythm

STEPS = 26
RECIPE = loud(steps=STEPS, evaluate_every=4, order="length-grouped", clip_norm=1.0)
ADAMW = dataclasses.replace(
    RECIPE.with_roles(backbone=Rate(0.01), bias=Rate(0.01)), optimiser="adamw", schedule="linear"
)

Fit = tuple[list[dict[str, Tensor]], list[FitSummary], list[Effort]]


def fit(
    method: XPE | FullFinetuning | BitFit,
    backbone: Backbone,
    folder: Path,
    recipe: Recipe,
    seeds: Sequence[int] = (1,),
    *,
    every_step: bool = True,
    program: str = "this",
    signals: StopSignals | None = None,
    progress: Notes | None = None,
) -> Fit:
    """Weights, summaries and counts of a fit that is kept in a folder."""
    counter = Counter()
    kept = checkpoints(folder, counter, every_step, program, signals)
    contexts = kept_contexts(kept, backbone, recipe, seeds, progress)
    with counter:
        if len(seeds) > 1 and isinstance(method, XPE):
            fits = method.fit_many(TRAIN, DEV, contexts)
        else:
            fits = [method.fit(TRAIN, DEV, each) for each in contexts]
    weights = [copied(fitted.module) for fitted in fits]
    return weights, [fitted.summary for fitted in fits], counter.efforts(len(fits))


def check_same(first: Fit, second: Fit) -> None:
    assert all(equal(ours, theirs) for ours, theirs in zip(first[0], second[0], strict=True))
    assert first[1:] == second[1:]


@pytest.mark.parametrize(
    ("method", "recipe", "cuts"),
    [
        (XPE(n_tokens=4), RECIPE, 20),
        (Drawing(n_tokens=4), RECIPE, 4),
        (FullFinetuning(), ADAMW, 4),
        (BitFit(), dataclasses.replace(ADAMW, checkpoint="last"), 4),
        (XPE(n_tokens=4), dataclasses.replace(RECIPE, checkpoint="mean"), 4),
    ],
    ids=["xpe", "drawing", "full-finetuning", "bitfit", "mean"],
)
def test_a_fit_that_is_cut_off_in_random_steps_ends_as_an_undisturbed_one(
    method: XPE | FullFinetuning | BitFit,
    recipe: Recipe,
    cuts: int,
    tiny_backbone_with_dropout: Backbone,
    tmp_path: Path,
) -> None:
    disturb_generators(0)
    undisturbed = fit(method, tiny_backbone_with_dropout, tmp_path / "undisturbed", recipe)
    steps = sorted(np.random.default_rng(7).choice(np.arange(1, STEPS), cuts, replace=False).tolist())
    resumed = cut_in(steps, lambda: fit(method, tiny_backbone_with_dropout, tmp_path / "cut", recipe))
    check_same(undisturbed, resumed)
    assert undisturbed[1][0].steps == STEPS
    assert len(undisturbed[1][0].history) == -(-STEPS // 4)


def test_checkpoints_at_dev_evaluations_alone_do_as_well(
    tiny_backbone_with_dropout: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointing, "FIRST_SECONDS", 0.0)
    method, progress = XPE(n_tokens=4), Notes()

    def run(name: str) -> Fit:
        return fit(method, tiny_backbone_with_dropout, tmp_path / name, RECIPE, every_step=False, progress=progress)

    undisturbed = run("undisturbed")
    with cut_after(14), pytest.raises(Cut):
        run("cut")
    check_same(undisturbed, run("cut"))
    assert progress.texts == [f"seed 1 goes on from its checkpoint at step 12 of {STEPS}"]


def test_lanes_of_a_pack_go_on_together_or_alone(tiny_backbone_with_dropout: Backbone, tmp_path: Path) -> None:
    method = XPE(n_tokens=4)
    patient = dataclasses.replace(RECIPE, evaluate_every=2, source=dataclasses.replace(RECIPE.source, patience=1))

    def run(name: str, seeds: Sequence[int]) -> Fit:
        return fit(method, tiny_backbone_with_dropout, tmp_path / name, patient, seeds)

    undisturbed = run("undisturbed", (1, 2, 3))
    lengths = [summary.steps for summary in undisturbed[1]]
    assert len(set(lengths)) > 1, "one lane is to stop before another"
    steps = [3, 9, min(lengths) + 1]
    with cut_after(3 * 3 + 1), pytest.raises(Cut):  # in the middle of a step: one lane is updated, two are not
        run("cut", (1, 2, 3))
    for _ in steps:
        with cut_after(7), pytest.raises(Cut):
            run("cut", (1, 2, 3))
    for seed in (1, 2, 3):
        (tmp_path / f"alone{seed}").mkdir()
        name = f"seed{seed}-0.safetensors"
        (tmp_path / f"alone{seed}" / name).write_bytes((tmp_path / "cut" / name).read_bytes())
    check_same(undisturbed, run("cut", (1, 2, 3)))
    for seed in (1, 2, 3):
        weights, summaries, efforts = run(f"alone{seed}", (seed,))
        assert equal(weights[0], undisturbed[0][seed - 1])
        assert summaries[0] == undisturbed[1][seed - 1]
        assert efforts[0].steps == undisturbed[2][seed - 1].steps


def test_a_signal_writes_a_checkpoint_and_leaves(tiny_backbone: Backbone, tmp_path: Path) -> None:
    method, steps = XPE(n_tokens=4), 0

    def interrupt(number: signal.Signals, step: int) -> Callable[..., None]:
        def count(*unused: object) -> None:
            nonlocal steps
            steps += 1
            if steps == step:
                os.kill(os.getpid(), number)
                os.kill(os.getpid(), number)  # a second time, by its parent, which got the signal too

        return count

    def run(name: str, signals: StopSignals) -> Fit:
        return fit(method, tiny_backbone, tmp_path / name, RECIPE, every_step=False, signals=signals)

    undisturbed = run("undisturbed", StopSignals())
    usual = signal.getsignal(signal.SIGTERM)
    for number, step in ((signal.SIGTERM, 3), (signal.SIGUSR2, 8)):  # the second in a step that is evaluated
        hook = register_optimizer_step_post_hook(interrupt(number, step))
        with StopSignals() as signals, pytest.raises(Stopped, match=number.name) as stop:
            run("stopped", signals)
        hook.remove()
        assert stop.value.code == 75
        assert (tmp_path / "stopped" / "seed1-0.safetensors").exists()
    assert steps == 3 + 5, "the second process goes on with the fourth step"
    check_same(undisturbed, run("stopped", StopSignals()))
    assert signal.getsignal(signal.SIGTERM) is usual


def _damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("change", "program", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "this", "cannot be read (SafetensorError)"),
        (lambda path: path.write_bytes(b""), "this", "cannot be read (SafetensorError)"),
        (_damage, "this", "is damaged: its checksum is another"),
        (
            lambda path: None,
            "that",
            "is of another version of the program, the method or torch, or of another kind of device",
        ),
        (lambda path: path.with_name("seed2-0.safetensors").rename(path), "this", "is that of another run"),
    ],
)
def test_what_cannot_be_used_is_said_and_the_fit_begins_anew(
    change: Callable[[Path], None], program: str, reason: str, tiny_backbone: Backbone, tmp_path: Path
) -> None:
    method, progress = XPE(n_tokens=4), Notes()
    recipe = loud(steps=4)
    for seed in (1, 2):
        with cut_after(2), pytest.raises(Cut):
            fit(method, tiny_backbone, tmp_path / "cut", recipe, (seed,))
    change(tmp_path / "cut" / "seed1-0.safetensors")
    undisturbed = fit(method, tiny_backbone, tmp_path / "undisturbed", recipe)
    again = fit(method, tiny_backbone, tmp_path / "cut", recipe, program=program, progress=progress)
    check_same(undisturbed, again)
    assert progress.texts == [f"the checkpoint seed1-0 {reason}; the fit begins anew"]


def test_a_disk_that_takes_no_checkpoint_is_said_once_and_the_fit_goes_on(
    tiny_backbone: Backbone, tmp_path: Path
) -> None:
    progress, method = Notes(), XPE(n_tokens=4)
    (tmp_path / "file").write_text("")
    unkept = fit(method, tiny_backbone, tmp_path / "file" / "folder", loud(steps=4), progress=progress)
    check_same(fit(method, tiny_backbone, tmp_path / "kept", loud(steps=4)), unkept)
    (note,) = progress.texts
    assert note.startswith(f"the checkpoint {tmp_path / 'file' / 'folder' / 'seed1-0.safetensors'} cannot be written: ")
    assert note.endswith("; the fit goes on without")


def test_other_parameters_are_no_checkpoint_of_this_fit(tiny_backbone: Backbone, tmp_path: Path) -> None:
    progress = Notes()
    with cut_after(2), pytest.raises(Cut):
        fit(XPE(n_tokens=4), tiny_backbone, tmp_path / "cut", loud(steps=4))
    fit(XPE(n_tokens=5), tiny_backbone, tmp_path / "cut", loud(steps=4), progress=progress)
    assert progress.texts == ["the checkpoint seed1-0 is of other parameters; the fit begins anew"]


def _killed(folder: str, backbone_folder: str, updates: int, threads: int) -> None:
    """In a process of its own: a fit that is killed in a step, without a word."""
    from xlt_bench.backbones.source import locate

    torch.set_num_threads(threads)  # sums have another order with another number
    backbone = Backbone(locate(backbone_folder))
    try:
        with cut_after(updates):
            fit(XPE(n_tokens=4), backbone, Path(folder), RECIPE)
    except Cut:
        os.kill(os.getpid(), signal.SIGKILL)


def test_killed_processes_leave_checkpoints_that_others_go_on_from(
    tiny_backbone_with_dropout_folder: Path, tiny_backbone_with_dropout: Backbone, tmp_path: Path
) -> None:
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["torch", __name__])
    for updates in (5, 9):
        arguments = (str(tmp_path / "cut"), str(tiny_backbone_with_dropout_folder), updates, torch.get_num_threads())
        process = processes.Process(target=_killed, args=arguments)
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    progress, method = Notes(), XPE(n_tokens=4)
    undisturbed = fit(method, tiny_backbone_with_dropout, tmp_path / "undisturbed", RECIPE)
    check_same(undisturbed, fit(method, tiny_backbone_with_dropout, tmp_path / "cut", RECIPE, progress=progress))
    assert progress.texts == [f"seed 1 goes on from its checkpoint at step 14 of {STEPS}"]


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_rhythm_is_that_of_dev_evaluations_and_minutes_within_its_share() -> None:
    clock = Clock()
    rhythm = Rhythm(seconds=600.0, share=0.02, clock=clock)
    assert not rhythm.due(evaluated=True), "a fit of a few seconds is made anew as quickly"
    clock.now = 106.0
    assert rhythm.due(evaluated=True)
    assert not rhythm.due(evaluated=False)
    with rhythm.writing():
        clock.now += 1.0
    clock.now += 49.0
    assert not rhythm.due(evaluated=True), "two per cent are spent"
    clock.now += 1.0
    assert rhythm.due(evaluated=True)
    clock.now += 500.0
    assert not rhythm.due(evaluated=False)
    clock.now += 50.0
    assert rhythm.due(evaluated=False)
    with rhythm.writing():
        clock.now += 20.0
    clock.now += 999.0
    assert not rhythm.due(evaluated=False), "what takes long to write is written less often"
    clock.now += 1.0
    assert rhythm.due(evaluated=False)
