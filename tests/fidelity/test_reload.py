"""Every shipped method, saved and loaded in a fresh process, predicts the same bit for bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support import SUPPORT
from tests.support.commands import process_environment
from tests.support.fits import DEV, TEST, TRAIN, context, short
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.method import Fitted, Prompting, Scores
from xlt_bench.plugins.methods import configure
from xlt_bench.plugins.registry import METHODS, entries


def fitted_on_labels_alone(name: str) -> bool:
    method = configure(name, {}).method
    fills_mask = getattr(method, "fills_mask", False)  # the tiny backbone's letters cannot tell all classes apart
    return not getattr(method, "needs", ()) and not isinstance(method, Prompting) and not fills_mask


SHIPPED = [
    entry.name
    for entry in entries(METHODS)
    if entry.value.startswith("xlt_bench.methods.") and fitted_on_labels_alone(entry.name)
]
"""The conformance kit tries the others, with the texts or the language model that they need."""


def fit(name: str, backbone: Backbone) -> Fitted:
    configured = configure(name, {})
    recipe = short("paper", configured.name, steps=6, evaluate_every=2)
    fast = recipe.with_rates(**dict.fromkeys(recipe.rates, 0.01))
    return configured.method.fit(TRAIN, DEV, context(backbone, fast))


@pytest.fixture(scope="module")
def scores(
    tiny_backbone_with_dropout_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Scores, Scores]]:
    """By method: what the fitted object predicts, and what a fresh process predicts from its folder."""
    saved = tmp_path_factory.mktemp("saved")
    backbone = Backbone(locate(str(tiny_backbone_with_dropout_folder)))
    here = {}
    for name in SHIPPED:
        fitted = fit(name, backbone)
        fitted.save(saved / name)
        here[name] = fitted.predict(TEST.examples)
    arguments = [str(tiny_backbone_with_dropout_folder), str(saved), str(torch.get_num_threads())]
    subprocess.run(
        [sys.executable, str(SUPPORT / "reload_process.py"), *arguments], env=process_environment(), check=True
    )
    return {name: (here[name], np.load(saved / name / "scores.npy")) for name in SHIPPED}


def test_the_shipped_methods_are_known() -> None:
    assert {"spt", "xpe", "dual", "full-finetuning", "head-only", "ngram-mlp", "majority"} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_reloaded_predictions_are_bit_identical(name: str, scores: dict[str, tuple[Scores, Scores]]) -> None:
    here, there = scores[name]
    assert here.dtype == there.dtype == np.float32
    assert here.shape == (len(TEST), 7)
    assert here.tobytes() == there.tobytes()
    assert name == "majority" or np.unique(here, axis=0).shape[0] > len(TEST) // 2, "rows must differ"


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_is_pickled(name: str, tiny_backbone: Backbone, tmp_path: Path) -> None:
    fit(name, tiny_backbone).save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".safetensors", ".json"}
