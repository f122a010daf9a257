"""What every probe of a cluster has: files in the store that a job must see, an answer, and what a bad end means.

`xlt_bench.engines.probe_job` is what runs there.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from xlt_bench import __version__
from xlt_bench.engines.plan import Plan
from xlt_bench.errors import ConfigError
from xlt_bench.io.paths import is_file

FOLDER = ".jobs"
"""Of a store, for what is kept of jobs; hidden, so that nobody takes it for a Record."""
NO_FOLDER, NO_STORE = 111, 112
"""Exit codes of a probe that does not see the working folder, or its plan in the store."""
_GRACE_SECONDS = 10.0
"""For an answer to appear after its job has ended: directories of network file systems are cached."""
_PAUSE_SECONDS = 0.5


@contextmanager
def written_plan(folder: Path, plan: Plan) -> Iterator[Path]:
    """A plan as a file in a folder of its own, where answers may lie beside it; removed in the end."""
    probe = folder / f"probe-{uuid.uuid4().hex[:12]}"
    probe.mkdir(parents=True)
    try:
        path = probe / "plan.json"
        path.write_text(plan.as_text(), encoding="utf-8")
        yield path
    finally:
        shutil.rmtree(probe, ignore_errors=True)


def has_appeared(answer: Path) -> bool:
    """Whether the answer of a probe that has ended lies there; it is given some seconds to do so."""
    deadline = time.monotonic() + _GRACE_SECONDS
    while not is_file(answer) and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
    return is_file(answer)


def check_answer(path: Path) -> None:
    """Refuse what the probe that wrote this answer could not do; ConfigError, with the machine that it ran on."""
    answer = json.loads(path.read_text(encoding="utf-8"))
    if answer["error"] is not None:
        raise ConfigError(f"on {answer['host']} of the cluster: {answer['error']}")


def passed(folder: Path, plan: Plan, facts: Mapping[str, object]) -> Path:
    """The file whose existence says that a probe of all that a plan needs has passed.

    Args:
        folder: of the store's jobs.
        plan: to be carried out.
        facts: of the cluster and the jobs, as plain data.
    """
    request = plan.as_json()["request"]
    names = ("task", "data_dir", "backbone", "resources")
    vouched = {name: request.get(name) for name in names} | {"version": __version__, "folder": str(plan.folder)}
    method = request.get("method", "")
    if ".py:" in method:  # a file of the user's; shipped methods come with the version
        vouched["method"] = method
    key = hashlib.sha256(json.dumps(vouched | dict(facts), sort_keys=True).encode()).hexdigest()[:12]
    return folder / f"passed-{key}"


def unseen_folder(plan: Plan) -> ConfigError:
    """Of a job that ended with NO_FOLDER."""
    return ConfigError(f"jobs do not see the working folder {plan.folder}; start from a folder that all nodes share")


def unseen_store(plan: Plan) -> ConfigError:
    """Of a job that ended with NO_STORE, or whose answer never appeared here."""
    return ConfigError(
        f"jobs do not see the store {plan.store.resolve()} of this machine; give a folder that all nodes share: "
        "--store DIR"
    )
