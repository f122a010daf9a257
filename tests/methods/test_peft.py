"""Methods of peft under our trainer, against peft's own sequence classification and our SPT."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import get_peft_model
from transformers import ModernBertConfig, ModernBertForMaskedLM, XLMRobertaForSequenceClassification

from tests.support.fits import DEV, LABELS, TEST, TRAIN, cldr_context, copied, shake
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.method import FitSummary
from xlt_bench.methods.bitfit import BitFit
from xlt_bench.methods.peft import ADAPTER, Peft
from xlt_bench.methods.spt import SPT
from xlt_bench.plugins.methods import configure, recipe_of
from xlt_bench.recipe import PRESETS as PRESETS_OF_RATES
from xlt_bench.recipe import preset_recipe
from xlt_bench.training.soft_prompt import FittedPrompt
from xlt_bench.training.tuned_encoder import EncoderTuning, FittedEncoder

PRESETS = ("lora", "ia3", "vera", "prefix-tuning", "p-tuning", "prompt-tuning", "multitask-prompt-tuning")


def method(name: str, **settings: str) -> EncoderTuning:
    found = configure(name, {"r": "4", **settings} if name in ("lora", "vera") else settings).method
    assert isinstance(found, EncoderTuning)
    return found


def unfitted(given: EncoderTuning, backbone: Backbone) -> FittedEncoder:
    """Random weights, as if it had been fitted."""
    module = given.new_module(backbone, len(LABELS), seed=0)
    shake([*module.trained, *module.head.parameters()])
    return FittedEncoder(given, module, cldr_context(backbone), FitSummary())


def reference(fitted: FittedEncoder, backbone: Backbone) -> Any:
    """Peft on transformers' own sequence classifier, with the same weights."""
    assert isinstance(fitted.method, Peft)
    classifier = XLMRobertaForSequenceClassification.from_pretrained(
        backbone.source.folder, num_labels=len(LABELS), dtype=torch.float32
    )
    config = fitted.method.peft_config()
    config.task_type = "SEQ_CLS"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = get_peft_model(classifier, config).eval()
    ours = [p for p in fitted.module.encoder.parameters() if p.requires_grad]
    theirs = [p for name, p in model.named_parameters() if p.requires_grad and "classifier" not in name]
    assert [p.shape for p in ours] == [p.shape for p in theirs]
    with torch.no_grad():
        for own, other in zip(ours, theirs, strict=True):
            other.copy_(own)
    model.base_model.get_submodule("classifier.modules_to_save.default").load_state_dict(
        fitted.module.head.state_dict()
    )
    return model


@pytest.mark.parametrize("name", PRESETS)
def test_logits_equal_those_of_peft_alone(name: str, tiny_backbone: Backbone) -> None:
    fitted = unfitted(method(name), tiny_backbone)
    model = reference(fitted, tiny_backbone)
    texts = [example.text for example in TEST.examples]
    inputs = tiny_backbone.tokenizer(texts, padding=True, return_tensors="pt", return_token_type_ids=False)
    tasks = {"task_ids": torch.zeros(len(texts), dtype=torch.long)} if name.startswith("multitask") else {}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = model(**inputs, **tasks).logits.numpy()
    assert np.abs(expected).max() > 0.1
    assert np.allclose(fitted.predict(TEST.examples), expected, atol=1e-5)


def test_prompt_tuning_is_spt(tiny_backbone: Backbone) -> None:
    """Seed for seed the same start, and the same logits from it."""
    given = cldr_context(tiny_backbone, seed=3)
    ours = SPT().new_module(given)
    theirs = method("prompt-tuning").new_module(tiny_backbone, len(LABELS), seed=3)
    assert isinstance(theirs.encoder.prompt_encoder, torch.nn.ModuleDict)
    assert torch.equal(ours.prompt(), theirs.encoder.prompt_encoder[ADAPTER].embedding.weight)
    assert all(torch.equal(a, b) for a, b in zip(ours.head.parameters(), theirs.head.parameters(), strict=True))
    one = FittedPrompt(SPT(), ours, given, FitSummary()).predict(TEST.examples)
    other = FittedEncoder(method("prompt-tuning"), theirs, given, FitSummary()).predict(TEST.examples)
    assert np.allclose(one, other, atol=1e-5)


def test_prompt_tuning_trains_as_spt_does(tiny_backbone: Backbone) -> None:
    """Without dropout the two fits are one computation, apart from rounding."""
    ours = SPT().fit(TRAIN, DEV, cldr_context(tiny_backbone, "spt", steps=12))
    theirs = method("prompt-tuning").fit(TRAIN, DEV, cldr_context(tiny_backbone, "spt", steps=12))
    assert ours.summary.trainable_parameters == theirs.summary.trainable_parameters
    for one, other in zip(ours.summary.history, theirs.summary.history, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, abs=1e-3)
    assert np.allclose(ours.predict(TEST.examples), theirs.predict(TEST.examples), atol=0.02)


def head(width: int) -> int:
    return width * width + width + width * len(LABELS) + len(LABELS)


