"""Any method of Hugging Face PEFT (the extra `peft`): its configuration's fields are the hyper-parameters.

    xlt-bench run --method peft --set config=LoraConfig --set r=16 --set target_modules=query,key,value

`lora`, `ia3`, `vera`, `prefix-tuning`, `p-tuning`, `prompt-tuning` and `multitask-prompt-tuning` are the same method
with the configuration chosen.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from xlt_bench.backbones.architectures import Architecture
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.batches import Batch
from xlt_bench.backbones.read_out import read
from xlt_bench.errors import ConfigError, MethodError, unknown
from xlt_bench.recipe import Rate, Recipe
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.tuned_encoder import EncoderTuning

try:
    from peft import PeftConfig, PeftModelForFeatureExtraction, PeftType, PromptLearningConfig
    from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING, PEFT_TYPE_TO_TUNER_MAPPING
except ImportError as missing:
    raise MethodError("this method needs peft; install it with: pip install peft") from missing

from xlt_bench.training.peft_settings import arguments, settings

ADAPTER = "default"
"""The name peft gives to the one adapter of a model."""

_BEFORE_WORDS = (PeftType.PROMPT_TUNING, PeftType.MULTITASK_PROMPT_TUNING, PeftType.P_TUNING)
"""Kinds whose vectors stand among the input embeddings."""

_FROM_DATA = ("eva", "corda", "lora_ga")
"""Starts of LoRA that peft computes from activations or gradients; without them it may start otherwise, silently."""


class OneTask(PeftModelForFeatureExtraction):
    """Peft's encoder model, for which methods of several tasks see one, number 0."""

    def get_prompt(self, batch_size: int, task_ids: Tensor | None = None, max_cache_len: int | None = None) -> Any:
        """What stands before each text: virtual tokens, or keys and values of every layer."""
        return super().get_prompt(batch_size, _first_task(batch_size, self.device), max_cache_len)

    def forward(  # type: ignore[override]  # what an Architecture calls a model with
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        use_cache: bool | None = None,
        lang_ids: Tensor | None = None,
    ) -> Any:
        """Hidden states of the tokens, after those of the virtual tokens if there are any.

        Behind virtual tokens peft counts positions itself, and puts all tokens into the first segment.
        """
        more = {
            "token_type_ids": token_type_ids,
            "position_ids": position_ids,
            "use_cache": use_cache,
            "lang_ids": lang_ids,
        }
        with _quiet():
            return super().forward(  # type: ignore[no-untyped-call]
                input_ids=input_ids,
                attention_mask=attention_mask,
                task_ids=_first_task(len(input_ids), self.device),
                **{name: value for name, value in more.items() if value is not None},
            )


def _first_task(items: int, device: torch.device) -> Tensor:
    return torch.zeros(items, dtype=torch.long, device=device)


@dataclass(frozen=True, kw_only=True)
class Peft(EncoderTuning):
    """A PEFT method on a frozen encoder, trained with the classification head on position 0.

    Args:
        config: the class of the configuration, such as LoraConfig; its fields are further hyper-parameters.
    """

    name: ClassVar[str] = "peft"

    config: str = "LoraConfig"

    @classmethod
    def for_settings(cls, settings: Mapping[str, str]) -> type[Peft]:
        """The class that has the fields of the configuration that is asked for."""
        return variant_of(settings.get("config", Peft.config)) if cls is Peft else cls

    def __post_init__(self) -> None:
        super().__post_init__()
        if _wants_calls(config_class(self.config)):
            raise ConfigError(f"{self.config} wants a call between steps that the trainer shared by all does not make")
        self.peft_config()
        if (start := getattr(self, "init_lora_weights", None)) in _FROM_DATA:
            raise ConfigError(f"init_lora_weights={start} needs a pass over data before the fit; use another start")
        if self.positions < 1 and issubclass(config_class(self.config), PromptLearningConfig):
            raise ConfigError(f"{self.config} needs num_virtual_tokens of at least 1, not {self.positions}")

    @property
    def label(self) -> str:
        """The method's name as peft has it: `lora`, `prompt-tuning`."""
        return PeftType(self.peft_config().peft_type).value.lower().replace("_", "-")

    @property
    def positions(self) -> int:
        """Virtual tokens: a prompt's take positions, a prefix shifts them."""
        return int(getattr(self.peft_config(), "num_virtual_tokens", None) or 0)

    def peft_config(self, tokenizer: str = "") -> PeftConfig:
        """The configuration of this method.

        Raises:
            ConfigError: values that peft refuses.
        """
        chosen = config_class(self.config)
        inherited = {field.name for field in dataclasses.fields(Peft)}
        settings_by_name = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in inherited}
        if hasattr(chosen, "tokenizer_name_or_path"):  # for a prompt that begins as a text
            settings_by_name["tokenizer_name_or_path"] = tokenizer or "the backbone's"
        try:
            with _quiet():
                return chosen(task_type="FEATURE_EXTRACTION", **arguments(chosen, settings_by_name))
        except ConfigError:
            raise
        except Exception as error:  # each configuration raises what it likes
            raise ConfigError(f"peft refuses this {self.config}: {_first_line(error)}") from error

    def insert(self, encoder: nn.Module, backbone: Backbone) -> nn.Module:
        """Put peft's modules into the encoder.

        Raises:
            ConfigError: the configuration does not work on this backbone, or not with the shared trainer.
        """
        config = self.peft_config(str(backbone.source.folder))
        if isinstance(config, PromptLearningConfig) and config.peft_type in _BEFORE_WORDS:
            config.token_dim = backbone.architecture.prompt_width  # peft takes the width of hidden states
        try:
            with _quiet():
                model = OneTask(encoder, config)
            batch = backbone.tokenise([("a", None)], max_length=8).batch([0])
            _check_trains(model.eval(), backbone.architecture, batch)
        except Exception as error:  # as above
            versions = ", ".join(f"{package} {version(package)}" for package in ("peft", "transformers"))
            raise ConfigError(
                f"{self.config} does not work on backbone '{backbone.source.name}' ({versions}): {_first_line(error)}"
            ) from error
        return model

    def roles(self, encoder: nn.Module) -> Roles:
        """Prompts: `prompt`, or `pseudo` and `encoder` where an encoder stands behind. Else `adapter` and `vector`."""
        assert isinstance(encoder, OneTask)
        if not isinstance(encoder.peft_config[ADAPTER], PromptLearningConfig):
            return _matrices_and_vectors(encoder)
        prompt = encoder.get_submodule(f"prompt_encoder.{ADAPTER}")
        looked_up = [p for name, p in prompt.named_parameters() if name.startswith("embedding.")]
        deeper = [p for name, p in prompt.named_parameters() if not name.startswith("embedding.")]
        encoded = encoder.peft_config[ADAPTER].peft_type in (PeftType.P_TUNING, PeftType.PREFIX_TUNING) and deeper
        return {"pseudo": looked_up, "encoder": deeper} if encoded else {"prompt": [*looked_up, *deeper]}

    def recipe_for(self, preset: str, common: Recipe) -> Recipe:
        """With rates for what stands inside the encoder; sources in docs/presets.md."""
        adapter, vector = (3e-3, 1e-2) if preset in ("cldr", "e5") else (3e-4, 3e-3)
        return common.with_roles(adapter=Rate(adapter), vector=Rate(vector))


