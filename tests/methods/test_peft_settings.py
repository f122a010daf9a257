"""Configurations of peft as hyper-parameters: what `--set` takes, what identifies a run, what is refused and how."""

from __future__ import annotations

import importlib
import json
import pickle
import subprocess
import sys
from typing import Any

import pytest

from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.methods.peft import Peft
from xlt_bench.plugins.methods import configure

PRESETS = {
    "lora": "LoraConfig",
    "ia3": "IA3Config",
    "vera": "VeraConfig",
    "prefix-tuning": "PrefixTuningConfig",
    "p-tuning": "PromptEncoderConfig",
    "prompt-tuning": "PromptTuningConfig",
    "multitask-prompt-tuning": "MultitaskPromptTuningConfig",
}


def configured(name: str, **settings: str) -> Peft:
    method = configure(name, settings).method
    assert isinstance(method, Peft)
    return method


@pytest.mark.parametrize(("name", "config"), PRESETS.items())
def test_a_preset_is_peft_with_a_configuration(name: str, config: str) -> None:
    preset, general = configure(name, {}), configure("peft", {"config": config})
    assert (preset.name, preset.label, preset.values) == ("peft", name, general.values)
    assert preset.method == general.method
    assert type(configured(name).peft_config()).__name__ == config


def test_fields_of_the_configuration_are_hyper_parameters() -> None:
    found = configure("peft", {"config": "LoraConfig", "r": "16", "lora_dropout": "0.1", "use_dora": "true"})
    assert found.label == "lora (r=16, lora_dropout=0.1, use_dora=True)"
    config = configured("lora", r="16", lora_dropout="0.1", use_dora="true").peft_config()
    assert (config.r, config.lora_dropout, config.use_dora) == (16, 0.1, True)


@pytest.mark.parametrize(
    ("name", "setting", "text", "value"),
    [
        ("lora", "target_modules", "query,value", {"query", "value"}),
        ("lora", "target_modules", "query", {"query"}),
        ("lora", "target_modules", "all-linear", "all-linear"),
        ("lora", "target_modules", r".*layer\.[01]\..*query", r".*layer\.[01]\..*query"),
        ("lora", "layers_to_transform", "0,2", [0, 2]),
        ("lora", "rank_pattern", '{"query": 2}', {"query": 2}),
        ("lora", "init_lora_weights", "pissa_niter_4", "pissa_niter_4"),
        ("lora", "init_lora_weights", "false", False),
        ("p-tuning", "encoder_reparameterization_type", "LSTM", "LSTM"),
        ("p-tuning", "encoder_hidden_size", "64", 64),
        ("prefix-tuning", "num_virtual_tokens", "5", 5),
    ],
)
def test_texts_become_what_peft_expects(name: str, setting: str, text: str, value: Any) -> None:
    assert getattr(configured(name, **{setting: text}).peft_config(), setting) == value


def test_a_nested_configuration_is_json() -> None:
    config = configured("lora", eva_config='{"rho": 3.0}').peft_config()
    assert config.eva_config.rho == 3.0


@pytest.mark.parametrize("name", [*PRESETS, "peft"])
def test_values_survive_json_text_and_pickle(name: str) -> None:
    found = configure(name, {"learning_rate": "0.5"})
    values = json.loads(json.dumps(dict(found.values)))
    again = configure(found.name, {key: str(value) for key, value in values.items()})
    assert again.values == found.values
    assert pickle.loads(pickle.dumps(found.method)) == found.method


def test_every_prompt_has_the_length_of_the_others_by_default() -> None:
    assert {configured(name).positions for name in PRESETS if "prompt" in name or "p" in name[:2]} == {20}
    assert configured("lora").positions == 0


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("peft", {"config": "LoraConfg"}, "no peft configuration 'LoraConfg'; did you mean 'LoraConfig'.*IA3Config"),
        ("peft", {"config": "LoraConfig", "rang": "4"}, "no hyper-parameter of peft 'rang'.*r=8, target_modules=None"),
        ("lora", {"inference_mode": "true"}, "no hyper-parameter of lora 'inference_mode'"),
        ("lora", {"config": "IA3Config"}, "'config' of lora must be 'LoraConfig', not 'IA3Config'"),
        ("lora", {"r": "many"}, "'r' of lora must be a whole number, not 'many'"),
        ("lora", {"bias": "some"}, "must be 'none' or 'all' or 'lora_only', not 'some'"),
        ("lora", {"rank_pattern": "{query:2}"}, "rank_pattern is no JSON.*quote it for the shell"),
        ("lora", {"init_lora_weights": "eva"}, "init_lora_weights=eva needs a pass over data before the fit"),
        ("lora", {"layers_to_transform": "1", "target_modules": ".*query"}, "peft refuses this LoraConfig: "),
        ("prompt-tuning", {"num_virtual_tokens": "0"}, "num_virtual_tokens of at least 1, not 0"),
        ("prompt-tuning", {"prompt_tuning_init": "TEXT"}, "refuses this PromptTuningConfig.*prompt_tuning_init_text"),
        ("peft", {"config": "CPTConfig"}, "peft refuses this CPTConfig: .*CAUSAL_LM"),
        ("peft", {"config": "AdaLoraConfig"}, "AdaLoraConfig wants a call between steps"),
    ],
)
def test_refused_before_anything_runs(name: str, settings: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        configure(name, settings)
    assert "\n" not in str(refused.value)


def test_without_peft_the_message_is_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "xlt_bench.methods.peft")
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MethodError, match=r"needs peft; install it with: pip install peft"):
        configure("lora", {})


def test_variants_are_found_by_name_and_nothing_else_is() -> None:
    module = importlib.import_module("xlt_bench.methods.peft")
    assert module.Lora is type(configured("lora"))
    assert module.FourierFT.__name__ == "FourierFT"
    with pytest.raises(AttributeError, match="has no Nothing"):
        module.Nothing  # noqa: B018


def test_listing_methods_imports_no_peft() -> None:
    code = (
        "import sys; from xlt_bench.plugins.registry import METHODS, names\n"
        "from xlt_bench.cli.plugin_list import plugin_list; plugin_list(METHODS)\n"
        "assert 'lora' in names(METHODS)\n"
        "assert not {'peft', 'torch', 'scipy'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
