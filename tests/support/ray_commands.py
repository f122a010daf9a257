"""Commands of the command line that use a Ray cluster: what they work on, how they end, and what they leave running."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.commands import Output, heed_ctrl_c, process_environment
from tests.support.ray_cluster import wait_for
from tests.support.toy import write_files

_SECONDS = 600.0
"""For a command to end, on a machine that does other things too."""
STEPS = 60
PLUGIN = '''
"""A soft prompt whose fits note each step; with a file `hold`, the first one is slow from step 20 on."""
import os
import time
from dataclasses import dataclass
from pathlib import Path

from xlt_bench.methods.spt import SPT


@dataclass(frozen=True, kw_only=True)
class Plugin(SPT):
    def loss(self, outputs, batch):
        steps = Path(f"steps-{os.getpid()}")
        with steps.open("a") as file:
            file.write(".")
        if Path("hold").exists() and steps.stat().st_size == 20:
            Path("hold").rename("held")
            Path("held").write_text(f"{os.getpid()} {os.getppid()}")
        if Path("held").exists() and Path("held").read_text().startswith(f"{os.getpid()} "):
            time.sleep(1)
        return super().loss(outputs, batch)
'''
HASTE = {"RAY_worker_niceness": "0"}
"""Ray's workers give way to every other process: beside busy ones a test would take many minutes."""
NOISE = ("raylet", "ray::", "core_worker", "usage stats", "Usage stats", "Traceback", "WARNING", "authentication")


def write_work(folder: Path, backbone: Path) -> None:
    """Fill a working folder with a task, a backbone and a plug-in."""
    write_files(folder / "toy")
    shutil.copytree(backbone, folder / "tiny")
    (folder / "plugin.py").write_text(PLUGIN)


def program(*arguments: str) -> list[str]:
    """A command of the command line."""
    return [sys.executable, "-m", "xlt_bench", *arguments]


def run(*further: str) -> list[str]:
    """Two seeds of the plug-in."""
    return program(
        *("run", "-m", "plugin.py:Plugin", "--task", "toy", "--backbone", "tiny", "--sources", "eng_Latn"),
        *("--targets", "swh_Latn,kat_Geor", "--seeds", "2", "--steps", str(STEPS), *further),
    )


class Commands:
    """Commands as of another terminal each, in a folder; none outlives the test."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._processes: list[subprocess.Popen[str]] = []

    def start(self, folder: Path, arguments: Sequence[str], **environment: str) -> subprocess.Popen[str]:
        """Start one."""
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=process_environment(**{"COLUMNS": "200", **self._environment, **environment}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=heed_ctrl_c,
        )
        self._processes.append(process)
        return process

    def kill(self) -> None:
        """End what still runs."""
        for process in self._processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def end(process: subprocess.Popen[str]) -> Output:
    """What a command printed, once it has ended."""
    out, err = process.communicate(timeout=_SECONDS)
    return Output(process.returncode, out, err)


def end_quietly(process: subprocess.Popen[str]) -> Output:
    """The same of a command that uses Ray, whose own noise is not in it."""
    said = end(process)
    noise = [line for line in (said.out + said.err).splitlines() if any(word in line for word in NOISE)]
    assert not noise
    return said


def slow_fit(folder: Path, process: subprocess.Popen[str]) -> tuple[int, int]:
    """The worker that waits in a step, and its parent, which is Ray's."""
    path = folder / "held"
    wait_for(lambda: process.poll() is not None or (path.exists() and path.read_text()), "a fit under way")
    assert process.poll() is None, process.communicate()
    worker, parent = map(int, path.read_text().split())
    return worker, parent


def steps_by_worker(folder: Path) -> dict[int, int]:
    """How many steps each process made."""
    return {int(path.name.partition("-")[2]): path.stat().st_size for path in folder.glob("steps-*")}


def checkpoints(folder: Path) -> list[Path]:
    """Files of fits under way in the store of a working folder."""
    return list((folder / "xlt-results").glob(".checkpoints/*.safetensors"))


def running_in(*folders: Path) -> list[str]:
    """Command lines of processes that name one of these folders, or work in one."""
    lines = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                named = line + f" {(entry / 'cwd').readlink()}"
            except OSError:
                continue
            if line and any(str(folder) in named for folder in folders):
                lines.append(line)
    return lines
