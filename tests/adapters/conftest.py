"""The toy task in place of a real one, the command line in this process, and trained prompts in a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.adapters_toy import Command, Said, toy_info
from xlt_bench.records.store import Store


@pytest.fixture(autouse=True)
def _toy_is_a_task(monkeypatch: pytest.MonkeyPatch, tiny_backbone_folder: Path, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with_toy(monkeypatch, tiny_backbone_folder)


def with_toy(patch: pytest.MonkeyPatch, backbone: Path) -> None:
    """Let `--task toy` name the toy task; other names are left as they are."""
    from xlt_bench import tasks
    from xlt_bench.runs import loader

    known = tasks.task_info

    def info(name: str) -> object:
        return toy_info(str(backbone)) if name == "toy" else known(name)

    patch.setattr(loader, "task_info", info)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """`xlt-bench` in this process."""
    from xlt_bench.cli.main import main

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_backbone_folder: Path) -> Store:
    """A store with a few methods, two seeds of spt, trained for some steps with their weights kept."""
    from xlt_bench.api import run

    folder = tmp_path_factory.mktemp("trained") / "store"
    with pytest.MonkeyPatch.context() as patch:
        with_toy(patch, tiny_backbone_folder)
        for method in ("spt", "xpe", "dual", "head-only", "majority", "full-finetuning"):
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
    return {one.cell.method: one.cell.fingerprint for one in trained.records()[0] if one.cell.seed == 0}
