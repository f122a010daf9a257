"""What is known of a task's languages without loading it, and a task's groups as the board orders them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from xlt_bench.errors import XltBenchError
from xlt_bench.languages.groups import IN_LANGUAGE, SOURCES, TARGET_GROUPS
from xlt_bench.languages.table import known_languages
from xlt_bench.metrics import ACCURACY, Metric, metric_named
from xlt_bench.task import Language, TaskInfo
from xlt_bench.tasks import installed

_IN_LANGUAGE = IN_LANGUAGE.removeprefix(SOURCES)


@dataclass(frozen=True)
class LanguageFacts:
    """What the page filters by. `joshi` is None where the language has no class, `seen` where it is not known."""

    name: str
    family: str
    script: str
    joshi: int | None
    seen: bool | None


def language_facts(task: str, backbone: str | None, codes: Iterable[str] = ()) -> dict[str, LanguageFacts]:
    """Code -> facts, in the task's order.

    Of a task that is not installed, or whose languages are not known without loading it, those of `codes` that are in
    the shipped table of languages.

    Args:
        backbone: whose pre-training decides what counts as seen; None where the board has none.
    """
    info = _installed(task)
    languages = dict(info.languages()) if info else {}
    seen = task_groups(task, backbone).get("seen")
    return {
        code: LanguageFacts(
            language.name, language.family, language.script, language.joshi, None if seen is None else code in seen
        )
        for code, language in (languages or _of_the_table(codes)).items()
    }


def task_groups(task: str, backbone: str | None) -> Mapping[str, frozenset[str]]:
    """The groups of a task that hold for a backbone, None for the task's default one; none if it is not installed."""
    info = _installed(task)
    try:
        return info.groups(backbone or info.backbone) if info else {}
    except XltBenchError:
        return {}


def primary_group(task: str) -> str | None:
    """The group that a task's main question is about; None where it declares none or is not installed."""
    info = _installed(task)
    return info.primary if info else None


def main_metric(task: str) -> Metric:
    """The metric that a task is judged by; accuracy where it is not installed."""
    info = _installed(task)
    return metric_named(info.metric) if info else ACCURACY


def task_caveats(task: str) -> tuple[str, ...]:
    """What every board of a task shows; nothing if it is not installed."""
    info = _installed(task)
    return info.caveats if info else ()


def _installed(task: str) -> TaskInfo | None:
    """An installed task; None for another one's name, and for a task whose package is broken: its Records are not."""
    try:
        return installed(task)
    except XltBenchError:
        return None


def _of_the_table(codes: Iterable[str]) -> dict[str, Language]:
    table = known_languages()
    return {code: table[code].language for code in sorted(codes) if code in table}


def is_in_language(group: str) -> bool:
    """Whether a group is of the sources themselves: an upper bound, no transfer."""
    return group.endswith(_IN_LANGUAGE)


def in_language(sources: str) -> str:
    """The name of that group for some sources, where there are several."""
    return f"{sources}{_IN_LANGUAGE}"


def in_order(groups: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The task's own target groups first, in their order, then the others as they come."""
    positions = {name: position for position, name in enumerate(TARGET_GROUPS)}
    return dict(sorted(groups.items(), key=lambda item: positions.get(item[0], len(positions))))
