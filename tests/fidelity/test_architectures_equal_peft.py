"""Where transformers' classifier computes what our head does, SPT's logits are those of peft prompt tuning."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from numpy.testing import assert_allclose
from peft import PromptTuningConfig, get_peft_model
from transformers import AutoModelForSequenceClassification

from tests.support.architectures import tiny_model
from tests.support.fits import LABELS, TEST, unfitted
from xlt_bench.backbones.architectures import EXPORTABLE
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.methods.spt import SPT
from xlt_bench.training.head import ClassificationHead

LIMIT = 1e-5
POOLED = {
    "albert": ("albert.pooler", "classifier"),
    "bert": ("bert.pooler.dense", "classifier"),
    "ernie": ("ernie.pooler.dense", "classifier"),
    "rembert": ("rembert.pooler.dense", "classifier"),
}
"""Types that split the head: dense and tanh in the pooler, the projection behind it."""


def give_head(model: Any, model_type: str, head: ClassificationHead) -> None:
    """Copy the library's head into transformers' classifier."""
    if model_type not in POOLED:
        model.classifier.load_state_dict(head.state_dict())
        return
    dense, projection = (model.get_submodule(name) for name in POOLED[model_type])
    dense.load_state_dict(head.dense.state_dict())
    projection.load_state_dict(head.out_proj.state_dict())


@pytest.mark.parametrize("model_type", [*EXPORTABLE, "xmod", *POOLED])
def test_logits_equal_those_of_peft_in_padded_batches(model_type: str, tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "model", model_type)
    backbone = Backbone(locate(str(folder)))
    fitted = unfitted(SPT(n_tokens=5), backbone)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=len(LABELS), dtype=torch.float32)
    give_head(model, model_type, fitted.module.head)
    width = backbone.architecture.prompt_width
    config = PromptTuningConfig(task_type="SEQ_CLS", num_virtual_tokens=5, token_dim=width)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tuned: Any = get_peft_model(model, config).eval()
    tuned.prompt_encoder["default"].load_state_dict({"embedding.weight": fitted.prompt.clone()})
    texts = [example.text for example in TEST.examples]
    inputs = backbone.tokenizer(texts, padding=True, return_tensors="pt", return_token_type_ids=False)
    assert len(set(inputs["attention_mask"].sum(1).tolist())) > 4, "padding would go untested"
    with torch.no_grad():
        expected = tuned(**inputs).logits
    assert expected.std(0).min() > 100 * LIMIT, "the items must differ, or equality would tell nothing"
    assert_allclose(fitted.predict(TEST.examples), expected.numpy(), rtol=0, atol=LIMIT)
