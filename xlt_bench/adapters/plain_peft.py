"""Adapters of any other kind, loaded by Hugging Face's own peft onto transformers' own classifier (extra `peft`)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import AutoModelForSequenceClassification

from xlt_bench.adapters.folder import AdapterFolder, first_line
from xlt_bench.backbones.backbone import Backbone, quiet
from xlt_bench.backbones.batches import tokens_at_once
from xlt_bench.errors import ConfigError
from xlt_bench.method import Scores
from xlt_bench.task import Example

_HEADS = ("classifier.out_proj.weight", "classifier.weight", "score.weight")
_REFUSED = {
    "XLORA": "it loads further adapters from places that its configuration names",
    "MULTITASK_PROMPT_TUNING": "which of its tasks a text belongs to is not known",
}
_LEADING_ELSEWHERE = ("megatron_config", "prompt_tuning_init_state_dict_path")
"""Settings at which peft imports a module or unpickles a file that the configuration names."""


def classes_of(adapter: AdapterFolder, tensors: Mapping[str, Tensor]) -> int:
    """Rows of the adapter's classification head.

    Raises:
        ConfigError: it has none.
    """
    heads = [tensors[name] for name in _HEADS if name in tensors]
    if not heads:
        raise ConfigError(
            f"adapter '{adapter.name}' has no classification head, and without it its classes would be random; "
            "save it with the classifier among modules_to_save"
        )
    return len(heads[0])


def check_loadable(adapter: AdapterFolder) -> None:
    """Refuse what peft cannot load, or not without touching more than the adapter's own files.

    Raises:
        ConfigError: the extra is not installed, or a kind or setting that is not loaded.
    """
    if find_spec("peft") is None:
        raise ConfigError(
            f"kind {adapter.kind} of adapter is loaded with peft, which is not installed; pip install peft"
        )
    reason = _REFUSED.get(adapter.kind)
    if reason is None:
        settings = [name for name in _LEADING_ELSEWHERE if adapter.config.get(name)]
        reason = f"its {settings[0]} leads to other files" if settings else None
    if reason is not None:
        raise ConfigError(f"adapter '{adapter.name}' of kind {adapter.kind} is not loaded: {reason}")


class PeftModelPredictor:
    """An adapter on transformers' classifier of its backbone.

    Args:
        adapter: for which `check_loadable` holds.
        tensors: the adapter's, by plain name.
        backbone: its tokenizer, device and precision are used, not its encoder.
        limit: tokens of a text that are read.

    Raises:
        ConfigError: peft cannot load it, or a part of the classifier would stay random.
    """

    def __init__(self, adapter: AdapterFolder, tensors: Mapping[str, Tensor], backbone: Backbone, limit: int) -> None:
        self._model = _load(adapter, tensors, backbone)
        self._backbone = backbone
        self._limit = limit
        self._classes = classes_of(adapter, tensors)

    @torch.no_grad()
    def predict(self, examples: Sequence[Example]) -> Scores:
        """Logits of shape (items, the adapter's classes), float32, in the order given."""
        backbone = self._backbone
        texts = backbone.tokenise([(example.text, example.text_pair) for example in examples], self._limit)
        modules = backbone.architecture.modules_of([example.language for example in examples])
        texts = replace(texts, modules=modules)
        scores = np.zeros((len(texts), self._classes), np.float32)
        for index in texts.sorted_batches(tokens=tokens_at_once(backbone.device)):
            batch = texts.batch(index)
            inputs = {"input_ids": batch.ids.to(backbone.device), "attention_mask": batch.mask.to(backbone.device)}
            if batch.segments is not None:  # behind a prompt peft drops them, as it does when it trains one
                inputs["token_type_ids"] = batch.segments.to(backbone.device)
            if batch.modules is not None:
                inputs |= backbone.architecture.arguments(inputs["attention_mask"], batch.modules)
            with backbone.autocast(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                logits = self._model(**inputs).logits
            scores[index] = logits.float().cpu().numpy()
        return scores


def _load(adapter: AdapterFolder, tensors: Mapping[str, Tensor], backbone: Backbone) -> Any:
    from peft import PeftModel

    with quiet(), warnings.catch_warnings(record=True) as caught_warnings, torch.random.fork_rng(devices=[]):
        warnings.simplefilter("always")
        try:
            model, loading_info = AutoModelForSequenceClassification.from_pretrained(
                backbone.source.folder,
                num_labels=classes_of(adapter, tensors),
                dtype=torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
            model = PeftModel.from_pretrained(model, str(adapter.folder)).to(backbone.device).eval()
        except Exception as error:  # peft, transformers and torch raise many unrelated classes
            raise ConfigError(
                f"adapter '{adapter.name}' ({adapter.kind}) cannot be loaded onto backbone '{backbone.source.name}' by "
                f"peft {version('peft')}: {first_line(error)}; it names the backbone {adapter.base_model}"
            ) from error
    lacking = [str(warning.message) for warning in caught_warnings if "missing adapter keys" in str(warning.message)]
    random = sorted(name for name in loading_info["missing_keys"] if name not in tensors)
    if lacking or random:
        part = first_line(ValueError(lacking[0])) if lacking else f"{random[0]} would be random"
        raise ConfigError(f"adapter '{adapter.name}' does not fill '{backbone.source.name}': {part}")
    return model
