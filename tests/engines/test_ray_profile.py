"""What jobs ask a Ray cluster for, as TOML, `--job` and RAY_ADDRESS say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlt_bench.engines.ray.profile import RayProfile, read_ray_profile
from xlt_bench.errors import ConfigError


def test_a_file_says_what_jobs_ask_for_and_options_go_before_it(tmp_path: Path) -> None:
    path = tmp_path / "ray.toml"
    path.write_text('address = "10.0.0.5:6379"\ncpus = 4\ngpus = 0.5\nretries = 0\n[resources]\n"large-memory" = 0.1\n')
    profile = read_ray_profile(path, ["cpus=2", "retries=5", "cells_per_job=3"], {"RAY_ADDRESS": "auto"})
    assert profile == RayProfile("10.0.0.5:6379", 2.0, 0.5, 5, 3, {"large-memory": 0.1})
    assert profile.demand == {"CPU": 2.0, "GPU": 0.5, "large-memory": 0.1}
    assert profile.threads == 2


def test_without_an_address_the_environment_has_one_or_a_cluster_is_started_here() -> None:
    assert read_ray_profile(None, [], {"RAY_ADDRESS": "head:6379"}).address == "head:6379"
    assert read_ray_profile(None, [], {}).address == "local"
    assert read_ray_profile(None, ["address=local"], {"RAY_ADDRESS": "head:6379"}).address == "local"


def test_jobs_ask_for_one_core_and_no_gpu_unless_something_else_is_said() -> None:
    assert read_ray_profile(None, [], {}).demand == {"CPU": 1.0}
    assert read_ray_profile(None, ["cpus=0.5"], {}).threads == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["adress=auto"], "--job no key 'adress'; did you mean 'address'?"),
        (["address=10.0.0.5"], "--job address takes HOST:PORT such as 10.0.0.5:6379, auto or local, not '10.0.0.5'"),
        (["address=ray://head:10001"], "'ray://head:10001' is of Ray's client; start the command on a machine of the"),
        (["cpus=0"], "--job cpus takes whole cores, or a share of one such as 0.5, not '0'"),
        (["cpus=1.5"], "--job cpus takes whole cores"),
        (["cpus=nan"], "--job cpus takes whole cores"),
        (["cpus=all"], "--job cpus takes whole cores"),
        (["gpus=2"], "--job gpus=2: a job uses one GPU; ask for 1, or for a share such as 0.5"),
        (["gpus=-1"], "--job gpus takes 0, 1, or a share of a GPU such as 0.5, not '-1'"),
        (["retries=-1"], "--job retries must be a whole number of at least 0"),
        (["cells_per_job=0"], "--job cells_per_job must be a whole number of at least 1"),
        (["resources=x"], "--job resources takes a table"),
        (["cpus"], "--job takes name=value, not 'cpus'; for example --job cpus=2"),
    ],
)
def test_what_cannot_be_is_refused(settings: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_ray_profile(None, settings, {})
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("CPU = 2", "resources: CPU is not said there; use cpus"),
        ("GPU = 1", "resources: GPU is not said there; use gpus"),
        ("disk = 1.5", "resources: 'disk' takes a whole number or a share of 1, not 1.5"),
        ("disk = 'x'", "resources: 'disk' takes a whole number or a share of 1, not 'x'"),
    ],
)
def test_resources_that_cannot_be_are_refused(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "ray.toml"
    path.write_text(f"[resources]\n{line}\n")
    with pytest.raises(ConfigError) as error:
        read_ray_profile(path, [], {})
    assert message in str(error.value)


def test_an_address_of_the_environment_that_cannot_be_is_called_so() -> None:
    with pytest.raises(ConfigError, match="RAY_ADDRESS takes HOST:PORT"):
        read_ray_profile(None, [], {"RAY_ADDRESS": "http://head:8265"})
