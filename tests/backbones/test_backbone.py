"""A backbone is loaded whole or refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.errors import BackboneError


@pytest.fixture
def folder(tiny_backbone_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_backbone_folder, tmp_path / "copy"))


def test_more_layers_in_the_config_than_in_the_file_are_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 6}))
    with pytest.raises(BackboneError, match=r"do not fill the architecture .* missing or of another shape"):
        Backbone(locate(str(folder))).fresh_encoder()


def test_weights_under_other_names_are_refused(folder: Path) -> None:
    weights = {f"other.{name}": value for name, value in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BackboneError, match="do not fill"):
        Backbone(locate(str(folder))).fresh_encoder()


def test_nano_loads_whole_in_float32_and_frozen() -> None:
    encoder = Backbone(locate("nano")).encoder
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
