"""Whether libraries, this one among them, are still what they were: the functions and classes in their modules."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

_LIBRARIES = ("torch", "transformers", "peft", "numpy", "xlt_bench")
_DESCRIPTORS = (property, staticmethod, classmethod)

Snapshot = Mapping[str, Mapping[str, Any]]
"""Owner (a module, or a class by module and name) -> attribute -> the object that it was."""


def snapshot() -> Snapshot:
    """Functions and classes of all imported modules of these libraries, and the methods of those classes."""
    owners: dict[str, Mapping[str, Any]] = {}
    for name, module in list(sys.modules.items()):
        if _in_libraries(name) and isinstance(module, ModuleType):
            owners[name] = _behaviour(vars(module))
            for key, value in owners[name].items():
                if isinstance(value, type) and value.__module__ == name:
                    owners[f"{name}:{key}"] = _behaviour(vars(value))
    return owners


def _in_libraries(module: str | None) -> bool:
    return (module or "").partition(".")[0] in _LIBRARIES


def _behaviour(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in list(attributes.items()) if callable(value) or type(value) in _DESCRIPTORS}


def changes(originals: Snapshot) -> list[str]:
    """Attributes that are another object now; in classes also those that are new.

    A module's new attributes are what these libraries import when it is asked for, so they do not count; nor do
    methods that one of them adds to another's class, as transformers does with torch's Module.
    """
    now = snapshot()
    return sorted(
        f"{owner}.{key}" for owner, was in originals.items() for key in _changed(owner, was, now.get(owner, {}))
    )


def _changed(owner: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for key, value in was.items():
        if now.get(key) is not value and not _hooked_by_torch(now.get(key), value):
            yield key
    if ":" in owner:
        yield from (key for key in now.keys() - was.keys() if not _in_libraries(getattr(now[key], "__module__", "")))


def _hooked_by_torch(now: Any, was: Any) -> bool:
    """An optimiser's `step`, which torch itself wraps when the first optimiser of a class is made."""
    return getattr(now, "hooked", False) is True and getattr(now, "__wrapped__", None) is was
