"""A real Ray, found by itself on this machine, carries out a search as this process would."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.ray_cluster import Cluster
from tests.support.ray_commands import Commands, end, end_quietly, program
from tests.support.records import manifests

pytestmark = pytest.mark.ray

WORK = ("--task", "toy", "--backbone", "tiny", "--steps", "6")


@pytest.fixture
def automatic(folder: Path) -> tuple[str, ...]:
    """Options by which jobs go to the cluster that runs on this machine."""
    (folder / "ray.toml").write_text('address = "auto"\ncells_per_job = 2\n[resources]\ncurrent = 0.5\n')
    return ("--engine", "ray", "--profile", "ray.toml")


def test_a_search_comes_to_the_same(
    cluster: Cluster, folder: Path, automatic: tuple[str, ...], commands: Commands
) -> None:
    options = ("-m", "plugin.py:Plugin", "--sources", "eng_Latn", "--targets", "swh_Latn", "--seeds", "1")
    tune = program("tune", *options, *WORK, "--trials", "2")
    said = end_quietly(commands.start(folder, [*tune, *automatic], **cluster.environment))
    assert said.code == 0, said.err
    local = end(commands.start(folder, [*tune, "--store", "local"]))
    assert local.code == 0, local.err
    assert "Best on source dev: trial " in said.out
    for store in (".", ".trials"):
        assert manifests(folder / "xlt-results" / store) == manifests(folder / "local" / store)
