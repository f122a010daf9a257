"""Temporary folders go with their process: at its end, or, where it was killed, when another makes its own."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import process_environment
from xlt_bench.io.process_folders import process_folder

PREFIX = "xlt-test-"
HOLD = f"""
from pathlib import Path
from xlt_bench.io.process_folders import process_folder
with process_folder({PREFIX!r}) as folder:
    Path(folder, "plan.json").write_text("plan")
    print(folder, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def owner(temporary: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a folder until it is killed or gets a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=process_environment(TMPDIR=str(temporary)),
    )
    with process:
        yield process
        process.kill()


def folder_of(owner: subprocess.Popen[str]) -> Path:
    assert owner.stdout is not None
    return Path(owner.stdout.readline().strip())


def test_a_folder_is_this_users_and_goes_with_its_block(temporary: Path) -> None:
    with process_folder(PREFIX) as folder:
        assert folder.parent == temporary
        assert folder.name.startswith(PREFIX)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "inner").mkdir()
    assert not list(temporary.iterdir())


def test_the_folder_of_a_killed_process_is_removed_by_the_next(owner: subprocess.Popen[str], temporary: Path) -> None:
    abandoned = folder_of(owner)
    with process_folder(PREFIX):
        assert (abandoned / "plan.json").exists(), "its owner lives"
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    with process_folder("xlt-another-"):
        assert abandoned.exists(), "it is of another kind"
    with process_folder(PREFIX) as folder:
        assert list(temporary.iterdir()) == [folder]


def test_what_is_no_folder_of_ours_is_left_alone(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders without a lock, with a lock that leads elsewhere, a lock that is none, and other users' folders."""
    outside = temporary / "outside"
    outside.write_text("")
    for name in ("none", "link", "pipe", "foreign"):
        (temporary / f"{PREFIX}{name}").mkdir()
    (temporary / f"{PREFIX}link" / "owner.lock").symlink_to(outside)
    os.mkfifo(temporary / f"{PREFIX}pipe" / "owner.lock")
    (temporary / f"{PREFIX}foreign" / "owner.lock").write_text("")
    before = sorted(temporary.iterdir())
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    with process_folder(PREFIX):
        pass
    assert sorted(temporary.iterdir()) == before
