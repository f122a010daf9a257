"""Fixtures of the fidelity tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import open_backbone

from xlt_bench.training.backbone import Backbone


@pytest.fixture(scope="session")
def backbone(tiny_backbone_folder: Path) -> Backbone:
    """One tiny backbone without dropout for all tests, as the runner shares one among all cells."""
    return open_backbone(tiny_backbone_folder)


@pytest.fixture
def dropout_backbone(tiny_backbone_with_dropout_folder: Path) -> Backbone:
    """A tiny backbone with dropout 0.1, as XLM-R has it."""
    return open_backbone(tiny_backbone_with_dropout_folder)