def _matrices_and_vectors(encoder: nn.Module) -> Roles:
    """Trained weights apart from vectors, whatever their shape is written as: those scale or shift activations."""
    trained = [p for p in encoder.parameters() if p.requires_grad]
    vectors = [p for p in trained if p.numel() == max(p.shape, default=1)]
    matrices = [p for p in trained if p.numel() > max(p.shape, default=1)]
    return {role: part for role, part in (("adapter", matrices), ("vector", vectors)) if part}


def _check_trains(model: OneTask, architecture: Architecture, batch: Batch) -> None:
    trained = [p for p in model.parameters() if p.requires_grad]
    modules = torch.zeros(len(batch), dtype=torch.int64)  # whichever: it is one text of no language
    states = architecture.states(model, batch.mask, ids=batch.ids, modules=modules)
    if not trained or not states.requires_grad:
        raise MethodError("it trains nothing that changes the output")
    state = read(states, batch.mask, architecture.read_outs[0])
    gradients = torch.autograd.grad(state.sum(), trained, allow_unused=True)
    if all(gradient is None for gradient in gradients):
        raise MethodError("nothing that it trains changes what the classification head reads")


def _wants_calls(config: type[PeftConfig]) -> bool:
    """Whether the method changes its own size while it trains, as AdaLoRA does."""
    tuners = [PEFT_TYPE_TO_TUNER_MAPPING[kind] for kind, cls in PEFT_TYPE_TO_CONFIG_MAPPING.items() if cls is config]
    return any(hasattr(tuner, "update_and_allocate") for tuner in tuners)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without peft's advice for interactive use."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def config_class(name: str) -> type[PeftConfig]:
    """A configuration of the installed peft by the name of its class.

    Raises:
        ConfigError: it has none of this name.
    """
    by_name = {cls.__name__: cls for cls in PEFT_TYPE_TO_CONFIG_MAPPING.values()}
    if name not in by_name:
        raise unknown("peft configuration", name, by_name, ", ".join(sorted(by_name)))
    return by_name[name]


SUMMARIES = {
    "Lora": "LoRA (Hu et al. 2022): low-rank matrices beside the encoder's linear layers.",
    "IA3": "IA3 (Liu et al. 2022): vectors that scale keys, values and inner activations.",
    "Vera": "VeRA (Kopiczko et al. 2024): vectors that scale shared random low-rank matrices.",
    "PrefixTuning": "Prefix tuning (Li & Liang 2021): trained keys and values before those of the text in every layer.",
    "PromptEncoder": "P-tuning (Liu et al. 2021): a prompt that an MLP or LSTM makes of its vectors.",
    "PromptTuning": "Prompt tuning (Lester et al. 2021): trained vectors before the text's embeddings.",
    "MultitaskPromptTuning": "Multitask prompt tuning (Wang et al. 2023): a prompt times low-rank task matrices.",
}
"""What the variants with a name of their own do; `ls methods` reads it without importing this module."""


@cache
def variant_of(config: str) -> type[Peft]:
    """The method of one configuration: `Peft` with its fields."""
    chosen = ("config", Literal[config], dataclasses.field(default=config))
    name = config.removesuffix("Config")
    return dataclasses.make_dataclass(
        name,
        [chosen, *settings(config_class(config))],
        bases=(Peft,),
        namespace={"__module__": __name__, "__doc__": SUMMARIES.get(name, f"The PEFT method of {config}.")},
        frozen=True,
        kw_only=True,
    )


def __getattr__(name: str) -> type[Peft]:
    """`Lora` is the method of LoraConfig, and so on: every variant can be imported, and pickled, by its name."""
    try:
        return variant_of(f"{name}Config")
    except ConfigError as error:
        raise AttributeError(f"module {__name__} has no {name}") from error
