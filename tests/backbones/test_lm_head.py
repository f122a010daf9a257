"""The masked language model head: transformers' own logits, whatever encoder stands before it; who has none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForMaskedLM

from tests.support.architectures import tiny_model
from xlt_bench.backbones.architectures.encoders import ENCODERS
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.lm_head import check_lm_head
from xlt_bench.backbones.source import locate
from xlt_bench.errors import BackboneError
from xlt_bench.runs.counting import Counter

QUICK = ("albert", "bert", "xlm-roberta")
TYPES = [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in sorted({*ENCODERS, "xmod"})]
IDS = torch.tensor([[0, 7, 8, 9, 4, 2]])


@pytest.mark.parametrize("model_type", TYPES)
@torch.no_grad()
def test_logits_are_those_of_the_whole_model(model_type: str, tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / model_type, model_type)
    backbone, mask, module = Backbone(locate(str(folder))), torch.ones_like(IDS), torch.zeros(1, dtype=torch.int64)
    model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    languages = {"lang_ids": module} if model_type == "xmod" else {}
    expected = model(input_ids=IDS, attention_mask=mask, **languages).logits[0]
    states = backbone.architecture.states(backbone.encoder, mask, ids=IDS, modules=module)
    torch.testing.assert_close(backbone.lm_head(states[0]), expected, rtol=0, atol=1e-6)


def test_it_is_frozen_and_counts_as_no_pass() -> None:
    backbone = Backbone(locate("nano"))
    states = torch.randn(3, backbone.architecture.head_width, requires_grad=True)
    with Counter() as counter:
        backbone.lm_head(states).sum().backward()
    assert counter.efforts()[0].passes == 0
    assert states.grad is not None
    assert not any(parameter.requires_grad for parameter in backbone.lm_head.parameters())


@pytest.mark.parametrize(("model_type", "reason"), [("gpt2", "type 'gpt2' has none"), ("t5", "type 't5' has none")])
def test_a_type_without_masked_language_model_is_refused(model_type: str, reason: str, tmp_path: Path) -> None:
    source = locate(str(tiny_model(tmp_path / model_type, model_type)))
    with pytest.raises(BackboneError, match=reason):
        check_lm_head(source)


def test_files_that_lost_the_head_are_refused(tmp_path: Path) -> None:
    """As those of sentence encoders, such as e5, do."""
    folder = tiny_model(tmp_path / "model", "xlm-roberta")
    weights = {name: value for name, value in load_file(folder / "model.safetensors").items() if "lm_head" not in name}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(BackboneError, match=r"no masked language model head \(its files lack lm_head.*--backbone nano"):
        check_lm_head(locate(str(folder)))
    with pytest.raises(BackboneError, match="its files lack lm_head"):
        _ = Backbone(locate(str(folder))).lm_head


def test_names_of_the_first_berts_are_understood(tmp_path: Path) -> None:
    """`cls.predictions.transform.LayerNorm.gamma`, as in bert-base-multilingual-cased; decoder.weight is tied."""
    folder = tiny_model(tmp_path / "model", "bert")
    weights = load_file(folder / "model.safetensors")
    renamed = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
        for name, value in weights.items()
    }
    assert renamed.keys() != weights.keys()
    save_file(renamed, folder / "model.safetensors", {"format": "pt"})
    assert json.loads((folder / "config.json").read_text())["model_type"] == "bert"
    check_lm_head(locate(str(folder)))
