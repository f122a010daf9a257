"""A data set of the hub from end to end, against a stand-in over HTTP: fetched once, then read without the hub."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.hub_server import hub_server
from tests.tasks.test_shipped_descriptions import nusax
from xlt_bench.tasks import task_info

REVISION = "7b2ff4facde8a6473f667a38edef1d03ce9ca0dc"
LOAD = "from xlt_bench.tasks import task_info; print(task_info('nusax').load(None).fingerprint)"


def test_a_data_set_is_fetched_at_its_commit_and_read_offline_afterwards(tmp_path: Path) -> None:
    nusax(tmp_path / "repository")
    (tmp_path / "repository" / "nusax.py").write_text("raise SystemExit('this ran')\n")
    expected = task_info("nusax").load(tmp_path / "repository").fingerprint
    with hub_server(tmp_path / "repository", "mteb/NusaX-senti", REVISION) as server:
        assert load(server.address, tmp_path / "home") == expected
        assert not [path for path in server.asked if path.endswith(".py")]
        assert {path.split("/")[5] for path in server.asked if "/resolve/" in path} == {REVISION}
    assert load(server.address, tmp_path / "home") == expected  # the hub is gone, the cache is not


def load(address: str, home: Path) -> str:
    """The task's fingerprint, in a process of its own: the hub's client reads its settings when it is imported."""
    settings = {
        "HF_ENDPOINT": address,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    command = [sys.executable, "-c", LOAD]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
