"""`xlt-bench doctor`: what this machine has, and what would run on it without a network."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from xlt_bench import __version__
from xlt_bench.cli.options import JsonOption
from xlt_bench.io.processor import available_cores
from xlt_bench.io.texts import clean

PACKAGES = ("torch", "transformers", "datasets", "numpy", "scipy", "huggingface_hub")
EXTRAS = {"peft": "peft", "figures": "matplotlib", "llm": "openai"}
"""Extra -> a package that it brings."""
_SECONDS = 300.0
"""After which loading every task is given up."""

_OFFLINE = """
import json
from xlt_bench.runs.loader import Loader
from xlt_bench.tasks import task_names
loader = Loader()
for name in task_names():
    loads = {"data": lambda: loader.task(name, None), "backbone": lambda: loader.source(loader.info(name).backbone)}
    for kind, load in loads.items():
        try:
            load()
            state = "ready"
        except Exception as error:  # a plug-in may raise anything
            state = str(error) or type(error).__name__
        print(json.dumps([name, kind, state]), flush=True)
"""


def doctor(
    offline: Annotated[
        bool, typer.Option("--offline/--no-offline", help="Load every shipped task and its backbone without the hub.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Check this machine: versions, processor and GPU, caches, the hub, and what is ready without a network.

    Example: xlt-bench doctor
    """
    facts: dict[str, dict[str, str]] = {
        "versions": dict(_versions()),
        "machine": dict(_machine()),
        "caches": dict(_caches()),
        "hub": {"answer": _hub()},
    }
    if offline:
        facts["ready without a network"] = dict(_offline())
    if as_json:
        print(json.dumps(facts, indent=1, ensure_ascii=False))
        return
    for heading, content in facts.items():
        print(heading)
        for name, value in content.items():
            print(f"  {clean(name)}: {clean(str(value))}")


def _versions() -> Iterator[tuple[str, str]]:
    yield "Python", platform.python_version()
    yield "xlt-bench", __version__
    for package in PACKAGES:
        yield package, _installed(package) or f"missing: pip install {package}"
    for extra, package in EXTRAS.items():
        yield f"extra {extra}", _installed(package) or f"not installed: pip install {package}"


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _machine() -> Iterator[tuple[str, str]]:
    import torch

    yield "system", platform.platform()
    yield "processor", f"{available_cores()} cores for this process, torch uses {torch.get_num_threads()} threads"
    if not torch.cuda.is_available():
        built = "for CUDA " + torch.version.cuda if torch.version.cuda else "without CUDA"
        yield "GPU", f"none that torch can use (it is built {built}); runs take the CPU"
        return
    for number in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(number)
        yield f"GPU {number}", f"{facts.name}, {facts.total_memory / 2**30:.0f} GiB"


def _caches() -> Iterator[tuple[str, str]]:
    from huggingface_hub.constants import HF_HUB_CACHE

    from xlt_bench.io.cache import cache_folder

    for name, folder in (
        ("hub", Path(HF_HUB_CACHE)),
        ("tokens", cache_folder("tokens")),
        ("packaged backbones", cache_folder("backbones")),
        ("indexes of stores", cache_folder("records")),
        ("hashes of large files", cache_folder("hashes")),
    ):
        files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
        size = sum(path.stat().st_size for path in files) / 2**20
        parent = next(place for place in (folder, *folder.parents) if place.exists())
        writable = "" if os.access(parent, os.W_OK) else ", not writable"
        yield name, f"{folder}, {size:.0f} MB{writable}"


def _hub() -> str:
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE

    if HF_HUB_OFFLINE:
        return "not asked: HF_HUB_OFFLINE is set"
    try:
        with urlopen(Request(ENDPOINT, method="HEAD"), timeout=5):
            return f"{ENDPOINT} answers"
    except (URLError, OSError, ValueError) as error:
        return f"{ENDPOINT} does not answer ({error}); local folders and what is cached still work"


def _offline() -> Iterator[tuple[str, str]]:
    """Each task and its backbone, loaded by a process that may not use the hub."""
    try:
        finished = subprocess.run(
            [sys.executable, "-c", _OFFLINE],
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        yield "all", f"not known: loading took more than {_SECONDS:g} s"
        return
    from xlt_bench.tasks import task_names

    states = [json.loads(line) for line in finished.stdout.splitlines() if line.startswith("[")]
    for name in task_names():
        if sum(task == name for task, _, _ in states) < 2:  # the process ended before
            yield name, f"not known: {(finished.stderr.strip() or 'loading it ended the process').splitlines()[-1]}"
            continue
        missing = [kind for task, kind, state in states if task == name and state != "ready"]
        yield name, f"no, its {' and '.join(missing)}: xlt-bench prefetch {name}" if missing else "yes"
