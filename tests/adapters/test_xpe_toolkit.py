"""Checkpoints of the XPE authors' toolkit: logits equal to a reference in plain torch and transformers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from safetensors.torch import load_file, save_file

from tests.support.checkpoints import WEIGHTS, Reference, config_of, reference, write_checkpoint, write_config
from tests.support.toy import LABELS, all_examples
from xlt_bench.adapters.folder import open_adapter
from xlt_bench.adapters.given_prompt import fitted_prompt
from xlt_bench.adapters.method import Scorer
from xlt_bench.adapters.saved_prompt import read_prompt
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.errors import ConfigError
from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.recipe import PRESETS

LIMIT = 1e-5
TEXTS = [example.text for example in all_examples()]


def scores(folder: Path, backbone: Backbone, columns: tuple[int, ...] = (0, 1, 2)) -> Scores:
    adapter = open_adapter(str(folder))
    context = Context(LABELS, 0, PRESETS["cldr"].recipe, load_backbone=lambda: backbone)
    fitted = fitted_prompt(read_prompt(adapter), context)
    return Scorer(adapter, fitted, columns, FitSummary()).predict(all_examples())


@pytest.mark.parametrize("style", ["XPE", "P_TUNING"])
@pytest.mark.parametrize("inner", ["", "default."])
@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.7, 1.0])
def test_logits_equal_the_reference(
    ratio: float, inner: str, style: str, tiny_backbone: Backbone, tmp_path: Path
) -> None:
    made = reference(tiny_backbone.source.folder, ratio)
    folder = write_checkpoint(made, tmp_path / "checkpoint", ratio, inner=inner, style=style)
    expected = made.logits(TEXTS)
    assert expected.std(0).min() > 100 * LIMIT, "the items must differ, or equality would tell nothing"
    assert_allclose(scores(folder, tiny_backbone), expected, rtol=0, atol=LIMIT)


def test_the_standard_part_comes_first(tiny_backbone: Backbone, tmp_path: Path) -> None:
    made = reference(tiny_backbone.source.folder, 0.5, vectors=4)
    saved = read_prompt(open_adapter(str(write_checkpoint(made, tmp_path, 0.5))))
    assert torch.equal(saved.prompt[:2], made.prompt.embedding.weight.data)
    assert_allclose(saved.prompt.numpy(), made.prompt().detach().numpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("ratio", "vectors", "encoded"), [(0.01, 20, 1), (0.99, 20, 19), (0.7, 20, 14), (0.3, 20, 6)])
def test_shares_are_cut_to_whole_vectors_with_one_of_each_kind(
    ratio: float, vectors: int, encoded: int, tiny_backbone: Backbone, tmp_path: Path
) -> None:
    made = reference(tiny_backbone.source.folder, ratio, vectors=vectors)
    saved = read_prompt(open_adapter(str(write_checkpoint(made, tmp_path, ratio))))
    assert (len(saved.standard), len(saved.pseudo)) == (vectors - encoded, encoded)


def test_encoders_of_another_depth_and_width(tiny_backbone: Backbone, tmp_path: Path) -> None:
    made = reference(tiny_backbone.source.folder, 1.0, hidden=8, layers=3)
    folder = write_checkpoint(made, tmp_path, 1.0, encoder_num_layers=3, encoder_hidden_size=8)
    assert_allclose(scores(folder, tiny_backbone), made.logits(TEXTS), rtol=0, atol=LIMIT)


def test_classes_are_put_in_the_order_of_the_task(tiny_backbone: Backbone, tmp_path: Path) -> None:
    made = reference(tiny_backbone.source.folder, 1.0)
    folder = write_checkpoint(made, tmp_path, 1.0)
    assert_allclose(scores(folder, tiny_backbone, (2, 0, 1)), made.logits(TEXTS)[:, [2, 0, 1]], rtol=0, atol=LIMIT)


def test_half_precision_is_read_as_float32(tiny_backbone: Backbone, tmp_path: Path) -> None:
    made = reference(tiny_backbone.source.folder, 1.0)
    for parameter in (*made.prompt.parameters(), *made.model.classifier.parameters()):
        parameter.data = parameter.data.half().float()
    folder = write_checkpoint(made, tmp_path, 1.0)
    save_file({name: tensor.half() for name, tensor in load_file(folder / WEIGHTS).items()}, folder / WEIGHTS)
    found = scores(folder, tiny_backbone)
    assert found.dtype == np.float32
    assert_allclose(found, made.logits(TEXTS), rtol=0, atol=LIMIT)


@pytest.fixture
def broken(tiny_backbone_folder: Path, tmp_path: Path) -> tuple[Reference, Path]:
    made = reference(tiny_backbone_folder, 0.6)
    return made, write_checkpoint(made, tmp_path, 0.6)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"encoder_ratio": 1.5}, "a share lies in [0, 1]"),
        ({"encoder_ratio": "much"}, "encoder_ratio in its adapter_config.json is 'much', no number"),
        ({"encoder_ratio": 1.0}, "should have 5 vectors in prompt_encoder.xpe_embedding.weight"),
        ({"num_virtual_tokens": 20}, "should have 8 vectors in prompt_encoder.embedding.weight"),
        ({"encoder_num_layers": 3}, "prompt_encoder.xpe_head.9.weight is missing"),
        ({"encoder_num_layers": 1}, "prompt_encoder.xpe_head.6.bias is none of them"),
        ({"encoder_reparameterization_type": "LSTM"}, "only MLP encoders can be read"),
    ],
)
def test_a_config_that_does_not_fit_the_tensors_is_told(
    change: dict[str, object], told: str, broken: tuple[Reference, Path]
) -> None:
    _, folder = broken
    write_config(folder, {**config_of(folder), **change})
    with pytest.raises(ConfigError, match=re.escape(told)):
        read_prompt(open_adapter(str(folder)))


@pytest.mark.parametrize(
    ("name", "shape", "told"),
    [
        ("prompt_encoder.xpe_head.3.weight", (16, 9), "an encoder layer of shape (16, 9) cannot take 16 inputs"),
        ("prompt_encoder.xpe_head.6.weight", None, "prompt_encoder.xpe_head.6.weight is missing"),
        ("prompt_encoder.embedding.weight", (2, 8), "its encoder gives 32 numbers a vector"),
        ("base_model.classifier.dense.weight", (8, 8), "a prompt 32 wide needs (32, 32)"),
        ("base_model.classifier.out_proj.weight", None, "no whole classification head"),
    ],
)
def test_tensors_that_do_not_fit_together_are_told(
    name: str, shape: tuple[int, ...] | None, told: str, broken: tuple[Reference, Path]
) -> None:
    _, folder = broken
    tensors = load_file(folder / WEIGHTS)
    del tensors[name]
    save_file(tensors if shape is None else {**tensors, name: torch.zeros(shape)}, folder / WEIGHTS)
    with pytest.raises(ConfigError, match=re.escape(told)):
        read_prompt(open_adapter(str(folder)))


def test_numbers_that_are_not_finite_are_told(broken: tuple[Reference, Path]) -> None:
    _, folder = broken
    tensors = load_file(folder / WEIGHTS)
    tensors["base_model.classifier.dense.bias"][0] = float("nan")
    save_file(tensors, folder / WEIGHTS)
    with pytest.raises(ConfigError, match="not finite"):
        read_prompt(open_adapter(str(folder)))
