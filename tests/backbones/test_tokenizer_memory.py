"""A large tokenizer is in memory while texts are tokenised, and not while a fit trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import open_backbone
from tests.support.fits import DEV, TEST, TRAIN, cldr_context
from xlt_bench.backbones import source
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.methods.spt import SPT
from xlt_bench.training import soft_prompt


def in_memory(backbone: Backbone) -> bool:
    return "tokenizer" in vars(backbone.source)


def test_it_is_absent_while_a_fit_trains_and_scores_stay_as_they_are(
    tiny_backbone_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, frugal = open_backbone(tiny_backbone_folder), open_backbone(tiny_backbone_folder)
    expected = SPT().fit(TRAIN, DEV, cldr_context(usual)).predict(TEST.examples)
    assert in_memory(usual), "a small one stays"

    monkeypatch.setattr(source, "_LARGE_VOCABULARY", 10)
    while_training: list[bool] = []
    train = soft_prompt.train

    def watched(*arguments: object) -> None:
        while_training.append(in_memory(frugal))
        train(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(soft_prompt, "train", watched)
    scores = SPT().fit(TRAIN, DEV, cldr_context(frugal)).predict(TEST.examples)
    assert while_training == [False]
    np.testing.assert_array_equal(scores, expected)


def test_texts_that_were_tokenised_before_need_none(
    tiny_backbone_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_LARGE_VOCABULARY", 10)
    backbone = open_backbone(tiny_backbone_folder)
    texts = [("river", None), ("lake", None)]
    first = backbone.tokenise(texts, 16)
    backbone.source.release_tokenizer()
    assert backbone.tokenise(texts, 16) is first
    assert not in_memory(backbone)
    assert [*map(len, backbone.tokenise([("sea", None)], 16).ids)] == [*map(len, usual_ids(tiny_backbone_folder))]
    assert in_memory(backbone)


def usual_ids(folder: Path) -> tuple[np.ndarray, ...]:  # type: ignore[type-arg]
    return open_backbone(folder).tokenise([("sea", None)], 16).ids
