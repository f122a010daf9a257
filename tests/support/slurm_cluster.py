"""A real Slurm on this machine: a controller and two nodes of one core each, started as root and ended by the tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "squeue")
NODES = ("node1", "node2")
_ANSWER_SECONDS = 60.0

_CONFIGURATION = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={ports[0]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
KillWait=5
MinJobAge=3600
SchedulerParameters=batch_sched_delay=1,bf_interval=5,sched_interval=5
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdSpoolDir={folder}/spool/%n
StateSaveLocation={folder}/state
SlurmdParameters=config_overrides
NodeName=node1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 RealMemory=2000
NodeName=node2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 RealMemory=2000
PartitionName=short Nodes=ALL Default=YES MaxTime=120 State=UP
"""


def missing() -> str | None:
    """Why there can be no cluster here; None where there can."""
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if absent:
        return f"no {', '.join(absent)} on this machine; on Debian: apt-get install slurmctld slurmd slurm-client munge"
    return None if os.geteuid() == 0 else "a cluster of its own is started as root"


class Cluster:
    """The daemons in a folder.

    Args:
        folder: of configuration, state and logs; short, since a socket lies in it.

    Attributes:
        hidden: a folder that jobs do not see: for the nodes an empty file system is mounted on it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.configuration = folder / "slurm.conf"
        self.hidden = folder / "hidden"
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start all daemons, and wait until both nodes are idle."""
        munge = self.folder / "munge"
        for name in ("state", "spool", "munge", "hidden"):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        munge.chmod(0o700)
        (munge / "key").write_bytes(os.urandom(128))
        (munge / "key").chmod(0o400)
        text = _CONFIGURATION.format(host=socket.gethostname().split(".")[0], folder=self.folder, ports=_free_ports(3))
        self.configuration.write_text(text)
        files = [f"--{name}={munge / name}" for name in ("key-file", "socket", "pid-file", "log-file", "seed-file")]
        files[0] = f"--key-file={munge / 'key'}"
        self._start("munged", ["munged", "--foreground", "--force", *files])
        wait_for(lambda: (munge / "socket").exists(), "munged")
        self.start_controller()
        for node in NODES:
            blindly = f"mount -t tmpfs none {self.hidden} && exec slurmd -D -N {node}"
            self._start(node, ["unshare", "--mount", "sh", "-c", blindly])
        wait_for(
            lambda: self.ask("sinfo", "--noheader", "--Node", "--format=%T").split() == ["idle"] * 2, "two idle nodes"
        )

    def start_controller(self) -> None:
        """Start the controller, with the state that an earlier one saved."""
        self._start("slurmctld", ["slurmctld", "-D"])
        wait_for(lambda: "UP" in self.ask("scontrol", "ping"), "the controller")

    def stop_controller(self) -> None:
        """End the controller; what runs goes on."""
        self._stop("slurmctld")

    def stop(self) -> None:
        """Cancel all jobs and end all daemons."""
        self.ask("scancel", "--user=root")
        wait_for(lambda: not self.ask("squeue", "--noheader"), "an empty queue")
        for name in [*NODES, "slurmctld", "munged"]:
            self._stop(name)

    def ask(self, *command: str) -> str:
        """Standard output of one of Slurm's commands; empty where it fails."""
        environment = os.environ | {"SLURM_CONF": str(self.configuration)}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment).stdout

    def _start(self, name: str, command: Sequence[str]) -> None:
        environment = os.environ | {"SLURM_CONF": str(self.configuration)}
        with (self.folder / f"{name}.out").open("ab") as log:
            self._daemons[name] = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def _stop(self, name: str) -> None:
        daemon = self._daemons.pop(name, None)
        if daemon is not None:
            daemon.terminate()
            daemon.wait(timeout=60)


def wait_for(condition: Callable[[], object], name: str, seconds: float = _ANSWER_SECONDS) -> None:
    """Wait until a condition holds; AssertionError with its name after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{name} did not come within {seconds:g} s"
        time.sleep(0.2)


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
