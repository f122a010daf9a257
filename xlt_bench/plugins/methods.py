"""From what a user names to a method that is ready to fit: by name, by `path/to/file.py:Class`, a class, an object."""

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
from xlt_bench.method import Method, WithRecipe
from xlt_bench.plugins import hyperparameters
from xlt_bench.plugins.registry import METHODS, PACKAGE, entries, imported, load, lookup, package_of, qualified
from xlt_bench.recipe import Recipe, preset_recipe

MethodReference = str | type[Method] | Method
"""A name of `xlt-bench ls methods`, `path/to/file.py:Class`, a class, or an instance with its hyper-parameters."""


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


def configure(reference: MethodReference, settings: Mapping[str, str]) -> ConfiguredMethod:
    """Load a method and set its hyper-parameters.

    Args:
        reference: an entry point's name, also as PACKAGE/NAME, `path/to/file.py:Class`, a class, or an instance.
        settings: hyper-parameters as text, name -> value; of an instance, those that are to be others.

    Raises:
        ConfigError: nothing has this name, two packages have it, or a hyper-parameter is unknown or ill-typed.
        MethodError: its code raises on import or does not end, or the class does not follow the protocol.
    """
    if not isinstance(reference, str):
        return _configured_object(reference, settings)
    cls = _class_of(reference)
    method = _constructed(cls, reference, settings)
    if _is_file(reference):
        path, class_name = reference.rsplit(":", 1)
        return _from_file(Path(path), class_name, method)
    return _installed(cls, lookup(METHODS, reference), method)


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


def _configured_object(reference: type[Method] | Method, settings: Mapping[str, str]) -> ConfiguredMethod:
    """Of a class or an instance that a notebook has at hand: named by its entry point, else by its file's content."""
    cls = reference if isinstance(reference, type) else type(reference)
    shown = cls.__qualname__
    given = {} if reference is cls else {name: getattr(reference, name) for name in hyperparameters.defaults(cls)}
    method = _constructed(cls, shown, settings, given)
    entry = _entry_of(cls)
    if entry is not None:
        return _installed(cls, entry, method)
    try:
        path = Path(inspect.getsourcefile(cls) or "")
    except (TypeError, OSError):  # of a module without a file: a notebook's cell, an interactive session
        path = Path()
    if not path.is_file():
        raise ConfigError(
            f"method {shown} stands in no file, so what its runs were made with could not be known later; "
            "write the class into a file and import it from there"
        )
    return _from_file(path, shown, method)


def _constructed(cls: Any, shown: str, settings: Mapping[str, str], given: Mapping[str, Any] | None = None) -> Method:
    _check(cls, shown)
    if callable(getattr(cls, "for_settings", None)):  # a method whose hyper-parameters depend on one of them
        cls = cls.for_settings(settings)
    parsed = hyperparameters.parse(cls, settings, shown)
    try:
        method: Method = cls(**{**(given or {}), **parsed})
    except XltBenchError:
        raise
    except Exception as error:
        values = f"with {', '.join(f'{k}={v}' for k, v in settings.items())}" if settings else "with its defaults"
        raise MethodError(f"method '{shown}' {values} raises {type(error).__name__}: {error}") from error
    return method


def _installed(cls: Any, entry: EntryPoint, method: Method) -> ConfiguredMethod:
    name = _own_name(cls, entry)
    return ConfiguredMethod(name, _label(method, name, entry), method, hyperparameters.values(method))


def _from_file(path: Path, class_name: str, method: Method) -> ConfiguredMethod:
    """The file's content is part of the identity: after an edit, no stored run passes for a run of the new code."""
    name = f"{path.name}:{class_name}"
    values = hyperparameters.values(method)
    return ConfiguredMethod(f"{name}#{_file_hash(path)}", _differing(method, name, ()), method, values)


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
    return hashlib.sha256(path.expanduser().read_bytes()).hexdigest()[:8]


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
    foreign_names = {other.name for other in entries(METHODS) if package_of(other) != package}
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
    file = Path(path).expanduser()
    if not file.is_file():
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
