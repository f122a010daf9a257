"""Shared fixtures: a tiny backbone with random weights; the command line, with the toy task in place of a real one."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT
from tests.support.commands import Command, Output
from tests.support.plugins import GOOD, write_plugin
from tests.support.toy import write_package
from xlt_bench.conformance.tiny_backbone import save_backbone
from xlt_bench.io.processor import share_cores

if TYPE_CHECKING:  # torch and transformers are imported by the tests that use a backbone only
    from xlt_bench.backbones.backbone import Backbone
    from xlt_bench.conformance import FreshProcess

share_cores()  # before torch: beside other processes, spinning threads make tests twenty times slower


@pytest.fixture(scope="session", autouse=True)
def separate_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Token files of the tests lie in a folder of theirs, not in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def tiny_backbone_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backbone folder as `save_pretrained` writes it: 2 layers, d = 32, no dropout."""
    folder = tmp_path_factory.mktemp("tiny")
    save_backbone(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_backbone_with_dropout_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same architecture with XLM-R's own dropout of 0.1."""
    folder = tmp_path_factory.mktemp("tiny-dropout")
    save_backbone(folder, dropout=0.1)
    return folder


@pytest.fixture(scope="session")
def tiny_backbone(tiny_backbone_folder: Path) -> Backbone:
    """One tiny backbone without dropout for all tests, as the runner shares one among all cells."""
    return open_backbone(tiny_backbone_folder)


@pytest.fixture
def tiny_backbone_with_dropout(tiny_backbone_with_dropout_folder: Path) -> Backbone:
    """A tiny backbone with dropout, as XLM-R has it."""
    return open_backbone(tiny_backbone_with_dropout_folder)


def open_backbone(folder: Path) -> Backbone:
    """A backbone of its own, from a folder."""
    from xlt_bench.backbones.backbone import Backbone
    from xlt_bench.backbones.source import locate

    return Backbone(locate(str(folder)))


@pytest.fixture(scope="session")
def toy_package(tmp_path_factory: pytest.TempPathFactory, tiny_backbone_folder: Path) -> Path:
    """A folder for the module search path, with a package that offers task `toy`; its backbone is the tiny one."""
    return write_package(tmp_path_factory.mktemp("packages") / "site", str(tiny_backbone_folder))


@pytest.fixture
def toy_installed(monkeypatch: pytest.MonkeyPatch, toy_package: Path, tmp_path: Path) -> None:
    """`--task toy` names the toy task, here and in processes started from here; the folder is empty."""
    monkeypatch.syspath_prepend(toy_package)
    monkeypatch.setenv("PYTHONPATH", str(toy_package))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """`xlt-bench` in this process, in an empty folder, on a terminal of 100 columns."""
    from xlt_bench.cli.main import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def call(*arguments: object) -> Output:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Output(code, captured.out, captured.err)

    return call


@pytest.fixture
def command(program: Command, toy_installed: None) -> Command:
    """`xlt-bench` in this process, in an empty folder, with the toy task."""
    return program


@pytest.fixture
def run(command: Command) -> Command:
    """`xlt-bench run` on the toy task, a few steps on the CPU."""

    def call(*arguments: object) -> Output:
        return command("run", "--task", "toy", "--sources", "joshi5", "--device", "cpu", *arguments)

    return call


@pytest.fixture
def plugin(tmp_path: Path) -> str:
    """A method in a file that predicts class 1 with even seeds and class 0 with odd ones."""
    return write_plugin(tmp_path, GOOD)


@pytest.fixture(scope="session")
def fresh() -> Iterator[FreshProcess]:
    """One server of fresh processes. Also freezes what is alive already, which makes counting live objects quick."""
    from xlt_bench.conformance import FreshProcess

    server = FreshProcess()
    server.start()
    gc.collect()
    gc.freeze()
    yield server
    gc.unfreeze()
    server.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of others' raw results: XLT_SHARED_DIR, or shared/data beside the repository; skipped without it."""
    folder = Path(os.environ.get("XLT_SHARED_DIR", ROOT.parent / "shared" / "data"))
    if not (folder / "llm-outputs").is_dir():
        pytest.skip("no raw results: set XLT_SHARED_DIR to their folder")
    return folder