@pytest.mark.parametrize(
    ("name", "settings", "inside"),
    [
        ("lora", {}, 2 * 2 * (4 * 32 + 32 * 4)),  # layers x (query, value) x (A + B)
        ("vera", {}, 2 * 2 * (4 + 32)),  # layers x (query, value) x (d + b)
        ("ia3", {}, 2 * (32 + 32 + 32 + 48)),  # layers x (key, value, attention output's input, feed-forward's input)
        ("prompt-tuning", {}, 20 * 32),
        ("prompt-tuning", {"num_virtual_tokens": "3"}, 3 * 32),
        ("prefix-tuning", {}, 20 * 2 * 2 * 32),  # vectors x layers x (key, value) x d
        ("p-tuning", {}, 20 * 32 + 3 * (32 * 32 + 32)),
        ("multitask-prompt-tuning", {}, 20 * 32 + 20 + 32),
        ("bitfit", {}, 2 * (4 * 32 + 48 + 32 + 2 * 32) + 32),  # layers x (q, k, v, out, up, down, norms) + norm
    ],
)
def test_trainable_parameters(name: str, settings: dict[str, str], inside: int, tiny_backbone: Backbone) -> None:
    module = method(name, **settings).new_module(tiny_backbone, len(LABELS), seed=0)
    assert sum(p.numel() for p in module.parameters() if p.requires_grad) == inside + head(32)


@pytest.mark.parametrize(
    ("name", "settings", "roles"),
    [
        ("lora", {}, {"adapter"}),
        ("lora", {"bias": "all"}, {"adapter", "vector"}),
        ("ia3", {}, {"vector"}),
        ("vera", {}, {"vector"}),
        ("bitfit", {}, {"bias"}),
        ("prompt-tuning", {}, {"prompt"}),
        ("multitask-prompt-tuning", {}, {"prompt"}),
        ("prefix-tuning", {}, {"prompt"}),
        ("prefix-tuning", {"prefix_projection": "true", "encoder_hidden_size": "8"}, {"pseudo", "encoder"}),
        ("p-tuning", {}, {"pseudo", "encoder"}),
    ],
)
def test_every_trained_weight_has_one_role(
    name: str, settings: dict[str, str], roles: set[str], tiny_backbone: Backbone
) -> None:
    given = method(name, **settings)
    module = given.new_module(tiny_backbone, len(LABELS), seed=0)
    found = {role: list(part) for role, part in given.roles(module.encoder).items()}
    assert set(found) == roles
    assert sorted(id(p) for part in found.values() for p in part) == sorted(map(id, module.trained))
    for role in roles:
        assert cldr_context(tiny_backbone, configure(name, {}).name).recipe.rate(role).learning_rate > 0


@pytest.mark.parametrize("preset", PRESETS_OF_RATES)
def test_roles_inside_the_encoder_are_in_no_other_methods_recipe(preset: str) -> None:
    """A recipe is part of a run's identity: a role more would make every stored Record another run's."""
    inside = {"adapter", "vector", "bias"}
    assert not inside & set(preset_recipe(preset).rates)
    for name in ("spt", "xpe", "dual", "head-only", "full-finetuning"):
        assert not inside & set(recipe_of(configure(name, {}).method, preset).rates)
    assert inside & set(recipe_of(configure("peft", {}).method, preset).rates) == {"adapter", "vector"}
    assert inside & set(recipe_of(configure("bitfit", {}).method, preset).rates) == {"bias"}


@pytest.mark.parametrize("name", [*PRESETS, "bitfit"])
def test_a_fit_changes_what_is_trained_and_nothing_else(name: str, tiny_backbone: Backbone) -> None:
    given = method(name)
    frozen = tiny_backbone.weights_hash()
    start = given.new_module(tiny_backbone, len(LABELS), seed=0)
    fitted = given.fit(TRAIN, DEV, cldr_context(tiny_backbone, configure(name, {}).name))
    before, after = copied(start.encoder), copied(fitted.module.encoder)
    trained = {key for key, p in start.encoder.named_parameters() if p.requires_grad}
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed
    assert changed <= trained
    assert tiny_backbone.weights_hash() == frozen
    shared = {p.data_ptr() for p in tiny_backbone.encoder.parameters()}
    base = [p for p in fitted.module.encoder.parameters() if not p.requires_grad and p.dim() == 2 and len(p) > 90]
    assert base  # the embeddings
    assert all(p.data_ptr() in shared for p in base)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("lora", {"init_lora_weights": "pissa"}),
        ("vera", {"save_projection": "false"}),
        ("peft", {"config": "ShiraConfig", "r": "2"}),
        ("prefix-tuning", {}),
        ("p-tuning", {}),
        ("bitfit", {}),
    ],
)
def test_saved_and_loaded_under_another_seed(
    name: str, settings: dict[str, str], tiny_backbone: Backbone, tmp_path: Path
) -> None:
    given = method(name, **settings)
    told = cldr_context(tiny_backbone, configure(name, {}).name)
    fitted = given.fit(TRAIN, DEV, told)
    fitted.save(tmp_path)
    loaded = given.load(tmp_path, dataclasses.replace(told, seed=9))
    assert np.array_equal(loaded.predict(TEST.examples), fitted.predict(TEST.examples))
    assert loaded.summary == fitted.summary
    again = [one.adapt(TRAIN, DEV, told).predict(TEST.examples) for one in (fitted, loaded)]
    assert np.array_equal(*again)


