"""The probe: a short job before the first submission says whether jobs see what they need; done once a setup."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from xlt_bench import __version__
from xlt_bench.engines.plan import Plan
from xlt_bench.engines.slurm import commands
from xlt_bench.engines.slurm.profile import Profile
from xlt_bench.errors import ConfigError, EngineError
from xlt_bench.io.paths import is_file

_MINUTES = 10
_POLL_SECONDS = 1.0
_GRACE_SECONDS = 10.0
"""After which an answer on a network's file system is no longer expected to appear."""
_NO_FOLDER, _NO_STORE = 111, 112
_NO_PYTHON = (126, 127)


class ClusterProbe:
    """Probes of a store.

    Args:
        folder: of the store's submissions.
        profile: of the jobs.
        say: is told that there is a probe, and why it waits.
    """

    def __init__(self, folder: Path, profile: Profile, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._profile = profile
        self._say = say

    def check(self, plan: Plan) -> None:
        """Let a job prepare a plan, unless that has been done with the same version, profile, task and plug-in file.

        Raises:
            ConfigError: jobs do not see the store or the working folder, or cannot carry out the plan.
            EngineError: the probe ended without an answer.
        """
        passed = self._folder / f"passed-{_key(plan, self._profile)}"
        if passed.exists():
            return
        folder = self._folder / f"probe-{uuid.uuid4().hex[:12]}"
        folder.mkdir(parents=True)
        try:
            self._ask(plan, folder)
            passed.touch()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _ask(self, plan: Plan, folder: Path) -> None:
        plan_path, answer_path = folder / "plan.json", folder / "answer.json"
        plan_path.write_text(json.dumps(plan.as_json(), ensure_ascii=False), encoding="utf-8")
        script = "\n".join([*self._profile.setup, _script(plan, self._profile, plan_path, answer_path)])
        options = {"job-name": folder.name, "output": "/dev/null", "time": str(_MINUTES)}
        job_id = commands.submit(script, options | dict(self._profile.sbatch_options()))
        self._say(f"job {job_id} looks whether jobs see what they need; nothing else is submitted before its answer")
        try:
            self._wait(job_id, folder.name)
        except BaseException:
            commands.cancel([folder.name])
            raise
        deadline = time.monotonic() + _GRACE_SECONDS
        end = commands.ends(job_id).get(0, commands.JobEnd())
        while not is_file(answer_path) and end.code in (0, None) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if not is_file(answer_path):
            raise _unanswered(job_id, end, plan, self._profile)
        answer = json.loads(answer_path.read_text(encoding="utf-8"))
        if answer["error"] is not None:
            raise ConfigError(f"on {answer['host']} of the cluster: {answer['error']}")

    def _wait(self, job_id: str, name: str) -> None:
        """Until the job has left the queue; why it waits is said whenever it is another reason."""
        reason = ""
        while True:
            jobs = commands.queue([name])
            if not jobs:
                return
            if jobs[0].waits and jobs[0].reason not in (reason, "None"):
                reason = jobs[0].reason
                self._say(f"job {job_id} waits: {reason}")
            time.sleep(_POLL_SECONDS)


def _key(plan: Plan, profile: Profile) -> str:
    """Of all that a passed probe vouches for."""
    request = plan.as_json()["request"]
    names = ("task", "data_dir", "backbone", "resources")
    facts = {name: request.get(name) for name in names} | {"version": __version__, "folder": str(plan.folder)}
    facts |= {"profile": asdict(profile), "python": profile.python or sys.executable}
    method = request.get("method", "")
    if ".py:" in method:  # a file of the user's; shipped methods come with the version
        facts["method"] = method
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def _script(plan: Plan, profile: Profile, plan_path: Path, answer_path: Path) -> str:
    """Lines of the shell whose exit code tells, without any file, which folder a node does not see."""
    python = profile.python or shlex.quote(sys.executable)
    paths = " ".join(shlex.quote(str(path)) for path in (plan_path, answer_path))
    return "\n".join(
        [
            f"cd {shlex.quote(str(plan.folder))} || exit {_NO_FOLDER}",
            f"test -r {shlex.quote(str(plan_path))} || exit {_NO_STORE}",
            f"{python} -m xlt_bench.engines.slurm.probe_job {paths}",
        ]
    )


def _unanswered(job_id: str, end: commands.JobEnd, plan: Plan, profile: Profile) -> Exception:
    """What a probe without an answer says by its exit code."""
    python = profile.python or sys.executable
    code, state = end.code, end.state
    if code == _NO_FOLDER:
        return ConfigError(
            f"jobs do not see the working folder {plan.folder}; start from a folder that all nodes share"
        )
    if code == _NO_STORE or state == "COMPLETED":
        return ConfigError(
            f"jobs do not see the store {plan.store.resolve()} of this machine; give a folder that all nodes share: "
            "--store DIR"
        )
    if code in _NO_PYTHON:
        return ConfigError(
            f"jobs cannot start {python}; give theirs with --job python=, or lines that make it known with --job setup="
        )
    if code == 1:
        return ConfigError(
            f"jobs cannot import xlt_bench with {python}; install it there, or give --job python= or setup="
        )
    return EngineError(
        f"probe {job_id} ended without an answer ({state or 'state not known'}, exit code {code}); try again"
    )
