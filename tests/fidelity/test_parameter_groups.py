"""Which parameter has which learning rate and weight decay, for each method and preset of the paper."""

from __future__ import annotations

import pytest

from tests.support.fits import context, short
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.methods.dual import DUAL
from xlt_bench.methods.head_only import HeadOnly
from xlt_bench.methods.spt import SPT
from xlt_bench.methods.xpe import XPE
from xlt_bench.plugins.methods import configure, recipe_of
from xlt_bench.recipe import preset_recipe
from xlt_bench.training.optimisation import parameter_groups
from xlt_bench.training.soft_prompt import SoftPrompt

Groups = dict[str, tuple[float, float]]
LAYERS = (0, 3, 6)


def groups(method: SoftPrompt, preset: str, name: str, backbone: Backbone) -> Groups:
    """Learning rate and weight decay by the parameter's name."""
    module = method.new_module(context(backbone))
    names = {parameter: name for name, parameter in module.named_parameters()}
    roles = {**method.roles(module.prompt), "head": list(module.head.parameters())}
    found = {}
    for group in parameter_groups(roles, recipe_of(configure(name, {}).method, preset)):
        for parameter in group["params"]:
            found[names.pop(parameter)] = (group["lr"], group["weight_decay"])
    assert not names, "every parameter is in exactly one group"
    return found


def layers(prefix: str, numbers: tuple[object, ...], weight: tuple[float, float], bias: tuple[float, float]) -> Groups:
    return {f"{prefix}.{n}.{kind}": rate for n in numbers for kind, rate in (("weight", weight), ("bias", bias))}


def linear(preset: str, prefix: str, numbers: tuple[object, ...]) -> Groups:
    """Linear layers at the slow rate; the released code leaves biases without decay."""
    decay = {"paper": (0.1, 0.1), "released": (0.01, 0.0)}[preset]
    return layers(prefix, numbers, (5e-5, decay[0]), (5e-5, decay[1]))


def head(preset: str) -> Groups:
    return linear(preset, "head", ("dense", "out_proj"))


PSEUDO = {"paper": (5e-5, 0.1), "released": (5e-3, 0.0)}
STANDARD_OF_DUAL = {"paper": (5e-3, 0.0), "released": (5e-5, 0.01)}


@pytest.mark.parametrize("preset", ["paper", "released"])
def test_spt(preset: str, tiny_backbone: Backbone) -> None:
    expected = {"prompt.weight": (5e-3, 0.0), **head(preset)}
    assert groups(SPT(), preset, "spt", tiny_backbone) == expected


@pytest.mark.parametrize("preset", ["paper", "released"])
def test_xpe(preset: str, tiny_backbone: Backbone) -> None:
    expected = {"prompt.pseudo": PSEUDO[preset], **linear(preset, "prompt.encoder", LAYERS), **head(preset)}
    assert groups(XPE(), preset, "xpe", tiny_backbone) == expected


@pytest.mark.parametrize("reference", ["dual", "dual-30", "dual-70"])
@pytest.mark.parametrize("preset", ["paper", "released"])
def test_dual(preset: str, reference: str, tiny_backbone: Backbone) -> None:
    configured = configure(reference, {})
    assert isinstance(configured.method, DUAL)
    expected = {
        "prompt.standard.weight": STANDARD_OF_DUAL[preset],
        "prompt.encoded.pseudo": PSEUDO[preset],
        **linear(preset, "prompt.encoded.encoder", LAYERS),
        **head(preset),
    }
    assert groups(configured.method, preset, configured.name, tiny_backbone) == expected


@pytest.mark.parametrize("preset", ["paper", "released"])
def test_head_only(preset: str, tiny_backbone: Backbone) -> None:
    assert groups(HeadOnly(), preset, "head-only", tiny_backbone) == head(preset)


def test_learning_rates_set_by_hand_replace_the_preset_s(tiny_backbone: Backbone) -> None:
    method = XPE(learning_rate=0.5, head_learning_rate=0.25)
    module = method.new_module(context(tiny_backbone))
    roles = {**method.roles(module.prompt), "head": list(module.head.parameters())}
    rates = method.with_own_rates(short(), roles).rates
    assert {role: rates[role].learning_rate for role in roles} == {"pseudo": 0.5, "encoder": 0.5, "head": 0.25}
    assert {role: rates[role].weight_decay for role in roles} == {"pseudo": 0.1, "encoder": 0.1, "head": 0.1}


@pytest.mark.parametrize(("preset", "clip"), [("paper", None), ("released", 1.0)])
def test_what_else_the_presets_say(preset: str, clip: float | None) -> None:
    recipe = preset_recipe(preset)
    assert (recipe.clip_norm, recipe.batch_size, recipe.max_length) == (clip, 32, 164)
    assert (recipe.source.patience, recipe.target.patience) == (20, 30)