def test_only_what_is_not_the_backbones_is_saved(tiny_backbone: Backbone, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    unfitted(method("lora"), tiny_backbone).save(tmp_path)
    names = set(load_file(tmp_path / "weights.safetensors"))
    assert all("lora_" in name or name.startswith("head.") for name in names)
    assert len(names) == 2 * 2 * 2 + 4


def test_adapting_leaves_the_source_fit_as_it_was(tiny_backbone: Backbone) -> None:
    fitted = method("lora").fit(TRAIN, DEV, cldr_context(tiny_backbone))
    before, state = fitted.predict(TEST.examples), copied(fitted.module)
    adapted = fitted.adapt(TEST, DEV, cldr_context(tiny_backbone))
    assert not np.array_equal(adapted.predict(TEST.examples), before)
    assert np.array_equal(fitted.predict(TEST.examples), before)
    assert all(torch.equal(state[name], value) for name, value in copied(fitted.module).items())


def test_rates_are_the_presets_unless_set(tiny_backbone: Backbone) -> None:
    still = method("lora", learning_rate="0", head_learning_rate="0").fit(TRAIN, DEV, cldr_context(tiny_backbone))
    start = method("lora").new_module(tiny_backbone, len(LABELS), seed=0)
    assert all(torch.equal(a, b) for a, b in zip(still.module.trained, start.trained, strict=True))


@pytest.mark.parametrize(
    ("name", "settings", "error", "message"),
    [
        ("lora", {"target_modules": "quer"}, ConfigError, r"LoraConfig does not work on backbone '.*' \(peft .*quer"),
        ("lora", {"r": "0"}, ConfigError, "LoraConfig does not work .*positive"),
        ("peft", {"config": "LNTuningConfig"}, ConfigError, "LNTuningConfig does not work .*target_modules"),
        (
            "prompt-tuning",
            {"num_virtual_tokens": "511"},
            MethodError,
            "a prompt of 511 vectors leaves no room for text",
        ),
    ],
)
def test_refused_before_training(
    name: str, settings: dict[str, str], error: type[Exception], message: str, tiny_backbone: Backbone
) -> None:
    with pytest.raises(error, match=message) as refused:
        method(name, **settings).fit(TRAIN, DEV, cldr_context(tiny_backbone))
    assert "\n" not in str(refused.value)


@pytest.fixture(scope="module")
def other_backbone(tmp_path_factory: pytest.TempPathFactory, tiny_backbone: Backbone) -> Backbone:
    """An architecture without biases, whose forward pass takes no keys and values from outside, and does not say so."""
    folder = tmp_path_factory.mktemp("modernbert")
    tokenizer = tiny_backbone.tokenizer
    config = ModernBertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=66,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        cls_token_id=0,
        sep_token_id=2,
    )
    ModernBertForMaskedLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Backbone(locate(str(folder)))


def test_a_prefix_that_the_backbone_ignores_is_refused(other_backbone: Backbone) -> None:
    with pytest.raises(ConfigError, match=r"PrefixTuningConfig does not work .*trains nothing that changes the output"):
        method("prefix-tuning").fit(TRAIN, DEV, cldr_context(other_backbone))


def test_bitfit_needs_biases(other_backbone: Backbone) -> None:
    with pytest.raises(ConfigError, match="has no biases for bitfit to train"):
        method("bitfit").fit(TRAIN, DEV, cldr_context(other_backbone, "bitfit"))


def test_other_architectures_need_their_layers_named(other_backbone: Backbone) -> None:
    given = method("lora", target_modules="Wqkv")
    fitted = given.fit(TRAIN, DEV, cldr_context(other_backbone))
    assert fitted.summary.trainable_parameters == 2 * (4 * 32 + 96 * 4) + head(32)
    with pytest.raises(ConfigError, match="specify `target_modules`"):
        method("lora").fit(TRAIN, DEV, cldr_context(other_backbone))


def test_weights_of_another_configuration_are_refused(tiny_backbone: Backbone, tmp_path: Path) -> None:
    unfitted(method("lora", r="4"), tiny_backbone).save(tmp_path)
    with pytest.raises(MethodError, match="saved weights are of another configuration"):
        method("lora", r="2").load(tmp_path, cldr_context(tiny_backbone))


def test_bitfit_trains_the_biases_by_name(tiny_backbone: Backbone) -> None:
    module = BitFit().new_module(tiny_backbone, len(LABELS), seed=0)
    trained = {name for name, p in module.encoder.named_parameters() if p.requires_grad}
    assert trained == {name for name, _ in module.encoder.named_parameters() if name.endswith(".bias")}
