"""The probe: a short job before the first submission says whether jobs see what they need; done once a setup."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from xlt_bench.engines import probe
from xlt_bench.engines.plan import Plan
from xlt_bench.engines.slurm import commands
from xlt_bench.engines.slurm.profile import SlurmProfile
from xlt_bench.errors import ConfigError, EngineError
from xlt_bench.io.paths import is_file

_MINUTES = 10
_POLL_SECONDS = 1.0
_NO_PYTHON = (126, 127)


class ClusterProbe:
    """Probes of a store.

    Args:
        folder: of the store's submissions.
        profile: of the jobs.
        say: is told that there is a probe, and why it waits.
    """

    def __init__(self, folder: Path, profile: SlurmProfile, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._profile = profile
        self._say = say

    def check(self, plan: Plan) -> None:
        """Let a job prepare a plan, unless that has been done with the same version, profile, task and plug-in file.

        Raises:
            ConfigError: jobs do not see the store or the working folder, or cannot carry out the plan.
            EngineError: the probe ended without an answer.
        """
        facts = {"profile": asdict(self._profile), "python": self._profile.python or sys.executable}
        passed = probe.passed(self._folder, plan, facts)
        if passed.exists():
            return
        with probe.written_plan(self._folder, plan) as path:
            self._ask(plan, path)
        passed.touch()

    def _ask(self, plan: Plan, plan_path: Path) -> None:
        folder = plan_path.parent
        answer_path = folder / "answer.json"
        script = "\n".join([*self._profile.setup, _script(plan, self._profile, plan_path, answer_path)])
        options = {"job-name": folder.name, "output": "/dev/null", "time": str(_MINUTES)}
        job_id = commands.submit(script, options | dict(self._profile.sbatch_options()))
        self._say(f"job {job_id} looks whether jobs see what they need; nothing else is submitted before its answer")
        try:
            self._wait(job_id, folder.name)
        except BaseException:
            commands.cancel([folder.name])
            raise
        end = commands.ends(job_id).get(0, commands.JobEnd())
        if not is_file(answer_path) and not (end.code in (0, None) and probe.has_appeared(answer_path)):
            raise _unanswered(job_id, end, plan, self._profile)
        probe.check_answer(answer_path)

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


def _script(plan: Plan, profile: SlurmProfile, plan_path: Path, answer_path: Path) -> str:
    """Lines of the shell whose exit code tells, without any file, which folder a node does not see."""
    python = profile.python or shlex.quote(sys.executable)
    paths = " ".join(shlex.quote(str(path)) for path in (plan_path, answer_path))
    return "\n".join(
        [
            f"cd {shlex.quote(str(plan.folder))} || exit {probe.NO_FOLDER}",
            f"test -r {shlex.quote(str(plan_path))} || exit {probe.NO_STORE}",
            f"{python} -m xlt_bench.engines.probe_job {paths}",
        ]
    )


def _unanswered(job_id: str, end: commands.JobEnd, plan: Plan, profile: SlurmProfile) -> Exception:
    """What a probe without an answer says by its exit code."""
    python = profile.python or sys.executable
    code, state = end.code, end.state
    if code == probe.NO_FOLDER:
        return probe.unseen_folder(plan)
    if code == probe.NO_STORE or state == "COMPLETED":
        return probe.unseen_store(plan)
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
