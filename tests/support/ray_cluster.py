"""A real Ray cluster on this machine, started and ended by the tests: a head and a further node of one core each."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.commands import process_environment

_SECONDS = 240.0
"""For a node to come up, on a machine that does other things too."""
_STOP_SECONDS = 60.0
_OBJECT_STORE_BYTES = 80 * 2**20


def missing() -> str | None:
    """Why there can be no cluster here; None where there can."""
    if importlib.util.find_spec("ray") is None:
        return "Ray is not installed here; make test-ray does it where the Python registry is in reach"
    return None


class Cluster:
    """Nodes, each a `ray start` in a folder of short name: sockets lie in it.

    Args:
        environment: of every node beside the usual one.

    Attributes:
        address: of the head.
        hidden: a folder that no node sees, where the tests run as root: an empty file system is mounted on it.
        environment: by which a process may talk to the cluster.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="xlt-", dir="/tmp", ignore_cleanup_errors=True)
        self.hidden = Path(self._folder.name) / "hidden"
        self.hidden.mkdir()
        self.address = f"{_own_address()}:{_free_port()}"
        self.environment = {
            **environment,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_TMPDIR": self._folder.name,  # where `auto` looks for the address of a cluster, in the folder `ray`
        }
        self._nodes: list[subprocess.Popen[bytes]] = []

    def start_head(self, resources: Mapping[str, float]) -> None:
        """Start the head with these resources beside its core."""
        port = self.address.rpartition(":")[2]
        self._start(["--head", f"--port={port}", "--include-dashboard=false"], resources, {})

    def start_node(self, resources: Mapping[str, float], environment: Mapping[str, str]) -> None:
        """Start a further node, whose workers have this environment."""
        self._start([f"--address={self.address}"], resources, environment)

    def stop_head(self) -> None:
        """End the head alone."""
        self._nodes[0].terminate()
        self._nodes[0].wait(_STOP_SECONDS)

    def stop(self) -> None:
        """End all nodes."""
        for node in reversed(self._nodes):
            node.terminate()
        for node in reversed(self._nodes):
            try:
                node.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                node.kill()
        self._folder.cleanup()

    def _start(self, options: Sequence[str], resources: Mapping[str, float], environment: Mapping[str, str]) -> None:
        log = Path(self._folder.name) / f"node{len(self._nodes)}.log"
        command = [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1"),
            *(f"--object-store-memory={_OBJECT_STORE_BYTES}", f"--temp-dir={self._folder.name}/ray"),
            *("--disable-usage-stats", f"--resources={json.dumps(dict(resources))}", *options),
        ]
        if os.geteuid() == 0:
            blindly = f'mount -t tmpfs none {self.hidden} && exec "$@"'
            command = ["unshare", "--mount", "sh", "-c", blindly, "sh", *command]
        with log.open("wb") as file:
            self._nodes.append(
                subprocess.Popen(
                    command, stdout=file, stderr=file, env=process_environment(**self.environment, **environment)
                )
            )
        wait_for(lambda: b"Ray runtime started" in log.read_bytes(), f"a node ({log.read_text()[-300:]})")


def wait_for(condition: Callable[[], object], name: str, seconds: float = _SECONDS) -> None:
    """Wait until a condition holds; AssertionError with its name after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{name} did not come within {seconds:g} s"
        time.sleep(0.2)


def _own_address() -> str:
    """Of this machine, as Ray takes it: the one by which it would reach others."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # of the documentation's network; nothing is sent
            address: str = probe.getsockname()[0]
            return address
        except OSError:
            return "127.0.0.1"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
