"""What the harness counts of a run: steps, numbers trained, passes and texts; and where a reader sees an excess."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

from tests.support.commands import Command
from tests.support.fits import DEV, TEST, TRAIN, context, loud
from tests.support.records import predictions, record
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.methods.full_finetuning import FullFinetuning
from xlt_bench.methods.spt import SPT
from xlt_bench.records.budget import excesses
from xlt_bench.records.store import Store
from xlt_bench.runs.counting import Counter, Effort
from xlt_bench.training.soft_prompt import SoftPrompt


def trained(*parts: nn.Linear, steps: int, optimisers: int = 1) -> None:
    """So many steps of optimisers that share the parts."""
    of_optimiser = [parts[number::optimisers] for number in range(optimisers)]
    made = [torch.optim.SGD([p for part in of for p in part.parameters()], lr=0.1) for of in of_optimiser]
    for _ in range(steps):
        sum(part(torch.ones(2, 3)).sum() for part in parts).backward()
        for optimiser in made:
            optimiser.step()
            optimiser.zero_grad()


def test_optimisers_that_take_turns_make_one_step_together() -> None:
    with Counter() as counter:
        trained(nn.Linear(3, 4), nn.Linear(3, 5), steps=7, optimisers=2)
    assert counter.efforts() == [Effort(7, 16 + 20, 0, 0, 0)]


def test_each_new_try_trains_further_numbers_and_each_new_optimiser_adds_its_steps() -> None:
    part = nn.Linear(3, 4)
    with Counter() as counter:
        trained(part, steps=2)
        trained(part, steps=3)
        trained(nn.Linear(3, 4), steps=4)
    assert counter.efforts() == [Effort(5, 32, 0, 0, 0)]


def test_a_model_with_a_head_is_one_pass_and_only_what_keeps_a_gradient_trains() -> None:
    config = XLMRobertaConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    model = XLMRobertaForMaskedLM(config).eval()
    ids = torch.full((5, 3), 4)
    with Counter() as counter:
        model(input_ids=ids)
        with torch.no_grad():
            model.roberta(attention_mask=torch.ones(2, 3), inputs_embeds=torch.zeros(2, 3, 8))
    model(input_ids=ids)
    assert counter.efforts() == [Effort(0, 0, passes=2, examples=7, trained_examples=5)]


@pytest.mark.parametrize("method", [SPT(n_tokens=4), FullFinetuning()], ids=["spt", "full-finetuning"])
def test_a_fit_takes_what_its_recipe_has(method: SPT | FullFinetuning, tiny_backbone: Backbone) -> None:
    recipe = loud(steps=12, evaluate_every=6, preset="cldr", order="random")
    with Counter() as counter:
        fitted = method.fit(TRAIN, DEV, context(tiny_backbone, recipe))
    (effort,) = counter.efforts()
    batches = [8] * 7 + [4] + [8] * 4  # 60 items in batches of 8
    assert effort.steps == fitted.summary.steps == 12
    assert effort.trained_parameters == fitted.summary.trainable_parameters
    assert (effort.trained_examples, effort.examples) == (sum(batches), sum(batches) + 2 * len(DEV))
    with Counter() as counter:
        fitted.predict(TEST.examples)
    (effort,) = counter.efforts()
    assert (effort.steps, effort.examples, effort.trained_examples) == (0, len(TEST), 0)


def test_runs_of_a_pack_have_their_own_steps_and_their_share_of_texts(tiny_backbone: Backbone) -> None:
    """The lanes have budgets of 3, 5 and 2 steps: as where some stop early."""
    method: SoftPrompt = SPT(n_tokens=4)
    recipe = loud(evaluate_every=10)
    contexts = [context(tiny_backbone, recipe, seed) for seed in range(3)]
    phases = [replace(recipe.source, steps=steps) for steps in (3, 5, 2)]
    modules = [method.new_module(each) for each in contexts]
    with Counter() as counter:
        fits = method.train_lanes(modules, [(TRAIN, DEV)] * 3, contexts, phases)
    efforts = counter.efforts(3)
    assert [effort.steps for effort in efforts] == [3, 5, 2] == [fitted.summary.steps for fitted in fits]
    assert {effort.trained_parameters for effort in efforts} == {fits[0].summary.trainable_parameters}
    assert {effort.trained_examples for effort in efforts} == {round(10 * 8 / 3)}


def test_hooks_are_gone_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), Counter() as counter:
        raise ZeroDivisionError
    trained(nn.Linear(3, 4), steps=1)
    assert counter.efforts() == [Effort(0, 0, 0, 0, 0)]


GREEDY = '''
from dataclasses import dataclass, replace
from xlt_bench.methods.spt import SPT


@dataclass(frozen=True, kw_only=True)
class Greedy(SPT):
    """Three times the steps, of which it tells a third."""

    n_tokens: int = 4

    def fit(self, train, dev, context):
        recipe = context.recipe
        more = context.recipe.with_steps(3 * recipe.source.steps, 3 * recipe.target.steps)
        fitted = super().fit_many(train, dev, [replace(context, recipe=more)])[0]
        fitted.summary = replace(fitted.summary, steps=recipe.source.steps)
        return fitted

    fit_many = None
'''


def test_a_record_tells_what_was_counted_and_a_reader_sees_the_excess(run: Command, command: Command) -> None:
    Path("greedy.py").write_text(GREEDY)
    assert run("-m", "greedy.py:Greedy", "--seeds", 1, "--steps", 4).code == 0
    (stored,), _ = Store(Path("xlt-results")).records()
    counted = stored.counted
    assert (stored.fit["steps"], counted["steps"], counted["budget_steps"]) == (4, 12, 4)
    assert counted["trained_examples"] <= 3 * counted["budget_examples"]
    assert (counted["predict_steps"], counted["predict_trained_examples"]) == (0, 0)
    assert counted["predict_examples"] == 2 * 12  # two targets of 12 items
    excess = "12 optimiser steps were counted where the recipe has 4"
    for words in (command("ls", "records").out.rsplit("┃", 1)[-1], command("leaderboard", "--task", "toy").out):
        cut = "".join(line.split("│")[-2] if "│" in line else line for line in words.splitlines())
        assert excess.replace(" ", "") in cut.replace(" ", "")


def test_what_a_target_is_adapted_from_is_counted_beside(run: Command) -> None:
    options = ("--protocol", "full", "--targets", "kat_Geor", "--steps", 4, "--target-steps", 2, "--seeds", 1)
    assert run("-m", "spt", *options).code == 0
    (stored,), _ = Store(Path("xlt-results")).records()
    counted = stored.counted
    assert (counted["steps"], counted["budget_steps"]) == (2, 2)
    assert (counted["source_steps"], counted["source_budget_steps"]) == (4, 4)
    assert excesses([stored]) == []


def test_a_method_without_a_backbone_has_no_budget(run: Command, plugin: str) -> None:
    assert run("-m", plugin, "--seeds", 1).code == 0
    (stored,), _ = Store(Path("xlt-results")).records()
    assert "budget_steps" not in stored.counted
    assert stored.counted["steps"] == 0


def test_words_for_an_excess_name_the_worst_run() -> None:
    counts = {"steps": 10, "budget_steps": 10, "trained_examples": 84, "budget_examples": 80, "predict_steps": 0}
    usual = record(predictions(), fit={"steps": 10}, counted=counts)
    assert excesses([usual]) == []  # a pass repeated for want of memory is no excess
    many = replace(usual, counted=counts | {"trained_examples": 170})
    more = replace(usual, counted=counts | {"trained_examples": 240, "predict_steps": 1})
    assert excesses([usual, many, more]) == [
        "240 texts went through the backbone with a gradient where the recipe has 80 (in 2 of 3 runs)",
        "1 optimiser steps were made while predicting, and may be 0 (in 1 of 3 runs)",
    ]
    assert excesses([record(predictions(), fit={"steps": 3})]) == []  # nothing was counted of others' runs
    source = replace(usual, counted=counts | {"source_steps": 9, "source_budget_steps": 4})
    assert excesses([source]) == ["9 optimiser steps of the fit on the sources were counted where the recipe has 4"]


def test_a_tensor_that_several_runs_share_is_counted_in_equal_parts() -> None:
    """A plug-in may stack what the runs of a pack train: no parameter is one run's own."""
    with Counter() as counter:
        stacked = [nn.Parameter(torch.zeros(3, size)) for size in (20, 35)]
        optimiser = torch.optim.SGD(stacked, lr=0.1)
        for _ in range(4):
            sum(parameter.sum() for parameter in stacked).backward()
            optimiser.step()
    assert [(effort.steps, effort.trained_parameters) for effort in counter.efforts(3)] == [(4, 55)] * 3
    assert [effort.trained_parameters for effort in counter.efforts(1)] == [165]
