"""A working folder, commands in it, and a cluster that all these tests share."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.ray_cluster import Cluster, missing
from tests.support.ray_commands import HASTE, Commands, write_work
from xlt_bench import __version__


@pytest.fixture(autouse=True, scope="session")
def installed() -> None:
    reason = missing()
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture
def temporary() -> Iterator[Path]:
    """For what commands write outside the working folder; of a short name, since sockets lie in it."""
    folder = Path(tempfile.mkdtemp(prefix="xlt-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def folder(tmp_path: Path, tiny_backbone_folder: Path) -> Path:
    """A working folder with a task, a backbone and a plug-in."""
    write_work(tmp_path, tiny_backbone_folder)
    return tmp_path


@pytest.fixture
def commands() -> Iterator[Commands]:
    commands = Commands(HASTE)
    yield commands
    commands.kill()


@pytest.fixture(scope="session")
def cluster(installed: None) -> Iterator[Cluster]:
    """One node, which is as here but for a folder that it does not see."""
    cluster = Cluster(HASTE)
    try:
        cluster.start_head({"current": 1})
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def old_node(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A further node of the cluster, with another version of the project."""
    cluster.start_node({"old": 1}, {"PYTHONPATH": str(_old(tmp_path_factory.mktemp("old")))})


@pytest.fixture
def profile(folder: Path, cluster: Cluster) -> Path:
    """Of jobs on the node of the shared cluster that is as here."""
    path = folder / "ray.toml"
    path.write_text(f'address = "{cluster.address}"\n[resources]\ncurrent = 0.5\n')
    return path


def _old(folder: Path) -> Path:
    """A folder for PYTHONPATH with this program as another version."""
    package = folder / "xlt_bench"
    package.mkdir(parents=True)
    for path in [*(ROOT / "xlt_bench").iterdir(), ROOT / "methods", ROOT / "baselines", ROOT / "leaderboard"]:
        (package / path.name).symlink_to(path)
    (package / "__init__.py").unlink()
    text = (ROOT / "xlt_bench" / "__init__.py").read_text()
    (package / "__init__.py").write_text(text.replace(__version__, "0.0.9"))
    return folder
