"""The processor: which cores this process may use, and manners beside other processes. Imports no torch by itself."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path

SPIN_COUNT = "1000"
"""How often an OpenMP thread looks for its partners before it sleeps. GNU's own default, billions, nearly stops two
processes that share cores: threads spin while those they wait for are not scheduled. With 1,000 a run alone loses at
most a few per cent (`python -m benchmarks.company`)."""
THREAD_TIMEOUT = "16"
"""For how long, as a power of two in cycles, a thread of numpy's OpenBLAS does likewise. Its own default is 26, and the
threads of the small products of a board spin through most of its time: a board of 10,000 Records takes a second less of
a processor without."""

_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
"""As Linux names them, on x86 and on ARM."""


def share_cores(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let waiting threads of torch and numpy sleep soon; works if called before these are imported.

    The user's own choice stays.
    """
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)
    environment.setdefault("OPENBLAS_THREAD_TIMEOUT", THREAD_TIMEOUT)


def available_cores(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Cores that this process may use: those it may run on, or fewer where a container's quota allows fewer.

    Args:
        cgroup: where the quota of control groups (version 2, or 1) is mounted.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return allowed if quota is None else max(1, min(allowed, int(quota)))


def _quota(cgroup: Path) -> float | None:
    """Cores of a quota; None where there is none."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        with contextlib.suppress(OSError, ValueError):
            quota, period = " ".join((cgroup / name).read_text() for name in names).split()
            return None if quota == "max" or int(quota) <= 0 else int(quota) / int(period)
    return None


def has_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool | None:
    """Whether this processor multiplies bfloat16 numbers itself; None where that cannot be told."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith(("flags", "Features"))), None)
    return None if flags is None else not _BFLOAT16_FLAGS.isdisjoint(flags)


@contextlib.contextmanager
def threads(number: int | None) -> Iterator[None]:
    """Let torch compute with so many threads inside the context.

    Args:
        number: None: torch's own choice, which knows of OMP_NUM_THREADS and of the cores that the process may run on,
            but not of a container's quota: at most as many as that.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    limit = available_cores()
    if number is None and ("OMP_NUM_THREADS" in os.environ or limit >= allowed):
        yield
        return
    import torch

    usual_number = torch.get_num_threads()
    torch.set_num_threads(number or limit)
    try:
        yield
    finally:
        torch.set_num_threads(usual_number)
