"""`xlt-bench pack`: what it says, and what it refuses."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.support.packed_stores import SEEDS, files, first, write_store
from xlt_bench.cli.main import main
from xlt_bench.records.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return write_store(tmp_path / "store")


def test_the_command(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.write(first(store), store.predictions(first(store)), lambda weights: (weights / "w").write_text("") and None)
    folder = str(store.folder)
    assert main(["pack", folder]) == 0
    output = capsys.readouterr()
    assert output.out == f"{SEEDS} Records packed, {SEEDS} now in {folder}/records.parquet\n"
    assert output.err.startswith("1 left in folders, such as ")
    assert output.err.endswith(": it has weights too\n")
    assert main(["pack", folder, "--undo"]) == 0
    assert capsys.readouterr().out == f"{SEEDS} Records of {folder} have folders again\n"
    assert main(["pack", folder, "--undo"]) == 0
    assert capsys.readouterr().out == f"nothing is packed in {folder}\n"
    other = store.folder.parent / "other"
    (other / "notes").mkdir(parents=True)
    for name in (f"{folder}/none", str(other)):  # a folder of folders is no store either, and stays as it is
        assert main(["pack", name]) == 2
        assert capsys.readouterr().err == f"error: {name} is no store: it holds no Records; make some: xlt-bench run\n"
    assert [path.name for path in other.iterdir()] == ["notes"]


def test_a_store_that_cannot_be_written_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))  # a test may run as root, whom no mode stops

    before = files(store)
    monkeypatch.setattr(Path, "mkdir", refused)
    assert main(["pack", str(store.folder)]) == 2
    assert "records.parquet cannot be written: Read-only file system" in capsys.readouterr().err
    assert files(store) == before
