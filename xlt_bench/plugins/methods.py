"""Finding methods: by entry point (the shipped ones too) or by `path/to/file.py:Class`.

A name belongs to one package: where two offer it, neither is taken silently, and `PACKAGE/NAME` says which is meant.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from xlt_bench.errors import ConfigError, MethodError, XltBenchError, unknown
from xlt_bench.method import Method
from xlt_bench.plugins import hyperparameters
from xlt_bench.plugins.importing import watched

GROUP = "xlt_bench.methods"
PACKAGE = "xlt-bench"
"""The package whose methods keep their plain names whatever else is installed."""


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
        reference: an entry point's name, also as PACKAGE/NAME, or `path/to/file.py:Class`.
        settings: hyper-parameters as text, name -> value.

    Raises:
        ConfigError: nothing has this name, two packages have it, or a hyper-parameter is unknown or ill-typed.
        MethodError: its code raises on import or does not end, or the class does not follow the protocol.
    """
    cls = _load(reference)
    _check(cls, reference)
    if callable(getattr(cls, "for_settings", None)):  # a method whose hyper-parameters depend on one of them
        cls = cls.for_settings(settings)
    parsed = hyperparameters.parse(cls, settings, reference)
    try:
        method: Method = cls(**parsed)
    except XltBenchError:
        raise
    except Exception as error:
        given = f"with {', '.join(f'{k}={v}' for k, v in settings.items())}" if settings else "with its defaults"
        raise MethodError(f"method '{reference}' {given} raises {type(error).__name__}: {error}") from error
    values = hyperparameters.values(method)
    if _is_file(reference):
        # the file's content is part of the identity: after an edit, no stored run passes for a run of the new code
        path, class_name = reference.rsplit(":", 1)
        name = f"{Path(path).name}:{class_name}"
        return ConfiguredMethod(f"{name}#{_file_hash(path)}", _differing(method, name, ()), method, values)
    entry = _entry(reference)
    name = _own_name(cls, entry)
    return ConfiguredMethod(name, _label(method, name, entry), method, values)


def name_of(cls: type) -> str:
    """The name under which a class's runs are kept: its own, else its entry point's, else that of the class."""
    value = f"{cls.__module__}:{cls.__qualname__}"
    named = [entry.name for entry in method_entries() if entry.value == value]
    return str(getattr(cls, "name", named[0] if named else cls.__name__))


def _is_file(reference: str) -> bool:
    return ".py:" in reference


def _file_hash(path: str) -> str:
    return hashlib.sha256(Path(path).expanduser().read_bytes()).hexdigest()[:8]


def _label(method: Method, name: str, entry: EntryPoint) -> str:
    """With the label that the method's package gives it; one inherited from elsewhere would pass it off as another."""
    giver = next((cls for cls in type(method).__mro__ if "label" in vars(cls)), None)
    if giver is None or giver.__module__.partition(".")[0] != entry.module.partition(".")[0]:
        return _differing(method, name, ())
    return _differing(method, str(getattr(method, "label", name)), getattr(method, "label_tells", ()))


def _differing(method: Method, base: str, told: Sequence[str]) -> str:
    """`base`, and every hyper-parameter that differs from its default and is not told already."""
    usual = hyperparameters.defaults(type(method))
    changed = {k: v for k, v in hyperparameters.values(method).items() if v != usual[k] and k not in told}
    return base + (" (" + ", ".join(f"{k}={v}" for k, v in changed.items()) + ")" if changed else "")


def _load(reference: str) -> Any:
    load = partial(load_file, *reference.rsplit(":", 1)) if _is_file(reference) else _entry(reference).load
    try:
        with watched(f"method '{reference}'"):
            return load()
    except XltBenchError:
        raise
    except (Exception, SystemExit) as error:  # SystemExit: a script that parses arguments when it is imported
        raise MethodError(f"method '{reference}' cannot be imported: {type(error).__name__}: {error}") from error


def _entry(reference: str) -> EntryPoint:
    entries = method_entries()
    found = [entry for entry in entries if reference in (entry.name, qualified(entry))]
    if not found:
        if reference.endswith(".py"):
            raise ConfigError(f"--method {reference} names no class; give {reference}:Class")
        raise unknown("method", reference, [entry.name for entry in entries], "xlt-bench ls methods")
    if len({entry.value for entry in found}) > 1:
        raise ConfigError(
            f"two packages offer a method '{reference}': "
            f"{' and '.join(f'{qualified(entry)} ({entry.value})' for entry in found)}; "
            f"say which: --method {qualified(found[0])}"
        )
    return found[0]


def qualified(entry: EntryPoint) -> str:
    """`package/name`, which no other package's method has."""
    return f"{entry.dist.name if entry.dist else entry.module.partition('.')[0]}/{entry.name}"


def _own_name(cls: Any, entry: EntryPoint) -> str:
    """The name for Records: the one the class gives itself, which its own package must offer; else the entry's.

    Raises:
        MethodError: it calls itself what another package's method is called.
    """
    entries = method_entries()
    package = qualified(entry).partition("/")[0]
    shared = {other.name for other in entries if qualified(other).partition("/")[0] != package}
    name = str(getattr(cls, "name", entry.name))
    if name == entry.name:
        # a name that was taken first by this package's own method stays as it is; the others' are told apart
        return name if name not in shared or package == PACKAGE else qualified(entry)
    if name in shared:
        raise MethodError(
            f"method '{entry.name}' ({entry.value}) calls itself '{name}', the name of another package's method; "
            f"set name: ClassVar[str] = '{entry.name}' in its class"
        )
    return name


def load_file(path: str, name: str) -> Any:
    """A class from a file, which is run as a module of its own.

    Raises:
        ConfigError: no such file, or no such class in it.
    """
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
