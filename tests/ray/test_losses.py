"""A real Ray whose command, or whose head, is killed: workers write checkpoints and leave, and the same goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Output
from tests.support.ray_cluster import Cluster, wait_for
from tests.support.ray_commands import (
    HASTE,
    STEPS,
    Commands,
    checkpoints,
    end,
    end_quietly,
    run,
    running_in,
    slow_fit,
    steps_by_worker,
)
from tests.support.records import manifests

pytestmark = pytest.mark.ray


def went_on(folder: Path, said: Output) -> None:
    """The same command ended well, and made no step again that was made before."""
    assert said.code == 0, said.err
    assert re.search(rf"seed \d goes on from its checkpoint at step \d+ of {STEPS}", said.err), said.err
    assert sum(steps_by_worker(folder).values()) == 2 * STEPS
    assert not checkpoints(folder)


@pytest.fixture
def short_lived(installed: None) -> Iterator[Cluster]:
    """A head, and a node that takes jobs; whoever lost the head gives up after seconds."""
    cluster = Cluster({**HASTE, "RAY_gcs_rpc_server_reconnect_timeout_s": "5"})
    try:
        cluster.start_head({})
        cluster.start_node({"current": 1}, {})
        yield cluster
    finally:
        cluster.stop()


def test_a_killed_command_leaves_checkpoints_and_the_same_goes_on(
    cluster: Cluster, folder: Path, profile: Path, commands: Commands
) -> None:
    (folder / "hold").touch()
    same = run("--engine", "ray", "--profile", str(profile))
    process = commands.start(folder, same, **cluster.environment)
    slow_fit(folder, process)
    process.kill()
    wait_for(lambda: not running_in(folder), "the end of its jobs")
    assert checkpoints(folder)
    (folder / "held").unlink()
    went_on(folder, end_quietly(commands.start(folder, same, **cluster.environment)))


def test_a_local_cluster_ends_with_its_killed_command_and_the_same_goes_on(
    folder: Path, temporary: Path, commands: Commands
) -> None:
    """Nothing is left running, and what the cluster left in the temporary folder goes with the next one."""
    (folder / "hold").touch()
    same = run("--engine", "ray")
    process = commands.start(folder, same, TMPDIR=str(temporary))
    slow_fit(folder, process)
    process.kill()
    wait_for(lambda: not running_in(folder, temporary), "the end of the cluster and its jobs")
    assert checkpoints(folder)
    leftovers = list(temporary.glob("xlt-*"))
    assert leftovers
    (folder / "held").unlink()
    went_on(folder, end_quietly(commands.start(folder, same, TMPDIR=str(temporary))))
    assert not [path for path in leftovers if path.exists()]
    assert len(manifests(folder / "xlt-results")) == 2


def test_where_the_head_goes_away_all_leave_and_the_fits_go_on_elsewhere(
    short_lived: Cluster, folder: Path, commands: Commands
) -> None:
    (folder / "hold").touch()
    (folder / "ray.toml").write_text(f'address = "{short_lived.address}"\n[resources]\ncurrent = 0.5\n')
    process = commands.start(folder, run("--engine", "ray", "--profile", "ray.toml"), **short_lived.environment)
    slow_fit(folder, process)
    short_lived.stop_head()
    assert end(process).code > 0
    wait_for(lambda: not running_in(folder), "the end of its jobs")
    assert checkpoints(folder)
    (folder / "held").unlink()
    went_on(folder, end(commands.start(folder, run("--threads", "1"))))
