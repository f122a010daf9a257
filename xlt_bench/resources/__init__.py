"""Resources by name: what a method may declare in `needs` beside labelled sources, and how a run gets it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from xlt_bench.errors import ConfigError, MethodError, unknown
from xlt_bench.resources.base import Resource, Resources, Scope, Supply, Text, TextsByLanguage, without_order
from xlt_bench.resources.by_language import check_texts, language_texts
from xlt_bench.resources.label_words import LabelWords
from xlt_bench.resources.parallel_disjoint import PARALLEL_DISJOINT, ParallelDisjoint, labelled_half
from xlt_bench.resources.rendered_items import RENDERED_ITEMS
from xlt_bench.resources.renderings import TRANSLATE_TRAIN, TRANSLATED_TEST, rendered
from xlt_bench.resources.source_parallel import SOURCE_PARALLEL, SourceParallel
from xlt_bench.resources.template import TemplateFile
from xlt_bench.resources.unlabelled_folder import UNLABELLED_FOLDER, UnlabelledFolder
from xlt_bench.resources.unlabelled_target import UNLABELLED_TARGET, UnlabelledTarget
from xlt_bench.task import Labelled

__all__ = [
    "PARALLEL_DISJOINT",
    "RESOURCES",
    "SOURCE_PARALLEL",
    "TRANSLATED_TEST",
    "TRANSLATE_TRAIN",
    "UNLABELLED_FOLDER",
    "UNLABELLED_TARGET",
    "Resource",
    "Resources",
    "Scope",
    "Supply",
    "Text",
    "TextsByLanguage",
    "check_names",
    "check_texts",
    "contents",
    "identities",
    "language_texts",
    "needs_of",
    "rendered",
    "supplies",
    "with_usable_labels",
    "without_order",
]

_SERVED: tuple[Resource, ...] = (
    SourceParallel(),
    UnlabelledTarget(),
    UnlabelledFolder(),
    ParallelDisjoint(),
    *RENDERED_ITEMS,
    LabelWords(),
    TemplateFile(),
)

RESOURCES: Mapping[str, Resource] = MappingProxyType({resource.name: resource for resource in _SERVED})


def needs_of(method: object) -> frozenset[str]:
    """The resources that a configured method declares; `needs` may be a property that looks at hyper-parameters.

    Raises:
        MethodError: `needs` raises, is no set of texts, or names what there is not.
    """
    name = type(method).__name__
    try:
        needs: object = getattr(method, "needs", frozenset())
    except Exception as error:
        raise MethodError(f"needs of {name} raises {type(error).__name__}: {error}") from error
    if not isinstance(needs, frozenset | set):
        raise MethodError(f"needs of {name} must be a set of names, such as frozenset({{'{_SERVED[0].name}'}})")
    for resource in needs:
        if resource not in RESOURCES:
            raise MethodError(str(unknown(f"resource that {name} could need", str(resource), RESOURCES, _names())))
    return frozenset(needs)


def check_names(names: Iterable[str]) -> None:
    """Refuse a resource that there is not.

    Raises:
        ConfigError: its name, and those that there are.
    """
    for name in names:
        if name not in RESOURCES:
            raise unknown("resource", name, RESOURCES, _names())


def supplies(needs: frozenset[str], paths: Mapping[str, Path], scope: Scope) -> dict[str, Supply]:
    """Everything that a method needs, by name, in the order of RESOURCES.

    Args:
        paths: name -> what the user gave for it.
        scope: of the run, without a path.

    Raises:
        ConfigError: a path is missing, or given for what the method does not need or what takes none.
    """
    check_names(paths)
    for name in paths:
        if name not in needs or RESOURCES[name].path is None:
            uses = ", ".join(sorted(resource for resource in needs if RESOURCES[resource].path)) or "none"
            raise ConfigError(f"--resource {name}: the method takes no such file or folder; it takes {uses}")
    missing = [name for name in RESOURCES if name in needs and RESOURCES[name].needs_path and name not in paths]
    if missing:
        resource = RESOURCES[missing[0]]
        raise ConfigError(
            f"the method needs {resource.name}, {resource.summary}; give it: --resource {resource.name}={resource.path}"
        )
    return {
        name: resource.supply(replace(scope, path=paths.get(name)))
        for name, resource in RESOURCES.items()
        if name in needs
    }


def contents(supplied: Mapping[str, Supply]) -> Resources:
    """What a method is handed."""
    return Resources(MappingProxyType({name: supply.content for name, supply in supplied.items()}))


def identities(supplied: Mapping[str, Supply]) -> dict[str, str]:
    """What a cell has of them: name, with the origin where it is not the usual one -> hash of the content."""
    return {
        f"{name} ({supply.origin})" if supply.origin else name: supply.fingerprint for name, supply in supplied.items()
    }


def with_usable_labels(train: Labelled, needs: Iterable[str]) -> Labelled:
    """The train items of the sources whose labels a method gets that needs these resources."""
    return labelled_half(train) if PARALLEL_DISJOINT in needs else train


def _names() -> str:
    return ", ".join(RESOURCES)
