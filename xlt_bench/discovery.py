"""Finding methods: by entry point (the shipped ones too) or by `path/to/file.py:Class`."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from xlt_bench import hyperparameters
from xlt_bench.errors import ConfigError, MethodError, XltBenchError, unknown
from xlt_bench.method import Method

GROUP = "xlt_bench.methods"


@dataclass(frozen=True)
class ConfiguredMethod:
    """A method ready to fit.

    Attributes:
        name: what identifies it in a Cell; several references may lead to one name (`dual-30` is `dual`).
        label: what a table shows: the name and every hyper-parameter that differs from its default.
    """

    name: str
    label: str
    method: Method
    values: Mapping[str, hyperparameters.Plain]


def method_entries() -> tuple[EntryPoint, ...]:
    """Entry points of all installed methods, by name; reads metadata only. Two packages may offer the same name."""
    return tuple(sorted(dict.fromkeys(entry_points(group=GROUP)), key=lambda entry: (entry.name, entry.value)))


def configure(reference: str, settings: Mapping[str, str]) -> ConfiguredMethod:
    """Load a method and set its hyper-parameters.

    Args:
        reference: an entry point's name, or `path/to/file.py:Class`.
        settings: hyper-parameters as text, name -> value.

    Raises:
        ConfigError: nothing has this name, two packages have it, or a hyper-parameter is unknown or ill-typed.
        MethodError: its code raises on import, or the class does not follow the protocol.
    """
    cls = _load(reference)
    _check(cls, reference)
    parsed = hyperparameters.parse(cls, settings, reference)
    try:
        method: Method = cls(**parsed)
    except XltBenchError:
        raise
    except Exception as error:
        given = f"with {', '.join(f'{k}={v}' for k, v in settings.items())}" if settings else "with its defaults"
        raise MethodError(f"method '{reference}' {given} raises {type(error).__name__}: {error}") from error
    name = str(getattr(cls, "name", reference))
    if _is_file(reference):
        # the file's content is part of the identity: after an edit, no stored run passes for a run of the new code
        path, class_name = reference.rsplit(":", 1)
        name = f"{Path(path).name}:{class_name}"
        return ConfiguredMethod(
            f"{name}#{_file_hash(path)}", _label(method, name), method, hyperparameters.values(method)
        )
    return ConfiguredMethod(name, _label(method, name), method, hyperparameters.values(method))


def _is_file(reference: str) -> bool:
    return ".py:" in reference


def _file_hash(path: str) -> str:
    return hashlib.sha256(Path(path).expanduser().read_bytes()).hexdigest()[:8]


def _label(method: Method, name: str) -> str:
    base, usual = str(getattr(method, "label", name)), hyperparameters.defaults(type(method))
    told = getattr(method, "label_tells", ())
    changed = {k: v for k, v in hyperparameters.values(method).items() if v != usual[k] and k not in told}
    return base + (" (" + ", ".join(f"{k}={v}" for k, v in changed.items()) + ")" if changed else "")


def _load(reference: str) -> Any:
    try:
        return _from_file(*reference.rsplit(":", 1)) if _is_file(reference) else _entry(reference).load()
    except XltBenchError:
        raise
    except (Exception, SystemExit) as error:  # SystemExit: a script that parses arguments when it is imported
        raise MethodError(f"method '{reference}' cannot be imported: {type(error).__name__}: {error}") from error


def _entry(name: str) -> EntryPoint:
    entries = method_entries()
    found = [entry for entry in entries if entry.name == name]
    if not found:
        if name.endswith(".py"):
            raise ConfigError(f"--method {name} names no class; give {name}:Class")
        raise unknown("method", name, [entry.name for entry in entries], "xlt-bench ls methods")
    if len({entry.value for entry in found}) > 1:
        raise ConfigError(
            f"two packages offer a method '{name}': {' and '.join(entry.value for entry in found)}; "
            "uninstall one, or name the file: --method path/to/file.py:Class"
        )
    return found[0]


def _from_file(path: str, name: str) -> Any:
    file = Path(path).expanduser()
    if not file.is_file():
        raise ConfigError(f"no file '{path}'; --method takes path/to/file.py:Class or a name of: xlt-bench ls methods")
    module_name = f"xlt_bench_plugin_{file.stem}_{_file_hash(path)}"
    spec = importlib.util.spec_from_file_location(module_name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[module_name]
        raise
    if not hasattr(module, name):
        classes = [
            key for key, value in vars(module).items() if isinstance(value, type) and value.__module__ == module_name
        ]
        raise unknown("class", name, classes, f"{path} has {', '.join(classes) or 'no class'}")
    return getattr(module, name)


def _check(cls: Any, reference: str) -> None:
    missing = [part for part in ("fit", "load", "uses_backbone") if not hasattr(cls, part)]
    if not isinstance(cls, type):
        raise MethodError(f"method '{reference}' is no class; see the Method protocol in xlt_bench/method.py")
    if missing:
        raise MethodError(
            f"method '{reference}' lacks {', '.join(missing)}; see the Method protocol in xlt_bench/method.py"
        )
    if not isinstance(cls.uses_backbone, bool):  # type: ignore[attr-defined]
        raise MethodError(f"method '{reference}' must say uses_backbone = True or False in its class")
