"""Presets as the paper and its released code have them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.method import Prompting
from xlt_bench.plugins.methods import configure, recipe_of
from xlt_bench.plugins.registry import METHODS, names
from xlt_bench.recipe import PRESETS, Phase, Rate, Recipe, preset_recipe


def recipe_for(preset: str, method: str) -> Recipe:
    return recipe_of(configure(method, {}).method, preset)


SHIPPED = json.loads((Path(__file__).parent / "recipes.json").read_text(encoding="utf-8"))
"""Method -> preset -> recipe, as of the release in which presets knew the methods by name."""


@pytest.mark.parametrize("preset", ["paper", "released", "cldr"])
@pytest.mark.parametrize("method", SHIPPED)
def test_every_shipped_method_brings_the_recipe_that_its_runs_were_made_with(preset: str, method: str) -> None:
    expected = SHIPPED[method][preset]
    recipe = json.loads(json.dumps(recipe_for(preset, method).as_json()))
    assert {name: recipe[name] for name in expected} == expected


def test_the_table_of_recipes_names_every_shipped_method() -> None:
    with_recipe = {name for name in names(METHODS) if not isinstance(configure(name, {}).method, Prompting)}
    assert set(SHIPPED) == with_recipe


PLUGIN = """
from dataclasses import dataclass
from xlt_bench.methods.spt import SPT
from xlt_bench.recipe import Rate

@dataclass(frozen=True, kw_only=True)
class Gated(SPT):
    def roles(self, prompt):
        return {"gate": prompt.parameters()}

    def recipe_for(self, preset, common):
        BODY
"""


def plugin(folder: Path, body: str) -> str:
    (folder / "gated.py").write_text(PLUGIN.replace("BODY", body), encoding="utf-8")
    return f"{folder}/gated.py:Gated"


def test_a_plug_in_brings_a_role_and_its_rates_by_preset(tmp_path: Path) -> None:
    reference = plugin(tmp_path, "return common.with_roles(gate=Rate(0.1 if preset == 'cldr' else 0.2, 0.3))")
    assert recipe_for("cldr", reference).rate("gate") == Rate(0.1, 0.3)
    paper = recipe_for("paper", reference)
    assert paper.rate("gate") == Rate(0.2, 0.3)
    assert {role: rate for role, rate in paper.rates.items() if role != "gate"} == dict(preset_recipe("paper").rates)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 3", "recipe_for of Gated must return a Recipe, not int"),
        ("1 / 0", "recipe_for of Gated raises ZeroDiv"),
    ],
)
def test_a_plug_in_whose_recipe_is_none_is_named(body: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(MethodError, match=message):
        recipe_for("cldr", plugin(tmp_path, body))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("method", ["spt", "xpe", "dual", "full-finetuning", "head-only"])
def test_a_recipe_survives_json(preset: str, method: str) -> None:
    recipe = recipe_for(preset, method)
    assert Recipe.from_json(json.loads(json.dumps(recipe.as_json()))) == recipe


def test_paper_preset_has_the_published_numbers() -> None:
    recipe = recipe_for("paper", "xpe")
    assert (recipe.source.steps, recipe.target.steps) == (24_000, 6_000)
    assert (recipe.source.patience, recipe.target.patience) == (20, 30)
    assert (recipe.batch_size, recipe.cycles, recipe.source.warmup, recipe.clip_norm) == (32, 2, 0.0, None)
    assert recipe.rate("prompt") == Rate(5e-3, 0.0)
    assert recipe.rate("pseudo") == recipe.rate("encoder") == recipe.rate("head") == Rate(5e-5, 0.1)


def test_released_preset_differs_where_the_code_does() -> None:
    recipe = recipe_for("released", "xpe")
    assert (recipe.source.warmup, recipe.target.warmup) == (0.10, 0.05)
    assert (recipe.clip_norm, recipe.max_length, recipe.decay_biases) == (1.0, 164, False)
    assert (recipe.order, recipe_for("paper", "xpe").order) == ("length-grouped", "random")
    assert recipe.rate("pseudo") == Rate(5e-3, 0.0)
    assert recipe.rate("encoder") == recipe.rate("head") == Rate(5e-5, 0.01)
    assert recipe.rate("prompt") == Rate(5e-3, 0.0)
    assert recipe_for("released", "dual").rate("prompt") == Rate(5e-5, 0.01)


def test_full_finetuning_under_the_paper_s_preset_has_sib200_s_rates_and_the_paper_s_checkpoint() -> None:
    recipe = recipe_for("paper", "full-finetuning")
    assert recipe.rate("backbone") == recipe.rate("head") == Rate(1e-5)
    assert recipe.source.total_steps(701, recipe.batch_size) == 20 * 22
    assert recipe.target.total_steps(701, recipe.batch_size) == 10 * 22
    assert (recipe.checkpoint, recipe.source.patience, recipe.target.patience) == ("best-dev", 20, 30)


@pytest.mark.parametrize(
    ("preset", "items", "batch", "steps"),
    [("sib200", 701, 2 * 16, 20 * (44 // 2)), ("sib200-joint", 205 * 701, 2 * 32, 10 * (4491 // 2 + 1))],
)
def test_presets_of_sib200_are_what_its_scripts_say(preset: str, items: int, batch: int, steps: int) -> None:
    """Batch, accumulation, epochs, rate and length of xlmr_zero.sh and xlmr_all.sh, defaults of train_textclass.py.

    The script drops the last half of an odd number of half batches, so it has 22,450 steps where 22,460 are taken here.
    """
    recipe = recipe_for(preset, "full-finetuning")
    assert (recipe.batch_size, recipe.source.total_steps(items, recipe.batch_size)) == (batch, steps)
    assert recipe.rate("backbone") == recipe.rate("head") == Rate(1e-5, 0.0)
    assert (recipe.optimiser, recipe.schedule, recipe.source.warmup) == ("adamw", "linear", 0.0)
    assert (recipe.clip_norm, recipe.max_length, recipe.order) == (1.0, 164, "random")
    assert (recipe.checkpoint, recipe.source.patience, recipe.target.patience) == ("last", None, None)


def test_steps_override_epochs_and_leave_the_rest() -> None:
    recipe = recipe_for("paper", "full-finetuning").with_steps(7)
    assert recipe.source == Phase(steps=7, patience=20)
    assert recipe.target == recipe_for("paper", "full-finetuning").target


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="no preset 'papre'; did you mean 'paper'"):
        preset_recipe("papre")
    with pytest.raises(ConfigError, match="'encodr'; did you mean 'encoder'"):
        recipe_for("paper", "xpe").rate("encodr")
