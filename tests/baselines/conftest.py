"""The raw results of others, where they are at hand; tests that need them are skipped visibly elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of raw results: XLT_SHARED_DIR, or shared/data beside the repository."""
    folder = Path(os.environ.get("XLT_SHARED_DIR", BESIDE))
    if not (folder / "llm-outputs").is_dir():
        pytest.skip("no raw results: set XLT_SHARED_DIR to their folder")
    return folder
