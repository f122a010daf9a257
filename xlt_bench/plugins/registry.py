"""One registry for methods, tasks and engines: what packages offer by entry point, the shipped ones among them.

Listing names reads metadata and imports nothing. A name belongs to one package: where two offer it, neither is taken
silently, and `PACKAGE/NAME` says which is meant.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Any

from xlt_bench.errors import ConfigError, DataError, MethodError, XltBenchError, unknown
from xlt_bench.plugins.importing import watched

PACKAGE = "xlt-bench"
"""The package whose own methods, tasks and engines keep their plain names whatever else is installed."""


@dataclass(frozen=True)
class Kind:
    """A kind of thing that packages offer.

    Attributes:
        noun: `method`, for messages.
        group: the entry points' group in a package's pyproject.toml.
        option: by which a user names one.
        listing: the command that lists them.
        worker: the function of it that may take time, as importing it may not.
        fault: the class of the error for code that cannot be imported.
    """

    noun: str
    group: str
    option: str
    listing: str
    worker: str
    fault: type[XltBenchError]


METHODS = Kind("method", "xlt_bench.methods", "--method", "xlt-bench ls methods", "fit", MethodError)
TASKS = Kind("task", "xlt_bench.tasks", "--task", "xlt-bench ls tasks", "load", DataError)
ENGINES = Kind("engine", "xlt_bench.engines", "--engine", "xlt-bench ls engines", "run", ConfigError)


def entries(kind: Kind) -> tuple[EntryPoint, ...]:
    """All entry points of a kind, by name; reads metadata only. Two packages may offer the same name."""
    return _sorted_entries(kind.group, entry_points, _path_state())


@lru_cache(maxsize=8)
def _sorted_entries(
    group: str, read: Callable[..., Iterable[EntryPoint]], path_state: tuple[tuple[str, int], ...]
) -> tuple[EntryPoint, ...]:
    """What is read once as long as Python's path and its folders stay as they are: a study asks a thousand times."""
    return tuple(sorted(dict.fromkeys(read(group=group)), key=lambda entry: (entry.name, entry.value)))


def _path_state() -> tuple[tuple[str, int], ...]:
    """Where packages are looked for, and when each place last changed: installing one changes its folder."""
    return tuple((folder, _changed(folder)) for folder in sys.path)


def _changed(folder: str) -> int:
    try:
        return os.stat(folder or ".").st_mtime_ns
    except OSError:
        return 0


def names(kind: Kind) -> tuple[str, ...]:
    """Every name once, in order."""
    return tuple(dict.fromkeys(entry.name for entry in entries(kind)))


def package_of(entry: EntryPoint) -> str:
    """The package that offers it."""
    return entry.module.partition(".")[0] if entry.dist is None else _name_of(entry.dist)


@cache
def _name_of(distribution: Distribution) -> str:
    return distribution.name  # read from the package's metadata at each look


def qualified(entry: EntryPoint) -> str:
    """`package/name`, which nothing of another package has."""
    return f"{package_of(entry)}/{entry.name}"


def lookup(kind: Kind, reference: str) -> EntryPoint:
    """The one entry point that a name, or PACKAGE/NAME, stands for.

    Raises:
        ConfigError: nothing has this name, or two packages have it.
    """
    entry = find(kind, reference)
    if entry is None:
        raise unknown(kind.noun, reference, names(kind), kind.listing)
    return entry


def find(kind: Kind, reference: str) -> EntryPoint | None:
    """As `lookup`; None where nothing has this name."""
    candidates = matching(kind, reference)
    if len({entry.value for entry in candidates}) > 1:
        offers = " and ".join(f"{qualified(entry)} ({entry.value})" for entry in candidates)
        raise ConfigError(
            f"two packages offer a {kind.noun} '{reference}': {offers}; "
            f"say which: {kind.option} {qualified(candidates[0])}"
        )
    return candidates[0] if candidates else None


def matching(kind: Kind, reference: str) -> list[EntryPoint]:
    """All entry points that a name, or PACKAGE/NAME, may stand for."""
    return [entry for entry in entries(kind) if reference in (entry.name, qualified(entry))]


def load(kind: Kind, entry: EntryPoint) -> Any:
    """What an entry point leads to.

    Raises:
        XltBenchError: of the kind's own class, if its module raises or does not end.
    """
    shipped = package_of(entry) == PACKAGE
    return imported(kind, f"'{entry.name}' ({entry.value})", entry.load, watch=not shipped)


def imported(kind: Kind, name: str, load_it: Callable[[], Any], watch: bool = True) -> Any:
    """What `load_it` gives, which runs a module, under a watch where it is somebody else's; raises as `load`.

    The shipped ones take long only where PyTorch does, on a cold disk.
    """
    try:
        with watched(f"{kind.noun} {name}", kind.worker, kind.fault) if watch else nullcontext():
            return load_it()
    except XltBenchError:
        raise
    except (Exception, SystemExit) as error:  # SystemExit: a script that parses arguments when it is imported
        raise kind.fault(
            f"{kind.noun} {name} cannot be imported: {type(error).__name__}: {error}; mend it or uninstall its package"
        ) from error
