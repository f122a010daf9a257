"""Presets as the paper and its released code have them."""

from __future__ import annotations

import json

import pytest

from xlt_bench.errors import ConfigError
from xlt_bench.recipe import PRESETS, Phase, Rate, Recipe, check_steps, preset_recipe


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("method", ["spt", "xpe", "dual", "full-finetuning", "head-only"])
def test_a_recipe_survives_json(preset: str, method: str) -> None:
    recipe = preset_recipe(preset, method)
    assert Recipe.from_json(json.loads(json.dumps(recipe.as_json()))) == recipe


def test_paper_preset_has_the_published_numbers() -> None:
    recipe = preset_recipe("paper", "xpe")
    assert (recipe.source.steps, recipe.target.steps) == (24_000, 6_000)
    assert (recipe.source.patience, recipe.target.patience) == (20, 30)
    assert (recipe.batch_size, recipe.cycles, recipe.source.warmup, recipe.clip_norm) == (32, 2, 0.0, None)
    assert recipe.rate("prompt") == Rate(5e-3, 0.0)
    assert recipe.rate("pseudo") == recipe.rate("encoder") == recipe.rate("head") == Rate(5e-5, 0.1)


def test_released_preset_differs_where_the_code_does() -> None:
    recipe = preset_recipe("released", "xpe")
    assert (recipe.source.warmup, recipe.target.warmup) == (0.10, 0.05)
    assert (recipe.clip_norm, recipe.by_length, recipe.max_length, recipe.decay_biases) == (1.0, True, 164, False)
    assert recipe.rate("pseudo") == Rate(5e-3, 0.0)
    assert recipe.rate("encoder") == recipe.rate("head") == Rate(5e-5, 0.01)
    assert recipe.rate("prompt") == Rate(5e-3, 0.0)
    assert preset_recipe("released", "dual").rate("prompt") == Rate(5e-5, 0.01)


def test_full_finetuning_follows_sib200_in_epochs() -> None:
    recipe = preset_recipe("paper", "full-finetuning")
    assert recipe.rate("backbone") == recipe.rate("head") == Rate(1e-5)
    assert recipe.source.total_steps(701, recipe.batch_size) == 20 * 22
    assert recipe.target.total_steps(701, recipe.batch_size) == 10 * 22


def test_steps_override_epochs_and_leave_the_rest() -> None:
    recipe = preset_recipe("paper", "full-finetuning").with_steps(7)
    assert recipe.source == Phase(steps=7, patience=20)
    assert recipe.target == preset_recipe("paper", "full-finetuning").target


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="no preset 'papre'; did you mean 'paper'"):
        preset_recipe("papre", "xpe")
    with pytest.raises(ConfigError, match="'encodr'; did you mean 'encoder'"):
        preset_recipe("paper", "xpe").rate("encodr")
    with pytest.raises(ConfigError, match="at least 1, not 0"):
        check_steps(0)
