"""The toy task as an installed one, and trained prompts in a store."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from xlt_bench.records.store import Store


@pytest.fixture(autouse=True)
def _toy_is_installed(toy_installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, toy_package: Path) -> Store:
    """A store with a few methods, two seeds of spt, trained for some steps with their weights kept."""
    from xlt_bench.api import run

    folder = tmp_path_factory.mktemp("trained") / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(toy_package), *sys.path])
        for method in ("spt", "xpe", "dual", "head-only", "majority", "full-finetuning", "spt-verbaliser"):
            seeds = 2 if method == "spt" else 1
            settings = {} if method in ("head-only", "majority", "full-finetuning") else {"n_tokens": 5}
            run(
                method, "joshi5", task="toy", seeds=seeds, steps=6, settings=settings, device="cpu",
                store=folder, save_weights=True,
            )  # fmt: skip
    return Store(folder)


@pytest.fixture(scope="session")
def fingerprints(trained: Store) -> dict[str, str]:
    """Method -> the Record of its seed 0."""
    return {record.cell.method: record.cell.fingerprint for record in trained.records()[0] if record.cell.seed == 0}
