"""Commands on a real Ray that is looked up on this machine: what they make is what this process would."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Command
from tests.support.ray_cluster import Cluster
from tests.support.ray_commands import Commands, end, end_quietly, steps_by_worker
from tests.support.ray_commands import program as command_line
from tests.support.records import manifests

pytestmark = pytest.mark.ray

STUDY = """
title = "Two configurations"
question = "Do their runs come back?"
[[grid]]
methods = ["plugin.py:Plugin", "majority"]
sources = ["eng_Latn"]
targets = "swh_Latn,kat_Geor"
seeds = 2
[report]
form = "board"
"""
STEPS = 6
WORK = ("--task", "toy", "--backbone", "tiny", "--steps", str(STEPS))


@pytest.fixture
def ray_options(folder: Path) -> tuple[str, ...]:
    """By which jobs go to the cluster that runs on this machine."""
    (folder / "ray.toml").write_text('address = "auto"\ncells_per_job = 2\n[resources]\ncurrent = 0.5\n')
    return ("--engine", "ray", "--profile", "ray.toml")


def test_a_study_comes_back_whole_and_is_not_submitted_again(
    cluster: Cluster, folder: Path, ray_options: tuple[str, ...], commands: Commands, program: Command
) -> None:
    (folder / "study.toml").write_text(STUDY)
    study = ("study", "run", "study.toml", *WORK)
    first = end_quietly(commands.start(folder, command_line(*study, *ray_options), **cluster.environment))
    assert first.code == 0, first.err
    assert "study study: 4 done" in first.out
    assert list(steps_by_worker(folder).values()) == [2 * STEPS], "both seeds are one job"

    # without the cluster's environment nobody in this process could submit anything
    second = program(*study, *ray_options)
    assert (second.code, second.out, second.err) == (0, "study study: 4 done\n", "")

    local = program(*study, "--store", "local", "--threads", "1")
    assert local.code == 0, local.err
    assert manifests(folder / "xlt-results") == manifests(folder / "local")


def test_a_search_comes_to_the_same(
    cluster: Cluster, folder: Path, ray_options: tuple[str, ...], commands: Commands
) -> None:
    options = ("-m", "plugin.py:Plugin", "--sources", "eng_Latn", "--targets", "swh_Latn", "--seeds", "1")
    tune = command_line("tune", *options, *WORK, "--trials", "2")
    search = end_quietly(commands.start(folder, [*tune, *ray_options], **cluster.environment))
    assert search.code == 0, search.err
    assert "Best on source dev: trial " in search.out
    local = end(commands.start(folder, [*tune, "--store", "local"]))
    assert local.code == 0, local.err
    for store in (".", ".trials"):
        assert manifests(folder / "xlt-results" / store) == manifests(folder / "local" / store)
