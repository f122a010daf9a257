"""Versions and hardware that may change numbers, and how much memory was used."""

from __future__ import annotations

import contextlib
import platform
import re
import resource
import subprocess
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("xlt-bench", "torch", "transformers", "tokenizers", "peft", "numpy", "scipy", "babel")
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def reset_peak_memory(device: str) -> None:
    """Begin to measure anew, where the system can: `peak_memory` then tells of what follows."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.reset_peak_memory_stats()
    with contextlib.suppress(OSError):  # Linux alone has it
        _CLEAR.write_text(_RESET_PEAK)


def peak_memory(device: str) -> int:
    """Most memory since the last reset, in bytes: on the GPU if it uses one, else resident.

    What a process still holds from before the reset counts; where the system cannot reset, all since its start does.
    """
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_allocated())
    with contextlib.suppress(OSError):
        match = re.search(r"^VmHWM:\s*(\d+) kB", _STATUS.read_text(), re.MULTILINE)
        if match:
            return int(match.group(1)) * 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


@lru_cache
def environment(device: str) -> dict[str, str]:
    """Versions and hardware that may change numbers."""
    facts = {name: _version(name) for name in _PACKAGES}
    facts |= {"python": platform.python_version(), "platform": platform.platform(), "device": device}
    facts["commit"] = _commit()
    if device.startswith("cuda"):
        import torch

        facts["gpu"] = torch.cuda.get_device_name()
    return facts


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """The commit of this code; `unknown` where it is not under git, also if it is installed inside another project."""
    file = Path(__file__)
    if _git("-C", str(file.parent), "ls-files", "--error-unmatch", file.name) is None:
        return "unknown"
    return _git("-C", str(file.parent), "describe", "--always", "--dirty", "--abbrev=12") or "unknown"


def _git(*arguments: str) -> str | None:
    try:
        process = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except OSError:  # no git on this machine
        return None
    return process.stdout.strip() if process.returncode == 0 else None
