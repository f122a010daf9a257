"""How a cluster is reached, or started on this machine: its address, what may stand in the way, Ray's own settings."""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from xlt_bench.engines.answers import complaint
from xlt_bench.engines.ray.cluster import Cluster
from xlt_bench.engines.ray.profile import RayProfile
from xlt_bench.engines.ray.ray_cluster import RayCluster
from xlt_bench.errors import ConfigError
from xlt_bench.io.process_folders import process_folder
from xlt_bench.io.processor import available_cores
from xlt_bench.io.stop_signals import Stopped, StopSignals
from xlt_bench.io.texts import shortened

_CONNECT_SECONDS = 5.0
_KNOCK_SECONDS = 120.0
_OBJECT_STORE_BYTES = 80 * 2**20
"""Of a cluster that is started here, close to Ray's least: nothing large goes through it."""
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent to Ray's authors
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a warning of every job without a GPU
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # what else Ray would print here, of workers that die; see print_to_stdstream
    "RAY_NUM_REDIS_GET_RETRIES": "1",  # each takes 40 s
}
"""Ray's settings for its own noise, where the user has not set them; they count before it is imported."""
_JOB_ENVIRONMENT = {"env_vars": {"RAY_kill_child_processes_on_worker_exit": "0"}}
"""Where the command is gone, Ray would kill workers at once; they notice it by themselves, and write checkpoints."""


def check_reachable(address: str) -> None:
    """Refuse an address of host and port at which nothing listens; ConfigError. Ray itself takes minutes to say so."""
    host, colon, port = address.rpartition(":")
    if not colon:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, str(error)) from None


def connect(profile: RayProfile, stop_signals: StopSignals) -> Cluster:
    """The cluster of a profile. Ray stays connected until the process ends: a command may carry out many settings.

    Args:
        profile: the cluster, and what every job asks it for.
        stop_signals: of the process, which are obeyed between calls of Ray.

    Raises:
        ConfigError: there is none at the address, or one of another version of Ray or Python.
        Stopped: a scheduler asked the process to leave.
    """
    address = profile.address or "local"
    for name, value in (_QUIET | (_closed() if address == "local" else {})).items():
        os.environ.setdefault(name, value)
    import ray

    if not ray.is_initialized():
        if address != "local":
            _knock(address)
        with _own_stop_signal():
            try:
                ray.init(**_options(address))
            except SystemExit:  # of Ray's own handler
                raise Stopped(signal.SIGTERM) from None
            except Exception as error:  # Ray has no class of its own for it
                raise _no_cluster(address, str(error)) from error
    return RayCluster(profile, stop_signals)


def _knock(address: str) -> None:
    """Refuse a cluster that does not let this user in; ConfigError. See `xlt_bench.engines.ray.knock`."""
    command = [sys.executable, "-m", "xlt_bench.engines.ray.knock", address]
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_KNOCK_SECONDS)
    except subprocess.TimeoutExpired:
        raise _no_cluster(address, f"what listens there did not let us in within {_KNOCK_SECONDS:g} s") from None
    if process.returncode:
        raise _no_cluster(address, complaint(process.stderr).removeprefix("error: "))


def _closed() -> dict[str, str]:
    """Let a cluster that is started here obey this user alone, by a token that is in no file: Ray would leave one."""
    return {} if "RAY_AUTH_MODE" in os.environ else {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


def _options(address: str) -> dict[str, Any]:
    """Of `ray.init`."""
    options: dict[str, Any] = {
        "address": address,
        "log_to_driver": False,
        "logging_level": logging.CRITICAL,
        "runtime_env": _JOB_ENVIRONMENT,
    }
    if address == "local":
        options |= {
            "num_cpus": available_cores(),
            "object_store_memory": _OBJECT_STORE_BYTES,
            "include_dashboard": False,
            "_temp_dir": str(_temporary_folder()),
            "_node_ip_address": "127.0.0.1",  # who reaches a cluster can run anything in it
        }
    return options


def _temporary_folder() -> Path:
    """For what a cluster on this machine writes; removed when the process ends, after the cluster."""
    import ray

    end = ExitStack()
    folder = end.enter_context(process_folder("xlt-ray-"))
    end.callback(ray.shutdown)
    atexit.register(end.close)
    return folder / "ray"  # Ray opens its own folder for everybody


@contextmanager
def _own_stop_signal() -> Iterator[None]:
    """Put back the handler of SIGTERM, in whose place Ray sets its own."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def _no_cluster(address: str, reason: str) -> ConfigError:
    if address == "local":
        return ConfigError(f"--engine ray: a cluster on this machine cannot be started: {shortened(reason, 300)}")
    if "InvalidAuthToken" in reason:
        return ConfigError(
            f"--engine ray: the cluster at {address} asks for a token; set RAY_AUTH_MODE=token, and "
            "RAY_AUTH_TOKEN_PATH where it is not the one of this user's home"
        )
    return ConfigError(
        f"--engine ray: no cluster answers at {address}: {shortened(reason, 300)}; give the address that `ray start` "
        "printed there, or --job address=local for one of this machine alone"
    )
