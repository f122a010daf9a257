"""A RayProfile: which cluster, and what a job asks of it. Its fields declare the keys of a TOML file and of `--job`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xlt_bench.engines.profiles import read_number, read_profile_as, whole
from xlt_bench.errors import ConfigError
from xlt_bench.io.texts import shown
from xlt_bench.runs.option import option, read_count

_ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[\w.-]+):(?P<port>\d{1,5})")
_LEAST_SHARE = 0.0001
"""Ray counts in ten-thousandths."""
_STANDARD_RESOURCES = {"CPU": "cpus", "GPU": "gpus"}


def _read_address(value: object, name: str) -> str:
    """`local`, `auto`, or host:port."""
    if isinstance(value, str) and value.startswith("ray://"):
        raise ConfigError(
            f"{name}: {shown(value)} is of Ray's client; start the command on a machine of the cluster, and give "
            "auto, or the address that `ray start` printed, such as 10.0.0.5:6379"
        )
    if not isinstance(value, str) or not (value in ("local", "auto") or _ADDRESS.fullmatch(value)):
        raise ConfigError(f"{name} takes HOST:PORT such as 10.0.0.5:6379, auto or local, not {shown(value)}")
    return value


def _number(value: object) -> float | None:
    """A finite number, also as the text that `--job` has; None: it is none."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _read_cpus(value: object, name: str) -> float:
    """A share of a core, or whole cores."""
    number = _number(value)
    if number is None or number < _LEAST_SHARE or (number > 1 and number != int(number)):
        raise ConfigError(f"{name} takes whole cores, or a share of one such as 0.5, not {shown(value)}")
    return number


def _read_gpus(value: object, name: str) -> float:
    """None, a share of a GPU, or one."""
    number = _number(value)
    if number is not None and number > 1:
        raise ConfigError(f"{name}={number:g}: a job uses one GPU; ask for 1, or for a share such as 0.5")
    if number is None or 0 < number < _LEAST_SHARE or number < 0:
        raise ConfigError(f"{name} takes 0, 1, or a share of a GPU such as 0.5, not {shown(value)}")
    return number


def _read_retries(value: object, name: str) -> int:
    retries: int = read_count(0)(whole(value), name)
    return retries


def _read_resources(value: object, name: str) -> Mapping[str, float]:
    """Resources that nodes declare beside CPUs and GPUs."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{name} takes a table of a cluster's own resources, such as [resources] with large = 1")
    amounts = {}
    for resource, part in value.items():
        amount = None if isinstance(part, str) else _number(part)
        if str(resource) in _STANDARD_RESOURCES:
            raise ConfigError(f"{name}: {resource} is not said there; use {_STANDARD_RESOURCES[str(resource)]}")
        if amount is None or amount < _LEAST_SHARE or (amount > 1 and amount != int(amount)):
            raise ConfigError(f"{name}: {shown(resource)} takes a whole number or a share of 1, not {shown(part)}")
        amounts[str(resource)] = amount
    return amounts


@dataclass(frozen=True)
class RayProfile:
    """A cluster, and what every job asks it for.

    Attributes:
        address: host:port of the cluster's head; `auto`: the cluster that runs on this machine; `local`: one that is
            started here and ends with the command; None: RAY_ADDRESS, where that is set, or `local`.
        cpus: cores, or a share of one; torch computes with as many threads, one at least.
        gpus: a share of a GPU, or one.
        retries: times in a row that a job whose worker died without getting further is begun again.
        cells_per_job: runs that one job makes at most; None: those that go through the backbone together.
        resources: name -> amount, of what nodes declare beside CPUs and GPUs.
    """

    address: str | None = option(None, "HOST:PORT of the cluster, auto or local", _read_address)
    cpus: float = option(1.0, "cores, or a share of one", _read_cpus)
    gpus: float = option(0.0, "1 for a GPU, or a share of one", _read_gpus)
    retries: int = option(3, "times that a job is begun again when its worker dies", _read_retries)
    cells_per_job: int | None = option(None, "runs that a job makes at most", read_number)
    resources: Mapping[str, float] = option({}, "resources that nodes declare themselves", _read_resources)

    @property
    def threads(self) -> int:
        """That torch computes with on a CPU."""
        return max(1, int(self.cpus))

    @property
    def demand(self) -> Mapping[str, float]:
        """What a job takes of a node, by the names that nodes have for it."""
        gpus = {"GPU": self.gpus} if self.gpus else {}
        return {"CPU": self.cpus, **gpus, **self.resources}


def read_ray_profile(path: Path | None, settings: Sequence[str], environment: Mapping[str, str]) -> RayProfile:
    """A profile from a TOML file, from `name=value`, which go before it, and from RAY_ADDRESS.

    Raises:
        ConfigError: a key that there is not, or the first value that breaks its rule.
    """
    profile = read_profile_as(RayProfile, path, settings, "cpus=2")
    if profile.address is not None:
        return profile
    return replace(profile, address=_read_address(environment.get("RAY_ADDRESS") or "local", "RAY_ADDRESS"))
