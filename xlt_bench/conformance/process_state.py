"""What all methods of a process share, and one of them may leave changed."""

from __future__ import annotations

import atexit
import gc
import locale
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch.nn.modules import module as torch_modules
from torch.optim import optimizer as torch_optimisers

ProcessState = Mapping[str, object]
"""What it is, as a reader is told -> its state, comparable."""


def process_state() -> ProcessState:
    """The state as it is now. Random states are left out: they have a check of their own."""
    return {**_torch_state(), **_python_state(), **_system_state()}


def differences(first: ProcessState, last: ProcessState) -> list[str]:
    """What is another in the last than in the first, in words."""
    return [name for name, state in first.items() if _differs(state, last[name])]


def _differs(first: object, last: object) -> bool:
    """Of what comes and goes by itself, threads that end for example, only what is new counts."""
    if isinstance(first, frozenset) and isinstance(last, frozenset):
        return bool(last - first)
    return first != last


def _torch_state() -> dict[str, object]:
    return {
        "whether torch keeps gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "torch's number of threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "torch's determinism": (
            torch.are_deterministic_algorithms_enabled(),
            torch.backends.cudnn.deterministic,
            torch.backends.cudnn.benchmark,
        ),
        "torch's default type of numbers or device": (torch.get_default_dtype(), str(torch.get_default_device())),
        "torch's precision": (torch.get_float32_matmul_precision(), torch.is_autocast_enabled("cpu")),
        "torch's hooks for all modules or optimisers": (
            len(torch_modules._global_forward_hooks),
            len(torch_modules._global_forward_pre_hooks),
            len(torch_modules._global_backward_hooks),
            len(torch_modules._global_backward_pre_hooks),
            len(torch_optimisers._global_optimizer_pre_hooks),
            len(torch_optimisers._global_optimizer_post_hooks),
        ),
    }


def _python_state() -> dict[str, object]:
    return {
        "the filters of warnings": [str(entry) for entry in warnings.filters],
        "what numpy does about floating-point errors": np.geterr(),
        "logging": (logging.root.manager.disable, logging.root.level, list(map(id, logging.root.handlers))),
        "the standard streams": tuple(map(id, (sys.stdin, sys.stdout, sys.stderr))),
        "Python's hooks": tuple(map(id, (sys.displayhook, sys.excepthook, threading.excepthook))),
        "tracing": (sys.gettrace(), sys.getprofile()),
        "the module search path": (list(sys.path), len(sys.meta_path), len(sys.path_hooks)),
        "the garbage collector": (gc.isenabled(), gc.get_threshold()),
        "the recursion limit": sys.getrecursionlimit(),
        "functions to call at exit": atexit._ncallbacks(),
        "running threads": frozenset(thread.ident for thread in threading.enumerate()),
    }


def _system_state() -> dict[str, object]:
    return {
        "the working folder": os.getcwd(),
        "environment variables": dict(os.environ),
        "signal handlers": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "child processes": _children(),
        "open sockets and pipes": _open_channels(),
        "the locale": locale.setlocale(locale.LC_ALL),
        "the mask of new files' rights": _file_mask(),
        "priority": os.nice(0),
    }


def _file_mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _children() -> frozenset[str]:
    """Process numbers, those that nobody has waited for among them; empty where the system does not tell."""
    files = Path("/proc/self/task").glob("*/children")
    return frozenset(number for file in files for number in file.read_text().split())


def _open_channels() -> frozenset[str]:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return frozenset()
    targets = []
    for link in folder.iterdir():
        try:
            targets.append(os.readlink(link))
        except OSError:  # the descriptor of this very listing
            continue
    return frozenset(target for target in targets if target.startswith(("socket:", "pipe:")))
