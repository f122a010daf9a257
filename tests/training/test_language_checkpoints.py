"""Fits of languages that are cut off end as undisturbed ones, bit for bit."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_post_hook

from tests.support.cut_fits import Cut, Notes, checkpoints, cut_after, cut_in, disturb_generators, equal
from tests.support.fits import TRAIN, context
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.io.stop_signals import Stopped, StopSignals
from xlt_bench.method import LanguageSummary
from xlt_bench.methods.lt_sft import LtSft
from xlt_bench.methods.madx import MadX
from xlt_bench.methods.soft_language_prompt import SoftLanguagePrompt
from xlt_bench.recipe import Phase, preset_recipe
from xlt_bench.resources import Text
from xlt_bench.runs.counting import Counter, Effort
from xlt_bench.runs.language_stage import fit_language

STEPS = 23
TEXTS = [Text(example.text) for example in TRAIN.examples]
METHODS: dict[str, Any] = {
    "madx": MadX(),
    "lt-sft": LtSft(language_k=500, task_k=500),
    "soft-language-prompt": SoftLanguagePrompt(language_tokens=4),
}


class Outcome(NamedTuple):
    """Of the fit of a language."""

    weights: dict[str, Tensor]
    summary: LanguageSummary
    effort: Effort


def fit(
    method: Any,
    backbone: Backbone,
    folder: Path,
    *,
    every_step: bool = True,
    signals: StopSignals | None = None,
    progress: Notes | None = None,
) -> Outcome:
    """A fit that is kept in a folder."""
    recipe = method.recipe_for("cldr", preset_recipe("cldr"))
    recipe = replace(recipe, language=Phase(steps=STEPS, patience=None), batch_size=8, max_length=32)
    counter = Counter()
    kept = checkpoints(folder, counter, every_step, "this", signals)
    given = replace(context(backbone, recipe, progress=progress or Notes()), checkpoints=kept, fit="georgian")
    with counter:
        language_fit = fit_language(method, "kat_Geor", TEXTS, given)
    return Outcome(dict(language_fit.weights), language_fit.summary, counter.efforts()[0])


def check_same(first: Outcome, second: Outcome) -> None:
    assert equal(first.weights, second.weights)
    assert first[1:] == second[1:]


@pytest.mark.parametrize("name", METHODS)
def test_a_language_that_is_cut_off_in_random_steps_ends_as_an_undisturbed_one(
    name: str, tiny_backbone_with_dropout: Backbone, tmp_path: Path
) -> None:
    """Of lt-sft in either of its two fits: what lies between them is made again."""
    method, backbone = METHODS[name], tiny_backbone_with_dropout
    disturb_generators(0)
    undisturbed = fit(method, backbone, tmp_path / "undisturbed")
    steps = sorted(np.random.default_rng(3).choice(np.arange(1, STEPS), 6, replace=False).tolist())
    if name == "lt-sft":
        assert steps[0] < STEPS // 2 < steps[-1]
    check_same(undisturbed, cut_in(steps, lambda: fit(method, backbone, tmp_path / "cut")))
    assert undisturbed.summary.steps == undisturbed.effort.steps == STEPS
    assert undisturbed.summary.loss_after < undisturbed.summary.loss_before, "or the test shows nothing"


def test_a_language_goes_on_from_the_step_of_its_checkpoint(tiny_backbone: Backbone, tmp_path: Path) -> None:
    progress = Notes()
    with cut_after(14), pytest.raises(Cut):
        fit(METHODS["madx"], tiny_backbone, tmp_path)
    fit(METHODS["madx"], tiny_backbone, tmp_path, progress=progress)
    assert progress.texts == [f"language kat_Geor goes on from its checkpoint at step 14 of {STEPS}"]


def test_a_checkpoint_of_another_adapter_is_not_gone_on_from(tiny_backbone: Backbone, tmp_path: Path) -> None:
    progress = Notes()
    with cut_after(2), pytest.raises(Cut):
        fit(METHODS["soft-language-prompt"], tiny_backbone, tmp_path)
    fit(SoftLanguagePrompt(language_tokens=5), tiny_backbone, tmp_path, progress=progress)
    assert progress.texts == ["the checkpoint georgian-0 is of other parameters; the fit begins anew"]


@pytest.mark.parametrize("step", [4, 6])
def test_a_signal_writes_a_checkpoint_and_leaves(step: int, tiny_backbone: Backbone, tmp_path: Path) -> None:
    """In a step, and in one after which held-out texts are scored: these are scored when it goes on."""
    method, steps = METHODS["madx"], 0

    def interrupt(*unused: object) -> None:
        nonlocal steps
        steps += 1
        if steps == step:
            os.kill(os.getpid(), signal.SIGTERM)

    undisturbed = fit(method, tiny_backbone, tmp_path / "undisturbed", every_step=False)
    hook = register_optimizer_step_post_hook(interrupt)
    with StopSignals() as signals, pytest.raises(Stopped, match="SIGTERM"):
        fit(method, tiny_backbone, tmp_path / "stopped", every_step=False, signals=signals)
    hook.remove()
    assert [path.name for path in (tmp_path / "stopped").glob("*.safetensors")] == ["georgian-0.safetensors"]
    progress = Notes()
    check_same(undisturbed, fit(method, tiny_backbone, tmp_path / "stopped", every_step=False, progress=progress))
    assert progress.texts == [f"language kat_Geor goes on from its checkpoint at step {step} of {STEPS}"]
