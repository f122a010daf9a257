"""The read-out and the text prefix of a run: the default of an architecture, choices, and that they are identity."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import xlt_bench
from tests.support.architectures import tiny_model
from xlt_bench import recipe
from xlt_bench.backbones.read_out import read
from xlt_bench.errors import ConfigError
from xlt_bench.recipe import PRESETS, Preset
from xlt_bench.records.record import Record


def ran(backbone: Path, store: Path, **options: Any) -> Record:
    (record,) = xlt_bench.run(
        "spt", "eng_Latn", targets="deu_Latn", seeds=[0], steps=2, backbone=str(backbone), store=store, **options
    )
    assert record.error is None
    assert record.cell.recipe is not None
    return record


def test_a_decoder_is_read_at_its_last_token_and_choices_are_other_runs(tmp_path: Path) -> None:
    backbone = tiny_model(tmp_path / "llama", "llama")
    usual = ran(backbone, tmp_path / "store")
    assert (usual.cell.recipe or {})["read_out"] == "last"
    mean = ran(backbone, tmp_path / "store", read_out="mean", text_prefix="query: ")
    assert (mean.cell.recipe or {})["read_out"] == "mean"
    assert (mean.cell.recipe or {})["text_prefix"] == "query: "
    assert mean.cell.fingerprint != usual.cell.fingerprint
    with pytest.raises(ConfigError, match="--read-out takes last or mean for a backbone of type 'llama', not 'first'"):
        ran(backbone, tmp_path / "store", read_out="first")


@pytest.mark.parametrize("side", ["right", "left"])
def test_read_outs_of_a_text_behind_a_prompt(side: str) -> None:
    states = torch.arange(10.0).reshape(1, 5, 2)  # two vectors of a prompt, then three positions of a text
    mask = torch.tensor([[1, 1, 0]] if side == "right" else [[0, 1, 1]])
    last = 3 if side == "right" else 4
    assert read(states, mask, "first").tolist() == [states[0, 0].tolist()]
    assert read(states, mask, "last").tolist() == [states[0, last].tolist()]
    assert read(states, mask, "mean").tolist() == [states[0, last - 1 : last + 1].mean(0).tolist()]


def test_a_preset_brings_its_read_out_and_prefix_unless_a_run_says_otherwise(
    tiny_backbone_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mean = replace(PRESETS["cldr"].recipe, read_out="mean", text_prefix="query: ")
    monkeypatch.setattr(recipe, "PRESETS", {"cldr": Preset("cldr", "changed", mean)})
    store = tmp_path / "store"
    preset = ran(tiny_backbone_folder, store).cell.recipe or {}
    assert (preset["read_out"], preset["text_prefix"]) == ("mean", "query: ")
    other = ran(tiny_backbone_folder, store, read_out="first", text_prefix="").cell.recipe or {}
    assert (other["read_out"], other["text_prefix"]) == ("first", "")
