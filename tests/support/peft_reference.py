"""The reference: `peft` on transformers' XLMRobertaForSequenceClassification, given the library's weights."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from peft import PeftConfig, PromptEncoderConfig, PromptTuningConfig, get_peft_model
from torch import Tensor, nn
from transformers import XLMRobertaForSequenceClassification

from tests.support.fits import LABELS, MAX_LENGTH
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.methods.xpe import EncodedPrompt
from xlt_bench.task import Example
from xlt_bench.training.head import ClassificationHead

_MLP = {"mlp_head.0": "encoder.0", "mlp_head.2": "encoder.3", "mlp_head.4": "encoder.6"}
"""Linear layers of peft's prompt encoder, and ours: dropout lies between ours, peft's has none."""


def classifier(backbone: Backbone, head: ClassificationHead) -> Any:
    """Transformers' own sequence classifier with this head, in eval mode."""
    model = XLMRobertaForSequenceClassification.from_pretrained(
        backbone.source.folder, num_labels=len(LABELS), dtype=torch.float32
    )
    model.classifier.load_state_dict(head.state_dict())
    return model.eval()


def prompt_tuning(backbone: Backbone, head: ClassificationHead, prompt: Tensor) -> Any:
    """Peft prompt tuning with this prompt, (n, d), in eval mode."""
    config = PromptTuningConfig(task_type="SEQ_CLS", num_virtual_tokens=len(prompt))
    model = _peft(backbone, head, config)
    model.prompt_encoder["default"].load_state_dict({"embedding.weight": prompt.detach().clone()})
    return model


def p_tuning(backbone: Backbone, head: ClassificationHead, prompt: EncodedPrompt) -> Any:
    """Peft p-tuning with the weights of this encoded prompt, in eval mode."""
    config = PromptEncoderConfig(
        task_type="SEQ_CLS",
        num_virtual_tokens=len(prompt.pseudo),
        encoder_reparameterization_type="MLP",
        encoder_num_layers=2,
        encoder_hidden_size=256,
        encoder_dropout=0.0,
    )
    model = _peft(backbone, head, config)
    model.prompt_encoder["default"].load_state_dict(peft_names(prompt.state_dict()))
    return model


def peft_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state of an EncodedPrompt under the names of peft's prompt encoder."""
    kinds = ("weight", "bias")
    layers = {f"{theirs}.{kind}": state[f"{ours}.{kind}"] for theirs, ours in _MLP.items() for kind in kinds}
    return {"embedding.weight": state["pseudo"], **layers}


def trained_head(model: nn.Module) -> ClassificationHead:
    """The head that peft trains: its copy of the classifier."""
    head: ClassificationHead = model.get_submodule("base_model.classifier.modules_to_save.default")  # type: ignore[assignment]
    return head


def _peft(backbone: Backbone, head: ClassificationHead, config: PeftConfig) -> Any:
    with warnings.catch_warnings():  # peft asks transformers for an attribute that transformers has renamed
        warnings.simplefilter("ignore", FutureWarning)
        return get_peft_model(classifier(backbone, head), config).eval()


def encode(backbone: Backbone, examples: Sequence[Example]) -> Any:
    """Padded ids and mask as transformers' tokenizer makes them."""
    firsts, seconds = [example.text for example in examples], [example.text_pair for example in examples]
    return backbone.tokenizer(
        firsts,
        seconds if all(seconds) else None,
        padding=True,
        truncation=True,
        max_length=MAX_LENGTH,
        return_tensors="pt",
        return_token_type_ids=False,
    )


@torch.no_grad()
def logits(model: nn.Module, backbone: Backbone, examples: Sequence[Example]) -> Tensor:
    """The reference's logits, all items in one padded batch."""
    found: Tensor = model(**encode(backbone, examples)).logits
    return found
