"""Methods that leave their process, its libraries, its files or its memory other than they were."""

from __future__ import annotations

import atexit
import contextlib
import io
import logging
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn

from tests.support.faulty_methods.sound import FittedWords, Words
from xlt_bench.method import Context
from xlt_bench.runs import calls
from xlt_bench.task import Labelled

# a_second_fit_grows_nothing


KEPT: list[object] = []


@dataclass(frozen=True)
class KeepsEveryFit(Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        KEPT.append(super().fit(train, dev, context))
        return KEPT[-1]


@dataclass(frozen=True)
class KeepsAnArray(Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        fitted = super().fit(train, dev, context)
        KEPT.append([fitted.weights.copy(), fitted.weights.copy()])
        return fitted


# process_is_left_as_it_was


CHANNELS: list[Any] = []
LEFT: Mapping[str, Callable[[], object]] = {
    "torch keeps gradients": lambda: torch.set_grad_enabled(False),
    "torch's number of threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "torch's determinism": lambda: torch.use_deterministic_algorithms(True),
    "torch's default type": lambda: torch.set_default_dtype(torch.float64),
    "working folder": lambda: os.chdir("/"),
    "environment variables": lambda: os.environ.update(LEFT_BEHIND="1"),
    "filters of warnings": lambda: warnings.simplefilter("ignore"),
    "floating-point errors": lambda: np.seterr(all="ignore"),
    "logging": lambda: logging.disable(logging.CRITICAL),
    "standard streams": lambda: setattr(sys, "stderr", io.StringIO()),
    "signal handlers": lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN),
    "running threads": lambda: threading.Thread(target=time.sleep, args=(30,), daemon=True).start(),
    "child processes": lambda: os.fork() or os._exit(0),
    "open sockets": lambda: CHANNELS.append(socket.socketpair()),
    "functions to call at exit": lambda: atexit.register(print),
}


@dataclass(frozen=True)
class Elsewhere(Words):
    """Behaves in the process `home`, which is that of the tests, and not in others."""

    home: int = 0

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        fitted = super().fit(train, dev, context)
        if os.getpid() != self.home:
            self.misbehave()
        return fitted

    def misbehave(self) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Leaves(Elsewhere):
    """A key of LEFT says what it leaves changed; without one, all of it."""

    key: str = ""

    def misbehave(self) -> None:
        for key in [self.key] if self.key else LEFT:
            LEFT[key]()


# prints_nothing


@dataclass(frozen=True)
class Prints(Elsewhere):
    def misbehave(self) -> None:
        os.write(1, b"all is well\n")


# leaves_no_files


@dataclass(frozen=True)
class WritesIntoTheWorkingFolder(Elsewhere):
    def misbehave(self) -> None:
        save_file({"weights": np.zeros(3)}, "left-behind.safetensors")


class SavesMore(FittedWords):
    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder.parent / "beside-the-folder").write_text("more")


@dataclass(frozen=True)
class SavesOutsideTheFolder(Words):
    fitted = SavesMore


# libraries_are_left_as_they_were


def sparse(tensor: torch.Tensor, sparsity: float, std: float = 0.01) -> torch.Tensor:
    return tensor


@dataclass(frozen=True)
class PatchesTorch(Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        nn.init.sparse_ = sparse  # type: ignore[assignment]
        return super().fit(train, dev, context)


@dataclass(frozen=True)
class ReplacesNumpys(Elsewhere):
    def misbehave(self) -> None:
        np.rot90 = np.copy  # type: ignore[assignment]


@dataclass(frozen=True)
class ReplacesTheScoring(Elsewhere):
    def misbehave(self) -> None:
        calls.checked_scores = len  # type: ignore[assignment]


# works_without_network


@dataclass(frozen=True)
class NeedsAServer(Words):
    port: int = 0

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5):
            return super().fit(train, dev, context)


@dataclass(frozen=True)
class TriesTheNetwork(Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", 9), timeout=1):
            pass
        return super().fit(train, dev, context)
