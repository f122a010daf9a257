"""From what a user names to a method that is ready to fit: by name or by `path/to/file.py:Class`."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from xlt_bench.errors import ConfigError, MethodError, XltBenchError, unknown
from xlt_bench.io.paths import in_home, is_file
from xlt_bench.method import Method, WithRecipe
from xlt_bench.plugins import hyperparameters
from xlt_bench.plugins.registry import METHODS, PACKAGE, entries, imported, load, lookup, package_of, qualified
from xlt_bench.recipe import Recipe, preset_recipe


@dataclass(frozen=True)
class ConfiguredMethod:
    """A method ready to fit.

    Attributes:
        name: what identifies it in a Cell; several references may lead to one name, with other hyper-parameters.
        label: what a table shows: the name and every hyper-parameter that differs from its default.
    """

    name: str
    label: str
    method: Method
    values: Mapping[str, hyperparameters.Plain]


def configure(reference: str, settings: Mapping[str, str]) -> ConfiguredMethod:
    """Load a method and set its hyper-parameters.

    Args:
        reference: an entry point's name, also as PACKAGE/NAME, or `path/to/file.py:Class`.
        settings: hyper-parameters as text, name -> value.

    Raises:
        ConfigError: nothing has this name, two packages have it, or a hyper-parameter is unknown or ill-typed.
        MethodError: its code raises on import or does not end, or the class does not follow the protocol.
    """
    cls = _class_of(reference)
    method = _constructed(cls, reference, settings)
    values = hyperparameters.values(method)
    if _is_file(reference):
        # the file's content is part of the identity: after an edit, no stored run passes for a run of the new code
        path, class_name = reference.rsplit(":", 1)
        name = f"{Path(path).name}:{class_name}"
        return ConfiguredMethod(f"{name}#{_file_hash(Path(path))}", _differing(method, name, ()), method, values)
    entry = lookup(METHODS, reference)
    name = _own_name(cls, entry)
    return ConfiguredMethod(name, _label(method, name, entry), method, values)


def reference_of(method: type | object) -> tuple[str, dict[str, str]]:
    """The name, or `path/to/file.py:Class`, of a class or an instance at hand; and an instance's settings as text.

    Raises:
        ConfigError: its class stands in no file, or a value cannot be written as text.
        MethodError: the class does not follow the protocol.
    """
    cls = method if isinstance(method, type) else type(method)
    _check(cls, cls.__qualname__)
    entry = _entry_of(cls)
    reference = entry.name if entry is not None else f"{_file_of(cls)}:{cls.__qualname__}"
    if method is cls:
        return reference, {}
    settings = hyperparameters.settings(method)
    if configure(reference, settings).values != hyperparameters.values(method):
        raise ConfigError(f"the settings of {method!r} cannot be written as --set has them; give plain values")
    return reference, settings


def recipe_of(method: Method, preset: str) -> Recipe:
    """The recipe of a method: what a preset holds for all methods, with what this one brings.

    Raises:
        ConfigError: no preset has this name.
        MethodError: what the method brings raises, or is no Recipe.
    """
    common = preset_recipe(preset)
    if not isinstance(method, WithRecipe):
        return common
    name = type(method).__name__
    try:
        recipe: object = method.recipe_for(preset, common)
    except XltBenchError:
        raise
    except Exception as error:
        raise MethodError(f"recipe_for of {name} raises {type(error).__name__}: {error}") from error
    if not isinstance(recipe, Recipe):
        raise MethodError(f"recipe_for of {name} must return a Recipe, not {type(recipe).__name__}")
    return recipe


def _constructed(cls: Any, reference: str, settings: Mapping[str, str]) -> Method:
    """An instance with these settings."""
    _check(cls, reference)
    if callable(getattr(cls, "for_settings", None)):  # a method whose hyper-parameters depend on one of them
        cls = cls.for_settings(settings)
    parsed = hyperparameters.parse(cls, settings, reference)
    try:
        method: Method = cls(**parsed)
    except XltBenchError:
        raise
    except Exception as error:
        values = f"with {', '.join(f'{k}={v}' for k, v in settings.items())}" if settings else "with its defaults"
        raise MethodError(f"method '{reference}' {values} raises {type(error).__name__}: {error}") from error
    return method


def _file_of(cls: type) -> Path:
    """The file that a class is written in."""
    try:
        path = Path(inspect.getsourcefile(cls) or "")
    except (TypeError, OSError):  # of a notebook's cell or an interactive session
        path = Path()
    if not is_file(path):
        raise ConfigError(
            f"method {cls.__qualname__} stands in no file, so nobody could tell later what its runs were made with; "
            "write the class into a file and import it from there"
        )
    return path


def _entry_of(cls: type) -> EntryPoint | None:
    """The entry point that leads to a class, one of its own name before others."""
    value = f"{cls.__module__}:{cls.__qualname__}"
    leading = [entry for entry in entries(METHODS) if entry.value == value]
    return next((entry for entry in leading if entry.name == getattr(cls, "name", None)), next(iter(leading), None))


def name_of(cls: type) -> str:
    """The name under which a class's runs are kept: its own, else its entry point's, else that of the class."""
    entry = _entry_of(cls)
    return str(getattr(cls, "name", cls.__name__ if entry is None else entry.name))


def _is_file(reference: str) -> bool:
    return ".py:" in reference


def _file_hash(path: Path) -> str:
    return hashlib.sha256(in_home(path).read_bytes()).hexdigest()[:8]


def _label(method: Method, name: str, entry: EntryPoint) -> str:
    """With the label that the method's package gives it; one inherited from elsewhere would pass it off as another."""
    giver = next((cls for cls in type(method).__mro__ if "label" in vars(cls)), None)
    if giver is None or giver.__module__.partition(".")[0] != entry.module.partition(".")[0]:
        return _differing(method, name, ())
    return _differing(method, str(getattr(method, "label", name)), getattr(method, "label_tells", ()))


def _differing(method: Method, base: str, told_already: Sequence[str]) -> str:
    """`base`, and every hyper-parameter that differs from its default and is not told already."""
    usual = hyperparameters.defaults(type(method))
    values = hyperparameters.values(method)
    changed = {name: value for name, value in values.items() if value != usual[name] and name not in told_already}
    return base + (" (" + ", ".join(f"{name}={value}" for name, value in changed.items()) + ")" if changed else "")


def _class_of(reference: str) -> Any:
    if _is_file(reference):
        return imported(METHODS, f"'{reference}'", partial(load_file, *reference.rsplit(":", 1)))
    if reference.endswith(".py"):
        raise ConfigError(f"--method {reference} names no class; give {reference}:Class")
    return load(METHODS, lookup(METHODS, reference))


def _own_name(cls: Any, entry: EntryPoint) -> str:
    """The name for Records: the one the class gives itself, which its own package must offer; else the entry's.

    Raises:
        MethodError: it calls itself what another package's method is called.
    """
    package = package_of(entry)
    foreign_names = {foreign.name for foreign in entries(METHODS) if package_of(foreign) != package}
    name = str(getattr(cls, "name", entry.name))
    if name == entry.name:
        # a name that was taken first by this package's own method stays as it is; the others' are told apart
        return name if name not in foreign_names or package == PACKAGE else qualified(entry)
    if name in foreign_names:
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
    file = in_home(path)
    if not is_file(file):
        raise ConfigError(f"no file '{path}'; --method takes path/to/file.py:Class or a name of: xlt-bench ls methods")
    module_name = f"xlt_bench_plugin_{file.stem}_{_file_hash(file)}"
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
